//! What waking or putting to sleep would change.

use std::collections::BTreeMap;

use super::{
    Asking, Change, Direction, Set, ToScale,
    bounds::{self, Bounding},
    members::{self, Members},
};
use crate::{
    cloud::{Cloud, ecs::Found},
    domain::{Protection, Scaling, Service, ServiceId, Standing, Text, Try, words::counted},
    journal::{History, Sizes},
    operations::{Bound, OperationError, Planned, Planner, plan::Plan},
};

/// Services asked about in one look (`DescribeServices`), and looks a minute while waiting.
const LOOK_EVERY_SECONDS: u64 = 2;

/// Looks at each target group: health checks take about half a minute from the first task on.
const TARGET_LOOKS: u64 = 30 / LOOK_EVERY_SECONDS;

/// Services named in one line of a plan: a line has its bound, and everything in it must be seen before it is agreed to.
const SERVICES_OF_A_FACT: usize = 20;

/// A change with the reason of its size.
struct Sized<'a> {
    service: &'a Service,
    change: Change,
    because: String,
}

pub(super) async fn plan(asked: Asking<'_>, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let environment = cloud.environment();
    let caller = cloud.identity.caller().await?;
    let (services, scaling) = tokio::join!(cloud.ecs.all(), cloud.autoscaling.services());
    let Found { found: services, missing } = services?;
    let mut members = members::choose(&asked, environment, &services)?;
    let mut plan = planner.draft();
    leave_out(&mut plan, &asked, &mut members);
    for missing in &missing {
        plan.warn(format!("{} is not seen, and is left out: {}", missing.what, missing.reason));
    }
    let sizes = match Sizes::read(&planner.state, &caller.account, &environment.region) {
        // Without it nothing may sleep, for it would be written over; waking goes on by what else says how large.
        Err(error) if !asked.direction.is_to_zero() => {
            plan.warn(format!("sizes from before are not known: {error}"));
            Sizes::default()
        }
        sizes => sizes?,
    };
    let history = planner.taken_up()?.map(|(_, history)| history).unwrap_or_default();
    let known = Known { sizes, scaling: scaling.as_ref().ok(), history, defaults: &members.sizes };
    if let Err(error) = &scaling {
        plan.warn(format!("autoscaling is not known, so neither are its minimums: {error}"));
    }
    let stages =
        members.stages.iter().map(|stage| stage.iter().filter_map(|service| known.change(&asked, service)).collect());
    let mut stages: Vec<Vec<Sized>> = stages.collect();
    if !stages.iter().flatten().any(Sized::is_set) {
        stages.clear();
    }
    stages.retain(|stage| !stage.is_empty());
    if asked.direction == Direction::Sleep {
        // Who calls goes before who is called.
        stages.reverse();
    }
    describe(&mut plan, &asked, &members, &stages, &known);
    if let Direction::To(_) = asked.direction {
        under_way(&mut plan, &stages, &known, cloud).await;
    }
    refuse(&mut plan, &asked, &members, environment.protection);
    let stages = stages.into_iter().map(|stage| stage.into_iter().map(|sized| sized.change).collect()).collect();
    let scale = ToScale { direction: asked.direction, stages, set: Set::WhereOther, timeout: asked.timeout };
    Ok(Planned { plan, bound: Bound::Scale(scale) })
}

/// Services whose desired count ECS would refuse are left out, before anything is set; where nothing else was named, that is a refusal.
fn leave_out(plan: &mut Plan, asked: &Asking<'_>, members: &mut Members<'_>) {
    let mut left = Vec::new();
    for stage in &mut members.stages {
        stage.retain(|service| {
            let refused = service.refuses_count();
            left.extend(refused.iter().map(|because| (service.id.clone(), because.clone())));
            refused.is_none()
        });
    }
    members.stages.retain(|stage| !stage.is_empty());
    let is_all = members.stages.is_empty() && asked.group.is_none();
    for (service, because) in left {
        if is_all {
            plan.block(format!("{service}: {because}"));
        } else {
            plan.warn(format!("{service} is left out: {because}"));
        }
    }
}

/// Where count and bounds are to be put back, and opsctl remembers none.
pub(super) fn nothing_remembered(service: &Service, planner: &Planner) -> Planned {
    let mut plan = planner.draft();
    let (id, desired) = (&service.id, service.desired);
    plan.resource = Text::line(&id.to_string());
    plan.summary = Text::line(&format!("put {id} back as it was"));
    plan.empty = true;
    plan.fact("left as is", format!("{id} ({} of {desired} run)", service.running));
    plan.warn(format!(
        "nothing to do: opsctl remembers no count of {id}: no `--move-bounds` has changed it, or it is put back already"
    ));
    plan.observe(format!("service {id}"), format!("desired {desired}"));
    let direction = super::Direction::To(desired);
    let scale = ToScale { direction, stages: Vec::new(), set: Set::WhereOther, timeout: super::TIMEOUT };
    Planned { plan, bound: Bound::Scale(scale) }
}

