//! GetQueueAttributes, SetQueueAttributes.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Call, settings::Settings, store::Counts};
use crate::world::{FaultKind, World, call::given, error::ApiError};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributesRequest<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    attribute_names: Option<Vec<String>>,
    attributes: Option<BTreeMap<String, String>>,
}

impl World {
    pub(super) fn get_queue_attributes(&mut self, call: Call, request: AttributesRequest) -> Answered<Value> {
        let entered = self.enter(call, &request.queue_url)?;
        let names = request.attribute_names.as_deref().unwrap_or_default();
        if let Some(unknown) = names.iter().find(|name| !Settings::is_known(name)) {
            return Err(ApiError::unknown_attribute(unknown));
        }
        if names.is_empty() {
            return Ok(json!({}));
        }
        let lag = self.settings.counts_lag_seconds * 1_000;
        let queue = self.queue_mut(entered.queue);
        if entered.fault != Some(FaultKind::StaleCounts) {
            queue.told = queue.lagging_counts(call.now, lag);
        }
        let Counts { visible, in_flight, delayed } = queue.told;
        let mut attributes: BTreeMap<&'static str, String> = queue.settings.all().collect();
        attributes.insert("ApproximateNumberOfMessages", visible.to_string());
        attributes.insert("ApproximateNumberOfMessagesNotVisible", in_flight.to_string());
        attributes.insert("ApproximateNumberOfMessagesDelayed", delayed.to_string());
        attributes.insert("CreatedTimestamp", (queue.created_at / 1_000).to_string());
        attributes.insert("LastModifiedTimestamp", (queue.modified_at / 1_000).to_string());
        attributes.insert("QueueArn", queue.arn.to_string());
        if !names.iter().any(|name| name == "All") {
            attributes.retain(|attribute, _| names.iter().any(|name| name == attribute));
        }
        Ok(given(json!({ "Attributes": (!attributes.is_empty()).then_some(attributes) })))
    }

    pub(super) fn set_queue_attributes(&mut self, call: Call, request: AttributesRequest) -> Answered<()> {
        let number = self.enter(call, &request.queue_url)?.queue;
        let Some(attributes) = request.attributes.as_ref().filter(|attributes| !attributes.is_empty()) else {
            return Err(ApiError::missing_parameter("Attributes"));
        };
        let queue = self.queue(number);
        let pairs = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let settings = queue.settings.with(pairs)?;
        if attributes.contains_key("RedrivePolicy") {
            self.check_redrive(&queue.account, &queue.region, &queue.arn, &settings)?;
        }
        self.change_settings(call.now, number, settings);
        Ok(())
    }

    pub(super) fn change_settings(&mut self, now: i64, number: u32, settings: Settings) {
        let queue = self.queue_mut(number);
        queue.settings = settings;
        queue.modified_at = now;
        queue.advance(now);
        self.link(number);
        self.settle(number);
    }
}
