//! [`held`]: what the steps of a run have set, paused or moved aside and what is still so. Nothing may stay so for ever: the end of
//! a run says it, and so does its timeline.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    domain::{
        AccountId, EnvironmentName, RunId, Setting, Text, Toggle,
        invocation::{option, quoted},
        words::{about_messages, counted},
    },
    journal::{
        BoundsBefore, Did, HeldBack, History, JournalError, Paused, Record, RunSummary, Sizes, StateFolder, TurnedOff,
    },
    operations::{Operation, plan::Plan},
};

/// What is held of a place: an account in a region, under the name of an environment.
struct Place {
    account: AccountId,
    region: String,
    environment: EnvironmentName,
    runs: Vec<RunId>,
}

/// What runs of steps have set, paused or moved aside and nobody has put back, as far as this machine knows.
///
/// # Errors
/// What is remembered can't be read.
pub fn held(state: &StateFolder, run: &RunId, now: Timestamp) -> Result<Vec<HeldBack>, JournalError> {
    let mut steps: Vec<RunSummary> = state.list()?.into_iter().filter(|step| step.parent() == Some(run)).collect();
    steps.reverse();
    let mut all = Vec::new();
    for place in places(&steps) {
        place.remembered(state, &mut all)?;
    }
    mutes(state, &steps, now, &mut all);
    moved_aside(state, &steps, &mut all);
    Ok(all)
}

/// How many messages a step's run moved, all its tries together: a try that was killed reported nothing.
fn moved(state: &StateFolder, step: &RunSummary, did: &Did) -> u64 {
    let history = state.open(&step.run).ok().and_then(|folder| History::read(&folder).ok()).unwrap_or_default();
    did.done().max((history.moved() + history.removed.len()) as u64)
}

fn places(steps: &[RunSummary]) -> Vec<Place> {
    let mut places: BTreeMap<(String, String), Place> = BTreeMap::new();
    for step in steps {
        let text = |pointer| step.plan_text(pointer).unwrap_or_default().to_owned();
        let (account, region) = (text("/account"), text("/region"));
        let place = places.entry((account.clone(), region.clone())).or_insert_with(|| Place {
            account: AccountId(account),
            region,
            environment: EnvironmentName(text("/environment")),
            runs: Vec::new(),
        });
        place.runs.push(step.run.clone());
    }
    places.into_values().collect()
}

impl Place {
    fn held(&self, what: &str, back: Option<&str>) -> HeldBack {
        held_in(&self.environment, what, back)
    }

    fn is_ours(&self, run: &RunId) -> bool {
        self.runs.contains(run)
    }

    fn remembered(&self, state: &StateFolder, all: &mut Vec<HeldBack>) -> Result<(), JournalError> {
        let Self { account, region, .. } = self;
        let mut paused: BTreeMap<String, usize> = BTreeMap::new();
        for (_, pause) in Paused::read(state, account, region)?.all().filter(|(_, pause)| self.is_ours(&pause.run)) {
            *paused.entry(pause.queue.0.clone()).or_default() += 1;
        }
        for (queue, count) in paused {
            let what = format!("{} of {queue}, paused", counted(count as u64, "consumer"));
            all.push(self.held(&what, Some(&format!("consumers resume {}", option("queue", &queue)))));
        }
        for (toggle, by) in TurnedOff::read(state, account, region)?.all().filter(|(_, by)| self.is_ours(&by.run)) {
            let now = by.to.map_or_else(|| "set".to_owned(), |to| to.words().to_string());
            let what = format!("{toggle}: {now}, {} before", by.from.words());
            all.push(self.held(&what, Some(&back(&toggle, by.from))));
        }
        for (service, moved) in BoundsBefore::read(state, account, region)?.entries() {
            if self.is_ours(&moved.run) {
                let what = format!("service {service}: scaled, {} before", counted(moved.desired.into(), "task"));
                all.push(self.held(&what, Some(&format!("scale {} --restore", quoted(service)))));
            }
        }
        let asleep: Vec<String> = Sizes::read(state, account, region)?
            .entries()
            .filter(|(_, size)| self.is_ours(&size.run))
            .map(|(service, _)| service.to_owned())
            .collect();
        if !asleep.is_empty() {
            let services: Vec<String> = asleep.iter().map(|service| option("service", service)).collect();
            let what = format!("{}, asleep", counted(asleep.len() as u64, "service"));
            all.push(self.held(&what, Some(&format!("wake {}", services.join(" ")))));
        }
        Ok(())
    }
}

fn held_in(environment: &EnvironmentName, what: &str, back: Option<&str>) -> HeldBack {
    let back = back.map(|words| Text::line(&format!("{words} {}", option("env", &environment.0))));
    HeldBack { what: Text::line(what), back }
}

