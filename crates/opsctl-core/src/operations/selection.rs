//! Which messages of a queue an operation is about, and how many those are: looked at before anything is agreed to.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Look, OperationError, sample};
use crate::{
    cloud::Cloud,
    domain::{
        Counts, Message, MessageId, Queue, Text, Try,
        words::{counted, counted_is, in_words, some_of},
    },
    leave,
    messages::{FilterError, Group, Groups, filter::Filter},
    operations::plan::{Plan, SampledGroup, labels},
};

/// Messages received for a look, and most of them where few are selected: each has one receive more afterwards.
const SAMPLE: usize = 10;
const SAMPLE_MAX: usize = 100;
/// Ids named of those that are not there; the rest are counted.
const MISSING_NAMED_MAX: usize = 20;
/// So many selected messages show what a selection is.
const SELECTED_FEW: usize = 5;

/// Which messages of a queue an operation is about.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selection<'a> {
    pub(super) filter: Option<&'a Filter>,
    pub(super) ids: Option<&'a HashSet<MessageId>>,
    pub(super) limit: Option<u64>,
}

/// The filter as it was given to the operation of this name; it sees what the environment's envelopes hold.
pub(super) fn filter(given: Option<&str>, operation: &str, cloud: &Cloud) -> Result<Option<Filter>, OperationError> {
    let filter = given.map(Filter::open).transpose().map_err(|error| {
        let what = format!("the filter can't be used: {error}");
        OperationError::usage(&what, Try::SeeHelp.says(format!("see `opsctl {operation} --help`")))
    })?;
    Ok(filter.map(|filter| filter.seeing(&cloud.environment().queues.envelopes)))
}

pub(super) fn count_words(counts: Counts) -> String {
    format!("~{} visible, ~{} in flight, ~{} delayed", counts.visible, counts.in_flight, counts.delayed)
}

/// That messages are hidden where they arrive, for as long as the queue delays each.
pub(super) fn delayed(to: &Queue) -> Option<String> {
    let delay = in_words(to.delay_seconds.into());
    (to.delay_seconds > 0)
        .then(|| format!("{} delays each message by {delay} (DelaySeconds): consumers get them after that", to.name))
}

#[derive(Debug, Default)]
pub(super) struct Sampled {
    pub(super) messages: Vec<Message>,
    pub(super) selected: Vec<Message>,
    /// What the selected ones have in common.
    groups: Vec<SampledGroup>,
    /// Messages on which the filter failed, and why on the first of them.
    failed: Option<(u64, FilterError)>,
    /// Whether no more messages lie in the queue.
    is_whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Exactly(u64),
    /// By the share of a sample.
    About(u64),
    /// Nobody knows; not more than these.
    AtMost(u64),
}

