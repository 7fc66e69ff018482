//! The board: what is known of one environment, row by row; what came of questions goes in, snapshots come out. No I/O.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    cache::Cached,
    leaving::{FALLS_WITHIN, Leaving},
    pairing::{Known, pair},
    queues::KnownBy,
    register::Register,
    schedule::{Schedule, Slot},
    snapshot::{Listing, Oldest, Seen, Snapshot, Source, Spend},
};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{EnvironmentName, Queue, QueueArn, QueueName, QueueRules, QueueUrl},
};

/// How much changed since the last snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    #[default]
    None,
    /// Figures are fresher, and the same.
    Fresher,
    Content,
}

#[derive(Debug)]
struct Row {
    /// Shared with snapshots: a change makes a new one.
    seen: Arc<Seen>,
    /// None: from the cache, and not listed yet.
    slot: Option<Slot>,
    tagged: Option<QueueName>,
    is_answered: bool,
    /// When the age of its oldest message was last asked for.
    age_asked_at: Option<Duration>,
    /// When it was last asked who takes its messages.
    leaving_asked_at: Option<Duration>,
}

/// Between two looks that are farther apart anything may have happened.
const GAP: SignedDuration = SignedDuration::from_mins(10);
/// How often ages are asked for where it matters, and where less: CloudWatch has one a minute, and each costs.
const AGE_EVERY: Duration = Duration::from_secs(55);
const AGE_EVERY_REST: Duration = Duration::from_secs(295);
/// How often it is asked who takes messages out of a DLQ that becomes emptier.
const LEAVING_EVERY: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Board {
    environment: EnvironmentName,
    rules: QueueRules,
    number: u64,
    source: Source,
    listing: Listing,
    rows: Vec<Row>,
    /// Row of each slot; none: [`usize::MAX`].
    by_slot: Vec<usize>,
    pub(super) unanswered: usize,
    must_pair: bool,
    change: Change,
    metrics_error: Option<CloudError>,
    spend: Spend,
    /// What is known beside queues.
    register: Register,
}

impl Board {
    pub(super) fn new(environment: EnvironmentName, rules: QueueRules) -> Self {
        Self {
            environment,
            rules,
            number: 0,
            source: Source::Live,
            listing: Listing::default(),
            rows: Vec::new(),
            by_slot: Vec::new(),
            unanswered: 0,
            must_pair: false,
            change: Change::Content,
            metrics_error: None,
            spend: Spend::default(),
            register: Register::default(),
        }
    }

    pub(super) fn register(&mut self) -> &mut Register {
        &mut self.register
    }

    /// Begins with what an earlier session saw, unless something was seen already.
    pub(super) fn restore(&mut self, cached: Cached) {
        if self.listing.at.is_some() {
            return;
        }
        let mut tagged: HashMap<QueueName, QueueName> = cached.tagged.into_iter().collect();
        let admitted = cached.queues.into_iter().filter(|seen| self.rules.admits(seen.name.as_str()));
        let row = |seen: Seen| {
            let tagged = tagged.remove(&seen.name);
            Row::new(seen, tagged)
        };
        self.rows = admitted.map(row).collect();
        self.source = Source::Cache;
        self.listing.at = Some(cached.listed_at);
        self.must_pair = true;
        self.raise(Change::Content);
        self.index();
    }

    /// Takes on the rules as they are once SSM parameters were read.
    pub(super) fn set_rules(&mut self, rules: &QueueRules) {
        if self.rules != *rules {
            self.rules = rules.clone();
            self.must_pair = true;
        }
    }

    pub(super) fn change(&self) -> Change {
        self.change.max(self.register.change())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The queues that can be asked about.
    pub(super) fn asked(&self) -> Vec<(Slot, QueueUrl)> {
        self.rows.iter().filter_map(|row| Some((row.slot?, row.seen.url.clone()))).collect()
    }

    pub(super) fn url(&self, slot: Slot) -> Option<&QueueUrl> {
        Some(&self.rows.get(*self.by_slot.get(slot.index())?)?.seen.url)
    }

    pub(super) fn slots<'a>(&'a self, names: impl IntoIterator<Item = &'a QueueName>) -> Vec<Slot> {
        let row = |name| self.rows.binary_search_by(|row| row.seen.name.cmp(name)).ok();
        names.into_iter().filter_map(|name| self.rows[row(name)?].slot).collect()
    }

