//! Batches: what AWS checks of every batch, and its answer with a list of failures.

use serde::Serialize;

use super::{Entered, validate::is_plain};
use crate::world::{FaultKind, World, error::ApiError};

const ENTRIES_MAX: usize = 10;

/// A batch's answer: HTTP 200, whatever failed. A list without entries is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchAnswer<T> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) successful: Vec<T>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) failed: Vec<Failure>,
}

impl<T> BatchAnswer<T> {
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self { successful: Vec::with_capacity(entries), failed: Vec::new() }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Failure {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(super) fn new(id: &str, error: ApiError) -> Self {
        let code = error.shown_code();
        Self { id: id.to_owned(), sender_fault: error.status < 500, code, message: error.message }
    }
}

/// An entry that succeeded, where nothing but its id is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Success {
    pub(super) id: String,
}

/// Checks a batch's ids and number; `kind` is the operation's word for an entry.
pub(super) fn check_ids<'a>(kind: &str, ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), ApiError> {
    let refuse = |code, message: String| Err(ApiError::of_sqs(400, code, message));
    let count = ids.len();
    if count == 0 {
        let message = format!("There should be at least one {kind} in the request.");
        return refuse("AWS.SimpleQueueService.EmptyBatchRequest", message);
    }
    if count > ENTRIES_MAX {
        let message = format!("Maximum number of entries per request are {ENTRIES_MAX}. You have sent {count}.");
        return refuse("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message);
    }
    let mut seen: Vec<&str> = Vec::with_capacity(count);
    for id in ids {
        if id.len() > 80 || !is_plain(id) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
                           It can be at most 80 letters long.";
            return refuse("AWS.SimpleQueueService.InvalidBatchEntryId", message.to_owned());
        }
        if seen.contains(&id) {
            return refuse("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", format!("Id {id} repeated."));
        }
        seen.push(id);
    }
    Ok(())
}

impl World {
    /// Which entries the partial-batch-failure fault lets fail: each by a throw, at least one.
    pub(super) fn failing_entries(&mut self, entered: Entered, entries: usize) -> Vec<bool> {
        if entered.fault != Some(FaultKind::PartialBatchFailure) || entries == 0 {
            return vec![false; entries];
        }
        let mut failing: Vec<bool> = (0..entries).map(|_| self.rng.bool()).collect();
        failing[self.rng.usize(..entries)] = true;
        failing
    }
}

/// What an entry fails with under the partial-batch-failure fault.
pub(super) fn internal_error() -> ApiError {
    ApiError::plain(500, "InternalError", "We encountered an internal error. Please try again.")
}
