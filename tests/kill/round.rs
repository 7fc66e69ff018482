//! A round: fresh queues, an operation, `kill -9` at a random point, resumes until it ends, and a look at what is where.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};

use super::{
    At,
    check::Places,
    found::{Fault, Found},
    program::{Desk, Ended, Point},
    queues::{Body, Consumer, Queues},
    scenario::{Kind, Scenario, Then, Verb},
};

pub(super) const LANES: usize = 8;
/// Resumes after which a run must have come to its end.
const RESUMES_MAX: usize = 8;
/// How long the program hides what it received: by `--visibility`, and by itself in a purge.
const VISIBILITY_SECONDS: u32 = 30;
const PURGE_VISIBILITY_SECONDS: u32 = 60;
/// How long it hides what it leaves.
const HOLD_SECONDS: u32 = 120;
/// How long it watches what comes back, where it parks.
const WATCH_SECONDS: u32 = 40;
/// How long a resume may take beyond what is hidden, on the queues' clock, and for its work, in real time.
const BEYOND_SECONDS: f64 = 10.0;
const WORK_SECONDS: f64 = 3.0;

/// What a run takes that nobody kills.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    /// Of the journal, for each message.
    pub(super) bytes: u64,
    /// In real time.
    pub(super) seconds: f64,
}

/// What the operation and the restore take, when nobody kills them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) first: Size,
    pub(super) restore: Size,
}

/// What became of an operation, whatever was killed on the way.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub(super) run: Option<String>,
    /// Of its last try.
    pub(super) code: Option<i32>,
    /// Whether it has come to its end: all is done, or what is left is left for a reason.
    pub(super) is_settled: bool,
    /// Ids of messages whose fate the program once said is uncertain.
    pub(super) doubtful: BTreeSet<String>,
    /// Ids of messages that it says it left, last.
    pub(super) left: BTreeSet<String>,
    /// All that it said after it was told to send the uncertain ones again.
    pub(super) resent: String,
}

pub(super) struct Round {
    pub(super) scenario: &'static Scenario,
    pub(super) found: Found,
    pub(super) desk: Desk,
    /// Message ids at the source, by number.
    pub(super) ids: Vec<String>,
    pub(super) bodies: Vec<Body>,
    queues: Queues,
    source: String,
    destination: String,
    parking: String,
    random: fastrand::Rng,
    story: Vec<String>,
    speed: f64,
    resumes_are_killed: bool,
    waits_are_bound: bool,
    ended_at: Instant,
}

impl Round {
    /// Makes the queues and fills the source.
    pub(super) async fn new(at: &At, scenario: &'static Scenario, name: &str, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let queues = Queues::of(at);
        let slow = if scenario.slow { "slow" } else { "kill" };
        let (prefix, suffix, kind) = (format!("{slow}-{seed:x}-{name}"), scenario.suffix(), scenario.kind);
        let source_name = format!("{prefix}-dlq{suffix}");
        let source = queues.make(&source_name, kind, None).await;
        let dead_letters = scenario.verb.is_paired().then_some(source_name.as_str());
        let destination = queues.make(&format!("{prefix}{suffix}"), kind, dead_letters).await;
        let parking = queues.make(&format!("{prefix}-parked{suffix}"), kind, None).await;
        let groups = random.usize(1..=if scenario.slow { 2 } else { 6 });
        let messages = random.usize(60..=200);
        let bodies: Vec<Body> = (0..messages).map(|number| Body { number, groups }).collect();
        let ids = queues.fill(&source, kind, &bodies).await;
        let found = Found { rounds: 1, messages, ..Found::default() };
        Self {
            scenario,
            found,
            desk: Desk::new(at),
            ids,
            bodies,
            queues,
            source,
            destination,
            parking,
            random,
            story: vec![format!("{messages} messages in {groups} groups")],
            speed: f64::from(at.speed),
            resumes_are_killed: at.resumes_are_killed,
            waits_are_bound: at.waits_are_bound,
            ended_at: Instant::now(),
        }
    }

