//! DLQs into which not only SQS puts messages: those that have a destination go, the others are named with what helps, and that helps.

use opsctl::{
    domain::Protection,
    operations::{Operation, Redrive, plan::Plan, values::EngineChoice},
    run::{End, Report},
    sandbox::world::{Attribute, PutMessage, Value},
};

use crate::support::stage::{QueueSetup, Stage, arn, caller};

/// Who put a message into the DLQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// SQS, from its source.
    Sqs,
    /// Somebody, directly.
    Hand,
    /// A rule whose target is a function.
    Rule,
    /// A rule whose target is the queue `billing`.
    RuleOfQueue,
    LambdaDlq,
    LambdaDestination,
    Subscription,
    /// SQS, from a queue that has another DLQ by now.
    Elsewhere,
    /// SQS; larger than the source takes now.
    Large,
    /// SQS; with ten attributes.
    TenAttributes,
}

const RULE: &str = "arn:aws:events:af-south-1:111111111111:rule/invoices";
const FUNCTION: &str = "arn:aws:lambda:af-south-1:111111111111:function:invoice";

fn attribute(name: &str, text: &str) -> Attribute {
    Attribute { name: name.into(), label: "String".into(), value: Value::Text(text.into()) }
}

fn message(by: By, source: &str, number: usize) -> PutMessage {
    let body = format!(r#"{{"n":{number},"transferId":"t-{number}","eventId":"e-{number}"}}"#);
    let from = |name: &str| Some(arn(name));
    let plain = PutMessage { sent_at: "2026-11-21T02:00:00Z".parse().ok(), receive_count: 3, ..PutMessage::new(body) };
    let rule = |target: &str| {
        vec![attribute("RULE_ARN", RULE), attribute("TARGET_ARN", target), attribute("ERROR_CODE", "NO_PERMISSIONS")]
    };
    let fifo = |message: PutMessage| match source.ends_with(".fifo") {
        true => PutMessage { group: Some(format!("group-{number}")), ..message },
        false => message,
    };
    fifo(match by {
        By::Sqs => PutMessage { dead_letter_source: from(source), ..plain },
        By::Hand => plain,
        By::Rule => PutMessage { attributes: rule(FUNCTION), ..plain },
        By::RuleOfQueue => PutMessage { attributes: rule(&arn("billing")), ..plain },
        By::LambdaDlq => {
            PutMessage { attributes: vec![attribute("RequestID", "1"), attribute("ErrorCode", "200")], ..plain }
        }
        By::LambdaDestination => PutMessage {
            body: format!(
                r#"{{"requestContext":{{"functionArn":"{FUNCTION}:$LATEST"}},"requestPayload":{{"n":{number}}}}}"#
            ),
            ..plain
        },
        By::Subscription => PutMessage {
            body: format!(
                r#"{{"Type":"Notification","MessageId":"{number}","TopicArn":"arn:aws:sns:af-south-1:111111111111:t","Message":"m"}}"#
            ),
            ..plain
        },
        By::Elsewhere => PutMessage { dead_letter_source: from("other"), ..plain },
        By::Large => PutMessage { body: "x".repeat(3_000), dead_letter_source: from(source), ..plain },
        By::TenAttributes => PutMessage {
            attributes: (0..10).map(|at| attribute(&format!("a{at}"), "x")).collect(),
            dead_letter_source: from(source),
            ..plain
        },
    })
}

struct Case {
    about: &'static str,
    /// Sources of the DLQ; the first one's messages are SQS's.
    sources: &'static [&'static str],
    /// Messages in their order, and how many of each.
    mix: &'static [(By, usize)],
    change: fn(&mut Redrive),
    /// How many go in the first run, and in those that its `next` leads to.
    goes: [usize; 2],
}

