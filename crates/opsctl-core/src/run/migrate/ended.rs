//! How a migration ended.

use super::{Details, End, GoesOn, Halt, Record, Report, Run};
use crate::{
    cloud::logs::Lacks,
    domain::{Container, Text, Try, words::counted},
    operations::values::duration,
};

impl Run<'_> {
    /// Of a task that has stopped: it is done where its container ended by itself, with 0.
    pub(super) fn judge(&self) -> Halt {
        let done = &self.done;
        let text = |text: &Option<Text>| text.as_ref().map_or("no word", Text::as_str).to_owned();
        let why = format!("{}: {}", text(&done.stop_code), text(&done.stopped_reason));
        let by_itself = done.stop_code.as_ref().is_none_or(|code| code.as_str() == "EssentialContainerExited");
        let beside = unclean(&self.bound.essential_beside, &done.containers);
        let container = &done.container;
        let why = done.container_reason().map_or(why.clone(), |own| format!("{why}; {own}"));
        let unknown = || Try::LookAtResult.says("whether the migration is complete is not known: look in the database");
        let (end, what, hint) = match (done.exit_code, beside) {
            (Some(0), None) if by_itself => return Halt { end: End::Done, failure: None, goes_on: GoesOn::No },
            // The task ends with the first essential container; the others are told to stop, and may end with 0 half way.
            (Some(0), Some(beside)) if by_itself => {
                let what = format!("{container} ended with 0, perhaps only because the task ended: {beside}");
                (End::Partly, what, unknown())
            }
            // A program that is told to stop may end with 0, half way.
            (Some(0), _) => {
                let what = format!("the task was stopped before its program ended by itself ({why})");
                (End::Failed, format!("{what}; {container} ended with 0"), unknown())
            }
            (Some(code), _) => {
                let hint = Try::MendTask.says("read its log above; what it had changed by then is not taken back");
                (End::Failed, format!("{container} ended with exit code {code} ({why})"), hint)
            }
            (None, _) if done.started_at.is_none() => {
                (End::Failed, format!("the task never ran ({why})"), Try::MendTask.says(self.hint_of_no_start()))
            }
            (None, _) => {
                (End::Failed, format!("the task stopped, and AWS tells no exit code of {container} ({why})"), unknown())
            }
        };
        Halt::new(end, GoesOn::No, &what, hint)
    }

    fn hint_of_no_start(&self) -> &'static str {
        let reasons = self.done.containers.iter().filter_map(|container| container.reason.as_ref());
        let reasons: Vec<&str> = reasons.chain(&self.done.stopped_reason).map(Text::as_str).collect();
        let says = |word: &str| reasons.iter().any(|reason| reason.contains(word));
        if says("CannotPull") {
            "check that the image is there, and that execution role and network reach its registry; then run it again"
        } else if says("log group") || says("logger") {
            "make the log group, or let the task definition make it (awslogs-create-group); then run it again"
        } else if says("ResourceInitialization") {
            "check the secrets, the execution role and the way to AWS from these subnets; then run it again"
        } else {
            "nothing was changed: mend it, then run it again"
        }
    }

    pub(super) async fn ended(mut self, halt: Halt) -> Report {
        let Halt { end, failure, goes_on } = halt;
        if let Some(task) = &self.done.task {
            let record = Record::Migration { task: Some(task.0.clone()), status: self.status_words() };
            if let Err(error) = self.write(record).await {
                self.report.note(format!("what became of the task could not be written to the journal: {error}"));
            }
        }
        let notes = self.notes(goes_on);
        let mut report = self.report;
        report.notes.extend(notes.iter().map(|note| Text::line(note)));
        report.seconds = self.context.now().duration_since(report.started_at).as_secs_f64();
        report.end = end;
        report.failure = failure;
        let has_run = self.done.started_at.is_some();
        report.details = Details::Migration(Box::new(self.done));
        let environment = self.context.environment();
        let resume = report.resume_line(environment);
        let is_resumed = report.command == resume;
        report.next = match (goes_on, report.failure.as_ref().and_then(|failure| failure.advice)) {
            // Another resume would see as little. Whether it is to be done again, nobody knows who has not looked.
            (_, Some(Try::LookAtResult)) if is_resumed => None,
            (GoesOn::Yes | GoesOn::Perhaps, _) => Some(resume),
            (GoesOn::No, Some(_)) if !has_run => report.again_line(environment),
            (GoesOn::No, Some(_) | None) => None,
        };
        report
    }

    fn status_words(&self) -> String {
        let status = self.done.status.as_ref().map_or("not seen yet", Text::as_str);
        let own = self.done.containers.iter().find(|one| one.name.as_str() == self.done.container);
        let code = own.and_then(Container::end_words).map(|words| format!(", {words}")).unwrap_or_default();
        let stop = self.done.stop_code.as_ref().map(|stop| format!(", {stop}")).unwrap_or_default();
        format!("{status}{stop}{code}")
    }

    fn notes(&self, goes_on: GoesOn) -> Vec<String> {
        let done = &self.done;
        let mut notes = Vec::new();
        if let Some(task) = &done.task {
            notes.push(format!("task {} in {}", task.id(), done.cluster));
        }
        if let (Some(created), Some(started)) = (done.created_at, done.started_at) {
            let seconds = |from: jiff::Timestamp, to: jiff::Timestamp| duration(to.duration_since(from).as_secs_f64());
            let ran = done.stopped_at.map(|stopped| format!(", stopped {} after that", seconds(started, stopped)));
            notes.push(format!("ran {} after it was taken{}", seconds(created, started), ran.unwrap_or_default()));
        }
        let others = done.containers.iter().filter(|container| container.name.as_str() != done.container);
        notes.extend(others.filter_map(|container| {
            container.end_words().map(|words| format!("container {} ended: {words}", container.name))
        }));
        if done.started_at.is_some() && !self.bound.detach {
            notes.extend(self.note_of_the_log());
        }
        if goes_on == GoesOn::Yes && done.task.is_some() {
            let resume = self.report.resume_line(self.context.environment());
            notes.push(format!("ECS goes on with it: `{resume}` looks again"));
        }
        notes
    }

    fn note_of_the_log(&self) -> Option<String> {
        let (Some(group), Some(stream)) = (&self.done.log_group, &self.done.log_stream) else {
            return Some("its log could not be followed".to_owned());
        };
        let place = format!("{group}, {stream}");
        if let Some(last) = self.tail_lines {
            let read = counted(self.done.log_lines.saturating_sub(last), "line");
            return Some(format!(
                "{read} from the start of its log and the last {last} were shown; all are in {place}"
            ));
        }
        let lacks = match self.log_lacks() {
            Some(Lacks::Group) => Some(format!("the log group {group} is not there")),
            Some(Lacks::Stream) => Some(format!("no line was seen of {stream} in {group}")),
            None => None,
        };
        let is_lossy = self.bound.log.as_ref().is_some_and(|log| !log.is_blocking);
        let proof = if is_lossy { "; its driver may lose lines, a missing one proves nothing" } else { "" };
        let is_at_end = self.follower.as_ref().is_some_and(|follower| follower.is_at_end);
        let cut = if is_at_end { "" } else { "; its end was not reached" };
        Some(match lacks {
            Some(lacks) => format!("{lacks}{cut}{proof}"),
            None => format!("{} of its log in {place}{cut}{proof}", counted(self.done.log_lines, "line")),
        })
    }
}

