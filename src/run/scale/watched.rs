//! A service whose count was set, until it is as it shall be.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        Text,
        service::{DeploymentId, Rollout, Service},
    },
    operations::scale::Change,
    run::report::Ended,
};

/// So long after an update reads may still show what was before it.
const READS_LAG: SignedDuration = SignedDuration::from_secs(15);

/// A service that is waited for.
pub(super) struct Watched {
    pub(super) change: Change,
    /// When the count was set.
    pub(super) set_at: Option<Timestamp>,
    /// The deployment that was PRIMARY in the update's answer, or in the first look after it.
    pub(super) deployment: Option<DeploymentId>,
    /// Why its newest task stopped by itself.
    pub(super) stopped: Option<Text>,
    state: State,
    /// Events that are known.
    known: Option<BTreeSet<String>>,
    running: Option<u32>,
    last_event: Option<Text>,
}

/// How far it is.
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
            state: State::Waiting,
            known: None,
            running: None,
            last_event: None,
        }
    }

    /// The count is set.
    pub(super) fn is_set(&mut self, at: Timestamp, shown: Option<&Service>) {
        self.set_at = Some(at);
        if let Some(shown) = shown {
            self.deployment = shown.primary().map(|primary| primary.id.clone());
            self.known = Some(shown.events.iter().map(|event| event.id.clone()).collect());
        }
    }

    pub(super) fn fail(&mut self, why: &str) {
        self.state = State::Failed(Text::line(why));
    }

    pub(super) fn is_waited_for(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done { .. })
    }

    /// `api 1 of 2`.
    pub(super) fn words(&self) -> String {
        let running = self.running.map_or("?".to_owned(), |running| running.to_string());
        match self.change.to {
            0 => format!("{} {running} still run", self.change.service.name),
            to => format!("{} {running} of {to}", self.change.service.name),
        }
    }

    /// Takes a look's answer; answers what is new, in words.
    pub(super) fn take(&mut self, shown: &Service, now: Timestamp) -> Vec<Text> {
        self.running = Some(shown.running);
        let news = self.news(shown);
        let is_old = self.set_at.is_some_and(|at| now.duration_since(at) < READS_LAG);
        if shown.desired != self.change.to {
            if !is_old {
                self.fail(&format!("somebody set its desired count to {}", shown.desired));
            }
            return news;
        }
        let Some(primary) = shown.primary() else { return news };
        let ours = self.deployment.get_or_insert_with(|| primary.id.clone());
        let failed = shown.deployments.iter().find(|one| one.id == *ours && one.rollout == Some(Rollout::Failed));
        if let Some(failed) = failed {
            let reason = failed.rollout_reason.as_ref().map_or("ECS gives no reason", Text::as_str);
            let words = format!("deployment {} failed: {reason}", failed.id.0);
            self.fail(&words);
            return news;
        }
        if primary.id != *ours {
            // Somebody deploys: what is PRIMARY now is what must become healthy.
            self.deployment = Some(primary.id.clone());
        }
        let counts = (shown.running, shown.pending, primary.running) == (self.change.to, 0, self.change.to);
        // Where ECS says no rollout state, the counts are all there is.
        let is_rolled_out = primary.rollout.is_none_or(|rollout| rollout == Rollout::Completed);
        if counts && is_rolled_out && primary.desired == self.change.to {
            let seconds = self.set_at.map_or(0.0, |at| now.duration_since(at).as_secs_f64());
            self.state = State::Done { seconds };
        }
        news
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

    /// How it ended.
    pub(super) fn ended(&self) -> Ended {
        let Self { change, set_at, running, stopped, last_event, state, deployment, .. } = self;
        let (is_done, seconds, because) = match state {
            State::Done { seconds } => (true, Some(*seconds), None),
            State::Failed(why) => (false, None, Some(why.clone())),
            State::Waiting => (false, None, last_event.clone()),
        };
        Ended {
            service: change.service.clone(),
            from: change.from,
            to: change.to,
            is_set: set_at.is_some(),
            is_done,
            running: *running,
            seconds,
            deployment: deployment.clone(),
            because,
            stopped: stopped.clone().filter(|_| !is_done),
        }
    }

    /// Of a change that was not begun.
    pub(super) fn not_begun(change: &Change) -> Ended {
        Self::new(change.clone()).ended()
    }
}
