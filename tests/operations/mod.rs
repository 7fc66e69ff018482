//! Operations on the sandbox, through the same plan, gate and run as in the program.

mod account;
mod asked;
mod bounds;
mod consumers;
mod edits;
pub(crate) mod failover;
mod fidelity;
mod fifo_ids;
mod gate;
pub(crate) mod guard;
mod leads_on;
mod looks;
mod managed;
pub(crate) mod migrate;
mod mixed;
mod once;
mod parking;
mod placement;
mod plans;
mod proof;
mod restart;
mod restore;
mod rollback;
mod scale;
mod selection;
pub(crate) mod services;
mod settings;
mod sources;
mod targets;
mod throttled;
mod undoable;

use opsctl::operations::{Operation, Redrive};

use crate::support::stage::QueueSetup;

/// `orders` with its DLQ, in which so many messages lie.
pub(crate) fn orders(messages: usize) -> Vec<QueueSetup> {
    let orders = QueueSetup {
        name: "orders".to_owned(),
        dead_letter: Some(("orders-dlq".to_owned(), 3)),
        ..QueueSetup::default()
    };
    let dead = QueueSetup {
        name: "orders-dlq".to_owned(),
        died_in: Some("orders".to_owned()),
        messages,
        ..QueueSetup::default()
    };
    vec![orders, dead]
}

fn redrive(change: impl FnOnce(&mut Redrive)) -> Operation {
    let mut redrive = Redrive { queue: "orders-dlq".to_owned(), ..Redrive::default() };
    change(&mut redrive);
    Operation::Redrive(redrive)
}
