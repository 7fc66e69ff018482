//! [`Forbidden`]: operations that are refused while a run of a runbook is open.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Remembered, store::Remember};
use crate::domain::{EnvironmentName, RunId, Text};

/// What is forbidden in an account's region, by the runs of runbooks that forbid it.
pub type Forbidden = Remembered<Forbids>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forbids {
    pub runbook: Text,
    pub environment: EnvironmentName,
    /// By their names on the command line.
    pub operations: Vec<String>,
    pub at: Timestamp,
}

impl Remember for Forbids {
    type Of = RunId;

    const FOLDER: &'static str = "forbidden";

    fn replaces(&self, _known: &Self) -> bool {
        false
    }
}

impl Forbidden {
    /// Which run of which runbook forbids this operation in an environment.
    pub fn by(&self, environment: &EnvironmentName, operation: &str) -> Option<(&str, &Forbids)> {
        let forbids = |forbids: &Forbids| {
            forbids.environment == *environment && forbids.operations.iter().any(|name| name == operation)
        };
        self.by_name.iter().map(|(run, one)| (run.as_str(), one)).find(|(_, one)| forbids(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::AccountId, journal::StateFolder};

    #[test]
    fn what_an_open_run_forbids_is_known_until_it_has_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let (state, account) = (StateFolder::new(folder.path()), AccountId("111111111111".to_owned()));
        let run = RunId::new(Timestamp::UNIX_EPOCH, 7);
        let environment = EnvironmentName("dev".to_owned());
        let forbids = Forbids {
            runbook: Text::from("replication-lag"),
            environment: environment.clone(),
            operations: vec!["failover".to_owned()],
            at: Timestamp::UNIX_EPOCH,
        };
        let change = |change: &dyn Fn(&mut Forbidden)| {
            Forbidden::change(&state, &account, "af-south-1", |all| change(all)).expect("written");
        };
        let read = || Forbidden::read(&state, &account, "af-south-1").expect("read");
        change(&|all| all.remember(&run, forbids.clone()));
        assert!(read().by(&environment, "failover").is_some());
        assert!(read().by(&environment, "wake").is_none());
        assert!(read().by(&EnvironmentName("prod".to_owned()), "failover").is_none());
        change(&|all| all.forget(&run));
        assert!(read().by(&environment, "failover").is_none());
    }
}
