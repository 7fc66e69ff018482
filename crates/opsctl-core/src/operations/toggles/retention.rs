//! How long a queue keeps messages that nobody deletes: raised to buy days, put back afterwards.

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Memory, ToToggle,
    memory::{Known, as_before},
};
use crate::{
    cloud::{Cloud, metrics::QUEUE_AGE},
    domain::{
        Message, Queue, QueueKind, QueueName, Setting, Text, Toggle, Try,
        invocation::option,
        words::{about_messages, counted, within},
    },
    leave,
    operations::{
        Bound, Counts, Look, OperationError, OperationKind, Planned, Planner, Verb, plan::Plan, resolve, sample,
        values::Seconds,
    },
};

/// Bounds of MessageRetentionPeriod, seconds (SQS API reference, `SetQueueAttributes`).
const LEAST: u32 = 60;
const MOST: u32 = 1_209_600;
/// Messages looked at for their ages.
const SAMPLE: usize = 10;

/// Keep a queue's messages for longer, remember how long it was, and put that back
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Queue: name, URL or ARN
    #[arg(
        long,
        value_name = "QUEUE",
        required_unless_present = "resume",
        default_value = "",
        hide_default_value = true
    )]
    pub queue: String,
    /// Keep messages for so long, 1m to 14d
    #[arg(
        long,
        value_name = "TIME",
        value_parser = Seconds::between::<LEAST, MOST>,
        required_unless_present_any = ["restore", "resume"]
    )]
    pub to: Option<Seconds>,
    /// Put back what was set before opsctl changed it; where nothing is remembered there is nothing to do
    #[arg(long, conflicts_with = "to")]
    pub restore: bool,
    /// Agree that a shorter retention deletes messages that are older, for good
    #[arg(long)]
    pub accept_loss: bool,
}

impl Verb for Retention {
    fn subject(&self) -> &str {
        &self.queue
    }

    fn counts(&self) -> Counts {
        Counts::One
    }

    fn put_back_by(&self) -> Option<OperationKind> {
        Some(OperationKind::Retention)
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan(self, cloud, planner))
    }
}

struct Scene<'a> {
    cloud: &'a Cloud,
    queue: Queue,
    /// Whose dead letters it holds, as far as that is known.
    sources: Vec<QueueName>,
    now: Timestamp,
    to_seconds: u64,
}

async fn plan(asked: &Retention, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let queue = resolve::queue(cloud, &asked.queue).await?;
    let toggle = Toggle::Retention(queue.name.clone());
    let known = Known::read(cloud, planner).await?;
    let now = Setting::RetentionSeconds(queue.retention_seconds);
    let mut plan = planner.draft();
    let to = wanted(asked, &queue, &known, &mut plan);
    let Setting::RetentionSeconds(to_seconds) = to else { unreachable!("a queue remembers its retention") };
    let before = known.before(&toggle).cloned();
    let bound = known.departs(toggle.clone(), format!("retention of {}", queue.name), now, to);
    let sources = cloud.sqs.sources_of(&queue.url).await.unwrap_or_default().iter().map(|url| url.name()).collect();
    let scene = Scene { cloud, queue, sources, now: cloud.clock().now(), to_seconds };
    let (name, from) = (&scene.queue.name, bound.from);
    plan.resource = Text::line(name.as_str());
    plan.summary = Text::line(&format!("set the retention of {name} to {}", within(seconds(to_seconds))));
    plan.observe("queue: arn", &scene.queue.arn);
    plan.observe(toggle.to_string(), format!("{} to {}", from.words(), to.words()));
    plan.fact("queue", format!("{name} ({})", scene.queue.kind));
    plan.fact("now", from.words().as_str());
    plan.empty = from == to;
    if plan.empty {
        let is_unknown = asked.to.is_none() && before.is_none() && known.earlier(&bound.toggle).is_none();
        let why = if is_unknown { "opsctl remembers no other one" } else { "it is so already" };
        plan.warn(format!("nothing to do: {}; {why}", from.words()));
        return Ok(Planned { plan, bound: Bound::Toggle(vec![bound]) });
    }
    let because = match (&bound.memory, &before) {
        (Memory::Forget, Some(before)) => as_before(before),
        (Memory::Keep(stood), _) => format!("; {} is remembered", stood.words()),
        (Memory::Forget | Memory::AtAws, _) => String::new(),
    };
    plan.fact("after", format!("{}{because}", to.words()));
    scene.ages(planner, &mut plan).await;
    match to_seconds < scene.queue.retention_seconds {
        true => scene.lowers(asked, &mut plan),
        false => scene.raises(&mut plan).await,
    }
    scene.calls(&mut plan, &bound);
    Ok(Planned { plan, bound: Bound::Toggle(vec![bound]) })
}

