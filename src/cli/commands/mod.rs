//! One file per command.

mod alarms;
mod change;
mod config;
mod console;
mod consumers;
mod database_details;
mod databases;
mod demo;
mod doctor;
mod drill;
mod init;
mod keys;
mod look;
mod outbox;
mod peek;
mod queues;
mod reference;
mod runbook;
mod runs;
mod sandbox;
mod services;
mod status;
mod stop;

pub(super) use self::console::is_possible as console_is_possible;
use super::{
    args::{Alarms, AlarmsCommand, Change, Cli, Command, Consumers, ConsumersCommand, Global, Wanted},
    error::CliError,
    exit::Exit,
    output::Output,
};

pub async fn run(cli: Cli, out: &mut Output) -> Result<Exit, CliError> {
    let global = &cli.global;
    let Some(command) = cli.command else { return console::run(global, &cli.console, out).await };
    match command {
        Command::Demo => demo::run(global, &cli.console, out).await,
        Command::Status(args) => status::run(&args, global, out).await,
        Command::Queues(args) => queues::run(&args, global, out).await,
        Command::Services(args) => services::run(&args, global, out).await,
        Command::Tasks(args) => services::tasks(&args, global, out).await,
        Command::Alarms(args) => alarms(args, global, out).await,
        Command::Databases(args) => databases::run(&args, global, out).await,
        Command::Config(args) => config::run(&args, global, out),
        Command::Init(args) => init::run(&args, global, out).await,
        Command::Doctor => doctor::run(global, out).await,
        Command::Sandbox(args) => sandbox::run(&args, out).await,
        Command::Filter { filter } => reference::filter(filter.as_deref(), out),
        Command::Completions { shell } => reference::completions(shell, out),
        Command::Keys(args) => keys::run(args, global, out),
        Command::Man { folder } => reference::man(&folder, out),
        Command::Docs => reference::docs(out),
        Command::Peek(args) => peek::peek(&args, global, out).await,
        Command::Groups(args) => peek::groups(&args, global, out).await,
        Command::Change(Change { wanted, consent, .. }) => change::run(wanted, &consent, global, out).await,
        Command::Rule(Change { wanted, consent, .. }) => change::run(wanted, &consent, global, out).await,
        Command::Concurrency(Change { wanted, consent, .. }) => change::run(wanted, &consent, global, out).await,
        Command::Consumers(args) => consumers(args, global, out).await,
        Command::Outbox(args) => outbox::run(&args, global, out).await,
        Command::Runbook(args) => runbook::run(args, global, out).await,
        Command::Drill(args) => drill::run(args, global, &cli.console, out).await,
        Command::Apply(args) => {
            let wanted = Wanted::Planned { file: args.plan, again: args.again };
            change::run(wanted, &args.consent, global, out).await
        }
        Command::Runs => runs::list(global, out).await,
        Command::Journal(args) => runs::journal(&args, global, out).await,
    }
}

async fn alarms(args: Alarms, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    match args.command {
        None => alarms::run(&args.list, global, out).await,
        Some(AlarmsCommand::List(list)) => alarms::run(&list, global, out).await,
        Some(AlarmsCommand::Change(Change { wanted, consent, .. })) => change::run(wanted, &consent, global, out).await,
    }
}

async fn consumers(args: Consumers, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    match args.command {
        None => consumers::list(&args.list, global, out).await,
        Some(ConsumersCommand::List(list)) => consumers::list(&list, global, out).await,
        Some(ConsumersCommand::Change(Change { wanted, consent, .. })) => {
            change::run(wanted, &consent, global, out).await
        }
    }
}