    /// The queues that there are. Whether any came or went.
    pub(super) fn listed(
        &mut self,
        now: Duration,
        at: Timestamp,
        mut urls: Vec<QueueUrl>,
        schedule: &mut Schedule,
    ) -> bool {
        urls.retain(|url| self.rules.admits(url.name().as_str()));
        let mut named: Vec<(QueueName, QueueUrl)> = urls.into_iter().map(|url| (url.name(), url)).collect();
        named.sort();
        named.dedup_by(|left, right| left.0 == right.0);
        let is_same = self.rows.len() == named.len()
            && self.rows.iter().zip(&named).all(|(row, (_, url))| row.slot.is_some() && row.seen.url == *url);
        self.listing = Listing { at: Some(at), error: None, ..self.listing.clone() };
        self.source = Source::Live;
        self.raise(Change::Fresher);
        if is_same {
            return false;
        }
        self.merge(now, named, schedule);
        self.must_pair = true;
        self.raise(Change::Content);
        true
    }

    /// Keeps the rows that are still listed, adds new ones, lets the others go.
    fn merge(&mut self, now: Duration, named: Vec<(QueueName, QueueUrl)>, schedule: &mut Schedule) {
        let tags = self.rules.pair_tag.is_some();
        let mut old = std::mem::take(&mut self.rows).into_iter().peekable();
        let mut rows = Vec::with_capacity(named.len());
        for (name, url) in named {
            while let Some(gone) = old.next_if(|row| row.seen.name < name) {
                gone.slot.into_iter().for_each(|slot| schedule.remove(slot));
            }
            let known = old.next_if(|row| row.seen.name == name);
            let mut row = known.unwrap_or_else(|| Row::new(Seen::unseen(name, url.clone()), None));
            if row.seen.url != url {
                Arc::make_mut(&mut row.seen).url = url;
            }
            row.slot.get_or_insert_with(|| schedule.add(now, tags));
            rows.push(row);
        }
        for gone in old {
            gone.slot.into_iter().for_each(|slot| schedule.remove(slot));
        }
        self.rows = rows;
        self.index();
    }

    /// Has queues of the cache looked at although they can't be listed.
    pub(super) fn adopt(&mut self, now: Duration, schedule: &mut Schedule) {
        let tags = self.rules.pair_tag.is_some();
        for row in &mut self.rows {
            row.slot.get_or_insert_with(|| schedule.add(now, tags));
        }
        self.index();
    }

    fn index(&mut self) {
        let slots = self.rows.iter().filter_map(|row| row.slot).map(Slot::index);
        let length = slots.max().map_or(0, |most| most + 1);
        self.by_slot.clear();
        self.by_slot.resize(length, usize::MAX);
        self.unanswered = 0;
        for (index, row) in self.rows.iter().enumerate() {
            if let Some(slot) = row.slot {
                self.by_slot[slot.index()] = index;
            }
            self.unanswered += usize::from(!row.is_answered && row.slot.is_some());
        }
    }

    pub(super) fn listing_asked(&mut self) {
        self.listing.busy = true;
        self.raise(Change::Fresher);
    }

    pub(super) fn listing_answered(&mut self) {
        self.listing.busy = false;
    }

    pub(super) fn not_listed(&mut self, error: CloudError) {
        if is_of_environment(error.kind) {
            self.forget_errors_of_environment();
        }
        if self.listing.error.as_ref() != Some(&error) {
            self.listing.error = Some(error);
            self.raise(Change::Content);
        }
    }

    /// Rows that failed while the environment was not known to be unreachable: the listing says it for all of them.
    fn forget_errors_of_environment(&mut self) {
        for row in &mut self.rows {
            if row.seen.error.as_ref().is_some_and(|error| is_of_environment(error.kind)) {
                Arc::make_mut(&mut row.seen).error = None;
                self.change = Change::Content;
            }
        }
    }

    /// The ARN of a DLQ that becomes emptier, where it is time to ask who takes its messages.
    pub(super) fn leaving_wanted(&mut self, now: Duration, slot: Slot) -> Option<QueueArn> {
        let row = self.rows.get_mut(*self.by_slot.get(slot.index())?)?;
        let is_due = row.leaving_asked_at.is_none_or(|asked| asked + LEAVING_EVERY <= now);
        let arn = row.by_policy().filter(|_| is_due && row.seen.trend.fall(FALLS_WITHIN).is_some())?.clone();
        row.leaving_asked_at = Some(now);
        Some(arn)
    }

