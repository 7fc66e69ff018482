//! What writes: groups, streams, events.

use serde_json::{Value, json};

use super::{
    Caller, Logs, exists, invalid, no_group, no_stream,
    request::OfGroup,
    store::{Group, Stream},
};
use crate::world::call::{Answered, Call, given};

/// Limits of `PutLogEvents` (API reference).
const EVENTS_MAX: usize = 10_000;
const BATCH_BYTES_MAX: usize = 1_048_576;
const EVENT_BYTES_MORE: usize = 26;
const DAY: i64 = 86_400_000;
const TOO_OLD: i64 = 14 * DAY;
const TOO_NEW: i64 = 2 * 3_600_000;

impl Logs {
    pub(super) fn create_log_group(&mut self, call: Call, request: OfGroup) -> Answered<()> {
        let name = request.log_group_name.as_str();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte);
        if name.is_empty() || name.len() > 512 || !name.bytes().all(plain) {
            return Err(invalid(format!(
                "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
            )));
        }
        let groups = self.groups(&call.caller.account, &call.caller.region);
        if groups.contains_key(name) {
            return Err(exists("group"));
        }
        groups.insert(name.to_owned(), Group::new(call.now));
        Ok(())
    }

    pub(super) fn create_log_stream(&mut self, call: Call, request: OfGroup) -> Answered<()> {
        let name = request.log_stream_name.as_str();
        if name.is_empty() || name.len() > 512 || name.contains([':', '*']) {
            return Err(invalid(format!(
                "1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: [^:*]*"
            )));
        }
        let group = self.group_mut(call.caller, &request.log_group_name)?;
        if group.streams.contains_key(name) {
            return Err(exists("stream"));
        }
        *group.stream(name, call.now) = Stream::new(call.now, true);
        Ok(())
    }

    pub(super) fn delete_log_group(&mut self, call: Call, request: OfGroup) -> Answered<()> {
        let Caller { account, region, .. } = call.caller;
        if self.delete_group(account, region, &request.log_group_name) { Ok(()) } else { Err(no_group()) }
    }

    pub(super) fn delete_log_stream(&mut self, call: Call, request: OfGroup) -> Answered<()> {
        let group = self.group_mut(call.caller, &request.log_group_name)?;
        group.streams.remove(&request.log_stream_name).map(drop).ok_or_else(no_stream)
    }

    pub(super) fn put_log_events(&mut self, call: Call, request: OfGroup) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let OfGroup { log_group_name, log_stream_name, log_events } = request;
        let stream =
            self.group_mut(caller, &log_group_name)?.streams.get_mut(&log_stream_name).ok_or_else(no_stream)?;
        if log_events.is_empty() || log_events.len() > EVENTS_MAX {
            return Err(invalid(format!(
                "Log events in a single PutLogEvents request must be between 1 and {EVENTS_MAX}."
            )));
        }
        let bytes: usize = log_events.iter().map(|event| event.message.len() + EVENT_BYTES_MORE).sum();
        if bytes > BATCH_BYTES_MAX {
            return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")));
        }
        if log_events.windows(2).any(|pair| pair[1].timestamp < pair[0].timestamp) {
            return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
        }
        let span = log_events.last().map_or(0, |event| event.timestamp) - log_events[0].timestamp;
        if span > DAY {
            return Err(invalid(
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
            ));
        }
        let old = log_events.iter().take_while(|event| event.timestamp < now - TOO_OLD).count();
        let rejected = given(json!({
            "tooOldLogEventEndIndex": (old > 0).then_some(old),
            "tooNewLogEventStartIndex": log_events.iter().position(|event| event.timestamp > now + TOO_NEW),
        }));
        for event in log_events.into_iter().skip(old).filter(|event| event.timestamp <= now + TOO_NEW) {
            stream.add(event.timestamp, now, event.message);
        }
        Ok(given(json!({
            "nextSequenceToken": format!("{:056}", stream.first + stream.events.len() as u64),
            "rejectedLogEventsInfo": (rejected != json!({})).then_some(rejected),
        })))
    }
}
