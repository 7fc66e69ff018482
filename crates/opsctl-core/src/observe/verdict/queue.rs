//! The verdict on one queue.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    Finding, Kind, Scene, Severity, Subject, Verdict,
    rank::{Danger, of_dead_letters},
};
use crate::{
    domain::{
        QueueKind, QueueName, Thresholds,
        environment::glob,
        invocation::option,
        words::{self, about_messages, span, thousands, within},
    },
    observe::{
        leaving::{FALLS_WITHIN, LAG, in_words},
        snapshot::Seen,
    },
};

/// From figures that are older nothing is said about what happens now.
const TOO_OLD: SignedDuration = SignedDuration::from_mins(15);
/// An age that CloudWatch told longer ago says nothing: its queue may have been emptied since.
const AGE_TOO_OLD: SignedDuration = SignedDuration::from_hours(1);

/// The worst of what is to be said about a queue, if anything is.
pub(super) fn verdict(scene: &Scene<'_>, seen: &Seen) -> Option<Verdict> {
    let messages = seen.messages().filter(|messages| *messages > 0)?;
    let finding = if seen.dead_letters.is_some() {
        dead_letters(scene, seen, messages)
    } else if scene.thresholds.is_parked(seen.name.as_str()) {
        return None;
    } else {
        waiting(scene.thresholds, seen, scene.now)?
    };
    Some(Verdict { messages, ..scene.said_of(Subject::Queue(seen.name.clone()), finding, seen.at) })
}

/// How fast it grows, and how soon something of it is lost.
pub(super) fn danger(thresholds: &Thresholds, seen: &Seen, now: Timestamp) -> Danger {
    let growth_per_minute = grown(thresholds, seen, now).map(|(more, within)| {
        let minutes = within.as_secs().max(60).cast_unsigned() as f64 / 60.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than what it was")]
        let rate = (more as f64 / minutes) as u64;
        rate
    });
    let left = left(seen, now).filter(|_| seen.dead_letters.is_some() || expires(thresholds, seen, now).is_some());
    Danger { growth_per_minute, left }
}

/// Messages lie in a DLQ: they expire soon, or become more, or just lie there.
fn dead_letters(scene: &Scene<'_>, seen: &Seen, messages: u64) -> Finding {
    let Scene { environment, thresholds, now, .. } = *scene;
    let grown = growth(thresholds, seen, now);
    let elsewhere = redriven_elsewhere(scene, seen);
    if let Some(left) = expires(thresholds, seen, now) {
        let more: String = [grown, elsewhere].into_iter().flatten().map(|more| format!("; {more}")).collect();
        let reason = format!("{}; {}{more}", about_messages(messages), deleted(seen, left));
        return Finding(Kind::Expires, Severity::Critical, reason);
    }
    if let Some(elsewhere) = elsewhere {
        let reason = format!("{elsewhere}; now {}", about_messages(messages));
        return Finding(Kind::RedrivenElsewhere, Severity::Warning, reason);
    }
    if let Some(grown) = grown {
        let severity = of_dead_letters(environment, messages, Severity::Warning);
        return Finding(Kind::Growing, severity, format!("{grown}, now {}", about_messages(messages)));
    }
    if let Some(short) = kept_too_short(scene, seen) {
        let severity = of_dead_letters(environment, messages, Severity::Notice);
        return Finding(Kind::KeptTooShort, severity, format!("{}; {short}", about_messages(messages)));
    }
    let age = oldest_age(seen, now).map_or_else(String::new, |age| format!("; the oldest is {} old", span(age)));
    let them = if messages == 1 { "lies" } else { "lie" };
    let severity = of_dead_letters(environment, messages, Severity::Notice);
    Finding(Kind::DeadLetters, severity, format!("{} {them} there{age}", about_messages(messages)))
}

/// Who takes messages out of the DLQ, where that is no run of opsctl on this machine and no consumer of the DLQ.
fn redriven_elsewhere(scene: &Scene<'_>, seen: &Seen) -> Option<String> {
    let leaving = seen.leaving.as_ref().filter(|leaving| scene.now.duration_since(leaving.at) <= FALLS_WITHIN)?;
    if let Some(task) = &leaving.task {
        return Some(in_words(task));
    }
    let (fewer, within) = seen.trend.fall(FALLS_WITHIN)?;
    let since = scene.now - within - LAG;
    let is_ours = leaving.ours_until.is_some_and(|until| until >= since);
    if is_ours || fewer < scene.thresholds.growth_messages.max(1) || has_consumer(scene, seen) {
        return None;
    }
    let fewer = thousands(fewer);
    Some(format!("-{fewer} in {}, and no run of opsctl on this machine took them", span(within)))
}

/// Whether something reads the DLQ as a consumer does.
fn has_consumer(scene: &Scene<'_>, seen: &Seen) -> bool {
    let mut mappings = scene.snapshot.estate.mappings.rows.iter();
    let services = &scene.environment.services.consumers;
    mappings.any(|mapping| mapping.queue.as_ref() == Some(&seen.name) && mapping.takes())
        || services.iter().any(|(pattern, _)| glob(pattern, seen.name.as_str()))
}

