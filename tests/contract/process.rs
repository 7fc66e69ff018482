//! What the process's environment can and cannot do: each test runs itself again in a process of its own, against a
//! listener that looks at who asks.

use std::{env, fs, process::Stdio, sync::Arc};

use opsctl::{
    clock::Clock,
    cloud::{Connect, connect::stray_endpoint},
    domain::{CredentialSource, Environment, EnvironmentName, Protection, QueueRules, WatchRules},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Command,
};

/// Set in the inner process: the endpoint to ask.
const INNER: &str = "OPSCTL_TEST_INNER_ENDPOINT";
const ANSWER: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"#;

/// Answers one call and returns its head.
async fn answer_one(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.expect("a call");
    let mut request = Vec::new();
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut request).await.expect("readable"), 0, "a whole head");
        assert!(request.len() < 65_536, "a head of some size");
    }
    let length = ANSWER.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(format!("{head}{ANSWER}").as_bytes()).await.expect("writable");
    String::from_utf8_lossy(&request).into_owned()
}

fn environment(credentials: CredentialSource, endpoint: String) -> Arc<Environment> {
    Arc::new(Environment {
        name: EnvironmentName("inner".into()),
        account: None,
        region: "af-south-1".into(),
        credentials,
        role_chain: Vec::new(),
        protection: Protection::Confirm,
        colour: None,
        endpoint: Some(endpoint),
        queues: QueueRules::default(),
        watch: WatchRules::default(),
        services: opsctl::domain::service_rules::ServiceRules::default(),
        databases: opsctl::domain::environment::DatabaseRules::default(),
        invocation: opsctl::domain::Invocation::default(),
        login: Default::default(),
    })
}

/// Runs the test `name` of this file again, with stray keys and a stray endpoint in its environment.
fn inner(name: &str, endpoint: &str, folder: &std::path::Path) -> Command {
    let mut command = Command::new(env::current_exe().expect("the test binary"));
    command
        .args(["--exact", &format!("contract::process::{name}"), "--nocapture"])
        .env_clear()
        .env(INNER, endpoint)
        .env("AWS_CONFIG_FILE", folder.join("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("credentials"))
        .env("AWS_ACCESS_KEY_ID", "AKIASTRAY")
        .env("AWS_SECRET_ACCESS_KEY", "stray-secret")
        .env("AWS_PROFILE", "other")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        // Nobody listens on the discard port.
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("AWS_ENDPOINT_URL_STS", "http://someone:password@127.0.0.1:9")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn profiles() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("config"), "[profile mine]\nregion = us-west-2\n[profile other]\n").expect("written");
    let keys = "[mine]\naws_access_key_id = AKIAMINE\naws_secret_access_key = a\n\
        [other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = b\n";
    fs::write(folder.path().join("credentials"), keys).expect("written");
    folder
}

#[tokio::test]
async fn a_profile_wins_over_stray_keys_and_stray_endpoints_move_nothing() {
    if let Ok(endpoint) = env::var(INNER) {
        let environment = environment(CredentialSource::Profile("mine".into()), endpoint);
        let cloud = Connect::network(Clock::system()).cloud(environment).await.expect("the profile is there");
        cloud.identity.caller().await.expect("answered");
        assert_eq!(stray_endpoint().as_deref(), Some("AWS_ENDPOINT_URL_STS=http://127.0.0.1:9"));
        return;
    }
    let folder = profiles();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let name = "a_profile_wins_over_stray_keys_and_stray_endpoints_move_nothing";
    let run = inner(name, &endpoint, folder.path()).output();
    let (request, output) = tokio::select! {
        both = async { tokio::join!(answer_one(listener), run) } => both,
        () = tokio::time::sleep(std::time::Duration::from_secs(60)) => panic!("nobody asked the environment's endpoint"),
    };
    let output = output.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(request.contains("Credential=AKIAMINE/"), "{request}");
    assert!(request.contains("/af-south-1/sts/"), "the environment's region, not the profile's: {request}");
}

#[tokio::test]
async fn a_profile_that_does_not_exist_is_told_with_those_that_do() {
    if let Ok(endpoint) = env::var(INNER) {
        let environment = environment(CredentialSource::Profile("typo".into()), endpoint);
        let error = Connect::network(Clock::system()).cloud(environment).await.expect_err("no such profile");
        assert_eq!(error.kind, opsctl::cloud::ErrorKind::CredentialsMissing);
        assert!(error.message.as_str().contains("there are mine, other"), "{error}");
        return;
    }
    let folder = profiles();
    let name = "a_profile_that_does_not_exist_is_told_with_those_that_do";
    let output = inner(name, "http://127.0.0.1:9", folder.path()).output().await.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