/// What puts a setting back: words after `opsctl`.
fn back(toggle: &Toggle, from: Setting) -> String {
    let turn = if from.is_off() { "disable" } else { "enable" };
    let name = quoted(toggle.name());
    match toggle {
        Toggle::Rule(_) => format!("rule {turn} {name}"),
        Toggle::Concurrency(_) => format!("concurrency restore {name}"),
        Toggle::Mapping(_) => format!("consumers {turn} {name}"),
        Toggle::Retention(queue) => format!("retention {} --restore", option("queue", queue.as_str())),
        Toggle::Alarm(_) => format!("alarms unmute {name}"),
    }
}

/// Alarms that are muted still: their mutes end at AWS, and nothing is remembered of them but in the journals.
fn mutes(state: &StateFolder, steps: &[RunSummary], now: Timestamp, all: &mut Vec<HeldBack>) {
    let mut muted: BTreeMap<String, (Timestamp, EnvironmentName)> = BTreeMap::new();
    let about_alarms = |step: &&RunSummary| step.operation().is_some_and(|name| name.ends_with("-alarms"));
    for step in steps.iter().filter(about_alarms) {
        let Some(history) = state.open(&step.run).ok().and_then(|folder| History::read(&folder).ok()) else { continue };
        for (toggle, (_, to)) in history.settings {
            let Toggle::Alarm(name) = toggle else { continue };
            muted.remove(&name);
            if let Setting::MutedUntil(Some(until)) = to
                && until > now
            {
                let environment = EnvironmentName(step.environment().unwrap_or_default().to_owned());
                muted.insert(name, (until, environment));
            }
        }
    }
    for (name, (until, environment)) in muted {
        let what = format!("alarm {name}, muted until {}", until.strftime("%F %R UTC"));
        all.push(held_in(&environment, &what, Some(&format!("alarms unmute {}", quoted(&name)))));
    }
}

/// Messages that went to another queue than a source of theirs, less those that were taken from there again; rows that were set aside.
fn moved_aside(state: &StateFolder, steps: &[RunSummary], all: &mut Vec<HeldBack>) {
    let mut aside: BTreeMap<String, (u64, EnvironmentName)> = BTreeMap::new();
    // Queues that steps took messages from: what goes there again is not held back.
    let mut origins: BTreeSet<String> = BTreeSet::new();
    for step in steps {
        let (Record::Opened { plan, .. }, Record::Ended { did, .. }) = (&step.opened.record, &step.last.record) else {
            continue;
        };
        let Ok(plan) = serde_json::from_value::<Plan>(plan.as_ref().clone()) else { continue };
        if let Some((held, _)) = aside.get_mut(plan.operation.named()) {
            *held = held.saturating_sub(moved(state, step, did));
        }
        let mut to = None;
        if let Operation::Redrive(redrive) = &plan.operation {
            to = redrive.to.as_ref();
        } else if let Operation::Restore(restore) = &plan.operation {
            to = restore.to.as_ref();
        }
        let to = to.map(|to| to.rsplit(['/', ':']).next().unwrap_or(to).to_owned());
        origins.insert(plan.operation.named().to_owned());
        if let Some(name) = to.filter(|name| !origins.contains(name)) {
            aside.entry(name).or_insert((0, plan.environment.clone())).0 += moved(state, step, did);
        }
        if let (Operation::Park(park), Did::Rows { done: 1.., .. }) = (&plan.operation, did) {
            let what = format!("{} of outbox {}, set aside", counted(did.done(), "row"), park.outbox);
            all.push(held_in(&plan.environment, &what, Some(&format!("restore {}", step.run))));
        }
    }
    for (queue, (messages, environment)) in aside.into_iter().filter(|(_, (messages, _))| *messages > 0) {
        let what = format!("{} moved to {queue}", about_messages(messages));
        all.push(held_in(&environment, &what, Some(&format!("queues {}", quoted(&queue)))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MappingId, QueueName};

    #[test]
    fn each_kind_of_setting_has_a_command_that_puts_it_back() {
        let toggles = [
            (Toggle::Rule("relay".to_owned()), Setting::Enabled(true), "rule enable relay"),
            (Toggle::Rule("relay".to_owned()), Setting::Enabled(false), "rule disable relay"),
            (Toggle::Concurrency("relay".to_owned()), Setting::Reserved(Some(5)), "concurrency restore relay"),
            (Toggle::Mapping(MappingId("0-1".to_owned())), Setting::Enabled(false), "consumers disable 0-1"),
            (
                Toggle::Retention(QueueName("a b".to_owned())),
                Setting::RetentionSeconds(60),
                "retention --queue 'a b' --restore",
            ),
        ];
        for (toggle, from, words) in toggles {
            assert_eq!(back(&toggle, from), words);
            assert_eq!(Toggle::parse(&toggle.to_string()), Some(toggle), "as it is remembered");
        }
    }
}
