//! Logs Insights: `StartQuery`, whose answer is there at once, and what reads it.
//!
//! Of the language there are `fields`, `display`, `filter` (`=`, `!=`, `<`, `>`, `like`, `not like`, `in`, `and`), `parse` with a glob,
//! `stats` with `count`, `sum`, `avg`, `min`, `max` by fields and `bin(...)`, `sort`, `limit` and `dedup`; fields are those of a line
//! that is JSON, besides `@timestamp`, `@message`, `@logStream` and `@ingestionTime`. Or, functions and patterns there are not.

mod language;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ApiError, Logs, error, invalid};
use crate::world::{
    call::{Answered, Call, given},
    uuid,
};
use language::Step;
use run::Row;

/// Queries that are kept; log groups of one (API reference).
const QUERIES_MAX: usize = 100;
const GROUPS_MAX: usize = 50;
/// Rows unless a limit is given, and at most (API reference).
const ROWS: (usize, usize) = (10_000, 10_000);

#[derive(Debug, Default)]
pub(super) struct Queries {
    /// The newest last.
    kept: Vec<Query>,
}

#[derive(Debug)]
struct Query {
    id: String,
    text: String,
    groups: Vec<String>,
    at: i64,
    rows: Vec<Row>,
    /// Records that matched, that were looked at, and their bytes.
    statistics: (usize, usize, usize),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartQuery {
    log_group_name: Option<String>,
    #[serde(default)]
    log_group_names: Vec<String>,
    #[serde(default)]
    log_group_identifiers: Vec<String>,
    /// Seconds since 1970.
    start_time: i64,
    end_time: i64,
    #[serde(default)]
    query_string: String,
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OnQuery {
    query_id: Option<String>,
    log_group_name: Option<String>,
}

impl Logs {
    pub(super) fn start_query(&mut self, call: Call, request: StartQuery, rng: &mut fastrand::Rng) -> Answered<Value> {
        let StartQuery {
            log_group_name,
            log_group_names,
            log_group_identifiers,
            start_time,
            end_time,
            query_string,
            limit,
        } = request;
        let of_arn = |id: String| {
            id.split_once(":log-group:").map_or(id.clone(), |(_, name)| name.trim_end_matches(":*").to_owned())
        };
        let groups: Vec<String> = log_group_name
            .into_iter()
            .chain(log_group_names)
            .chain(log_group_identifiers.into_iter().map(of_arn))
            .collect();
        if groups.is_empty() || groups.len() > GROUPS_MAX {
            return Err(invalid(format!("From 1 to {GROUPS_MAX} log groups are queried.")));
        }
        if end_time < start_time {
            return Err(malformed("Query's end date and time is before its start."));
        }
        let (default, most) = ROWS;
        if limit.is_some_and(|limit| !(1..=most).contains(&limit)) {
            return Err(invalid(format!("limit must be between 1 and {most}")));
        }
        let steps = language::read(&query_string).map_err(|why| malformed(&why))?;
        let mut rows = Vec::new();
        let mut bytes = 0;
        for name in &groups {
            for (stream, kept) in self.group(call.caller, name)?.shown(call.now) {
                let inside = |at: i64| (start_time * 1_000..(end_time + 1) * 1_000).contains(&at);
                for (number, event) in kept.arrived(call.now).filter(|(_, event)| inside(event.at)) {
                    bytes += event.text.len();
                    rows.push(Row::of(stream, number, event));
                }
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.at));
        let scanned = rows.len();
        let (rows, matched) = run::run(rows, &steps, limit.unwrap_or(default));
        let id = uuid(rng);
        let statistics = (matched, scanned, bytes);
        self.queries.kept.push(Query { id: id.clone(), text: query_string, groups, at: call.now, rows, statistics });
        if self.queries.kept.len() > QUERIES_MAX {
            self.queries.kept.remove(0);
        }
        Ok(json!({ "queryId": id }))
    }

    pub(super) fn get_query_results(&self, request: OnQuery) -> Answered<Value> {
        let query = self.query(&request)?;
        let (matched, scanned, bytes) = query.statistics;
        Ok(json!({
            "status": "Complete",
            "results": query.rows.iter().map(Row::told).collect::<Vec<_>>(),
            "statistics": { "recordsMatched": matched as f64, "recordsScanned": scanned as f64, "bytesScanned": bytes as f64 },
        }))
    }

    /// A query is done before anybody could stop it.
    pub(super) fn stop_query(&self, request: OnQuery) -> Answered<Value> {
        let query = self.query(&request)?;
        Err(invalid(format!("Query {} is not in Running or Scheduled state", query.id)))
    }

    pub(super) fn describe_queries(&self, request: OnQuery) -> Answered<Value> {
        let wanted = |query: &&Query| request.log_group_name.as_ref().is_none_or(|name| query.groups.contains(name));
        let told = self.queries.kept.iter().rev().filter(wanted).map(|query| {
            given(json!({
                "queryId": query.id, "queryString": query.text, "status": "Complete", "createTime": query.at,
                "logGroupName": query.groups.first(),
            }))
        });
        Ok(json!({ "queries": told.collect::<Vec<_>>() }))
    }

    fn query(&self, request: &OnQuery) -> Answered<&Query> {
        let id = request.query_id.as_deref().unwrap_or_default();
        let known = self.queries.kept.iter().find(|query| query.id == id);
        known.ok_or_else(|| error("ResourceNotFoundException", "The specified query does not exist."))
    }
}

fn malformed(why: &str) -> ApiError {
    error("MalformedQueryException", why)
}

/// Fields of a row by name.
type Fields = BTreeMap<String, Value>;
