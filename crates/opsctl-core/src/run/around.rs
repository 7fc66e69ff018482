//! A change that holds while another operation runs: made before it, and taken back however that one ends.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use super::{Context, End, Failure, Report, report, verify};
use crate::journal::Journal;

pub(super) trait Meanwhile {
    /// What has become of the things that are changed.
    type Changed;
    type Back;

    /// Why nothing is done inside, should it not be made: `the consumers are not paused`.
    const NOT_MADE: &'static str;

    /// Makes it; and why it is not made whole, if it is not.
    async fn make(
        &self,
        context: &Context,
        journal: &Journal,
        report: &Report,
    ) -> (Self::Changed, Option<(End, Failure)>);

    /// What this try has changed, or an earlier one of the run; none: there is nothing to take back.
    fn back(&self, context: &Context, report: &Report, changed: &Self::Changed) -> Option<Self::Back>;

    /// Takes it back, and says so in the report; or why it is not taken back whole.
    async fn take_back(
        back: &Self::Back,
        context: &Context,
        journal: &Journal,
        report: &mut Report,
    ) -> Result<(), Failure>;

    /// Says what is left changed, and how to mend it.
    fn not_back(back: &Self::Back, context: &Context, report: &mut Report, failure: &Failure);
}

/// Makes the change, lets the inner run do its work, and takes it back whatever came of that.
pub(super) async fn run<M: Meanwhile, F: Future<Output = Report>>(
    meanwhile: M,
    context: &Context,
    journal: &Journal,
    report: Report,
    inner: impl FnOnce(Report) -> F,
) -> Report {
    let environment = context.environment();
    let (changed, why) = meanwhile.make(context, journal, &report).await;
    let why = match why {
        // It may have taken minutes, and somebody have logged in elsewhere meanwhile.
        None => {
            let verified = verify::account(context, journal, &report.account).await;
            verified.err().map(|stop| (End::Failed, report::failure(&stop, environment)))
        }
        some => some,
    };
    let mut report = match why {
        None => inner(report).await,
        Some((end, failure)) => {
            let end = if end == End::Interrupted { end } else { End::Failed };
            let what = format!("nothing was moved, for {}: {}", M::NOT_MADE, failure.what);
            let failure = failure.within(what);
            let next = Some(report.resume_line(environment));
            Report { end, failure: Some(failure), next, ..report }
        }
    };
    // Whoever asked the run to stop still wants it taken back; who asks twice ends the program.
    let context = Context { cancel: CancellationToken::new(), ..context.clone() };
    let Some(back) = meanwhile.back(&context, &report, &changed) else { return report };
    let taken_back = match verify::account_on_the_way_back(&context, journal, &report.account).await {
        Ok(()) => M::take_back(&back, &context, journal, &mut report).await,
        Err(stop) => Err(report::failure(&stop, environment)),
    };
    if let Err(failure) = taken_back {
        M::not_back(&back, &context, &mut report, &failure);
        if report.end != End::Interrupted {
            report.end = End::Partly;
        }
        report.failure.get_or_insert(failure);
    }
    report
}
