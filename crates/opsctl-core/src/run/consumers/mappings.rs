//! Event source mappings: set once each, looked at after a lost answer, and followed until they are as they shall be.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Consumers, Context, End, Failure, Journal, Told};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{Mapping, MappingId, MappingState, Text, Try},
    journal::Record,
    operations::{
        consumers::{READS_LAG, Switch},
        scale::Set,
    },
    run::toggle,
};

/// Between looks: Lambda's control plane takes about 15 calls a second, shared by the account (Lambda quotas).
const LOOK_EVERY: Duration = Duration::from_secs(2);
const AT_ONCE: usize = 6;
/// A mapping is set again so often after lost answers.
const LOST_MAX: u32 = 4;
const LOOKS_FAILED_MAX: u32 = 20;

/// What became of a mapping that was to be paused or resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Switched {
    pub id: MappingId,
    pub function: Text,
    /// Whether it shall take messages.
    pub enabled: bool,
    pub state: Option<MappingState>,
    /// Whether the change is known to be made, or may be.
    pub is_set: bool,
    /// Whether it was seen as it shall be.
    pub is_done: bool,
    /// From the first look until then.
    pub seconds: Option<f64>,
    pub because: Option<Text>,
    #[serde(skip)]
    pub(super) is_cancelled: bool,
}

impl Switched {
    pub fn words(&self) -> String {
        let Self { function, state, is_done, seconds, because, .. } = self;
        let state = state.map_or("state unknown", MappingState::words);
        let mut words = match is_done {
            true => format!("{function}: {state}, after {:.0} s", seconds.unwrap_or_default()),
            false => format!("{function}: {state}"),
        };
        if let Some(because) = because {
            words.push_str(&format!(", {because}"));
        }
        words
    }
}

pub(super) async fn switch(consumers: &Consumers, context: &Context, journal: &Journal, told: &Told) -> Vec<Switched> {
    let timeout = SignedDuration::from_secs(i64::from(consumers.timeout.0));
    let now = context.now();
    let deadline = now.checked_add(timeout).unwrap_or(Timestamp::MAX);
    let runs = consumers
        .mappings
        .iter()
        .map(|switch| One { switch, set: consumers.set, context, journal, deadline, told, began: now }.run());
    let runs: Vec<_> = runs.collect();
    stream::iter(runs).buffered(AT_ONCE).collect().await
}

/// Why not all are as they shall be.
pub(super) fn why(switched: &[Switched], context: &Context) -> Option<(End, Failure)> {
    let open: Vec<String> = switched.iter().filter(|one| !one.is_done).map(Switched::words).collect();
    if open.is_empty() {
        return None;
    }
    let is_cancelled = switched.iter().any(|one| one.is_cancelled);
    let mut what = open.join("; ");
    if switched.iter().any(|one| !one.is_done && one.is_set) {
        what.push_str("; Lambda goes on with it by itself");
    }
    let end = match (is_cancelled, switched.iter().any(|one| one.is_set)) {
        (true, _) => End::Interrupted,
        (false, true) => End::Partly,
        (false, false) => End::Failed,
    };
    let look = context.environment().command("consumers");
    Some((end, Failure::new(what, Try::Resume.says(format!("look with `{look}`, then go on with --resume")))))
}

/// Why a mapping is not as it shall be.
enum Halt {
    Cancelled,
    TimedOut,
    Failed(Text),
}

struct One<'a> {
    switch: &'a Switch,
    set: Set,
    context: &'a Context,
    journal: &'a Journal,
    deadline: Timestamp,
    told: &'a Told,
    began: Timestamp,
}

#[derive(Default)]
struct Known {
    state: Option<MappingState>,
    is_set: bool,
    set_at: Option<Timestamp>,
    lost: u32,
}

