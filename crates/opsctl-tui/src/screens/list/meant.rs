//! [`Meant`]: what a command would do with things of a list. All of it goes through the flow of plan and consent; here it is only said
//! what, and where.

use crate::{
    domain::{EnvironmentName, QueueName},
    operations::Operation,
    screens::screen::{Able, able_to_change},
    state::model::Site,
};

/// What a command would do.
#[derive(Debug, Clone, PartialEq)]
pub enum Meant {
    Plan(EnvironmentName, Box<Operation>),
    /// Ask first how it is to be done.
    Fill(EnvironmentName, Box<Operation>),
    /// Plan the redrive of a whole queue, with what was edited of it.
    Redrive(EnvironmentName, QueueName),
    /// Find by name which of several is meant.
    Find(String),
}

impl Meant {
    pub(crate) fn plan(site: &Site, operation: Operation) -> Self {
        Self::Plan(site.environment.name.clone(), Box::new(operation))
    }
}

/// Whether something may change there at all.
pub(crate) fn changes(site: &Site) -> Result<(), Able> {
    match able_to_change(&site.environment) {
        Able::Yes => Ok(()),
        able => Err(able),
    }
}