    /// The same of all, at most so many: those that became emptier first, then those with most messages, for a move task may have begun
    /// before anybody looked.
    pub(super) fn all_leaving_wanted(&mut self, schedule: &mut Schedule, most: usize) -> Vec<(Slot, QueueArn)> {
        if self.must_pair {
            self.pair(Duration::ZERO, schedule);
        }
        let wanted = self.rows.iter().filter_map(|row| {
            let (slot, arn) = (row.slot?, row.by_policy()?.clone());
            let falls = row.seen.trend.fall(FALLS_WITHIN).is_some();
            Some((Reverse((falls, row.seen.messages().filter(|messages| *messages > 0)?)), slot, arn))
        });
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by_key(|(order, slot, _)| (*order, slot.index()));
        wanted.truncate(most);
        wanted.into_iter().map(|(_, slot, arn)| (slot, arn)).collect()
    }

    /// It was found who takes messages out of a queue.
    pub(super) fn left(&mut self, slot: Slot, leaving: Leaving) {
        let Some(row) = self.by_slot.get(slot.index()).and_then(|index| self.rows.get_mut(*index)) else { return };
        if row.seen.leaving.as_ref() != Some(&leaving) {
            Arc::make_mut(&mut row.seen).leaving = Some(leaving);
            self.raise(Change::Content);
        }
    }

    /// Settings and counts of a queue came, or did not.
    pub(super) fn described(&mut self, at: Timestamp, slot: Slot, answer: Result<Queue, CloudError>) {
        let Some(row) = self.by_slot.get(slot.index()).and_then(|index| self.rows.get_mut(*index)) else { return };
        self.unanswered -= usize::from(!row.is_answered);
        let is_first = !std::mem::replace(&mut row.is_answered, true);
        let seen = Arc::make_mut(&mut row.seen);
        let change = match answer {
            Err(error) if seen.error.as_ref() == Some(&error) => Change::None,
            Err(error) => {
                seen.error = Some(error);
                Change::Content
            }
            Ok(queue) => {
                let before = seen.queue.as_ref();
                let settings = |queue: &Queue| (queue.arn.clone(), queue.redrive.clone());
                self.must_pair |= before.map(settings) != Some(settings(&queue));
                let is_same = before == Some(&queue) && seen.error.is_none();
                seen.take(at, queue);
                if is_same { Change::Fresher } else { Change::Content }
            }
        };
        self.raise(if is_first { Change::Content } else { change });
    }

    /// Tags of a queue came: the source that they name.
    pub(super) fn tagged(&mut self, slot: Slot, source: Option<QueueName>) {
        let Some(row) = self.by_slot.get(slot.index()).and_then(|index| self.rows.get_mut(*index)) else { return };
        if row.tagged != source {
            row.tagged = source;
            self.must_pair = true;
            self.raise(Change::Content);
        }
    }

    /// The tag by whose value the configuration pairs.
    pub(super) fn pair_tag(&self) -> Option<&str> {
        self.rules.pair_tag.as_deref()
    }

