//! CloudWatch Logs: groups, streams, lines; and [`Follower`], which reads a stream as it grows. Reads only.

mod follow;

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::{Client, config::retry::RetryPartition, types::OutputLogEvent};
use jiff::Timestamp;

pub use follow::{Follower, Lacks, Tail};

use super::{CloudError, ErrorKind, classify, pages::Pages};
use crate::domain::{Text, log::LogLine};

/// Entries of a page of groups or streams (API reference).
const PAGE: i32 = 50;
/// Pages followed in one listing or search.
const PAGES_MAX: usize = 40;
/// Lines of one page: far below the 10,000 and 1 MiB that AWS allows, so that a page is shown soon.
const LINES_PAGE: i32 = 1_000;
/// Lines of a stream's end.
const LINES_LAST: i32 = 100;

/// CloudWatch Logs of one environment. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    client: Client,
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
        let builder = aws_sdk_cloudwatchlogs::config::Builder::from(shared).retry_partition(partition);
        Self { client: Client::from_conf(builder.build()) }
    }

    /// Names of the log groups that start so, by name; 2,000 at most are followed.
    pub async fn groups(&self, prefix: &str) -> Result<Vec<String>, CloudError> {
        const ACTION: &str = "logs:DescribeLogGroups";
        let first = self.client.describe_log_groups().log_group_name_prefix(prefix).limit(PAGE);
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            let names = page.log_groups.unwrap_or_default().into_iter().filter_map(|group| group.log_group_name);
            pages.add(names, page.next_token)?;
        }
        Ok(pages.found())
    }

    /// Whether there is a log group of that name.
    pub async fn has_group(&self, name: &str) -> Result<bool, CloudError> {
        // Names come in order: the one that is the prefix itself is the first.
        const ACTION: &str = "logs:DescribeLogGroups";
        let page = self.client.describe_log_groups().log_group_name_prefix(name).limit(1).send().await;
        let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
        Ok(page.log_groups().iter().any(|group| group.log_group_name() == Some(name)))
    }

    /// Names of a group's streams that start so; at most 2,000.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is no such group.
    pub async fn streams(&self, group: &str, prefix: &str) -> Result<Vec<String>, CloudError> {
        const ACTION: &str = "logs:DescribeLogStreams";
        let first = self.client.describe_log_streams().log_group_name(group).limit(PAGE);
        let first = first.set_log_stream_name_prefix(Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()));
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
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
        const ACTION: &str = "logs:GetLogEvents";
        let call = self.client.get_log_events().log_group_name(group).log_stream_name(stream);
        let call = call.start_from_head(true).limit(LINES_PAGE);
        let call = match from {
            From::Start => call,
            From::Time(at) => call.start_time(at.as_millisecond()),
            From::Token(token) => call.next_token(token),
        };
        let page = call.send().await.map_err(|error| classify::from_sdk(ACTION, error))?;
        let lines = page.events.unwrap_or_default().into_iter().filter_map(line).collect();
        Ok(LogPage { lines, next: page.next_forward_token })
    }

    /// The last lines of a stream, in the order of time; 100 at most.
    pub async fn last(&self, group: &str, stream: &str) -> Result<Vec<LogLine>, CloudError> {
        const ACTION: &str = "logs:GetLogEvents";
        let call = self.client.get_log_events().log_group_name(group).log_stream_name(stream);
        let page = call.start_from_head(false).limit(LINES_LAST).send().await;
        let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
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
        let first = self.client.filter_log_events().log_group_name(group).start_time(since.as_millisecond());
        let first = first.set_filter_pattern(Some(pattern.to_owned()).filter(|pattern| !pattern.is_empty()));
        let (mut search, mut token) = (Search { is_cut: true, ..Search::default() }, None::<String>);
        for _ in 0..PAGES_MAX {
            let page = first.clone().set_next_token(token.take()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            let events = page.events.unwrap_or_default().into_iter();
            search.lines.extend(events.filter_map(|event| read(event.timestamp, event.message)));
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

impl fmt::Debug for Logs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Logs").finish_non_exhaustive()
    }
}

fn line(event: OutputLogEvent) -> Option<LogLine> {
    read(event.timestamp, event.message)
}

fn read(at: Option<i64>, message: Option<String>) -> Option<LogLine> {
    let at = Timestamp::from_millisecond(at?).ok()?;
    let message = message.unwrap_or_default();
    Some(LogLine { at, text: Text::line(message.trim_end_matches(['\n', '\r'])) })
}
