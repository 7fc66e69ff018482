//! What somebody has acknowledged: it is left out of Home until a time, or until it gets clearly worse. Each acknowledgement, and each
//! that was taken back, is a line in `acknowledged.jsonl` of the state folder.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{EnvironmentName, Text},
    journal::StateFolder,
    observe::{Kind, Severity, Subject, Verdict},
};

/// The longest that something can be acknowledged for.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Bytes read at most; the newest count.
const BYTES_MAX: u64 = 8 * 1_048_576;
/// What has doubled is clearly worse, and by at least so many messages.
const MORE_MIN: u64 = 5;

/// A line: something was acknowledged, or that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// By whom, as far as the system tells.
    pub by: Text,
    /// What.
    pub what: What,
    /// None: taken back.
    pub acknowledged: Option<Acknowledged>,
}

/// What is acknowledged: a thing of an environment; of an environment itself only what of this sort is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct What {
    environment: EnvironmentName,
    subject: Subject,
    kind: Option<Kind>,
}

/// Until when, why, and how bad it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// It comes back then.
    pub until: Timestamp,
    /// Why, in somebody's words.
    pub reason: Text,
    /// How bad it was.
    pub severity: Severity,
    /// About how many messages it was about.
    pub messages: u64,
}

/// How an acknowledgement stands to what is seen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Holds,
    /// It has come to its end.
    Ended,
    /// What it is about got clearly worse.
    Worse,
}

/// The latest line on each thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    lines: Vec<Line>,
}

impl What {
    /// What a verdict is about.
    pub fn of(verdict: &Verdict) -> Self {
        let kind = (!verdict.subject.is_one()).then_some(verdict.kind);
        Self { environment: verdict.environment.clone(), subject: verdict.subject.clone(), kind }
    }

    fn is(&self, verdict: &Verdict) -> bool {
        self.environment == verdict.environment
            && self.subject == verdict.subject
            && self.kind.is_none_or(|kind| kind == verdict.kind)
    }
}

impl Book {
    /// Of these lines, the oldest first.
    pub fn of(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut book = Self::default();
        lines.into_iter().for_each(|line| book.take(line));
        book
    }

    /// What was said of this last, and how it stands now; none: it was never acknowledged, or that was taken back.
    pub fn on(&self, verdict: &Verdict, now: Timestamp) -> Option<(&Line, &Acknowledged, Standing)> {
        let line = self.lines.iter().find(|line| line.what.is(verdict))?;
        let acknowledged = line.acknowledged.as_ref()?;
        let more = verdict.messages.saturating_sub(acknowledged.messages);
        let has_doubled = more >= acknowledged.messages && more >= MORE_MIN;
        let standing = if now >= acknowledged.until {
            Standing::Ended
        } else if verdict.severity < acknowledged.severity || has_doubled {
            Standing::Worse
        } else {
            Standing::Holds
        };
        Some((line, acknowledged, standing))
    }

    /// Whether this is left out now.
    pub fn hides(&self, verdict: &Verdict, now: Timestamp) -> bool {
        matches!(self.on(verdict, now), Some((_, _, Standing::Holds)))
    }

    fn take(&mut self, line: Line) {
        self.lines.retain(|known| known.what != line.what);
        self.lines.push(line);
    }

    /// Reads it; a file that is not there holds nothing, a last line that is not whole was never confirmed.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub(super) fn read(state: &StateFolder) -> io::Result<Self> {
        let mut book = Self::default();
        let mut file = match File::open(path(state)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(book),
            Err(error) => return Err(error),
        };
        let excess = file.metadata()?.len().saturating_sub(BYTES_MAX);
        io::Seek::seek(&mut file, io::SeekFrom::Start(excess))?;
        for line in BufReader::new(file.take(BYTES_MAX)).split(b'\n') {
            if let Ok(line) = serde_json::from_slice(&line?) {
                book.take(line);
            }
        }
        Ok(book)
    }

    /// Writes a line, on disk before it returns, and reads what holds now, lines of others included.
    ///
    /// # Errors
    /// It can't be written or read.
    pub(super) fn write(state: &StateFolder, line: &Line) -> io::Result<Self> {
        let path = path(state);
        DirBuilder::new().recursive(true).mode(0o700).create(state.path())?;
        let is_new = !path.exists();
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.lock()?;
        // A line that broke off must not swallow this one.
        let mut text = vec![b'\n'];
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.sync_all()?;
        if is_new {
            File::open(state.path())?.sync_all()?;
        }
        Self::read(state)
    }
}

fn path(state: &StateFolder) -> PathBuf {
    state.path().join("acknowledged.jsonl")
}

