//! STS.

use std::time::Duration;

use aws_sdk_sts::{Client, error::ProvideErrorMetadata};

use opsctl::sandbox::world::Denial;

use super::{ACCOUNT, Served, configuration, in_process, sandbox};

#[tokio::test]
async fn an_access_key_of_twelve_digits_is_its_account() {
    let sandbox = sandbox();
    let served = Served::new(&sandbox).await;
    for configuration in [in_process(&sandbox), served.configuration(&sandbox)] {
        let caller = Client::new(&configuration).get_caller_identity().send().await.expect("an answer");
        assert_eq!(caller.account(), Some(ACCOUNT));
    }
}

#[tokio::test]
async fn other_keys_are_the_default_account() {
    let sandbox = sandbox();
    let configuration = configuration(&sandbox, "testing").http_client(sandbox.http_client()).build();
    let caller = Client::new(&configuration).get_caller_identity().send().await.expect("an answer");
    assert_eq!(caller.account(), Some("123456789012"));
}

#[tokio::test(start_paused = true)]
async fn a_role_is_its_account_until_its_hour_is_over() {
    let sandbox = sandbox();
    let assumed = Client::new(&in_process(&sandbox))
        .assume_role()
        .role_arn("arn:aws:iam::333333333333:role/operator")
        .role_session_name("on-call")
        .send()
        .await
        .expect("assumed");
    let credentials = assumed.credentials().expect("credentials");
    let expiry = credentials.expiration().secs() - sandbox.clock().now().as_second();
    assert_eq!(expiry, 3_600);
    let configuration = configuration(&sandbox, credentials.access_key_id()).http_client(sandbox.http_client()).build();
    let client = Client::new(&configuration);
    let caller = client.get_caller_identity().send().await.expect("an answer");
    assert_eq!(caller.arn(), Some("arn:aws:sts::333333333333:assumed-role/operator/on-call"));
    sandbox.clock().sleep(Duration::from_secs(3_600)).await;
    let error = client.get_caller_identity().send().await.expect_err("expired");
    assert_eq!(error.code(), Some("ExpiredToken"));
}

#[tokio::test]
async fn a_caller_is_the_same_in_sts_in_refusals_and_as_a_sender() {
    let sandbox = sandbox();
    let assumed = Client::new(&in_process(&sandbox)).assume_role().role_arn("arn:aws:iam::333333333333:role/operator");
    let assumed = assumed.role_session_name("on-call").send().await.expect("assumed");
    let session = assumed.credentials().expect("credentials").access_key_id().to_owned();
    for key in [ACCOUNT, "testing", &session] {
        let configuration = configuration(&sandbox, key).http_client(sandbox.http_client()).build();
        let identity = Client::new(&configuration).get_caller_identity().send().await.expect("an answer");
        let (arn, user_id) = (identity.arn().expect("an ARN"), identity.user_id());
        let sqs = aws_sdk_sqs::Client::new(&configuration);
        let made = sqs.create_queue().queue_name("orders").send().await.expect("made");
        let url = made.queue_url().expect("a URL");
        sqs.send_message().queue_url(url).message_body("x").send().await.expect("sent");
        let request = sqs.receive_message().queue_url(url).message_system_attribute_names("SenderId".into());
        let received = request.send().await.expect("an answer");
        let told = received.messages().first().and_then(|message| message.attributes());
        let sender = told.and_then(|told| told.get(&"SenderId".into())).map(String::as_str);
        assert_eq!(sender, user_id, "of {key}");
        let denial = Denial { account: "*".into(), queue: "*".into(), action: "PurgeQueue".into() };
        sandbox.with(|world, _| world.denials.push(denial));
        let error = sqs.purge_queue().queue_url(url).send().await.expect_err("denied");
        let words = error.message().expect("a message").to_owned();
        assert!(words.starts_with(&format!("User: {arn} is not authorized")), "{words}");
    }
}

#[tokio::test]
async fn a_wrong_role_is_a_validation_error() {
    let sandbox = sandbox();
    let request = Client::new(&in_process(&sandbox)).assume_role().role_arn("operator").role_session_name("on-call");
    let error = request.send().await.expect_err("refused");
    assert_eq!(error.code(), Some("ValidationError"));
}