const CASES: [Case; 13] = [
    Case {
        about: "EventBridge before SQS",
        sources: &["orders"],
        mix: &[(By::Rule, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "EventBridge, to a queue",
        sources: &["orders"],
        mix: &[(By::RuleOfQueue, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "by hand, one source",
        sources: &["orders"],
        mix: &[(By::Hand, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [6, 0],
    },
    Case {
        about: "by hand, several sources",
        sources: &["orders", "refunds"],
        mix: &[(By::Hand, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "Lambda's DLQ",
        sources: &["orders"],
        mix: &[(By::LambdaDlq, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "Lambda's destination",
        sources: &["orders"],
        mix: &[(By::LambdaDestination, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "a subscription of SNS",
        sources: &["orders"],
        mix: &[(By::Subscription, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "another queue's",
        sources: &["orders"],
        mix: &[(By::Elsewhere, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "all at once",
        sources: &["orders", "refunds"],
        mix: &[
            (By::Rule, 1),
            (By::RuleOfQueue, 1),
            (By::Hand, 1),
            (By::LambdaDlq, 1),
            (By::Subscription, 1),
            (By::Elsewhere, 1),
            (By::Sqs, 3),
        ],
        change: |_| (),
        goes: [3, 6],
    },
    Case {
        about: "too large",
        sources: &["orders"],
        mix: &[(By::Large, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "ten attributes and a mark",
        sources: &["orders"],
        mix: &[(By::TenAttributes, 2), (By::Sqs, 4)],
        change: |redrive| redrive.mark = true,
        goes: [4, 2],
    },
    Case {
        about: "FIFO",
        sources: &["orders.fifo"],
        mix: &[(By::Rule, 2), (By::Sqs, 4)],
        change: |_| (),
        goes: [4, 2],
    },
    Case {
        about: "a filter",
        sources: &["orders"],
        mix: &[(By::Rule, 2), (By::Sqs, 4)],
        change: |redrive| redrive.filter = Some(".receive_count > 2".to_owned()),
        goes: [4, 2],
    },
];

impl Case {
    fn stage(&self, undo_messages_max: Option<u64>) -> Stage {
        let end = if self.sources[0].ends_with(".fifo") { ".fifo" } else { "" };
        let dead = format!("dead{end}");
        let source = |name: &str| QueueSetup {
            name: name.to_owned(),
            dead_letter: Some((dead.clone(), 3)),
            attributes: [("MaximumMessageSize".to_owned(), "2048".to_owned())].into(),
            ..QueueSetup::default()
        };
        let plain = |name: String| QueueSetup { name, ..QueueSetup::default() };
        let mut queues: Vec<QueueSetup> = self.sources.iter().map(|name| source(name)).collect();
        queues.extend([plain(dead.clone()), plain(format!("spare{end}")), plain(format!("billing{end}"))]);
        let mut stage = Stage::new(Protection::Confirm, &queues);
        stage.environment.queues.undo_messages_max = undo_messages_max;
        let kinds = self.mix.iter().flat_map(|(by, count)| std::iter::repeat_n(*by, *count));
        for (number, by) in kinds.enumerate() {
            let message = message(by, self.sources[0], number);
            stage.sandbox.with(|world, now| world.put(now, &caller(), &dead, message)).expect("a message");
        }
        stage
    }

    fn redrive(&self, engine: EngineChoice) -> Operation {
        let end = if self.sources[0].ends_with(".fifo") { ".fifo" } else { "" };
        let mut redrive = Redrive { queue: format!("dead{end}"), engine, ..Redrive::default() };
        (self.change)(&mut redrive);
        Operation::Redrive(redrive)
    }

    fn left(&self, stage: &Stage) -> usize {
        stage.count(if self.sources[0].ends_with(".fifo") { "dead.fifo" } else { "dead" })
    }
}

/// What the reports say that messages which were left need.
fn notes(report: &Report) -> String {
    report.notes.iter().map(|note| format!("{note}\n")).collect()
}

/// The command lines that it shows, in their order; `next` is the first of them.
fn shown(report: &Report) -> Vec<String> {
    let notes = notes(report);
    let lines = notes.split('`').skip(1).step_by(2).filter(|line| line.starts_with("opsctl redrive "));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    assert_eq!(report.next.as_ref().map(|next| next.as_str()), lines.first().map(String::as_str), "{report:#?}");
    lines
}

fn foreseen(plan: &Plan) -> usize {
    plan.warnings.iter().filter(|warning| warning.as_str().contains("stay here, ")).count()
}

#[tokio::test(start_paused = true)]
async fn those_with_a_destination_go_and_what_is_shown_moves_the_others() {
    for case in &CASES {
        // By default, and where anything is left to SQS that can be.
        for undo_messages_max in [None, Some(0)] {
            let mut stage = case.stage(undo_messages_max);
            let spare = if case.sources[0].ends_with(".fifo") { "spare.fifo" } else { "spare" };
            let about = case.about;
            let operation = case.redrive(EngineChoice::Auto);
            let plan = stage.plan(&operation).await.expect("a plan").plan;
            assert!(plan.blockers.is_empty(), "{about}: {plan:#?}");
            assert_eq!(foreseen(&plan) > 0, case.goes[1] > 0, "{about}: {plan:#?}");
            let report = stage.run(&operation).await;
            let all = case.goes[0] + case.goes[1];
            assert_eq!(report.details.tally().moved as usize, case.goes[0], "{about}: {report:#?}");
            assert_eq!(case.left(&stage), all - case.goes[0], "{about}");
            if case.goes[1] == 0 {
                assert_eq!((report.end, &report.next), (End::Done, &None), "{about}: {report:#?}");
                continue;
            }
            assert_eq!(report.end, End::Partly, "{about}: {report:#?}");
            assert!(notes(&report).contains("`opsctl redrive --queue "), "{about}: {report:#?}");
            if about == "too large" {
                stage.set("orders", "MaximumMessageSize", "4096");
            }
            let mut reports = vec![report.clone()];
            for line in shown(&report) {
                let next = stage.follow(&line, spare).await;
                reports.extend(stage.follow_to_the_end(next, spare).await);
            }
            assert_eq!(reports.last().map(|last| last.end), Some(End::Done), "{about}: {reports:#?}");
            assert_eq!(case.left(&stage), 0, "{about}: {reports:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_task_that_was_asked_for_is_refused_where_the_sample_shows_that_it_fails() {
    for case in CASES.iter().filter(|case| {
        case.goes[1] > 0 && !case.about.contains("FIFO") && case.about != "a filter" && !case.about.contains("mark")
    }) {
        let mut stage = case.stage(None);
        let plan = stage.plan(&case.redrive(EngineChoice::Managed)).await.expect("a plan").plan;
        assert!(
            plan.blockers.iter().any(|because| because.as_str().contains("of the sample")),
            "{}: {plan:#?}",
            case.about
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_sample_showed_ends_the_task_and_leads_to_the_engine_that_goes_on() {
    // In order, so that the sample is of the first ten: the task fails at the eleventh.
    let case = Case {
        about: "",
        sources: &["orders"],
        mix: &[(By::Sqs, 10), (By::Rule, 2), (By::Sqs, 20)],
        change: |_| (),
        goes: [0, 0],
    };
    for engine in [EngineChoice::Auto, EngineChoice::Managed] {
        let mut stage = case.stage(Some(0));
        let report = stage.run(&case.redrive(engine)).await;
        if report.end == End::Done {
            continue;
        }
        let next = report.next.clone().expect("what leads on");
        assert!(report.end == End::Partly || report.end == End::Failed, "{report:#?}");
        let reports = stage.follow_to_the_end(report, "spare").await;
        assert_eq!(
            (reports.last().map(|last| last.end), stage.count("dead")),
            (Some(End::Done), 0),
            "{next}: {reports:#?}"
        );
        assert_eq!((stage.count("orders"), stage.count("spare")), (30, 2));
    }
}
