//! Runs of a step's operation: new ones, those that broke off, and those that were left.

use std::sync::Arc;

use super::{Came, Drive, ToAgree, Told, Why};
use crate::{
    Change, StepEvent, Template,
    cloud::Cloud,
    domain::{RunId, Text},
    drive::Reply,
    gate::{self, Answer},
    journal::{End, Record, RunSummary},
    operations::{
        Look, OperationError, Planner,
        plan::{Plan, Remark},
        values::Uncertain,
    },
    run::{self, Context, Report},
};

/// What is to be carried out.
pub(super) struct Wanted<'a> {
    pub(super) template: &'a Template,
    pub(super) environment: Option<&'a str>,
    pub(super) second_person: bool,
    pub(super) why: Why,
    /// The input of a part, and which of how many.
    pub(super) part: Option<((String, serde_json::Value), (usize, usize))>,
    /// What an earlier run of it left, which is gone on with.
    pub(super) left: Option<RunId>,
    /// What becomes of its messages in doubt.
    pub(super) uncertain: Uncertain,
}

/// How it ended.
pub(super) enum Child {
    /// With who approved it.
    Ran(Report, Text),
    /// It had ended before this program looked.
    Found(RunSummary),
    NothingToDo(Text),
    NotDone(Text),
    /// The plan is too old to be agreed to.
    Again,
    Nobody(Text),
}

impl<'a> Wanted<'a> {
    pub(super) fn of(change: &'a Change) -> Self {
        let Change { template, environment, second_person } = change;
        let environment = environment.as_deref();
        Self {
            template,
            environment,
            second_person: *second_person,
            why: Why::Step,
            part: None,
            left: None,
            uncertain: Uncertain::Leave,
        }
    }
}

