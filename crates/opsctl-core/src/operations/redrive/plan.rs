//! A redrive's plan.

use std::{collections::HashSet, path::Path};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{
    Redrive,
    bind::{Parts, bounce_max, client_side, delay_seconds, judge, managed, watch_seconds},
    choice::{self, Moves},
    foreseen::Foreseen,
    scene::{Pairing, Scene, To},
    sources::{self, Known, Sourceless},
};
use crate::{
    cloud::{Cloud, sqs::MoveStatus},
    domain::{
        MessageId, Protection, Queue, QueueArn, QueueKind, RunId, Text, Try,
        message::hex,
        words::{counted, counted_is, some_of},
    },
    messages::edit::Editor,
    operations::{
        OperationError, Planned, Planner, Unsettled,
        bound::Bound,
        consumers::{self, Consumers},
        ids,
        plan::{Plan, labels},
        selection::{self, Sampled, Selection},
        transfer::{Judge, LANES_MAX},
        values::{EngineChoice, Ramp, in_words},
    },
};

/// Hiding is renewed at its half, and a send may take ten seconds: were it shorter, somebody else could get a message that is just
/// being sent.
const VISIBILITY_SECONDS_MIN: u32 = 30;
/// An own redrive policy that lets a message be looked at less often than this forwards it soon.
const RECEIVES_LOW: u32 = 10;
const SOURCES_SHOWN_MAX: usize = 5;
/// What a consumer needs at least to fail a message.
const WATCH_SECONDS_MIN: u32 = 30;

pub(in crate::operations) async fn plan(
    redrive: &Redrive,
    cloud: &Cloud,
    planner: &Planner,
) -> Result<Planned, OperationError> {
    check_visibility(redrive)?;
    let scene = Scene::observe(cloud, redrive).await?;
    let filter = selection::filter(redrive.filter.as_deref(), "redrive", cloud)?;
    let ids = redrive.ids.as_deref().map(ids::listed).transpose()?;
    let editor = redrive.edit.as_deref().map(Editor::open).transpose();
    let editor = editor.map_err(|error| usage("the edit can't be used", &error.to_string()))?;
    let ramp = ramp(redrive, cloud);
    let selection = Selection { filter: filter.as_ref(), ids: ids.as_ref(), limit: redrive.limit };
    let sampled = selection.look(cloud, &scene.from, planner.look).await;
    let known = sources::known(&planner.state, &cloud.environment().name, &scene, cloud.clock().now()).await?;
    let sourceless = match &scene.to {
        To::Each => Sourceless::of(&sampled.messages, &scene, &known),
        To::One(_) | To::Unknown => Sourceless::default(),
    };
    let foreseen = foreseen(redrive, &scene, (cloud, &known), &sampled, &selection);
    let undo_messages_max = cloud.environment().queues.undo_messages_max();
    let seen = (&sourceless, &foreseen);
    let chosen = choice::choose(redrive, &ramp, &scene, seen, planner.moves, undo_messages_max);
    let engine = chosen.moves;

    let mut draft = Draft {
        redrive,
        scene: &scene,
        cloud,
        ramp: &ramp,
        plan: planner.draft(),
        to: String::new(),
        resuming: planner.resuming.is_some(),
    };
    draft.plan.resource = Text::line(scene.from.name.as_str());
    draft.plan.blockers.extend(chosen.blocker);
    draft.plan.warnings.extend(chosen.warning);
    draft.plan.no_way_back = chosen.no_way_back;
    draft.observe(ids.as_ref());
    draft.routes();
    draft.facts(&chosen.why);
    draft.sampled(&sampled, &selection);
    draft.sourceless(sourceless, sampled.messages.len(), foreseen.unaddressed());
    draft.foresee(&foreseen);
    draft.delay();
    draft.warn(engine, planner, &selection)?;
    let lanes = draft.lanes();
    draft.costs(engine, lanes, &selection);
    let Draft { mut plan, to, .. } = draft;
    engine.observe(&mut plan);
    plan.empty = scene.from.counts.total() == 0;
    plan.summary = summary(&scene, &plan, &to);

    let consumers = match redrive.pause_consumers {
        true => Some(consumers_around(redrive, &ramp, &scene, cloud, planner, &mut plan).await?),
        false => None,
    };
    let bound = match engine {
        Moves::Managed => Bound::Managed(managed(redrive, &scene)),
        Moves::Client => {
            let parts = Parts { filter, ids, editor, ramp, lanes, known };
            Bound::ClientSide(Box::new(client_side(redrive, &scene, cloud, parts)))
        }
    };
    let bound = match consumers {
        Some(consumers) if consumers.count() > 0 => Bound::Around(consumers, Box::new(bound)),
        Some(_) | None => bound,
    };
    Ok(Planned { plan, bound })
}

