//! DeleteMessage, ChangeMessageVisibility, and their batches.

use std::borrow::Cow;

use serde::Deserialize;

use super::{
    Answered, Call, Entered,
    batch::{BatchAnswer, Failure, Success, check_ids, internal_error},
    handle::Handle,
};
use crate::world::{
    Answer, FaultKind, Went, World,
    error::{ApiError, Place},
};

/// A receipt handle and what to do with it: a call of its own, or an entry of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HandleRequest<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    receipt_handle: Cow<'a, str>,
    visibility_timeout: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HandleBatchRequest<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    entries: Vec<HandleRequest<'a>>,
}

impl World {
    pub(super) fn delete_message(&mut self, call: Call, request: HandleRequest) -> Answered<()> {
        let entered = self.enter(call, &request.queue_url)?;
        self.expire_where_faulty(entered);
        let result = self.delete_one(entered, &request, Place::Call);
        self.settle(entered.queue);
        result
    }

    pub(super) fn delete_message_batch(&mut self, call: Call, request: HandleBatchRequest) -> Answered {
        let kind = "DeleteMessageBatchRequestEntry";
        self.handle_batch(call, request, kind, |world, entered, entry| {
            world.delete_one(entered, entry, Place::BatchEntry)
        })
    }

    pub(super) fn change_message_visibility(&mut self, call: Call, request: HandleRequest) -> Answered<()> {
        let entered = self.enter(call, &request.queue_url)?;
        self.expire_where_faulty(entered);
        let result = self.change_one(call.now, entered, &request, Place::Call);
        self.settle(entered.queue);
        result
    }

    pub(super) fn change_message_visibility_batch(&mut self, call: Call, request: HandleBatchRequest) -> Answered {
        let kind = "ChangeMessageVisibilityBatchRequestEntry";
        self.handle_batch(call, request, kind, |world, entered, entry| {
            world.change_one(call.now, entered, entry, Place::BatchEntry)
        })
    }

    fn handle_batch(
        &mut self,
        call: Call,
        request: HandleBatchRequest,
        kind: &str,
        act: impl Fn(&mut Self, Entered, &HandleRequest) -> Answered<()>,
    ) -> Answered {
        let entered = self.enter(call, &request.queue_url)?;
        check_ids(kind, request.entries.iter().map(|entry| &*entry.id))?;
        self.expire_where_faulty(entered);
        let failing = self.failing_entries(entered, request.entries.len());
        let mut answer = BatchAnswer::with_capacity(request.entries.len());
        for (entry, fails) in request.entries.iter().zip(failing) {
            let result = if fails { Err(internal_error()) } else { act(self, entered, entry) };
            match result {
                Ok(()) => answer.successful.push(Success { id: entry.id.to_string() }),
                Err(error) => answer.failed.push(Failure::new(&entry.id, error)),
            }
        }
        self.settle(entered.queue);
        Answer::written(&answer)
    }

    fn expire_where_faulty(&mut self, entered: Entered) {
        if entered.fault == Some(FaultKind::VisibilityExpired) {
            self.queue_mut(entered.queue).expire_visibility();
        }
    }

    fn delete_one(&mut self, entered: Entered, request: &HandleRequest, place: Place) -> Answered<()> {
        let handle = self.read_handle(&request.receipt_handle)?;
        let queue = self.queue_mut(entered.queue);
        if entered.fault == Some(FaultKind::DuplicateDelivery)
            && let Some(handle) = handle
        {
            queue.store.reveal(handle.key);
            return Ok(());
        }
        queue.delete(&request.receipt_handle, handle, (place, Went::Deleted))
    }

    fn change_one(&mut self, now: i64, entered: Entered, request: &HandleRequest, place: Place) -> Answered<()> {
        let handle = self.read_handle(&request.receipt_handle)?;
        let seconds = match (request.visibility_timeout, place) {
            (Some(seconds), _) => seconds,
            // The model requires it in a call only; in an entry AWS takes it for 0.
            (None, Place::BatchEntry) => 0,
            (None, Place::Call) => return Err(ApiError::missing_parameter("VisibilityTimeout")),
        };
        self.queue_mut(entered.queue).change_visibility(now, &request.receipt_handle, handle, seconds, place)
    }

    fn read_handle(&self, text: &str) -> Result<Option<Handle>, ApiError> {
        if text.is_empty() {
            return Err(ApiError::missing_parameter("ReceiptHandle"));
        }
        Ok(Handle::read(text, self.tag))
    }
}
