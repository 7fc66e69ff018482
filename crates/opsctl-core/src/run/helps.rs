//! Which command line leads on from where a run has ended: its resume only where that has something to do.

use super::Report;
use crate::{
    domain::{Environment, Text, Try, words::counted_is},
    journal::End,
    operations::{
        Operation, Redrive, command_line,
        remedy::{client_side, once_more, remedy, turned},
        transfer::{Need, Stop, Tally},
    },
};

/// Whether a resume has something to do, besides leaving again what this try has left.
pub(super) fn takes_more(tally: &Tally) -> bool {
    let Tally { uncertain, sent_not_deleted, elsewhere, unreached, needs, stop, .. } = tally;
    let goes_on = match stop {
        // Each message would fail again: a resume has the edit and the filter that the run had.
        Some(Stop::EditFails { .. } | Stop::TooManyLeft) => false,
        Some(
            Stop::Cancelled
            | Stop::Failed(_)
            | Stop::Journal(_)
            | Stop::Bounced { .. }
            | Stop::Ageing(_)
            | Stop::WrongAccount { .. },
        ) => true,
        None => needs.iter().any(|(need, _)| *need == Need::Resume),
    };
    goes_on || !uncertain.is_empty() || *sent_not_deleted > 0 || *elsewhere > 0 || *unreached > 0
}

/// What those that were left need, in the order in which the command lines are to be given: one for a few messages comes before
/// one that would take them as well.
fn in_order(tally: &Tally) -> Vec<(&Need, &u64)> {
    let is_for_many = |need: &Need| matches!(need, Need::Destination { source: None, target: None });
    let mut needs: Vec<_> = tally.needs.iter().map(|(need, count)| (need, count)).collect();
    needs.sort_by_key(|(need, _)| is_for_many(need));
    needs
}

impl Report {
    /// The resume. One that has left nothing but messages in doubt has looked for them already: another one is told to send them again.
    pub(super) fn resumed_by(&self, tally: &Tally, environment: &Environment) -> Text {
        let resume = self.resume_line(environment);
        let Tally { uncertain, sent_not_deleted, elsewhere, unreached, stop, .. } = tally;
        let only_doubts = !uncertain.is_empty() && *sent_not_deleted + *elsewhere + *unreached == 0 && stop.is_none();
        match only_doubts && self.command == resume {
            true => {
                let words = format!("{} --resume {} --uncertain resend", self.operation.name(), self.run);
                Text::line(&environment.command(&words))
            }
            false => resume,
        }
    }

    /// What helps messages that a resume would leave again.
    pub(super) fn helped_by(&self, tally: &Tally, environment: &Environment) -> Option<Text> {
        let asked = self.asked.as_deref()?;
        if tally.stop == Some(Stop::TooManyLeft) {
            return turned(asked, &self.run).map(|turned| line(&turned, environment));
        }
        match in_order(tally).first() {
            Some((need, _)) => Some(Text::line(&remedy(need, asked, environment, Some(&self.run)).command)),
            None => self.again_line(environment),
        }
    }

    pub(super) fn note_what_helps(&mut self, tally: &Tally, environment: &Environment) {
        let Some(asked) = self.asked.clone() else { return };
        for (need, count) in in_order(tally) {
            let helps = remedy(need, &asked, environment, Some(&self.run)).advice;
            self.note(format!("{} left: {helps}", counted_is(*count, "message", "is", "are")));
        }
    }

    /// The command line that does it once more, as another run.
    pub(super) fn again_line(&self, environment: &Environment) -> Option<Text> {
        self.asked.as_deref().map(|asked| line(&once_more(asked, Some(&self.run)), environment))
    }

    /// The same by opsctl itself, where SQS's move task can't do it.
    pub(super) fn client_side_line(&self, environment: &Environment) -> Option<Text> {
        self.asked.as_deref().map(|asked| line(&client_side(asked, &self.run), environment))
    }

    /// Nothing was done, for the world is not the plan's any more. A resume is bound to that plan, too: only another run goes on.
    pub(super) fn stale(self, because: &str, environment: &Environment) -> Self {
        let tally = self.details.tally();
        let is_left = !tally.uncertain.is_empty() || tally.sent_not_deleted > 0;
        let mut again = self.asked.as_deref().map(|asked| once_more(asked, Some(&self.run)));
        if let Some(Operation::Redrive(redrive)) = &again
            && is_left
        {
            // What this run has left is in the way of another one.
            again = Some(Operation::Redrive(Redrive { despite_unfinished: true, ..redrive.clone() }));
        }
        let next = again.map(|again| line(&again, environment));
        Self { next, ..self.nothing_done(End::Stale, because, Try::PlanAnew.says("make a new plan and look at it")) }
    }
}

fn line(operation: &Operation, environment: &Environment) -> Text {
    Text::line(&command_line(operation, &environment.name, &environment.invocation))
}
