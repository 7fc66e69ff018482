//! A run that sets a rule or a function's reserved concurrency.
//!
//! How it stood before it is turned off is in `turned-off/` of the state folder before the call, and until it is seen turned on again:
//! whoever comes later puts back exactly that.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Context, Details, End, Failure, Report};
use crate::{
    cloud::CloudError,
    domain::{AccountId, Setting, Text, Toggle},
    journal::{Journal, Record, TurnedOff, TurnedOffBy},
    operations::toggles::ToToggle,
};

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Calls after lost answers and throttles, in all.
const CALLS_MAX: u32 = 4;
const LOOKS_FAILED_MAX: u32 = 5;
/// So long after the call a look may still show what was before it.
const READS_LAG: SignedDuration = SignedDuration::from_secs(15);

/// What became of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Toggled {
    pub toggle: Toggle,
    pub from: Setting,
    pub to: Setting,
    /// Whether the call was made, or may have been.
    pub is_set: bool,
    /// Whether it was seen as it was to be.
    pub is_done: bool,
    /// From the first look until then.
    pub seconds: Option<f64>,
    pub because: Option<Text>,
}

impl Toggled {
    pub fn words(&self) -> String {
        let Self { toggle, from, to, is_set, is_done, seconds, because } = self;
        let mut words = match (is_done, is_set) {
            (true, _) => format!("{toggle}: {}, after {:.0} s", to.words(), seconds.unwrap_or_default()),
            (false, true) => format!("{toggle}: not known to be set to {}", to.words()),
            (false, false) => format!("{toggle}: left at {}", from.words()),
        };
        if let Some(because) = because {
            words.push_str(&format!(", {because}"));
        }
        words
    }
}

enum Halt {
    Cancelled,
    Failed(Text),
}

impl Halt {
    fn failed(error: &CloudError, context: &Context) -> Self {
        Self::Failed(Text::line(&format!("{error} ({})", error.hint(context.environment()))))
    }
}

pub(super) async fn run(bound: ToToggle, context: &Context, journal: &Journal, report: Report) -> Report {
    let mut report = report;
    if let Err(failure) = note_before(&bound, context, &report) {
        (report.end, report.failure) = (End::Failed, Some(failure));
        return report;
    }
    let began = context.now();
    let mut one = One { bound: &bound, context, journal, calls: 0, set_at: None, is_set: false };
    let halt = one.drive().await.err();
    let (is_set, is_done) = (one.is_set, halt.is_none());
    report.seconds = context.now().duration_since(began).as_secs_f64();
    let seconds = is_done.then(|| context.now().duration_since(began).as_secs_f64());
    let because = halt.as_ref().map(|halt| match halt {
        Halt::Cancelled => Text::from("stopped, as asked"),
        Halt::Failed(why) => why.clone(),
    });
    let ToToggle { toggle, from, to } = bound.clone();
    let toggled = Toggled { toggle, from, to, is_set, is_done, seconds, because };
    let status = Text::line(&toggled.words());
    let record = Record::Setting { toggle: toggled.toggle.clone(), status };
    // Its setting is in AWS for everybody to see: a journal that is full hides nothing.
    drop(journal.write(vec![record], Vec::new()).await);
    finish(&mut report, &toggled, halt, context);
    report.details = Details::Setting(Box::new(toggled));
    report
}

fn finish(report: &mut Report, toggled: &Toggled, halt: Option<Halt>, context: &Context) {
    report.end = match (&halt, toggled.is_set) {
        (None, _) => End::Done,
        (Some(Halt::Cancelled), _) => End::Interrupted,
        (Some(Halt::Failed(_)), true) => End::Partly,
        (Some(Halt::Failed(_)), false) => End::Failed,
    };
    if halt.is_some() {
        report.failure = Some(Failure::new(toggled.words(), "look at it, then go on with --resume"));
        report.next = Some(report.resume_line(context.environment()));
    }
    if let Err(failure) = note_after(toggled, context, report) {
        report.note(format!("what is remembered of it could not be written: {}", failure.what));
    } else if toggled.is_done && toggled.to.is_off() {
        report.note(format!("remembered: {} before", toggled.from.words()));
    }
}

struct One<'a> {
    bound: &'a ToToggle,
    context: &'a Context,
    journal: &'a Journal,
    calls: u32,
    /// When AWS took the call; none: it has not, as far as is known.
    set_at: Option<Timestamp>,
    /// Whether a call was made that may have counted.
    is_set: bool,
}

