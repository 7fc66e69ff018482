//! The last state of an environment on disk, so that the next session begins with something to see.
//!
//! Names, settings and counts only: no message, no error. A file that is not readable, not whole, of another version or of another
//! place (account, region, endpoint) is as good as none: nothing in it is trusted further than to be shown, with its age.

use std::{
    borrow::Cow,
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod estate;

use super::{
    queues::KnownBy,
    snapshot::{Oldest, Seen},
    trend::SAMPLES_MAX,
};
use crate::domain::{AccountId, Counts, Environment, Queue, QueueArn, QueueName, QueueUrl, RedrivePolicy, Text};

/// Names what the file holds; another one is another version.
const SCHEMA: &str = "opsctl/cache/1";
const BYTES_MAX: u64 = 32 * 1_048_576;
const QUEUES_MAX: usize = 100_000;
/// Most rows of a part of what is beside queues that are kept.
pub(super) const ROWS_MAX: usize = 20_000;
/// Longest name of such a row that is taken from a file.
const NAME_MAX: usize = 512;
/// Longest text taken from a file, beside names.
const TEXT_MAX: usize = 2_048;

#[derive(Debug, Clone, PartialEq)]
pub struct Cached {
    pub listed_at: Timestamp,
    /// Queues, by name, without pairing.
    pub queues: Vec<Seen>,
    /// Sources that tags named, by the DLQ's name.
    pub tagged: Vec<(QueueName, QueueName)>,
}

/// Where an environment's file lies; none if its account is not known or its name is no file's.
pub fn queues_path(folder: &Path, environment: &Environment) -> Option<PathBuf> {
    path(folder, environment, "")
}

fn path(folder: &Path, environment: &Environment, what: &str) -> Option<PathBuf> {
    let name = &environment.name.0;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_good = (1..=64).contains(&name.len()) && name.bytes().all(is_plain) && environment.account.is_some();
    is_good.then(|| folder.join(format!("{name}{what}.json")))
}

/// The last state of this very environment, if there is one that can be used. One that is younger than `now` is of another
/// time: a clock that was set back, or a sandbox's.
pub fn load(folder: &Path, environment: &Environment, now: Timestamp) -> Option<Cached> {
    let bytes = read(&queues_path(folder, environment)?).ok()?;
    let cached = parse(&bytes, environment)?;
    let newest = cached.queues.iter().filter_map(|seen| seen.at).chain([cached.listed_at]).max();
    newest.is_none_or(|newest| newest <= now).then_some(cached)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // No link to somewhere else, and no pipe that waits for a writer.
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() || metadata.len() > BYTES_MAX {
        return Err(io::Error::other("not a file of ours"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes the state in place of the last one, readable by its owner only.
///
/// # Errors
/// The folder or file cannot be written; the state is too large. The last state stays then.
pub fn store(folder: &Path, environment: &Environment, listed_at: Timestamp, queues: &[Arc<Seen>]) -> io::Result<()> {
    let path = queues_path(folder, environment).ok_or_else(|| io::Error::other("its account is not known"))?;
    let bytes = bytes(environment, listed_at, queues)?;
    write(folder, &path, &bytes)
}

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::other("too much to keep"));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Made with mode 0600 under a name of its own.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

pub fn forget(folder: &Path, environment: &Environment) -> io::Result<()> {
    for path in [path(folder, environment, ""), path(folder, environment, ".estate")].into_iter().flatten() {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) | Ok(()) => {}
        }
    }
    Ok(())
}

/// The file. What all queues share stands once: in rows there are names, not URLs and ARNs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    schema: Cow<'a, str>,
    account: AccountId,
    region: Cow<'a, str>,
    endpoint: Option<Cow<'a, str>>,
    /// Seconds since 1970, as all times here.
    listed_at: i64,
    /// Before a name: its URL.
    url: Cow<'a, str>,
    /// Before a name: its ARN.
    arn: Cow<'a, str>,
    #[serde(borrow)]
    queues: Vec<Row<'a>>,
}

/// Name, figures where some came, and the source that its tag names.
#[derive(Serialize, Deserialize)]
struct Row<'a>(#[serde(borrow)] Cow<'a, str>, Option<Figures<'a>>, Option<Cow<'a, str>>);