/// What says how large a service is to be.
struct Known<'a> {
    sizes: Sizes,
    scaling: Option<&'a BTreeMap<ServiceId, Scaling>>,
    /// What the run has set, or was about to.
    history: History,
    defaults: &'a BTreeMap<ServiceId, u32>,
}

impl Sized<'_> {
    /// Whether its count is set; else it is only waited for.
    fn is_set(&self) -> bool {
        self.change.from != self.change.to || self.change.bounds.is_some()
    }
}

impl Known<'_> {
    /// None: there is nothing to change.
    fn change<'a>(&self, asked: &Asking<'_>, service: &'a Service) -> Option<Sized<'a>> {
        let (now, direction) = (service.desired, asked.direction);
        // What this run has set itself is no change of the world.
        let earlier = self.history.desired.get(&service.id).filter(|(_, to)| *to == now);
        let from = earlier.map_or(now, |(from, _)| *from);
        let bounds = |to: u32| {
            let change = Change::count(service.id.clone(), from, now, to);
            let moved = self.history.bounds.get(&service.id);
            bounds::moved(asked.bounding, &change, self.scaling(&service.id), moved)
        };
        let (to, because) = match (direction, earlier) {
            (Direction::Deploy, _) => return None,
            (Direction::To(to), _) if matches!(asked.bounding, Bounding::Back(_)) => (to, "remembered".to_owned()),
            (Direction::Wake, _) if from != 0 && service.standing() == Standing::Steady => return None,
            // Those of later stages call it: they must not be up before it is.
            (Direction::Wake, _) if from != 0 => (from, "up already, and waited for".to_owned()),
            (Direction::Sleep, _) if from == 0 => return None,
            (Direction::Sleep, _) => (0, "remembered".to_owned()),
            (Direction::Wake, Some((_, to))) => (*to, "as this run has set it".to_owned()),
            (Direction::Wake, None) => self.size(&service.id),
            (Direction::To(to), _) if from == to && service.standing() == Standing::Steady && bounds(to).is_none() => {
                return None;
            }
            (Direction::To(to), _) if from == to => (to, "set already, and waited for".to_owned()),
            (Direction::To(0), _) => (0, "remembered".to_owned()),
            (Direction::To(to), _) => (to, "as asked for".to_owned()),
        };
        let change = Change { bounds: bounds(to), ..Change::count(service.id.clone(), from, now, to) };
        Some(Sized { service, change, because })
    }

    fn size(&self, service: &ServiceId) -> (u32, String) {
        if let Some(size) = self.sizes.of(service).filter(|size| size.desired > 0) {
            return (size.desired, format!("as before {} put it to sleep", size.run));
        }
        let min = self.scaling(service).map(|scaling| scaling.min).filter(|min| *min > 0);
        match min {
            Some(min) => (min, "autoscaling minimum".to_owned()),
            None => (self.defaults.get(service).copied().unwrap_or(1).max(1), "configured size".to_owned()),
        }
    }

    fn scaling(&self, service: &ServiceId) -> Option<&Scaling> {
        self.scaling?.get(service)
    }
}

