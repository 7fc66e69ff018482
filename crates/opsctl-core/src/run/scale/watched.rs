//! A service whose count was set, or that is deployed, until it is as it shall be.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    cloud::{CloudError, ecs::Missing},
    domain::{Deployment, DeploymentId, Rollout, Service, TargetGroup, Text},
    operations::{
        consumers::READS_LAG,
        scale::{Begin, Change, Deploy, Direction, Set},
    },
    run::{
        How,
        report::{Ended, Redeployed},
    },
};

pub(super) struct Watched {
    pub(super) change: Change,
    pub(super) set_at: Option<Timestamp>,
    /// The deployment that was PRIMARY in the update's answer, or in the first look after it.
    pub(super) deployment: Option<DeploymentId>,
    pub(super) stopped: Option<Text>,
    /// Whether an update had no clear answer.
    pub(super) may_be_set: bool,
    pub(super) are_bounds_moved: bool,
    /// The deployment that took the place of the one that was made.
    replaced_by: Option<DeploymentId>,
    has_deployment_failed: bool,
    /// Target groups that are to be asked: by all that ECS says, it is up.
    pub(super) to_ask: Vec<TargetGroup>,
    /// What holds it up in its target groups.
    pub(super) targets: Option<Text>,
    pub(super) targets_unknown: Option<CloudError>,
    state: State,
    known: Option<BTreeSet<String>>,
    running: Option<u32>,
    last_event: Option<Text>,
}

enum State {
    Waiting,
    Done { seconds: f64 },
    Failed(Text),
}

impl Watched {
    pub(super) fn new(change: Change) -> Self {
        Self {
            change,
            set_at: None,
            deployment: None,
            stopped: None,
            may_be_set: false,
            are_bounds_moved: false,
            replaced_by: None,
            has_deployment_failed: false,
            to_ask: Vec::new(),
            targets: None,
            targets_unknown: None,
            state: State::Waiting,
            known: None,
            running: None,
            last_event: None,
        }
    }

    pub(super) fn is_set(&mut self, at: Timestamp, shown: &Service) {
        self.set_at = Some(at);
        let deploy = self.change.deploy.as_ref();
        let primary = shown.primary().filter(|primary| deploy.is_none_or(|deploy| !deploy.is_known(&primary.id)));
        self.deployment = primary.map(|primary| primary.id.clone());
        self.known = Some(shown.events.iter().map(|event| event.id.clone()).collect());
    }

    /// An earlier try has made the update, or ECS by itself.
    pub(super) fn is_begun(&mut self, at: Timestamp) {
        self.set_at = Some(at);
        let asked = self.change.deploy.as_ref().map(|deploy| &deploy.asked);
        if let Some(Begin::Begun(id) | Begin::ByEcs(id)) = asked {
            self.deployment = Some(id.clone());
        }
    }

    /// Whether the deployment that was made has failed: going on with it waits for nothing.
    pub(super) fn has_deployment_failed(&self) -> bool {
        self.has_deployment_failed
    }

    pub(super) fn fail(&mut self, why: &str) {
        self.state = State::Failed(Text::line(why));
    }

    /// Tasks that ran when it was seen last, and how far it is.
    pub(super) fn how_far(&self) -> (Option<u32>, How) {
        let how = match self.state {
            State::Waiting => How::Waiting,
            State::Done { .. } => How::Done,
            State::Failed(_) => How::Failed,
        };
        (self.running, how)
    }

