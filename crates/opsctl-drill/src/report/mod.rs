//! Reports of a drill, made of its record alone: Markdown, HTML, JUnit, and plain data.

mod html;
mod junit;
mod markdown;

use jiff::Timestamp;
use serde::Serialize;

pub use html::html;
pub use junit::junit;
pub use markdown::markdown;

use crate::{
    domain::Text,
    event::{Beginning, Event, Harm, Stamped},
    sandbox::world::Effect,
    scenario::Scenario,
    score::{Score, score},
};

/// All that a report says.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub drill: String,
    pub title: Text,
    pub digest: String,
    pub version: String,
    pub seed: u64,
    pub cause: String,
    pub truth: Text,
    pub better: Text,
    pub begun_at: Timestamp,
    pub seconds: i64,
    pub speed: f64,
    pub ended: Option<&'static str>,
    pub recovered: bool,
    pub players: Vec<Text>,
    pub harm: Harm,
    pub score: Score,
    pub timeline: Vec<Line>,
    /// The record's id.
    pub record: String,
    #[serde(skip)]
    pub(crate) events: Vec<Stamped>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub at: Timestamp,
    /// Since the drill began.
    pub after_seconds: i64,
    pub text: Text,
}

impl Report {
    /// None: the record does not begin as one does.
    pub fn of(scenario: &Scenario, record: &str, events: &[Stamped]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        let Beginning { drill, digest, version, seed, cause, speed, .. } = first.event.beginning()?;
        let known = scenario.causes.iter().find(|known| known.name == cause);
        let ended = last.event.end().map(|(why, recovered)| (why.words(), recovered));
        let harm = events.iter().rev().find_map(|stamped| stamped.event.harm());
        let timeline = told(events).into_iter().map(|(at, text)| Line {
            at,
            after_seconds: at.duration_since(first.at).as_secs().max(0),
            text,
        });
        Some(Self {
            drill: drill.to_owned(),
            title: scenario.title.clone(),
            digest: digest.to_owned(),
            version: version.to_owned(),
            seed,
            cause: cause.to_owned(),
            truth: known.map(|known| known.truth.clone()).unwrap_or_default(),
            better: known.map(|known| known.better.clone()).unwrap_or_default(),
            begun_at: first.at,
            seconds: last.at.duration_since(first.at).as_secs(),
            speed,
            ended: ended.map(|(words, _)| words),
            recovered: ended.is_some_and(|(_, recovered)| recovered),
            players: players(events),
            harm: harm.unwrap_or_default(),
            score: score(scenario, events),
            timeline: timeline.collect(),
            record: record.to_owned(),
            events: events.to_vec(),
        })
    }
}

/// Who took part, in the order in which they first did something.
pub fn players(events: &[Stamped]) -> Vec<Text> {
    let mut players: Vec<Text> = Vec::new();
    for by in events.iter().filter_map(|stamped| stamped.event.by()) {
        if !players.contains(by) {
            players.push(by.clone());
        }
    }
    players
}

/// The timeline in words.
pub fn told(events: &[Stamped]) -> Vec<(Timestamp, Text)> {
    events.iter().filter_map(|Stamped { at, event }| Some((*at, Text::line(&words(event)?)))).collect()
}

fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::Begun { by, .. } => format!("{by} begins"),
        Event::Injected { name } => format!("happens: {name}"),
        Event::Skipped { name, by } => format!("{by} skips: {name}"),
        Event::Delayed { name, by, .. } => format!("{by} delays: {name}"),
        Event::Called { effect: Effect::Reads | Effect::ReadsLogs, .. } => return None,
        // What every look at messages ends with.
        Event::Called { call, .. } if call.starts_with("sqs:ChangeMessageVisibility") => return None,
        Event::Called { environment, call, about, count, failed, .. } => {
            let about = about.as_ref().map(|about| format!(" {about}")).unwrap_or_default();
            let times = if *count > 1 { format!(" x{count}") } else { String::new() };
            let failed = if *failed { ", refused" } else { "" };
            format!("{environment}: {call}{about}{times}{failed}")
        }
        Event::RunBegun { run, by, what, environment, .. } => format!("{by}: {what} in {environment} ({run})"),
        Event::RunEnded { run, end } => format!("{run}: {end}"),
        Event::Found { call } => format!("found: {call}"),
        Event::Acted { call } => format!("first right step: {call}"),
        Event::Mitigated {} => "mitigated".to_owned(),
        Event::Recovered { .. } => "recovered".to_owned(),
        Event::Relapsed {} => "it is back".to_owned(),
        Event::Harm(Harm { lost, kept, doubled, expired }) => {
            let all = [(lost, "lost"), (kept, "in snapshots only"), (doubled, "done twice"), (expired, "expired")];
            let all = all.iter().filter(|(count, _)| **count > 0).map(|(count, what)| format!("{count} {what}"));
            let all: Vec<String> = all.collect();
            if all.is_empty() {
                "no message is harmed any more".to_owned()
            } else {
                format!("messages: {}", all.join(", "))
            }
        }
        Event::WrongEnvironment { environment, call, effect } => {
            let did = if *effect == Effect::Writes { "wrong environment" } else { "a look in the wrong environment" };
            format!("{did}: {call} in {environment}")
        }
        Event::Hinted { number, by } => format!("{by} takes hint {}", number + 1),
        Event::Noted { text, by } => format!("{by}: {text}"),
        Event::DeclaredOver { by } => format!("{by} says that it is over"),
        Event::Figures { .. } => return None,
        Event::Ended { why, .. } => format!("the end: {}", why.words()),
    })
}

/// A time since the drill began: `4:07`, `1:04:07`.
pub fn after(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
