//! What a step does: an operation, a question, a wait, something by hand; and what becomes of it when it fails.

use serde_json::Value;

use super::{Came, Drive, Why, child::Wanted, person::Reply};
use crate::operations::values::Uncertain;
use crate::{Action, Repeat, Step, StepEvent, Wait, domain::Text, journal::End};

impl Drive<'_> {
    pub(super) async fn act(&mut self, index: usize) -> Came {
        let runbook = self.runbook;
        let person = self.outside.person;
        match &runbook.steps[index].action {
            Action::Do(change) => {
                let mut wanted = Wanted::of(change);
                wanted.uncertain = self.course.steps()[index].uncertain;
                wanted.left = self.course.steps()[index].left().map(|ran| ran.run.clone());
                if let Some(repeat) = &runbook.steps[index].repeat {
                    match self.part(index, repeat) {
                        Some(part) => wanted.part = Some(part),
                        None => {
                            let summary = Text::from("nothing is left for this part");
                            return Came::Event(StepEvent::NothingToDo { summary });
                        }
                    }
                }
                match self.child(index, wanted).await.event() {
                    // Nobody leaves: it would be gone on with for ever.
                    Came::Event(StepEvent::Ran { run, end: End::Interrupted, done, seconds, summary, is_left, by })
                        if !self.outside.context.cancel.is_cancelled() =>
                    {
                        Came::Event(StepEvent::Ran { run, end: End::Partly, done, seconds, summary, is_left, by })
                    }
                    came => came,
                }
            }
            Action::ByHand => match person.done_by_hand(self.at(index)).await {
                Reply::Said(note) => Came::Event(StepEvent::HandDone { by: person.name(), note }),
                Reply::No(because) => Came::Event(StepEvent::NotDone { because }),
                Reply::Again => Came::Again,
                Reply::Nobody => Came::Nobody(waits_for("someone to do", &runbook.steps[index])),
            },
            Action::Ask(ask) => match person.answer(self.at(index), ask).await {
                Reply::Said(value) => Came::Event(StepEvent::Answered { value, by: person.name() }),
                Reply::No(because) => Came::Event(StepEvent::NotDone { because }),
                Reply::Again => Came::Again,
                Reply::Nobody => Came::Nobody(waits_for("an answer to", &runbook.steps[index])),
            },
            Action::Wait(Wait::For(time)) => self.wait_for(index, *time).await,
            Action::Wait(Wait::Until(check)) => self.wait_until(index, check).await,
            Action::Check | Action::Collect => Came::Event(StepEvent::Waited {}),
        }
    }

    /// The input of the part that is next, and which of how many; none: there is nothing in it.
    fn part(&self, index: usize, repeat: &Repeat) -> Option<((String, Value), (usize, usize))> {
        let progress = &self.course.steps()[index];
        let (at, parts) = (progress.parts_done, repeat.shares.len());
        let share = |at: usize| u64::from(repeat.shares.get(at).copied().unwrap_or(100));
        let before = |whole: u64| if at == 0 { 0 } else { (whole * share(at - 1)).div_ceil(100) };
        let upto = |whole: u64| (whole * share(at)).div_ceil(100);
        let value = match progress.whole.as_ref()? {
            Value::Array(all) => {
                let whole = all.len() as u64;
                let slice = all.get(before(whole) as usize..upto(whole) as usize)?;
                (!slice.is_empty()).then(|| Value::Array(slice.to_vec()))?
            }
            whole => {
                let whole = whole.as_u64()?;
                let amount = upto(whole).saturating_sub(before(whole));
                (amount > 0).then(|| Value::from(amount))?
            }
        };
        Some(((repeat.input.clone(), value), (at + 1, parts)))
    }

    pub(super) async fn collect(&mut self, index: usize) -> Came {
        let step = &self.runbook.steps[index];
        let folder = self.journal.folder().path().join("evidence");
        let things = self.things();
        let cloud = &self.outside.context.cloud;
        let evidence = super::keep::keep(cloud, &things, &step.evidence, (&folder, &step.id)).await;
        Came::Event(StepEvent::Collected { evidence })
    }

    pub(super) async fn decide(&mut self, index: usize) -> Came {
        let person = self.outside.person;
        match person.decide(self.at(index)).await {
            Reply::Said(decision) => Came::Event(StepEvent::Decided { by: person.name(), decision }),
            Reply::Again => Came::Again,
            Reply::No(_) | Reply::Nobody => Came::Nobody(waits_for("a decision on", &self.runbook.steps[index])),
        }
    }

    pub(super) async fn undo(&mut self, index: usize) -> Came {
        let Some(template) = &self.runbook.steps[index].undo else {
            return Came::Event(StepEvent::NotUndone { because: Text::default() });
        };
        let environment = self.runbook.steps[index].change().and_then(|change| change.environment.as_deref());
        let wanted = Wanted {
            template,
            environment,
            second_person: false,
            why: Why::Undo,
            part: None,
            left: None,
            uncertain: Uncertain::Leave,
        };
        self.child(index, wanted).await.undone()
    }
}

fn waits_for(what: &str, step: &Step) -> Text {
    Text::line(&format!("{what} `{}`", step.name))
}
