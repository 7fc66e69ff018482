//! Event source mappings, one by one: what enabling or disabling them would change. Unlike a pause, which is for a queue's sake and
//! takes all of its consumers, this is for the mapping's: also for one that is disabled by design until somebody needs it.

use super::{
    Memory, ToToggle, Turn,
    look::{Settled, Shown},
    memory::{Known, as_before},
};
use crate::{
    cloud::Cloud,
    domain::{
        ConsumerId, Mapping, MappingState, QueueArn, Setting, Text, Toggle, Try,
        invocation::option,
        words::{about_messages, counted, some_of},
    },
    journal::{Pause, Paused},
    operations::{
        Bound, OperationError, Planned, Planner,
        plan::Plan,
        resolve::{did_you_mean, queue as queue_of},
    },
};

/// A mapping takes about so long to change its state, seconds; AWS says no figure.
const SWITCH_SECONDS: u64 = 20;
/// Between looks while waiting, seconds.
const LOOK_EVERY_SECONDS: u64 = 2;
const NAMED_MAX: usize = 3;

struct Scene<'a> {
    cloud: &'a Cloud,
    known: Known,
    paused: Paused,
    to: Setting,
}

pub(super) async fn plan(
    given: &[String],
    queue: Option<&str>,
    turn: Turn,
    cloud: &Cloud,
    planner: &Planner,
) -> Result<Planned, OperationError> {
    let queue = match queue {
        Some(name) => Some(queue_of(cloud, name).await?.arn),
        None => None,
    };
    let mappings = meant(given, queue.as_ref(), &cloud.lambda.mappings().await?, cloud)?;
    let caller = cloud.identity.caller().await?;
    let scene = Scene {
        cloud,
        known: Known::read(cloud, planner).await?,
        paused: Paused::read(&planner.state, &caller.account, &cloud.environment().region)?,
        to: Setting::Enabled(turn == Turn::On),
    };
    let mut plan = planner.draft();
    plan.resource = Text::line(&match (given, mappings.as_slice()) {
        // What is typed to agree is a name that means something.
        ([id], [one]) if is_id(id.trim()) => one.function.to_string(),
        ([one], _) => one.trim().to_owned(),
        _ => counted(mappings.len() as u64, "mapping"),
    });
    let verb = if turn == Turn::On { "enable" } else { "disable" };
    let names: Vec<String> = mappings.iter().map(Mapping::function_and_source).collect();
    plan.summary = Text::line(&format!("{verb} {}", some_of(names.iter().map(String::as_str), NAMED_MAX)));
    let mut bound = Vec::new();
    for mapping in &mappings {
        bound.extend(scene.tell(mapping, &mut plan));
        scene.warn(mapping, turn, &mut plan).await;
    }
    plan.empty = bound.is_empty();
    let count = bound.len() as u64;
    plan.messages_estimate = count;
    if count > 0 {
        plan.change(match turn {
            Turn::On => "Lambda calls the function with the messages that wait, and with those that come",
            Turn::Off => "the function gets no more messages once the mapping says Disabled; until then it does",
        });
        plan.call("lambda:UpdateEventSourceMapping", None, count);
        plan.call("lambda:GetEventSourceMapping", None, count * (SWITCH_SECONDS / LOOK_EVERY_SECONDS));
    }
    Ok(Planned { plan, bound: Bound::Toggle(bound) })
}

