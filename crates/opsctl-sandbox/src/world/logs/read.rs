//! What reads: listings, a stream's events, searches.

use serde_json::{Value, json};

use super::{
    ApiError, Caller, Logs, invalid, no_stream,
    pattern::Pattern,
    request::{DescribeLogGroups, Read},
    store::{Event, Stream},
};
use crate::world::call::{Answered, Call, given};

/// Entries of a listing's page (API reference).
const LISTED_MAX: usize = 50;
const EVENTS_MAX: usize = 10_000;
const PAGE_BYTES_MAX: usize = 1_048_576;
/// Events that a search looks at for one page: AWS's pages may be empty, too, and have a token (how many it looks at is our assumption).
const SEARCHED_MAX: usize = 500;

impl Logs {
    pub(super) fn describe_log_groups(&self, call: Call, request: DescribeLogGroups) -> Answered<Value> {
        let Caller { account, region, .. } = call.caller;
        let DescribeLogGroups { log_group_name_prefix: prefix, log_group_name_pattern: part, limit, next_token } =
            &request;
        if prefix.is_some() && part.is_some() {
            return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
        }
        let groups = self.places.get(&(account.clone(), region.clone()));
        let fits = |name: &str| {
            prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
                && part.as_ref().is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
        };
        let groups = groups.into_iter().flatten().filter(|(name, _)| fits(name)).collect();
        page("logGroups", groups, *limit, next_token.as_deref(), |(name, group)| {
            let arn = format!("arn:aws:logs:{region}:{account}:log-group:{name}");
            json!({
                "logGroupName": name, "creationTime": group.created_at, "metricFilterCount": 0, "storedBytes": 0,
                "arn": format!("{arn}:*"), "logGroupArn": arn, "logGroupClass": "STANDARD",
            })
        })
    }

    pub(super) fn describe_log_streams(&self, call: Call, request: Read) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let group = self.group(caller, &request.log_group_name)?;
        let by_time = match request.order_by.as_deref() {
            None | Some("LogStreamName") => false,
            Some("LastEventTime") if request.log_stream_name_prefix.is_some() => {
                return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
            }
            Some("LastEventTime") => true,
            Some(other) => return Err(invalid(format!("Value '{other}' at 'orderBy' failed to satisfy constraint"))),
        };
        let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
        let mut streams: Vec<(&String, &Stream)> =
            group.shown(now).filter(|(name, _)| name.starts_with(prefix)).collect();
        if by_time {
            let last = |stream: &Stream| stream.arrived(now).map(|(_, event)| event.at).max();
            streams.sort_by_key(|(_, stream)| last(stream));
        }
        if request.descending {
            streams.reverse();
        }
        page("logStreams", streams, request.limit, request.next_token.as_deref(), |(name, stream)| {
            let arn = format!(
                "arn:aws:logs:{}:{}:log-group:{}:log-stream:{name}",
                caller.region, caller.account, request.log_group_name
            );
            let mut arrived = stream.arrived(now).map(|(_, event)| event);
            let first = arrived.next();
            let last = arrived.next_back().or(first);
            given(json!({
                "logStreamName": name, "creationTime": stream.created_at, "arn": arn, "storedBytes": 0,
                "firstEventTimestamp": first.map(|event| event.at),
                "lastEventTimestamp": last.map(|event| event.at),
                "lastIngestionTime": last.map(|event| event.ingested_at),
            }))
        })
    }

    pub(super) fn get_log_events(&self, call: Call, request: Read) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let group = self.group(caller, &request.log_group_name)?;
        let stream = group.streams.get(&request.log_stream_name).filter(|stream| stream.shows(now));
        let stream = stream.ok_or_else(no_stream)?;
        let limit = limit(request.limit, EVENTS_MAX)?;
        let token = request.next_token.as_deref().map(Token::read).transpose()?;
        let inside = |event: &Event| {
            request.start_time.is_none_or(|start| event.at >= start)
                && request.end_time.is_none_or(|end| event.at < end)
        };
        let fitting = || stream.arrived(now).filter(|(_, event)| inside(event));
        let mut events: Vec<(u64, &Event)> = match token {
            Some(Token::Forward(from)) => bounded(fitting().filter(|(number, _)| *number >= from), limit),
            None if request.start_from_head => bounded(fitting(), limit),
            Some(Token::Backward(before)) => bounded(fitting().rev().filter(|(number, _)| *number < before), limit),
            None => bounded(fitting().rev(), limit),
        };
        events.sort_by_key(|(number, _)| *number);
        let end = stream.first + stream.events.len() as u64;
        let edge = match token {
            Some(Token::Forward(at) | Token::Backward(at)) => at,
            None if request.start_from_head => stream.first,
            None => stream.arrived(now).next_back().map_or(end, |(number, _)| number + 1),
        };
        let forward = events.last().map_or(edge, |(number, _)| number + 1);
        let backward = events.first().map_or(edge, |(number, _)| *number);
        let shown: Vec<Value> = events.iter().map(|(_, event)| event_document(event)).collect();
        Ok(json!({
            "events": shown,
            "nextForwardToken": Token::Forward(forward).write(),
            "nextBackwardToken": Token::Backward(backward).write(),
        }))
    }

    pub(super) fn filter_log_events(&self, call: Call, request: Read) -> Answered<Value> {
        let Call { caller, now, .. } = call;
        let group = self.group(caller, &request.log_group_name)?;
        if !request.log_stream_names.is_empty() && request.log_stream_name_prefix.is_some() {
            return Err(invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters."));
        }
        if request.log_stream_names.iter().any(|name| !group.streams.get(name).is_some_and(|stream| stream.shows(now)))
        {
            return Err(no_stream());
        }
        let pattern = Pattern::read(request.filter_pattern.as_deref().unwrap_or_default())?;
        let limit = limit(request.limit, EVENTS_MAX)?;
        let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
        let wanted = |name: &str| {
            name.starts_with(prefix)
                && (request.log_stream_names.is_empty() || request.log_stream_names.iter().any(|wanted| wanted == name))
        };
        let mut all: Vec<(i64, &String, u64, &Event)> = Vec::new();
        for (name, stream) in group.shown(now).filter(|(name, _)| wanted(name)) {
            let inside = stream.arrived(now).filter(|(_, event)| {
                request.start_time.is_none_or(|start| event.at >= start)
                    && request.end_time.is_none_or(|end| event.at <= end)
            });
            all.extend(inside.map(|(number, event)| (event.at, name, number, event)));
        }
        all.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
        let from: usize = match &request.next_token {
            None => 0,
            Some(token) => token.strip_prefix("search/").and_then(|at| at.parse().ok()).ok_or_else(bad_token)?,
        };
        let (mut found, mut at) = (Vec::new(), from.min(all.len()));
        while at < all.len() && at - from < SEARCHED_MAX && found.len() < limit {
            let (_, name, number, event) = all[at];
            if pattern.fits(&event.text) {
                let mut document = event_document(event);
                document["logStreamName"] = name.as_str().into();
                document["eventId"] = format!("{:020}{number:036}", event.at).into();
                found.push(document);
            }
            at += 1;
        }
        let next = (at < all.len()).then(|| format!("search/{at}"));
        Ok(given(json!({ "events": found, "searchedLogStreams": [], "nextToken": next })))
    }
}

