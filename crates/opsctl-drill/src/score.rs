//! [`score`]: 100 points, and how each one was lost.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    domain::{
        Text,
        words::{counted, within},
    },
    event::{Ended, Event, Harm, Stamped},
    sandbox::world::Effect,
    scenario::Scenario,
};

const HARM: f64 = 40.0;
const TIMES: [(&str, f64); 4] = [("detect", 5.0), ("act", 5.0), ("mitigate", 5.0), ("recover", 10.0)];
const DECLARED: f64 = 10.0;
const STAYED: f64 = 5.0;
const CHECKED: f64 = 5.0;
const TIDY: f64 = 15.0;
/// What each thing that is left behind costs.
const LEFT: f64 = 5.0;
/// What each look at messages in another environment costs: a plan was opened there.
const ELSEWHERE: f64 = 5.0;
/// A drill is passed with so many points.
pub const PASSED: f64 = 70.0;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Of 100.
    pub total: f64,
    pub passed: bool,
    pub parts: Vec<Part>,
    /// What hints cost.
    pub hints: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    pub name: &'static str,
    pub points: f64,
    pub of: f64,
    pub losses: Vec<Loss>,
}

/// Points that were lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loss {
    pub points: f64,
    /// Since the incident began; none: of the whole.
    pub after_seconds: Option<i64>,
    pub what: Text,
    /// What would have been better.
    pub better: Text,
}

/// Scores a drill that has ended.
pub fn score(scenario: &Scenario, events: &[Stamped]) -> Score {
    let told = Told::of(events);
    let parts = vec![harm(scenario, &told), time(scenario, &told), proof(scenario, &told), tidy(&told)];
    let hints = told.hints.iter().filter_map(|number| scenario.hints.get(*number)).map(|hint| f64::from(hint.cost));
    let hints = hints.sum::<f64>();
    let total = (parts.iter().map(|part| part.points).sum::<f64>() - hints).clamp(0.0, 100.0);
    let total = (total * 10.0).round() / 10.0;
    let is_over = told.recovered && told.ended != Some(Ended::WrongEnvironment);
    Score { total, passed: is_over && total >= PASSED, parts, hints }
}

/// What a score goes by.
struct Told<'a> {
    incident_at: Timestamp,
    milestones: [Option<Timestamp>; 4],
    /// What cause it was, by its name.
    cause: &'a str,
    harm: Vec<(Timestamp, Harm)>,
    elsewhere: Vec<(Timestamp, &'a str, &'a str, Effect)>,
    declared: Option<Timestamp>,
    was_recovered_when_declared: bool,
    relapsed_after: Option<Timestamp>,
    recovered_since: Option<Timestamp>,
    recovered: bool,
    hints: Vec<usize>,
    ended: Option<Ended>,
    leftovers: &'a [Text],
}

impl<'a> Told<'a> {
    fn of(events: &'a [Stamped]) -> Self {
        let mut told = Self {
            incident_at: events.first().map_or(Timestamp::UNIX_EPOCH, |first| first.at),
            milestones: [None; 4],
            cause: "",
            harm: Vec::new(),
            elsewhere: Vec::new(),
            declared: None,
            was_recovered_when_declared: false,
            relapsed_after: None,
            recovered_since: None,
            recovered: false,
            hints: Vec::new(),
            ended: None,
            leftovers: &[],
        };
        events.iter().for_each(|stamped| told.take(stamped));
        told
    }

