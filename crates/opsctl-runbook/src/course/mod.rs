//! [`Course`]: where a run of a runbook has got to. Pure: events in, what is next out.

pub mod event;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use event::{Decision, Kept, StepEvent};

use crate::{
    Action, Runbook, Step, Values,
    domain::{RunId, Text},
    journal::End,
    operations::values::Uncertain,
    typed::OnFailure,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum StepState {
    Waiting,
    Running,
    /// It was done, and what is to be true is true.
    Verified,
    Failed,
    ByHand,
    Skipped,
    NotNeeded,
    NothingToDo,
}

impl StepState {
    /// As a person reads it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::ByHand => "done by hand",
            Self::Skipped => "skipped",
            Self::NotNeeded => "not needed",
            Self::NothingToDo => "nothing to do",
        }
    }

    /// Whether what the step is for holds now.
    pub fn is_good(self) -> bool {
        match self {
            Self::Verified | Self::ByHand | Self::NotNeeded | Self::NothingToDo => true,
            Self::Waiting | Self::Running | Self::Failed | Self::Skipped => false,
        }
    }
}

/// What is to be done next, about the step with this index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Look whether it is needed.
    Guard(usize),
    Collect(usize),
    /// Find out of how much the parts are.
    Measure(usize),
    Act(usize),
    Check(usize),
    /// It failed: a person decides.
    Decide(usize),
    /// Take it back: the run is stopped.
    Undo(usize),
    Finished,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    NotBegun,
    Collecting,
    Measuring,
    Acting,
    Checking,
    Deciding,
    Over,
}

/// A run of a step's operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    pub run: RunId,
    pub end: End,
    pub done: u64,
    pub summary: Text,
    /// Whether something of it is left that a resume goes on with.
    pub is_left: bool,
}

/// Where a step has got to.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub state: StepState,
    /// Why it is so: what failed, a person's reason or note, what a check saw.
    pub because: Option<Text>,
    pub begun_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub runs: Vec<Ran>,
    pub answer: Option<Value>,
    /// Of a repeated step: what the parts are of, once that is known.
    pub whole: Option<Value>,
    /// Of a repeated step: how many parts are done.
    pub parts_done: usize,
    pub evidence: Vec<Kept>,
    /// Whether it was taken back, or it was said not to be.
    pub is_undone: bool,
    /// What becomes of messages in doubt when it is done again.
    pub uncertain: Uncertain,
    phase: Phase,
    /// Whether what failed last was the check.
    check_failed: bool,
    by_hand: bool,
    nothing_to_do: bool,
    /// Whether it failed before anything of it was done, for its guard could not be judged.
    guard_failed: bool,
}

#[derive(Debug, Clone)]
pub struct Course {
    steps: Vec<Progress>,
    /// Whether the run is stopped: nothing is done any more but what is always done, and what takes back.
    pub is_stopping: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            state: StepState::Waiting,
            because: None,
            begun_at: None,
            ended_at: None,
            runs: Vec::new(),
            answer: None,
            whole: None,
            parts_done: 0,
            evidence: Vec::new(),
            is_undone: false,
            uncertain: Uncertain::default(),
            phase: Phase::NotBegun,
            check_failed: false,
            by_hand: false,
            nothing_to_do: false,
            guard_failed: false,
        }
    }
}

impl Progress {
    pub fn seconds(&self) -> Option<f64> {
        Some(self.ended_at?.duration_since(self.begun_at?).as_secs_f64())
    }

    /// Whether what failed last was the check, so that it may be checked once more without doing anything.
    pub fn check_failed(&self) -> bool {
        self.check_failed
    }

    /// Whether it is being checked.
    pub fn is_checking(&self) -> bool {
        self.phase == Phase::Checking
    }

    /// The run that "again" goes on with.
    pub fn left(&self) -> Option<&Ran> {
        self.runs.last().filter(|ran| ran.is_left)
    }

    /// Whether it changed something that can be taken back.
    fn has_changed(&self) -> bool {
        self.runs.iter().any(|ran| matches!(ran.end, End::Done | End::Partly | End::Interrupted))
    }
}

impl Course {
    pub fn new(runbook: &Runbook) -> Self {
        Self { steps: vec![Progress::default(); runbook.steps.len()], is_stopping: false }
    }

    pub fn steps(&self) -> &[Progress] {
        &self.steps
    }

