//! [`Command`]: everything that a key can be bound to, each once. Its name is what stands in a keymap file and in the palette;
//! its comment is its help.

use std::sync::LazyLock;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::operations::OperationKind;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Command {
    /// Move down
    Down,
    /// Move up
    Up,
    /// Move a page down
    PageDown,
    /// Move a page up
    PageUp,
    /// Move half a page down
    HalfPageDown,
    /// Move half a page up
    HalfPageUp,
    /// Go to the first line
    First,
    /// Go to the last line
    Last,
    /// Show columns or text further left
    Left,
    /// Show columns or text further right
    Right,
    /// Open what is under the cursor
    Open,
    /// Go back, or close what lies on top
    Back,
    /// Leave opsctl
    Quit,
    /// Explain the keys of this view
    Help,
    /// Find any command by name
    Palette,
    /// Go to any view by its name
    Views,
    /// Show what needs somebody
    Home,
    /// Show every queue
    Queues,
    /// Show services: who runs, who sleeps, who fails
    Services,
    /// Show databases: who writes, who could take over
    Databases,
    /// Show alarms, what is in alarm first
    Alarms,
    /// Show what takes messages: Lambda functions, groups that read Kafka
    Consumers,
    /// Show outboxes: rows that wait, rows that failed, whether the relay runs
    Outboxes,
    /// Show runbooks and their open runs
    Runbooks,
    /// Show what was done and what is being done
    Activity,
    /// Show one environment only, or all again
    Environment,
    /// Ask AWS again now
    Refresh,
    /// Narrow the list down: words, `!not`, `~letters`, `/regular expression/`
    Filter,
    /// Choose the column to sort by
    Sort,
    /// Turn the order round
    Reverse,
    /// Group by environment or system, or not at all
    Group,
    /// Show more columns, or fewer
    Wide,
    /// Wake the relay: wake its service, enable its rule, or restore its function's concurrency
    WakeRelay,
    /// Leave this out for a time, with a reason, or no longer
    Acknowledge,
    /// Show what is left out, or what needs somebody
    Acknowledged,
    /// Show dead-letter queues only, or all again
    DeadLettersOnly,
    /// Show the whole name and every setting
    Details,
    /// Show failure groups, or single messages
    Messages,
    /// Select this one, or no longer
    Select,
    /// Select all that are shown, or none
    SelectAll,
    /// Select every message of this one's failure group
    SelectGroup,
    /// Choose the columns of the messages
    Columns,
    /// Edit the message in $EDITOR
    Edit,
    /// Copy what is under the cursor
    Copy,
    /// Copy the command line that does the same
    CopyCommand,
    /// Go to the next one
    Next,
    /// Go to the one before
    Previous,
    /// Break long lines, or not
    Wrap,
    /// Look at more messages
    LookMore,
    /// Show decoded what is encoded in the message, or as it is
    Decode,
    /// Look at messages even where it may cost some
    Force,
    /// Change how it is done
    Options,
    /// Agree to the plan
    Approve,
    /// Stop the run after what is in hand
    Cancel,
    /// Resume a run that was interrupted
    Resume,
    /// Show the run's journal
    Journal,
    /// Run the suggested runbook, or the one that is shown
    RunRunbook,
    /// Decline, with a reason
    Decline,
    /// Take over the run from another person
    TakeOver,
    /// Write the run's timeline to a file
    Export,
    /// Change colours
    Theme,
    /// Draw the screen anew
    Redraw,
    /// Go to the shell for a while
    Suspend,
    /// Plan an operation: its name and its help are the command line's own
    #[value(skip)]
    Operate(OperationKind),
}

/// Where a key is meant: a view, or something that several have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everywhere
    Everywhere,
    /// In every list
    List,
    /// Home
    Home,
    /// The queues
    Queues,
    /// The services
    Services,
    /// The databases
    Databases,
    /// The alarms
    Alarms,
    /// The consumers
    Consumers,
    /// The outboxes
    Outboxes,
    /// A dead-letter queue: its failure groups and messages
    DeadLetters,
    /// One message
    Message,
    /// Activity
    Activity,
    /// One run: its progress, report and journal
    Run,
    /// The runbooks
    Runbooks,
    /// One runbook, as it is read
    Runbook,
    /// A run of a runbook: its steps
    RunbookRun,
    /// A plan that asks for consent
    Plan,
}