    fn take(&mut self, Stamped { at, event }: &'a Stamped) {
        let [found, acted, mitigated, recovered] = &mut self.milestones;
        match event {
            Event::Begun { incident_at, cause, .. } => (self.incident_at, self.cause) = (*incident_at, cause),
            Event::Found { .. } => *found = Some(*at),
            Event::Acted { .. } => *acted = Some(*at),
            Event::Mitigated {} => *mitigated = Some(*at),
            Event::Recovered { since } => {
                *recovered = Some(*since);
                mitigated.get_or_insert(*since);
                self.recovered_since = Some(*since);
                // Whoever says so while it holds, and it goes on holding, was right.
                self.was_recovered_when_declared |= self.declared.is_some_and(|declared| *since <= declared);
            }
            Event::Relapsed {} => {
                *recovered = None;
                self.recovered_since = None;
                if self.declared.is_some() {
                    self.relapsed_after = Some(*at);
                }
            }
            Event::Harm(harm) => self.harm.push((*at, *harm)),
            Event::WrongEnvironment { environment, call, effect } => {
                self.elsewhere.push((*at, environment, call, *effect));
            }
            Event::DeclaredOver { .. } => {
                self.declared = Some(*at);
                self.was_recovered_when_declared = self.recovered_since.is_some();
            }
            Event::Hinted { number, .. } => self.hints.push(*number),
            Event::Ended { why, leftovers, recovered } => {
                (self.ended, self.leftovers, self.recovered) = (Some(*why), leftovers, *recovered);
            }
            Event::Injected { .. }
            | Event::Skipped { .. }
            | Event::Delayed { .. }
            | Event::Called { .. }
            | Event::RunBegun { .. }
            | Event::RunEnded { .. }
            | Event::Noted { .. }
            | Event::Figures { .. } => {}
        }
    }

    fn after(&self, at: Timestamp) -> Option<i64> {
        Some(at.duration_since(self.incident_at).as_secs().max(0))
    }
}

fn part(name: &'static str, of: f64, losses: Vec<Loss>) -> Part {
    let lost = losses.iter().map(|loss| loss.points).sum::<f64>().min(of);
    Part { name, points: ((of - lost) * 10.0).round() / 10.0, of, losses }
}

fn harm(scenario: &Scenario, told: &Told<'_>) -> Part {
    let costs = scenario.harm;
    let last = told.harm.last().map(|(_, harm)| *harm).unwrap_or_default();
    let expired = last.expired.saturating_sub(costs.expire_anyway);
    let first = |of: fn(&Harm) -> u64| told.harm.iter().find(|(_, harm)| of(harm) > 0).map(|(at, _)| *at);
    let mut losses = Vec::new();
    let mut lose = |(count, cost): (u64, f64), at: Option<Timestamp>, what: &str, better: &'static str| {
        if count > 0 && cost > 0.0 {
            losses.push(Loss {
                points: (count as f64 * cost).min(HARM),
                after_seconds: at.and_then(|at| told.after(at)),
                what: Text::line(&format!("{}: {what}", counted(count, "message"))),
                better: Text::from(better),
            });
        }
    };
    let better = "move or park messages: what is parked can be restored";
    lose((last.lost, costs.lost), first(|harm| harm.lost), "deleted without a copy", better);
    let better = "send again only what is known not to have been sent";
    lose((last.doubled, costs.doubled), first(|harm| harm.doubled), "worked off twice", better);
    let better = "buy time first: a longer retention, or a redrive";
    lose((expired, costs.expired), first(|harm| harm.expired), "expired", better);
    let kept = last.kept.saturating_sub(costs.keep_anyway);
    let better = "take out only what fails, and restore the rest";
    lose((kept, costs.kept), first(|harm| harm.kept), "taken out of the queue, and not put back", better);
    let mut known = Vec::new();
    for (at, environment, call, effect) in &told.elsewhere {
        // A look counts each time; the first change has ended it.
        if *effect == Effect::Writes && known.contains(environment) {
            continue;
        }
        known.extend((*effect == Effect::Writes).then_some(environment));
        let is_written = *effect == Effect::Writes;
        losses.push(Loss {
            points: if is_written { HARM } else { ELSEWHERE },
            after_seconds: told.after(*at),
            what: Text::line(&format!("{call} in {environment}: the incident is in {}", scenario.environment)),
            better: Text::from("read the environment in the plan before you confirm it"),
        });
    }
    part("harm avoided", HARM, losses)
}

