//! [`once`]: one look at an environment, with the very questions, merges and lacks of a watch.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use futures_util::stream::{self, FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::{
    board::Board,
    cache::Cached,
    leaving,
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
    journal::StateFolder,
};

/// Queues that are asked about at once: at 10 ms a call, 500 queues in 160 ms; far below SQS's own limits.
const CONCURRENCY: usize = 32;
/// DLQs of which it is asked who takes their messages.
const LEAVING_MAX: usize = 20;
/// How long CloudWatch may take for ages of messages, where nobody has said how long to wait.
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
    /// Whether metrics are asked for within what the environment's watch may cost, as a watch's first look is.
    pub is_bounded: bool,
    /// What does not answer within this time is told as that; none: each call has its own end.
    pub deadline: Option<Duration>,
    /// What an earlier session saw of the queues: without it nothing is known of how long something is so.
    pub earlier: Option<&'a Cached>,
    /// Where opsctl's own runs are recorded: who takes messages out of DLQs is looked for; none: that is not asked.
    pub runs: Option<&'a StateFolder>,
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
    /// Ages of oldest messages, which are metrics too.
    pub ages_asked: u64,
}

/// Until when answers are awaited.
#[derive(Debug, Clone, Copy)]
struct Until(Option<(Instant, Duration)>);

impl Until {
    fn of(cloud: &Cloud, deadline: Option<Duration>) -> Self {
        Self(deadline.map(|deadline| (Instant::now() + cloud.clock().real(deadline), deadline)))
    }

    /// None: it did not come in time.
    async fn wait<T>(self, answer: impl Future<Output = T>) -> Option<T> {
        match self.0 {
            Some((at, _)) => tokio::time::timeout_at(at, answer).await.ok(),
            None => Some(answer.await),
        }
    }

    fn late(self, action: &str) -> CloudError {
        let seconds = self.0.map_or(0, |(_, deadline)| deadline.as_secs());
        CloudError::new(ErrorKind::Unknown, action, &format!("no answer came within {seconds} s"))
    }
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            queues: None,
            looks: &[],
            event_minutes: EVENT_MINUTES,
            without_instances: false,
            is_bounded: false,
            deadline: None,
            earlier: None,
            runs: None,
        }
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
    if let Some(earlier) = wanted.earlier {
        board.restore(earlier.clone());
    }
    let until = Until::of(cloud, wanted.deadline);
    let (ages_max, metrics_max) = match wanted.is_bounded {
        true => {
            let budget = &mut schedule.budget;
            (budget.metrics_allowed(Duration::ZERO), budget.metrics_allowed_beyond_queues(Duration::ZERO))
        }
        false => (usize::MAX, usize::MAX),
    };
    let queues = async {
        match wanted.queues {
            Some(scope) => queues(cloud, (scope, wanted.runs), ages_max, until, &mut board, &mut schedule).await,
            None => Aged::default(),
        }
    };
    let (aged, (estate, metrics_asked)) = tokio::join!(queues, looks(cloud, wanted, metrics_max, until));
    let snapshot = Snapshot { estate, ..board.snapshot(Duration::ZERO, &mut schedule) };
    Once { snapshot, ages_unknown: aged.unknown, metrics_asked, ages_asked: aged.asked }
}

/// What came of the ages of oldest messages.
#[derive(Default)]
struct Aged {
    /// Why some are missing.
    unknown: Option<Text>,
    asked: u64,
}

