//! CloudWatch Logs: groups, streams, lines; and [`Follower`], which reads a stream as it grows. Reads only.

mod follow;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use jiff::Timestamp;
use serde_json::{Value, json};

pub use follow::{Follower, Lacks, Tail};

use super::{
    CloudError, ErrorKind,
    pages::Pages,
    thin::{Protocol, Request, Service, Thin, Told as _, from_json},
};
use crate::domain::{LogLine, Text};

/// Entries of a page of groups or streams (API reference).
const PAGE: u32 = 50;
const PAGES_MAX: usize = 40;
const GROUPS: &str = "logs:DescribeLogGroups";
const GET: &str = "logs:GetLogEvents";
/// Lines of one page: far below the 10,000 and 1 MiB that AWS allows, so that a page is shown soon.
const LINES_PAGE: u32 = 1_000;
/// Lines of a stream's end.
const LINES_LAST: u32 = 100;

const LOGS: Service = Service {
    name: "cloudwatchlogs",
    host: "logs",
    signing_name: "logs",
    protocol: Protocol::Json { version: "1.1", target: "Logs_20140328" },
};

#[derive(Debug, Clone)]
pub struct Logs {
    client: Thin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// At the stream's first line.
    Start,
    /// At the first line written then or later.
    Time(Timestamp),
    /// Where an earlier page ended.
    Token(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// In the order of time.
    pub lines: Vec<LogLine>,
    /// Where it goes on. The same as was given: there is nothing more for now.
    pub next: Option<String>,
}

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
        let given = json!({ "logGroupNamePrefix": prefix, "limit": PAGE });
        self.names(GROUPS, "logGroups", "logGroupName", given).await
    }

    /// Whether there is a log group of that name.
    pub async fn has_group(&self, name: &str) -> Result<bool, CloudError> {
        // Names come in order: the one that is the prefix itself is the first.
        let page = self.ask(GROUPS, json!({ "logGroupNamePrefix": name, "limit": 1 })).await?;
        Ok(page.list("logGroups").iter().any(|group| group.word("logGroupName") == Some(name)))
    }

    /// Names of a group's streams that start so; at most 2,000.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is no such group.
    pub async fn streams(&self, group: &str, prefix: &str) -> Result<Vec<String>, CloudError> {
        const ACTION: &str = "logs:DescribeLogStreams";
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let given = json!({ "logGroupName": group, "logStreamNamePrefix": prefix, "limit": PAGE });
        self.names(ACTION, "logStreams", "logStreamName", given).await
    }

    /// What the entries of the list of that name say under `name`, all pages.
    async fn names(
        &self,
        action: &'static str,
        list: &str,
        name: &str,
        mut given: Value,
    ) -> Result<Vec<String>, CloudError> {
        let mut pages = Pages::new(action, PAGES_MAX);
        while pages.more()? {
            given["nextToken"] = pages.token().into();
            let page = self.ask(action, given.clone()).await?;
            let names = page.list(list).iter().filter_map(|entry| entry.word(name).map(str::to_owned));
            pages.add(names, page.word("nextToken").map(str::to_owned))?;
        }
        Ok(pages.found())
    }

    async fn ask(&self, action: &'static str, given: Value) -> Result<Value, CloudError> {
        self.client.call(action, Request::Json(given), from_json).await
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
        let page = self.ask(GET, asked).await?;
        Ok(LogPage { lines: lines(&page).collect(), next: page.word("nextForwardToken").map(str::to_owned) })
    }

    /// The last lines of a stream, in the order of time; 100 at most.
    pub async fn last(&self, group: &str, stream: &str) -> Result<Vec<LogLine>, CloudError> {
        let asked = json!({
            "logGroupName": group, "logStreamName": stream, "startFromHead": false, "limit": LINES_LAST,
        });
        Ok(lines(&self.ask(GET, asked).await?).collect())
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
            let page = self.ask(ACTION, asked).await?;
            search.lines.extend(lines(&page));
            token = page.word("nextToken").filter(|token| !token.is_empty()).map(str::to_owned);
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

fn lines(page: &Value) -> impl Iterator<Item = LogLine> {
    page.list("events").iter().filter_map(|event| {
        let at = Timestamp::from_millisecond(event.number("timestamp")?).ok()?;
        let message = event.word("message").unwrap_or_default();
        Some(LogLine { at, text: Text::line(message.trim_end_matches(['\n', '\r'])) })
    })
}