impl Scene<'_> {
    /// Says how a mapping stands and how it would; none: it is so already.
    fn tell(&self, mapping: &Mapping, plan: &mut Plan) -> Option<ToToggle> {
        let Shown { setting: now, settled } = Shown::of_mapping(mapping.state);
        let toggle = Toggle::Mapping(mapping.id.clone());
        let before = self.known.before(&toggle).cloned();
        let name = mapping.function_and_source();
        let bound = self.known.departs(toggle, name.clone(), now, self.to);
        plan.fact("mapping", format!("{name}, {}", mapping.id));
        plan.observe(
            format!("mapping {}", mapping.id),
            format!("{}, {} to {}", name, bound.from.words(), self.to.words()),
        );
        if settled == Settled::Deleting {
            plan.block(format!("somebody deletes {name}"));
        }
        let why = mapping.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        plan.fact("now", format!("{}{why}", state(mapping.state)));
        if bound.from == self.to {
            plan.warn(format!("nothing to do for {name}: {}", state(mapping.state)));
            return None;
        }
        let after = match (&bound.memory, &before) {
            (Memory::Forget, Some(before)) => as_before(before),
            (Memory::Keep(stood), _) => format!("; {} is remembered, and put back by the opposite", stood.words()),
            (Memory::Forget | Memory::AtAws, _) => String::new(),
        };
        plan.fact("after", format!("{}{after}", self.to.words()));
        Some(bound)
    }

    async fn warn(&self, mapping: &Mapping, turn: Turn, plan: &mut Plan) {
        let name = mapping.function_and_source();
        if let Some(Pause { run, queue, .. }) = self.paused.of(&ConsumerId::Mapping(mapping.id.clone())) {
            let resume =
                self.cloud.environment().command(&format!("consumers resume {}", option("queue", queue.as_str())));
            match (turn, mapping.state.is_on()) {
                (Turn::On, false) => {
                    let paused = format!("{run} has paused {name} for {queue}");
                    plan.block((paused, Try::UseOther.says(format!("`{resume}` ends that pause"))));
                }
                (Turn::Off, false) => {
                    plan.warn(format!("{run} has paused {name} for {queue}, and its resume will enable it again"));
                }
                // Somebody has resumed it already.
                (Turn::On | Turn::Off, true) => {}
            }
        }
        if let (Some(queue), Turn::On) = (&mapping.queue, turn)
            && let Ok(queue) = queue_of(self.cloud, queue.as_str()).await
        {
            plan.fact("waiting", format!("{} in {}", about_messages(queue.counts.visible), queue.name));
        }
    }
}

fn state(state: MappingState) -> &'static str {
    match state {
        MappingState::Disabled => "disabled",
        MappingState::Disabling => "being disabled",
        MappingState::Enabling => "being enabled",
        MappingState::Creating
        | MappingState::Updating
        | MappingState::Deleting
        | MappingState::Enabled
        | MappingState::Other => state.words(),
    }
}

/// Whether it is the UUID of a mapping, not the name of a function.
pub(super) fn is_id(given: &str) -> bool {
    given.len() == 36 && given.chars().all(|one| one.is_ascii_hexdigit() || one == '-')
}

/// The mappings that somebody named, each once.
fn meant(
    given: &[String],
    queue: Option<&QueueArn>,
    all: &[Mapping],
    cloud: &Cloud,
) -> Result<Vec<Mapping>, OperationError> {
    let mut found: Vec<Mapping> = Vec::new();
    for name in given.iter().map(|name| name.trim()) {
        let takes = |mapping: &&Mapping| queue.is_none_or(|queue| queue.as_str() == mapping.source_arn);
        let is_named = |mapping: &&Mapping| {
            let function = mapping.function.as_str();
            mapping.id.as_str() == name || function == name || function.split(':').next() == Some(name)
        };
        let fitting: Vec<&Mapping> = all.iter().filter(is_named).filter(takes).collect();
        match fitting.as_slice() {
            [one] if found.iter().all(|known| known.id != one.id) => found.push((*one).clone()),
            [_] => {}
            [] => return Err(unknown(name, queue, all, cloud)),
            several => {
                let each = several.iter().map(|one| format!("{} takes {}", one.id, one.function_and_source()));
                let what = format!("{name} has {} mappings", several.len());
                let hint = format!("name one by its UUID, or give --queue: {}", each.collect::<Vec<_>>().join("; "));
                return Err(OperationError::usage(&what, Try::NameOne.says(&hint)));
            }
        }
    }
    if found.is_empty() {
        return Err(OperationError::usage(
            "no mapping was named",
            Try::NameIt.says("give its UUID, or the name of its function"),
        ));
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

fn unknown(name: &str, queue: Option<&QueueArn>, all: &[Mapping], cloud: &Cloud) -> OperationError {
    let environment = cloud.environment();
    let of = queue.map(|queue| format!(" that takes from {}", queue.name())).unwrap_or_default();
    let what =
        format!("there is no event source mapping of {name}{of} in {} ({})", environment.name, environment.region);
    let names: Vec<String> = all.iter().map(|mapping| mapping.function.to_string()).collect();
    let hint = did_you_mean(name, &names).filter(|_| queue.is_none());
    OperationError::usage(
        &what,
        Try::NameAnother.says(hint.unwrap_or_else(|| format!("see `{}`", environment.command("consumers")))),
    )
}