/// A place in a stream: forward from a number, or backward before one.
#[derive(Debug, Clone, Copy)]
enum Token {
    Forward(u64),
    Backward(u64),
}

impl Token {
    fn read(text: &str) -> Answered<Self> {
        let number = |digits: &str| digits.parse().map_err(|_| bad_token());
        match text.split_once('/') {
            Some(("f", digits)) => Ok(Self::Forward(number(digits)?)),
            Some(("b", digits)) => Ok(Self::Backward(number(digits)?)),
            _ => Err(bad_token()),
        }
    }

    fn write(self) -> String {
        match self {
            Self::Forward(number) => format!("f/{number:056}"),
            Self::Backward(number) => format!("b/{number:056}"),
        }
    }
}

fn bad_token() -> ApiError {
    invalid("The specified nextToken is invalid.")
}

fn limit(limit: Option<usize>, most: usize) -> Answered<usize> {
    let limit = limit.unwrap_or(most);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value less \
         than or equal to {most}"
    )))
}

fn bounded<'a>(events: impl Iterator<Item = (u64, &'a Event)>, limit: usize) -> Vec<(u64, &'a Event)> {
    let mut bytes = 0;
    let fits = |(_, event): &(u64, &Event)| {
        bytes += event.text.len() + 26;
        bytes <= PAGE_BYTES_MAX
    };
    events.take(limit).take_while(fits).collect()
}

fn event_document(event: &Event) -> Value {
    json!({ "timestamp": event.at, "ingestionTime": event.ingested_at, "message": event.text })
}

/// A listing's page: tokens are places in it.
fn page<T>(
    what: &str,
    all: Vec<T>,
    asked: Option<usize>,
    token: Option<&str>,
    show: impl Fn(T) -> Value,
) -> Answered<Value> {
    let limit = limit(asked, LISTED_MAX)?;
    let from: usize = match token {
        None => 0,
        Some(token) => token.strip_prefix("page/").and_then(|at| at.parse().ok()).ok_or_else(bad_token)?,
    };
    let next = (from.saturating_add(limit) < all.len()).then(|| format!("page/{}", from + limit));
    let page: Vec<Value> = all.into_iter().skip(from).take(limit).map(show).collect();
    Ok(given(json!({ what: page, "nextToken": next })))
}
