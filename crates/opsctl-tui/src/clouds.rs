//! [`Clouds`]: clients of environments, for whatever is asked or carried out.

use std::{sync::Arc, time::Duration};

use crate::{
    cloud::Cloud,
    domain::{EnvironmentName, Try},
    outside::Outside,
    run::Failure,
};

/// Whatever hands out credentials answers in less, or not at all.
const REACH_SECONDS_MAX: Duration = Duration::from_secs(20);
/// Clients, made anew for each question: whoever has logged in again in the meantime is heard.
pub(super) struct Clouds(pub(super) Arc<Outside>);

impl Clouds {
    pub(super) fn outside(&self) -> &Outside {
        &self.0
    }

    pub(super) async fn of(&self, environment: &EnvironmentName) -> Result<Cloud, Failure> {
        let reaching = tokio::time::timeout(REACH_SECONDS_MAX, (self.0.reach)(environment.clone()));
        let Ok(reached) = reaching.await else {
            let seconds = REACH_SECONDS_MAX.as_secs();
            let what = format!("the credentials of {environment} did not come within {seconds} s");
            let doctor = self.0.setting.invocation().command_in(environment, "doctor");
            return Err(Failure::new(
                &what,
                Try::CheckProfile.says(format!("look at its profile and credential process with `{doctor}`")),
            ));
        };
        reached.map_err(|error| self.0.failure(environment, &error))
    }
}

/// Refuses where the credentials are of another account than the environment's.
pub(super) async fn in_own_account(cloud: &Cloud, outside: &Outside) -> Result<(), Failure> {
    let name = &cloud.environment().name;
    let caller = cloud.identity.caller().await.map_err(|error| outside.failure(name, &error))?;
    match cloud.environment().account.as_ref().filter(|pinned| **pinned != caller.account) {
        None => Ok(()),
        Some(pinned) => {
            let what = format!("the credentials are of account {}, and {name} is {pinned}", caller.account);
            let doctor = cloud.environment().command("doctor");
            Err(Failure::new(&what, Try::CheckProfile.says(format!("look at its profile with `{doctor}`"))))
        }
    }
}
