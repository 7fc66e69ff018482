//! What policies do: once a minute, an alarm in `ALARM` lets the policies that it names set the count.
//!
//! Unlike other actions, those on a scaling policy are taken again every minute for as long as the alarm stays in `ALARM`
//! (CloudWatch user guide, "Alarm actions"). Target tracking sets the count that would bring the metric to its target, scales in only
//! while no deployment is under way, and waits for its cooldowns (Application Auto Scaling user guide).

use jiff::Timestamp;

use super::{
    Activity, Caller, Noted, Suspended, Target, World, key,
    policies::{Adjustment, Policy, Step, Steps, Tracking},
};
use crate::world::{call::Call, cloudwatch::Acting, ecs::ServiceView};

/// A count that a policy wants, and whether that is more than there is.
struct Wanted {
    count: u32,
    is_more: bool,
}

impl World {
    /// Lets the alarms of scaling policies act, as they do at the end of a minute.
    pub(in crate::world) fn autoscale(&mut self, now: i64) {
        let known = self.autoscaling.policies.iter().filter(|(_, policies)| !policies.is_empty());
        let places: Vec<Caller> = known
            .map(|((account, region), _)| Caller {
                account: account.clone(),
                region: region.clone(),
                origin: String::new(),
            })
            .collect();
        for caller in &places {
            for acting in self.acting_alarms(now, caller) {
                self.follow_policy(now, caller, &acting);
            }
            self.end_activities(now, caller);
        }
    }

    /// Lets the load that a service's tasks have now be shared by as many as it will have.
    pub(super) fn share_demand(&mut self, call: Call, resource: &str) {
        let Some((cluster, service)) = service_of(resource) else { return };
        let desired = self.ecs.view(call.caller, cluster, service).map_or(1, |view| view.desired);
        self.put_demand(call.caller, (cluster, service), f64::from(desired.max(1)), false);
    }

    fn follow_policy(&mut self, now: i64, caller: &Caller, acting: &Acting) {
        let place = key(caller);
        let policies = self.autoscaling.policies.get(&place).map(Vec::as_slice).unwrap_or_default();
        let Some(index) = policies.iter().position(|policy| policy.arn(caller) == acting.action) else { return };
        let policy = &policies[index];
        let Some(target) = self.autoscaling.by_place.get(&place).and_then(|known| known.get(&policy.resource)) else {
            return;
        };
        let Some((cluster, service)) = service_of(&policy.resource) else { return };
        let Some(view) = self.ecs.view(caller, cluster, service) else { return };
        let Some(wanted) = policy.wants(now, acting, &view, target) else { return };
        let activity = Activity {
            resource: policy.resource.clone(),
            description: format!("Setting desired count to {}.", wanted.count),
            cause: format!("monitor alarm {} in state ALARM triggered policy {}", acting.alarm, policy.name),
            at: Timestamp::from_millisecond(now).unwrap_or_default(),
            status: "InProgress",
        };
        let (cluster, service) = (cluster.to_owned(), service.to_owned());
        self.ecs.set_desired(activity.at, caller, &cluster, &service, wanted.count);
        let message = told(wanted.count, "Waiting for change to be fulfilled by ecs.");
        self.autoscaling.keep(caller, Noted { activity, message: Some(message), ended_at: None });
        if let Some(policy) = self.autoscaling.policies.get_mut(&place).and_then(|known| known.get_mut(index)) {
            policy.acted = Some((now, wanted.is_more));
        }
    }

    /// An activity ends when as many tasks run as it set, or when the count is another one meanwhile.
    fn end_activities(&mut self, now: i64, caller: &Caller) {
        let Self { ecs, autoscaling, .. } = self;
        let open = autoscaling.activities.get_mut(&key(caller)).into_iter().flatten();
        for noted in open.filter(|noted| noted.ended_at.is_none() && noted.message.is_some()) {
            let view =
                service_of(&noted.activity.resource).and_then(|(cluster, service)| ecs.view(caller, cluster, service));
            let Some(view) = view else { continue };
            let is_it = noted.activity.description == format!("Setting desired count to {}.", view.desired);
            (noted.activity.status, noted.message) = match (is_it, view.running == view.desired as usize) {
                (true, false) => continue,
                (true, true) => ("Successful", Some(told(view.desired, "Change successfully fulfilled by ecs."))),
                (false, _) => ("Overridden", Some("A later change set another desired count.".to_owned())),
            };
            noted.ended_at = Timestamp::from_millisecond(now).ok();
        }
    }
}