    /// What is done next.
    pub fn next(&self, runbook: &Runbook) -> Next {
        let steps = || runbook.steps.iter().zip(&self.steps).enumerate();
        if self.is_stopping {
            let undo = steps()
                .rev()
                .find(|(_, (step, progress))| step.undo.is_some() && progress.has_changed() && !progress.is_undone);
            if let Some((index, _)) = undo {
                return Next::Undo(index);
            }
        }
        let open =
            steps().find(|(_, (step, progress))| progress.phase != Phase::Over && (!self.is_stopping || step.always));
        let Some((index, (step, progress))) = open else { return Next::Finished };
        match progress.phase {
            Phase::NotBegun => Next::Guard(index),
            Phase::Collecting => Next::Collect(index),
            Phase::Measuring => Next::Measure(index),
            Phase::Acting if matches!(step.action, Action::Check | Action::Collect) => Next::Check(index),
            Phase::Acting => Next::Act(index),
            Phase::Checking => Next::Check(index),
            Phase::Deciding => Next::Decide(index),
            Phase::Over => Next::Finished,
        }
    }

    /// Takes an event. What does not belong to where the step is changes nothing.
    pub fn on(&mut self, runbook: &Runbook, index: usize, event: &StepEvent, at: Timestamp) {
        let (Some(step), Some(progress)) = (runbook.steps.get(index), self.steps.get_mut(index)) else { return };
        match event {
            StepEvent::Begun {} => progress.begin(step, at),
            StepEvent::NotNeeded { saw } => progress.end(StepState::NotNeeded, Some(saw), at),
            StepEvent::GuardUnknown { because } => {
                progress.begun_at.get_or_insert(at);
                progress.guard_failed = true;
                self.fail(step, index, because, at);
            }
            StepEvent::Collected { evidence } => {
                progress.evidence.extend(evidence.iter().cloned());
                progress.collected(step, at);
            }
            StepEvent::Measured { whole } => {
                progress.whole = Some(whole.clone());
                progress.phase = Phase::Acting;
            }
            StepEvent::Ran { run, end, done, summary, is_left, .. } => {
                let ran = Ran { run: run.clone(), end: *end, done: *done, summary: summary.clone(), is_left: *is_left };
                // What is gone on with takes the place of what it was.
                progress.runs.retain(|earlier| earlier.run != ran.run);
                progress.runs.push(ran);
                match end {
                    End::Done => progress.acted(step, at),
                    End::Nothing => {
                        progress.nothing_to_do = true;
                        progress.acted(step, at);
                    }
                    // Somebody has left: whoever resumes goes on with it.
                    End::Interrupted => {
                        progress.state = StepState::Running;
                        progress.phase = Phase::Acting;
                    }
                    End::Failed | End::Refused | End::Partly | End::Stale => {
                        self.fail(step, index, summary, at);
                    }
                }
            }
            StepEvent::NothingToDo { summary } => {
                progress.nothing_to_do = progress.runs.is_empty();
                progress.because = Some(summary.clone());
                progress.acted(step, at);
            }
            StepEvent::NotDone { because } => self.fail(step, index, because, at),
            StepEvent::Answered { value, .. } => {
                progress.answer = Some(value.clone());
                progress.because = Some(words_of(value));
                progress.acted(step, at);
            }
            StepEvent::HandDone { note, .. } => {
                progress.by_hand = true;
                progress.because.clone_from(note);
                progress.acted(step, at);
            }
            StepEvent::Waited {} => progress.acted(step, at),
            StepEvent::Checked { held: true, saw, .. } => progress.checked(step, saw, at),
            StepEvent::Checked { held: false, saw, .. } => {
                progress.check_failed = true;
                self.fail(step, index, saw, at);
            }
            StepEvent::Decided { decision, .. } => self.decided(step, index, decision, at),
            StepEvent::Undone { .. } | StepEvent::NotUndone { .. } => progress.is_undone = true,
        }
    }

    fn fail(&mut self, step: &Step, index: usize, because: &Text, at: Timestamp) {
        let Some(progress) = self.steps.get_mut(index) else { return };
        progress.state = StepState::Failed;
        progress.because = Some(because.clone());
        match step.on_failure {
            OnFailure::Ask => progress.phase = Phase::Deciding,
            OnFailure::Continue => progress.end(StepState::Failed, Some(because), at),
            OnFailure::Stop => {
                progress.end(StepState::Failed, Some(because), at);
                self.is_stopping = true;
            }
        }
    }

    fn decided(&mut self, step: &Step, index: usize, decision: &Decision, at: Timestamp) {
        let Some(progress) = self.steps.get_mut(index) else { return };
        let check_failed = std::mem::take(&mut progress.check_failed);
        match decision {
            Decision::Again { uncertain } => {
                progress.uncertain = *uncertain;
                progress.state = StepState::Running;
                let guard_failed = std::mem::take(&mut progress.guard_failed);
                progress.phase = if guard_failed { Phase::NotBegun } else { Phase::Acting };
            }
            Decision::CheckAgain {} if check_failed => {
                progress.state = StepState::Running;
                progress.phase = Phase::Checking;
            }
            Decision::CheckAgain {} => {}
            Decision::ByHand { note } => {
                progress.state = StepState::Running;
                progress.by_hand = true;
                progress.because = Some(note.clone());
                // All of it: no part is left to do.
                progress.parts_done = step.repeat.as_ref().map_or(0, |repeat| repeat.shares.len().saturating_sub(1));
                progress.acted(step, at);
            }
            Decision::Skip { reason } => progress.end(StepState::Skipped, Some(reason), at),
            Decision::Stop {} => {
                let because = progress.because.clone();
                progress.end(StepState::Failed, because.as_ref(), at);
                self.is_stopping = true;
            }
        }
    }

