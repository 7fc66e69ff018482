//! A CloudWatch alarm as conditions see it.

use schemars::JsonSchema;
use serde::Serialize;

use super::look::{Looking, of};
use crate::domain::{AlarmState, Text};

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alarm {
    /// Its name
    #[schemars(with = "String")]
    pub name: Text,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`
    pub state: String,
    /// Seconds since it is in this state
    pub since_seconds: Option<i64>,
    /// Why, in CloudWatch's words
    #[schemars(with = "String")]
    pub reason: Text,
    /// Whether it tells anybody
    pub actions_enabled: bool,
    /// Whether its only actions are scaling policies: then `ALARM` is how it scales, and no trouble
    pub scales_only: bool,
    /// Whether it is in `ALARM` and does more than scale
    pub is_trouble: bool,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Alarm, Text> {
    let cloud = looking.cloud;
    let found = cloud.alarms.named(&[looking.name]).await.map_err(|error| of(&error))?;
    let missing = || Text::line(&format!("there is no alarm {} in {}", looking.name, cloud.environment().name));
    let alarm = found.into_iter().find(|alarm| alarm.name == looking.name).ok_or_else(missing)?;
    let state = match alarm.state {
        AlarmState::Alarm => "ALARM",
        AlarmState::InsufficientData => "INSUFFICIENT_DATA",
        AlarmState::Ok => "OK",
    };
    Ok(Alarm {
        name: Text::line(&alarm.name),
        state: state.to_owned(),
        since_seconds: alarm.since.map(|at| looking.age(at)),
        reason: Text::line(alarm.reason.as_str()),
        actions_enabled: alarm.actions_enabled,
        scales_only: alarm.scales_only,
        is_trouble: alarm.is_trouble(),
    })
}
