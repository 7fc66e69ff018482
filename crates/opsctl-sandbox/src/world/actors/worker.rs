//! What a consumer is in AWS: a program that nobody sees, the tasks of an ECS service, or a function's mapping; and what it needs.

use jiff::Timestamp;

use super::Behaviour;
use crate::world::{World, strain::Hands, template::Place};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consumer {
    pub behaviour: Behaviour,
    pub rate_per_second: f64,
    pub worker: Worker,
    /// The database without which all its work fails.
    pub database: Option<String>,
    /// How many messages it has in hand at once; none: each is done as it comes.
    pub hands: Option<Hands>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Worker {
    /// A program outside of AWS: always there.
    #[default]
    Unseen,
    /// An event source mapping, by UUID.
    Mapping(String),
    Service {
        cluster: String,
        name: String,
    },
    /// A function that a rule of EventBridge calls.
    Schedule {
        rule: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    Nothing,
    Well,
    Failed,
}

impl Came {
    /// As an event source mapping tells it (API reference and developer guide; of streams).
    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "No records processed",
            Self::Well => "OK",
            Self::Failed => "PROBLEM: Function call failed",
        }
    }
}

impl Worker {
    pub(in crate::world) fn takes(&self, world: &mut World, at: Timestamp, place: &Place) -> bool {
        let Place { account, region, .. } = place;
        match self {
            Self::Unseen => true,
            Self::Mapping(id) => {
                world.lambda.advance(at.as_millisecond());
                world.lambda.takes(account, region, id)
            }
            Self::Service { cluster, name } => {
                world.advance_ecs(at.as_millisecond());
                world.ecs.running(account, region, cluster, name) > 0
            }
            Self::Schedule { rule } => world.fire(at, place, rule),
        }
    }

    pub(super) fn note(&self, world: &mut World, place: &Place, came: Came) {
        match self {
            Self::Unseen | Self::Service { .. } | Self::Schedule { .. } => {}
            Self::Mapping(id) => world.lambda.note_result(&place.account, &place.region, id, came.words()),
        }
    }

    /// Calls of its function that were throttled, with so many messages.
    pub(super) fn note_throttles(&self, world: &mut World, place: &Place, at: Timestamp, messages: usize) {
        match self {
            Self::Unseen | Self::Service { .. } | Self::Schedule { .. } => {}
            Self::Mapping(id) => {
                let Some((function, batch)) = world.lambda.function_of(&place.account, &place.region, id) else {
                    return;
                };
                for _ in 0..messages.div_ceil(batch as usize) {
                    world.count_metric(at, place, ("AWS/Lambda", "Throttles"), ("FunctionName", &function), 1.0);
                }
            }
        }
    }

    /// How a run of a function on a schedule ended.
    pub(in crate::world) fn note_run(&self, world: &mut World, place: &Place, at: Timestamp, is_done: bool) {
        match self {
            Self::Unseen | Self::Service { .. } | Self::Mapping(_) => {}
            Self::Schedule { rule } => {
                for function in world.functions_of(place, rule) {
                    let errors = if is_done { 0.0 } else { 1.0 };
                    world.count_metric(at, place, ("AWS/Lambda", "Errors"), ("FunctionName", &function), errors);
                }
            }
        }
    }
}