/// Content-based deduplication, its scope, KMS key, created at.
type More<'a> = (bool, Option<Cow<'a, str>>, Option<Cow<'a, str>>, Option<i64>);

/// Settings and counts; an array in the file.
#[derive(Serialize, Deserialize)]
struct Figures<'a>(
    i64,
    /// Visible, in flight, delayed.
    [u64; 3],
    /// Visibility timeout, retention, largest message, delay.
    (u32, u64, u64, u32),
    /// ARN of the DLQ (its name alone, where it is in the same place), and after how many receives.
    Option<(Cow<'a, str>, u32)>,
    More<'a>,
    /// Age of the oldest message, and when it was that.
    Option<(u64, i64)>,
    /// Seconds before the figures came, and messages.
    Vec<(i64, u64)>,
    Option<i64>,
);

fn bytes(environment: &Environment, listed_at: Timestamp, queues: &[Arc<Seen>]) -> io::Result<Vec<u8>> {
    let account = environment.account.clone().ok_or_else(|| io::Error::other("its account is not known"))?;
    let before = |whole: &str, name: &QueueName| whole.strip_suffix(name.as_str()).map(str::to_owned);
    let url = queues.iter().find_map(|seen| before(seen.url.as_str(), &seen.name)).unwrap_or_default();
    let described = queues.iter().find_map(|seen| seen.queue.as_ref());
    let arn = described.and_then(|queue| before(queue.arn.as_str(), &queue.name)).unwrap_or_default();
    let is_here = |seen: &&Arc<Seen>| seen.url.as_str().strip_prefix(&url) == Some(seen.name.as_str());
    let document = Document {
        schema: SCHEMA.into(),
        account,
        region: environment.region.as_str().into(),
        endpoint: environment.endpoint.as_deref().map(Cow::from),
        listed_at: listed_at.as_second(),
        queues: queues.iter().filter(is_here).take(QUEUES_MAX).map(|seen| row(seen, &arn)).collect(),
        url: url.as_str().into(),
        arn: arn.as_str().into(),
    };
    Ok(serde_json::to_vec(&document)?)
}

fn row<'a>(seen: &'a Seen, arn: &str) -> Row<'a> {
    let tagged = seen.dead_letters.as_ref().filter(|found| found.known_by == KnownBy::Tag);
    let tagged = tagged.and_then(|found| found.sources.first()).map(|source| source.as_str().into());
    Row(seen.name.as_str().into(), figures(seen, arn), tagged)
}

fn figures<'a>(seen: &'a Seen, arn: &str) -> Option<Figures<'a>> {
    let queue = seen.queue.as_ref()?;
    let at = seen.at?.as_second();
    let Counts { visible, in_flight, delayed } = queue.counts;
    let dead_letter = |policy: &'a RedrivePolicy| {
        let whole = policy.dead_letter.as_str();
        (Cow::from(whole.strip_prefix(arn).unwrap_or(whole)), policy.receives_max)
    };
    Some(Figures(
        at,
        [visible, in_flight, delayed],
        (queue.visibility_timeout_seconds, queue.retention_seconds, queue.message_bytes_max, queue.delay_seconds),
        queue.redrive.as_ref().map(dead_letter),
        (
            queue.content_based_deduplication,
            queue.deduplication_scope.as_deref().map(Cow::from),
            queue.kms_key.as_deref().map(Cow::from),
            queue.created_at.map(Timestamp::as_second),
        ),
        seen.oldest.map(|oldest| (oldest.seconds, oldest.at.as_second())),
        seen.trend.samples.iter().map(|(time, messages)| (at - time.as_second(), *messages)).collect(),
        seen.waiting_since.map(Timestamp::as_second),
    ))
}