fn told(count: u32, rest: &str) -> String {
    format!("Successfully set desired count to {count}. {rest}")
}

/// Cluster and name of `service/cluster/name`.
fn service_of(resource: &str) -> Option<(&str, &str)> {
    resource.strip_prefix("service/")?.split_once('/')
}

impl Policy {
    /// The count that it sets because of an alarm; none: it leaves the count.
    fn wants(&self, now: i64, acting: &Acting, view: &ServiceView, target: &Target) -> Option<Wanted> {
        let count = match (&self.tracking, &self.steps) {
            (Some(tracking), _) => {
                let scales_out = self.alarms.first() == Some(&acting.alarm);
                tracking.count(scales_out, acting, view)?
            }
            (None, Some(steps)) => steps.count(acting, view.desired)?,
            (None, None) => return None,
        };
        let count = count.clamp(target.min, target.max);
        let is_more = count > view.desired;
        let Suspended { dynamic_scaling_in_suspended, dynamic_scaling_out_suspended, .. } = target.suspended;
        let is_suspended = if is_more { dynamic_scaling_out_suspended } else { dynamic_scaling_in_suspended };
        (count != view.desired && !is_suspended && !self.rests(now, is_more)).then_some(Wanted { count, is_more })
    }

    /// Whether a cooldown lasts. After scaling in it may scale out at once.
    fn rests(&self, now: i64, is_more: bool) -> bool {
        let Some((at, was_more)) = self.acted else { return false };
        let cooldown = match (&self.tracking, &self.steps) {
            (Some(tracking), _) if is_more => tracking.out_cooldown,
            (Some(tracking), _) => tracking.in_cooldown,
            (None, steps) => steps.as_ref().map_or(0, |steps| steps.cooldown),
        };
        (was_more || !is_more) && now - at < cooldown
    }
}

impl Tracking {
    /// What brings the metric to its target, if its tasks share what it measures.
    fn count(&self, scales_out: bool, acting: &Acting, view: &ServiceView) -> Option<u32> {
        let value = acting.value?;
        let wanted = (f64::from(view.desired) * value / self.target).ceil().clamp(0.0, f64::from(u32::MAX)) as u32;
        if scales_out {
            return Some(wanted.max(view.desired + 1)).filter(|_| view.desired > 0);
        }
        let may = !self.only_out && view.deployments.len() < 2;
        may.then_some(wanted).filter(|wanted| *wanted < view.desired)
    }
}

impl Steps {
    fn count(&self, acting: &Acting, desired: u32) -> Option<u32> {
        let beyond = acting.value? - acting.threshold;
        // The bound next to the threshold belongs to a step (API reference, `StepAdjustment`).
        let holds = |step: &&Step| {
            let (lower, upper) = (step.metric_interval_lower_bound, step.metric_interval_upper_bound);
            match beyond < 0.0 {
                true => lower.is_none_or(|bound| bound < beyond) && upper.is_none_or(|bound| beyond <= bound),
                false => lower.is_none_or(|bound| bound <= beyond) && upper.is_none_or(|bound| beyond < bound),
            }
        };
        let by = self.steps.iter().find(holds)?.scaling_adjustment;
        let change = match self.kind {
            Adjustment::To => return u32::try_from(by).ok(),
            Adjustment::By => by,
            Adjustment::ByPercent => {
                let part = f64::from(desired) * f64::from(by) / 100.0;
                // Away from zero below one, towards it above (API reference).
                let whole = if part.abs() < 1.0 { part.signum() } else { part.trunc() } as i32;
                let least = i32::try_from(self.least).unwrap_or(i32::MAX);
                if by == 0 { 0 } else { whole.abs().max(least) * by.signum() }
            }
        };
        Some(desired.saturating_add_signed(change))
    }
}
