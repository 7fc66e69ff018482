//! [`Course`]: from what was seen to events. Pure: no clock, no I/O.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::Text,
    event::{Ended, Event, Harm, Stamped},
    sandbox::world::{Effect, End, Witnessed},
    scenario::{Cause, Scenario},
};

/// Between two samples of the figures.
const FIGURES_EVERY: SignedDuration = SignedDuration::from_secs(15);
/// Events of a drill that are kept: a script in a loop must not fill the disk.
const EVENTS_MAX: usize = 20_000;

/// What was seen at once.
#[derive(Debug, Clone)]
pub struct Seen {
    pub at: Timestamp,
    /// None: it can't be told.
    pub mitigated: Option<bool>,
    pub recovered: Option<bool>,
    pub figures: BTreeMap<String, f64>,
    /// Calls since the last look, each with its environment.
    pub calls: Vec<(String, Witnessed)>,
    pub harm: Harm,
    pub runs: Vec<RunSeen>,
    pub injected: Vec<String>,
}

/// A run of opsctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSeen {
    pub run: String,
    pub by: Text,
    pub what: Text,
    pub environment: String,
    pub runbook: Option<Text>,
    pub begun_at: Timestamp,
    /// How it ended.
    pub end: Option<String>,
}

#[derive(Debug)]
pub struct Course {
    pub scenario: Arc<Scenario>,
    pub cause: usize,
    pub events: Vec<Stamped>,
    begun_at: Timestamp,
    recovered_since: Option<Timestamp>,
    is_recovered: bool,
    is_mitigated: bool,
    was_unmitigated: bool,
    was_unrecovered: bool,
    found: bool,
    acted: bool,
    harm: Harm,
    figures_at: Option<Timestamp>,
    runs: BTreeMap<String, Option<String>>,
    over_at: Option<Timestamp>,
    pub hints: usize,
}

impl Course {
    /// A drill that begins with `begun`, which has to be [`Event::Begun`].
    pub fn new(scenario: Arc<Scenario>, cause: usize, begun: Stamped) -> Self {
        Self {
            scenario,
            cause,
            begun_at: begun.at,
            events: vec![begun],
            recovered_since: None,
            is_recovered: false,
            is_mitigated: false,
            was_unmitigated: false,
            was_unrecovered: false,
            found: false,
            acted: false,
            harm: Harm::default(),
            figures_at: None,
            runs: BTreeMap::new(),
            over_at: None,
            hints: 0,
        }
    }

    pub fn cause(&self) -> &Cause {
        &self.scenario.causes[self.cause]
    }

    pub fn is_recovered(&self) -> bool {
        self.is_recovered
    }

    /// Whether it holds just now, however long it has.
    pub fn holds_now(&self) -> bool {
        self.recovered_since.is_some()
    }

    pub fn is_mitigated(&self) -> bool {
        self.is_mitigated
    }

    pub fn harm(&self) -> Harm {
        self.harm
    }

    pub fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    pub fn is_ended(&self) -> bool {
        matches!(self.events.last(), Some(Stamped { event: Event::Ended { .. }, .. }))
    }

    /// When it ends by itself.
    pub fn ends_at(&self) -> Timestamp {
        self.begun_at.checked_add(self.scenario.limit).unwrap_or(Timestamp::MAX)
    }

    /// Notes an event; answers what the record is to keep.
    pub fn note(&mut self, at: Timestamp, event: Event) {
        if self.events.len() < EVENTS_MAX || matches!(event, Event::Ended { .. }) {
            self.events.push(Stamped { at, event });
        }
    }

    /// Takes in what was seen. Answers why it ends now, if it does.
    pub fn take(&mut self, seen: &Seen) -> Option<Ended> {
        for name in &seen.injected {
            self.note(seen.at, Event::Injected { name: name.clone() });
        }
        let wrong = self.calls(&seen.calls);
        self.runs(seen);
        if self.harm != seen.harm {
            self.harm = seen.harm;
            self.note(seen.at, Event::Harm(seen.harm));
        }
        self.goals(seen);
        if self.figures_at.is_none_or(|at| seen.at.duration_since(at) >= FIGURES_EVERY) && !seen.figures.is_empty() {
            self.figures_at = Some(seen.at);
            self.note(seen.at, Event::Figures { figures: seen.figures.clone() });
        }
        let settled = self.over_at.is_some_and(|at| since(at, seen.at) >= self.scenario.recovered.holds_for);
        match () {
            () if wrong => Some(Ended::WrongEnvironment),
            () if settled => Some(Ended::DeclaredOver),
            () if seen.at >= self.ends_at() => Some(Ended::OutOfTime),
            () => None,
        }
    }

