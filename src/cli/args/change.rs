//! What every change is asked for: an operation or a run that is taken up, and how it is agreed to. All of it is made from the
//! operations' own list, so that there is nothing here of any single one.

use std::{marker::PhantomData, path::PathBuf};

use clap::{Arg, ArgMatches, Args, FromArgMatches, Subcommand, ValueHint, error::ErrorKind};
use clap_complete::engine::ArgValueCompleter;

use crate::{
    cli::complete,
    domain::RunId,
    operations::{Operation, OperationKind, RESUME, values::Uncertain},
};

/// How a change is agreed to.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Consent")]
pub struct Consent {
    /// Show the plan and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Write the plan to this file, or to standard output as `-`, and stop; `opsctl apply` carries it out, once and within 24 hours
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plan_out: Option<PathBuf>,
    /// Replace the file of --plan-out where it exists
    #[arg(long, requires = "plan_out")]
    pub force: bool,
    /// Say why; it stands in the journal
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Agree to exactly the plan with this fingerprint; an approval is good for one run
    #[arg(long, value_name = "FINGERPRINT", conflicts_with = "yes")]
    pub approve: Option<String>,
    /// Agree without being asked; never enough where names are typed
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// This, planned now.
    Operation(Box<Operation>),
    /// What an earlier run of this kind left.
    Resume(OperationKind, RunId, Uncertain),
    /// A plan in a file.
    Planned {
        file: PathBuf,
        /// Whether an earlier run may have used it.
        again: bool,
    },
}

/// A change, among the commands of `Group`.
#[derive(Debug, Clone)]
pub struct Change<Group = Top> {
    pub wanted: Wanted,
    pub consent: Consent,
    group: PhantomData<Group>,
}

/// Commands under one name: `pause` and `resume` of `consumers`.
pub trait Group {
    /// The first word of the names of its operations, with a blank; empty: they have one word.
    const PREFIX: &'static str;
}

/// Operations whose names are one word.
#[derive(Debug, Clone, Copy)]
pub struct Top;

impl Group for Top {
    const PREFIX: &'static str = "";
}

/// `consumers pause`, `consumers resume`.
#[derive(Debug, Clone, Copy)]
pub struct OfConsumers;

impl Group for OfConsumers {
    const PREFIX: &'static str = "consumers ";
}

/// `alarms mute`, `alarms unmute`.
#[derive(Debug, Clone, Copy)]
pub struct OfAlarms;

impl Group for OfAlarms {
    const PREFIX: &'static str = "alarms ";
}

/// `outbox replay`.
#[derive(Debug, Clone, Copy)]
pub struct OfOutboxes;

impl Group for OfOutboxes {
    const PREFIX: &'static str = "outbox ";
}

/// `rule enable`, `rule disable`.
#[derive(Debug, Clone, Copy)]
pub struct OfRule;

impl Group for OfRule {
    const PREFIX: &'static str = "rule ";
}

/// `concurrency restore`, `concurrency stop`.
#[derive(Debug, Clone, Copy)]
pub struct OfConcurrency;

impl Group for OfConcurrency {
    const PREFIX: &'static str = "concurrency ";
}

/// The operations of a group, each with its name in it.
fn kinds<G: Group>() -> impl Iterator<Item = (&'static str, OperationKind)> {
    let in_group = |kind: &OperationKind| {
        let name = kind.name().strip_prefix(G::PREFIX).filter(|name| !name.contains(' '))?;
        Some((name, *kind))
    };
    OperationKind::ALL.iter().filter_map(in_group)
}

/// The command of an operation: its own arguments, `--resume` instead of them, and consent.
fn command(name: &'static str, kind: OperationKind) -> clap::Command {
    let command = kind.arguments().name(name);
    let ids: Vec<clap::Id> = command.get_arguments().map(|argument| argument.get_id().clone()).collect();
    // What becomes of messages in doubt is decided anew each time.
    let replaced = ids.iter().filter(|id| id.as_str() != "uncertain");
    let resume = Arg::new(RESUME)
        .long(RESUME)
        .value_name("RUN")
        .value_parser(|text: &str| text.parse::<RunId>())
        .help(kind.plain().verb().resume_help())
        .conflicts_with_all(replaced);
    let about = command.get_about().cloned().unwrap_or_default();
    Consent::augment_args(command.arg(resume)).about(about).mut_args(completed)
}

/// Names of things are completed, by what an argument takes.
fn completed(argument: Arg) -> Arg {
    let takes = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default();
    match takes.split('|').next().unwrap_or_default() {
        "QUEUE" => argument.add(ArgValueCompleter::new(complete::queues)),
        "SERVICE" => argument.add(ArgValueCompleter::new(complete::services)),
        "DATABASE" => argument.add(ArgValueCompleter::new(complete::databases)),
        "OUTBOX" => argument.add(ArgValueCompleter::new(complete::outboxes)),
        "RULE" => argument.add(ArgValueCompleter::new(complete::rules)),
        "FUNCTION" => argument.add(ArgValueCompleter::new(complete::functions)),
        "RUN" => argument.add(ArgValueCompleter::new(complete::runs)),
        _ => argument,
    }
}

impl<G: Group> Subcommand for Change<G> {
    fn augment_subcommands(parent: clap::Command) -> clap::Command {
        kinds::<G>().fold(parent, |parent, (name, kind)| parent.subcommand(command(name, kind)))
    }

    fn augment_subcommands_for_update(parent: clap::Command) -> clap::Command {
        Self::augment_subcommands(parent)
    }

    fn has_subcommand(name: &str) -> bool {
        kinds::<G>().any(|(known, _)| known == name)
    }
}

impl<G: Group> FromArgMatches for Change<G> {
    fn from_arg_matches(parent: &ArgMatches) -> Result<Self, clap::Error> {
        let given = parent.subcommand().and_then(|(name, matches)| {
            kinds::<G>().find(|(known, _)| *known == name).map(|(_, kind)| (kind, matches))
        });
        let (kind, matches) = given.ok_or_else(|| clap::Error::new(ErrorKind::InvalidSubcommand))?;
        let wanted = match matches.get_one::<RunId>(RESUME) {
            Some(run) => {
                let uncertain = matches.try_get_one::<Uncertain>("uncertain").ok().flatten().copied();
                Wanted::Resume(kind, run.clone(), uncertain.unwrap_or_default())
            }
            None => Wanted::Operation(Box::new(kind.operation(matches)?)),
        };
        Ok(Self { wanted, consent: Consent::from_arg_matches(matches)?, group: PhantomData })
    }

    fn update_from_arg_matches(&mut self, parent: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(parent)?;
        Ok(())
    }
}
