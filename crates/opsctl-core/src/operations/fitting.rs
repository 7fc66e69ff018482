//! [`fitting`]: what deals with a verdict. The console's Home takes its keys from here, and `opsctl status` its command lines: the one
//! place that says what mends what.

use super::{Failover, Operation, OperationKind, Redrive, Release, Replay, Wake, command_line};
use crate::{
    domain::{
        Environment, Protection, Rearm, Release as Freeing,
        invocation::{option, quoted},
    },
    leave::{self, Force},
    observe::{
        Kind, Seen, Snapshot, Subject, Verdict,
        parts::outboxes::{Relaying, relay},
    },
};

/// What deals with a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fitting {
    /// What is looked at first, in words: "look at why they failed".
    pub open: &'static str,
    /// What mends it once it is understood, with words for it.
    pub operation: Option<(OperationKind, &'static str)>,
}

/// Command lines that deal with a verdict. Each works in the world of its environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commands {
    /// What to type first: what shows why, or what mends it where no look is needed; none: nothing that opsctl can do helps.
    pub first: Option<String>,
    /// What mends it once that was looked at.
    pub then: Option<String>,
}

/// What deals with a verdict on what is in `snapshot`.
pub fn fitting(verdict: &Verdict, snapshot: &Snapshot) -> Fitting {
    let of = |open, operation| Fitting { open, operation };
    match (&verdict.subject, verdict.kind) {
        // Two redrives of one DLQ at a time: the first one is waited for.
        (Subject::Queue(_), Kind::RedrivenElsewhere) => of("look at the queue", None),
        (Subject::Queue(_), kind) if is_dead_letters(verdict, snapshot) => {
            let open = if kind == Kind::Denied { "what to allow" } else { "look at why they failed" };
            of(open, Some((OperationKind::Redrive, "redrive")))
        }
        (Subject::Queue(_), Kind::Denied) => of("what to allow", None),
        (Subject::Queue(_), _) => of("look at the queue", None),
        (Subject::Service(_), _) => of("look at the service", Some((OperationKind::Wake, "wake"))),
        (Subject::Database(_), _) => of("look at the database", Some((OperationKind::Failover, "failover"))),
        (Subject::Alarm(_), _) => of("look at the alarm", None),
        (Subject::Consumer(_), _) => of("look at the consumer", None),
        (Subject::Outbox(_), Kind::OutboxStalled) => {
            of("look at the outbox", Some((OperationKind::Wake, "wake its relay")))
        }
        (Subject::Outbox(_), _) => of("look at the outbox", None),
        (Subject::Environment | Subject::Parts(_), Kind::Credentials) => of("say what to run", None),
        (Subject::Environment | Subject::Queues | Subject::Parts(_), _) => of("look at its queues", None),
    }
}

/// The same as command lines. Where the environment is read-only, none of them changes anything, and none costs a receive.
pub fn commands(verdict: &Verdict, environment: &Environment, snapshot: &Snapshot) -> Commands {
    let mend = mend(verdict, environment, snapshot).filter(|_| environment.protection != Protection::ReadOnly);
    match mend {
        Some(Mend::AtOnce(command)) => Commands { first: Some(command), then: None },
        Some(Mend::Then(command)) => Commands { first: look(verdict, environment, snapshot), then: Some(command) },
        None => Commands { first: look(verdict, environment, snapshot), then: None },
    }
}

/// The command line that mends something.
enum Mend {
    /// There is nothing to find out first.
    AtOnce(String),
    Then(String),
}

fn mend(verdict: &Verdict, environment: &Environment, snapshot: &Snapshot) -> Option<Mend> {
    let estate = &snapshot.estate;
    let line = |operation| command_line(&operation, &environment.name, &environment.invocation);
    match (&verdict.subject, verdict.kind) {
        (_, Kind::Denied | Kind::RedrivenElsewhere) => None,
        // Where only its name says that dead letters lie there, nothing says where they belong.
        (Subject::Queue(queue), _) if is_dead_letters(verdict, snapshot) && has_source(verdict, snapshot) => {
            let redrive = Redrive { queue: queue.0.clone(), ..Redrive::default() };
            Some(Mend::Then(line(Operation::Redrive(redrive))))
        }
        (Subject::Service(id), Kind::Asleep) => {
            let wake = Wake { service: vec![id.to_string()], ..Wake::default() };
            Some(Mend::AtOnce(line(Operation::Wake(wake))))
        }
        (Subject::Database(name), Kind::NoWriter | Kind::DatabaseDown) => {
            let mut rows = estate.databases.rows.iter().map(|row| &row.seen.database);
            let can_take_over = rows.any(|database| database.name == *name && database.readers().next().is_some());
            let failover = || Failover { database: name.clone(), to: None };
            can_take_over.then(|| Mend::Then(line(Operation::Failover(failover()))))
        }
        (Subject::Outbox(name), Kind::OutboxStalled) => {
            let configured = environment.databases.outbox(name)?;
            let seen = estate.outboxes.rows.iter().find(|seen| seen.name == *name)?;
            let relaying: Relaying = relay(configured, seen, &estate.services);
            relaying.wakes(environment).map(Mend::AtOnce)
        }
        (Subject::Outbox(name), Kind::OutboxFailed) => {
            let can_be_replayed = match environment.databases.outbox(name)?.mapping.rearm {
                Rearm::Set(_) | Rearm::Move(_) => true,
                Rearm::Refused(_) => false,
            };
            let replay = Replay { outbox: name.clone(), ..Replay::default() };
            can_be_replayed.then(|| Mend::Then(line(Operation::Replay(replay))))
        }
        (Subject::Outbox(name), Kind::OutboxStuck) => {
            let can_be_released = match environment.databases.outbox(name)?.mapping.release {
                Freeing::Set(_) => true,
                Freeing::Refused(_) => false,
            };
            let release = Release { outbox: name.clone(), ..Release::default() };
            can_be_released.then(|| Mend::Then(line(Operation::Release(release))))
        }
        _ => None,
    }
}

