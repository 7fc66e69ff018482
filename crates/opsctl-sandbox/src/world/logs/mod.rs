//! CloudWatch Logs on the pure world: groups, streams, events, with AWS's pages, limits and words.
//!
//! Lines that tasks write are shown [`DELIVERY`] after they were written, and a stream appears with its first line. Everything is
//! bounded: the oldest events of a stream and the oldest streams of a group go. Not simulated: live tail, subscriptions,
//! metric filters, JSON patterns.

mod pattern;
mod put;
mod query;
mod read;
mod request;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{
    ApiError, Caller,
    call::told,
    error::{error, invalid},
    service::{JSON_1_1, Protocol, ServiceDef, does},
};
use store::Group;
pub use store::Line;

/// From a program's line until CloudWatch shows it, milliseconds (our assumption; AWS tells no figure).
const DELIVERY: i64 = 1_500;

type PlaceKey = (String, String);

#[derive(Debug, Default)]
pub struct Logs {
    places: BTreeMap<PlaceKey, BTreeMap<String, Group>>,
    queries: query::Queries,
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "Logs_20140328", content_type: JSON_1_1, shapes: None },
    ..ServiceDef::new(
        "logs",
        &[
            ("CreateLogGroup", does!(logs.create_log_group)),
            ("CreateLogStream", does!(logs.create_log_stream)),
            ("DeleteLogGroup", does!(logs.delete_log_group)),
            ("DeleteLogStream", does!(logs.delete_log_stream)),
            ("PutLogEvents", does!(logs.put_log_events)),
            ("DescribeLogGroups", does!(logs.describe_log_groups)),
            ("DescribeLogStreams", does!(logs.describe_log_streams)),
            ("GetLogEvents", does!(logs.get_log_events)),
            ("FilterLogEvents", does!(logs.filter_log_events)),
            ("StartQuery", |world, call, input| told(world.logs.start_query(call, input.read()?, &mut world.rng))),
            ("GetQueryResults", |world, _, input| told(world.logs.get_query_results(input.read()?))),
            ("StopQuery", |world, _, input| told(world.logs.stop_query(input.read()?))),
            ("DescribeQueries", |world, _, input| told(world.logs.describe_queries(input.read()?))),
        ],
    )
};

impl Logs {
    /// Makes a group where it is not there.
    pub fn create_group(&mut self, at: i64, account: &str, region: &str, group: &str) {
        self.groups(account, region).entry(group.to_owned()).or_insert_with(|| Group::new(at));
    }

    /// Takes a group away with all it holds; false: there was none.
    pub fn delete_group(&mut self, account: &str, region: &str, group: &str) -> bool {
        self.groups(account, region).remove(group).is_some()
    }

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

fn no_group() -> ApiError {
    error("ResourceNotFoundException", "The specified log group does not exist.")
}

fn no_stream() -> ApiError {
    error("ResourceNotFoundException", "The specified log stream does not exist.")
}

fn exists(what: &str) -> ApiError {
    let message = format!("The specified log {what} already exists");
    error("ResourceAlreadyExistsException", message)
}