    /// Somebody says that it is over. It is watched for a while yet.
    pub fn declare_over(&mut self, at: Timestamp, by: Text) {
        if self.over_at.is_none() {
            self.over_at = Some(at);
            self.note(at, Event::DeclaredOver { by });
        }
    }

    /// Until when it is watched, once somebody said that it is over.
    pub fn watched_until(&self) -> Option<Timestamp> {
        self.over_at.and_then(|at| at.checked_add(self.scenario.recovered.holds_for).ok())
    }

    /// Nothing counts as reached before it was not so: an incident takes its time to show.
    fn goals(&mut self, seen: &Seen) {
        match seen.mitigated {
            Some(false) => self.was_unmitigated = true,
            Some(true) if self.was_unmitigated && !self.is_mitigated => {
                self.is_mitigated = true;
                self.note(seen.at, Event::Mitigated {});
            }
            Some(true) | None => {}
        }
        match seen.recovered {
            Some(false) => {
                self.was_unrecovered = true;
                self.recovered_since = None;
                if self.is_recovered {
                    self.is_recovered = false;
                    self.note(seen.at, Event::Relapsed {});
                }
            }
            Some(true) if self.was_unrecovered => {
                let since_when = *self.recovered_since.get_or_insert(seen.at);
                if !self.is_recovered && since(since_when, seen.at) >= self.scenario.recovered.holds_for {
                    self.is_recovered = true;
                    self.note(seen.at, Event::Recovered { since: since_when });
                }
            }
            Some(true) | None => {}
        }
    }

    /// Whether anything was changed in another environment.
    fn calls(&mut self, calls: &[(String, Witnessed)]) -> bool {
        // What was noted before stands in the record already, and is not changed.
        let (mut is_wrong, new) = (false, self.events.len());
        for (environment, call) in calls {
            let name = format!("{}:{}", call.made.service, call.made.action);
            let at = Timestamp::from_millisecond(call.made.at).unwrap_or(Timestamp::MIN);
            let failed = !matches!(call.made.end, End::Done);
            self.called(at, (environment, call), &name, (failed, new));
            if *environment != self.scenario.environment {
                is_wrong |= self.elsewhere(at, environment, &name, (call.effect, failed));
                continue;
            }
            let cause = &self.scenario.causes[self.cause];
            let about = call.subject.as_deref().map_or(name.clone(), |about| format!("{name} {about}"));
            let acts = !failed && cause.right.iter().any(|pattern| pattern.fits(call));
            if !self.found && (acts || cause.found.iter().any(|pattern| pattern.fits(call))) {
                self.found = true;
                self.note(at, Event::Found { call: about.clone() });
            }
            if !self.acted && acts {
                self.acted = true;
                self.note(at, Event::Acted { call: about });
            }
        }
        is_wrong
    }

    /// Calls in a row that are alike are one event.
    fn called(
        &mut self,
        at: Timestamp,
        (environment, call): (&str, &Witnessed),
        name: &str,
        (failed, new): (bool, usize),
    ) {
        let about = call.subject.as_deref().map(Text::line);
        let is_new = self.events.len() > new;
        if let Some(Stamped {
            event: Event::Called { environment: e, call: c, about: a, count, failed: f, .. }, ..
        }) = self.events.last_mut().filter(|_| is_new)
            && (e.as_str(), c.as_str(), &*a, *f) == (environment, name, &about, failed)
        {
            *count += 1;
            return;
        }
        let (environment, call_name) = (environment.to_owned(), name.to_owned());
        self.note(at, Event::Called { environment, call: call_name, about, effect: call.effect, count: 1, failed });
    }

    /// A call in another environment; answers whether it changed something there.
    fn elsewhere(&mut self, at: Timestamp, environment: &str, call: &str, (effect, failed): (Effect, bool)) -> bool {
        match effect {
            Effect::Reads | Effect::ReadsLogs => false,
            Effect::Receives | Effect::Writes => {
                let (environment, call) = (environment.to_owned(), call.to_owned());
                self.note(at, Event::WrongEnvironment { environment, call, effect });
                effect == Effect::Writes && !failed
            }
        }
    }

    fn runs(&mut self, seen: &Seen) {
        for run in &seen.runs {
            if !self.runs.contains_key(&run.run) {
                self.runs.insert(run.run.clone(), None);
                let (by, what) = (run.by.clone(), run.what.clone());
                let (environment, runbook) = (run.environment.clone(), run.runbook.clone());
                let event = Event::RunBegun { run: run.run.clone(), by, what, environment, runbook };
                self.note(run.begun_at, event);
            }
            let known = self.runs.get(&run.run).cloned().flatten();
            if let Some(end) = run.end.clone().filter(|end| known.as_ref() != Some(end)) {
                self.runs.insert(run.run.clone(), Some(end.clone()));
                self.note(seen.at, Event::RunEnded { run: run.run.clone(), end });
            }
        }
    }
}

fn since(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}