/// The command line that shows why.
fn look(verdict: &Verdict, environment: &Environment, snapshot: &Snapshot) -> Option<String> {
    let command = |words: &str| Some(environment.command(words));
    match (&verdict.subject, verdict.kind) {
        // It passes by itself.
        (_, Kind::Throttled) => None,
        (Subject::Environment | Subject::Parts(_), Kind::Credentials) => {
            let errors = snapshot.estate.known().filter_map(|(_, part)| part.error);
            let mut errors = snapshot.listing.error.iter().chain(errors);
            errors.find_map(|error| error.command(environment)).or_else(|| command("doctor"))
        }
        (Subject::Environment | Subject::Queues | Subject::Parts(_), _) | (Subject::Queue(_), Kind::Denied) => {
            command("doctor")
        }
        (Subject::Queue(queue), Kind::RedrivenElsewhere) => command(&format!("queues {}", pattern(queue.as_str()))),
        (Subject::Queue(queue), _) if is_dead_letters(verdict, snapshot) => {
            let described = seen(verdict, snapshot).and_then(|seen| seen.queue.as_ref());
            match described.map(|described| leave::allow_look(environment, described, Force::No)) {
                Some(Ok(_)) => command(&format!("groups {}", option("queue", queue.as_str()))),
                // A look costs a receive, and is refused here.
                Some(Err(_)) | None => command(&format!("queues {}", pattern(queue.as_str()))),
            }
        }
        // Its settings, and which queues there are.
        (Subject::Queue(queue), Kind::NoDeadLetterQueue) => command(&format!("queues {}", pattern(queue.as_str()))),
        // Who takes its messages, or should.
        (Subject::Queue(queue), _) => command(&format!("consumers list {}", pattern(queue.as_str()))),
        (Subject::Service(id), Kind::ServiceDown | Kind::ServiceFailing | Kind::ServiceBelow) => {
            command(&format!("tasks {}", option("service", &id.to_string())))
        }
        (Subject::Service(id), _) => command(&format!("services {}", quoted(&id.to_string()))),
        (Subject::Database(name), _) => command(&format!("databases {} --events", pattern(name))),
        (Subject::Alarm(_), Kind::AlarmBlind) => command("alarms --state no-data"),
        (Subject::Alarm(name), _) => command(&format!("alarms {}", option("history", name))),
        // No list of the command line has what groups that read Kafka are behind by.
        (Subject::Consumer(_), Kind::KafkaLag) => None,
        (Subject::Consumer(_), _) => command("consumers"),
        (Subject::Outbox(_), Kind::OutboxUnseen) => command("doctor"),
        (Subject::Outbox(name), Kind::OutboxFailed) => command(&format!("outbox show {} --rows failed", quoted(name))),
        (Subject::Outbox(name), Kind::OutboxStuck) => command(&format!("outbox show {} --rows stuck", quoted(name))),
        (Subject::Outbox(name), _) => command(&format!("outbox show {}", quoted(name))),
    }
}

/// A name as a pattern of a list: one that begins with a dash would be taken for an option.
fn pattern(name: &str) -> String {
    match name.strip_prefix('-') {
        Some(rest) => quoted(&format!("*{rest}")),
        None => quoted(name),
    }
}

fn is_dead_letters(verdict: &Verdict, snapshot: &Snapshot) -> bool {
    seen(verdict, snapshot).is_some_and(|seen| seen.dead_letters.is_some())
}

fn has_source(verdict: &Verdict, snapshot: &Snapshot) -> bool {
    let dead_letters = seen(verdict, snapshot).and_then(|seen| seen.dead_letters.as_ref());
    dead_letters.is_some_and(|dead_letters| !dead_letters.sources.is_empty())
}

/// The queue that a verdict is about.
fn seen<'a>(verdict: &Verdict, snapshot: &'a Snapshot) -> Option<&'a Seen> {
    let Subject::Queue(queue) = &verdict.subject else { return None };
    // A snapshot holds queues by name.
    let at = snapshot.queues.binary_search_by(|seen| seen.name.cmp(queue)).ok()?;
    Some(&snapshot.queues[at])
}
