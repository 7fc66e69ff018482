//! Findings on a canned AWS.

use super::*;
use crate::{
    cloud::canned::{Canned, CannedAws, environment},
    domain::{AccountId, CredentialSource},
};

const CALLER: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"#;

fn caller_at(date: &str) -> Canned {
    Canned::Answer(200, vec![("date", date.to_owned())], CALLER.to_owned())
}

fn good(asked: &str) -> Canned {
    let body = match asked {
        "ListQueues" => r#"{"QueueUrls":["https://sqs/1/orders","https://sqs/1/orders-dlq"]}"#,
        "GetQueueAttributes" => r#"{"Attributes":{"QueueArn":"arn:aws:sqs:eu-west-1:123456789012:orders-dlq"}}"#,
        "GetQueueUrl" => r#"{"QueueUrl":"https://sqs/1/orders-dlq"}"#,
        "ListQueueTags" => "{}",
        "ListDeadLetterSourceQueues" => r#"{"queueUrls":[]}"#,
        "ListMessageMoveTasks" => r#"{"Results":[]}"#,
        "ListClusters" => r#"{"clusterArns":[]}"#,
        "DescribeScalableTargets" => r#"{"ScalableTargets":[]}"#,
        "DescribeScheduledActions" => r#"{"ScheduledActions":[]}"#,
        body if body.contains("Action=Describe") => {
            let action = body.split(['=', '&']).nth(1).unwrap_or_default();
            let body = format!("<{action}Response><{action}Result></{action}Result></{action}Response>");
            return Canned::body(200, &body);
        }
        // Lambda is asked by path alone.
        "" | "GetMetricData" | "DescribeAlarms" | "ListAlarmMuteRules" | "ListRules" => return Canned::body(200, "{}"),
        _ => return caller_at("Sat, 21 Nov 2026 03:00:01 GMT"),
    };
    Canned::body(200, body)
}

fn pinned(account: &str) -> Arc<Environment> {
    Arc::new(Environment { account: Some(AccountId(account.into())), ..environment() })
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}: {}", finding.verdict, finding.check, finding.what)).collect()
}

async fn look_at(environment: Arc<Environment>, aws: &CannedAws) -> Vec<Finding> {
    examine(&environment, &aws.connect(), &Surroundings::default()).await
}

#[tokio::test(start_paused = true)]
async fn all_is_well() {
    let aws = CannedAws::by(good);
    let findings = look_at(pinned("123456789012"), &aws).await;
    assert_eq!(
        lines(&findings),
        [
            "ok endpoint: asks AWS itself",
            "ok credentials: arn:aws:iam::123456789012:user/ann, from fixed keys",
            "ok account: 123456789012, as pinned",
            "ok clock: within 30 s of AWS's",
            "ok region: SQS answers for eu-west-1",
            "ok permission: sqs:ListQueues answers",
            "ok permission: sqs:GetQueueAttributes answers",
            "ok permission: sqs:GetQueueUrl answers",
            "ok permission: sqs:ListQueueTags answers",
            "ok permission: sqs:ListDeadLetterSourceQueues answers",
            "ok permission: cloudwatch:GetMetricData answers",
            "ok permission: sqs:ListMessageMoveTasks answers",
            "ok permission: ecs:ListClusters answers",
            "ok permission: application-autoscaling:DescribeScalableTargets, DescribeScheduledActions answers",
            "ok permission: rds:DescribeDBClusters, DescribeDBInstances answers",
            "ok permission: rds:DescribePendingMaintenanceActions answers",
            "ok permission: rds:DescribeEvents answers",
            "ok permission: rds:DescribeGlobalClusters answers",
            "ok permission: cloudwatch:DescribeAlarms answers",
            "ok permission: cloudwatch:ListAlarmMuteRules answers",
            "ok permission: lambda:ListEventSourceMappings answers",
            "ok permission: lambda:ListFunctions answers",
            "ok permission: events:ListRules answers",
        ]
    );
    let writes = ["ReceiveMessage", "SendMessageBatch", "DeleteMessageBatch", "StartMessageMoveTask"];
    assert!(aws.asked().iter().all(|asked| !writes.contains(&asked.as_str())), "{:?}", aws.asked());
}