    /// Plays it; without `sizes` nobody is killed -> what that took
    pub(super) async fn play(&mut self, sizes: Option<Sizes>) -> Sizes {
        let Scenario { verb, then, killed, .. } = *self.scenario;
        let mut taken = Sizes::default();
        let consumer = verb.parks().then(|| Consumer::start(self.queues.clone(), self.destination.clone()));
        let started = Instant::now();
        let arguments = self.arguments();
        let kill = sizes.filter(|_| killed).map(|sizes| sizes.first);
        let first = match then {
            Then::RestoreEarly => self.restore_early(verb, &arguments, kill).await,
            Then::Nothing | Then::Restore | Then::RestoreKilled => {
                self.carry_out(verb.command(), &arguments, kill).await
            }
        };
        taken.first = self.size(started, 0);
        let mut places = Places::default();
        let mut named = self.numbers(&first, &first.doubtful);
        if let Some(consumer) = consumer {
            if consumer.failed_at() + Duration::from_secs(1) > self.ended_at {
                // Slower than the run watches: what it failed on last is nobody's fault, and still there.
                named.extend(self.bodies.iter().filter(|body| body.is_bad()).map(|body| body.number));
            }
            places.consumed = consumer.stop().await;
        }
        if verb != Verb::Purge {
            places.destination = self.queues.drain(&self.destination).await;
        }
        match verb {
            Verb::ParkInQueue => places.parked = self.bodies_of(&self.parking).await,
            Verb::ParkInFile => places.parked = self.park_file(),
            Verb::Redrive | Verb::Purge | Verb::Move => {}
        }
        let Some(run) = first.run.clone().filter(|_| then != Then::Nothing) else {
            places.source = self.queues.drain(&self.source).await;
            places.check(self, &first, &named);
            return taken;
        };
        let before = self.desk.journal_bytes();
        let started = Instant::now();
        let kill = sizes.filter(|_| then == Then::RestoreKilled).map(|sizes| sizes.restore);
        let restored = self.restore(&run, kill).await;
        taken.restore = self.size(started, before);
        places.source = self.queues.drain(&self.source).await;
        if verb != Verb::Purge {
            places.check_moved(self, &first, &named);
        }
        named.extend(self.numbers(&first, &restored.doubtful));
        places.check_restored(self, &restored, &named);
        taken
    }

    /// Restores the run; where an earlier restore of it must be gone on with, that.
    async fn restore(&mut self, run: &str, kill: Option<Size>) -> Carried {
        let earlier = self.desk.runs().into_iter().find(|other| other != run);
        let arguments = ["restore", run, "--yes"].map(str::to_owned);
        let Some(earlier) = earlier else { return self.carry_out("restore", &arguments, kill).await };
        let ended = self.give(&arguments, None).await;
        let mut carried = Carried { run: Some(earlier), ..Carried::default() };
        carried.take(&ended);
        if !carried.is_settled {
            self.resume_until_settled("restore", &mut carried, 0.0).await;
        }
        carried
    }

    fn size(&self, started: Instant, bytes_before: u64) -> Size {
        let bytes = (self.desk.journal_bytes() - bytes_before) / self.bodies.len() as u64;
        Size { bytes: bytes.max(1), seconds: started.elapsed().as_secs_f64() }
    }

    async fn bodies_of(&self, queue: &str) -> Vec<Body> {
        self.queues.drain(queue).await.into_iter().map(|seen| seen.body).collect()
    }

    fn park_file(&self) -> Vec<Body> {
        let text = fs::read_to_string(self.desk.home().join("parked.jsonl")).unwrap_or_default();
        saved(&text).map(|(_, body)| body).collect()
    }

