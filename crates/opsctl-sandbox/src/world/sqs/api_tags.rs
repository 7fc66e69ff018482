//! TagQueue, UntagQueue, ListQueueTags.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Call, OnQueue, api_queues::TAGS_MAX};
use crate::world::{World, call::given, error::ApiError};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagRequest<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    tags: Option<BTreeMap<String, String>>,
    tag_keys: Option<Vec<String>>,
}

impl World {
    pub(super) fn tag_queue(&mut self, call: Call, request: TagRequest) -> Answered<()> {
        let number = self.enter(call, &request.queue_url)?.queue;
        let new = request.tags.filter(|tags| !tags.is_empty()).ok_or_else(|| ApiError::missing_parameter("Tags"))?;
        let queue = self.queue_mut(number);
        let mut tags = queue.tags.clone();
        tags.extend(new);
        if tags.len() > TAGS_MAX {
            return Err(ApiError::invalid_parameter(format!("Too many tags added for queue {}.", queue.name)));
        }
        queue.tags = tags;
        Ok(())
    }

    pub(super) fn untag_queue(&mut self, call: Call, request: TagRequest) -> Answered<()> {
        let number = self.enter(call, &request.queue_url)?.queue;
        let keys = request.tag_keys.as_deref().unwrap_or_default();
        if keys.is_empty() || keys.iter().any(|key| key.is_empty() || key.chars().count() > 128) {
            return Err(ApiError::invalid_parameter("Tag keys must be between 1 and 128 characters in length."));
        }
        self.queue_mut(number).tags.retain(|key, _| !keys.contains(key));
        Ok(())
    }

    pub(super) fn list_queue_tags(&mut self, call: Call, request: OnQueue) -> Answered<Value> {
        let number = self.enter(call, &request.queue_url)?.queue;
        let tags = &self.queue(number).tags;
        Ok(given(json!({ "Tags": (!tags.is_empty()).then_some(tags) })))
    }
}
