//! The console: what needs somebody, in every environment, in one terminal.
//!
//! ```text
//! terminal, watches, runs ──Event──> update(&mut Model) ──Effect──> perform ──Event──> ...
//!                                        view(&Model) ──> frame
//! ```
//!
//! [`update`] and [`view`] are pure; everything that waits or spawns stands in [`perform`].

pub mod able;
pub mod acknowledged;
pub mod activity;
mod choices;
mod console;
mod editor;
pub mod effect;
pub mod estate;
pub mod event;
pub mod field;
mod filter;
pub mod fit;
pub mod flow;
mod footer;
pub mod help;
pub mod home;
mod inbox;
mod input;
mod json;
pub mod letters;
pub mod list;
pub mod message;
pub mod model;
mod observed;
mod overlay;
mod pace;
pub mod page;
pub mod palette;
pub mod perform;
pub mod popup;
pub mod queues;
mod quitting;
mod run_page;
mod run_steps;
pub mod run_view;
pub mod spark;
pub mod standing;
pub mod table;
mod terminal;
#[cfg(test)]
#[path = "../../opsctl-core/src/messages/testing.rs"]
pub mod testing;
pub mod theme;
pub mod ticket;
mod title;
pub mod update;
pub mod verbs;
pub mod view;
pub mod words;

pub(crate) use opsctl_core::{cloud, databases, gate, journal, keymap, messages, observe, operations, plan, run};
pub(crate) use opsctl_domain::{self as domain, clock};

use std::{io, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;

use self::{console::Console, model::Setting};
use crate::{
    clock::Clock,
    cloud::{Cloud, CloudError},
    domain::{EnvironmentName, Text},
    journal::StateFolder,
    run::Failure,
};

/// Makes an environment's clients; may ask AWS for what the configuration leaves to parameters.
pub type Reach = Arc<dyn Fn(EnvironmentName) -> BoxFuture<'static, Result<Cloud, CloudError>> + Send + Sync>;

/// What the console is given from outside.
pub struct Outside {
    /// Makes the environments' clients.
    pub reach: Reach,
    /// The clock of it all.
    pub clock: Clock,
    /// Where journals lie.
    pub state: StateFolder,
    /// Where what was seen last is kept; none: nowhere.
    pub cache: Option<PathBuf>,
    /// What the model starts with.
    pub setting: Setting,
    /// The person's editor, with arguments; run without a shell.
    pub editor: Option<String>,
}

impl Outside {
    fn failure(&self, name: &EnvironmentName, error: &CloudError) -> Failure {
        let environment = self.setting.environments.iter().find(|environment| environment.name == *name);
        let hint = environment.map(|environment| error.hint(environment)).unwrap_or_default();
        Failure { what: Text::line(&error.to_string()), hint: Text::line(&hint) }
    }
}

/// Why the console ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The terminal can't be used.
    #[error("the terminal can't be used: {0}")]
    Terminal(io::Error),
    /// The terminal is gone. Active runs were stopped after what was in hand.
    #[error("the terminal is gone")]
    HungUp,
    /// Something in it went wrong that should not; the report stands above.
    #[error("the console has ended because of a mistake in it")]
    Panicked,
}

impl From<io::Error> for ConsoleError {
    fn from(error: io::Error) -> Self {
        // What a terminal answers whose other end is closed: the end of input, and EIO (tty_ioctl(4)) for all else.
        let is_gone = error.kind() == io::ErrorKind::UnexpectedEof
            || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error());
        if is_gone { Self::HungUp } else { Self::Terminal(error) }
    }
}

/// Shows the console until the person leaves it.
///
/// # Errors
/// The terminal can't be used; a panic in one of its tasks.
pub async fn run(outside: Outside) -> Result<(), ConsoleError> {
    let console = Console::begin(&outside)?;
    console.live(Arc::new(outside)).await
}
