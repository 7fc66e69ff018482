//! Whether load balancers find the tasks of a service healthy. Asked for only once ECS's own signs fit.

use futures_util::stream::{self, StreamExt};

use super::{Halt, Run, UPDATES_AT_ONCE, watched::Watched};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{TargetGroup, TargetHealth, TargetState, Text},
};

impl Run<'_> {
    /// Asks the target groups of the services that are up by all that ECS says.
    pub(super) async fn ask_targets(&self, services: &mut [Watched]) -> Result<(), Halt> {
        // AWS allows the call for all target groups or for none.
        let unknown = self.watched.iter().chain(&*services).filter_map(|watched| watched.targets_unknown.clone());
        let denied = unknown.into_iter().find(|error| error.kind == ErrorKind::Denied);
        let open = services.iter_mut().filter(|watched| !watched.to_ask.is_empty());
        let asked: Vec<_> = open.map(|watched| self.ask(watched, denied.clone())).collect();
        let answers: Vec<Result<(), Halt>> = stream::iter(asked).buffered(UPDATES_AT_ONCE).collect().await;
        answers.into_iter().collect()
    }

    /// Asks the target groups of one service, until one holds it up.
    async fn ask(&self, watched: &mut Watched, denied: Option<CloudError>) -> Result<(), Halt> {
        let clock = self.context.cloud.clock();
        let groups = if denied.is_some() { Vec::new() } else { watched.to_ask.clone() };
        watched.targets_unknown = denied.or(watched.targets_unknown.take());
        for group in groups {
            match self.look_at_targets(&group, watched.change.to).await {
                Ok(None) => {}
                Ok(words) => {
                    watched.targets = words;
                    return Ok(());
                }
                Err(error) => match error.kind {
                    ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::Unknown | ErrorKind::NotFound => {
                        let words = format!("target health is not known: {error}");
                        watched.targets = Some(Text::line(&words));
                        return Ok(());
                    }
                    ErrorKind::Denied | ErrorKind::Invalid => watched.targets_unknown = Some(error),
                    ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing | ErrorKind::ClockSkew => {
                        return Err(Halt::Failed(error));
                    }
                },
            }
        }
        watched.is_up(clock.now());
        Ok(())
    }

    /// What a target group lacks; none: so many targets are healthy in it, or in its alternate.
    async fn look_at_targets(&self, group: &TargetGroup, to: u32) -> Result<Option<Text>, CloudError> {
        let balancers = &self.context.cloud.load_balancers;
        let mut targets = balancers.health(&group.arn).await?;
        if let Some(alternate) = group.alternate.as_ref().filter(|_| healthy(&targets) < to) {
            let others = balancers.health(alternate).await?;
            if healthy(&others) > healthy(&targets) || targets.is_empty() {
                targets = others;
            }
        }
        Ok((healthy(&targets) < to).then(|| words(&targets, to)))
    }

    /// What to know of services whose target health nobody could tell.
    pub(super) fn targets_note(&self) -> Option<Text> {
        let unknown: Vec<&Watched> = self.watched.iter().filter(|one| one.targets_unknown.is_some()).collect();
        let error = unknown.first()?.targets_unknown.as_ref()?;
        let names: Vec<String> = unknown.iter().map(|one| one.change.service.to_string()).collect();
        let (names, hint) = (names.join(", "), error.hint(self.context.environment()));
        let text = format!("target health of {names} is not known, only what ECS says was waited for: {error}; {hint}");
        Some(Text::line(&text))
    }
}

fn healthy(targets: &[TargetHealth]) -> u32 {
    let count = targets.iter().filter(|target| target.state == TargetState::Healthy).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// `0 of 2 targets healthy: Health checks failed with these codes: [502]`.
fn words(targets: &[TargetHealth], to: u32) -> Text {
    // Who fails says more than who has not been checked yet, and those that go say nothing of those that come.
    let urgency = |target: &&TargetHealth| match target.state {
        TargetState::Unhealthy => 0,
        TargetState::Unused | TargetState::Unavailable | TargetState::Other => 1,
        TargetState::Initial => 2,
        TargetState::Draining => 3,
        TargetState::Healthy => 4,
    };
    let worst = targets.iter().filter(|target| target.state != TargetState::Healthy).min_by_key(urgency);
    let why = worst.map_or("no other is registered", |target| {
        let said = target.description.as_ref().or(target.reason.as_ref());
        said.map_or(target.state.into_str(), Text::as_str)
    });
    Text::line(&format!("{} of {to} targets healthy: {why}", healthy(targets)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(state: TargetState, description: Option<&str>) -> TargetHealth {
        let target = Text::from("10.0.0.1:80");
        TargetHealth { target, state, reason: None, description: description.map(Text::line) }
    }

    #[test]
    fn the_worst_target_says_why() {
        let (healthy, failing) =
            (target(TargetState::Healthy, None), target(TargetState::Unhealthy, Some("Health checks failed")));
        let (initial, draining) = (target(TargetState::Initial, None), target(TargetState::Draining, Some("goes")));
        for (targets, said) in [
            (vec![], "0 of 2 targets healthy: no other is registered"),
            (vec![healthy.clone()], "1 of 2 targets healthy: no other is registered"),
            (vec![draining.clone(), initial, healthy.clone()], "1 of 2 targets healthy: initial"),
            (vec![draining, healthy, failing], "1 of 2 targets healthy: Health checks failed"),
        ] {
            assert_eq!(words(&targets, 2).as_str(), said);
        }
    }
}
