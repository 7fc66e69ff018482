//! Calls that opsctl writes itself, beside the same calls of the services' own clients: host, path, headers, signed scope and body
//! are the same, in each of AWS's partitions.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::{body::SdkBody, retry::RetryConfig};
use aws_types::{SdkConfig, region::Region};
use jiff::Timestamp;
use opsctl::{
    clock::Clock,
    cloud::{Cloud, Connect, logs::From},
    domain::{Environment, MappingId, Protection, TargetGroupArn},
};

use crate::support::stage::environment;

/// One of each of AWS's partitions (AWS SDK, `partitions.json`).
const REGIONS: [&str; 6] =
    ["eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1"];
/// Headers that differ from call to call, or name the client.
const OWN: [&str; 5] = ["x-amz-date", "amz-sdk-invocation-id", "user-agent", "x-amz-user-agent", "authorization"];

#[derive(Debug, PartialEq)]
struct Sent {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    /// The authorization without its signature.
    scope: String,
    body: Body,
}

/// A body by what it means.
#[derive(Debug, PartialEq)]
enum Body {
    Json(serde_json::Value),
    Form(BTreeMap<String, String>),
    None,
}

/// Takes requests down, and refuses them.
#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Sent>>>);

impl Recorder {
    /// What was sent since the last time.
    fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sent(&request));
        let refusal = HttpResponse::new(400.try_into().expect("a status"), SdkBody::from(""));
        HttpConnectorFuture::ready(Ok(refusal))
    }
}

