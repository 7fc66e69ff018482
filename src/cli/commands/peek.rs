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
        Message, Queue, Text,
        words::{counted, counted_is},
    },
    leave,
    leave::Force,
    messages::{self, Filter, Origin, shorten},
    operations::{redrive, resolve, sample, values::duration},
};

const PREVIEW_CHARACTERS: usize = 200;

struct Seen {
    queue: Queue,
    messages: Vec<Message>,
    looked_at: usize,
    undecided: usize,
}

#[derive(Serialize)]
struct Peeked<'a> {
    queue: &'a str,
    looked_at: usize,
    messages: Vec<Shown<'a>>,
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
    match out.format {
        Format::Human => {
            for message in &seen.messages {
                show(message, &seen.queue, args.full, now, out)?;
            }
            if seen.messages.is_empty() {
                out.note(&nothing(&seen));
            }
        }
        Format::Json => {
            let messages = seen.messages.iter().map(|message| shown(message, &seen.queue, now)).collect();
            let queue = seen.queue.name.as_str();
            out.document("opsctl/peek/1", &Peeked { queue, looked_at: seen.looked_at, messages })?;
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
    let groups = messages::Groups::of(&seen.messages);
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
    let force = if args.force { Force::Yes } else { Force::No };
    let leave = leave::allow_look(cloud.environment(), &queue, force)?;
    out.note(&format!("looking at {}: it costs each message one receive; all are put back at once", queue.name));
    let failed = |error| CliError::cloud(&error, cloud.environment());
    let mut messages = sample::look(cloud, &queue, limit as usize, leave).await.map_err(failed)?.messages;
    let looked_at = messages.len();
    let mut undecided = 0;
    if let Some(filter) = filter {
        let answers = filter.matches_all(&messages, cloud.clock().now());
        if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err().filter(|error| error.is_final())) {
            return Err(error.clone().into());
        }
        undecided = answers.iter().filter(|answer| answer.is_err()).count();
        let mut answers = answers.into_iter();
        messages.retain(|_| answers.next() == Some(Ok(true)));
    }
    if undecided > 0 {
        out.warning(&format!("left out, since the filter failed on them: {}", counted(undecided as u64, "message")));
    }
    Ok(Seen { queue, messages, looked_at, undecided })
}

fn nothing(seen: &Seen) -> String {
    match (seen.looked_at, seen.undecided) {
        (0, _) => format!("no message was received from {}", seen.queue.name),
        (count, _) => format!("none of {} fits the filter", counted(count as u64, "message")),
    }
}

fn shown<'a>(message: &'a Message, queue: &Queue, now: Timestamp) -> Shown<'a> {
    Shown { origin: Origin::of(message), expires_in_seconds: expires_in(message, queue, now), message }
}

fn expires_in(message: &Message, queue: &Queue, now: Timestamp) -> Option<i64> {
    let age = now.duration_since(message.system.sent_at?).as_secs();
    Some(i64::try_from(queue.retention_seconds).ok()? - age)
}

fn show(message: &Message, queue: &Queue, full: bool, now: Timestamp, out: &mut Output) -> Result<(), CliError> {
    let system = &message.system;
    out.heading(&Text::line(&message.id.0).to_string())?;
    let sent = system.sent_at.map(|time| {
        let age = now.duration_since(time).as_secs_f64();
        let left = expires_in(message, queue, now).unwrap_or(0);
        format!("{}, {} ago, expires in {}", time.strftime("%F %T UTC"), duration(age), duration(left as f64))
    });
    let mut facts = vec![("sent", sent), ("receives", Some(system.receive_count.to_string()))];
    facts.push(("from", Some(Origin::of(message).to_string())));
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

fn show_groups(groups: &messages::Groups, out: &mut Output) -> Result<(), CliError> {
    let mut table = Table::new(&["#COUNT", "#SHARE", "LAST SEEN", "SOURCE", "ERROR", "SHAPE"]);
    for group in &groups.groups {
        let say = |text: &Option<Text>| text.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let error = group.exception.as_ref().or(group.error.as_ref()).cloned();
        table.row([
            group.count.to_string(),
            format!("{:.0}%", group.share * 100.0),
            group.last_seen.map_or_else(|| "-".to_owned(), |time| time.strftime("%F %T").to_string()),
            say(&group.source),
            shorten::preview(&say(&error), 60).to_string(),
            shorten::preview(group.shape.as_str(), 40).to_string(),
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