    /// What references stand for by now: parameters, answers, what came of each step.
    pub fn values(&self, runbook: &Runbook, parameters: &Values) -> Values {
        let mut values = parameters.clone();
        for (step, progress) in runbook.steps.iter().zip(&self.steps) {
            if let (Action::Ask(ask), Some(answer)) = (&step.action, &progress.answer) {
                values.0.insert(ask.keep.clone(), answer.clone());
                if ask.keep == step.id {
                    continue;
                }
            }
            values.0.insert(step.id.clone(), progress.outputs());
        }
        values
    }

    /// How the run has ended, once it has.
    pub fn end(&self) -> End {
        let good = self.steps.iter().all(|progress| progress.state.is_good());
        let done = self.steps.iter().any(|progress| {
            progress.has_changed() || matches!(progress.state, StepState::Verified | StepState::ByHand)
        });
        match (good, done) {
            (true, true) => End::Done,
            (true, false) => End::Nothing,
            (false, true) => End::Partly,
            (false, false) => End::Failed,
        }
    }
}

/// An answer in a line, several with commas.
fn words_of(value: &Value) -> Text {
    match value {
        Value::String(text) => Text::line(text),
        Value::Array(items) => {
            let all: Vec<String> = items.iter().map(|item| words_of(item).to_string()).collect();
            Text::line(&all.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Text::line(&value.to_string()),
    }
}

impl Progress {
    fn begin(&mut self, step: &Step, at: Timestamp) {
        self.begun_at.get_or_insert(at);
        self.state = StepState::Running;
        let collects = !step.evidence.is_empty();
        self.phase = if collects { Phase::Collecting } else { self.first_phase(step) };
    }

    fn first_phase(&self, step: &Step) -> Phase {
        match (&step.action, &step.repeat) {
            (Action::Check, _) => Phase::Checking,
            (_, Some(_)) if self.whole.is_none() => Phase::Measuring,
            _ => Phase::Acting,
        }
    }

    fn collected(&mut self, step: &Step, at: Timestamp) {
        if matches!(step.action, Action::Collect) {
            let what = |kept: &Kept| match &kept.lost {
                Some(lost) => format!("{} (not all: {lost})", kept.about),
                None => kept.about.to_string(),
            };
            self.because = Some(Text::line(&self.evidence.iter().map(what).collect::<Vec<_>>().join("; ")));
            self.acted(step, at);
        } else {
            self.phase = self.first_phase(step);
        }
    }

    /// What the step does is done, or the next part of it.
    fn acted(&mut self, step: &Step, at: Timestamp) {
        self.state = StepState::Running;
        if step.check.is_some() {
            self.phase = Phase::Checking;
        } else {
            self.checked(step, &Text::default(), at);
        }
    }

    fn checked(&mut self, step: &Step, saw: &Text, at: Timestamp) {
        self.check_failed = false;
        if let Some(repeat) = &step.repeat {
            self.parts_done += 1;
            if self.parts_done < repeat.shares.len() {
                self.phase = Phase::Acting;
                return;
            }
        }
        let state = match (self.by_hand, self.nothing_to_do, &step.action) {
            (true, ..) => StepState::ByHand,
            (false, true, _) => StepState::NothingToDo,
            (false, false, _) => StepState::Verified,
        };
        let because = if saw.as_str().is_empty() { self.because.clone() } else { Some(saw.clone()) };
        self.end(state, because.as_ref(), at);
    }

    fn end(&mut self, state: StepState, because: Option<&Text>, at: Timestamp) {
        self.begun_at.get_or_insert(at);
        (self.state, self.phase, self.ended_at) = (state, Phase::Over, Some(at));
        self.because = because.cloned();
    }

    /// As references and conditions see it.
    fn outputs(&self) -> Value {
        let last = self.runs.last();
        json!({
            "state": self.state.into_str(),
            "run": last.map(|ran| ran.run.as_str()),
            "outcome": last.map(|ran| ran.end.into_str()),
            "done": self.runs.iter().map(|ran| ran.done).sum::<u64>(),
            "seconds": self.seconds(),
        })
    }
}
