//! The one call that sets a setting.

use crate::{
    cloud::{Cloud, CloudError},
    domain::{RunId, Setting, Toggle},
    operations::toggles::mutes::begins,
};

/// Sent once, and absolute: twice is the same as once.
pub(super) async fn set(cloud: &Cloud, toggle: &Toggle, to: Setting, run: &RunId) -> Result<(), CloudError> {
    match (toggle, to) {
        (Toggle::Rule(name), Setting::Enabled(enabled)) => cloud.events.set_enabled(name, enabled).await,
        (Toggle::Concurrency(name), Setting::Reserved(reserved)) => cloud.lambda.set_concurrency(name, reserved).await,
        (Toggle::Mapping(id), Setting::Enabled(enabled)) => cloud.lambda.set_enabled(id, enabled).await.map(drop),
        (Toggle::Retention(queue), Setting::RetentionSeconds(seconds)) => {
            let url = cloud.sqs.url(queue.as_str()).await?;
            cloud.sqs.set_retention(&url, seconds).await
        }
        (Toggle::Alarm(name), Setting::MutedUntil(Some(until))) => {
            cloud.alarms.mute(name, (begins(cloud.clock().now()), until), run).await
        }
        (Toggle::Alarm(name), Setting::MutedUntil(None)) => cloud.alarms.unmute(name).await,
        (
            Toggle::Rule(_) | Toggle::Concurrency(_) | Toggle::Mapping(_) | Toggle::Retention(_) | Toggle::Alarm(_),
            _,
        ) => {
            unreachable!("a plan gives each its own kind of setting")
        }
    }
}

/// Its state is changing: AWS takes no change until it has.
pub(in crate::run) fn is_in_use(error: &CloudError) -> bool {
    error.code.as_deref().is_some_and(|code| code.contains("ResourceInUse") || code.contains("ResourceConflict"))
}
