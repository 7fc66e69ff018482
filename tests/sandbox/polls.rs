//! Long polls.

use std::time::Duration;

use aws_sdk_sqs::Client;

use super::{in_process, sandbox};

async fn poll(client: &Client, url: &str) -> usize {
    let request = client.receive_message().queue_url(url).wait_time_seconds(20);
    request.send().await.expect("received").messages().len()
}

#[tokio::test(start_paused = true)]
async fn an_empty_poll_takes_its_twenty_seconds() {
    let sandbox = sandbox();
    let client = Client::new(&in_process(&sandbox));
    let url = client.create_queue().queue_name("orders").send().await.expect("created").queue_url.expect("a URL");
    let before = sandbox.clock().now();
    assert_eq!(poll(&client, &url).await, 0);
    assert_eq!(sandbox.clock().now().duration_since(before).as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_poll_ends_when_a_message_is_sent() {
    let sandbox = sandbox();
    let client = Client::new(&in_process(&sandbox));
    let url = client.create_queue().queue_name("orders").send().await.expect("created").queue_url.expect("a URL");
    let before = sandbox.clock().now();
    let send = async {
        sandbox.clock().sleep(Duration::from_secs(5)).await;
        client.send_message().queue_url(&url).message_body("now").send().await.expect("sent");
    };
    let (found, ()) = tokio::join!(poll(&client, &url), send);
    assert_eq!(found, 1);
    assert_eq!(sandbox.clock().now().duration_since(before).as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_poll_ends_when_a_message_shows_again_by_itself() {
    let sandbox = sandbox();
    let client = Client::new(&in_process(&sandbox));
    let url = client.create_queue().queue_name("orders").send().await.expect("created").queue_url.expect("a URL");
    client.send_message().queue_url(&url).message_body("later").delay_seconds(12).send().await.expect("sent");
    let before = sandbox.clock().now();
    assert_eq!(poll(&client, &url).await, 1);
    assert_eq!(sandbox.clock().now().duration_since(before).as_secs(), 12);
}