impl One<'_> {
    /// Looks, sets where it is still as it was, and looks until it is so.
    async fn drive(&mut self) -> Result<(), Halt> {
        let ToToggle { from, to, .. } = *self.bound;
        loop {
            let shown = self.look().await?;
            if shown == to {
                return Ok(());
            }
            if shown != from {
                return Err(Halt::Failed(Text::line(&format!("somebody set it meanwhile: {}", shown.words()))));
            }
            match self.set_at {
                None => self.set().await?,
                Some(at) if self.context.now().duration_since(at) < READS_LAG => self.pause().await?,
                Some(_) => {
                    let words = format!("AWS took the call, and shows {} still", shown.words());
                    return Err(Halt::Failed(Text::line(&words)));
                }
            }
        }
    }

    /// It is absolute: after a lost answer it is looked at, and set once more only where nothing has changed.
    async fn set(&mut self) -> Result<(), Halt> {
        if self.context.cancel.is_cancelled() {
            return Err(Halt::Cancelled);
        }
        let ToToggle { toggle, from, to } = self.bound.clone();
        let intent = Record::SettingIntent { toggle: toggle.clone(), from, to };
        let written = self.journal.write(vec![intent], Vec::new()).await;
        written.map_err(|error| Halt::Failed(Text::line(&error.to_string())))?;
        self.calls += 1;
        let cloud = &self.context.cloud;
        let answer = match (&toggle, to) {
            (Toggle::Rule(name), Setting::Enabled(enabled)) => cloud.events.set_enabled(name, enabled).await,
            (Toggle::Concurrency(name), Setting::Reserved(reserved)) => {
                cloud.lambda.set_concurrency(name, reserved).await
            }
            (Toggle::Rule(_), Setting::Reserved(_)) | (Toggle::Concurrency(_), Setting::Enabled(_)) => {
                unreachable!("a plan gives each its own kind of setting")
            }
        };
        match answer {
            Ok(()) => {
                (self.is_set, self.set_at) = (true, Some(self.context.now()));
                Ok(())
            }
            Err(error) => {
                self.is_set |= error.may_have_been_applied();
                if !error.is_passing() || self.calls >= CALLS_MAX {
                    return Err(Halt::failed(&error, self.context));
                }
                self.pause().await
            }
        }
    }

    async fn look(&self) -> Result<Setting, Halt> {
        let cloud = &self.context.cloud;
        let mut failures = 0;
        loop {
            let shown = match &self.bound.toggle {
                Toggle::Rule(name) => cloud.events.rule(name).await.map(|rule| Setting::Enabled(rule.enabled)),
                Toggle::Concurrency(name) => cloud.lambda.concurrency(name).await.map(Setting::Reserved),
            };
            match shown {
                Ok(shown) => return Ok(shown),
                Err(error) if error.is_passing() && failures < LOOKS_FAILED_MAX => failures += 1,
                Err(error) => return Err(Halt::failed(&error, self.context)),
            }
            self.pause().await?;
        }
    }

    async fn pause(&self) -> Result<(), Halt> {
        self.context.pause(LOOK_EVERY).await;
        if self.context.cancel.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }
}

fn change(context: &Context, report: &Report, change: impl FnOnce(&mut TurnedOff)) -> Result<(), Failure> {
    let account = AccountId(report.account.clone());
    let changed = TurnedOff::change(&context.state, &account, &context.environment().region, change);
    changed.map_err(|error| Failure::new(error.to_string(), error.hint()))
}

/// Before it is turned off: what is not remembered could not be put back.
fn note_before(bound: &ToToggle, context: &Context, report: &Report) -> Result<(), Failure> {
    if !bound.to.is_off() {
        return Ok(());
    }
    let before = TurnedOffBy { from: bound.from, at: context.now(), run: report.run.clone() };
    change(context, report, |known| known.remember(&bound.toggle, before))
}

/// What is turned on again is forgotten; so is what this try remembered and did not touch.
fn note_after(toggled: &Toggled, context: &Context, report: &Report) -> Result<(), Failure> {
    change(context, report, |known| {
        let is_of_this_try =
            known.of(&toggled.toggle).is_some_and(|before| before.run == report.run && before.at >= report.started_at);
        let is_over = match toggled.to.is_off() {
            true => !toggled.is_set && !toggled.is_done && is_of_this_try,
            false => toggled.is_done,
        };
        if is_over {
            known.forget(&toggled.toggle);
        }
    })
}
