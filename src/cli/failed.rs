//! [`Failed`]: environments that a listing does not show, and why.

use serde::Serialize;

use super::{
    args::Format,
    error::CliError,
    exit::Exit,
    output::Output,
    world::{Site, World},
};
use crate::domain::{EnvironmentName, Text};

/// Environments that could not be asked, in the configuration's order.
pub(super) struct Failed<'a>(Vec<(&'a EnvironmentName, CliError)>);

/// An environment that a listing does not show, as JSON shows it.
#[derive(Serialize)]
pub(super) struct Unreachable<'a> {
    pub(super) environment: &'a EnvironmentName,
    pub(super) error: Problem,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Problem {
    pub(super) what: Text,
    pub(super) hint: Option<Text>,
}

/// Tells the environments that answered from those that did not; `answers` has one for each of the world's.
pub(super) fn sort_out<T>(world: &World, answers: Vec<Result<T, CliError>>) -> (Vec<(&Site, T)>, Failed<'_>) {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for (site, answer) in world.sites.iter().zip(answers) {
        match answer {
            Ok(answer) => found.push((site, answer)),
            Err(error) => failed.push((&site.environment.name, error)),
        }
    }
    (found, Failed(failed))
}

impl<'a> Failed<'a> {
    /// In the configuration's order.
    pub(super) fn of(failed: Vec<(&'a EnvironmentName, CliError)>) -> Self {
        Self(failed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn unreachable(&self) -> Vec<Unreachable<'_>> {
        let problem = |error: &CliError| Problem {
            what: error.what.clone(),
            hint: error.advice.as_ref().map(|advice| advice.text().clone()),
        };
        self.0.iter().map(|(environment, error)| Unreachable { environment, error: problem(error) }).collect()
    }

    /// Tells each, after what was found. A listing that lacks an environment has failed.
    pub(super) fn end(&self, out: &mut Output) -> Result<Exit, CliError> {
        if out.format == Format::Jsonl {
            self.unreachable().iter().try_for_each(|one| out.json_line("opsctl/unreachable/1", one))?;
        }
        for (_, error) in &self.0 {
            out.warning(&error.to_string());
        }
        Ok(if self.is_empty() { Exit::Done } else { Exit::Failed })
    }

    /// The last of them, where that is all that there is to say.
    pub(super) fn into_error(mut self) -> Option<CliError> {
        // Whose credentials these are comes first: all else follows from it.
        self.0.sort_by_key(|(_, error)| error.is_wrong_account);
        self.0.pop().map(|(_, error)| error)
    }
}