impl Serialize for Command {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl Command {
    /// Every command, operations last.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Command>> = LazyLock::new(|| {
            let operations = OperationKind::ALL.iter().copied().map(Command::Operate);
            Command::value_variants().iter().copied().chain(operations).collect()
        });
        &ALL
    }

    /// Name in keymaps and palette: `page-down`, `consumers-pause`.
    pub fn name(self) -> String {
        match self {
            Self::Operate(kind) => kind.name().replace(' ', "-"),
            plain => plain.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default(),
        }
    }

    /// The command of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|command| command.name() == name)
    }

    /// What it does: imperative, no full stop.
    pub fn help(self) -> String {
        let help = match self {
            Self::Operate(kind) => kind.arguments().get_about().map(ToString::to_string),
            plain => plain.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string)),
        };
        help.unwrap_or_default()
    }

    /// Whether it plans a change.
    pub fn is_operation(self) -> bool {
        matches!(self, Self::Operate(_) | Self::WakeRelay)
    }

    /// The views in which it makes sense: every shipped keymap has a key for it there.
    pub fn scopes(self) -> &'static [Scope] {
        use Scope::{
            Activity, Alarms, Consumers, Databases, DeadLetters, Everywhere, Home, List, Message, Outboxes, Plan,
            Queues, Run, Runbook, RunbookRun, Runbooks, Services,
        };
        match self {
            Self::Down | Self::Up | Self::PageDown | Self::PageUp | Self::HalfPageDown | Self::HalfPageUp => {
                &[Everywhere]
            }
            Self::First | Self::Last | Self::Left | Self::Right => &[Everywhere],
            Self::Open | Self::Back | Self::Quit | Self::Help | Self::Palette | Self::Views => &[Everywhere],
            Self::Home | Self::Queues | Self::Activity | Self::Runbooks | Self::Environment | Self::Refresh => {
                &[Everywhere]
            }
            Self::Services | Self::Databases | Self::Alarms | Self::Consumers | Self::Outboxes => &[Everywhere],
            Self::Copy | Self::CopyCommand | Self::Theme | Self::Redraw | Self::Suspend => &[Everywhere],
            Self::Filter | Self::Sort | Self::Reverse | Self::Wide | Self::Details => &[List],
            Self::Group => &[Home, Queues, Services, Databases, Alarms, Consumers, Outboxes],
            Self::Acknowledge | Self::Acknowledged => &[Home],
            Self::WakeRelay => &[Outboxes],
            Self::DeadLettersOnly => &[Queues],
            Self::Messages | Self::SelectGroup | Self::Columns | Self::LookMore => &[DeadLetters],
            Self::Decode => &[Message],
            Self::Select | Self::SelectAll => &[Queues, DeadLetters, Services],
            Self::Force => &[Queues, DeadLetters],
            Self::Edit => &[DeadLetters, Message],
            Self::Next | Self::Previous => &[Message, Plan, RunbookRun],
            Self::Wrap => &[Message, Run, Plan],
            Self::Options | Self::Approve => &[Plan],
            Self::Cancel | Self::Resume | Self::Journal => &[Activity, Run, RunbookRun],
            Self::RunRunbook => &[Home, Runbooks, Runbook],
            Self::Decline | Self::TakeOver | Self::Export => &[RunbookRun],
            Self::Operate(kind) => match kind {
                OperationKind::Redrive => &[Home, Queues, DeadLetters, Message],
                OperationKind::Purge => &[Home, Queues, DeadLetters],
                OperationKind::Restore => &[Activity, Run],
                OperationKind::Retention => &[Queues],
                OperationKind::Wake => &[Home, Services],
                OperationKind::Sleep | OperationKind::Scale | OperationKind::Migrate => &[Services],
                OperationKind::Restart | OperationKind::Rollback => &[Services],
                OperationKind::Failover => &[Home, Databases],
                OperationKind::PauseConsumers | OperationKind::ResumeConsumers => &[Queues, Consumers],
                OperationKind::EnableConsumers | OperationKind::DisableConsumers => &[Consumers],
                OperationKind::MuteAlarms | OperationKind::UnmuteAlarms => &[Alarms],
                OperationKind::Replay | OperationKind::Park | OperationKind::Release => &[Outboxes],
                // Of an outbox, `wake-relay` finds out which of them is meant.
                OperationKind::EnableRule | OperationKind::RestoreConcurrency => &[],
                OperationKind::DisableRule | OperationKind::StopConcurrency => &[],
            },
        }
    }

    /// Whether it makes sense in a view: also where no key is bound to it, the palette offers it there.
    pub fn is_meant_in(self, scope: Scope) -> bool {
        scope.chain().any(|near| self.scopes().contains(&near))
    }
}

impl Scope {
    /// Every scope.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Name in keymaps: `dead-letters`.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Where it is, as a heading: "In every list".
    pub fn help(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    /// This scope, then the wider ones: in this order their keys count.
    pub fn chain(self) -> impl Iterator<Item = Self> {
        std::iter::once(self).chain(self.wider().iter().copied())
    }

    /// Scopes whose keys count too where this one's leave a key free, nearest first.
    pub fn wider(self) -> &'static [Self] {
        match self {
            Self::Everywhere => &[],
            Self::List | Self::Message | Self::Plan | Self::Runbooks | Self::Runbook | Self::RunbookRun => {
                &[Self::Everywhere]
            }
            Self::Home
            | Self::Queues
            | Self::Services
            | Self::Databases
            | Self::Alarms
            | Self::Consumers
            | Self::Outboxes
            | Self::DeadLetters
            | Self::Activity
            | Self::Run => &[Self::List, Self::Everywhere],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for command in Command::all() {
            assert_eq!(Command::named(&command.name()), Some(*command), "{}", command.name());
        }
    }

    #[test]
    fn help_is_imperative_and_has_no_full_stop() {
        for command in Command::all() {
            let help = command.help();
            assert!(help.starts_with(char::is_uppercase) && !help.ends_with('.'), "{help}");
        }
    }
}
