//! [`once`]: one look at an environment, with the very questions, merges and lacks of a watch.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::stream::{self, FuturesUnordered, StreamExt};

use super::{
    board::Board,
    parts::{Asking, Begins, Estate, Look, Next},
    register::Register,
    schedule::{Policy, Schedule},
    snapshot::Snapshot,
    watch::questions::ages_of,
};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind},
    databases::EVENT_MINUTES,
    domain::{QueueName, QueueRules, Text},
};

/// Queues that are asked about at once: at 10 ms a call, 500 queues in 160 ms; far below SQS's own limits.
const CONCURRENCY: usize = 32;
/// How long CloudWatch may take for ages of messages: nobody waits for it for long.
const AGES_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Which queues; none: none.
    pub queues: Option<Scope>,
    pub looks: &'a [Look],
    /// How far back events of databases are looked for, at most 14 days.
    pub event_minutes: u32,
    /// Leaves out metrics of databases' instances: of databases only the capacity in use is asked for.
    pub without_instances: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Configured,
    All,
    /// The names of all, and nothing more about them.
    Names,
}

#[derive(Debug, Clone)]
pub struct Once {
    pub snapshot: Snapshot,
    /// Why ages of oldest messages are missing where there are messages; none: what is missing has no sample.
    pub ages_unknown: Option<Text>,
    /// Metrics of what is beside queues that were asked for, as CloudWatch bills them.
    pub metrics_asked: u64,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { queues: None, looks: &[], event_minutes: EVENT_MINUTES, without_instances: false }
    }
}

/// Looks. What can't be seen is said in the snapshot, as a watch says it.
pub async fn once(cloud: &Cloud, wanted: &Wanted<'_>) -> Once {
    let environment = cloud.environment();
    let rules = match wanted.queues {
        Some(Scope::Configured) | None => environment.queues.clone(),
        Some(Scope::All | Scope::Names) => {
            QueueRules { include: Vec::new(), exclude: Vec::new(), ..environment.queues.clone() }
        }
    };
    let mut schedule = Schedule::new(Policy::default(), &environment.watch);
    let mut board = Board::new(environment.name.clone(), rules);
    let queues = async {
        match wanted.queues {
            Some(scope) => queues(cloud, scope, &mut board, &mut schedule).await,
            None => None,
        }
    };
    let (ages_unknown, (estate, metrics_asked)) = tokio::join!(queues, looks(cloud, wanted));
    let snapshot = Snapshot { estate, ..board.snapshot(Duration::ZERO, &mut schedule) };
    Once { snapshot, ages_unknown, metrics_asked }
}

/// Lists queues, describes them, and asks for the ages of their oldest messages; why these are missing.
async fn queues(cloud: &Cloud, scope: Scope, board: &mut Board, schedule: &mut Schedule) -> Option<Text> {
    let (clock, now) = (cloud.clock(), Duration::ZERO);
    match cloud.sqs.list(None).await {
        Ok(urls) => board.listed(now, clock.now(), urls, schedule),
        Err(error) => {
            board.not_listed(error);
            return None;
        }
    };
    if scope == Scope::Names {
        return None;
    }
    let describe = |(slot, url)| async move { (slot, cloud.sqs.describe(&url).await) };
    let mut described = stream::iter(board.asked()).map(describe).buffer_unordered(CONCURRENCY);
    while let Some((slot, answer)) = described.next().await {
        board.described(clock.now(), slot, answer);
    }
    if let Some(tag) = board.pair_tag().map(str::to_owned) {
        let tag = tag.as_str();
        // Where tags may not be read, the other ways of pairing are left.
        let tags =
            |(slot, url)| async move { (slot, cloud.sqs.tags(&url).await.unwrap_or_default().get(tag).cloned()) };
        let mut tagged = stream::iter(board.asked()).map(tags).buffer_unordered(CONCURRENCY);
        while let Some((slot, source)) = tagged.next().await {
            board.tagged(slot, source.map(QueueName));
        }
    }
    ages(cloud, board).await
}

async fn ages(cloud: &Cloud, board: &mut Board) -> Option<Text> {
    let names = board.ages_wanted(Duration::ZERO, &[], usize::MAX);
    if names.is_empty() {
        return None;
    }
    let late = || CloudError::new(ErrorKind::Unknown, "cloudwatch:GetMetricData", "CloudWatch did not answer in time");
    let ages = tokio::time::timeout(cloud.clock().real(AGES_TIMEOUT), ages_of(cloud, &names)).await;
    let unknown = match &ages {
        Ok(Ok(ages)) => ages.incomplete.clone(),
        Ok(Err(error)) => Some(Text::line(&error.to_string())),
        Err(_) => Some(late().message),
    };
    board.aged(ages.unwrap_or_else(|_| Err(late())).map(|ages| ages.ages));
    unknown
}

/// Makes looks, those that another's answer calls for right after it; what was seen, and how many metrics it took.
async fn looks(cloud: &Cloud, wanted: &Wanted<'_>) -> (Estate, u64) {
    let mut register = Register::default();
    let (shares, clock) = (Arc::default(), cloud.clock());
    let ask = |register: &mut Register, look: Look| {
        let asking = Asking {
            cloud,
            shares: &shares,
            at: clock.now(),
            now: Duration::ZERO,
            metrics_max: usize::MAX,
            event_minutes: wanted.event_minutes,
            without_instances: wanted.without_instances,
            shown: &[],
            slices: None,
        };
        let found = (look.spec().ask)(register, &asking)?;
        Some(async move { (look, found.await) })
    };
    let is_first = |look: &Look| look.spec().begins != Begins::WhenCalled;
    let first = wanted.looks.iter().copied().filter(is_first);
    let mut made: BTreeSet<Look> = first.clone().collect();
    let mut under_way: FuturesUnordered<_> = first.filter_map(|look| ask(&mut register, look)).collect();
    let mut metrics_asked = 0;
    while let Some((look, found)) = under_way.next().await {
        let at = clock.now();
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                register.failed(at, look, error);
                continue;
            }
        };
        metrics_asked += found.metrics;
        for Next::Want(look) | Next::Hurry(look) in (found.put)(&mut register, at) {
            if wanted.looks.contains(&look) && made.insert(look) {
                under_way.extend(ask(&mut register, look));
            }
        }
    }
    (register.estate(), metrics_asked)
}
