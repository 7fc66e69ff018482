//! `sandbox serve` and joining it.

use std::path::{Path, PathBuf};

use aws_sdk_sqs::Client;
use clap::Parser;
use opsctl::sandbox::{
    join,
    serve::{self, Serve, ServeError},
};
use tokio::{sync::oneshot, task::JoinHandle};

use super::ACCOUNT;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    serve: Serve,
}

fn arguments(words: &[&str]) -> Serve {
    Arguments::parse_from(["serve"].iter().chain(words)).serve
}

struct Serving {
    task: JoinHandle<(Result<(), ServeError>, String)>,
    stop: oneshot::Sender<()>,
}

fn serve(args: Serve, state_file: PathBuf) -> Serving {
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let mut out = Vec::new();
        let shutdown = async move { drop(stopped.await) };
        let result = serve::run(&args, &state_file, &mut out, shutdown).await;
        (result, String::from_utf8(out).expect("text"))
    });
    Serving { task, stop }
}

/// The state file comes once the port is open.
async fn joined(state_file: &Path) -> join::Joined {
    for _ in 0..500 {
        let path = state_file.to_owned();
        if let Some(joined) = tokio::task::spawn_blocking(move || join::running_at(&path)).await.expect("asked") {
            return joined;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no sandbox answers");
}

fn client(joined: &join::Joined) -> Client {
    let configuration = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(aws_sdk_sqs::config::Region::from_static("af-south-1"))
        .credentials_provider(aws_credential_types::Credentials::new(ACCOUNT, "sandbox", None, None, "test"))
        .endpoint_url(&joined.endpoint)
        .http_client(opsctl::cloud::network_client())
        .build();
    Client::from_conf(configuration)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_served_sandbox_is_found_joined_and_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let state_file = folder.path().join("opsctl/sandbox.json");
    let serving = serve(arguments(&["--port", "0", "--empty", "--speed", "10", "--seed", "42"]), state_file.clone());
    let joined = joined(&state_file).await;
    assert_eq!((joined.seed, joined.speed, joined.pid), (42, 10.0, std::process::id()));
    let lag = joined.clock.now().duration_since(jiff::Timestamp::now()).as_secs().abs();
    assert!(lag < 60, "{lag} s");
    let environments = join::environments(&joined);
    assert!(environments.iter().all(|environment| environment.endpoint.as_deref() == Some(joined.endpoint.as_str())));
    client(&joined).create_queue().queue_name("orders").send().await.expect("created");
    serving.stop.send(()).expect("serving");
    let (result, out) = serving.task.await.expect("ended");
    result.expect("served");
    assert!(out.contains(&format!("export AWS_ENDPOINT_URL={}\n", joined.endpoint)), "{out}");
    assert!(!state_file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_empties_the_world_only_where_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    for (words, status, queues) in
        [(&["--port", "0", "--empty"][..], 404, 1), (&["--port", "0", "--empty", "--allow-reset"][..], 200, 0)]
    {
        let state_file = folder.path().join(format!("{queues}/sandbox.json"));
        let serving = serve(arguments(words), state_file.clone());
        let joined = joined(&state_file).await;
        let client = client(&joined);
        client.create_queue().queue_name("orders").send().await.expect("created");
        assert_eq!(post(&joined.endpoint, "/moto-api/reset").await, status);
        assert_eq!(client.list_queues().send().await.expect("listed").queue_urls().len(), queues);
        drop(serving.stop);
        serving.task.await.expect("ended").0.expect("served");
    }
}

/// The status of an empty POST.
async fn post(endpoint: &str, path: &str) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let authority = endpoint.strip_prefix("http://").expect("http");
    let mut stream = tokio::net::TcpStream::connect(authority).await.expect("connected");
    let request =
        format!("POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_so() {
    let taken = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let serving = serve(arguments(&["--empty", "--port", &port]), folder.path().join("sandbox.json"));
    let error = serving.task.await.expect("ended").0.expect_err("taken").to_string();
    assert!(
        error.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")) && error.contains("--port 0"),
        "{error}"
    );
}

#[tokio::test]
async fn a_fault_file_is_read_and_its_mistakes_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("faults.toml");
    let words = ["--empty", "--port", "0", "--fault", path.to_str().expect("text")];
    for (text, words_expected) in [
        ("[[fault]]\ncall = 'Send*'\nnth = 2\nkind = 'lost-after'\n", None),
        ("[[fault]]\ncall = 'Send*'\nkind = 'lost'\n", Some("unknown variant `lost`")),
        ("[[denial]]\naccount = '333333333333'\naction = 'Purge*'\n", None),
        ("[[at]]\nafter = '2h 5m'\ndo = { fault = { call = 'sts:*', times = 9, kind = { slow = 3 } } }\n", None),
        ("[[at]]\nafter = '1m'\ndo = { end = 'sts:*' }\nwhen = 1\n", Some("unknown field `when`")),
        ("[[at]]\nafter = '1m'\ndo = { fail-over = { database = 'a*' } }\n", Some("nothing here matches a*")),
    ] {
        std::fs::write(&path, text).expect("written");
        let built = serve::build(&arguments(&words));
        match words_expected {
            None => drop(built.expect("read")),
            Some(expected) => {
                let error = built.expect_err("wrong").to_string();
                assert!(error.contains(expected) && error.contains("faults.toml"), "{error}");
            }
        }
    }
}
