//! From what was written to a [`Scenario`]: every mistake at once, each in its place.

use std::{ops::Range, path::Path, time::Duration};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{
    domain::{Text, message::hex},
    files::{Problem, Problems, Spot, shape},
    messages::Condition,
    runbook::{Kind, things, typed::Anything},
    sandbox::world::{
        At, Change,
        fleet::{self, Fleet},
    },
    scenario::{Cause, Costs, Goal, Hint, Inject, Leftover, Par, Pattern, Scenario, Setup, Thing},
    typed::{CauseBlock, DrillFile, InjectBlock, WorldBlock},
};

/// A larger file is no drill.
pub const BYTES_MAX: usize = 1024 * 1024;
const HINT_COST: u32 = 3;
const MESSAGES_MAX: u64 = 500;
const HOLDS_FOR: Duration = Duration::from_secs(120);
/// A world with more is not made.
const MESSAGES_MOST: u64 = 10_000_000;

/// A drill that was read, and what is to be said of it.
#[derive(Debug)]
pub struct Checked {
    /// None: there are errors.
    pub scenario: Option<Scenario>,
    pub problems: Problems,
}

/// Reads a drill. `name` is the file's name without `.toml`, `path` what it is called in messages.
pub fn check(name: &str, path: &Path, file: Option<&Path>, text: &str) -> Checked {
    let (typed, problems) = shape::read::<DrillFile>(text);
    let mut reader = Reader { problems };
    let scenario = typed.and_then(|typed| {
        let scenario = reader.scenario(name, file, text, &typed)?;
        reader.fits_the_world(&scenario, &typed);
        Some(scenario)
    });
    let problems = Problems::new(path, text, reader.problems);
    Checked { scenario: scenario.filter(|_| problems.errors() == 0), problems }
}

/// A drill of a record: it was checked when it was played, and its world is not made again. None: this version reads it differently.
pub fn recall(name: &str, text: &str) -> Option<Scenario> {
    let (typed, problems) = shape::read::<DrillFile>(text);
    let mut reader = Reader { problems };
    let scenario = reader.scenario(name, None, text, &typed?)?;
    reader.problems.is_empty().then_some(scenario)
}

struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn scenario(&mut self, name: &str, file: Option<&Path>, text: &str, typed: &DrillFile) -> Option<Scenario> {
        let environment = self.environment(typed.environment.as_ref());
        let things = self.things(typed, &environment);
        let words: Vec<String> = things.iter().map(|thing| thing.word.clone()).collect();
        let setup = self.setup(typed.world.as_ref());
        let causes: Vec<Cause> = typed.cause.iter().flatten().filter_map(|cause| self.cause(cause)).collect();
        if typed.cause.is_some() && causes.is_empty() && self.problems.is_empty() {
            self.problems.push(Problem::error(0..0, "a drill needs a `[[cause]]`"));
        }
        let injects: Vec<Inject> = typed.inject.iter().flatten().filter_map(|inject| self.inject(inject)).collect();
        let goals = typed.goals.as_ref();
        let holds_for = goals.and_then(|goals| self.duration(goals.holds_for.as_ref())).unwrap_or(HOLDS_FOR);
        let mitigated = goals.and_then(|goals| self.condition(goals.mitigated.as_ref(), &words, &things));
        let recovered = goals.and_then(|goals| self.condition(goals.recovered.as_ref(), &words, &things));
        let tidy = typed.tidy.iter().flatten().filter_map(|tidy| {
            let name = Text::line(tidy.name.as_ref()?.value());
            Some(Leftover { name, check: self.condition(tidy.check.as_ref(), &words, &things)? })
        });
        let tidy = tidy.collect();
        let hints = typed.hint.iter().flatten().filter_map(|hint| {
            let text = Text::line(hint.text.as_ref()?.value());
            Some(Hint { text, cost: hint.cost.unwrap_or(HINT_COST) })
        });
        let hints = hints.collect();
        let par = self.par(typed)?;
        let limit = self.duration(typed.limit.as_ref()).unwrap_or(par.recover * 3);
        let brief = typed.brief.as_ref()?;
        let costs = typed.harm.clone().unwrap_or_default();
        Some(Scenario {
            name: name.to_owned(),
            file: file.map(Path::to_owned),
            text: text.to_owned(),
            digest: hex(&Sha256::digest(text.as_bytes())),
            title: Text::line(typed.title.as_ref()?.value()),
            system: typed.system.as_ref().map(|system| Text::line(system.value())),
            environment,
            runbook: typed.runbook.as_ref().map(|runbook| runbook.value().clone()),
            situation: Text::block(brief.situation.as_ref()?.value().trim()),
            may: Text::block(brief.may.as_ref()?.value().trim()),
            world: setup,
            things,
            causes,
            injects,
            mitigated: Goal { condition: mitigated?, holds_for: Duration::ZERO },
            recovered: Goal { condition: recovered?, holds_for },
            tidy,
            hints,
            par,
            limit,
            harm: Costs {
                lost: costs.lost.unwrap_or(1.0),
                doubled: costs.doubled.unwrap_or(1.0),
                expired: costs.expired.unwrap_or(1.0),
                expire_anyway: costs.expire_anyway.unwrap_or_default(),
                kept: costs.kept.unwrap_or_default(),
                keep_anyway: costs.keep_anyway.unwrap_or_default(),
            },
        })
    }

    fn environment(&mut self, written: Option<&Spot<String>>) -> String {
        let Some(written) = written else { return "prod".to_owned() };
        let known: Vec<String> = fleet::environments().into_iter().map(|environment| environment.name.0).collect();
        if !known.contains(written.value()) {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let problem = Problem::error(written.span(), format!("the sandbox has no `{}`", written.value()));
            self.problems.push(problem.suggest(written.value(), &names));
        }
        written.value().clone()
    }

    fn things(&mut self, typed: &DrillFile, environment: &str) -> Vec<Thing> {
        let mut all = Vec::new();
        for (word, block) in typed.things.iter().flatten() {
            if !Condition::can_say(word.value()) {
                let message = format!("a condition cannot say `{}`", word.value());
                self.problems.push(Problem::error(word.span(), message).help("use letters, digits and `_`"));
            }
            let (Some(kind), Some(name)) = (&block.kind, &block.name) else { continue };
            if !things::is_thing(*kind.value()) {
                self.problems.push(Problem::error(kind.span(), "this is a plain value, nothing to look at"));
            }
            let elsewhere = block.environment.as_ref().map(|written| self.environment(Some(written)));
            all.push(Thing {
                word: word.value().clone(),
                kind: *kind.value(),
                name: name.value().clone(),
                environment: elsewhere.unwrap_or_else(|| environment.to_owned()),
            });
        }
        all
    }

    fn setup(&mut self, typed: Option<&WorldBlock>) -> Setup {
        let Some(world) = typed else { return Setup { messages_max: MESSAGES_MAX, ..Setup::default() } };
        if let Some(most) = world.messages_max.as_ref().filter(|most| *most.value() > MESSAGES_MOST) {
            self.problems.push(Problem::error(most.span(), format!("at most {MESSAGES_MOST}")));
        }
        let fleet = world.fleet.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone())).collect();
        Setup {
            messages_max: world.messages_max.as_ref().map_or(MESSAGES_MAX, |most| *most.value()),
            fleet,
            faults: self.all(world.fault.as_ref()),
            denials: self.all(world.denial.as_ref()),
            at: self.all(world.at.as_ref()),
            identities: world.identity.iter().flatten().map(|(glob, way)| (glob.clone(), way.clone())).collect(),
        }
    }

    fn cause(&mut self, typed: &CauseBlock) -> Option<Cause> {
        let at = self.all(typed.at.as_ref());
        let found = self.patterns(typed.found.as_ref());
        let right = self.patterns(typed.right.as_ref());
        Some(Cause {
            name: typed.name.as_ref()?.value().clone(),
            truth: Text::line(typed.truth.as_ref()?.value()),
            at,
            found,
            right,
            better: Text::line(typed.better.as_ref()?.value()),
        })
    }

    fn inject(&mut self, typed: &InjectBlock) -> Option<Inject> {
        let at = self.one(typed.at.as_ref()?)?;
        Some(Inject {
            name: typed.name.as_ref()?.value().clone(),
            truth: Text::line(typed.truth.as_ref()?.value()),
            at,
            is_decoy: typed.decoy.unwrap_or_default(),
            is_harder: typed.harder.unwrap_or_default(),
        })
    }

    fn par(&mut self, typed: &DrillFile) -> Option<Par> {
        let par = typed.par.as_ref()?;
        let mut of = |written: &Option<Spot<String>>| self.duration(written.as_ref());
        let all = (of(&par.detect), of(&par.act), of(&par.mitigate), of(&par.recover));
        let (Some(detect), Some(act), Some(mitigate), Some(recover)) = all else { return None };
        Some(Par { detect, act, mitigate, recover })
    }

    fn patterns(&mut self, written: Option<&Vec<Spot<String>>>) -> Vec<Pattern> {
        let mut all = Vec::new();
        for one in written.into_iter().flatten() {
            match Pattern::parse(one.value()) {
                Ok(pattern) => all.push(pattern),
                Err(because) => self.problems.push(Problem::error(one.span(), because)),
            }
        }
        all
    }

    fn duration(&mut self, written: Option<&Spot<String>>) -> Option<Duration> {
        let written = written?;
        let parsed: Option<jiff::SignedDuration> = written.value().parse().ok();
        let duration = parsed.and_then(|parsed| Duration::try_from(parsed).ok());
        if duration.is_none() {
            let message = format!("`{}` is not a length of time", written.value());
            self.problems.push(Problem::error(written.span(), message).help("write one like 90s, 5m or 1h 30m"));
        }
        duration
    }

    fn condition(&mut self, written: Option<&Spot<String>>, words: &[String], things: &[Thing]) -> Option<Condition> {
        let written = written?;
        let condition = match Condition::compile(written.value(), words) {
            Ok(condition) => condition,
            Err(error) => {
                self.problems.push(Problem::error(written.span(), error.to_string()));
                return None;
            }
        };
        for figure in condition.figures() {
            let Some(thing) = things.iter().find(|thing| thing.word == figure.word) else { continue };
            if let Err(error) = things::check(thing.kind, &figure.field()) {
                self.problems.push(Problem::error(written.span(), error.to_string()).help(&error.hint));
            }
        }
        Some(condition)
    }

    fn all<T: DeserializeOwned>(&mut self, written: Option<&Vec<Spot<Anything>>>) -> Vec<T> {
        written.into_iter().flatten().filter_map(|one| self.one(one)).collect()
    }

    fn one<T: DeserializeOwned>(&mut self, written: &Spot<Anything>) -> Option<T> {
        match written.value().0.clone().try_into() {
            Ok(value) => Some(value),
            Err(error) => {
                let error: toml::de::Error = error;
                self.problems.push(Problem::error(written.span(), error.message()));
                None
            }
        }
    }

    /// Whether everything that it names is in the world that it begins in.
    fn fits_the_world(&mut self, scenario: &Scenario, typed: &DrillFile) {
        if !self.problems.is_empty() {
            return;
        }
        let built = match crate::live::world_of(scenario, 7, jiff::Timestamp::UNIX_EPOCH) {
            Ok(built) => built,
            Err(because) => {
                let at = fleet_span(typed);
                self.problems.push(Problem::error(at, because.to_string()));
                return;
            }
        };
        let place = |at: &At| match &at.change {
            Change::Fault(_) | Change::Denial(_) | Change::End(_) | Change::ExpireSessions => true,
            change => built.has_what_changes(change),
        };
        let setup = typed.world.iter().flat_map(|world| world.at.iter().flatten()).zip(&scenario.world.at);
        let causes = typed.cause.iter().flatten().zip(&scenario.causes);
        let of_causes = causes.flat_map(|(typed, cause)| typed.at.iter().flatten().zip(&cause.at));
        let injects = typed.inject.iter().flatten().filter_map(|inject| inject.at.as_ref());
        let of_injects = injects.zip(scenario.injects.iter().map(|inject| &inject.at));
        for (spot, at) in setup.chain(of_causes).chain(of_injects) {
            if !place(at) {
                let message = format!("nothing in the sandbox matches {}", at.change.pattern());
                self.problems.push(Problem::error(spot.span(), message));
            }
        }
        for thing in scenario.things.iter().filter(|thing| thing.kind == Kind::Queue) {
            let account = fleet::environments().into_iter().find(|one| one.name.0 == thing.environment);
            let Some(place) = account.and_then(|one| Some((one.account?.0, one.region))) else { continue };
            if built.queue_view(&place.0, &place.1, &thing.name).is_none() {
                let spot = typed.things.iter().flatten().find(|(word, _)| *word.value() == thing.word);
                let at = spot.map_or(0..0, |(word, _)| word.span());
                let message = format!("{} has no queue `{}`", thing.environment, thing.name);
                self.problems.push(Problem::error(at, message));
            }
        }
    }
}

fn fleet_span(typed: &DrillFile) -> Range<usize> {
    typed.title.as_ref().map_or(0..0, Spot::span)
}

/// Reads a fleet with a drill's additions.
///
/// # Errors
/// They do not fit.
pub(crate) fn fleet_of(scenario: &Scenario) -> Result<Fleet, fleet::FleetError> {
    Fleet::with(&scenario.world.fleet)
}