/// What it is set to: what was asked for, or what is remembered; where nothing is, it stays as it is.
fn wanted(asked: &Retention, queue: &Queue, known: &Known, plan: &mut Plan) -> Setting {
    let toggle = Toggle::Retention(queue.name.clone());
    if let Some(Seconds(to)) = asked.to {
        return Setting::RetentionSeconds(to.into());
    }
    // A resume puts back what the run had begun to, though it may be forgotten by now.
    if let Some((_, to)) = known.earlier(&toggle) {
        return to;
    }
    let now = Setting::RetentionSeconds(queue.retention_seconds);
    let Some(before) = known.before(&toggle) else { return now };
    if !before.is_still_so(now) && before.from != now {
        let set = before.to.map(|to| format!(" {}", to.words())).unwrap_or_default();
        plan.block(format!("somebody else has set it since: {} set{set}, and now it is {}", before.run, now.words()));
    }
    before.from
}

impl Scene<'_> {
    /// When the oldest message expires, now and afterwards, as far as its age is known.
    async fn ages(&self, planner: &Planner, plan: &mut Plan) {
        let name = self.queue.name.as_str();
        plan.fact("messages", about_messages(self.queue.counts.total()));
        let samples = self.cloud.metrics.named(&QUEUE_AGE, &[name]).await.unwrap_or_default();
        if let Some(sample) = samples.newest(name).filter(|_| self.queue.counts.total() > 0) {
            let age =
                seconds(sample.value.max(0.0) as u64) + self.now.duration_since(sample.at).max(SignedDuration::ZERO);
            plan.fact("oldest", format!("{} old by CloudWatch; {}", within(age), self.expires(age)));
        }
        let messages = self.sample(planner).await;
        let sent = messages.iter().filter_map(|message| message.system.sent_at).min();
        if let Some(sent) = sent {
            let age = self.now.duration_since(sent);
            let looked = counted(messages.len() as u64, "message");
            plan.fact("looked at", format!("{looked}, the oldest sent {} ago; {}", within(age), self.expires(age)));
            let lost = messages.iter().filter_map(|message| message.system.sent_at);
            let lost = lost.filter(|sent| self.now.duration_since(*sent) >= seconds(self.to_seconds)).count() as u64;
            if lost > 0 && self.to_seconds < self.queue.retention_seconds {
                plan.fact("deleted", format!("{lost} of the {looked} looked at"));
            }
        }
        if self.is_dead_letters() && self.queue.kind == QueueKind::Standard {
            plan.warn(
                "a standard queue's messages keep the time of their first send when they die: they expire sooner than \
                 their age in this queue says (SQS developer guide, dead-letter queues)",
            );
        }
    }

    fn expires(&self, age: SignedDuration) -> String {
        let left = |retention: u64| match seconds(retention) - age {
            left if left.is_positive() => format!("in {}", within(left)),
            _ => "at once".to_owned(),
        };
        format!("deleted {} now, {} afterwards", left(self.queue.retention_seconds), left(self.to_seconds))
    }

    /// Of a queue whose messages do not die of a look.
    async fn sample(&self, planner: &Planner) -> Vec<Message> {
        let Ok(leave) = leave::allow_sampling(self.cloud.environment()) else { return Vec::new() };
        let is_harmless =
            self.is_dead_letters() && self.queue.redrive.is_none() && self.queue.kind == QueueKind::Standard;
        if planner.look == Look::Never || !is_harmless || self.queue.counts.visible == 0 {
            return Vec::new();
        }
        sample::look(self.cloud, &self.queue, SAMPLE, leave).await.unwrap_or_default().messages
    }

    fn is_dead_letters(&self) -> bool {
        !self.sources.is_empty()
    }

    async fn raises(&self, plan: &mut Plan) {
        plan.change("messages that wait are kept longer, those that wait already too; nothing is deleted");
        let Some(policy) = &self.queue.redrive else { return };
        let name = policy.dead_letter.name();
        let Ok(dead_letter) = resolve::queue(self.cloud, name.as_str()).await else { return };
        let command = format!("retention {} --to {}", option("queue", name.as_str()), Seconds(self.to_seconds as u32));
        let command = self.cloud.environment().command(&command);
        let kept = within(seconds(dead_letter.retention_seconds));
        if dead_letter.retention_seconds < self.to_seconds {
            plan.warn((
                format!("messages in {name}, and those that die, are deleted after {kept} as before"),
                Try::UseOther.says(format!("`{command}` keeps them longer")),
            ));
        }
    }

    /// Nothing brings back what is deleted for its age.
    fn lowers(&self, asked: &Retention, plan: &mut Plan) {
        let older = within(seconds(self.to_seconds));
        plan.change(format!("messages older than {older} are deleted for good"));
        let total = self.queue.counts.total();
        if total == 0 {
            return plan.warn("SQS counts no message in it; what arrives old from another queue is deleted, too");
        }
        let loss =
            format!("up to {} older than {older} are lost at once, and no run puts them back", about_messages(total));
        if asked.accept_loss {
            plan.no_way_back = Some(Text::line(&loss));
        } else {
            plan.block((loss, Try::GiveOther.says("--accept-loss agrees to that")));
        }
    }

    fn calls(&self, plan: &mut Plan, bound: &ToToggle) {
        plan.warn(
            "SQS may take 15 minutes until a new retention counts (SQS API reference, SetQueueAttributes): what expires before \
             that is gone",
        );
        let name = bound.toggle.name();
        plan.call("sqs:SetQueueAttributes", Some(name), 1);
        plan.call("sqs:GetQueueAttributes", Some(name), 2);
    }
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}
