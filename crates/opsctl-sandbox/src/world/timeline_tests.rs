//! Timelines: each change at its own time, however the world's clock gets there.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Answer, Caller, Fate, Request, World,
    fleet::{Amount, Fleet, FleetError},
    service::ServiceDef,
};

const PROD: &str = "333333333333";
const HEAD: &str = include_str!("fleet/fleet.toml");

/// Each kind of change, out of order, two of them at one time.
const TIMELINE: &str = r#"
[[at]]
after = "12m"
do = { end = "sqs:Send*" }

[[at]]
after = "2m 30s"
do = { fault = { call = "sqs:Send*", times = 1000, kind = "throttled" } }

[[at]]
after = "3m"
do = { consumers = { queue = "valid_orders*", account = "333333333333", are = "down" } }

[[at]]
after = "3m"
do = { consumers = { queue = "valid_orders*", account = "333333333333", are = { failing = { body-contains = "PARTNER_A" } } } }

[[at]]
after = "4m 10s"
do = { producers = { queue = "valid_orders*", rate_per_second = 9.5 } }

[[at]]
after = "5m"
do = { deploy = { service = "nucleus-prod/*", tasks = "cannot-pull" } }

[[at]]
after = "7m 1s"
do = { fail-over = { database = "storo-prod" } }

[[at]]
after = "8m"
do = { denial = { account = "333333333333", action = "ssm:*" } }

[[at]]
after = "9m"
do = { scale = { service = "*/transfers-worker", account = "222222222222", to = 0 } }

[[at]]
after = "15m"
do = { deploy = { service = "nucleus-prod/*", tasks = { exits = { after_seconds = 5, code = 1 } } } }

[[at]]
after = "5m 30s"
do = { demand = { service = "nucleus-prod/*", tasks = 9.0 } }

[[at]]
after = "6m"
do = { call = { action = "lambda:PutFunctionConcurrency", account = "333333333333", with = { FunctionName = "wallet-notifier", ReservedConcurrentExecutions = 0 } } }

[[at]]
after = "6m 10s"
do = { call = { action = "sqs:StartMessageMoveTask", with = { SourceArn = "arn:aws:sqs:{region}:{account}:payouts-dlq" } } }

[[at]]
after = "6m 20s"
do = { call = { action = "rds:RebootDBInstance", with = { DBInstanceIdentifier = "storo-prod-2" } } }

[[at]]
after = "16m"
do = "expire-sessions"

[[at]]
after = "17m"
do = { expire-credentials = { account = "222222222222" } }
"#;

fn start() -> Timestamp {
    "2026-11-21T03:00:10Z".parse().expect("a time")
}

fn world(timeline: &str) -> World {
    try_world(timeline).expect("settled")
}

