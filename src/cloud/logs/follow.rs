//! Reads a stream as it grows.

use jiff::{SignedDuration, Timestamp};

use super::{CloudError, ErrorKind, From, Logs};
use crate::domain::log::LogLine;

/// Pages of one look: a program that writes faster than that is caught up with at the next.
const PAGES_MAX: usize = 5;

/// Follows one stream: each look gives what was written since the last, every line once.
#[derive(Debug, Clone)]
pub struct Follower {
    group: String,
    stream: String,
    token: Option<String>,
    newest: Option<Timestamp>,
    lines: u64,
    lacks: Option<Lacks>,
}

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// The log group.
    Group,
    /// The stream: it appears with the first line.
    Stream,
}

impl Follower {
    /// From the stream's first line on.
    pub fn new(group: &str, stream: &str) -> Self {
        Self { group: group.to_owned(), stream: stream.to_owned(), token: None, newest: None, lines: 0, lacks: None }
    }

    /// Log group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Stream.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Lines read so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// What was not there at the last look.
    pub fn lacks(&self) -> Option<Lacks> {
        self.lacks
    }

    /// What was written since the last look; nothing where the stream is not there (yet): see [`Follower::lacks`].
    ///
    /// # Errors
    /// What was read before a page failed is given first; the next look tells the error if it lasts.
    pub async fn look(&mut self, logs: &Logs) -> Result<Vec<LogLine>, CloudError> {
        let mut lines = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = match logs.page(&self.group, &self.stream, &self.from()).await {
                Ok(page) => page,
                Err(error) if error.kind == ErrorKind::NotFound => {
                    // AWS tells them apart in words only.
                    let is_stream = error.message.as_str().contains("stream");
                    self.lacks = Some(if is_stream { Lacks::Stream } else { Lacks::Group });
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
            self.lines += page.lines.len() as u64;
            lines.extend(page.lines);
            // The end: the token repeats, or there is none.
            let is_end = page.next.is_none() || page.next == self.token;
            self.token = page.next.or(self.token.take());
            if is_end {
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