impl Drive<'_> {
    /// Carries out an operation as a run of its own. A run of it that this run does not know of yet comes first: a crash lies between.
    pub(super) async fn child(&mut self, index: usize, wanted: Wanted<'_>) -> Child {
        let cloud = match self.cloud_of(wanted.environment).await {
            Ok(cloud) => cloud,
            Err(because) => return Child::NotDone(because),
        };
        let taken_up = match self.unknown_child() {
            Ok(Some(summary)) if summary.busy => {
                let because = format!("another process is carrying out run {}", summary.run);
                return Child::NotDone(Text::line(&because));
            }
            Ok(Some(summary)) if summary.end().is_some() => return Child::Found(summary),
            Ok(Some(summary)) => Some(summary.run),
            Ok(None) => wanted.left.clone(),
            Err(because) => return Child::NotDone(because),
        };
        let why = if taken_up.is_some() { Why::GoOn } else { wanted.why };
        let plan = match &taken_up {
            Some(run) => run::plan_of(&self.outside.context.state, run).map(|mut plan| {
                plan.decide_uncertain(wanted.uncertain);
                plan
            }),
            None => self.plan(&wanted, &cloud).await,
        };
        let plan = match plan {
            Ok(plan) => plan,
            // It had written nothing but its folder: nothing is done of it.
            Err(_) if taken_up.is_some() && wanted.left.is_none() => match self.plan(&wanted, &cloud).await {
                Ok(plan) => plan,
                Err(error) => return Child::NotDone(Text::line(&error.to_string())),
            },
            Err(error) => return Child::NotDone(Text::line(&error.to_string())),
        };
        if !plan.blockers.is_empty() {
            let blockers: Vec<&str> = plan.blockers.iter().map(Remark::as_str).collect();
            return Child::NotDone(Text::line(&blockers.join("; ")));
        }
        if plan.empty {
            return Child::NothingToDo(plan.summary);
        }
        self.agreed(index, plan, taken_up.as_ref(), (&wanted, why), &cloud).await
    }

    async fn plan(&mut self, wanted: &Wanted<'_>, cloud: &Cloud) -> Result<Plan, OperationError> {
        let unfit = |error: &dyn std::fmt::Display| OperationError::usage(&error.to_string(), None);
        let part = wanted.part.as_ref().map(|((input, value), _)| (input.as_str(), value.clone()));
        let operation = wanted.template.fill(&self.values(), part).map_err(|unfilled| unfit(&unfilled))?;
        let planner = Planner::new(self.outside.context.state.clone(), self.random(), Look::Sample);
        Ok(planner.plan(&operation, cloud).await?.plan)
    }

    /// Asks for consent, and carries it out.
    async fn agreed(
        &mut self,
        index: usize,
        mut plan: Plan,
        taken_up: Option<&RunId>,
        (wanted, why): (&Wanted<'_>, Why),
        cloud: &Cloud,
    ) -> Child {
        let person = self.outside.person;
        if wanted.second_person && person.name() == self.begun_by {
            let waits_for = format!("approval of `{}` by someone other than {}", plan.summary, self.begun_by);
            return Child::Nobody(Text::line(&waits_for));
        }
        let part = wanted.part.as_ref().map(|(_, which)| *which);
        let asked = ToAgree { at: self.at(index), plan: &plan, environment: cloud.environment(), why, part };
        let consent = match person.agree(asked).await {
            Reply::Said(consent) => consent,
            Reply::No(because) => return Child::NotDone(because),
            Reply::Again => return Child::Again,
            Reply::Nobody => {
                return Child::Nobody(Text::line(&format!("approval of plan {}: {}", plan.fingerprint, plan.summary)));
            }
        };
        if taken_up.is_none() && matches!(consent.answer, Answer::Fingerprint(_)) {
            // All that is known of the plan that somebody has looked at.
            plan.id.clone_from(&plan.fingerprint.0);
        }
        let by = consent.by.clone();
        let approved = match gate::approve(plan, cloud.environment(), consent, cloud.clock().now()) {
            Ok(approved) => approved,
            Err(refusal) => return Child::NotDone(Text::line(&format!("{refusal}: {}", refusal.hint()))),
        };
        let random = self.random();
        let (runbook, course) = (self.runbook.clone(), self.course.clone());
        let (sender, mut progress) = tokio::sync::mpsc::unbounded_channel();
        let context = Context {
            cloud: cloud.clone(),
            state: self.outside.context.state.clone(),
            random,
            parent: Some(self.run.clone()),
            cancel: self.outside.context.cancel.clone(),
            progress: Arc::new(move |progress: &run::Progress| {
                let _ = sender.send(progress.clone());
            }),
        };
        let running = async {
            match taken_up {
                Some(run) => run::resume(run, approved, &context).await,
                None => Ok(run::execute(approved, &context).await),
            }
        };
        tokio::pin!(running);
        loop {
            tokio::select! {
                report = &mut running => {
                    return match report {
                        Ok(report) => Child::Ran(report, by),
                        Err(error) => Child::NotDone(Text::line(&error.to_string())),
                    };
                }
                Some(progress) = progress.recv() => {
                    let at = super::At { runbook: &runbook, course: &course, index };
                    person.told(Told::Running(at, &progress));
                }
            }
        }
    }

    /// A run that is a part of this one and that its journal does not know the end of.
    fn unknown_child(&self) -> Result<Option<RunSummary>, Text> {
        let runs = self.outside.context.state.list().map_err(|error| Text::line(&error.to_string()))?;
        let mut unknown = runs.into_iter().filter(|run| run.parent() == Some(&self.run));
        Ok(unknown.find(|run| !self.known.contains(&run.run)))
    }

    fn random(&mut self) -> u64 {
        self.children += 1;
        // Different for each child, and for each time that the run is taken up.
        self.outside.context.random.rotate_left(7).wrapping_add(self.children.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Child {
    /// As an event of a step that is to be done.
    pub(super) fn event(self) -> Came {
        Came::Event(match self {
            Self::Ran(report, by) => StepEvent::Ran {
                run: report.run.clone(),
                end: report.end,
                done: report.details.did().done(),
                seconds: report.seconds,
                summary: said(&report),
                is_left: report.next.is_some(),
                by: Some(by),
            },
            Self::Found(summary) => {
                let Over { end, done, seconds, summary: said, is_left } = Over::of(&summary);
                let by = approver(&summary);
                StepEvent::Ran { run: summary.run, end, done, seconds, summary: said, is_left, by }
            }
            Self::NothingToDo(summary) => StepEvent::NothingToDo { summary },
            Self::NotDone(because) => StepEvent::NotDone { because },
            Self::Again => return Came::Again,
            Self::Nobody(waits_for) => return Came::Nobody(waits_for),
        })
    }

    /// As an event of a step that is taken back.
    pub(super) fn undone(self) -> Came {
        Came::Event(match self {
            Self::Ran(report, by) => {
                StepEvent::Undone { run: report.run.clone(), end: report.end, summary: said(&report), by: Some(by) }
            }
            Self::Found(summary) => {
                let Over { end, summary: said, .. } = Over::of(&summary);
                let by = approver(&summary);
                StepEvent::Undone { run: summary.run, end, summary: said, by }
            }
            Self::NothingToDo(because) | Self::NotDone(because) => StepEvent::NotUndone { because },
            Self::Again => return Came::Again,
            Self::Nobody(waits_for) => return Came::Nobody(waits_for),
        })
    }
}

/// Who approved a run, by its journal.
fn approver(summary: &RunSummary) -> Option<Text> {
    let Record::Opened { by, .. } = &summary.opened.record else { return None };
    Some(by.clone())
}

/// What a run came to, in a line.
fn said(report: &Report) -> Text {
    let did = report.details.words();
    match (&report.failure, report.end) {
        (Some(failure), _) => failure.what.clone(),
        (None, End::Done | End::Nothing) => Text::line(&did),
        // Why it is not all of it stands in the notes alone.
        (None, End::Failed | End::Refused | End::Partly | End::Stale | End::Interrupted) => {
            let mut said = vec![report.end.words(), did.as_str()];
            said.extend(report.notes.iter().map(Text::as_str));
            Text::line(&said.join("; "))
        }
    }
}

/// How a run ended while nobody wrote it down.
struct Over {
    end: End,
    done: u64,
    seconds: f64,
    summary: Text,
    is_left: bool,
}

impl Over {
    fn of(summary: &RunSummary) -> Self {
        let seconds = summary.last.at.duration_since(summary.opened.at).as_secs_f64();
        let Record::Ended { end, did, is_left, report, .. } = &summary.last.record else {
            let summary = Text::from("the run was interrupted");
            return Self { end: End::Interrupted, done: 0, seconds, summary, is_left: true };
        };
        let said = serde_json::from_value::<Report>(report.as_ref().clone()).ok().map(|report| said(&report));
        let summary = said.unwrap_or_else(|| Text::from(end.into_str()));
        Self { end: *end, done: did.done(), seconds, summary, is_left: *is_left }
    }
}
