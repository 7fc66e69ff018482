//! CloudWatch Logs: groups, streams, lines; and [`Follower`], which reads a stream as it grows. Reads only.

mod follow;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

pub use follow::{Follower, Lacks, Tail};

use super::{
    CloudError, ErrorKind,
    pages::Pages,
    thin::{Protocol, Request, Service, Thin, from_json},
};
use crate::domain::{Text, log::LogLine};

/// Entries of a page of groups or streams (API reference).
const PAGE: u32 = 50;
/// Pages followed in one listing or search.
const PAGES_MAX: usize = 40;
const GET: &str = "logs:GetLogEvents";
/// Lines of one page: far below the 10,000 and 1 MiB that AWS allows, so that a page is shown soon.
const LINES_PAGE: u32 = 1_000;
/// Lines of a stream's end.
const LINES_LAST: u32 = 100;

const LOGS: Service = Service {
    name: "cloudwatchlogs",
    host: "logs",
    signing_name: "logs",
    protocol: Protocol::Json { target: "Logs_20140328" },
};

/// CloudWatch Logs of one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Logs {
    client: Thin,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Groups {
    log_groups: Option<Vec<Group>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    log_group_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Streams {
    log_streams: Option<Vec<Stream>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    log_stream_name: Option<String>,
}

/// Of `GetLogEvents` and `FilterLogEvents`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Events {
    events: Option<Vec<LogEvent>>,
    next_forward_token: Option<String>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct LogEvent {
    timestamp: Option<i64>,
    message: Option<String>,
}

/// Where a page of a stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// At the stream's first line.
    Start,
    /// At the first line written then or later.
    Time(Timestamp),
    /// Where an earlier page ended.
    Token(String),
}

/// Some lines of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// In the order of time.
    pub lines: Vec<LogLine>,
    /// Where it goes on. The same as was given: there is nothing more for now.
    pub next: Option<String>,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// In the order of time.
    pub lines: Vec<LogLine>,
    /// Whether there may be more: the search was cut off.
    pub is_cut: bool,
}

impl Logs {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        Self { client: Thin::new(&LOGS, shared, partition) }
    }

    /// Names of the log groups that start so, by name; 2,000 at most are followed.
    pub async fn groups(&self, prefix: &str) -> Result<Vec<String>, CloudError> {
        const ACTION: &str = "logs:DescribeLogGroups";
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let asked = json!({ "logGroupNamePrefix": prefix, "limit": PAGE, "nextToken": pages.token() });
            let page: Groups = self.client.call(ACTION, Request::Json(asked), from_json).await?;
            let names = page.log_groups.unwrap_or_default().into_iter().filter_map(|group| group.log_group_name);
            pages.add(names, page.next_token)?;
        }
        Ok(pages.found())
    }

    /// Whether there is a log group of that name.
    pub async fn has_group(&self, name: &str) -> Result<bool, CloudError> {
        // Names come in order: the one that is the prefix itself is the first.
        const ACTION: &str = "logs:DescribeLogGroups";
        let asked = Request::Json(json!({ "logGroupNamePrefix": name, "limit": 1 }));
        let page: Groups = self.client.call(ACTION, asked, from_json).await?;
        let groups = page.log_groups.unwrap_or_default();
        Ok(groups.iter().any(|group| group.log_group_name.as_deref() == Some(name)))
    }

    /// Names of a group's streams that start so; at most 2,000.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is no such group.
    pub async fn streams(&self, group: &str, prefix: &str) -> Result<Vec<String>, CloudError> {
        const ACTION: &str = "logs:DescribeLogStreams";
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let asked = json!({
                "logGroupName": group, "logStreamNamePrefix": prefix, "limit": PAGE, "nextToken": pages.token(),
            });
            let page: Streams = self.client.call(ACTION, Request::Json(asked), from_json).await?;
            let names = page.log_streams.unwrap_or_default().into_iter().filter_map(|stream| stream.log_stream_name);
            pages.add(names, page.next_token)?;
        }
        Ok(pages.found())
    }

    /// A page of a stream, forward.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: no such group, or no such stream (yet: it appears with its first line).
    pub async fn page(&self, group: &str, stream: &str, from: &From) -> Result<LogPage, CloudError> {
        let (since, token) = match from {
            From::Start => (None, None),
            From::Time(at) => (Some(at.as_millisecond()), None),
            From::Token(token) => (None, Some(token)),
        };
        let asked = json!({
            "logGroupName": group, "logStreamName": stream, "startFromHead": true, "limit": LINES_PAGE,
            "startTime": since, "nextToken": token,
        });
        let page: Events = self.client.call(GET, Request::Json(asked), from_json).await?;
        let lines = page.events.unwrap_or_default().into_iter().filter_map(line).collect();
        Ok(LogPage { lines, next: page.next_forward_token })
    }

    /// The last lines of a stream, in the order of time; 100 at most.
    pub async fn last(&self, group: &str, stream: &str) -> Result<Vec<LogLine>, CloudError> {
        let asked = json!({
            "logGroupName": group, "logStreamName": stream, "startFromHead": false, "limit": LINES_LAST,
        });
        let page: Events = self.client.call(GET, Request::Json(asked), from_json).await?;
        Ok(page.events.unwrap_or_default().into_iter().filter_map(line).collect())
    }

    /// The lines of a group that a pattern of CloudWatch's finds, from a time on; follows empty pages, which may have a token.
    pub async fn search(
        &self,
        group: &str,
        pattern: &str,
        since: Timestamp,
        lines_max: usize,
    ) -> Result<Search, CloudError> {
        const ACTION: &str = "logs:FilterLogEvents";
        let pattern = Some(pattern).filter(|pattern| !pattern.is_empty());
        let (mut search, mut token) = (Search { is_cut: true, ..Search::default() }, None::<String>);
        for _ in 0..PAGES_MAX {
            let asked = json!({
                "logGroupName": group, "filterPattern": pattern, "startTime": since.as_millisecond(),
                "nextToken": token.take(),
            });
            let page: Events = self.client.call(ACTION, Request::Json(asked), from_json).await?;
            search.lines.extend(page.events.unwrap_or_default().into_iter().filter_map(line));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                search.is_cut = false;
                break;
            }
            if search.lines.len() >= lines_max {
                break;
            }
        }
        search.is_cut |= search.lines.len() > lines_max;
        search.lines.truncate(lines_max);
        Ok(search)
    }
}

fn line(event: LogEvent) -> Option<LogLine> {
    let at = Timestamp::from_millisecond(event.timestamp?).ok()?;
    let message = event.message.unwrap_or_default();
    Some(LogLine { at, text: Text::line(message.trim_end_matches(['\n', '\r'])) })
}