#[tokio::test(start_paused = true)]
async fn the_wrong_account_is_a_problem_and_none_a_warning() {
    let aws = CannedAws::by(good);
    let findings = look_at(pinned("999999999999"), &aws).await;
    assert_eq!(findings[2].verdict, Verdict::Problem);
    assert_eq!(findings[2].what.as_str(), "the credentials are of account 123456789012, 999999999999 is pinned");
    let findings = look_at(Arc::new(environment()), &aws).await;
    assert_eq!(findings[2].verdict, Verdict::Warning);
    let try_ = findings[2].try_.as_ref().map(Text::as_str);
    assert_eq!(try_, Some("write `account = \"123456789012\"`, if that is the one"));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_told_even_when_it_is_what_aws_refuses() {
    let skewed = |_: &str| {
        let Canned::Answer(_, _, body) = Canned::sts_error(403, "RequestTimeTooSkewed", "off") else { unreachable!() };
        Canned::Answer(403, vec![("date", "Sat, 21 Nov 2026 03:10:00 GMT".to_owned())], body)
    };
    let findings = look_at(pinned("123456789012"), &CannedAws::by(skewed)).await;
    let shown = lines(&findings);
    assert_eq!(shown[1], "problem credentials: AWS refuses the signature for its time");
    // Ten minutes, less the pauses between attempts, whose length is left to chance.
    let seconds =
        shown[3].strip_prefix("problem clock: this machine is ").and_then(|rest| rest.strip_suffix(" s behind AWS"));
    let seconds: u32 = seconds.and_then(|seconds| seconds.parse().ok()).expect("a problem with a figure");
    assert!((570..=600).contains(&seconds), "{shown:?}");
    assert_eq!(shown[5], "skipped permission: not looked at");
    let early = |_: &str| caller_at("Sat, 21 Nov 2026 02:59:00 GMT");
    let findings = look_at(pinned("123456789012"), &CannedAws::by(early)).await;
    assert_eq!(lines(&findings)[3], "warning clock: this machine is 60 s ahead of AWS");
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_skip_the_rest() {
    let expired = |_: &str| Canned::sts_error(403, "ExpiredToken", "The security token is \u{202e}expired");
    let findings = look_at(pinned("123456789012"), &CannedAws::by(expired)).await;
    let shown = lines(&findings);
    assert_eq!(shown[1], "problem credentials: fixed keys: expired, or no longer valid");
    assert!(shown[2..].iter().all(|line| line.starts_with("skipped")), "{shown:?}");
    assert!(!format!("{findings:?}").contains('\u{202e}'));
}

#[tokio::test(start_paused = true)]
async fn a_denial_says_what_is_missing_and_what_to_allow() {
    let denied = |asked: &str| match asked {
        "ListMessageMoveTasks" => Canned::sqs_error(
            400,
            "AccessDeniedException",
            "AccessDenied",
            "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: sqs:listmessagemovetasks on resource: arn:aws:sqs:eu-west-1:123456789012:orders-dlq",
        ),
        asked => good(asked),
    };
    let findings = look_at(pinned("123456789012"), &CannedAws::by(denied)).await;
    let last = findings.iter().rfind(|finding| finding.what.as_str().starts_with("sqs:ListMessageMoveTasks"));
    let last = last.expect("a finding");
    assert_eq!(last.verdict, Verdict::Warning);
    assert!(last.what.as_str().starts_with("sqs:ListMessageMoveTasks is denied: SQS's own redrives"), "{}", last.what);
    let resource = "arn:aws:sqs:eu-west-1:123456789012:orders-dlq";
    let hint = format!("allow sqs:ListMessageMoveTasks on {resource} for the credentials of dev");
    assert_eq!(last.try_.as_ref().map(Text::as_str), Some(hint.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_region_without_sqs_is_a_problem() {
    let nowhere = |asked: &str| if asked == "ListQueues" { Canned::Refused } else { good(asked) };
    let shown = lines(&look_at(pinned("123456789012"), &CannedAws::by(nowhere)).await);
    assert_eq!(shown[4..], ["problem region: no SQS answers for eu-west-1", "skipped permission: not looked at"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_environment_delays_nobody_and_ends() {
    let silent = |asked: &str| if asked.starts_with("Action=") { good(asked) } else { Canned::Silence };
    let dead = CannedAws::by(silent);
    let connect = dead.connect();
    let started = connect.clock.now();
    let all = vec![pinned("123456789012"); 20];
    let findings = examine_all(&all, &connect, &Surroundings::default()).await;
    let took = connect.clock.now().duration_since(started).as_secs();
    assert!(took <= 30, "{took} s for twenty at once");
    assert_eq!(findings.iter().filter(|finding| finding.check == Check::Permission).count() % 20, 0);
    assert!(findings.iter().any(|finding| finding.check == Check::Permission && finding.verdict != Verdict::Ok));
}

#[tokio::test(start_paused = true)]
async fn a_stray_endpoint_is_worse_where_names_are_typed() {
    let aws = CannedAws::by(good);
    let surroundings =
        Surroundings { stray_endpoint: Some("AWS_ENDPOINT_URL=http://localhost:4566".into()), has_keys: false };
    for (protection, verdict) in [(Protection::Confirm, Verdict::Warning), (Protection::TypeName, Verdict::Problem)] {
        let environment = Arc::new(Environment { protection, ..environment() });
        let findings = examine(&environment, &aws.connect(), &surroundings).await;
        assert_eq!(findings[0].verdict, verdict);
        assert_eq!(findings[0].what.as_str(), "asks AWS; AWS_ENDPOINT_URL=http://localhost:4566 is ignored here");
    }
}

#[test]
fn keys_of_the_shell_are_no_worry_where_an_endpoint_is_set() {
    let surroundings = Surroundings { stray_endpoint: None, has_keys: true };
    for (endpoint, verdict) in [(None, Verdict::Warning), (Some("http://127.0.0.1:4566".to_owned()), Verdict::Ok)] {
        let credentials = CredentialSource::Default;
        let environment = Arc::new(Environment { credentials, endpoint, ..environment() });
        let mut findings = Findings::new(&environment);
        let caller = Caller {
            account: AccountId("123456789012".to_owned()),
            arn: "arn:aws:iam::123456789012:user/ann".to_owned(),
        };
        super::credentials(&mut findings, &caller, &surroundings, &[]);
        assert_eq!(findings.into_vec()[0].verdict, verdict);
    }
}

#[tokio::test(start_paused = true)]
async fn target_health_that_is_denied_is_told_with_what_is_lost() {
    const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/0123456789abcdef";
    let aws = CannedAws::by(|asked| {
        let denied = asked.contains("Action=DescribeTargetHealth");
        let body = match asked {
            "ListClusters" => r#"{"clusterArns":["arn:aws:ecs:eu-west-1:123456789012:cluster/main"]}"#.to_owned(),
            "ListServices" => r#"{"serviceArns":["arn:aws:ecs:eu-west-1:123456789012:service/main/api"]}"#.to_owned(),
            "DescribeServices" => format!(
                r#"{{"services":[{{"serviceName":"api","clusterArn":"cluster/main","loadBalancers":[{{"targetGroupArn":"{GROUP}"}}]}}]}}"#
            ),
            "ListTasks" => r#"{"taskArns":[]}"#.to_owned(),
            _ if denied => {
                let error = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>";
                return Canned::body(403, &format!("<ErrorResponse>{error}</ErrorResponse>"));
            }
            _ => return good(asked),
        };
        Canned::body(200, &body)
    });
    let lines = lines(&look_at(pinned("123456789012"), &aws).await);
    let told = "warning permission: elasticloadbalancing:DescribeTargetHealth is denied: a wake goes by what ECS says";
    assert!(lines.iter().any(|line| line.starts_with(told)), "{lines:#?}");
    assert!(lines.contains(&"ok permission: ecs:DescribeServices answers".to_owned()), "{lines:#?}");
}

/// An emulator that has queues and nothing else: one line for each service, and none that asks for a request to be corrected.
#[tokio::test(start_paused = true)]
async fn services_that_an_endpoint_lacks_are_one_line_each() {
    let queues_only = |asked: &str| match asked {
        "ListQueues" | "GetQueueAttributes" | "GetQueueUrl" | "ListQueueTags" | "ListDeadLetterSourceQueues" => {
            good(asked)
        }
        _ if asked.starts_with("Action=GetCallerIdentity") => good(asked),
        _ => Canned::body(400, r#"{"__type":"InvalidAction","message":"The action is not valid for this endpoint."}"#),
    };
    let endpoint = Some("http://127.0.0.1:9324".to_owned());
    let environment =
        Arc::new(Environment { endpoint, account: Some(AccountId("123456789012".into())), ..environment() });
    let findings = look_at(environment, &CannedAws::by(queues_only)).await;
    let lacking: Vec<&str> =
        findings.iter().map(|finding| finding.what.as_str()).filter(|what| what.starts_with("this endpoint")).collect();
    for (service, count) in [("CloudWatch", 1), ("ECS", 1), ("RDS", 1), ("Application Auto Scaling", 1)] {
        let of_it =
            lacking.iter().filter(|what| what.starts_with(&format!("this endpoint has no {service}: "))).count();
        assert_eq!(of_it, count, "{service}: {lacking:#?}");
    }
    assert!(
        lacking.iter().any(|what| what.starts_with("this endpoint's SQS does not know ListMessageMoveTasks")),
        "{lacking:#?}"
    );
    assert!(findings.iter().all(|finding| finding.verdict != Verdict::Problem), "{findings:#?}");
    assert!(!format!("{findings:?}").contains("correct the request"));
}