    pub(super) fn is_waited_for(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done { .. })
    }

    /// `api 1 of 2`, `api 2 of 2 run, 0 of 2 targets healthy: ..`.
    pub(super) fn words(&self) -> String {
        let running = self.running.map_or("?".to_owned(), |running| running.to_string());
        match (self.change.to, &self.targets) {
            (0, None) if self.change.deploy.is_some() => format!("{} is deployed", self.change.service.name),
            (to, None) if self.change.deploy.is_some() => {
                format!("{} {running} of {to} by the new deployment", self.change.service.name)
            }
            (0, _) => format!("{} {running} still run", self.change.service.name),
            (to, None) => format!("{} {running} of {to}", self.change.service.name),
            (to, Some(targets)) => format!("{} {running} of {to} run, {targets}", self.change.service.name),
        }
    }

    /// Compares a look right before the change with what the plan saw.
    pub(super) fn compare(&mut self, shown: &Service, direction: Direction, set: Set) {
        let desired = shown.desired;
        self.running = Some(shown.running);
        if let Some(deploy) = &self.change.deploy {
            let newer = shown.primary().filter(|primary| deploy.asked == Begin::Not && !deploy.is_known(&primary.id));
            if let Some(newer) = newer {
                self.fail(&format!("somebody deployed {} since the plan was made", newer.task_definition.0));
            } else {
                self.change.to = desired;
            }
            return;
        }
        match direction {
            _ if desired == self.change.now => {}
            // It may be what was before it was put to sleep a moment ago, as reads lag: that count is set, whoever set it.
            Direction::Wake if desired > 0 && set != Set::WhereOther => self.change.to = desired,
            // Somebody was quicker: what they set is waited for, and left as it is.
            Direction::Wake if desired > 0 => (self.change.now, self.change.to) = (desired, desired),
            Direction::Sleep | Direction::To(_) if desired == self.change.to => self.change.now = desired,
            Direction::Wake | Direction::Sleep | Direction::To(_) | Direction::Deploy => {
                self.fail(&format!("somebody set its desired count to {desired} since the plan was made"));
            }
        }
    }

    pub(super) fn is_missing(&mut self, missing: &[Missing]) {
        let name = &self.change.service.name.0;
        let of_it = missing.iter().find(|missing| missing.what.parts_from_last().next() == Some(name));
        self.fail(&of_it.map_or("it is gone".to_owned(), |missing| format!("it is gone: ECS says {}", missing.reason)));
    }

    /// Takes a look's answer; answers what is new, in words.
    pub(super) fn take(&mut self, shown: &Service, now: Timestamp) -> Vec<Text> {
        self.running = Some(shown.running);
        self.to_ask.clear();
        let news = self.news(shown);
        let is_old = self.set_at.is_some_and(|at| now.duration_since(at) < READS_LAG);
        if self.change.deploy.is_some() {
            // A deployment follows the count, whoever sets it.
            self.change.to = shown.desired;
        }
        if shown.desired != self.change.to {
            if !is_old && self.change.to > 0 && shown.desired > self.change.to {
                // Autoscaling does its work: it is awake when that many are.
                self.change.to = shown.desired;
            } else if !is_old {
                self.fail(&format!("somebody set its desired count to {}", shown.desired));
            }
            self.targets = None;
            return news;
        }
        let is_done = match &self.change.deploy {
            Some(deploy) => {
                let deploy = deploy.clone();
                self.is_deployed(&deploy, shown)
            }
            None if self.change.to == 0 => fits(shown, 0),
            None => self.has_come_up(shown),
        };
        if !is_done {
            self.targets = None;
        } else if self.is_waited_for() && self.change.to > 0 && !shown.target_groups.is_empty() {
            self.to_ask = shown.target_groups.clone();
        } else if self.is_waited_for() {
            self.is_up(now);
        }
        news
    }

    pub(super) fn is_up(&mut self, now: Timestamp) {
        let seconds = self.set_at.map_or(0.0, |at| now.duration_since(at).as_secs_f64());
        self.state = State::Done { seconds };
        self.targets = None;
    }

    /// Whether a deployment that is newer than those of before is the only one, and up.
    fn is_deployed(&mut self, deploy: &Deploy, shown: &Service) -> bool {
        let Some(primary) = shown.primary() else {
            self.fail("ECS shows no deployment of it");
            return false;
        };
        self.running = Some(primary.running);
        if self.has_failed(shown) || (deploy.is_known(&primary.id) && !deploy.is_by_ecs()) {
            // What is older than the call is what reads show that lag behind it.
            return false;
        }
        if primary.task_definition != deploy.to {
            self.fail(&format!("somebody deployed {} meanwhile", primary.task_definition.0));
            return false;
        }
        if self.deployment.as_ref().is_some_and(|ours| *ours != primary.id) {
            self.replaced_by = Some(primary.id.clone());
        }
        self.deployment.get_or_insert_with(|| primary.id.clone());
        self.has_come_up(shown) && shown.deployments.len() == 1
    }

    /// Fails where the deployment that was made has failed.
    fn has_failed(&mut self, shown: &Service) -> bool {
        let ours = self.deployment.as_ref();
        let is_it = |one: &&Deployment| Some(&one.id) == ours && one.rollout == Some(Rollout::Failed);
        let Some(failed) = shown.deployments.iter().find(is_it) else { return false };
        let reason = failed.rollout_reason.as_ref().map_or("ECS gives no reason", Text::as_str);
        let mut words = format!("deployment {} failed: {reason}", failed.id.0);
        if self.change.deploy.is_some()
            && let Some(back) = shown.rolls_back()
        {
            words.push_str(&format!("; ECS rolls back to {}", back.task_definition.0));
        }
        self.has_deployment_failed = true;
        self.fail(&words);
        true
    }

    /// Whether as many tasks run as shall, of a deployment that ECS calls complete. Fails where that deployment has failed.
    fn has_come_up(&mut self, shown: &Service) -> bool {
        let Some(primary) = shown.primary() else {
            // Other controllers than ECS (CodeDeploy, external ones) show no deployments: the counts are all there is.
            return fits(shown, self.change.to);
        };
        self.deployment.get_or_insert_with(|| primary.id.clone());
        if self.has_failed(shown) {
            return false;
        }
        if self.deployment.as_ref() != Some(&primary.id) {
            // Somebody deploys: what is PRIMARY now is what must become healthy.
            self.deployment = Some(primary.id.clone());
        }
        // Where ECS says no rollout state, the counts are all there is.
        let is_rolled_out = primary.rollout.is_none_or(|rollout| rollout == Rollout::Completed);
        let to = self.change.to;
        fits(shown, to) && primary.running == to && primary.desired == to && is_rolled_out
    }

    /// Looks once more at what was done.
    pub(super) fn look_back(&mut self, shown: &Service) {
        self.running = Some(shown.running);
        if self.is_done() && shown.running < self.change.to.min(shown.desired) {
            let Service { running, desired, .. } = shown;
            self.fail(&format!("it was up, and {running} of {desired} run now: its tasks do not stay up"));
        }
    }

    /// Events since the count was set, the oldest first.
    fn news(&mut self, shown: &Service) -> Vec<Text> {
        let all = || shown.events.iter().map(|event| event.id.clone());
        // Those that are there at the first look are no news.
        let known = self.known.get_or_insert_with(|| all().collect());
        let new: Vec<Text> = shown
            .events
            .iter()
            .rev()
            .filter(|event| known.insert(event.id.clone()))
            .map(|event| Text::line(&format!("{}: {}", self.change.service, event.message)))
            .collect();
        if !new.is_empty() {
            self.last_event = shown.events.first().map(|event| event.message.clone());
        }
        new
    }

    pub(super) fn ended(&self) -> Ended {
        let Self { change, set_at, running, stopped, last_event, targets, state, deployment, may_be_set, .. } = self;
        let deployed = change.deploy.as_ref().map(|deploy| Redeployed {
            from: deploy.from.clone(),
            to: deploy.to.clone(),
            by_ecs: deploy.is_by_ecs(),
            replaced_by: self.replaced_by.clone(),
        });
        let bounds = change.bounds.as_ref().filter(|bounds| self.are_bounds_moved || bounds.now == bounds.to);
        let (is_done, seconds, because) = match state {
            State::Done { seconds } => (true, Some(*seconds), None),
            State::Failed(why) => (false, None, Some(why.clone())),
            State::Waiting => (false, None, targets.clone().or_else(|| last_event.clone())),
        };
        Ended {
            service: change.service.clone(),
            from: change.from,
            to: change.to,
            is_set: set_at.is_some() || self.are_bounds_moved,
            may_be_set: *may_be_set,
            is_done,
            running: *running,
            seconds,
            deployment: deployment.clone(),
            deployed,
            bounds: bounds.map(|bounds| bounds.to),
            because,
            stopped: stopped.clone().filter(|_| !is_done),
        }
    }

    pub(super) fn not_begun(change: &Change) -> Ended {
        Self::new(change.clone()).ended()
    }
}

/// Whether so many are wanted and run, and none is on its way.
fn fits(shown: &Service, to: u32) -> bool {
    (shown.desired, shown.running, shown.pending) == (to, to, 0)
}
