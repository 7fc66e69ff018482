//! Reads a stream as it grows.

use jiff::{SignedDuration, Timestamp};

use super::{CloudError, ErrorKind, From, Logs};
use crate::domain::LogLine;

/// Pages of one look: a program that writes faster than that is caught up with at the next.
const PAGES_MAX: usize = 5;

/// Follows one stream: each look gives what was written since the last, every line once.
#[derive(Debug, Clone)]
pub struct Follower {
    pub group: String,
    pub stream: String,
    token: Option<String>,
    newest: Option<Timestamp>,
    last: Option<LogLine>,
    pub lines: u64,
    pub lacks: Option<Lacks>,
    /// Whether the last look came to the end of what was there; also where nothing was there.
    pub is_at_end: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    Group,
    /// The stream: it appears with the first line.
    Stream,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// In the order of time.
    pub lines: Vec<LogLine>,
    /// Whether there may be lines before them that no look has come to.
    pub has_gap: bool,
}

impl Follower {
    /// From the stream's first line on.
    pub fn new(group: &str, stream: &str) -> Self {
        Self {
            group: group.to_owned(),
            stream: stream.to_owned(),
            token: None,
            newest: None,
            last: None,
            lines: 0,
            lacks: None,
            is_at_end: false,
        }
    }

    /// The last lines of the stream that no look has come to. What is between is not read, and a look after this one would tell these
    /// lines twice.
    pub async fn tail(&mut self, logs: &Logs) -> Result<Tail, CloudError> {
        let mut lines = logs.last(&self.group, &self.stream).await?;
        let known = self.last.as_ref().and_then(|last| lines.iter().rposition(|line| line == last));
        if let Some(known) = known {
            lines.drain(..=known);
        }
        lines.retain(|line| self.newest.is_none_or(|newest| line.at >= newest));
        self.lines += lines.len() as u64;
        self.is_at_end |= known.is_some();
        Ok(Tail { lines, has_gap: known.is_none() })
    }

    /// What was written since the last look; nothing where the stream is not there (yet): see [`Follower::lacks`].
    ///
    /// # Errors
    /// What was read before a page failed is given first; the next look tells the error if it lasts.
    pub async fn look(&mut self, logs: &Logs) -> Result<Vec<LogLine>, CloudError> {
        let mut lines = Vec::new();
        self.is_at_end = false;
        for _ in 0..PAGES_MAX {
            let page = match logs.page(&self.group, &self.stream, &self.from()).await {
                Ok(page) => page,
                Err(error) if error.kind == ErrorKind::NotFound => {
                    // AWS tells them apart in words only.
                    let is_stream = error.message.as_str().contains("stream");
                    self.lacks = Some(if is_stream { Lacks::Stream } else { Lacks::Group });
                    self.is_at_end = true;
                    break;
                }
                // A token lives for 24 hours: go on by time.
                Err(error) if error.kind == ErrorKind::Invalid && self.token.is_some() => {
                    self.token = None;
                    continue;
                }
                Err(error) if lines.is_empty() => return Err(error),
                Err(_) => break,
            };
            self.lacks = None;
            self.newest = page.lines.last().map(|line| line.at).or(self.newest);
            self.last = page.lines.last().cloned().or(self.last.take());
            self.lines += page.lines.len() as u64;
            lines.extend(page.lines);
            // The end: the token repeats, or there is none.
            self.is_at_end = page.next.is_none() || page.next == self.token;
            self.token = page.next.or(self.token.take());
            if self.is_at_end {
                break;
            }
        }
        Ok(lines)
    }

    fn from(&self) -> From {
        match (&self.token, self.newest) {
            (Some(token), _) => From::Token(token.clone()),
            (None, Some(newest)) => From::Time(newest.saturating_add(SignedDuration::from_millis(1)).unwrap_or(newest)),
            (None, None) => From::Start,
        }
    }
}
