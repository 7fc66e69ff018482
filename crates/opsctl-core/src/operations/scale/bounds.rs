//! Bounds of autoscaling around a count: when they are moved, and back.

use super::{Change, Direction, MoveBounds, MoveWhy};
use crate::{
    cloud::Cloud,
    domain::{AccountId, Scaling, ServiceId, TaskBounds, Try},
    journal::{BoundsBefore, History, Moved},
    operations::{OperationError, Planner, plan::Plan},
};

/// What to do with bounds that do not hold a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bounding {
    /// They stay.
    Keep,
    Move,
    /// Back to what is remembered.
    Back(Box<Back>),
}

/// Around a service that has no autoscaling.
const UNBOUND: TaskBounds = TaskBounds { min: 0, max: u32::MAX };

/// What a service had before its bounds were moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) bounds: TaskBounds,
    /// As opsctl moved them last.
    pub(super) moved: TaskBounds,
    pub(super) desired: u32,
    pub(super) because: String,
}

impl Back {
    /// What is remembered of a service, or what a run that is taken up has begun to put back; none: there is nothing to put back.
    pub(super) fn of(
        service: &ServiceId,
        account: &AccountId,
        cloud: &Cloud,
        planner: &Planner,
    ) -> Result<Option<Self>, OperationError> {
        let known = BoundsBefore::read(&planner.state, account, &cloud.environment().region)?;
        if let Some(Moved { from, to, desired, run, .. }) = known.of(service).cloned() {
            let because = format!("as before {run}");
            return Ok(Some(Self { bounds: from, moved: to, desired, because }));
        }
        let history = planner.taken_up()?.map(|(_, history)| history);
        Ok(history.as_ref().and_then(|history| Self::begun(service, history)))
    }

    fn begun(service: &ServiceId, history: &History) -> Option<Self> {
        let (moved, bounds) = *history.bounds.get(service)?;
        let desired = history.desired.get(service)?.1;
        Some(Self { bounds, moved, desired, because: "as this run has begun to".to_owned() })
    }
}

/// The bounds that are moved with a change of a count.
pub(super) fn moved(
    bounding: &Bounding,
    change: &Change,
    scaling: Option<&Scaling>,
    history: Option<&(TaskBounds, TaskBounds)>,
) -> Option<MoveBounds> {
    let now = scaling.map_or(UNBOUND, Scaling::bounds);
    // What this run has moved itself is no change of the world.
    let from = history.filter(|(_, to)| *to == now).map_or(now, |(from, _)| *from);
    let (to, why) = match bounding {
        Bounding::Keep => return None,
        Bounding::Move => (from.around(change.to), MoveWhy::ToHold),
        // What somebody else has set since is left; the count alone goes back.
        Bounding::Back(back) if now != back.moved && from != back.moved && now != back.bounds => {
            return Some(MoveBounds { from: now, now, to: now, why: MoveWhy::Back });
        }
        Bounding::Back(back) => (back.bounds, MoveWhy::Back),
    };
    // With a count the bounds are remembered also where they hold it: both are put back together.
    let is_any = from != to || why == MoveWhy::Back || change.from != change.to;
    is_any.then_some(MoveBounds { from, now, to, why })
}

/// What the plan says of a service's autoscaling.
pub(super) fn describe(
    plan: &mut Plan,
    (bounding, direction): (&Bounding, Direction),
    change: &Change,
    scaling: Option<&Scaling>,
) {
    let Change { service, to, bounds, .. } = change;
    let is_remembered = bounds.as_ref().is_some_and(|bounds| bounds.why == MoveWhy::ToHold && bounds.from == bounds.to);
    if is_remembered {
        plan.change(format!("the count of {} is remembered: --restore puts it back", change.from));
    }
    let Some(scaling) = scaling else {
        if *bounding != Bounding::Keep {
            plan.warn(format!("{service} has no autoscaling: there are no bounds to move"));
        }
        return;
    };
    let now = scaling.bounds();
    if let (Bounding::Back(back), Some(MoveBounds { from, to, .. })) = (bounding, bounds)
        && from == to
        && *to != back.bounds
    {
        plan.observe(format!("bounds of {service}"), to);
        plan.warn(format!(
            "{service}: somebody moved the bounds since ({now}; opsctl had set {}): they are left, and only the count is put back",
            back.moved
        ));
    } else if let Some(MoveBounds { from, to, why, .. }) = bounds.as_ref().filter(|_| !is_remembered) {
        plan.fact("autoscaling", format!("{from}, moved to {to}"));
        plan.observe(format!("bounds of {service}"), format!("{from} to {to}"));
        plan.change(match why {
            MoveWhy::ToHold => "the bounds of autoscaling are moved first, and remembered: --restore puts them back",
            MoveWhy::Back => "count, then bounds are put back as they were before opsctl moved the bounds",
        });
        plan.call("application-autoscaling:RegisterScalableTarget", None, 1);
    }
    let held = bounds.as_ref().map_or(now, |bounds| bounds.to);
    if let (Direction::To(_), true) = (direction, held.hold(*to) && held.min < held.max) {
        plan.warn(format!("{service}: autoscaling may change the count again, within {held}{}", suspended(scaling)));
    }
}

fn suspended(scaling: &Scaling) -> &'static str {
    match (scaling.in_suspended, scaling.out_suspended) {
        (true, true) => "; just now scaling in and out are suspended",
        (true, false) => "; just now scaling in is suspended",
        (false, true) => "; just now scaling out is suspended",
        (false, false) => "",
    }
}

/// A count that the bounds do not hold is refused, unless they are moved; to zero a service is put to sleep. Answers whether it is.
pub(super) fn refuse(plan: &mut Plan, change: &Change, scaling: Option<&Scaling>) -> bool {
    let Some(now) = scaling.map(Scaling::bounds) else { return false };
    let Change { service, to, bounds, .. } = change;
    if *to == 0 || now.hold(*to) || bounds.is_some() {
        return false;
    }
    let (what, bound) = if *to > now.max { ("more than", "maximum") } else { ("less than", "minimum") };
    let limit = if *to > now.max { now.max } else { now.min };
    plan.block((
        format!("{service}: {to} is {what} autoscaling's {bound} of {limit}"),
        Try::GiveOther.says(format!("--move-bounds moves it to {to}, and remembers {limit}")),
    ));
    true
}
