//! Which engine moves the messages, and why.

use super::{
    Redrive,
    scene::{Pairing, Scene, To},
};
use crate::{
    domain::{QueueKind, Text},
    operations::values::{EngineChoice, Ramp},
};

/// Most messages a second that a move task takes (StartMessageMoveTask, API reference, 2025).
const MANAGED_RATE_MAX: u32 = 500;

/// The chosen engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// A move task.
    Managed,
    /// This program.
    Client,
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

/// The engine, and why; or why the one that was asked for can't do it.
pub(super) fn choose(redrive: &Redrive, ramp: &Ramp, scene: &Scene) -> (Engine, Text, Option<Text>) {
    let reasons = reasons(redrive, ramp, scene).join(", ");
    match redrive.engine {
        EngineChoice::Client => (Engine::Client, Text::from("client-side, as asked for"), None),
        EngineChoice::Managed if reasons.is_empty() => {
            (Engine::Managed, Text::from("SQS move task, as asked for"), None)
        }
        EngineChoice::Managed => {
            let blocker = Text::line(&format!("a move task can't do this: {reasons}"));
            (Engine::Managed, Text::from("SQS move task, as asked for"), Some(blocker))
        }
        EngineChoice::Auto if reasons.is_empty() => {
            (Engine::Managed, Text::from("SQS move task: nothing here asks for more than SQS does itself"), None)
        }
        EngineChoice::Auto => (Engine::Client, Text::line(&format!("client-side, because of {reasons}")), None),
    }
}
