//! Plans, progress, reports and journals for the console's tests: plain data, as a planner and a run would make them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use opsctl::{
    domain::{AccountId, EnvironmentName, MessageId, RunId, Text},
    journal::{Consented, Entry, Record, RunSummary},
    operations::{
        Operation, OperationKind, Redrive,
        plan::{Call, Fact, Fingerprint, Plan, SCHEMA, SampledGroup},
        transfer::Tally,
    },
    run::{self, Details, Doing, End, Failure, Progress, Report},
    tui::{
        screens::flow::planning::begin,
        state::{effect::Effect, event::Event, ticket::Ticket},
    },
};

use crate::support::console::{Console, now};

/// A console that shows Activity: what the other views show is tested with them.
pub(super) fn console(size: (u16, u16)) -> Console {
    let mut console = Console::new(size);
    console.keys("6").take_effects();
    console
}

/// Asks for a redrive of `orders-dlq`, as a key on the queue does; the ticket of the question.
pub(super) fn ask(console: &mut Console, environment: &str) -> Ticket {
    console.effects = begin(&mut console.model, &EnvironmentName(environment.to_owned()), operation());
    asked(console)
}

/// The ticket of the question that was asked last.
pub(super) fn asked(console: &mut Console) -> Ticket {
    let effects = console.take_effects();
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Plan(ticket, ..) | Effect::PlanResume(ticket, _) => Some(*ticket),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing was planned: {effects:?}"))
}

/// The ticket of the run that was begun last.
pub(super) fn begun(console: &mut Console) -> Ticket {
    let effects = console.take_effects();
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Run(ticket, _) | Effect::Resume(ticket, ..) => Some(*ticket),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing was begun: {effects:?}"))
}

/// From nothing to a run that goes on in `environment` (`dev`: a yes is enough).
pub(super) fn run(console: &mut Console, environment: &str) -> Ticket {
    let ticket = ask(console, environment);
    console.event(Event::Planned(ticket, Ok(Box::new(plan(environment)))));
    match environment {
        "prod" => console.keys("y p r o d space o r d e r s - d l q enter b e c a u s e enter"),
        _ => console.keys("y"),
    };
    begun(console)
}

pub(super) fn account(environment: &str) -> &'static str {
    match environment {
        "dev" => "111111111111",
        "staging" => "222222222222",
        _ => "333333333333",
    }
}

pub(super) fn operation() -> Operation {
    Operation::Redrive(Redrive { queue: "orders-dlq".to_owned(), ..Redrive::default() })
}

/// The plan of a redrive of 4,200 messages.
pub(super) fn plan(environment: &str) -> Plan {
    plan_of(environment, operation())
}

pub(super) fn plan_of(environment: &str, operation: Operation) -> Plan {
    let fact = |label: &str, value: &str| Fact { label: label.to_owned(), value: Text::line(value) };
    let group = |title: &str, count: u64| SampledGroup { title: Text::line(title), count };
    let call = |action: &str, times: u64| Call {
        action: action.to_owned(),
        resource: Text::from("orders-dlq"),
        times_estimate: times,
    };
    let mut plan = Plan {
        schema: SCHEMA.to_owned(),
        id: "0123456789ab".to_owned(),
        operation,
        environment: EnvironmentName(environment.to_owned()),
        account: AccountId(account(environment).to_owned()),
        region: "af-south-1".to_owned(),
        resource: Text::from("orders-dlq"),
        made_at: now(),
        summary: Text::from("move ~4200 messages from orders-dlq to orders (standard)"),
        facts: vec![
            fact("from", "orders-dlq (standard)"),
            fact("to", "orders (standard)"),
            fact("messages", "~4200 visible, ~0 in flight, ~0 delayed"),
            fact("engine", "client-side, because of a ramp"),
            fact("ramp", "1,10,100,all, watching 95 s after each step, stops over 5% back"),
            fact("expires in", "9 h (oldest of 10 sampled)"),
        ],
        groups: vec![group("TimeoutException: ledger did not answer", 7), group("HTTP 502 from provider", 3)],
        changes: vec![
            Text::from("messages get new ids, new send times and a fresh receive count"),
            Text::from("body, attributes, group id and trace header stay as they are"),
        ],
        warnings: vec!["10 messages were received for this look and put back: each has one receive more".into()],
        blockers: Vec::new(),
        calls: vec![call("sqs:ReceiveMessage", 422), call("sqs:SendMessage", 420), call("sqs:DeleteMessage", 420)],
        messages_estimate: 4_200,
        how_many: None,
        no_way_back: None,
        seconds_estimate: Some(402),
        expires_at: Some(now() + SignedDuration::from_hours(9)),
        dollars_estimate: 0.0005,
        empty: false,
        unmet: Vec::new(),
        observed: BTreeMap::from([
            ("from: arn".to_owned(), format!("arn:aws:sqs:af-south-1:{}:orders-dlq", account(environment))),
            ("ramp".to_owned(), "1,10,100,all".to_owned()),
        ]),
        fingerprint: Fingerprint(String::new()),
        seal: String::new(),
    };
    seal(&mut plan);
    plan
}

