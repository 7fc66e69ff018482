//! `opsctl peek`, `groups`: a look at messages, which are put back at once.

use jiff::Timestamp;
use serde::Serialize;

use super::change::operation_error;
use crate::{
    cli::{
        args::{Format, Global, Groups, Peek, Sample},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
        world::World,
    },
    cloud::Cloud,
    domain::{
        Envelope, Message, MessageId, Queue, Text,
        words::{counted, counted_is},
    },
    leave,
    leave::Force,
    messages::{self, Filter, FilterError, Opened, Origin, shorten},
    operations::{redrive, resolve, sample, values::duration},
};

const PREVIEW_CHARACTERS: usize = 200;
/// Reasons for which a filter failed that are told.
const REASONS_MAX: usize = 3;

struct Seen {
    queue: Queue,
    messages: Vec<Message>,
    looked_at: usize,
    /// Messages on which the filter failed.
    failed: Vec<(MessageId, FilterError)>,
}

#[derive(Serialize)]
struct Peeked<'a> {
    queue: &'a str,
    looked_at: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filter_failed: Vec<FilterFailed<'a>>,
    messages: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct FilterFailed<'a> {
    id: &'a MessageId,
    because: String,
}

#[derive(Serialize)]
struct Shown<'a> {
    origin: Origin,
    expires_in_seconds: Option<i64>,
    #[serde(flatten)]
    message: &'a Message,
}

#[derive(Serialize)]
struct Grouped<'a> {
    queue: &'a str,
    #[serde(flatten)]
    groups: &'a messages::Groups,
}

pub(super) async fn peek(args: &Peek, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let cloud = world.to_look().await?;
    let queue = named(&args.sample, cloud).await?;
    let seen = look(queue, &args.sample, args.limit, cloud, out).await?;
    let now = cloud.clock().now();
    let envelopes = cloud.environment().queues.envelopes.as_slice();
    match out.format {
        Format::Human => {
            for message in &seen.messages {
                show(message, (&seen.queue, envelopes), args.full, now, out)?;
            }
            if seen.messages.is_empty() {
                out.note(&nothing(&seen));
            }
        }
        Format::Json => {
            let messages = seen.messages.iter().map(|message| shown(message, &seen.queue, now)).collect();
            let queue = seen.queue.name.as_str();
            let failed = seen.failed.iter();
            let filter_failed = failed.map(|(id, error)| FilterFailed { id, because: error.in_general() }).collect();
            out.document("opsctl/peek/1", &Peeked { queue, looked_at: seen.looked_at, filter_failed, messages })?;
        }
        Format::Jsonl => {
            for message in &seen.messages {
                out.json_line("opsctl/message/1", &shown(message, &seen.queue, now))?;
            }
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn groups(args: &Groups, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let cloud = world.to_look().await?;
    // Dead letters are grouped: a source's name means its dead-letter queue.
    let queue = redrive::dead_letter_queue(cloud, named(&args.sample, cloud).await?).await;
    let queue = queue.map_err(|error| operation_error(&error, cloud))?;
    let seen = look(queue, &args.sample, args.limit, cloud, out).await?;
    let groups = messages::Groups::of(&seen.messages, &cloud.environment().queues.envelopes);
    match out.format {
        Format::Human if groups.groups.is_empty() => out.note(&nothing(&seen)),
        Format::Human => show_groups(&groups, out)?,
        Format::Json => {
            let queue = seen.queue.name.as_str();
            out.document("opsctl/groups/1", &Grouped { queue, groups: &groups })?;
        }
        Format::Jsonl => {
            for group in &groups.groups {
                out.json_line("opsctl/group/1", group)?;
            }
        }
    }
    Ok(Exit::Done)
}

async fn named(args: &Sample, cloud: &Cloud) -> Result<Queue, CliError> {
    resolve::queue(cloud, &args.queue).await.map_err(|error| operation_error(&error, cloud))
}

async fn look(queue: Queue, args: &Sample, limit: u32, cloud: &Cloud, out: &mut Output) -> Result<Seen, CliError> {
    let filter = args.filter.as_deref().map(Filter::open).transpose()?;
    let filter = filter.map(|filter| filter.seeing(&cloud.environment().queues.envelopes));
    let force = if args.force { Force::Yes } else { Force::No };
    let leave = leave::allow_look(cloud.environment(), &queue, force)?;
    out.note(&format!("looking at {}: it costs each message one receive; all are put back at once", queue.name));
    let failed = |error| CliError::cloud(&error, cloud.environment());
    let mut messages = sample::look(cloud, &queue, limit as usize, leave).await.map_err(failed)?.messages;
    let looked_at = messages.len();
    let mut undecided = Vec::new();
    if let Some(filter) = filter {
        let answers = filter.matches_all(&messages, cloud.clock().now());
        if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err().filter(|error| error.is_final())) {
            return Err(error.clone().into());
        }
        let pairs = messages.iter().zip(&answers);
        undecided =
            pairs.filter_map(|(message, answer)| Some((message.id.clone(), answer.as_ref().err()?.clone()))).collect();
        let mut answers = answers.into_iter();
        messages.retain(|_| answers.next() == Some(Ok(true)));
    }
    tell_failures(&undecided, out);
    Ok(Seen { queue, messages, looked_at, failed: undecided })
}

/// On how many the filter failed, why, and on which of them for instance.
fn tell_failures(failed: &[(MessageId, FilterError)], out: &mut Output) {
    if failed.is_empty() {
        return;
    }
    out.warning(&format!("left out, since the filter failed on them: {}", counted(failed.len() as u64, "message")));
    let mut reasons: Vec<(String, usize, &MessageId, &FilterError)> = Vec::new();
    for (id, error) in failed {
        let reason = error.in_general();
        match reasons.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, count, ..)) => *count += 1,
            None => reasons.push((reason, 1, id, error)),
        }
    }
    for (reason, count, id, error) in reasons.iter().take(REASONS_MAX) {
        out.note(&format!("  {}: {reason}", counted(*count as u64, "message")));
        let said = shorten::preview(&error.to_string(), PREVIEW_CHARACTERS);
        out.note(&format!("    {}: {said}", Text::line(&id.0)));
    }
}

