//! `opsctl outbox`.

mod detect;
mod list;
mod show;

use crate::cli::{
    args::{Global, Outbox},
    error::CliError,
    exit::Exit,
    output::Output,
};

pub(super) async fn run(args: &Outbox, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    match args {
        Outbox::List(args) => list::run(args, global, out).await,
        Outbox::Detect(args) => detect::run(args, global, out).await,
        Outbox::Show(args) => show::run(args, global, out).await,
    }
}