/// Where the DLQ keeps messages for a shorter time than the source that keeps them the longest: which, and what raises it. Equal times are
/// what AWS sets by itself, and say nothing.
fn kept_too_short(scene: &Scene<'_>, seen: &Seen) -> Option<String> {
    let kept = seen.queue.as_ref()?.retention_seconds;
    let queues = &scene.snapshot.queues;
    let kept_in = |name: &QueueName| {
        let at = queues.binary_search_by(|other| other.name.cmp(name)).ok()?;
        Some(queues[at].queue.as_ref()?.retention_seconds)
    };
    let sources = &seen.dead_letters.as_ref()?.sources;
    let (longest, source) = sources.iter().filter_map(|name| Some((kept_in(name)?, name))).max()?;
    if longest <= kept {
        return None;
    }
    // Of a standard queue's message the time in the source counts, too.
    let spent = if seen.kind() == QueueKind::Standard { ", counted from their first send" } else { "" };
    let to = if longest % 86_400 == 0 { format!("{}d", longest / 86_400) } else { format!("{longest}s") };
    let command = scene.environment.command(&format!("retention {} --to {to}", option("queue", seen.name.as_str())));
    let (kept, longest) = (words::in_words(kept), words::in_words(longest));
    Some(format!("kept {kept} here{spent}, and {longest} in {source}: `{command}` keeps them as long"))
}

/// Messages wait in a queue: they expire soon, nobody takes them, or there are many.
fn waiting(thresholds: &Thresholds, seen: &Seen, now: Timestamp) -> Option<Finding> {
    let visible = seen.queue.as_ref()?.counts.visible;
    let backlog = thresholds.backlog_of(seen.name.as_str());
    let over = || format!("over the threshold of {}", thousands(backlog));
    if let Some(left) = expires(thresholds, seen, now).filter(|_| visible > 0) {
        let reason = format!("{} wait; {}", about_messages(visible), deleted(seen, left));
        return Some(Finding(Kind::Expires, Severity::Critical, reason));
    }
    if let Some(absent) = consumer_absent(thresholds, seen, now) {
        let wait = if visible == 1 { "waits" } else { "wait" };
        let mut reason = format!("{} {wait}; none was taken for {}", about_messages(visible), span(absent));
        if visible > backlog {
            reason = format!("{reason}; {}", over());
        }
        return Some(Finding(Kind::ConsumerAbsent, Severity::Warning, reason));
    }
    if visible <= backlog {
        return None;
    }
    let grown = growth(thresholds, seen, now).map_or_else(String::new, |grown| format!("; {grown}"));
    Some(Finding(Kind::Backlog, Severity::Warning, format!("{} wait, {}{grown}", about_messages(visible), over())))
}

/// `+120 in 5 min`, where that is growth, and now.
fn growth(thresholds: &Thresholds, seen: &Seen, now: Timestamp) -> Option<String> {
    let (more, within) = grown(thresholds, seen, now)?;
    Some(format!("+{} in {}", thousands(more), span(within)))
}

fn grown(thresholds: &Thresholds, seen: &Seen, now: Timestamp) -> Option<(u64, SignedDuration)> {
    if age_of_figures(seen, now)? > TOO_OLD {
        return None;
    }
    let (more, within) = seen.trend.growth(signed(thresholds.growth_within))?;
    (more >= thresholds.growth_messages.max(1)).then_some((more, within))
}

/// How long until the oldest message is deleted for its age, where that is soon; zero or less: now.
fn expires(thresholds: &Thresholds, seen: &Seen, now: Timestamp) -> Option<SignedDuration> {
    let retention = retention(seen)?;
    let left = left(seen, now)?;
    // Where messages live shorter than the threshold anyway, half their life is soon.
    (left < signed(thresholds.expires_soon).min(retention / 2)).then_some(left)
}

/// How long until the oldest message is deleted for its age.
fn left(seen: &Seen, now: Timestamp) -> Option<SignedDuration> {
    Some(retention(seen)? - oldest_age(seen, now)?)
}

fn retention(seen: &Seen) -> Option<SignedDuration> {
    Some(SignedDuration::from_secs(i64::try_from(seen.queue.as_ref()?.retention_seconds).ok()?))
}

/// In a standard DLQ messages keep the age that they had when they came, and CloudWatch counts from then on: it is sooner.
fn deleted(seen: &Seen, left: SignedDuration) -> String {
    let is_bound = seen.dead_letters.is_some() && seen.kind() == QueueKind::Standard;
    match (left.is_positive(), is_bound) {
        (false, _) => "the oldest are being deleted now".to_owned(),
        (true, true) => format!("the oldest is deleted within {}", within(left)),
        (true, false) => format!("the oldest is deleted in {}", within(left)),
    }
}

/// Since when nobody takes messages, where that is long, and old enough for CloudWatch too.
fn consumer_absent(thresholds: &Thresholds, seen: &Seen, now: Timestamp) -> Option<SignedDuration> {
    let after = signed(thresholds.consumer_absent_after);
    let counted_at = seen.at.filter(|at| now.duration_since(*at) <= TOO_OLD)?;
    let waiting = counted_at.duration_since(seen.waiting_since?);
    // A consumer that takes each message at once is never met with one in flight: but then the messages are young.
    let is_old = oldest_age(seen, now).is_none_or(|age| age >= after);
    (waiting >= after && is_old).then_some(waiting)
}

/// How old the oldest message is now, by the last sample of it.
fn oldest_age(seen: &Seen, now: Timestamp) -> Option<SignedDuration> {
    let oldest = seen.oldest?;
    let since = now.duration_since(oldest.at).max(SignedDuration::ZERO);
    let age = SignedDuration::from_secs(i64::try_from(oldest.seconds).ok()?);
    (since <= AGE_TOO_OLD).then(|| age + since)
}

fn age_of_figures(seen: &Seen, now: Timestamp) -> Option<SignedDuration> {
    Some(now.duration_since(seen.at?))
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