fn nothing(seen: &Seen) -> String {
    match (seen.looked_at, seen.failed.len()) {
        (0, _) => format!("no message was received from {}", seen.queue.name),
        (count, 0) => format!("none of {} fits the filter", counted(count as u64, "message")),
        (count, failed) => {
            format!("none of {} fits the filter, which failed on {failed} of them", counted(count as u64, "message"))
        }
    }
}

fn shown<'a>(message: &'a Message, queue: &Queue, now: Timestamp) -> Shown<'a> {
    Shown { origin: Origin::of(message), expires_in_seconds: expires_in(message, queue, now), message }
}

fn expires_in(message: &Message, queue: &Queue, now: Timestamp) -> Option<i64> {
    let age = now.duration_since(message.system.sent_at?).as_secs();
    Some(i64::try_from(queue.retention_seconds).ok()? - age)
}

fn show(
    message: &Message,
    (queue, envelopes): (&Queue, &[Envelope]),
    full: bool,
    now: Timestamp,
    out: &mut Output,
) -> Result<(), CliError> {
    let system = &message.system;
    out.heading(&Text::line(&message.id.0).to_string())?;
    let sent = system.sent_at.map(|time| {
        let age = now.duration_since(time).as_secs_f64();
        let left = expires_in(message, queue, now).unwrap_or(0);
        format!("{}, {} ago, expires in {}", time.strftime("%F %T UTC"), duration(age), duration(left as f64))
    });
    let mut facts = vec![("sent", sent), ("receives", Some(system.receive_count.to_string()))];
    facts.push(("from", Some(Origin::of(message).to_string())));
    facts.extend(told(message, envelopes));
    facts.push(("group", system.group.clone()));
    facts.push(("size", Some(format!("{} bytes", message.size_bytes()))));
    for (name, value) in facts {
        if let Some(value) = value {
            out.line(&format!("  {name:9} {}", Text::line(&value)))?;
        }
    }
    for (name, value) in &message.attributes {
        let text = match &value.payload {
            crate::domain::Payload::Text(text) if full => Text::line(text),
            crate::domain::Payload::Text(text) => shorten::preview(&format!("{name}={text}"), PREVIEW_CHARACTERS),
            crate::domain::Payload::Binary(bytes) => Text::line(&format!("{} bytes", bytes.len())),
        };
        let text = text.as_str().strip_prefix(&format!("{name}=")).unwrap_or(text.as_str());
        out.line(&format!("  {} ({}) {text}", Text::line(name), Text::line(&value.data_type)))?;
    }
    match full {
        true => out.whole(Text::capped(&message.body, message.body.len()).as_str())?,
        false => out.line(&format!("  {}", shorten::preview(&message.body, PREVIEW_CHARACTERS)))?,
    }
    Ok(())
}

/// What the message says of itself: type, envelopes, error.
fn told(message: &Message, envelopes: &[Envelope]) -> [(&'static str, Option<String>); 3] {
    let opened = Opened::of(message, envelopes);
    let code = opened.code.map(|(name, code)| format!("{name}={code}"));
    let error = match (code, opened.error.map(|error| shorten::preview(&error, PREVIEW_CHARACTERS).to_string())) {
        (Some(code), Some(error)) => Some(format!("{code}  {error}")),
        (code, error) => code.or(error),
    };
    [
        ("type", opened.kind),
        ("envelope", Some(opened.layers.join(", ")).filter(|names| !names.is_empty())),
        ("error", error),
    ]
}

fn show_groups(groups: &messages::Groups, out: &mut Output) -> Result<(), CliError> {
    let mut table = Table::new(&["#COUNT", "#SHARE", "LAST SEEN", "SOURCE", "ERROR", "TYPE OR SHAPE"]);
    for group in &groups.groups {
        let say = |text: &Option<Text>| text.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        table.row([
            group.count.to_string(),
            format!("{:.0}%", group.share * 100.0),
            group.last_seen.map_or_else(|| "-".to_owned(), |time| time.strftime("%F %T").to_string()),
            say(&group.source),
            shorten::preview(&group.failure().unwrap_or_else(|| "-".to_owned()), 60).to_string(),
            shorten::preview(&group.content(), 50).to_string(),
        ]);
    }
    out.table(&table)?;
    if groups.other > 0 {
        out.line(&format!("{} in smaller groups", counted_is(groups.other as u64, "message", "is", "are")))?;
    }
    out.line("")?;
    for (number, group) in groups.groups.iter().enumerate() {
        if let Some(filter) = &group.filter {
            out.whole(&format!("{}: --where '{}'", number + 1, filter.replace('\'', r"'\''")))?;
        }
    }
    Ok(())
}