fn try_world(timeline: &str) -> Result<World, FleetError> {
    let mut world = World::new(7, start());
    Fleet::parse(&format!("{HEAD}\n{timeline}"))?.settle(&mut world, start(), 7, Amount::AtMost(20))?;
    Ok(world)
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn caller(account: &str) -> Caller {
    Caller { account: account.to_owned(), region: "af-south-1".to_owned(), origin: String::new() }
}

/// A call's answer, or the code of its error.
fn ask(world: &mut World, now: Timestamp, account: &str, call: (&str, &str), request: Value) -> Result<String, String> {
    let (service, action) = (ServiceDef::named(call.0).expect("a service"), call.1);
    let form = request.as_object().expect("an object").iter();
    let form = form.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    let input = super::Input { fields: form, ..request.into() };
    match world.call(now, &Request { service, action, caller: &caller(account), access_key: "", input: &input }) {
        Fate::Answered { answer: Ok(Answer::Body(body)), .. } => Ok(String::from_utf8(body).expect("text")),
        Fate::Answered { answer: Ok(answer), .. } => Ok(format!("{answer:?}")),
        Fate::Answered { answer: Err(error), .. } => Err(error.shown_code().to_owned()),
        other => Err(format!("{other:?}")),
    }
}

/// All that callers could see of a world: messages, services with their tasks and events, databases, mappings, metrics.
fn seen(world: &mut World, now: Timestamp) -> Vec<String> {
    let mut seen = Vec::new();
    for (account, region) in world.places() {
        for queue in world.queue_views(&account, &region) {
            seen.push(format!("{queue:?}"));
            seen.extend(world.messages(&account, &region, queue.name).map(|message| format!("{message:?}")));
        }
        for (caller, cluster, service) in world.ecs.matching(&account, "*") {
            seen.push(format!("{:?}", world.ecs.view(&caller, &cluster, &service)));
            seen.extend(world.ecs.tasks_of_family(&caller, &cluster, &service));
        }
        let search = |schema: &str, metric: &str| {
            let queries = json!([{ "Id": "q", "Expression": format!("SEARCH('{{{schema}}} MetricName=\"{metric}\"', 'Average', 60)") }]);
            json!({ "MetricDataQueries": queries, "StartTime": now.as_second() - 3_600, "EndTime": now.as_second() })
        };
        for (call, request) in [
            (("rds", "DescribeDBClusters"), json!({})),
            (("rds", "DescribeDBInstances"), json!({})),
            (("rds", "DescribeEvents"), json!({ "Duration": "60" })),
            (("lambda", "ListEventSourceMappings"), json!({})),
            (("cloudwatch", "DescribeAlarms"), json!({})),
            (("cloudwatch", "GetMetricData"), search("AWS/SQS,QueueName", "ApproximateNumberOfMessagesVisible")),
            (("cloudwatch", "GetMetricData"), search("AWS/ECS,ClusterName,ServiceName", "CPUUtilization")),
            (("ssm", "GetParametersByPath"), json!({ "Path": "/", "Recursive": true })),
        ] {
            seen.push(format!("{call:?}: {:?}", ask(world, now, &account, call, request)));
        }
    }
    seen
}

#[test]
fn leaping_and_stepping_end_in_the_same_world() {
    let end = 18 * 60;
    let mut leaping = world(TIMELINE);
    leaping.advance(after(end));
    let leapt = seen(&mut leaping, after(end));
    assert!(leapt.iter().any(|line| line.contains("AccessDenied")), "the denial is there");
    for step in [60, 17] {
        let mut stepping = world(TIMELINE);
        for seconds in (step..=end).step_by(step as usize) {
            stepping.advance(after(seconds));
        }
        stepping.advance(after(end));
        for (leapt, stepped) in leapt.iter().zip(seen(&mut stepping, after(end))) {
            assert_eq!(*leapt, stepped, "in steps of {step} s");
        }
    }
    let without = seen(
        &mut {
            let mut world = world("");
            world.advance(after(end));
            world
        },
        after(end),
    );
    assert_ne!(leapt, without, "something happened");
}

#[test]
fn every_change_comes_at_its_own_time() {
    let mut world = world(TIMELINE);
    let send = json!({ "QueueUrl": "no-queue", "MessageBody": "b" });
    let sent = |world: &mut World, at| ask(world, after(at), PROD, ("sqs", "SendMessage"), send.clone());
    assert_eq!(sent(&mut world, 149), Err("AWS.SimpleQueueService.NonExistentQueue".to_owned()));
    assert_eq!(sent(&mut world, 150), Err("RequestThrottled".to_owned()));
    assert_eq!(sent(&mut world, 720), Err("AWS.SimpleQueueService.NonExistentQueue".to_owned()));
    let events = ask(&mut world, after(1_000), PROD, ("rds", "DescribeEvents"), json!({ "Duration": "60" }));
    assert!(events.expect("told").contains("2026-11-21T03:07:11"), "the failover began at its second");
    let parameters = |account| (account, ("ssm", "GetParametersByPath"), json!({ "Path": "/" }));
    let (account, call, request) = parameters(PROD);
    assert_eq!(ask(&mut world, after(1_000), account, call, request), Err("AccessDenied".to_owned()));
    let (account, call, request) = parameters("111111111111");
    assert!(ask(&mut world, after(1_000), account, call, request).is_ok(), "another account");
    let deployed = world.ecs.matching(PROD, "nucleus-prod/*");
    let (caller, cluster, service) = deployed.first().expect("a service");
    let view = world.ecs.view(caller, cluster, service).expect("there");
    assert!(view.deployments.len() >= 2, "{view:?}");
}

#[test]
fn a_consumer_that_stops_lets_its_queue_fill_until_it_works_again() {
    let mut world = world(
        r#"
[[at]]
after = "20m"
do = { consumers = { queue = "wallet-notifications", account = "333333333333", are = "down" } }
[[at]]
after = "30m"
do = { consumers = { queue = "wallet-notifications", account = "333333333333", are = "healthy" } }
"#,
    );
    let mut visible = |seconds| {
        world.advance(after(seconds));
        world.queue_view(PROD, "af-south-1", "wallet-notifications").expect("there").counts.visible
    };
    assert!(visible(1_190) < 20);
    assert!(visible(1_790) > 2_000);
    assert!(visible(2_400) < 20);
}

#[test]
fn somebody_else_may_call_anything() {
    let mut world = world(TIMELINE);
    world.advance(after(400));
    let source = format!("arn:aws:sqs:af-south-1:{PROD}:payouts-dlq");
    let told = ask(&mut world, after(400), PROD, ("sqs", "ListMessageMoveTasks"), json!({ "SourceArn": source }));
    assert!(told.as_ref().is_ok_and(|told| told.contains("COMPLETED") || told.contains("RUNNING")), "{told:?}");
    let name = ("lambda", "GetFunctionConcurrency");
    let told = ask(&mut world, after(400), PROD, name, json!({ "FunctionName": "wallet-notifier" }));
    assert!(told.as_ref().is_ok_and(|told| told.contains("Number(0)")), "{told:?}");
    let events = ask(&mut world, after(1_000), PROD, ("rds", "DescribeEvents"), json!({ "Duration": "60" }));
    assert!(events.is_ok_and(|told| told.contains("2026-11-21T03:06:5")), "the instance restarted after its reboot");
}

#[test]
fn what_would_happen_to_nothing_or_is_misspelt_is_refused() {
    for (text, words) in [
        ("after = '1m'\ndo = { scale = { service = 'nobody/*', to = 1 } }", "nothing here matches nobody/*"),
        ("after = '1m'\ndo = { consumers = { queue = 'nothing', are = 'down' } }", "nothing here matches nothing"),
        ("after = '1m'\ndo = { fail-over = { database = 'mine' } }", "nothing here matches mine"),
        ("after = '1m'\ndo = { scale = { services = '*', to = 1 } }", "unexpected keys in table: services"),
        ("after = '1m'\ndo = { call = { action = 'sqs:Explode' } }", "nothing here matches sqs:Explode"),
        (
            "after = '1m'\ndo = { call = { action = 'ecs:RunTask', account = '9*' } }",
            "nothing here matches ecs:RunTask",
        ),
        ("after = '1m'\ndo = { explode = 1 }", "unknown variant `explode`"),
        ("after = '1m'\nthen = 'end'\ndo = 'expire-sessions'", "unknown field `then`"),
        ("after = '-1m'\ndo = 'expire-sessions'", "a change comes after the start"),
    ] {
        let error = try_world(&format!("[[at]]\n{text}\n")).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}
