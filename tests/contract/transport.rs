//! Real sockets that fail: whether a send can have been applied, and that it goes out once.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

use opsctl::{
    clock::Clock,
    cloud::{Cloud, Connect, ErrorKind},
    domain::{MessageId, QueueUrl, ReceiptHandle},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::ground::{environment, plain};

/// SQS's answer to a send of one message whose body is `x`.
const SENT: &str =
    r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"9dd4e461268c8034f5c8564e155c67a6"}],"Failed":[]}"#;

async fn cloud(endpoint: String) -> Cloud {
    let connect = Connect::network(Clock::system());
    connect.cloud(Arc::new(environment(Some(endpoint)))).await.expect("fixed keys")
}

async fn send(cloud: &Cloud) -> Result<MessageId, ErrorKind> {
    let url = QueueUrl::from("http://127.0.0.1/1/orders");
    let answer = cloud.sqs.send(&url, &[plain("x")]).await.map_err(|error| error.kind)?;
    match answer.as_slice() {
        [opsctl::cloud::sqs::Entry::Done(id)] => Ok(id.clone()),
        other => panic!("{other:?}"),
    }
}

/// Reads one request to its end; `None` where the connection ends first.
async fn request(stream: &mut TcpStream) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        if body.len() >= length.and_then(|length| length.trim().parse().ok()).unwrap_or(0) {
            return Some(());
        }
    }
}

/// Serves: the first `good` requests are answered, each later one is read and its connection closed.
async fn closing_server(good: u32) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let requests = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                while request(&mut stream).await.is_some() && counted.fetch_add(1, SeqCst) < good {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", SENT.len());
                    if stream.write_all(format!("{head}{SENT}").as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (endpoint, requests)
}

#[tokio::test]
async fn what_cannot_be_reached_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    assert_eq!(send(&cloud(format!("http://{address}")).await).await, Err(ErrorKind::Unreachable), "refused");
    let nowhere = cloud("http://queue.invalid".into()).await;
    assert_eq!(send(&nowhere).await, Err(ErrorKind::Unreachable), "no such name");
    let (plain_text, requests) = closing_server(0).await;
    let tls = cloud(plain_text.replace("http://", "https://")).await;
    assert_eq!((send(&tls).await, requests.load(SeqCst)), (Err(ErrorKind::Unreachable), 0), "no TLS there");
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_send_went_out_once() {
    let (endpoint, requests) = closing_server(0).await;
    assert_eq!(send(&cloud(endpoint).await).await, Err(ErrorKind::Unknown));
    assert_eq!(requests.load(SeqCst), 1);
}

#[tokio::test]
async fn a_send_on_a_connection_kept_alive_goes_out_once_too() {
    let (endpoint, requests) = closing_server(2).await;
    let cloud = cloud(endpoint).await;
    for _ in 0..2 {
        assert_eq!(send(&cloud).await, Ok(MessageId("m".into())));
    }
    assert_eq!(send(&cloud).await, Err(ErrorKind::Unknown));
    assert_eq!(requests.load(SeqCst), 3, "the HTTP client repeats nothing by itself");
}

#[tokio::test]
async fn a_delete_whose_answers_are_lost_is_tried_three_times() {
    let (endpoint, requests) = closing_server(0).await;
    let cloud = cloud(endpoint).await;
    let url = QueueUrl::from("http://127.0.0.1/1/orders");
    let error = cloud.sqs.delete(&url, &[ReceiptHandle("r".into())]).await.expect_err("no answer");
    assert_eq!((error.kind, requests.load(SeqCst)), (ErrorKind::Unknown, 3), "{error}");
}

#[tokio::test]
async fn a_silent_server_ends_a_send_after_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let cloud = cloud(endpoint).await;
    let before = std::time::Instant::now();
    assert_eq!(send(&cloud).await, Err(ErrorKind::Unknown));
    assert!((9..15).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
}