fn time(scenario: &Scenario, told: &Told<'_>) -> Part {
    let par = scenario.par;
    let pars = [par.detect, par.act, par.mitigate, par.recover];
    let cause = scenario.causes.iter().find(|cause| cause.name == told.cause);
    let mut losses = Vec::new();
    for (((name, of), reached), par) in TIMES.iter().zip(told.milestones).zip(pars) {
        let took = reached.map(|at| at.duration_since(told.incident_at));
        let share = took.map_or(0.0, |took| share_of_par(took, par));
        let points = (of * (1.0 - share) * 10.0).round() / 10.0;
        if points > 0.0 {
            let par = within(SignedDuration::try_from(par).unwrap_or(SignedDuration::MAX));
            let what = match took {
                Some(took) => format!("{name}: {}, par {par}", within(took)),
                None => format!("{name}: never, par {par}"),
            };
            let better = cause.map_or(Text::default(), |cause| cause.better.clone());
            let after_seconds = reached.and_then(|at| told.after(at));
            losses.push(Loss { points, after_seconds, what: Text::line(&what), better });
        }
    }
    part("time", TIMES.iter().map(|(_, of)| of).sum(), losses)
}

/// All within par, nothing from three times par on.
fn share_of_par(took: SignedDuration, par: Duration) -> f64 {
    let (took, par) = (took.as_secs_f64(), par.as_secs_f64().max(1.0));
    ((3.0 * par - took) / (2.0 * par)).clamp(0.0, 1.0)
}

fn proof(scenario: &Scenario, told: &Told<'_>) -> Part {
    let holds_for = scenario.recovered.holds_for;
    let wait = within(SignedDuration::try_from(holds_for).unwrap_or(SignedDuration::MAX));
    let mut losses = Vec::new();
    let mut lose = |points, at: Option<Timestamp>, what: &str, better: String| {
        let after_seconds = at.and_then(|at| told.after(at));
        losses.push(Loss { points, after_seconds, what: Text::from(what), better: Text::line(&better) });
    };
    match told.declared {
        None => lose(
            DECLARED + STAYED + CHECKED,
            None,
            "nobody said that it was over",
            "say so when you have checked it".to_owned(),
        ),
        Some(at) if !told.was_recovered_when_declared => {
            let better = "look at what was wrong once more before you say that it is over".to_owned();
            lose(DECLARED + STAYED + CHECKED, Some(at), "declared over while it was not", better);
        }
        Some(at) => {
            if let Some(relapsed) = told.relapsed_after {
                lose(STAYED, Some(relapsed), "it came back", format!("watch it for {wait}"));
            }
            let since = told.recovered_since.unwrap_or(at);
            if at.duration_since(since) < SignedDuration::try_from(holds_for).unwrap_or(SignedDuration::MAX) {
                lose(CHECKED, Some(at), "declared over before it was proven", format!("watch it for {wait} first"));
            }
        }
    }
    part("proof", DECLARED + STAYED + CHECKED, losses)
}

/// Whoever leaves while it is not over leaves all of it behind; whoever did nothing has nothing to tidy.
fn tidy(told: &Told<'_>) -> Part {
    let [_, acted, ..] = told.milestones;
    let lose = |what: &str, better: &str| {
        let (what, better) = (Text::from(what), Text::from(better));
        part("tidy", TIDY, vec![Loss { points: TIDY, after_seconds: None, what, better }])
    };
    if !told.recovered {
        return lose("it was not over", "hand it over to somebody before you leave");
    }
    if acted.is_none() {
        return lose("it ended by itself", "do what you can: the next one may not end by itself");
    }
    let left = told.leftovers.iter().map(|what| Loss {
        points: LEFT,
        after_seconds: None,
        what: what.clone(),
        better: Text::from("put it back, or say who will, before you leave"),
    });
    part("tidy", TIDY, left.collect())
}
