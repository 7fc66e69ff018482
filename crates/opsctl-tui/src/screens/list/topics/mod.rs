//! The lists: each topic's columns, and what is said of one of its things.

pub mod alarms;
pub mod consumers;
pub mod databases;
pub mod figures;
pub mod queue_sheet;
pub mod queues;
pub mod scaling;
pub mod services;

use super::listed::Listed;
use crate::state::list::Topic;

impl Topic {
    /// Its list: the one place that knows them all.
    pub fn list(self) -> &'static dyn Listed {
        match self {
            Self::Queues => &queues::LIST,
            Self::Services => &services::LIST,
            Self::Databases => &databases::LIST,
            Self::Alarms => &alarms::LIST,
            Self::Consumers => &consumers::LIST,
        }
    }
}