impl HttpClient for Recorder {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn sent(request: &HttpRequest) -> Sent {
    let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
    let text = std::str::from_utf8(request.body().bytes().unwrap_or_default()).expect("UTF-8").to_owned();
    let body = match header("content-type").as_str() {
        "application/x-www-form-urlencoded" => {
            let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            Body::Form(text.split('&').filter_map(pair).collect())
        }
        _ if text.is_empty() => Body::None,
        _ => Body::Json(serde_json::from_str(&text).expect("JSON")),
    };
    let headers = request.headers().iter().filter(|(name, _)| !OWN.contains(name));
    // The order of a query's parameters and of JSON's members means nothing, and lengths follow from them.
    let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
    let mut query: Vec<&str> = query.split('&').collect();
    query.sort_unstable();
    Sent {
        method: request.method().to_owned(),
        url: format!("{path}?{}", query.join("&")),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        scope: header("authorization").split(", Signature=").next().unwrap_or_default().to_owned(),
        body,
    }
}

/// Ours and the SDK's clients, on one recorder.
struct Pair {
    recorder: Recorder,
    cloud: Cloud,
    raw: SdkConfig,
}

impl Pair {
    async fn of(environment: Environment) -> Self {
        let recorder = Recorder::default();
        let clock = Clock::virtual_from("2026-11-21T03:00:00Z".parse().expect("a time"), 1.0);
        let http = SharedHttpClient::new(recorder.clone());
        let keys = Credentials::new("111111111111", "sandbox", None, None, "test");
        let mut raw = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(Region::new(environment.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .time_source(clock)
            .sleep_impl(clock)
            .http_client(http.clone());
        raw.set_endpoint_url(environment.endpoint.clone());
        let cloud = Connect::through(clock, http).cloud(Arc::new(environment)).await.expect("clients");
        Self { recorder, cloud, raw: raw.build() }
    }

    /// What both calls sent; both are refused.
    async fn same<A, B>(&self, ours: impl Future<Output = A>, theirs: impl Future<Output = B>) {
        ours.await;
        let ours = self.recorder.take();
        theirs.await;
        let theirs = self.recorder.take();
        assert_eq!(ours.len(), 1, "{ours:#?}");
        assert_eq!(ours, theirs);
    }
}

async fn compare(environment: Environment) {
    let pair = Pair::of(environment).await;
    let (cloud, raw) = (&pair.cloud, &pair.raw);
    let ssm = aws_sdk_ssm::Client::new(raw);
    let names = ["/a b/ü".to_owned()];
    let theirs = ssm.get_parameters().names(&names[0]).with_decryption(true).send();
    pair.same(cloud.parameters.get(&names), theirs).await;

    let elb = aws_sdk_elasticloadbalancingv2::Client::new(raw);
    let group = TargetGroupArn("arn:aws:elasticloadbalancing:r:1:targetgroup/a/1".to_owned());
    let theirs = elb.describe_target_health().target_group_arn(&group.0).send();
    pair.same(cloud.load_balancers.health(&group), theirs).await;

    let lambda = aws_sdk_lambda::Client::new(raw);
    // A header says how often it may be tried.
    let once = aws_sdk_lambda::config::Builder::from(raw).retry_config(RetryConfig::disabled()).build();
    let once = aws_sdk_lambda::Client::from_conf(once);
    pair.same(cloud.lambda.mappings(), lambda.list_event_source_mappings().max_items(100).send()).await;
    for id in ["91eaeb7e-c976-1234-9451-8709db01f137", "a b/ü?"] {
        let mapping = MappingId(id.to_owned());
        pair.same(cloud.lambda.mapping(&mapping), lambda.get_event_source_mapping().uuid(id).send()).await;
        let theirs = once.update_event_source_mapping().uuid(id).enabled(false).send();
        pair.same(cloud.lambda.set_enabled(&mapping, false), theirs).await;
    }
    compare_logs(&pair).await;

    let scaling = aws_sdk_applicationautoscaling::Client::new(raw);
    cloud.autoscaling.services().await.expect_err("refused");
    let ours = pair.recorder.take();
    let targets = scaling.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs);
    targets.scalable_dimension(ScalableDimension::EcsServiceDesiredCount).send().await.expect_err("refused");
    scaling.describe_scheduled_actions().service_namespace(ServiceNamespace::Ecs).send().await.expect_err("refused");
    // The first that is refused ends the other.
    assert!(!ours.is_empty());
    assert_eq!(ours[..], pair.recorder.take()[..ours.len()]);
}

async fn compare_logs(pair: &Pair) {
    let (cloud, logs) = (&pair.cloud, aws_sdk_cloudwatchlogs::Client::new(&pair.raw));
    let theirs = logs.describe_log_groups().log_group_name_prefix("/g").limit(50).send();
    pair.same(cloud.logs.groups("/g"), theirs).await;
    let theirs = logs.describe_log_groups().log_group_name_prefix("/g").limit(1).send();
    pair.same(cloud.logs.has_group("/g"), theirs).await;
    let streams = || logs.describe_log_streams().log_group_name("/g").limit(50);
    pair.same(cloud.logs.streams("/g", ""), streams().send()).await;
    pair.same(cloud.logs.streams("/g", "s"), streams().log_stream_name_prefix("s").send()).await;
    let events = || logs.get_log_events().log_group_name("/g").log_stream_name("s");
    let page = || events().start_from_head(true).limit(1_000);
    pair.same(cloud.logs.page("/g", "s", &From::Start), page().send()).await;
    let at = From::Time(Timestamp::from_millisecond(1_795_230_000_123).expect("a time"));
    pair.same(cloud.logs.page("/g", "s", &at), page().start_time(1_795_230_000_123).send()).await;
    pair.same(cloud.logs.page("/g", "s", &From::Token("f/1".to_owned())), page().next_token("f/1").send()).await;
    pair.same(cloud.logs.last("/g", "s"), events().start_from_head(false).limit(100).send()).await;
    let since = Timestamp::UNIX_EPOCH;
    let search = || logs.filter_log_events().log_group_name("/g").start_time(0);
    pair.same(cloud.logs.search("/g", "", since, 10), search().send()).await;
    pair.same(cloud.logs.search("/g", "\"a b\"", since, 10), search().filter_pattern("\"a b\"").send()).await;
}

#[tokio::test(start_paused = true)]
async fn requests_are_those_of_the_services_own_clients_in_every_partition() {
    for region in REGIONS {
        compare(Environment { region: region.to_owned(), ..environment(Protection::Confirm) }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_those_of_the_services_own_clients_at_an_endpoint() {
    for endpoint in ["http://127.0.0.1:4566", "https://sqs.example.com/base"] {
        let endpoint = Some(endpoint.to_owned());
        compare(Environment { endpoint, ..environment(Protection::Confirm) }).await;
    }
}