/// Gives a plan that was changed its fingerprint.
pub(super) fn seal(plan: &mut Plan) {
    plan.fingerprint = Fingerprint::of(&plan.operation, &plan.environment, &plan.account, &plan.observed);
}

pub(super) fn run_id(tail: u32) -> RunId {
    RunId::new(now(), tail)
}

/// Progress after so many seconds.
pub(super) fn progress(seconds: i64, tally: Tally) -> Progress {
    Progress {
        run: run_id(7),
        estimate: 4_200,
        started_at: now(),
        at: now() + SignedDuration::from_secs(seconds),
        doing: Doing::Messages(Box::new(tally)),
        task: None,
        news: Vec::new(),
        log: Vec::new(),
    }
}

pub(super) fn tally(moved: u64) -> Tally {
    Tally { sent: moved, moved, step: 1, steps: 1, ..Tally::default() }
}

/// A report of `orders-dlq`.
pub(super) fn report(environment: &str, end: End, tally: Tally) -> Report {
    let folder = format!("/var/state/nina/opsctl/runs/{}", run_id(7));
    let left = matches!(end, End::Partly | End::Interrupted);
    Report {
        schema: run::SCHEMA.to_owned(),
        run: run_id(7),
        operation: OperationKind::Redrive,
        environment: environment.to_owned(),
        account: account(environment).to_owned(),
        facts: plan(environment).facts,
        end,
        details: Details::Messages(Box::new(tally)),
        meanwhile: None,
        started_at: now(),
        seconds: 92.4,
        failure: None,
        notes: Vec::new(),
        journal: Some(Text::line(&format!("{folder}/journal.jsonl"))),
        snapshot: Some(Text::line(&format!("{folder}/snapshot.jsonl"))),
        command: Text::line(&format!("opsctl redrive --queue orders-dlq --env {environment}")),
        next: left.then(|| Text::line(&format!("opsctl redrive --resume {} --env {environment}", run_id(7)))),
        still_paused: Vec::new(),
        unmet: Vec::new(),
        asked: None,
    }
}

pub(super) fn failure(what: &str, hint: &str) -> Failure {
    Failure { what: Text::line(what), hint: Text::line(hint), advice: None }
}

/// What ended expired credentials say.
pub(super) fn expired() -> Failure {
    failure("sqs:GetQueueUrl: the credentials have expired", "aws sso login --profile nucleus-dev")
}

/// A run that a journal tells of, begun so many minutes ago.
pub(super) fn summary(environment: &str, minutes: i64, end: Option<Report>) -> RunSummary {
    let at = now() - SignedDuration::from_mins(minutes);
    let opened = entry(0, at, opened(environment));
    let last = match end {
        Some(report) => entry(9, at + SignedDuration::from_secs(92), report.for_journal()),
        None => entry(4, at + SignedDuration::from_secs(3), Record::Sent { batch: 1, messages: Vec::new() }),
    };
    RunSummary { run: RunId::new(at, minutes as u32), opened, last, busy: false }
}

fn opened(environment: &str) -> Record {
    Record::Opened {
        run: run_id(7),
        version: "0.1.0".to_owned(),
        plan: Box::new(serde_json::to_value(plan(environment)).expect("plain data")),
        by: Text::from("nina"),
        how: Consented::Typed,
        reason: Some(Text::from("INC-4711")),
        cutoff: now(),
        parent: None,
    }
}

fn entry(seq: u64, at: Timestamp, record: Record) -> Entry {
    Entry { seq, at, prev: "0".repeat(64), record }
}

/// A journal of a run that broke off with a message in doubt.
pub(super) fn journal() -> Vec<Entry> {
    let id = |number: u32| MessageId(format!("5f0c2a1e-0000-4000-8000-{number:012}"));
    let account = AccountId(account("prod").to_owned());
    let arn = Text::from("arn:aws:sts::333333333333:assumed-role/on-call/nina");
    let to = Some("https://sqs.af-south-1.amazonaws.com/333333333333/orders".to_owned());
    let records = [
        opened("prod"),
        Record::Verified { account, arn },
        Record::Intent { batch: 1, to, messages: Vec::new() },
        Record::Unknown { batch: 1, ids: vec![id(1)] },
        Record::Kept { batch: None, ids: vec![id(2), id(3)], reason: Text::from("not selected") },
    ];
    let at = |seq: u64| now() + SignedDuration::from_millis(seq as i64 * 130);
    records.into_iter().zip(0..).map(|(record, seq)| entry(seq, at(seq), record)).collect()
}

/// Text that would take a terminal over, or a screen apart, if it were shown as it is.
pub(super) const HOSTILE: [&str; 4] =
    ["\u{1b}[2J\u{1b}]0;owned\u{7}", "a\u{202e}gnp.exe", "two\nlines\tand a tab", "日本語日本語日本語日本語日本語"];