fn describe(plan: &mut Plan, asked: &Asking<'_>, members: &Members<'_>, stages: &[Vec<Sized<'_>>], known: &Known<'_>) {
    let count = stages.iter().flatten().filter(|sized| sized.is_set()).count() as u64;
    let names = asked.services.join(" ");
    plan.resource = Text::line(asked.group.unwrap_or(&names));
    let services = counted(count, "service");
    plan.summary = Text::line(&match asked.direction {
        Direction::Wake => format!("wake {services} of {}", plan.resource),
        Direction::Sleep => format!("put to sleep {services} of {}", plan.resource),
        Direction::To(to) if matches!(asked.bounding, Bounding::Back(_)) => {
            format!("put {} back to {} and its bounds as they were", plan.resource, counted(to.into(), "task"))
        }
        Direction::To(to) => format!("scale {} to {}", plan.resource, counted(to.into(), "task")),
        Direction::Deploy => format!("deploy {}", plan.resource),
    });
    plan.empty = count == 0;
    for (number, stage) in (1..).zip(stages) {
        let words = |Sized { change: Change { service, from, to, .. }, because, .. }: &Sized| match from == to {
            true => format!("{service} {to} ({because})"),
            false => format!("{service} {from} to {to} ({because})"),
        };
        for some in stage.chunks(SERVICES_OF_A_FACT) {
            plan.fact(&format!("stage {number}"), some.iter().map(words).collect::<Vec<_>>().join(", "));
        }
        for sized in stage {
            let Change { service, from, to, .. } = &sized.change;
            let value = format!("stage {number}, desired {from} to {to}, {}", sized.service.task_definition.0);
            plan.observe(format!("service {service}"), value);
            let scaling = known.scaling(service);
            surroundings(plan, sized.service, *to);
            bounds::describe(plan, (asked.bounding, asked.direction), &sized.change, scaling);
            let is_refused =
                matches!(asked.direction, Direction::To(_)) && bounds::refuse(plan, &sized.change, scaling);
            if !is_refused && sized.change.bounds.as_ref().is_none_or(|bounds| !bounds.to.hold(sized.change.to)) {
                warn_of_scaling(plan, sized, known);
            }
        }
    }
    let all = members.stages.iter().flatten();
    let changes = |id: &ServiceId| stages.iter().flatten().any(|sized| sized.change.service == *id);
    let left: Vec<String> = all
        .filter(|service| !changes(&service.id))
        .map(|service| format!("{} ({} of {} run)", service.id, service.running, service.desired))
        .collect();
    if !left.is_empty() {
        plan.fact("left as is", left.join(", "));
    }
    if asked.direction == Direction::Sleep && asked.group.is_some() && !members.always_on.is_empty() {
        let names: Vec<String> = members.always_on.iter().map(|service| service.id.to_string()).collect();
        plan.fact("always on", names.join(", "));
    }
    plan.change("desired counts are set; no deployment is made, no task definition changes");
    for pattern in &members.unmatched {
        plan.warn(format!("no service fits the group's {pattern}"));
    }
    for group in members.groups.iter().filter(|_| asked.direction == Direction::Wake) {
        let better = format!("services that call one another are better woken by --group {group}");
        plan.warn(format!("it is in the group {group}: {better}"));
    }
    let looks = stages.len() as u64 * 60 / LOOK_EVERY_SECONDS;
    let target_groups = match asked.direction.is_to_zero() {
        false => stages.iter().flatten().map(|sized| sized.service.target_groups.len() as u64).sum(),
        true => 0,
    };
    plan.call("ecs:UpdateService", None, count);
    plan.call("ecs:DescribeServices", None, looks * count.div_ceil(10));
    if target_groups > 0 {
        plan.call("elasticloadbalancing:DescribeTargetHealth", None, TARGET_LOOKS * target_groups);
    }
    plan.messages_estimate = count;
}

/// On what the tasks run, and who else deploys the service, as far as that is not what everybody expects.
fn surroundings(plan: &mut Plan, service: &Service, to: u32) {
    let id = &service.id;
    if let Some(words) = service.placement.words().filter(|words| words != "FARGATE") {
        plan.fact("runs on", format!("{id}: {words}"));
    }
    if let Some(what) = service.placement.may_wait_for().filter(|_| to > service.running) {
        plan.warn(format!("{id}: new tasks may wait for {what}"));
    }
    if let Some(controller) = &service.replacing.controller {
        plan.fact("deployed by", format!("{id}: {controller}, which keeps the desired count that is set here"));
    }
}

/// What autoscaling does just now to a service whose count is set.
async fn under_way(plan: &mut Plan, stages: &[Vec<Sized<'_>>], known: &Known<'_>, cloud: &Cloud) {
    for Sized { change: Change { service, .. }, .. } in stages.iter().flatten() {
        if known.scaling(service).is_none() {
            continue;
        }
        match cloud.autoscaling.under_way(service).await {
            Ok(activities) => {
                for activity in activities {
                    plan.warn(format!("{service}: autoscaling is at work: {activity}"));
                }
            }
            Err(error) => plan.warn(format!("{service}: whether autoscaling is at work is not known: {error}")),
        }
    }
}

fn warn_of_scaling(plan: &mut Plan, sized: &Sized<'_>, known: &Known<'_>) {
    let Change { service, to, .. } = &sized.change;
    let Some(scaling) = known.scaling(service) else { return };
    let (min, max) = (scaling.min, scaling.max);
    plan.warn(match *to {
        0 if min > 0 => format!("{service}: autoscaling's minimum is {min}; its next scale-out may wake it"),
        to if to > 0 && max == 0 => format!("{service}: autoscaling's maximum is 0; it may put it back to sleep"),
        to if to > max => format!("{service}: {to} is more than autoscaling's maximum of {max}"),
        to if to > 0 && to < min => format!("{service}: {to} is less than autoscaling's minimum of {min}"),
        _ => return,
    });
}

fn refuse(plan: &mut Plan, asked: &Asking<'_>, members: &Members<'_>, protection: Protection) {
    if !asked.direction.is_to_zero() {
        return;
    }
    if asked.group.is_none() {
        for service in &members.always_on {
            plan.block(format!("{} is always on", service.id));
        }
    }
    if protection == Protection::TypeName && !members.sleep_allowed {
        plan.block((
            "names are typed here, and no group that may sleep has these services",
            Try::Configure.says("give a group that has them `sleep_allowed = true` in opsctl.toml"),
        ));
    }
}
