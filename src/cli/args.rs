//! The command line as typed.

mod alarms;
mod change;
mod consumers;
mod databases;
mod drill;
mod outbox;
mod runbook;
mod services;
mod status;

use std::path::PathBuf;

use clap::{
    Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint,
};
use clap_complete::engine::ArgValueCompleter;

pub use alarms::{Alarms, AlarmsCommand, ListAlarms};
pub use change::{Change, Consent, OfAlarms, OfConcurrency, OfConsumers, OfOutboxes, OfRule, Top, Wanted};
pub use consumers::{Consumers, ConsumersCommand, ListConsumers};
pub use databases::Databases;
pub use drill::{
    CheckDrill, ControlDrill, Drill, DrillOrder, ListDrills, NewDrill, ReportDrill, ReportForm, RunDrill, ShowDrill,
    TestDrill,
};
pub use outbox::{DetectOutboxes, ListOutboxes, Outbox, ShowOutbox};
pub use runbook::{
    CheckRunbook, ExportRunbook, ListRunbooks, NewRunbook, ResumeRunbook, RunRunbook, Runbook, Said, ShowRunbook,
    TestRunbook,
};
pub use services::{Services, Tasks};
pub use status::Status;

use super::{complete, exit::Exit, world::Inside};
use crate::{
    config::Places,
    domain::{Invocation, RunId, invocation::option},
    keymap::Base,
};

/// See what is wrong in every AWS account, and every way out of it.
#[derive(Debug, Clone, Parser)]
#[command(name = "opsctl", version, about, max_term_width = 110)]
pub struct Cli {
    /// What to do; nothing: open the console.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// For every command.
    #[command(flatten)]
    pub global: Global,
    /// How the console looks.
    #[command(flatten)]
    pub console: Console,
}

impl Cli {
    /// What was typed, as [`command`] took it. Environments named before a command and after it add up: none of them is passed over.
    ///
    /// # Errors
    /// It is no line of this program.
    pub fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Self::from_arg_matches(matches)?;
        let named = &mut cli.global.environments;
        let mut level = Some(matches);
        while let Some(matches) = level {
            for name in matches.get_many::<String>(ENVIRONMENT).into_iter().flatten() {
                if !named.contains(name) {
                    named.push(name.clone());
                }
            }
            level = matches.subcommand().map(|(_, inner)| inner);
        }
        Ok(cli)
    }

    /// Whether this opens the console: then the terminal is the screen, and nothing else may be written to it.
    pub fn opens_console(&self) -> bool {
        let opens = match &self.command {
            None | Some(Command::Demo) => true,
            Some(Command::Drill(Drill::Run(args))) => !args.serve,
            Some(_) => false,
        };
        opens && super::commands::console_is_possible()
    }
}

/// Options of the console.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Console")]
pub struct Console {
    /// Use these colours: dark, light, colour-blind or none; NO_COLOR is obeyed
    #[arg(long, global = true, value_enum, env = "OPSCTL_THEME", value_name = "THEME", hide_possible_values = true)]
    pub theme: Option<crate::tui::state::look::Theme>,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Read this configuration instead of looking for opsctl.toml
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The environments that `--env` named, each once, in the order typed; none: all.
    #[arg(skip)]
    pub environments: Vec<String>,
    /// Use the simulated AWS: a running `opsctl sandbox serve`, else a fresh one for this command
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Print data in this form: human, json, or jsonl (a document a line, as soon as it is known)
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM", hide_possible_values = true)]
    pub output: Format,
    /// Use colours: auto, always or never; NO_COLOR is obeyed
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true, value_name = "WHEN")]
    pub color: Color,
    /// Say more, twice for yet more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// The drill whose sandbox this process holds: its commands act there, and nowhere else.
    #[arg(skip)]
    pub inside: Option<Inside>,
}

impl Global {
    /// How a command line comes to the same world again.
    pub fn invocation(&self) -> Invocation {
        match self.sandbox {
            true => Invocation::Sandbox,
            false => Places::of_process(self.config.clone()).invocation(),
        }
    }

    /// The command line `opsctl <words>` for the same world, and the same environments if any were named.
    pub fn command(&self, words: &str) -> String {
        let named = self.environments.iter().map(|name| option("env", name));
        self.invocation().command(&std::iter::once(words.to_owned()).chain(named).collect::<Vec<_>>().join(" "))
    }
}

/// Form of the data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON document
    Json,
    /// One JSON document a line, as soon as it is known
    Jsonl,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What one look can tell, as `opsctl help status` explains it.
pub const STATUS_HELP: &str = r#"Show what needs attention in every environment, worst first, with the command that helps

It is what the console's Home shows, without what was acknowledged there. It ends with 0
where nothing needs attention, with 6 where something is critical or a warning, and with 1
where not all could be looked at. Notices, such as what the credentials may not see, are
shown; they count with --strict only.