/// Which messages of the sample, of those that are selected, would stay.
fn foreseen(
    redrive: &Redrive,
    scene: &Scene,
    (cloud, known): (&Cloud, &Known),
    sampled: &Sampled,
    selection: &Selection<'_>,
) -> Foreseen {
    let sample = if selection.is_selective() { &sampled.selected } else { &sampled.messages };
    // Nobody knows yet what an edit makes of them.
    if matches!(scene.to, To::Unknown) || sample.is_empty() {
        return Foreseen::default();
    }
    // Every run's name is as long.
    let mark = redrive.mark.then(|| RunId::new(cloud.clock().now(), 0).to_string());
    let judge = Judge { mark, is_edited: redrive.edit.is_some(), ..judge(scene, cloud, known) };
    Foreseen::of(sample, &judge)
}

/// The consumers that are paused around the run. Who watches for messages that come back needs them at work.
async fn consumers_around(
    redrive: &Redrive,
    ramp: &Ramp,
    scene: &Scene,
    cloud: &Cloud,
    planner: &Planner,
    plan: &mut Plan,
) -> Result<Consumers, OperationError> {
    let watch = watch_seconds(redrive, scene, ramp);
    if ramp.is_ramped() || watch > 0 {
        plan.block((
            "messages come back only when consumers work on them, so with --pause-consumers nothing is learnt from a ramp or a watch",
            Try::LeaveOut.says("leave one of them out, or say --ramp all to move everything unwatched"),
        ));
    } else {
        plan.warn("nobody sees during the run whether messages fail again: that shows when consumers are resumed");
    }
    let (destinations, _) = scene.destinations();
    let queues: Vec<QueueArn> = destinations.iter().map(|queue| queue.arn.clone()).collect();
    consumers::around(&queues, cloud, planner, plan).await
}

fn usage(what: &str, because: &str) -> OperationError {
    OperationError::usage(&format!("{what}: {because}"), Try::SeeHelp.says("see `opsctl redrive --help`"))
}

fn check_visibility(redrive: &Redrive) -> Result<(), OperationError> {
    match redrive.visibility {
        Some(seconds) if seconds.0 < VISIBILITY_SECONDS_MIN => Err(OperationError::usage(
            &format!(
                "--visibility {seconds} is too short: a slow send could outlast it, and another reader get the message"
            ),
            Try::GiveOther.says(format!("give {VISIBILITY_SECONDS_MIN}s or more; 1m is the default")),
        )),
        Some(_) | None => Ok(()),
    }
}

fn ramp(redrive: &Redrive, cloud: &Cloud) -> Ramp {
    let careful = cloud.environment().protection == Protection::TypeName && redrive.engine != EngineChoice::Managed;
    match &redrive.ramp {
        Some(ramp) => ramp.clone(),
        None if careful => Ramp::careful(),
        None => Ramp::none(),
    }
}

pub(super) struct Draft<'a> {
    pub(super) redrive: &'a Redrive,
    pub(super) scene: &'a Scene,
    pub(super) cloud: &'a Cloud,
    pub(super) ramp: &'a Ramp,
    pub(super) plan: Plan,
    to: String,
    resuming: bool,
}

