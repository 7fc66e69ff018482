//! [`Lookout`]: what there is to see of a drill: things through the observer's clients, harm in the world's ledger, opsctl's own runs.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::{
    cloud::{Cloud, Connect, Dial},
    course::{RunSeen, Seen},
    domain::{Environment, Text},
    event::Harm,
    journal::{Paused, Record, RunSummary, SavedLines, StateFolder, TurnedOff},
    messages::{Condition, Judged},
    runbook::things::{self, Wanted},
    sandbox::{Sandbox, world::Account},
    scenario::{Scenario, Thing},
};

/// What a figure is compared with to see whether it falls lies so far back at least: metrics come once a minute.
const BEFORE: SignedDuration = SignedDuration::from_mins(2);
/// Looks that are kept for that.
const KEPT_MAX: usize = 64;
/// Messages of snapshots that are looked at.
const SAVED_MAX: usize = 1_000_000;

pub(crate) struct Lookout {
    scenario: Arc<Scenario>,
    sandbox: Sandbox,
    environments: Vec<Arc<Environment>>,
    clouds: BTreeMap<String, Cloud>,
    state: StateFolder,
    earlier: Mutex<VecDeque<(Timestamp, Value)>>,
    /// How the ledger stood when snapshots were looked at last, and how much of what is lost they hold.
    kept: Mutex<(Account, u64)>,
}

impl Lookout {
    pub(crate) async fn new(
        scenario: Arc<Scenario>,
        sandbox: &Sandbox,
        environments: Vec<Arc<Environment>>,
        state: StateFolder,
    ) -> Result<Self, Text> {
        let observer = sandbox.observer();
        let connect = Connect::through(observer.clock(), observer.http_client());
        let connect = connect.dialing(Dial::Through(observer.answerer()));
        let mut clouds = BTreeMap::new();
        for environment in &environments {
            let cloud = connect.cloud(Arc::clone(environment)).await;
            let cloud = cloud.map_err(|error| Text::line(&error.to_string()))?;
            clouds.insert(environment.name.0.clone(), cloud);
        }
        let (earlier, kept) = (Mutex::default(), Mutex::default());
        Ok(Self { scenario, sandbox: sandbox.clone(), environments, clouds, state, earlier, kept })
    }

    /// Everything at once. What happened in the world by itself is not seen here.
    pub(crate) async fn look(&self) -> Seen {
        let goals = [&self.scenario.mitigated.condition, &self.scenario.recovered.condition];
        let input = self.observe(&goals).await;
        let at = self.sandbox.clock().now();
        let judged = |condition: &Condition| match condition.judge(input.clone()) {
            Ok(Judged::Holds) => Some(true),
            Ok(Judged::Not) => Some(false),
            Ok(Judged::Unknown { .. }) | Err(_) => None,
        };
        let [mitigated, recovered] = goals.map(judged);
        let figures = figures(&goals, &input);
        self.remember(at, input);
        let calls = self.sandbox.with(|world, _| world.take_witnessed());
        let calls = calls.into_iter().map(|call| (self.environment_of(&call.made.account), call)).collect();
        let runs = self.runs();
        Seen { at, mitigated, recovered, figures, calls, harm: self.harm(), runs, injected: Vec::new() }
    }

    /// What is left behind: what the drill says, and what opsctl has paused, set, saved or not finished.
    pub(crate) async fn leftovers(&self) -> Vec<Text> {
        let mut left = Vec::new();
        let checks: Vec<&Condition> = self.scenario.tidy.iter().map(|tidy| &tidy.check).collect();
        let input = self.observe(&checks).await;
        for tidy in &self.scenario.tidy {
            if !matches!(tidy.check.judge(input.clone()), Ok(Judged::Holds)) {
                left.push(Text::line(&format!("not so: {}", tidy.name)));
            }
        }
        for environment in &self.environments {
            let Some(account) = &environment.account else { continue };
            let name = &environment.name;
            if let Ok(paused) = Paused::read(&self.state, account, &environment.region) {
                left.extend(paused.names().map(|who| Text::line(&format!("{who} is paused in {name}"))));
            }
            if let Ok(set) = TurnedOff::read(&self.state, account, &environment.region) {
                left.extend(set.names().map(|what| Text::line(&format!("{what} is set in {name}, not put back"))));
            }
        }
        let unfinished = self.summaries().into_iter().filter(RunSummary::is_unfinished);
        left.extend(unfinished.map(|run| Text::line(&format!("the run {} is not finished", run.run))));
        let kept = self.harm().kept;
        if kept > 0 && !self.is_reasoned() {
            let messages = crate::domain::words::counted(kept, "message");
            left.push(Text::line(&format!("{messages} in snapshots only, and no run that says why")));
        }
        left
    }

