//! CloudWatch Logs on the pure world: groups, streams, events, with AWS's pages, limits and words.
//!
//! Lines that tasks write are shown [`DELIVERY`] after they were written, and a stream appears with its first line. Everything is
//! bounded: the oldest events of a stream and the oldest streams of a group go. Not simulated: queries, subscriptions, metric
//! filters, JSON patterns.

mod pattern;
mod put;
mod read;
mod request;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ApiError, Caller, World};
use store::Group;
pub use store::Line;

/// From a program's line until CloudWatch shows it, milliseconds (our assumption; AWS tells no figure).
const DELIVERY: i64 = 1_500;

/// Account and region.
type PlaceKey = (String, String);

/// CloudWatch Logs of every account and region.
#[derive(Debug, Default)]
pub struct Logs {
    places: BTreeMap<PlaceKey, BTreeMap<String, Group>>,
}

impl World {
    /// One call of CloudWatch Logs: `body` is its awsJson1_1 document, and so is the answer.
    ///
    /// # Errors
    /// As CloudWatch Logs words them.
    pub fn logs(&mut self, now: Timestamp, caller: &Caller, action: &str, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        let now = self.advance(now);
        let name = format!("logs:{action}");
        if self.denials.iter().any(|denial| denial.refuses(&caller.account, None, &name)) {
            return Err(super::ecs::denied(caller, &name));
        }
        Ok(self.logs.call(now, caller, action, body)?.to_string().into_bytes())
    }
}

impl Logs {
    fn call(&mut self, now: i64, caller: &Caller, action: &str, body: &[u8]) -> Result<Value, ApiError> {
        match action {
            "CreateLogGroup" => self.create_log_group(now, caller, &read(body)?),
            "CreateLogStream" => self.create_log_stream(now, caller, &read(body)?),
            "DeleteLogGroup" => self.delete_log_group(caller, &read(body)?),
            "DeleteLogStream" => self.delete_log_stream(caller, &read(body)?),
            "PutLogEvents" => self.put_log_events(now, caller, read(body)?),
            "DescribeLogGroups" => self.describe_log_groups(caller, &read(body)?),
            "DescribeLogStreams" => self.describe_log_streams(now, caller, &read(body)?),
            "GetLogEvents" => self.get_log_events(now, caller, &read(body)?),
            "FilterLogEvents" => self.filter_log_events(now, caller, &read(body)?),
            _ => Err(ApiError::plain(400, "UnknownOperationException", "")),
        }
    }

    /// Makes a group where it is not there.
    pub fn create_group(&mut self, at: i64, account: &str, region: &str, group: &str) {
        self.groups(account, region).entry(group.to_owned()).or_insert_with(|| Group::new(at));
    }

    /// Takes a group away with all it holds; false: there was none.
    pub fn delete_group(&mut self, account: &str, region: &str, group: &str) -> bool {
        self.groups(account, region).remove(group).is_some()
    }

    /// Whether a group is there.
    pub fn has_group(&self, account: &str, region: &str, group: &str) -> bool {
        let groups = self.places.get(&(account.to_owned(), region.to_owned()));
        groups.is_some_and(|groups| groups.contains_key(group))
    }

    /// Lines that a program writes, some of them perhaps later than now: each shows after its own time. Into a group that is not there
    /// nothing is written.
    pub fn write(&mut self, account: &str, region: &str, group: &str, stream: &str, lines: Vec<Line>) {
        if let Some(group) = self.groups(account, region).get_mut(group) {
            let first = lines.first().map_or(0, |line| line.at);
            let stream = group.stream(stream, first);
            lines.into_iter().for_each(|line| stream.add(line.at, line.at + DELIVERY, line.text));
        }
    }

    /// A program has ended: it writes nothing after that.
    pub fn cut(&mut self, account: &str, region: &str, group: &str, stream: &str, at: i64) {
        let group = self.groups(account, region).get_mut(group);
        if let Some(stream) = group.and_then(|group| group.streams.get_mut(stream)) {
            stream.cut(at);
        }
    }

    fn groups(&mut self, account: &str, region: &str) -> &mut BTreeMap<String, Group> {
        self.places.entry((account.to_owned(), region.to_owned())).or_default()
    }

    fn group(&self, caller: &Caller, name: &str) -> Result<&Group, ApiError> {
        let groups = self.places.get(&(caller.account.clone(), caller.region.clone()));
        groups.and_then(|groups| groups.get(name)).ok_or_else(no_group)
    }

    fn group_mut(&mut self, caller: &Caller, name: &str) -> Result<&mut Group, ApiError> {
        self.groups(&caller.account, &caller.region).get_mut(name).ok_or_else(no_group)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|why| ApiError::plain(400, "SerializationException", format!("The request could not be read: {why}")))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::plain(400, "InvalidParameterException", message)
}

fn no_group() -> ApiError {
    ApiError::plain(400, "ResourceNotFoundException", "The specified log group does not exist.")
}

fn no_stream() -> ApiError {
    ApiError::plain(400, "ResourceNotFoundException", "The specified log stream does not exist.")
}

fn exists(what: &str) -> ApiError {
    let message = format!("The specified log {what} already exists");
    ApiError::plain(400, "ResourceAlreadyExistsException", message)
}