    /// Queues whose oldest message's age is worth its price now, at most so many: those with messages; DLQs and what is on the
    /// screen first and more often, and of these the ones that waited longest.
    pub(super) fn ages_wanted(&mut self, now: Duration, visible: &[QueueName], names_max: usize) -> Vec<QueueName> {
        let visible: HashSet<&QueueName> = visible.iter().collect();
        let mut wanted = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let matters = row.seen.dead_letters.is_some() || visible.contains(&row.seen.name);
            let every = if matters { AGE_EVERY } else { AGE_EVERY_REST };
            let is_due = row.age_asked_at.is_none_or(|asked| asked + every <= now);
            if is_due && row.slot.is_some() && row.seen.messages().is_some_and(|messages| messages > 0) {
                wanted.push((Reverse(matters), row.age_asked_at, index));
            }
        }
        wanted.sort_unstable();
        wanted.truncate(names_max);
        let mut take = |index: usize| {
            let row = &mut self.rows[index];
            row.age_asked_at = Some(now);
            row.seen.name.clone()
        };
        wanted.into_iter().map(|(_, _, index)| take(index)).collect()
    }

    pub(super) fn aged(&mut self, answer: Result<Vec<(QueueName, Oldest)>, CloudError>) {
        let (ages, error) = match answer {
            Ok(ages) => (ages, None),
            // The listing says it.
            Err(error) if is_of_environment(error.kind) => return,
            Err(error) => (Vec::new(), Some(error)),
        };
        if self.metrics_error != error {
            self.metrics_error = error;
            self.raise(Change::Content);
        }
        for (name, oldest) in ages {
            let Ok(index) = self.rows.binary_search_by(|row| row.seen.name.cmp(&name)) else { continue };
            let row = &mut self.rows[index];
            if row.seen.oldest != Some(oldest) {
                Arc::make_mut(&mut row.seen).oldest = Some(oldest);
                self.raise(Change::Content);
            }
        }
    }

    fn raise(&mut self, change: Change) {
        self.change = self.change.max(change);
    }

    fn pair(&mut self, now: Duration, schedule: &mut Schedule) {
        let known: Vec<Known<'_>> = self
            .rows
            .iter()
            .map(|row| Known {
                name: &row.seen.name,
                arn: row.seen.queue.as_ref().map(|queue| &queue.arn),
                feeds: row.seen.feeds(),
                tagged: row.tagged.as_ref(),
            })
            .collect();
        let found = pair(&self.rules, &known);
        for (row, dead_letters) in self.rows.iter_mut().zip(found) {
            if let Some(slot) = row.slot {
                schedule.set_dead_letters(now, slot, dead_letters.is_some());
            }
            if row.seen.dead_letters != dead_letters {
                Arc::make_mut(&mut row.seen).dead_letters = dead_letters;
            }
        }
        self.must_pair = false;
    }

    /// What is known now. Costs a pointer for each queue.
    pub(super) fn snapshot(&mut self, now: Duration, schedule: &mut Schedule) -> Snapshot {
        if self.must_pair {
            self.pair(now, schedule);
        }
        self.number += 1;
        (self.change, _) = (Change::None, self.register.take_change());
        self.spend = schedule.spend(now);
        Snapshot {
            environment: self.environment.clone(),
            number: self.number,
            source: self.source,
            listing: Listing { unseen: self.unanswered, ..self.listing.clone() },
            queues: self.rows.iter().map(|row| Arc::clone(&row.seen)).collect(),
            estate: self.register.estate(),
            metrics_error: self.metrics_error.clone(),
            spend: self.spend,
        }
    }

    /// Notes what looking costs, which changes by time alone.
    pub(super) fn note_spend(&mut self, spend: Spend) {
        let shown = |spend: Spend| (spend.throttled, spend.bounded, spend.calls_per_minute / 10);
        if shown(spend) != shown(self.spend) {
            self.raise(Change::Fresher);
        }
    }
}

impl Row {
    /// Its ARN, where redrive policies of others make it a DLQ: only of those SQS tells move tasks.
    fn by_policy(&self) -> Option<&QueueArn> {
        let known_by = self.seen.dead_letters.as_ref()?.known_by;
        self.seen.queue.as_ref().filter(|_| known_by == KnownBy::RedrivePolicy).map(|queue| &queue.arn)
    }

    fn new(seen: Seen, tagged: Option<QueueName>) -> Self {
        Self {
            seen: Arc::new(seen),
            slot: None,
            tagged,
            is_answered: false,
            age_asked_at: None,
            leaving_asked_at: None,
        }
    }
}

impl Seen {
    fn take(&mut self, at: Timestamp, queue: Queue) {
        let total = queue.counts.total();
        let is_waiting = queue.counts.visible > 0
            && queue.counts.in_flight == 0
            && self.messages().is_none_or(|before| total >= before);
        // What happened while nobody looked is not known.
        let is_gap = self.at.is_none_or(|before| at.duration_since(before) > GAP);
        self.waiting_since = is_waiting.then(|| self.waiting_since.filter(|_| !is_gap).unwrap_or(at));
        self.trend.push(at, total);
        // Ages are asked for only where messages are.
        self.oldest = self.oldest.filter(|_| total > 0);
        self.queue = Some(queue);
        self.at = Some(at);
        self.error = None;
    }
}

/// Errors of a queue's that pass or are said elsewhere: throttling by the snapshot's spend, the others by the listing.
pub(super) fn is_said_elsewhere(error: &CloudError) -> bool {
    is_said_by_listing(error.kind) || error.kind == ErrorKind::Throttled
}

/// Errors that are the environment's, whichever call met them.
fn is_of_environment(kind: ErrorKind) -> bool {
    is_said_by_listing(kind) || kind == ErrorKind::Unreachable
}

/// Errors that no queue has alone: the listing, which is asked again when a queue meets one, says them.
fn is_said_by_listing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing | ErrorKind::ClockSkew)
}