One look costs no receive and connects to no database that has paused. Metrics are asked
for within `dollars_per_hour_max` of [watch], as in the console.

What takes time to see, one look cannot tell by itself: that a queue grows, that nobody
takes its messages, that a service has lacked tasks for a while, that a group falls behind
in Kafka. For queues, what the console or an earlier status saw on this machine in the last
minutes is taken into account. --watch sees all of it after a while."#;

/// The filter language, as `opsctl help filter` explains it.
pub const FILTER_HELP: &str = r#"Check a filter, the jq that --where takes

A filter is a jq expression. It sees one object for each message, and a message is
chosen if it yields anything but false, null or nothing.

  .body           body, parsed where it is JSON, else its text
  .text           body as text
  .attributes     name to text, number, or base64 of binary data
  .age            seconds since it was first sent
  .receive_count  how often it was received
  .group          message group
  .source         name of the queue that it died in
  .sent_at        when it was first sent, RFC 3339
  .size           bytes, as SQS counts them
  .id             message id
  .type           type of the event or job, as failure groups show it
  .error          text of the error that the message failed with
  .code           code of that error, as text
  .content        what the body's envelopes hold, decoded; the body where there are none
  .envelopes      names of those, from the outside in: ["SNS", "EventBridge"]

Examples:
  '.body.code == "TIMEOUT"'
  '.text | test("timeout"; "i")'
  '.age > 3600 and .attributes.tenant == "acme"'
  '.body.items[]? | .price > 100'
  '.type == "order.created" and (.error // "" | test("timeout"; "i"))'
  '.body | decode | .Message.orderId == 7'

`decode` opens what is encoded in a value's texts: JSON in a string, base64, gzip and zlib.
The rest is jq 1.7; a word of it that is missing is refused with what to use instead.