impl Draft<'_> {
    /// Identities and settings that the plan rests on.
    fn observe(&mut self, ids: Option<&HashSet<MessageId>>) {
        let plan = &mut self.plan;
        describe("from", &self.scene.from, plan);
        let (destinations, _) = self.scene.destinations();
        for destination in &destinations {
            describe(&format!("to {}", destination.name), destination, plan);
        }
        if let Some(park) = &self.scene.park {
            describe("park", park, plan);
        }
        ids::observe(ids, plan);
        if let Some(path) = self.redrive.edit.as_deref().and_then(Editor::file) {
            // Unreadable, an editor would not have been opened; empty, it differs from any that is not.
            let text = std::fs::read(&path).unwrap_or_default();
            plan.observe("edit", format!("{} {}", path.display(), hex(&Sha256::digest(text))));
        }
        for destination in destinations.iter().chain(&self.scene.park) {
            if let Some(keys) = self.cloud.environment().queues.keys_for(destination.name.as_str())
                && destination.kind == QueueKind::Fifo
            {
                let id = keys.deduplication_id.as_deref().unwrap_or("none");
                plan.observe(format!("to {}: keys", destination.name), format!("{} {id}", keys.group_id));
            }
        }
        plan.observe("pairing", self.scene.pairing.into_str());
        plan.observe("ramp", self.ramp);
    }

    fn routes(&mut self) {
        let scene = self.scene;
        match &scene.to {
            To::Unknown => self.plan.block((
                format!(
                    "no queue uses {} as its DLQ, so nothing says where its messages belong (Lambda, SNS and EventBridge send to \
                     DLQs directly)",
                    scene.from.name
                ),
                Try::GiveOther.says("give --to"),
            )),
            To::One(to) if to.arn == scene.from.arn => self.plan.block("source and destination are the same queue"),
            To::One(to) => self.route_to(to),
            To::Each => {}
        }
        if let (Pairing::None, To::One(_)) = (scene.pairing, &scene.to) {
            let name = &scene.from.name;
            self.plan.warn(format!("nothing says that {name} is a dead-letter queue: its messages may be live ones"));
        }
        if let Some(park) = &scene.park
            && park.arn == scene.from.arn
        {
            self.plan.block("the parking queue is the DLQ itself");
        }
        if let Some(file) = self.redrive.park_file() {
            if Path::new(file).exists() && !self.resuming {
                let other = Try::MendFile.says("name another file to park in");
                self.plan.block((format!("{file} exists already"), other));
            }
            if self.redrive.no_snapshot {
                let leave_out = Try::LeaveOut.says("leave out --no-snapshot");
                self.plan.block(("parking in a file needs the snapshot", leave_out));
            }
        }
    }

    fn route_to(&mut self, to: &Queue) {
        let from = &self.scene.from;
        match (from.kind, to.kind) {
            (QueueKind::Fifo, QueueKind::Standard) => {
                self.plan.warn("the destination is a standard queue: order and exactly-once processing end there");
            }
            (QueueKind::Standard, QueueKind::Fifo) => {
                match self.cloud.environment().queues.keys_for(to.name.as_str()) {
                    Some(keys) => {
                        let id = keys.deduplication_id.as_deref().unwrap_or("per message");
                        self.plan.fact(labels::MESSAGE_KEYS, format!("group {}, deduplication {id}", keys.group_id));
                    }
                    None => self.plan.block((
                        format!("{} is FIFO and the messages of a standard queue need a group id", to.name),
                        Try::Configure.says("configure `keys` for it in opsctl.toml"),
                    )),
                }
                self.plan.warn("a standard queue keeps no order: messages arrive in about the order they were sent in");
            }
            (QueueKind::Standard, QueueKind::Standard) | (QueueKind::Fifo, QueueKind::Fifo) => {}
        }
        if to.redrive.as_ref().is_some_and(|policy| policy.dead_letter != from.arn)
            && self.scene.pairing == Pairing::Policy
        {
            self.plan.warn(format!("messages that fail again in {} go to another DLQ", to.name));
        }
    }

    fn facts(&mut self, why: &Text) {
        let (scene, plan) = (self.scene, &mut self.plan);
        plan.fact(labels::FROM, format!("{} ({})", scene.from.name, scene.from.kind));
        let paired = match scene.pairing {
            Pairing::Policy => "",
            Pairing::Name => " (paired by name)",
            Pairing::Tag => " (paired by tag)",
            Pairing::None => "",
        };
        let to = match &scene.to {
            To::One(to) => format!("{} ({}){paired}", to.name, to.kind),
            To::Each if scene.sources.len() == 1 => {
                format!("{} ({}){paired}", scene.sources[0].name, scene.sources[0].kind)
            }
            To::Each => {
                let names = scene.sources.iter().map(|source| source.name.as_str());
                format!("each to its own source: {}", some_of(names, SOURCES_SHOWN_MAX))
            }
            To::Unknown => "unknown".to_owned(),
        };
        plan.fact(labels::TO, &to);
        self.to = to;
        plan.fact(labels::MESSAGES, selection::count_words(scene.from.counts));
        plan.fact(labels::ENGINE, why.as_str());
        let asked = [
            (labels::ONLY_WHERE, self.redrive.filter.clone()),
            (labels::AT_MOST, self.redrive.limit.map(|limit| counted(limit, "message"))),
            ("edit", self.redrive.edit.clone()),
            ("park", self.redrive.park.clone()),
            ("rate", self.redrive.rate.map(|rate| format!("at most {rate} a second"))),
        ];
        for (label, value) in asked {
            value.into_iter().for_each(|value| plan.fact(label, value));
        }
        if self.ramp.is_ramped() {
            let (bounce, watch) = (bounce_max(self.redrive), watch_seconds(self.redrive, scene, self.ramp));
            plan.fact("ramp", format!("{}, watching {watch} s after each step, stops over {bounce} back", self.ramp));
        }
    }

    fn sampled(&mut self, sampled: &Sampled, selection: &Selection<'_>) {
        // What is left where it is may expire as it likes: that is no news of this redrive.
        let sample = if selection.is_selective() { &sampled.selected } else { &sampled.messages };
        let now = self.cloud.clock().now();
        if self.scene.from.kind == QueueKind::Standard
            && let Some(oldest) = sample.iter().filter_map(|message| message.system.sent_at).min()
        {
            // A standard DLQ counts a message's life from its first sending.
            let retention = SignedDuration::from_secs(self.scene.from.retention_seconds as i64);
            let expires_at = oldest.checked_add(retention).unwrap_or(Timestamp::MAX);
            self.plan.expires_at = Some(expires_at);
            let left = expires_at.duration_since(now).as_secs().max(0);
            self.plan
                .fact(labels::EXPIRES_IN, format!("{} (oldest of {} sampled)", in_words(left as u64), sample.len()));
            if left < 6 * 3_600 {
                self.plan.warn("the oldest messages expire within hours: what is not moved by then is gone");
            }
        }
        selection.tell(sampled, self.scene.from.counts.total(), &mut self.plan);
    }

    /// Which of the sampled messages name no source queue; `unaddressed` of them stay for that.
    fn sourceless(&mut self, sourceless: Sourceless, sampled: usize, unaddressed: usize) {
        let Sourceless { sampled: silent, unknown, .. } = sourceless;
        if silent > 0 {
            let known = silent - unknown;
            let mut text = format!("{silent} of {sampled} sampled name no source queue");
            if known > 0 {
                text.push_str(&format!("; {known} of those known from earlier runs"));
            }
            self.plan.fact("sources", text);
        }
        if let (direct @ 1.., [only]) = (unknown.saturating_sub(unaddressed), self.scene.sources.as_slice()) {
            self.plan.warn(format!(
                "{direct} of the sample may not have died in {}: it is the only source queue of this DLQ, so they go there",
                only.name
            ));
        }
    }

    /// Messages are hidden where they arrive, for as long as the queue delays each.
    fn delay(&mut self) {
        let (destinations, _) = self.scene.destinations();
        let delayed = destinations.iter().filter_map(selection::delayed).take(SOURCES_SHOWN_MAX);
        delayed.for_each(|delayed| self.plan.warn(delayed));
        let (delay, watch) = (delay_seconds(self.scene), watch_seconds(self.redrive, self.scene, self.ramp));
        if watch > 0 && watch <= delay {
            let (watch, late) = (in_words(watch.into()), in_words(delay.into()));
            let longer = delay.saturating_add(WATCH_SECONDS_MIN);
            self.plan.block((
                format!("nothing can come back within {watch} while messages are delayed by {late}"),
                Try::GiveOther.says(format!("give --wait-bounce {longer}s or more, or leave it out")),
            ));
        }
    }

    fn warn(&mut self, engine: Moves, planner: &Planner, selection: &Selection<'_>) -> Result<(), OperationError> {
        let scene = self.scene;
        let changes: &[&str] = match engine {
            Moves::Managed => &[
                "messages get new ids, new send times and a fresh receive count; order is not kept",
                "SQS deletes them from the DLQ itself: there is no snapshot, and a restore can't put them back",
            ],
            Moves::Client => &[
                "messages get new ids, new send times and a fresh receive count",
                match (&self.redrive.edit, self.redrive.mark) {
                    (Some(_), _) => "what the edit changes is changed; all else stays as it is",
                    (None, true) => "the attribute opsctl.run is added; all else stays as it is",
                    (None, false) => "body, attributes, group id and trace header stay as they are",
                },
            ],
        };
        let plan = &mut self.plan;
        changes.iter().for_each(|change| plan.change(change));
        if let Some(policy) = &scene.from.redrive {
            plan.warn(format!(
                "{} has dead letters itself: a message received more than {} goes on to {}",
                scene.from.name,
                counted(u64::from(policy.receives_max), "time"),
                policy.dead_letter.name()
            ));
            if selection.is_selective() && policy.receives_max < RECEIVES_LOW {
                plan.block((
                    "a selective redrive receives messages it leaves, and this DLQ would forward them",
                    Try::ChangeSetting.says("raise its maxReceiveCount first"),
                ));
            }
        }
        if scene.from.kind == QueueKind::Fifo && selection.is_selective() {
            plan.warn("FIFO: a message that is left stops its whole group, so a filter moves the beginning of each group only");
        }
        // A run that is taken up may find its own task running; SQS itself refuses a second one.
        let own = self.resuming && engine == Moves::Managed;
        if let Ok(tasks) = &scene.tasks
            && !own
            && tasks.iter().any(|task| matches!(task.status, MoveStatus::Running | MoveStatus::Cancelling))
        {
            plan.block((
                "a move task is running on this DLQ",
                Try::WaitForOther
                    .says("wait for it, or cancel it (aws sqs list-message-move-tasks, cancel-message-move-task)"),
            ));
        }
        if scene.from.counts.in_flight > 0 {
            let in_flight = counted_is(scene.from.counts.in_flight, "message", "is", "are");
            plan.warn(format!("~{in_flight} in flight: somebody reads this DLQ just now"));
        }
        for Unsettled { run, busy } in planner.unsettled_runs(self.cloud, &scene.from)? {
            match (self.redrive.despite_unfinished, busy) {
                (_, true) => plan.block((
                    format!("run {run} works on this queue just now"),
                    Try::WaitForOther.says("wait until it has ended"),
                )),
                (true, false) => plan.warn(format!("run {run} has not ended; what it sent may be sent again")),
                (false, false) => {
                    let resume = self.cloud.environment().command(&format!("redrive --resume {run}"));
                    plan.block((
                        format!("run {run} on this queue has not ended and may have sent messages that still lie here"),
                        Try::Resume.says(format!("`{resume}` first, or --despite-unfinished")),
                    ));
                }
            }
        }
        Ok(())
    }

    fn lanes(&self) -> usize {
        let one = self.scene.from.kind == QueueKind::Standard
            && matches!(&self.scene.to, To::One(to) if to.kind == QueueKind::Fifo);
        if one {
            // Several lanes would let later messages overtake earlier ones.
            return 1;
        }
        self.redrive.lanes.map_or(LANES_MAX, |lanes| lanes as usize)
    }
}

fn describe(label: &str, queue: &Queue, plan: &mut Plan) {
    let policy = queue.redrive.as_ref();
    let policy = policy.map(|policy| format!("{} after {}", policy.dead_letter, policy.receives_max));
    plan.observe(format!("{label}: arn"), &queue.arn);
    plan.observe(format!("{label}: type"), queue.kind);
    plan.observe(format!("{label}: redrive policy"), policy.as_deref().unwrap_or("none"));
    plan.observe(format!("{label}: largest message"), queue.message_bytes_max);
    plan.observe(format!("{label}: content-based deduplication"), queue.content_based_deduplication);
}

fn summary(scene: &Scene, plan: &Plan, to: &str) -> Text {
    let how_many = plan.how_many.as_ref().map_or("", Text::as_str);
    let from = &scene.from.name;
    Text::line(&match &scene.to {
        To::Each if scene.sources.len() > 1 => format!("move {how_many} from {from}, {to}"),
        To::One(_) | To::Each | To::Unknown => format!("move {how_many} from {from} to {to}"),
    })
}
