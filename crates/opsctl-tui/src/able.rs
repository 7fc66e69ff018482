//! Whether a command can be given now, and if not, why.

use super::{
    activity, estate, home, letters, message,
    model::{Model, View},
    queues,
    run_view::{self, RunState},
};
use crate::{
    domain::{Environment, Protection, Text},
    keymap::{Command, Scope},
};

/// Whether a command can be given now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Able {
    /// It can.
    Yes,
    /// It has a meaning here, but not now.
    No(Text),
    /// It has no meaning here.
    NotHere,
}

impl Able {
    /// Not now, because.
    pub fn no(because: &str) -> Self {
        Self::No(Text::line(because))
    }

    /// Yes, or not now, because.
    pub fn when(condition: bool, because: &str) -> Self {
        if condition { Self::Yes } else { Self::no(because) }
    }
}

/// Whether `command` can be given in the view that is shown.
pub fn able(model: &Model, command: Command) -> Able {
    match command {
        Command::Quit
        | Command::Help
        | Command::Palette
        | Command::Home
        | Command::Queues
        | Command::Services
        | Command::Databases
        | Command::Alarms
        | Command::Consumers
        | Command::Activity
        | Command::Refresh
        | Command::Theme
        | Command::Redraw => Able::Yes,
        Command::Suspend => Able::when(
            !model.runs.iter().any(RunState::is_active),
            "a run is active: it would stop in the middle; leave it to end or cancel it first",
        ),
        Command::Environment => Able::when(model.sites.len() > 1, "there is one environment only"),
        Command::Back => {
            let has_more = match model.view() {
                View::Home(view) => !view.filter.is_empty() || view.acknowledged_only,
                View::Queues(_)
                | View::Estate(_)
                | View::Letters(_)
                | View::Message(_)
                | View::Activity(_)
                | View::Run(_) => true,
            };
            Able::when(has_more || model.only.is_some(), "this is the first view")
        }
        _ => match model.view() {
            View::Home(view) => home::able(model, view, command),
            View::Queues(view) => queues::able(model, view, command),
            View::Estate(view) => estate::able(model, view, command),
            View::Letters(view) => letters::able(model, view, command),
            View::Message(view) => message::able(model, view, command),
            View::Activity(view) => activity::able(model, view, command),
            View::Run(view) => run_view::able(model, view, command),
        },
    }
}

/// Whether a change may be planned in an environment at all: the gate refuses in any case, this says so beforehand.
pub fn able_to_change(environment: &Environment) -> Able {
    match environment.protection {
        Protection::ReadOnly => Able::no(&format!("{} is read-only: nothing may change there", environment.name)),
        Protection::Confirm | Protection::TypeName => Able::Yes,
    }
}

/// The scope of the view that is shown.
pub fn scope(model: &Model) -> Scope {
    match model.view() {
        View::Home(_) => Scope::Home,
        View::Queues(_) => Scope::Queues,
        View::Estate(view) => view.topic.scope(),
        View::Letters(_) => Scope::DeadLetters,
        View::Message(_) => Scope::Message,
        View::Activity(_) => Scope::Activity,
        View::Run(_) => Scope::Run,
    }
}