/// The first of the essential containers beside the migration's own that did not end cleanly, in words: neither with 0 nor by the
/// signals (128 + 15, 128 + 9) with which ECS stops what is left of a task. One that was killed for its memory ended by itself.
fn unclean(essential: &[String], containers: &[Container]) -> Option<String> {
    essential.iter().find_map(|name| {
        let container = containers.iter().find(|container| container.name.as_str() == name);
        let reason = container.and_then(|container| container.reason.as_ref());
        let because = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        match container.and_then(|container| container.exit_code) {
            Some(0 | 143) => None,
            Some(137) if reason.is_none() => None,
            Some(code) => Some(format!("{name}, which is essential too, ended with exit code {code}{because}")),
            None => Some(format!("AWS tells no exit code of {name}, which is essential too{because}")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, exit_code: Option<i32>, reason: Option<&str>) -> Container {
        Container { name: Text::from(name), status: Text::from("STOPPED"), exit_code, reason: reason.map(Text::line) }
    }

    #[test]
    fn an_essential_container_that_fails_beside_the_migration_puts_its_success_in_doubt() {
        let beside = vec!["proxy".to_owned()];
        let of = |code, reason| unclean(&beside, &[container("app", Some(0), None), container("proxy", code, reason)]);
        for (code, reason) in [(Some(0), None), (Some(143), None), (Some(137), None)] {
            assert_eq!(of(code, reason), None, "{code:?}");
        }
        for (code, reason) in [(Some(1), None), (None, None), (Some(137), Some("OutOfMemoryError: killed"))] {
            assert!(of(code, reason).is_some_and(|words| words.contains("proxy")), "{code:?}");
        }
        assert!(unclean(&beside, &[container("app", Some(0), None)]).is_some(), "it is not shown at all");
        assert_eq!(unclean(&[], &[container("log", Some(1), None)]), None, "it is not essential");
    }
}