/// Takes `4h consumers are being mended`: how long, else `otherwise`; and why.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn parse(text: &str, otherwise: SignedDuration) -> Result<(SignedDuration, Text), &'static str> {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (lasts, reason) = match duration(first) {
        Some(lasts) => (lasts, rest.trim()),
        None => (otherwise, text),
    };
    if reason.is_empty() {
        return Err("say why: whoever looks next reads it");
    }
    if lasts > LONGEST {
        return Err("30 days are the longest");
    }
    Ok((lasts, Text::line(reason)))
}

fn duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => return None,
    };
    Some(SignedDuration::from_mins(i64::from(number) * minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::QueueName, observe::verdict::Rank};

    fn now() -> Timestamp {
        "2026-11-21T03:00:00Z".parse().expect("a time")
    }

    fn verdict(severity: Severity, messages: u64) -> Verdict {
        let (environment, subject) = (EnvironmentName("prod".into()), Subject::Queue(QueueName("orders-dlq".into())));
        let (kind, reason, rank) = (Kind::DeadLetters, Text::default(), Rank::default());
        Verdict { severity, environment, subject, kind, reason, messages, rank }
    }

    fn line(verdict: &Verdict, hours: i64) -> Line {
        let Verdict { severity, messages, .. } = *verdict;
        let until = now() + SignedDuration::from_hours(hours);
        let acknowledged = Acknowledged { until, reason: Text::from("known"), severity, messages };
        Line { at: now(), by: Text::from("nina"), what: What::of(verdict), acknowledged: Some(acknowledged) }
    }

    #[test]
    fn it_holds_until_its_end_or_until_it_is_clearly_worse() {
        let known = verdict(Severity::Warning, 40);
        let mut book = Book::default();
        book.take(line(&known, 4));
        let standing = |verdict: &Verdict, at| book.on(verdict, at).map(|(.., standing)| standing);
        assert_eq!(standing(&known, now()), Some(Standing::Holds));
        assert_eq!(standing(&verdict(Severity::Notice, 0), now()), Some(Standing::Holds));
        assert_eq!(standing(&verdict(Severity::Warning, 79), now()), Some(Standing::Holds));
        assert_eq!(standing(&verdict(Severity::Warning, 80), now()), Some(Standing::Worse));
        assert_eq!(standing(&verdict(Severity::Critical, 1), now()), Some(Standing::Worse));
        assert_eq!(standing(&known, now() + SignedDuration::from_hours(4)), Some(Standing::Ended));
        let other = Verdict { environment: EnvironmentName("dev".into()), ..known.clone() };
        assert_eq!(standing(&other, now()), None);
        book.take(Line { acknowledged: None, ..line(&known, 4) });
        assert!(book.on(&known, now()).is_none(), "taken back");
    }

    #[test]
    fn of_an_environment_one_sort_is_acknowledged() {
        let denied = Verdict { subject: Subject::Environment, kind: Kind::Denied, ..verdict(Severity::Notice, 0) };
        let mut book = Book::default();
        book.take(line(&denied, 4));
        assert!(book.hides(&denied, now()));
        assert!(!book.hides(&Verdict { kind: Kind::Credentials, ..denied }, now()));
    }

    #[test]
    fn it_is_kept_and_a_line_that_broke_off_hides_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(folder.path().join("state"));
        assert_eq!(Book::read(&state).expect("nothing"), Book::default());
        let known = verdict(Severity::Warning, 40);
        assert!(Book::write(&state, &line(&known, 4)).expect("written").hides(&known, now()));
        let mut torn = OpenOptions::new().append(true).open(path(&state)).expect("open");
        torn.write_all(br#"{"at":"2026-11-21T03"#).expect("torn");
        assert!(Book::read(&state).expect("read").hides(&known, now()));
        let back = Line { acknowledged: None, ..line(&known, 4) };
        assert!(!Book::write(&state, &back).expect("written").hides(&known, now()));
        assert!(!Book::read(&state).expect("read").hides(&known, now()));
    }

    #[test]
    fn how_long_and_why_are_typed_in_one_line() {
        let hours = SignedDuration::from_hours;
        let parsed = |text| parse(text, hours(8)).map(|(lasts, reason)| (lasts, reason.to_string()));
        assert_eq!(parsed("2d fixed in the next release"), Ok((hours(48), "fixed in the next release".to_owned())));
        assert_eq!(parsed(" 90m  deploying"), Ok((SignedDuration::from_mins(90), "deploying".to_owned())));
        assert_eq!(parsed("known since May"), Ok((hours(8), "known since May".to_owned())));
        assert_eq!(parsed("0h x"), Ok((hours(8), "0h x".to_owned())));
        for wrong in ["", "4h", "31d why", "99999999d why"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