impl Selection<'_> {
    pub(super) fn is_selective(&self) -> bool {
        self.filter.is_some() || self.ids.is_some()
    }

    /// Looks at a few messages, where looking is harmless: not in a read-only environment, and not where the queue has dead
    /// letters itself. A plan without a sample is a plan all the same: a denied receive shows again, in full, when it counts.
    pub(super) async fn look(&self, cloud: &Cloud, queue: &Queue, look: Look) -> Sampled {
        let Ok(leave) = leave::allow_sampling(cloud.environment()) else { return Sampled::default() };
        if look == Look::Never || queue.redrive.is_some() || queue.counts.visible == 0 {
            return Sampled::default();
        }
        let now = cloud.clock().now();
        let most = if self.is_selective() { SAMPLE_MAX } else { SAMPLE };
        let is_enough = |seen: &[Message]| self.shows_enough(seen, now);
        let sample = sample::look_until(cloud, queue, most, is_enough, leave).await.unwrap_or_default();
        let (selected, failed) = self.of(&sample.messages, now);
        let groups = grouped(&selected, cloud);
        Sampled { messages: sample.messages, selected, groups, failed, is_whole: sample.is_whole }
    }

    fn shows_enough(&self, seen: &[Message], now: Timestamp) -> bool {
        match (self.filter, self.ids) {
            (None, None) => seen.len() >= SAMPLE,
            (None, Some(ids)) => seen.iter().filter(|message| ids.contains(&message.id)).count() == ids.len(),
            (Some(_), _) => seen.len() >= SAMPLE && self.of(seen, now).0.len() >= SELECTED_FEW,
        }
    }

    /// Those that are selected; on how many the filter failed, and why on the first.
    fn of(&self, messages: &[Message], now: Timestamp) -> (Vec<Message>, Option<(u64, FilterError)>) {
        let listed = |message: &&Message| self.ids.is_none_or(|ids| ids.contains(&message.id));
        let Some(filter) = self.filter else { return (messages.iter().filter(listed).cloned().collect(), None) };
        let matched = filter.matches_all(messages, now);
        let pairs = || messages.iter().zip(&matched).filter(|(message, _)| listed(message));
        let mut errors = pairs().filter_map(|(_, matched)| matched.as_ref().err());
        let failed = errors.next().map(|first| (1 + errors.count() as u64, first.clone()));
        (pairs().filter(|(_, matched)| **matched == Ok(true)).map(|(message, _)| message.clone()).collect(), failed)
    }

    fn number(&self, sampled: &Sampled, total: u64) -> Number {
        let (seen, found) = (sampled.messages.len() as u64, sampled.selected.len() as u64);
        match (self.filter, self.ids) {
            (None, None) => Number::About(total),
            _ if sampled.is_whole => Number::Exactly(found),
            (None, Some(ids)) => Number::Exactly(ids.len() as u64),
            (Some(_), Some(ids)) => Number::AtMost((ids.len() as u64).min(total)),
            (Some(_), None) if found > 0 => {
                Number::About((total * found).div_ceil(seen).clamp(found, total.max(found)))
            }
            (Some(_), None) => Number::AtMost(total),
        }
    }

    /// So many messages at most are dealt with, as far as is known without a look.
    pub(super) fn bound(&self, total: u64) -> u64 {
        let listed = self.ids.map_or(total, |ids| ids.len() as u64);
        self.limit.unwrap_or(u64::MAX).min(listed)
    }

    /// Says in the plan how many messages it is about, of how many, and shows those of the sample.
    pub(super) fn tell(&self, sampled: &Sampled, total: u64, plan: &mut Plan) {
        let all = format!("~{}", counted(total, "message"));
        let (words, number) = match self.number(sampled, total) {
            Number::About(number) if !self.is_selective() => (all, number),
            Number::Exactly(number) => (format!("{number} selected of {all}"), number),
            Number::About(number) => (format!("~{number} selected of {all}"), number),
            Number::AtMost(number) => (format!("at most {number} selected of {all}"), number),
        };
        let limit = self.limit.filter(|limit| *limit < number);
        let words = match limit {
            Some(limit) => format!("at most {limit} of {}", words.trim_start_matches("at most ")),
            None => words,
        };
        plan.how_many = Some(Text::line(&words));
        plan.messages_estimate = limit.unwrap_or(number);
        let seen = sampled.messages.len() as u64;
        if self.is_selective() && seen > 0 {
            let of = format!("{} of {seen} sampled", sampled.selected.len());
            plan.fact(labels::SELECTED, of);
            if sampled.selected.is_empty() {
                plan.warn("none of the sampled messages is selected");
            }
        }
        let is_known = sampled.is_whole || total == 0;
        if let Some(ids) = self.ids.filter(|_| is_known) {
            let seen: HashSet<&MessageId> = sampled.messages.iter().map(|message| &message.id).collect();
            let mut missing: Vec<&str> = ids.iter().filter(|id| !seen.contains(id)).map(MessageId::as_str).collect();
            missing.sort_unstable();
            if !missing.is_empty() {
                let count = counted_is(missing.len() as u64, "message", "is", "are");
                let names = some_of(missing.iter().copied(), MISSING_NAMED_MAX);
                let given = counted(ids.len() as u64, "id");
                plan.warn(format!("{count} not in the queue, of the {given} given: {names}"));
                plan.unmet = missing.into_iter().map(Text::line).collect();
            }
        }
        if let Some((count, error)) = &sampled.failed {
            let on = format!("{} of the {seen} sampled", counted(*count, "message"));
            plan.warn(format!("the filter fails on {on}, which are left: {}", error.in_general()));
        }
        plan.groups.clone_from(&sampled.groups);
        if seen > 0 {
            let seen = counted_is(seen, "message", "was", "were");
            plan.warn(format!("{seen} received for this look and put back: each has one receive more"));
        }
    }
}

fn grouped(selected: &[Message], cloud: &Cloud) -> Vec<SampledGroup> {
    let groups = Groups::of(selected, &cloud.environment().queues.envelopes).groups;
    let title = |group: &Group| Text::line(&group.failure().unwrap_or_else(|| group.content()));
    groups.iter().map(|group| SampledGroup { title: title(group), count: group.count as u64 }).collect()
}