/// Lists queues, describes them, and asks for the ages of their oldest messages; why these are missing.
async fn queues(
    cloud: &Cloud,
    (scope, runs): (Scope, Option<&StateFolder>),
    ages_max: usize,
    until: Until,
    board: &mut Board,
    schedule: &mut Schedule,
) -> Aged {
    let (clock, now) = (cloud.clock(), Duration::ZERO);
    let listed = until.wait(cloud.sqs.list(None)).await;
    match listed.unwrap_or_else(|| Err(until.late("sqs:ListQueues"))) {
        Ok(urls) => board.listed(now, clock.now(), urls, schedule),
        Err(error) => {
            board.not_listed(error);
            return Aged::default();
        }
    };
    if scope == Scope::Names {
        return Aged::default();
    }
    let describe = |(slot, url)| async move {
        let answer = until.wait(cloud.sqs.describe(&url)).await;
        (slot, answer.unwrap_or_else(|| Err(until.late("sqs:GetQueueAttributes"))))
    };
    let mut described = stream::iter(board.asked()).map(describe).buffer_unordered(CONCURRENCY);
    while let Some((slot, answer)) = described.next().await {
        board.described(clock.now(), slot, answer);
    }
    if let Some(tag) = board.pair_tag().map(str::to_owned) {
        let tag = tag.as_str();
        // Where tags may not be read, the other ways of pairing are left.
        let tags = |(slot, url)| async move {
            let tags = until.wait(cloud.sqs.tags(&url)).await.and_then(Result::ok).unwrap_or_default();
            (slot, tags.get(tag).cloned())
        };
        let mut tagged = stream::iter(board.asked()).map(tags).buffer_unordered(CONCURRENCY);
        while let Some((slot, source)) = tagged.next().await {
            board.tagged(slot, source.map(QueueName));
        }
    }
    if let Some(runs) = runs {
        leaving(cloud, runs, until, board, schedule).await;
    }
    ages(cloud, ages_max, until, board).await
}

/// Looks who takes messages out of DLQs.
async fn leaving(cloud: &Cloud, runs: &StateFolder, until: Until, board: &mut Board, schedule: &mut Schedule) {
    let look = |(slot, dlq)| async move { (slot, until.wait(leaving::look(cloud, runs.clone(), dlq)).await) };
    let wanted = board.all_leaving_wanted(schedule, LEAVING_MAX);
    let mut found = stream::iter(wanted).map(look).buffer_unordered(CONCURRENCY);
    while let Some((slot, found)) = found.next().await {
        found.into_iter().for_each(|leaving| board.left(slot, leaving));
    }
}

async fn ages(cloud: &Cloud, ages_max: usize, until: Until, board: &mut Board) -> Aged {
    let names = board.ages_wanted(Duration::ZERO, &[], ages_max);
    if names.is_empty() {
        return Aged::default();
    }
    let ages = ages_of(cloud, &names);
    let ages = match until.0 {
        Some(_) => until.wait(ages).await,
        None => tokio::time::timeout(cloud.clock().real(AGES_TIMEOUT), ages).await.ok(),
    };
    let (unknown, asked, ages) = match ages {
        Some(Ok(ages)) => (ages.incomplete, ages.asked, Ok(ages.ages)),
        Some(Err(error)) => (Some(Text::line(&error.to_string())), 0, Err(error)),
        None => {
            let text = "CloudWatch did not answer in time";
            let late = CloudError::new(ErrorKind::Unknown, "cloudwatch:GetMetricData", text);
            (Some(late.message.clone()), 0, Err(late))
        }
    };
    board.aged(ages);
    Aged { unknown, asked: asked.into() }
}

/// Makes looks, those that another's answer calls for right after it; what was seen, and how many metrics it took.
async fn looks(cloud: &Cloud, wanted: &Wanted<'_>, metrics_max: usize, until: Until) -> (Estate, u64) {
    let mut register = Register::default();
    let (shares, clock) = (Arc::default(), cloud.clock());
    let ask = |register: &mut Register, look: Look| {
        let asking = Asking {
            cloud,
            shares: &shares,
            at: clock.now(),
            now: Duration::ZERO,
            metrics_max,
            event_minutes: wanted.event_minutes,
            without_instances: wanted.without_instances,
            shown: &[],
            slices: None,
        };
        let found = (look.spec().ask)(register, &asking)?;
        Some(async move {
            let found = until.wait(found).await;
            (look, found.unwrap_or_else(|| Err(until.late(look.part().words()))))
        })
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