fn parse(bytes: &[u8], environment: &Environment) -> Option<Cached> {
    let document: Document<'_> = serde_json::from_slice(bytes).ok()?;
    let is_of_here = document.schema == SCHEMA
        && Some(&document.account) == environment.account.as_ref()
        && document.region == environment.region
        && document.endpoint.as_deref() == environment.endpoint.as_deref();
    let are_short = document.url.len().max(document.arn.len()) <= TEXT_MAX;
    if !is_of_here || !are_short || document.queues.len() > QUEUES_MAX {
        return None;
    }
    // An ARN of another account would lead somewhere else.
    let account = document.arn.split(':').nth(4).unwrap_or_default();
    if !document.arn.is_empty() && account != document.account.0 {
        return None;
    }
    let listed_at = Timestamp::from_second(document.listed_at).ok()?;
    let mut queues = Vec::with_capacity(document.queues.len());
    let mut tagged = Vec::new();
    for Row(name, figures, source) in &document.queues {
        let name = queue_name(name)?;
        if let Some(source) = source {
            tagged.push((name.clone(), queue_name(source)?));
        }
        queues.push(seen(&document, name, figures.as_ref())?);
    }
    let is_sorted = queues.windows(2).all(|two| two[0].name < two[1].name);
    is_sorted.then_some(Cached { listed_at, queues, tagged })
}

fn seen(document: &Document<'_>, name: QueueName, figures: Option<&Figures<'_>>) -> Option<Seen> {
    let url = QueueUrl(format!("{}{name}", document.url));
    let mut seen = Seen::unseen(name, url);
    let Some(Figures(at, counts, settings, redrive, more, oldest, trend, waiting_since)) = figures else {
        return Some(seen);
    };
    let time = |seconds: i64| Timestamp::from_second(seconds).ok();
    let [visible, in_flight, delayed] = *counts;
    // Counts are added up.
    if visible.max(in_flight).max(delayed) > u64::from(u32::MAX) * 1_000 || trend.len() > SAMPLES_MAX + 1 {
        return None;
    }
    seen.queue = Some(Queue {
        url: seen.url.clone(),
        arn: QueueArn(format!("{}{}", document.arn, seen.name)),
        name: seen.name.clone(),
        kind: seen.name.kind(),
        counts: Counts { visible, in_flight, delayed },
        visibility_timeout_seconds: settings.0,
        retention_seconds: settings.1,
        message_bytes_max: settings.2,
        delay_seconds: settings.3,
        redrive: match redrive {
            Some((arn, receives_max)) => Some(policy(document, arn, *receives_max)?),
            None => None,
        },
        content_based_deduplication: more.0,
        deduplication_scope: more.1.as_deref().map(text),
        kms_key: more.2.as_deref().map(text),
        created_at: more.3.and_then(time),
    });
    seen.at = Some(time(*at)?);
    seen.oldest = oldest.and_then(|(seconds, at)| Some(Oldest { seconds, at: time(at)? }));
    let samples = trend.iter().map(|(before, messages)| Some((time(at.checked_sub(*before)?)?, *messages)));
    seen.trend.samples = samples.collect::<Option<_>>()?;
    seen.waiting_since = waiting_since.and_then(time);
    Some(seen)
}

fn policy(document: &Document<'_>, dead_letter: &str, receives_max: u32) -> Option<RedrivePolicy> {
    let arn = match dead_letter.starts_with("arn:") {
        true if dead_letter.len() <= TEXT_MAX && Text::line(dead_letter).as_str() == dead_letter => {
            dead_letter.to_owned()
        }
        true => return None,
        false => format!("{}{}", document.arn, queue_name(dead_letter)?),
    };
    Some(RedrivePolicy { dead_letter: QueueArn(arn), receives_max })
}

