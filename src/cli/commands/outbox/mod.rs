//! `opsctl outbox`.

mod detect;
mod list;
mod show;

use super::change;
use crate::cli::{
    args::{Change, Global, Outbox},
    error::CliError,
    exit::Exit,
    output::Output,
};

pub(super) async fn run(args: &Outbox, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    match args {
        Outbox::List(args) => list::run(args, global, out).await,
        Outbox::Detect(args) => detect::run(args, global, out).await,
        Outbox::Show(args) => show::run(args, global, out).await,
        Outbox::Change(Change { wanted, consent, .. }) => change::run(wanted.clone(), consent, global, out).await,
    }
}