    /// Looks at what conditions are about.
    async fn observe(&self, conditions: &[&Condition]) -> Value {
        let mut wanted: BTreeMap<&str, Vec<Wanted>> = BTreeMap::new();
        for figure in conditions.iter().flat_map(|condition| condition.figures()) {
            let Some(Thing { word, kind, name, environment }) = self.thing(&figure.word) else { continue };
            let there = wanted.entry(environment).or_default();
            match there.iter_mut().find(|wanted| wanted.word == *word) {
                Some(wanted) => wanted.fields.push(figure.field()),
                None => there.push(Wanted { fields: vec![figure.field()], ..Wanted::new(word, *kind, name) }),
            }
        }
        let mut input = Map::new();
        for (environment, wanted) in wanted {
            let Some(cloud) = self.clouds.get(environment) else { continue };
            input.extend(things::observe(cloud, &wanted).await.things);
        }
        if conditions.iter().any(|condition| condition.is_trend()) {
            let (now, earlier) = (self.sandbox.clock().now(), self.earlier.lock());
            let earlier = earlier.unwrap_or_else(PoisonError::into_inner);
            let before = earlier.iter().rev().find(|(at, _)| now.duration_since(*at) >= BEFORE);
            if let Some((_, before)) = before {
                input.insert("before".to_owned(), before.clone());
            }
        }
        Value::Object(input)
    }

    fn remember(&self, at: Timestamp, input: Value) {
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        earlier.push_back((at, input));
        while earlier.len() > KEPT_MAX {
            earlier.pop_front();
        }
    }

    fn thing(&self, word: &str) -> Option<&Thing> {
        self.scenario.things.iter().find(|thing| thing.word == word)
    }

    fn environment_of(&self, account: &str) -> String {
        let is_it = |environment: &&Arc<Environment>| environment.account.as_ref().is_some_and(|own| own.0 == account);
        self.environments.iter().find(is_it).map_or_else(|| account.to_owned(), |found| found.name.0.clone())
    }

    fn harm(&self) -> Harm {
        let account = self.sandbox.with(|world, _| world.ledger().map(|ledger| ledger.account())).unwrap_or_default();
        let gone = account.deleted + account.purged;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != account {
            *kept = (account, if gone == 0 { 0 } else { self.kept_in_snapshots().min(gone) });
        }
        Harm { lost: gone - kept.1, kept: kept.1, doubled: account.doubled, expired: account.expired }
    }

    /// How many pieces of work that are nowhere in the world lie in snapshots of opsctl's.
    fn kept_in_snapshots(&self) -> u64 {
        let mut found = BTreeSet::new();
        for run in self.state.run_ids().unwrap_or_default() {
            let Ok(folder) = self.state.open(&run) else { continue };
            let Ok(lines) = SavedLines::open(&folder.snapshot()) else { continue };
            for saved in lines.take(SAVED_MAX).map_while(Result::ok) {
                let queue = saved.from.0.rsplit('/').next().unwrap_or_default();
                let lost = self.sandbox.with(|world, _| world.ledger()?.lost(queue, &saved.message.body));
                found.extend(lost.map(|(content, _)| content));
            }
        }
        found.len() as u64
    }

    /// Whether somebody said why they took messages out.
    fn is_reasoned(&self) -> bool {
        self.summaries().iter().any(|run| match &run.opened.record {
            Record::Opened { reason, .. } => reason.is_some() && matches!(run.operation(), Some("park" | "purge")),
            _ => false,
        })
    }

    fn summaries(&self) -> Vec<RunSummary> {
        self.state.list().unwrap_or_default()
    }

    fn runs(&self) -> Vec<RunSeen> {
        let mut runs: Vec<RunSeen> = self.summaries().into_iter().filter_map(|run| seen(&run)).collect();
        runs.sort_by_key(|run| run.begun_at);
        runs
    }
}

fn seen(run: &RunSummary) -> Option<RunSeen> {
    let (by, what) = match &run.opened.record {
        Record::Opened { by, .. } => {
            let words = [run.operation(), run.resource()];
            (by, words.into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        Record::RunbookOpened { by, runbook, .. } => (by, format!("runbook {runbook}")),
        _ => return None,
    };
    Some(RunSeen {
        run: run.run.to_string(),
        by: by.clone(),
        what: Text::line(&what),
        environment: run.environment().unwrap_or_default().to_owned(),
        runbook: run.runbook().cloned(),
        begun_at: run.opened.at,
        end: run.end().map(|end| crate::journal::End::into_str(&end).to_owned()),
    })
}

/// What conditions look up, where it is one number.
fn figures(conditions: &[&Condition], input: &Value) -> BTreeMap<String, f64> {
    let all = conditions.iter().flat_map(|condition| condition.figures());
    let number = all.filter_map(|figure| match figure.values(input).as_slice() {
        [Value::Number(number)] => Some((figure.path(), number.as_f64()?)),
        [Value::Bool(truth)] => Some((figure.path(), f64::from(u8::from(*truth)))),
        _ => None,
    });
    number.collect()
}