/// Letters, digits, `-`, `_` and maybe `.fifo`, 80 at most (SQS API reference, CreateQueue).
fn queue_name(text: &str) -> Option<QueueName> {
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_good = !stem.is_empty() && text.len() <= 80 && stem.bytes().all(is_plain);
    is_good.then(|| QueueName(text.to_owned()))
}

fn text(text: &str) -> String {
    Text::line(&text.chars().take(TEXT_MAX).collect::<String>()).as_str().to_owned()
}

/// Names are shown and asked for: one that a terminal would take for something else is no name.
pub(super) fn are_plain<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    names.into_iter().all(|name| name.len() <= NAME_MAX && Text::line(name).as_str() == name)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{
        cloud::canned,
        domain::EnvironmentName,
        observe::{Trend, queues::DeadLetters},
    };

    fn now() -> Timestamp {
        "2026-11-21T03:00:00Z".parse().expect("a time")
    }

    fn prod() -> Environment {
        Environment {
            name: EnvironmentName("prod".into()),
            account: Some(AccountId("111111111111".into())),
            ..canned::environment()
        }
    }

    fn full(name: &str) -> Seen {
        let arn = |name: &str| QueueArn(format!("arn:aws:sqs:eu-west-1:111111111111:{name}"));
        let url = QueueUrl(format!("https://sqs.eu-west-1.amazonaws.com/111111111111/{name}"));
        let queue = Queue {
            url: url.clone(),
            arn: arn(name),
            name: name.into(),
            kind: QueueName::from(name).kind(),
            counts: Counts { visible: 4_812, in_flight: 3, delayed: 1 },
            visibility_timeout_seconds: 30,
            retention_seconds: 1_209_600,
            message_bytes_max: 262_144,
            delay_seconds: 5,
            redrive: Some(RedrivePolicy { dead_letter: arn("other-dlq"), receives_max: 3 }),
            content_based_deduplication: true,
            deduplication_scope: Some("queue".into()),
            kms_key: Some("alias/aws/sqs".into()),
            created_at: Some(now() - SignedDuration::from_hours(9_000)),
        };
        let samples = (0..30).map(|step| (now() - SignedDuration::from_secs(60 * (30 - step)), step as u64)).collect();
        Seen {
            name: name.into(),
            url,
            queue: Some(queue),
            at: Some(now()),
            error: None,
            dead_letters: None,
            oldest: Some(Oldest { seconds: 777, at: now() }),
            trend: Trend { samples },
            waiting_since: Some(now()),
            leaving: None,
        }
    }

    fn bare(name: &str) -> Seen {
        let empty = Seen { queue: None, at: None, oldest: None, trend: Trend::default(), ..full(name) };
        Seen { waiting_since: None, ..empty }
    }

    #[test]
    fn what_was_seen_is_seen_again_and_nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("a/cache");
        let far =
            RedrivePolicy { dead_letter: QueueArn("arn:aws:sqs:eu-west-1:222222222222:far".into()), receives_max: 5 };
        let mut elsewhere = full("b-feeds-elsewhere");
        elsewhere.queue.as_mut().expect("described").redrive = Some(far);
        let queues = vec![full("a.fifo"), elsewhere, bare("c-denied")];
        let shared: Vec<Arc<Seen>> = queues.iter().cloned().map(Arc::new).collect();
        store(&folder, &prod(), now(), &shared).expect("written");
        let loaded = load(&folder, &prod(), now()).expect("there");
        assert_eq!(loaded, Cached { listed_at: now(), queues, tagged: Vec::new() });
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("prod.json"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).expect("there").count(), 1, "nothing is left over");
        forget(&folder, &prod()).expect("removed");
        forget(&folder, &prod()).expect("nothing to remove");
        assert_eq!(load(&folder, &prod(), now()), None);
    }

    #[test]
    fn a_tag_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let dead_letters = Some(DeadLetters { sources: vec!["orders".into()], known_by: KnownBy::Tag });
        let seen = Arc::new(Seen { dead_letters, ..bare("park") });
        store(folder.path(), &prod(), now(), &[seen]).expect("written");
        let loaded = load(folder.path(), &prod(), now()).expect("there");
        assert_eq!(loaded.tagged, [("park".into(), "orders".into())]);
    }

    #[test]
    fn another_places_state_is_never_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        store(folder.path(), &prod(), now(), &[Arc::new(full("orders"))]).expect("written");
        let others = [
            Environment { account: Some(AccountId("222222222222".into())), ..prod() },
            Environment { account: None, ..prod() },
            Environment { region: "eu-west-2".into(), ..prod() },
            Environment { endpoint: Some("http://127.0.0.1:4566".into()), ..prod() },
            Environment { name: EnvironmentName("dev".into()), ..prod() },
            Environment { name: EnvironmentName("../prod".into()), ..prod() },
        ];
        for other in others {
            assert_eq!(load(folder.path(), &other, now()), None, "{other:?}");
        }
        assert!(load(folder.path(), &prod(), now()).is_some());
        let earlier = now() - SignedDuration::from_secs(1);
        assert_eq!(load(folder.path(), &prod(), earlier), None, "from another time");
    }

    #[test]
    fn a_bad_file_is_as_good_as_none() {
        let whole = bytes(&prod(), now(), &[Arc::new(full("orders")), Arc::new(full("orders-dlq"))]).expect("bytes");
        let text = String::from_utf8(whole.clone()).expect("UTF-8");
        assert!(parse(&whole, &prod()).is_some());
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut], &prod()), None, "cut at {cut}");
        }
        let swapped = [
            ("opsctl/cache/1", "opsctl/cache/2"),
            ("\"listed_at\":", "\"listed_at\":999"),
            ("[4812,3,1]", "[18446744073709551615,18446744073709551615,1]"),
            ("[4812,3,1]", "[-1,3,1]"),
            ("\"orders\"", "\"or\\u001b[2Jders\""),
            ("\"orders\"", "\"../orders\""),
            ("\"orders\"", "\"zz\""),
            ("other-dlq", "other\\u202edlq"),
            ("arn:aws:sqs:eu-west-1:111111111111:", "arn:aws:sqs:eu-west-1:222222222222:"),
            ("{\"schema\"", "{\"bodies\":[],\"schema\""),
        ];
        for (old, new) in swapped {
            let changed = text.replacen(old, new, 1);
            assert_ne!(changed, text, "{old}");
            assert_eq!(parse(changed.as_bytes(), &prod()), None, "{new}");
        }
        let deep = "[".repeat(1_000_000);
        for hostile in ["", "{}", "null", "\u{0}", deep.as_str()] {
            assert_eq!(parse(hostile.as_bytes(), &prod()), None);
        }
        let kms = text.replacen("alias/aws/sqs", "alias/\\u001b]52;c;x", 1);
        let loaded = parse(kms.as_bytes(), &prod()).expect("taken, and made safe");
        let key = loaded.queues[0].queue.as_ref().and_then(|queue| queue.kms_key.clone());
        assert_eq!(key.as_deref(), Some("alias/␛]52;c;x"));
    }

    #[test]
    fn only_a_file_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let elsewhere = tempfile::tempdir().expect("a folder");
        store(elsewhere.path(), &prod(), now(), &[Arc::new(full("orders"))]).expect("written");
        std::os::unix::fs::symlink(elsewhere.path().join("prod.json"), folder.path().join("prod.json"))
            .expect("a link");
        assert_eq!(load(folder.path(), &prod(), now()), None, "a link leads who knows where");
        fs::remove_file(folder.path().join("prod.json")).expect("removed");
        fs::create_dir(folder.path().join("prod.json")).expect("a folder");
        assert_eq!(load(folder.path(), &prod(), now()), None);
        assert!(store(folder.path(), &prod(), now(), &[]).is_err());
    }
}
