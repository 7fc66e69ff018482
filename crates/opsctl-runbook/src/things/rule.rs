//! An EventBridge rule as conditions see it.

use schemars::JsonSchema;
use serde::Serialize;

use super::look::{Looking, of};
use crate::domain::Text;

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Rule {
    /// Its name
    #[schemars(with = "String")]
    pub name: Text,
    /// Whether it starts anything
    pub is_enabled: bool,
    /// `rate(1 minute)`, `cron(…)`; unknown where it waits for events
    #[schemars(with = "Option<String>")]
    pub schedule: Option<Text>,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Rule, Text> {
    let rule = looking.cloud.events.rule(looking.name).await.map_err(|error| of(&error))?;
    Ok(Rule { name: Text::line(&rule.name), is_enabled: rule.enabled, schedule: rule.schedule })
}