impl One<'_> {
    async fn run(self) -> Switched {
        let mut known = Known::default();
        let result = self.drive(&mut known).await;
        let clock = self.context.cloud.clock();
        let because = match &result {
            Ok(()) => None,
            Err(Halt::Cancelled) => Some("stopped waiting, as asked".to_owned()),
            Err(Halt::TimedOut) => Some("not so in the time that was given".to_owned()),
            Err(Halt::Failed(why)) => Some(why.to_string()),
        };
        let is_done = result.is_ok();
        let state = known.state;
        let status = because.clone().unwrap_or_else(|| state.map_or("unknown", MappingState::words).to_owned());
        let record = Record::Mapping { mapping: self.switch.id.0.clone(), status: Text::line(&status) };
        // Its state is in AWS for everybody to see: a journal that is full hides nothing.
        drop(self.journal.write(vec![record], Vec::new()).await);
        Switched {
            id: self.switch.id.clone(),
            function: self.switch.function.clone(),
            enabled: self.switch.enabled,
            state,
            is_set: known.is_set || known.lost > 0,
            is_done,
            seconds: is_done.then(|| clock.now().duration_since(self.began).as_secs_f64()),
            because: because.as_deref().map(Text::line),
            is_cancelled: matches!(result, Err(Halt::Cancelled)),
        }
    }

    /// Looks, and sets where it is not so and not on its way.
    async fn drive(&self, known: &mut Known) -> Result<(), Halt> {
        let is_there = |state| match self.switch.enabled {
            true => state == MappingState::Enabled,
            false => state == MappingState::Disabled,
        };
        loop {
            let shown = self.look().await?;
            known.state = Some(shown.state);
            // Reads lag: what shall be set in any case is there once Lambda has taken it.
            let is_there = is_there(shown.state) && (self.set == Set::WhereOther || known.set_at.is_some());
            self.tell(shown.state, is_there);
            match shown.state {
                _ if is_there => {
                    known.is_set = true;
                    return Ok(());
                }
                MappingState::Deleting => return Err(Halt::Failed(Text::from("somebody deletes it"))),
                // On its way: there, or to where it can be changed.
                state if state.is_passing() => {}
                _ if known.set_at.is_some_and(|at| self.context.now().duration_since(at) < READS_LAG) => {}
                _ if known.is_set => {
                    // Set, and settled otherwise: somebody else's doing is not undone.
                    return Err(Halt::Failed(Text::from("somebody changed it meanwhile")));
                }
                _ => {
                    self.set(known).await?;
                    // An answer that was lost is looked for, and time is given to reads that lag.
                }
            }
            self.pause().await?;
        }
    }

    async fn set(&self, known: &mut Known) -> Result<(), Halt> {
        let Switch { id, function, enabled, .. } = self.switch;
        let (mapping, function) = (id.0.clone(), function.clone());
        let intent = Record::MappingIntent { mapping, function, enabled: *enabled };
        let written = self.journal.write(vec![intent], Vec::new()).await;
        match (self.set, written) {
            // A full disk keeps no consumer paused.
            (Set::Back, _) | (_, Ok(())) => {}
            (Set::WhereOther | Set::Always, Err(error)) => return Err(Halt::Failed(Text::line(&error.to_string()))),
        }
        match self.context.cloud.lambda.set_enabled(id, *enabled).await {
            Ok(shown) => {
                (known.is_set, known.set_at) = (true, Some(self.context.now()));
                known.state = Some(shown.state);
                Ok(())
            }
            // It is absolute: should the look show it unchanged, it is set once more.
            Err(error) if error.may_have_been_applied() => {
                known.lost += 1;
                if known.lost < LOST_MAX { Ok(()) } else { Err(self.failed(&error)) }
            }
            Err(error) if toggle::is_in_use(&error) || error.is_passing() => Ok(()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &CloudError) -> Halt {
        let hint = error.hint(self.context.environment());
        Halt::Failed(Text::line(&format!("{error} ({hint})")))
    }

    async fn look(&self) -> Result<Mapping, Halt> {
        let mut failures = 0;
        loop {
            match self.context.cloud.lambda.mapping(&self.switch.id).await {
                Ok(shown) => return Ok(shown),
                Err(error) if error.kind == ErrorKind::NotFound => return Err(Halt::Failed(Text::from("it is gone"))),
                Err(error) if error.is_passing() && failures < LOOKS_FAILED_MAX => failures += 1,
                Err(error) => return Err(Halt::Failed(Text::line(&error.to_string()))),
            }
            self.pause().await?;
        }
    }

    async fn pause(&self) -> Result<(), Halt> {
        if !self.context.cancel.is_cancelled() && self.context.now() >= self.deadline {
            return Err(Halt::TimedOut);
        }
        self.context.pause(LOOK_EVERY).await;
        if self.context.cancel.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }

    fn tell(&self, state: MappingState, is_done: bool) {
        let still = if state == MappingState::Disabling { ", still takes messages" } else { "" };
        let words = format!("{}: {}{still}", self.switch.function, state.words());
        self.told.mapping(&self.switch.id, words, is_done);
    }
}
