//! Faults below the SDK's retries.

use std::time::Duration;

use aws_sdk_sqs::{Client, error::ProvideErrorMetadata, error::SdkError};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use opsctl::sandbox::{
    Options, Sandbox,
    world::{Fault, FaultKind},
};

use super::{ACCOUNT, Served, configuration, in_process, sandbox, sandbox_with};

fn inject(sandbox: &Sandbox, kind: FaultKind) {
    let fault = Fault { call: "SendMessage".to_owned(), queue: None, nth: 1, times: 1, kind };
    sandbox.with(|world, _| world.faults.add(fault));
}

struct Scene {
    sandbox: Sandbox,
    client: Client,
    url: String,
    _served: Option<Served>,
}

/// A queue and a client that calls once, in process or over loopback.
async fn scene(serve: bool, retry: RetryConfig) -> Scene {
    let sandbox = sandbox();
    let builder = configuration(&sandbox, ACCOUNT).retry_config(retry);
    let timeout = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(2)).build();
    let builder = builder.timeout_config(timeout);
    let served = if serve { Some(Served::new(&sandbox).await) } else { None };
    let configuration = match &served {
        Some(served) => builder.endpoint_url(&served.url).build(),
        None => builder.http_client(sandbox.http_client()).build(),
    };
    let client = Client::new(&configuration);
    let url = client.create_queue().queue_name("orders").send().await.expect("created").queue_url.expect("a URL");
    Scene { sandbox, client, url, _served: served }
}

impl Scene {
    async fn send(&self) -> Result<(), SdkError<aws_sdk_sqs::operation::send_message::SendMessageError>> {
        self.client.send_message().queue_url(&self.url).message_body("body").send().await.map(drop)
    }

    async fn messages(&self) -> usize {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
        request.send().await.expect("received").messages().len()
    }
}

#[tokio::test]
async fn answers_that_are_errors() {
    for (kind, code) in [
        (FaultKind::Throttled, "RequestThrottled"),
        (FaultKind::Denied, "AccessDenied"),
        (FaultKind::ExpiredCredentials, "ExpiredToken"),
        (FaultKind::ClockSkew, "SignatureDoesNotMatch"),
        (FaultKind::ServerError(503), "ServiceUnavailable"),
        (FaultKind::ServerError(500), "InternalFailure"),
    ] {
        for serve in [false, true] {
            let scene = scene(serve, RetryConfig::disabled()).await;
            inject(&scene.sandbox, kind);
            let error = scene.send().await.expect_err("a fault");
            assert_eq!(error.code(), Some(code), "{kind:?}");
            assert_eq!(scene.messages().await, 0, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn connections_that_break() {
    for (kind, applied) in [(FaultKind::Refused, 0), (FaultKind::LostBefore, 0), (FaultKind::LostAfter, 1)] {
        for serve in [false, true] {
            let scene = scene(serve, RetryConfig::disabled()).await;
            inject(&scene.sandbox, kind);
            let error = scene.send().await.expect_err("a fault");
            assert!(matches!(error, SdkError::DispatchFailure(_)), "{kind:?} {error:?}");
            assert_eq!(scene.messages().await, applied, "{kind:?} served: {serve}");
        }
    }
}

#[tokio::test]
async fn the_sdk_retries_what_is_lost_and_so_doubles_a_message() {
    let scene = scene(false, RetryConfig::standard()).await;
    inject(&scene.sandbox, FaultKind::LostAfter);
    scene.send().await.expect("sent at the second attempt");
    assert_eq!(scene.messages().await, 2);
}

#[tokio::test]
async fn a_half_open_connection_ends_at_the_deadline() {
    for serve in [false, true] {
        let scene = scene(serve, RetryConfig::disabled()).await;
        inject(&scene.sandbox, FaultKind::Hang);
        let error = scene.send().await.expect_err("a fault");
        assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
        assert_eq!(scene.messages().await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_comes_late() {
    let scene = scene(false, RetryConfig::disabled()).await;
    inject(&scene.sandbox, FaultKind::Slow(Duration::from_millis(1_500)));
    let before = scene.sandbox.clock().now();
    scene.send().await.expect("sent");
    assert_eq!(scene.sandbox.clock().now().duration_since(before).as_millis(), 1_500);
}

#[tokio::test(start_paused = true)]
async fn latency_is_the_time_to_every_answer() {
    let sandbox = sandbox_with(Options { latency: Duration::from_millis(10), speed: 10.0, ..Options::default() });
    let client = Client::new(&in_process(&sandbox));
    let before = sandbox.clock().now();
    for _ in 0..5 {
        client.list_queues().send().await.expect("listed");
    }
    // Timers are as fine as a millisecond of real time: ten of this clock's.
    let passed = sandbox.clock().now().duration_since(before).as_millis();
    assert!((50..=100).contains(&passed), "{passed} ms");
}
