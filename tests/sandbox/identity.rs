//! STS.

use std::time::Duration;

use aws_sdk_sts::{Client, error::ProvideErrorMetadata};

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
async fn a_wrong_role_is_a_validation_error() {
    let sandbox = sandbox();
    let request = Client::new(&in_process(&sandbox)).assume_role().role_arn("operator").role_session_name("on-call");
    let error = request.send().await.expect_err("refused");
    assert_eq!(error.code(), Some("ValidationError"));
}
