//! [`look`]: how a setting stands.

use jiff::Timestamp;

use crate::{
    cloud::{Cloud, CloudError, mutes::own_rule},
    domain::{MappingState, Setting, Toggle},
};

/// A setting as AWS shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) setting: Setting,
    pub(crate) settled: Settled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Yes,
    /// On its way to it, or to something else: until then AWS takes no change.
    Changing,
    /// It is set, and begins in a moment.
    Coming,
    /// Somebody deletes what it is of.
    Deleting,
}

impl Shown {
    fn settled(setting: Setting) -> Self {
        Self { setting, settled: Settled::Yes }
    }

    pub(super) fn of_mapping(state: MappingState) -> Self {
        let settled = match state {
            MappingState::Deleting => Settled::Deleting,
            state if state.is_passing() => Settled::Changing,
            _ => Settled::Yes,
        };
        Self { setting: Setting::Enabled(state.is_on()), settled }
    }
}

/// Until when opsctl mutes an alarm, and whether it does already; none: it does not, or no more.
pub(super) async fn own_mute(cloud: &Cloud, alarm: &str) -> Result<Option<(Timestamp, bool)>, CloudError> {
    let rule = cloud.alarms.mute_rule(&own_rule(alarm)).await?;
    let now = cloud.clock().now();
    Ok(rule.and_then(|rule| Some((rule.until.filter(|until| *until > now)?, rule.is_active))))
}

pub(crate) async fn look(cloud: &Cloud, toggle: &Toggle) -> Result<Shown, CloudError> {
    Ok(match toggle {
        Toggle::Rule(name) => Shown::settled(Setting::Enabled(cloud.events.rule(name).await?.enabled)),
        Toggle::Concurrency(name) => Shown::settled(Setting::Reserved(cloud.lambda.concurrency(name).await?)),
        Toggle::Alarm(name) => {
            let own = own_mute(cloud, name).await?;
            let settled = if own.is_some_and(|(_, is_active)| !is_active) { Settled::Coming } else { Settled::Yes };
            Shown { setting: Setting::MutedUntil(own.map(|(until, _)| until)), settled }
        }
        Toggle::Retention(queue) => {
            let url = cloud.sqs.url(queue.as_str()).await?;
            Shown::settled(Setting::RetentionSeconds(cloud.sqs.describe(&url).await?.retention_seconds))
        }
        Toggle::Mapping(id) => Shown::of_mapping(cloud.lambda.mapping(id).await?.state),
    })
}
