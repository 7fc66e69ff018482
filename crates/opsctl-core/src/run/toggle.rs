//! A run that sets settings: each by one absolute call, looked for where its answer is lost, and followed until it is so.
//!
//! How each stood is in `turned-off/` of the state folder before the call, and until it is seen put back: whoever comes later puts back
//! exactly that.

mod call;
mod memory;

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Context, Details, Doing, End, Failure, Report};
pub(super) use call::is_in_use;

use crate::{
    cloud::CloudError,
    domain::{Setting, Text, Toggle, Try},
    journal::{Journal, Record},
    operations::toggles::{
        ToToggle,
        look::{Settled, Shown, look},
    },
};

const LOOK_EVERY: Duration = Duration::from_secs(2);
const AT_ONCE: usize = 6;
/// Calls after lost answers and throttles, in all.
const CALLS_MAX: u32 = 4;
const LOOKS_FAILED_MAX: u32 = 5;
/// So long after the call a look may still show what was before it; attributes of queues take a minute (SQS API reference).
const READS_LAG: SignedDuration = SignedDuration::from_secs(15);
const READS_OF_QUEUES_LAG: SignedDuration = SignedDuration::from_secs(75);
/// What is on its way is waited for so long; AWS says no figure.
const CHANGES_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// What became of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Toggled {
    pub toggle: Toggle,
    /// What a person knows it by.
    pub name: Text,
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
        let Self { name, from, to, is_set, is_done, seconds, because, .. } = self;
        let mut words = match (is_done, is_set) {
            (true, _) => format!("{name}: {}, after {:.0} s", to.words(), seconds.unwrap_or_default()),
            (false, true) => format!("{name}: not known to be set to {}", to.words()),
            (false, false) => format!("{name}: left at {}", from.words()),
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

pub(super) async fn run(bound: Vec<ToToggle>, context: &Context, journal: &Journal, report: Report) -> Report {
    let mut report = report;
    if let Err(failure) = memory::note_before(&bound, context, &report) {
        (report.end, report.failure) = (End::Failed, Some(failure));
        return report;
    }
    let began = context.now();
    let runs: Vec<_> = bound.iter().map(|one| each(one, context, journal, &report)).collect();
    let ended: Vec<(Toggled, Option<Halt>)> = stream::iter(runs).buffered(AT_ONCE).collect().await;
    report.seconds = context.now().duration_since(began).as_secs_f64();
    finish(&mut report, &bound, &ended, context);
    report.details = Details::Settings { settings: ended.into_iter().map(|(toggled, _)| toggled).collect() };
    report
}

async fn each(bound: &ToToggle, context: &Context, journal: &Journal, report: &Report) -> (Toggled, Option<Halt>) {
    let began = context.now();
    let mut one = One { bound, context, journal, report, began, calls: 0, set_at: None, is_set: false };
    let halt = one.drive().await.err();
    let (is_set, is_done) = (one.is_set, halt.is_none());
    let seconds = is_done.then(|| context.now().duration_since(began).as_secs_f64());
    let because = halt.as_ref().map(|halt| match halt {
        Halt::Cancelled => Text::from("stopped, as asked"),
        Halt::Failed(why) => why.clone(),
    });
    let ToToggle { toggle, name, from, to, .. } = bound.clone();
    let toggled = Toggled { toggle, name: Text::line(&name), from, to, is_set, is_done, seconds, because };
    let status = Text::line(&toggled.words());
    let record = Record::Setting { toggle: toggled.toggle.clone(), status };
    // Its setting is in AWS for everybody to see: a journal that is full hides nothing.
    drop(journal.write(vec![record], Vec::new()).await);
    (toggled, halt)
}

fn finish(report: &mut Report, bound: &[ToToggle], ended: &[(Toggled, Option<Halt>)], context: &Context) {
    let open: Vec<String> =
        ended.iter().filter(|(_, halt)| halt.is_some()).map(|(toggled, _)| toggled.words()).collect();
    let is_cancelled = ended.iter().any(|(_, halt)| matches!(halt, Some(Halt::Cancelled)));
    let is_any_set = ended.iter().any(|(toggled, _)| toggled.is_set);
    report.end = match (open.is_empty(), is_cancelled, is_any_set) {
        (true, ..) => End::Done,
        (false, true, _) => End::Interrupted,
        (false, false, true) => End::Partly,
        (false, false, false) => End::Failed,
    };
    if !open.is_empty() {
        report.failure = Some(Failure::new(open.join("; "), Try::Resume.says("look at it, then go on with --resume")));
        report.next = Some(report.resume_line(context.environment()));
    }
    let toggled: Vec<&Toggled> = ended.iter().map(|(toggled, _)| toggled).collect();
    match memory::note_after(bound, &toggled, context, report) {
        Err(failure) => report.note(format!("what is remembered of it could not be written: {}", failure.what)),
        Ok(()) => memory::say(bound, &toggled, context.environment(), report),
    }
}

struct One<'a> {
    bound: &'a ToToggle,
    context: &'a Context,
    journal: &'a Journal,
    report: &'a Report,
    began: Timestamp,
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
            let Shown { setting: shown, settled } = self.look().await?;
            match settled {
                Settled::Deleting => return Err(Halt::Failed(Text::from("somebody deletes it"))),
                // Until it is there, AWS takes no change.
                Settled::Changing => {
                    self.wait(shown).await?;
                    continue;
                }
                Settled::Coming if shown == to => {
                    self.wait(shown).await?;
                    continue;
                }
                Settled::Yes if shown == to => return Ok(()),
                Settled::Yes | Settled::Coming => {}
            }
            if shown != from {
                return Err(Halt::Failed(Text::line(&format!("somebody set it meanwhile: {}", shown.words()))));
            }
            match self.set_at {
                None => self.set().await?,
                Some(at) if self.context.now().duration_since(at) < self.reads_lag() => self.pause().await?,
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
        let ToToggle { toggle, from, to, .. } = self.bound.clone();
        let intent = Record::SettingIntent { toggle: toggle.clone(), from, to };
        let written = self.journal.write(vec![intent], Vec::new()).await;
        written.map_err(|error| Halt::Failed(Text::line(&error.to_string())))?;
        self.calls += 1;
        match call::set(&self.context.cloud, &toggle, to, &self.report.run).await {
            Ok(()) => {
                (self.is_set, self.set_at) = (true, Some(self.context.now()));
                Ok(())
            }
            // Somebody else's change is on its way: it is looked at first.
            Err(error) if call::is_in_use(&error) && self.calls < CALLS_MAX => self.pause().await,
            Err(error) => {
                self.is_set |= error.may_have_been_applied();
                if !error.is_passing() || self.calls >= CALLS_MAX {
                    return Err(Halt::failed(&error, self.context));
                }
                self.pause().await
            }
        }
    }

    async fn look(&self) -> Result<Shown, Halt> {
        let mut failures = 0;
        loop {
            match look(&self.context.cloud, &self.bound.toggle).await {
                Ok(shown) => return Ok(shown),
                Err(error) if error.is_passing() && failures < LOOKS_FAILED_MAX => failures += 1,
                Err(error) => return Err(Halt::failed(&error, self.context)),
            }
            self.pause().await?;
        }
    }

    fn reads_lag(&self) -> SignedDuration {
        match self.bound.toggle {
            Toggle::Rule(_) | Toggle::Concurrency(_) | Toggle::Mapping(_) | Toggle::Alarm(_) => READS_LAG,
            Toggle::Retention(_) => READS_OF_QUEUES_LAG,
        }
    }

    /// It is on its way, to where it shall be or from what somebody else has done.
    async fn wait(&self, towards: Setting) -> Result<(), Halt> {
        if self.context.now().duration_since(self.began) > CHANGES_WITHIN {
            return Err(Halt::Failed(Text::from("it changes still; AWS goes on with it by itself")));
        }
        let words = format!("{}: on its way to {}", self.bound.name, towards.words());
        self.context.tell(self.report, 1, Doing::One, (&words, Vec::new()));
        self.pause().await
    }

    async fn pause(&self) -> Result<(), Halt> {
        self.context.pause(LOOK_EVERY).await;
        if self.context.cancel.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }
}
