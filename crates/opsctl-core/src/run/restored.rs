//! A run that puts the messages of a snapshot back: a transfer whose source is the snapshot.

use super::{Context, Report, transfer};
use crate::{
    domain::{Environment, RunId, words::counted},
    journal::{History, Journal},
    operations::{
        bound::{LeftOut, PutBack},
        restore,
    },
};

pub(super) async fn run(
    put_back: PutBack,
    context: &Context,
    journal: &Journal,
    history: History,
    report: Report,
) -> Report {
    // Two restores of one run at once would each put the same messages back.
    let held = match context.state.hold(&format!("restore-{}", put_back.run)) {
        Ok(held) => held,
        Err(error) => return report.refused_by_journal(&error),
    };
    let settled = restore::settled_by_others(&context.state, &put_back.run, &report.run);
    match settled {
        Ok(settled) if held.is_some() && settled == put_back.settled_by_others => {}
        Ok(_) => {
            return report.stale(
                &format!("another restore of run {} has put messages back", put_back.run),
                context.environment(),
            );
        }
        Err(error) => return report.refused_by_journal(&error),
    }
    let report = transfer::run(put_back.transfer, context, journal, history, report).await;
    drop(held);
    report.with_left_out(&put_back.run, &put_back.left_out, context.environment())
}

impl Report {
    /// Says what was not put back and how to go on with it: a part that is left out is a part that is left.
    fn with_left_out(mut self, run: &RunId, left_out: &LeftOut, environment: &Environment) -> Self {
        let LeftOut { perhaps, settle, in_doubt, damaged, later } = left_out;
        let mut next = Vec::new();
        if *perhaps > 0 {
            let count = counted(*perhaps, "message");
            let text = format!(
                "{count} left out, since the journal does not say whether the run deleted them: `{settle}` finds out, and another restore puts the rest back"
            );
            self.note(text);
            next.push(settle.clone());
        }
        for (earlier, count) in in_doubt {
            let resume = environment.command(&format!("restore --resume {earlier}"));
            let text = format!(
                "{} left out, since restore {earlier} may have put them back: look for them at the destination, then `{resume}`, with --uncertain resend where they are missing",
                counted(*count, "message")
            );
            self.note(text);
            next.push(resume);
        }
        if *later > 0 {
            self.note(format!("{} left out, known to be gone since this restore began", counted(*later, "message")));
            next.push(environment.command(&format!("restore {run}")));
        }
        if *damaged > 0 {
            let count = counted(*damaged, "message");
            self.note(format!("{count} left out: the snapshot does not have them as they were"));
            next.push(environment.invocation.command(&format!("journal verify {run}")));
        }
        if let Some(first) = next.into_iter().next() {
            self.left_a_part(&first);
        }
        self
    }
}
