//! Everything that is known of one queue.

use crate::{
    domain::{MappingState, Queue, QueueKind, QueueName},
    observe::{Seen, leaving, queues::KnownBy, words::span},
    screens::list::thing::{LABEL, shown},
    state::{Model, Page, Role, Site},
    widgets::{
        expires_seconds, is_soon, oldest_seconds, spark,
        words::{about, count, short},
    },
};

pub(super) fn page(page: &mut Page, model: &Model, site: &Site, seen: &Seen) {
    if let Some(error) = &seen.error {
        fact(page, "error", &error.to_string(), Role::Warning);
        fact(page, "try", error.hint(&site.environment).as_str(), Role::Text);
    }
    match &seen.queue {
        Some(queue) => figures(page, model, site, seen, queue),
        None if seen.error.is_none() => fact(page, "figures", "not looked at yet", Role::Dim),
        None => {}
    }
    pairing(page, seen);
    takers(page, site, seen);
    section(page, "Settings");
    fact(page, "name", seen.name.as_str(), Role::Strong);
    fact(page, "URL", seen.url.as_str(), Role::Text);
    if let Some(queue) = &seen.queue {
        settings(page, queue);
    }
}

fn section(page: &mut Page, heading: &str) {
    page.blank();
    page.heading(heading);
}

fn fact(page: &mut Page, label: &str, value: &str, role: Role) {
    page.pair(label, LABEL, &shown(value), role);
}

fn figures(page: &mut Page, model: &Model, site: &Site, seen: &Seen, queue: &Queue) {
    let counts = queue.counts;
    let dot = model.look.dot();
    section(page, "Messages");
    let text = format!(
        "{} visible{dot}{} in flight{dot}{} delayed",
        about(counts.visible),
        about(counts.in_flight),
        about(counts.delayed)
    );
    fact(page, "counts", &text, Role::Strong);
    match oldest_seconds(seen, model.now) {
        Some(seconds) => {
            let at = seen.oldest.map(|oldest| span(model.now.duration_since(oldest.at))).unwrap_or_default();
            let text = format!("{} old, by CloudWatch {at} ago", short(seconds.cast_signed()));
            fact(page, "oldest", &text, Role::Text);
        }
        None => fact(page, "oldest", "not known: CloudWatch has no recent sample", Role::Dim),
    }
    if let Some(left) = expires_seconds(seen, model.now) {
        let text = match (left > 0, seen.kind()) {
            (false, _) => "the oldest are being deleted now".to_owned(),
            (true, QueueKind::Standard) => format!(
                "{} at most: SQS counts from when the message was first sent, CloudWatch from its arrival here",
                short(left)
            ),
            (true, QueueKind::Fifo) => short(left),
        };
        let is_soon = is_soon(&site.environment, queue.retention_seconds, left);
        fact(page, "expires in", &text, if is_soon { Role::Critical } else { Role::Text });
    }
    let line = spark::line(&spark::levels(&seen.trend, model.now), model.look);
    fact(page, "last 30 min", &line, Role::Accent);
    if let Some(at) = seen.at {
        let text = format!("{} ago ({})", span(model.now.duration_since(at)), at.strftime("%Y-%m-%d %H:%M:%S UTC"));
        fact(page, "seen", &text, Role::Text);
    }
    if let Some(since) = seen.waiting_since {
        let text = format!("messages wait and none was in flight for {}", span(model.now.duration_since(since)));
        fact(page, "waiting", &text, Role::Text);
    }
}

fn pairing(page: &mut Page, seen: &Seen) {
    let policy = seen.queue.as_ref().and_then(|queue| queue.redrive.as_ref());
    if seen.dead_letters.is_none() && policy.is_none() {
        return;
    }
    section(page, "Dead letters");
    if let Some(dead) = &seen.dead_letters {
        let known = match dead.known_by {
            KnownBy::RedrivePolicy => "by the redrive policies of these queues",
            KnownBy::Tag => "by a tag on this queue",
            KnownBy::Pattern => "by a name pattern of the configuration",
            KnownBy::Name => "by its own name only: no queue names it",
        };
        let names: Vec<&str> = dead.sources.iter().map(QueueName::as_str).collect();
        let of = if names.is_empty() { "no known queue".to_owned() } else { names.join(", ") };
        fact(page, "holds those of", &of, Role::Text);
        fact(page, "known", known, Role::Text);
    }
    if let Some(task) = seen.leaving.as_ref().and_then(|leaving| leaving.task.as_ref()) {
        fact(page, "move task", &leaving::in_words(task), Role::Warning);
    }
    if let Some(policy) = policy {
        let text = format!("{}, after {} receives", policy.dead_letter, policy.receives_max);
        fact(page, "its own go to", &text, Role::Text);
    }
}

/// What is known to take its messages, and how that stands.
fn takers(page: &mut Page, site: &Site, seen: &Seen) {
    let mappings = site.snapshot.iter().flat_map(|snapshot| snapshot.estate.mappings.rows.iter());
    let mut takers = mappings.filter(|mapping| mapping.queue.as_ref() == Some(&seen.name)).peekable();
    if takers.peek().is_none() {
        return;
    }
    section(page, "Taken by");
    for mapping in takers {
        let result = mapping.last_result.as_ref().map(|result| format!(", last result: {result}")).unwrap_or_default();
        let role = if mapping.state == MappingState::Enabled { Role::Text } else { Role::Warning };
        fact(page, "Lambda", &format!("{}: {}{result}", mapping.function, mapping.state.words()), role);
    }
}

fn settings(page: &mut Page, queue: &Queue) {
    let seconds = |seconds: u64| short(i64::try_from(seconds).unwrap_or(i64::MAX));
    let kind = match (queue.kind, queue.content_based_deduplication, &queue.deduplication_scope) {
        (QueueKind::Standard, ..) => "standard".to_owned(),
        (QueueKind::Fifo, by_content, scope) => {
            let by = if by_content { "deduplicates by content" } else { "deduplicates by id" };
            let scope = scope.as_ref().map(|scope| format!(", per {scope}")).unwrap_or_default();
            format!("FIFO, {by}{scope}")
        }
    };
    fact(page, "ARN", queue.arn.as_str(), Role::Text);
    fact(page, "type", &kind, Role::Text);
    fact(page, "keeps messages", &seconds(queue.retention_seconds), Role::Text);
    fact(page, "hides received", &seconds(queue.visibility_timeout_seconds.into()), Role::Text);
    fact(page, "delays each", &seconds(queue.delay_seconds.into()), Role::Text);
    fact(page, "largest", &format!("{} bytes", count(queue.message_bytes_max)), Role::Text);
    fact(page, "KMS key", queue.kms_key.as_deref().unwrap_or("SQS's own, or none"), Role::Text);
    if let Some(created) = queue.created_at {
        fact(page, "created", &created.to_string(), Role::Text);
    }
}

/// The dead-letter queue that a redrive of this queue is about, as the command line has it: itself, or its own, where that was seen.
pub(super) fn dead_letter_queue<'a>(site: &'a Site, seen: &'a Seen) -> Option<&'a Seen> {
    if seen.dead_letters.is_some() {
        return Some(seen);
    }
    let queues = &site.snapshot.as_ref()?.queues;
    let named = |name: &str| {
        let at = queues.binary_search_by(|other| other.name.as_str().cmp(name)).ok()?;
        Some(queues[at].as_ref())
    };
    match seen.feeds() {
        Some(arn) => named(arn.name().as_str()),
        None => site.environment.queues.dead_letters_by_name(seen.name.as_str()).find_map(|name| named(&name)),
    }
}
