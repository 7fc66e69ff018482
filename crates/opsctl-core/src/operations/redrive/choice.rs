//! Who moves the messages, and why.

use super::{
    Redrive,
    foreseen::Foreseen,
    scene::{Pairing, Scene, To},
    sources::Sourceless,
};
use crate::{
    domain::{QueueKind, Text, Try, words::counted},
    operations::{
        plan::{Plan, Remark},
        values::{EngineChoice, Ramp},
    },
};

/// Most messages a second that a move task takes (StartMessageMoveTask, API reference, 2025).
const MANAGED_RATE_MAX: u32 = 500;
/// What a plan's observations call it.
const OBSERVED: &str = "engine";

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Moves {
    Managed,
    Client,
}

impl Moves {
    /// Who moves them by this plan; none: it moves none, or does not say.
    pub fn by(plan: &Plan) -> Option<Self> {
        plan.observed.get(OBSERVED)?.parse().ok()
    }

    pub(super) fn observe(self, plan: &mut Plan) {
        plan.observe(OBSERVED, self.into_str());
    }
}

/// Who moves the messages, why, and what speaks against it.
pub(super) struct Choice {
    pub(super) moves: Moves,
    pub(super) why: Text,
    pub(super) blocker: Option<Remark>,
    pub(super) warning: Option<Remark>,
    pub(super) no_way_back: Option<Text>,
}

/// What asks for the client-side engine, each in a few words; empty when a move task can do it.
fn reasons(redrive: &Redrive, ramp: &Ramp, scene: &Scene) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut add = |asked: bool, reason: &str| {
        if asked {
            reasons.push(reason.to_owned());
        }
    };
    add(redrive.filter.is_some(), "a filter");
    add(redrive.ids.is_some(), "a list of ids");
    add(redrive.edit.is_some(), "an edit");
    add(redrive.limit.is_some(), "a limit");
    add(redrive.park.is_some(), "a parking place");
    add(redrive.mark, "a mark");
    add(ramp.is_ramped(), "a ramp");
    add(redrive.wait_bounce.is_some() || redrive.max_bounce.is_some(), "a bounce guard");
    add(redrive.rate.is_some_and(|rate| rate > MANAGED_RATE_MAX), "a rate above 500 a second");
    add(scene.from.kind == QueueKind::Fifo, "FIFO order");
    add(scene.pairing != Pairing::Policy, "a DLQ that no SQS queue's redrive policy names");
    if let To::One(to) = &scene.to {
        add(to.kind != scene.from.kind, "a destination of the other type");
    }
    if let Err(error) = &scene.tasks {
        let code = error.code.clone().unwrap_or_else(|| "no answer".to_owned());
        reasons.push(format!("move tasks not being available ({code})"));
    }
    reasons
}

/// Why opsctl could not undo it.
fn no_way_back(moves: Moves, redrive: &Redrive) -> Option<&'static str> {
    match moves {
        Moves::Managed => {
            Some("no way back: SQS moves the messages itself, without a snapshot; --engine client keeps one")
        }
        Moves::Client if redrive.no_snapshot => {
            Some("no way back: no snapshot is kept, as --no-snapshot says; leave it out to keep one")
        }
        Moves::Client => None,
    }
}

/// Why they move the messages, as the plan says it.
fn why(chosen: (EngineChoice, Moves), because: &str, undo_messages_max: u64) -> String {
    match chosen {
        (EngineChoice::Client, _) => "client-side, as asked for".to_owned(),
        (EngineChoice::Managed, _) => "SQS move task, as asked for".to_owned(),
        (EngineChoice::Auto, Moves::Client) if because.is_empty() => {
            "client-side: it keeps a snapshot, so that this can be undone".to_owned()
        }
        (EngineChoice::Auto, Moves::Client) => format!("client-side, because of {because}"),
        (EngineChoice::Auto, Moves::Managed) => {
            format!(
                "SQS move task: more than {} are not put into a snapshot unasked",
                counted(undo_messages_max, "message")
            )
        }
    }
}

/// Chooses. `before`: what was chosen for the plan that this one is compared with; `undo_messages_max`: see
/// [`crate::domain::environment::QueueRules`].
pub(super) fn choose(
    redrive: &Redrive,
    ramp: &Ramp,
    scene: &Scene,
    (sourceless, foreseen): (&Sourceless, &Foreseen),
    before: Option<Moves>,
    undo_messages_max: u64,
) -> Choice {
    let mut reasons = reasons(redrive, ramp, scene);
    let asked_for = reasons.join(", ");
    // Without a destination SQS asks each message where it died, and ends the task at the first that does not say.
    let fails_on = redrive.to.is_none().then_some(sourceless);
    let some = |count: usize| count > 0;
    if fails_on.is_some_and(|sourceless| some(sourceless.sampled) || some(sourceless.known) || some(sourceless.foreign))
    {
        reasons.push("messages that a move task has no destination for".to_owned());
    }
    let large = foreseen.too_large();
    if some(large) {
        reasons.push("messages that are larger than their destination takes".to_owned());
    }
    let total = scene.from.counts.total();
    let moves = match (redrive.engine, before) {
        (EngineChoice::Client, _) => Moves::Client,
        (EngineChoice::Managed, _) => Moves::Managed,
        (EngineChoice::Auto, Some(before)) => before,
        (EngineChoice::Auto, None) if !reasons.is_empty() || total <= undo_messages_max => Moves::Client,
        (EngineChoice::Auto, None) => Moves::Managed,
    };
    let because = reasons.join(", ");
    let why = why((redrive.engine, moves), &because, undo_messages_max);
    let is_managed = moves == Moves::Managed;
    let blocker = match fails_on {
        _ if is_managed && !asked_for.is_empty() => Some(Remark::new(
            format!("a move task can't do this ({asked_for})"),
            Try::LeaveOut.says("leave out --engine managed"),
        )),
        Some(sourceless) if is_managed && some(sourceless.sampled + sourceless.foreign) => Some(Remark::new(
            format!(
                "a move task fails at the first message that names no source queue of this DLQ ({} of the sample)",
                sourceless.sampled + sourceless.foreign
            ),
            Try::LeaveOut.says("leave out --engine managed, or give --to"),
        )),
        Some(_) | None if is_managed && some(large) => Some(Remark::new(
            format!(
                "a move task fails at the first message that is larger than its destination takes ({large} of the sample)"
            ),
            Try::LeaveOut.says("leave out --engine managed"),
        )),
        Some(_) | None => None,
    };
    let warning = match fails_on {
        Some(sourceless) if is_managed && blocker.is_none() && some(sourceless.known) => Some(Remark::new(
            "earlier runs put messages into this DLQ that name no source queue, and a move task fails at the first that it meets",
            Try::ClientEngine.says("--engine client sends each to its own source"),
        )),
        Some(_) | None => None,
    };
    Choice { moves, why: Text::line(&why), blocker, warning, no_way_back: no_way_back(moves, redrive).map(Text::from) }
}
