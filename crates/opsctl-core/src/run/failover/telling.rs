//! What is told of a failover: while it goes on, and in the end.

use super::{Answered, FailedOver, Watch};
use crate::{
    domain::{DatabaseEvent, SourceKind, Text},
    operations::values::{duration, in_words},
    run::{Details, Doing, End, Report},
};

impl Watch<'_> {
    pub(super) fn report(&mut self, end: End, mut report: Report) -> Report {
        let environment = self.context.environment();
        let within = |rto: u64| self.done.seconds_to_service().map(|seconds| seconds <= rto as f64);
        self.done.within_rto = self.bound.rto_seconds.and_then(within);
        report.end = end;
        report.seconds = self.now().duration_since(report.started_at).as_secs_f64();
        report.notes.extend(self.notes().iter().map(|note| Text::line(note)));
        report.details = Details::Failover(Box::new(self.done.clone()));
        report.next = match end {
            End::Partly | End::Interrupted | End::Failed => Some(report.resume_line(environment)),
            End::Done | End::Nothing | End::Refused | End::Stale => None,
        };
        report
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_late {
            notes.push("it was over when it was looked at: times are those of RDS's events".to_owned());
        }
        let FailedOver { seconds_to_writer, seconds_to_available, rto_seconds, .. } = &self.done;
        if let Some(seconds) = seconds_to_writer {
            let who = match (&self.done.writer_after, self.bound.topology.kind()) {
                (Some(writer), SourceKind::Cluster) => format!("{writer} writes"),
                (None, SourceKind::Cluster) => "another one writes".to_owned(),
                (_, SourceKind::Instance) => "the standby has taken over".to_owned(),
            };
            notes.push(format!("{who} after {}", duration(*seconds)));
            notes.extend(self.done.answered.as_ref().map(Answered::words));
            if let (Some(rto), Some(seconds)) = (rto_seconds, self.done.seconds_to_service()) {
                let verdict = if seconds <= *rto as f64 { "met" } else { "MISSED" };
                notes.push(format!("RTO of {}: {verdict}", in_words(*rto)));
            }
        }
        if let Some(seconds) = seconds_to_available {
            notes.push(format!("all available again after {}", duration(*seconds)));
            if !self.done.events.iter().any(DatabaseEvent::completes) {
                notes.push("no event of RDS says so yet".to_owned());
            }
        }
        if seconds_to_writer.is_some() && seconds_to_available.is_none() && !self.not_well.is_empty() {
            notes.push(format!("not everything is available yet: {}", self.not_well.join(", ")));
        }
        notes.extend(self.done.events.iter().map(DatabaseEvent::note));
        notes
    }

    pub(super) fn tell(&self, report: &Report) {
        let seconds = in_words(self.seconds().max(0.0) as u64);
        let words = match (self.done.seconds_to_writer, self.has_begun) {
            (Some(_), _) if self.done.seconds_to_available.is_some() && !self.is_answered(false) => {
                format!("all is available, waiting until the endpoint answers, {seconds}")
            }
            (Some(_), _) => format!("the new writer is there, waiting until all is available, {seconds}"),
            (None, true) => format!("failing over, {seconds}"),
            (None, false) => format!("looking for a sign of the failover, {seconds}"),
        };
        self.context.tell(report, 0, Doing::One, (&words, Vec::new()));
    }
}