A filter that fails on a message (a field of a body that is plain text, say) does not choose
it, and it is said why; write .body.code? to let it pass silently. A filter that takes longer
than a second on one message is stopped. A filter sees the message and nothing else: env,
input, now and the like are refused."#;

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Open the console on a simulated fleet that lives; without a terminal, print its state and what to try
    Demo,
    /// Show what needs attention in every environment, worst first, with the command that helps
    #[command(long_about = STATUS_HELP, verbatim_doc_comment)]
    Status(Status),
    /// List the queues of every environment, full dead-letter queues first
    Queues(Queues),
    /// List the services of every environment, those in trouble first
    Services(Services),
    /// List a service's tasks, running and stopped, those that failed first
    Tasks(Tasks),
    /// Look at some messages of a queue and put them back at once
    Peek(Peek),
    /// Group a dead-letter queue's messages by how they failed
    Groups(Groups),
    /// List the databases of every environment, those that need somebody first
    Databases(Databases),
    /// List the CloudWatch alarms of every environment, those that went off first
    Alarms(Alarms),
    #[command(flatten)]
    Change(Change<Top>),
    /// List who takes messages of which queue; pause and resume them
    Consumers(Consumers),
    /// Enable or disable an EventBridge rule
    #[command(subcommand)]
    Rule(Change<OfRule>),
    /// Stop a Lambda function by its reserved concurrency, or let it run again
    #[command(subcommand)]
    Concurrency(Change<OfConcurrency>),
    /// Look at transactional outboxes: what waits, what failed, who publishes
    #[command(subcommand)]
    Outbox(Outbox),
    /// Read, check and carry out runbooks: guided procedures in Markdown
    #[command(subcommand)]
    Runbook(Runbook),
    /// Practise an incident with the real tool, on a sandbox that lives
    #[command(subcommand)]
    Drill(Drill),
    /// Carry out a plan that was written with --plan-out
    Apply(Apply),
    /// List runs, newest first
    Runs,
    /// Show, check or export the journal of a run
    #[command(subcommand)]
    Journal(Journal),
    /// Check the configuration, or print its schema
    #[command(subcommand)]
    Config(Config),
    /// Find what the AWS profiles reach and write a starter opsctl.toml
    Init(Init),
    /// Check credentials, accounts, permissions and clocks, and say what to do
    Doctor,
    /// Simulated AWS for other terminals and programs
    #[command(subcommand)]
    Sandbox(Sandbox),
    /// Check a filter, the jq that --where takes
    #[command(long_about = FILTER_HELP, verbatim_doc_comment)]
    Filter {
        /// Filter; none: explain the language
        #[arg(value_name = "FILTER")]
        filter: Option<String>,
    },
    /// Print the line that makes a shell complete commands, environments and queue names
    Completions {
        /// Shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// List the console's keys and commands, as your configuration has them
    Keys(Keys),
    /// Write man pages
    Man {
        /// Folder to write them to
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Print the reference of all commands as Markdown
    #[command(hide = true)]
    Docs,
}

/// Options of `queues`.
#[derive(Debug, Clone, Default, Args)]
pub struct Queues {
    /// List only queues whose names match this pattern; `*` stands for anything
    #[arg(value_name = "PATTERN", add = ArgValueCompleter::new(complete::queues))]
    pub pattern: Option<String>,
    /// List only dead-letter queues
    #[arg(long)]
    pub dlq: bool,
    /// List queues that the configuration excludes as well
    #[arg(long)]
    pub all: bool,
}

/// Which messages to look at.
#[derive(Debug, Clone, Args)]
pub struct Sample {
    /// Queue: name, URL or ARN
    #[arg(long, value_name = "QUEUE", add = ArgValueCompleter::new(complete::queues))]
    pub queue: String,
    /// Show only messages for which this jq expression is true, `.body.code == "TIMEOUT"` for instance, or the one in a file, as `file:PATH`
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
    /// Look even at a main queue whose messages could die of it
    #[arg(long)]
    pub force: bool,
}

/// Options of `peek`.
#[derive(Debug, Clone, Args)]
pub struct Peek {
    /// Which messages.
    #[command(flatten)]
    pub sample: Sample,
    /// Look at this many messages at most
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub limit: u32,
    /// Show bodies whole, and what looks like a secret too
    #[arg(long)]
    pub full: bool,
}

/// Options of `groups`.
#[derive(Debug, Clone, Args)]
pub struct Groups {
    /// Which messages.
    #[command(flatten)]
    pub sample: Sample,
    /// Look at this many messages at most
    #[arg(long, short = 'n', value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub limit: u32,
}

/// Options of `apply`.
#[derive(Debug, Clone, Args)]
pub struct Apply {
    /// Plan, as written with --plan-out
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,
    /// Carry the plan out once more although a run has used it already; a plan is good for one run otherwise
    #[arg(long)]
    pub again: bool,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}

/// `journal`.
#[derive(Debug, Clone, Subcommand)]
pub enum Journal {
    /// Show what a run did, step by step
    Show {
        /// Run
        run: RunId,
    },
    /// Check that nothing in a run's journal was changed
    Verify {
        /// Run; none: every run
        run: Option<RunId>,
    },
    /// Print a run's journal as it is, one JSON document a line
    Export {
        /// Run
        run: RunId,
    },
}

/// `config`.
#[derive(Debug, Clone, Subcommand)]
pub enum Config {
    /// Find every mistake in the configuration
    Check,
    /// Print the configuration's JSON Schema, for editors
    Schema,
    /// Print an example with every setting explained
    Example,
}

/// Options of `init`.
#[derive(Debug, Clone, Default, Args)]
pub struct Init {
    /// Print the file instead of writing it
    #[arg(long)]
    pub print: bool,
}

/// Options of `keys`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Keys {
    /// List this shipped keymap instead of yours
    #[arg(long, value_enum, value_name = "NAME")]
    pub keymap: Option<Base>,
}

/// `sandbox`.
#[derive(Debug, Clone, Subcommand)]
pub enum Sandbox {
    /// Serve a simulated AWS on this machine
    Serve(crate::sandbox::serve::Serve),
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// elvish
    Elvish,
    /// PowerShell
    Powershell,
}

/// Id of `--env`.
pub const ENVIRONMENT: &str = "environment";

/// The whole command line for clap, with exit codes in the help. [`Cli::of`] reads what it takes.
pub fn command() -> clap::Command {
    with_environment(Cli::command()).after_help(format!("Exit codes:\n{}", Exit::table()))
}

/// With `--env` at every command by itself. Were it one global argument, what is named after a command would silently take the place of
/// what is named before it.
fn with_environment(command: clap::Command) -> clap::Command {
    let environment = Arg::new(ENVIRONMENT)
        .long("env")
        .short('e')
        .value_name("NAME")
        .action(ArgAction::Append)
        .help_heading("Global options")
        .help("Act in this environment; lists take several: `--env dev --env prod`")
        .add(ArgValueCompleter::new(complete::environments));
    command.arg(environment).mut_subcommands(with_environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn help_is_imperative_and_has_no_full_stop() {
        fn check(command: &clap::Command) {
            let texts = command.get_arguments().filter_map(|argument| argument.get_help().map(ToString::to_string));
            for text in texts.chain(command.get_about().map(ToString::to_string)) {
                let starts_well =
                    text.starts_with(|first: char| first.is_uppercase() || first == '`') || text == "bash";
                assert!(starts_well && !text.ends_with('.'), "{}: {text}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        command().get_subcommands().for_each(check);
    }
}
