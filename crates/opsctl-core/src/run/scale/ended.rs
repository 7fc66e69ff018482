//! How a run that changes services ended, in words: what failed, what to do about it.

use super::{Halt, Watched};
use crate::{
    domain::{Environment, Text, Try, invocation::option, words::counted},
    operations::{
        scale::{Direction, ToScale},
        values::in_words,
    },
    run::{
        Context, Details, End, Failure, Report,
        report::{self, Ended},
    },
};

pub(super) fn finish(
    mut report: Report,
    scale: &ToScale,
    (ended, failed): (Vec<Ended>, Option<&Watched>),
    halt: Option<Halt>,
    context: &Context,
) -> Report {
    let environment = context.environment();
    report.seconds = context.now().duration_since(report.started_at).as_secs_f64();
    let done = ended.iter().filter(|service| service.is_done).count();
    let begun = ended.iter().filter(|service| service.is_set).count();
    let missing: Vec<String> = ended.iter().filter(|service| !service.is_done).map(Ended::words).collect();
    let missing = missing.join("; ");
    let look = environment.command("services");
    report.end = match &halt {
        None => End::Done,
        Some(Halt::Cancelled) => End::Interrupted,
        Some(_) if begun == 0 => End::Failed,
        Some(_) => End::Partly,
    };
    report.failure = halt.map(|halt| match halt {
        Halt::Cancelled => {
            Failure::new(format!("stopped, as asked: {missing}"), Try::Resume.says("go on with --resume"))
        }
        Halt::TimedOut => {
            let what = format!("not done after {}: {missing}", in_words(scale.timeout.0.into()));
            Failure::new(what, Try::Resume.says(format!("look with `{look}`, then wait on with --resume")))
        }
        Halt::Services => {
            let later = ended.iter().any(|service| !service.is_set && service.because.is_none());
            let later = if later { "; no later stage was begun" } else { "" };
            Failure::new(format!("{missing}{later}"), Try::MendService.says(mend(scale.direction)))
        }
        Halt::Failed(error) => Failure::new(error.to_string(), error.hint(environment)),
        Halt::Stopped(stop) => {
            let failure = report::failure(&stop, environment);
            let what = format!("{}; no later stage was begun", failure.what);
            failure.within(what)
        }
        Halt::Journal(because) => {
            let what = format!("stopped, since the state folder can't be written: {because}");
            Failure::new(what, Try::MakeRoom.says("make room on the disk, then --resume"))
        }
    });
    if report.end != End::Done {
        if begun > done {
            let open = counted((begun - done) as u64, "service");
            report.note(format!("ECS goes on by itself with {open}: `{look}` shows how far it is"));
        }
        // A deployment that has failed is over: what its tasks say is what helps.
        report.next = Some(match failed {
            Some(failed) => Text::line(&tasks_of(failed, environment)),
            None => report.resume_line(environment),
        });
    }
    report.details = Details::Services { services: ended };
    report
}

fn mend(direction: Direction) -> &'static str {
    match direction {
        Direction::Wake | Direction::Sleep | Direction::To(_) => "mend what failed, then run it again",
        Direction::Deploy => {
            "look why its tasks stop, and mend that first; a rollback goes back to the revision before"
        }
    }
}

fn tasks_of(failed: &Watched, environment: &Environment) -> String {
    environment.command(&format!("tasks {}", option("service", &failed.change.service.to_string())))
}
