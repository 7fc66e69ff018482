//! [`Outside`]: what the console is given from outside.

use std::{io, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;

use crate::{
    clock::Clock,
    cloud::{Cloud, CloudError},
    domain::EnvironmentName,
    journal::StateFolder,
    run::Failure,
    runbook::shelf::Shelf,
    state::Setting,
};

/// Makes an environment's clients; may ask AWS for what the configuration leaves to parameters.
pub type Reach = Arc<dyn Fn(EnvironmentName) -> BoxFuture<'static, Result<Cloud, CloudError>> + Send + Sync>;

pub struct Outside {
    pub reach: Reach,
    pub clock: Clock,
    pub state: StateFolder,
    pub shelf: Shelf,
    /// Where what was seen last is kept; none: nowhere.
    pub cache: Option<PathBuf>,
    pub setting: Setting,
    /// The person's editor, with arguments; run without a shell.
    pub editor: Option<String>,
}

impl Outside {
    pub(crate) fn failure(&self, name: &EnvironmentName, error: &CloudError) -> Failure {
        let environment = self.setting.environments.iter().find(|environment| environment.name == *name);
        let hint = environment.map(|environment| error.hint(environment));
        Failure::new(error.to_string(), hint)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
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