    /// The operation's command line.
    fn arguments(&self) -> Vec<String> {
        let Scenario { verb, filtered, limit_percent, options, .. } = *self.scenario;
        let mut arguments = vec![verb.command(), "--queue", &self.source, "--yes"];
        let (lanes, visibility) = (LANES.to_string(), format!("{VISIBILITY_SECONDS}s"));
        let watch = format!("{}s", if verb.parks() { WATCH_SECONDS } else { 0 });
        match verb {
            Verb::Redrive | Verb::ParkInQueue | Verb::ParkInFile => {
                arguments.extend(["--to", &self.destination, "--engine", "client", "--lanes", &lanes]);
                arguments.extend(["--visibility", &visibility, "--wait-bounce", &watch, "--max-bounce", "100%"]);
            }
            Verb::Move => arguments.extend(["--to", &self.destination, "--engine", "managed"]),
            Verb::Purge => {}
        }
        match verb {
            Verb::ParkInQueue => arguments.extend(["--park", &self.parking]),
            Verb::ParkInFile => arguments.extend(["--park", "file:parked.jsonl"]),
            Verb::Redrive | Verb::Purge | Verb::Move => {}
        }
        let limit = self.wanted().to_string();
        if limit_percent.is_some() {
            arguments.extend(["--limit", &limit]);
        }
        if filtered {
            arguments.extend(["--where", ".body.selected"]);
        }
        arguments.extend(options);
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// Whether the operation is about that message, whatever its limit. On a FIFO queue a message that the filter leaves stops its
    /// group, as the plan says.
    pub(super) fn is_selected(&self, body: Body) -> bool {
        let stopped = self.scenario.kind == Kind::Fifo && !body.is_ahead();
        !self.scenario.filtered || body.is_selected() && !stopped
    }

    /// How many messages the operation is to deal with.
    pub(super) fn wanted(&self) -> usize {
        self.scenario.wanted(self.bodies.iter().filter(|body| self.is_selected(**body)).count())
    }

    /// Numbers of the messages that have these ids, in the source or on their way back.
    fn numbers(&self, carried: &Carried, ids: &BTreeSet<String>) -> BTreeSet<usize> {
        let known = self.known(carried);
        ids.iter().filter_map(|id| known.get(id).copied()).collect()
    }

    /// Numbers of the messages that the run says it has sent a second time: what came back has an id of its own.
    pub(super) fn resent(&self, carried: &Carried) -> BTreeSet<usize> {
        let known = self.known(carried);
        known.into_iter().filter(|(id, _)| carried.resent.contains(id.as_str())).map(|(_, number)| number).collect()
    }

    /// Numbers by the ids that messages have had.
    fn known(&self, carried: &Carried) -> BTreeMap<String, usize> {
        let snapshot = carried.run.as_ref().map(|run| self.desk.snapshot(run));
        let snapshot = snapshot.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let mut known: BTreeMap<String, usize> = saved(&snapshot).map(|(id, body)| (id, body.number)).collect();
        known.extend(self.ids.iter().cloned().zip(0..));
        known
    }

    /// Restores what a killed run is known to have taken, goes on with that run, and leaves the rest to the next restore.
    async fn restore_early(&mut self, verb: Verb, arguments: &[String], kill: Option<Size>) -> Carried {
        let point = kill.map(|size| self.point(size));
        let ended = self.give(arguments, point).await;
        let Some(run) = self.desk.runs().into_iter().next() else {
            return self.carry_out(verb.command(), arguments, None).await;
        };
        if ended.code != Some(0) {
            let ended = self.give(&["restore", &run, "--yes"].map(str::to_owned), None).await;
            // Killed before its first batch it has taken nothing, and there is nothing to put back.
            let nothing_taken = ended.code == Some(2) && !self.desk.snapshot(&run).exists();
            if !matches!(ended.code, Some(0 | 3 | 4)) && !nothing_taken {
                self.found.blame(Fault::Wrong, 1, &format!("restore of a killed run: {}", ended.said));
            }
        }
        let mut carried = Carried { run: Some(run), code: ended.code, ..Carried::default() };
        carried.is_settled = ended.code == Some(0);
        if !carried.is_settled {
            self.resume_until_settled(verb.command(), &mut carried, 0.0).await;
        }
        carried
    }

    /// Gives the command, kills it where it is to be killed, and resumes it until it has come to its end.
    async fn carry_out(&mut self, verb: &'static str, arguments: &[String], kill: Option<Size>) -> Carried {
        let before = self.desk.runs();
        let point = kill.map(|size| self.point(size));
        let mut ended = self.give(arguments, point).await;
        let new = |desk: &Desk| desk.runs().difference(&before).next().cloned();
        let mut run = new(&self.desk);
        let stopped = ended.code.is_none() || matches!(point, Some(Point::Full(_))) && ended.code != Some(0);
        if run.is_none() && stopped {
            // Before there was a journal: then nothing had been done, and the command is given again.
            ended = self.give(arguments, None).await;
            run = new(&self.desk);
        }
        let mut carried = Carried { run: run.clone(), code: ended.code, ..Carried::default() };
        let Some(run) = run else {
            if ended.code != Some(0) {
                self.found.blame(Fault::Wrong, 1, &format!("{verb} did not begin: {}", ended.said));
            }
            return carried;
        };
        let resume = [verb, "--resume", &run, "--yes"].map(str::to_owned);
        if let Some(size) = kill.filter(|_| stopped) {
            let mut kills = 0;
            while self.resumes_are_killed && kills < 3 && self.random.u8(0..3) > 0 {
                let point = self.point(Size { bytes: size.bytes.div_ceil(2), seconds: size.seconds });
                ended = self.give(&resume, Some(point)).await;
                self.found.resume_kills += usize::from(ended.code.is_none());
                self.found.kills -= usize::from(ended.code.is_none());
                kills += 1;
            }
        }
        carried.take(&ended);
        if !carried.is_settled {
            self.resume_until_settled(verb, &mut carried, kill.unwrap_or_default().seconds).await;
        }
        carried
    }

    /// Resumes until nothing is left to do, or only what a person must decide; that is decided then.
    async fn resume_until_settled(&mut self, verb: &'static str, carried: &mut Carried, work_seconds: f64) {
        let run = carried.run.clone().expect("a run");
        let resume = [verb, "--resume", &run, "--yes"].map(str::to_owned);
        let mut named = BTreeSet::new();
        for _ in 0..RESUMES_MAX {
            let ended = self.resume(&resume, work_seconds).await;
            carried.take(&ended);
            match ended.code {
                Some(0) => return,
                Some(4) => {}
                _ => return self.found.blame(Fault::Wrong, 1, &format!("resume: {}", ended.said)),
            }
            let tally = &ended.document["details"];
            let did: u64 = ["sent", "moved", "removed"].iter().filter_map(|what| tally[what].as_u64()).sum();
            let now: BTreeSet<String> = uncertain(tally).chain(kept(tally)).collect();
            if did == 0 && !now.is_empty() && now == named {
                // The same are named again: that is for a person to decide.
                return self.decide(&resume, carried, uncertain(tally).count()).await;
            }
            named = now;
        }
        let what = format!("{RESUMES_MAX} resumes do not end, {} are named", named.len());
        self.found.blame(Fault::Unconverged, 1, &what);
    }

    /// What a person does about messages that may or may not have been sent.
    async fn decide(&mut self, resume: &[String], carried: &mut Carried, doubts: usize) {
        let decided: Vec<String> =
            resume.iter().cloned().chain(["--uncertain".to_owned(), "resend".to_owned()]).collect();
        let mut tries = if doubts > 0 { 0..4 } else { 0..0 };
        while tries.next().is_some() {
            let ended = self.resume(&decided, 0.0).await;
            if ended.code == Some(2) {
                self.found.blame(Fault::Unconverged, 1, &format!("nobody can decide: {}", ended.said));
                return;
            }
            carried.take(&ended);
            carried.resent.push_str(&ended.said);
            if carried.is_settled {
                return;
            }
        }
        // On a FIFO queue what a filter leaves stops its group; that is named, and there is nothing to decide.
        let left = self.numbers(carried, &carried.left);
        carried.is_settled = left.iter().all(|number| !self.is_selected(self.bodies[*number]));
        if !carried.is_settled {
            let what = format!("{} are named, {doubts} uncertain, and it does not end", carried.left.len());
            self.found.blame(Fault::Unconverged, 1, &what);
        }
    }

    /// Resumes, at once or when nothing is hidden any more, and holds how long it takes against what is hidden.
    async fn resume(&mut self, arguments: &[String], work_seconds: f64) -> Ended {
        let visibility = if self.scenario.verb == Verb::Purge { PURGE_VISIBILITY_SECONDS } else { VISIBILITY_SECONDS };
        let hidden_max = if self.scenario.filtered || self.story.len() > 3 { HOLD_SECONDS } else { visibility };
        let left = if self.random.bool() {
            self.queues.wait_for_hidden(&self.source, HOLD_SECONDS).await;
            0.0
        } else {
            (f64::from(hidden_max) - self.ended_at.elapsed().as_secs_f64() * self.speed).max(0.0)
        };
        let watch = if self.scenario.verb.parks() { f64::from(WATCH_SECONDS) } else { 0.0 };
        let ended = self.give(arguments, None).await;
        let seconds = ended.seconds * self.speed;
        self.found.worst_seconds = self.found.worst_seconds.max(seconds - left - watch);
        let bound = left + watch + BEYOND_SECONDS + (WORK_SECONDS + work_seconds) * self.speed * crowd();
        if self.waits_are_bound && seconds > bound {
            let what = format!("a resume took {seconds:.0} s, {left:.0} s of it could be for what was hidden");
            self.found.blame(Fault::Slow, 1, &what);
        }
        ended
    }

    async fn give(&mut self, arguments: &[String], point: Option<Point>) -> Ended {
        let started = Instant::now();
        let ended = self.desk.run(arguments, point).await;
        self.ended_at = Instant::now();
        let killed = ended.code.is_none();
        self.found.kills += usize::from(killed);
        let how = ended.code.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
        let tally = &ended.document["details"];
        let counts = ["sent", "moved", "removed", "sent_not_deleted", "parked", "unreached", "elsewhere"];
        let counts: Vec<String> = counts
            .iter()
            .filter_map(|what| tally[what].as_u64().filter(|count| *count > 0).map(|count| format!("{what} {count}")))
            .collect();
        let (doubts, left) = (uncertain(tally).count(), kept(tally).count());
        self.story.push(format!(
            "`opsctl {}` {}: {how} after {:.2} s; {}; uncertain {doubts}, kept {left}",
            arguments.join(" "),
            point.map_or_else(String::new, |point| format!("to be killed at {point:?}")),
            started.elapsed().as_secs_f64(),
            counts.join(", "),
        ));
        ended
    }

    /// Most by what is done by then, others by time, so that the plan and waits are hit as well; and some disks are full.
    fn point(&mut self, size: Size) -> Point {
        let bytes = size.bytes * self.bodies.len() as u64;
        match self.random.u8(0..16) {
            0..4 => Point::After(Duration::from_secs_f64(self.random.f64() * size.seconds)),
            4 => Point::Full(self.random.u64(0..=bytes / 1_024)),
            _ => Point::Bytes(self.random.u64(1..bytes.max(2)), self.random.u64(0..4_000)),
        }
    }

    /// Ends the round -> what was found, each fault with how it came about and how to see it again
    pub(super) fn end(self, again: &str) -> Found {
        let Self { mut found, story, desk, scenario, .. } = self;
        if found.faults.is_empty() {
            return found;
        }
        let folder = std::env::var_os("OPSCTL_TEST_KEEP").map(|_| desk.keep().display().to_string());
        let folder = folder.unwrap_or_else(|| "gone; OPSCTL_TEST_KEEP=1 keeps it".to_owned());
        let whole = format!(
            "{}\n  {}\n  story: {}\n  folder: {folder}\n  again: {again}",
            scenario.name,
            found.faults.join("\n  "),
            story.join("\n         "),
        );
        found.faults = vec![whole];
        found
    }
}

impl Carried {
    fn take(&mut self, ended: &Ended) {
        let tally = &ended.document["details"];
        (self.code, self.is_settled) = (ended.code, ended.code == Some(0));
        if tally.is_object() {
            self.doubtful.extend(uncertain(tally));
            self.left = uncertain(tally).chain(kept(tally)).collect();
        }
    }
}

fn uncertain(tally: &serde_json::Value) -> impl Iterator<Item = String> {
    tally["uncertain"].as_array().into_iter().flatten().filter_map(|id| id.as_str()).map(str::to_owned)
}

/// Those left against anybody's wish, which the report names.
fn kept(tally: &serde_json::Value) -> impl Iterator<Item = String> {
    tally["kept_named"].as_array().into_iter().flatten().filter_map(|kept| kept[0].as_str()).map(str::to_owned)
}

/// Ids and bodies of the lines of a snapshot, or of a parking file.
fn saved(text: &str) -> impl Iterator<Item = (String, Body)> {
    text.lines().filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let message = &line["message"];
        Some((message["id"].as_str()?.to_owned(), Body::of(message["body"].as_str()?)))
    })
}

/// How many processes want each core, 1 at least: work takes so many times as long, waits do not.
fn crowd() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|text| text.split(' ').next()?.parse::<f64>().ok()).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (load / cores as f64).max(1.0)
}

/// Whether order is kept in these queues.
pub(super) fn keeps_order(scenario: &Scenario) -> bool {
    scenario.kind == Kind::Fifo
}
