//! SQS, met by the SDK's client in process and over loopback.

use aws_sdk_sqs::{
    Client,
    error::ProvideErrorMetadata,
    types::{DeleteMessageBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry},
};
use aws_smithy_types::Blob;

use super::{Served, in_process, sandbox};

async fn queue(client: &Client, name: &str) -> String {
    client.create_queue().queue_name(name).send().await.expect("created").queue_url.expect("a URL")
}

/// Sends, receives and deletes a batch with attributes.
async fn round_trip(client: &Client) {
    let url = queue(client, "orders").await;
    let attribute = MessageAttributeValue::builder()
        .data_type("Binary.png")
        .binary_value(Blob::new([0, 255, 7]))
        .build()
        .expect("an attribute");
    let entry = |id: usize| {
        let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(format!("body {id}"));
        entry.message_attributes("picture", attribute.clone()).build().expect("an entry")
    };
    let entries = (0..10).map(entry).collect();
    let sent = client.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.expect("sent");
    assert_eq!((sent.successful().len(), sent.failed().len()), (10, 0));
    let received = client
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .wait_time_seconds(1)
        .message_attribute_names("All")
        .send()
        .await
        .expect("received");
    assert_eq!(received.messages().len(), 10);
    let first = &received.messages()[0];
    assert_eq!(first.message_attributes().expect("attributes")["picture"], attribute);
    let entry = |(id, message): (usize, &aws_sdk_sqs::types::Message)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(id.to_string());
        entry.receipt_handle(message.receipt_handle().unwrap_or_default()).build().expect("an entry")
    };
    let entries = received.messages().iter().enumerate().map(entry).collect();
    let deleted =
        client.delete_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.expect("deleted");
    assert_eq!((deleted.successful().len(), deleted.failed().len()), (10, 0));
}

#[tokio::test]
async fn a_batch_goes_round_in_process() {
    round_trip(&Client::new(&in_process(&sandbox()))).await;
}

#[tokio::test]
async fn a_batch_goes_round_over_loopback() {
    let sandbox = sandbox();
    let served = Served::new(&sandbox).await;
    let client = Client::new(&served.configuration(&sandbox));
    round_trip(&client).await;
    let url = client.get_queue_url().queue_name("orders").send().await.expect("there").queue_url.expect("a URL");
    assert!(url.starts_with(&served.url), "{url}");
}

#[tokio::test]
async fn a_missing_queue_is_the_modelled_error() {
    let sandbox = sandbox();
    let served = Served::new(&sandbox).await;
    for configuration in [in_process(&sandbox), served.configuration(&sandbox)] {
        let client = Client::new(&configuration);
        let error = client.get_queue_url().queue_name("none").send().await.expect_err("missing");
        assert_eq!(error.code(), Some("AWS.SimpleQueueService.NonExistentQueue"));
        assert!(error.into_service_error().is_queue_does_not_exist());
    }
}

#[tokio::test]
async fn accounts_do_not_see_one_another() {
    let sandbox = sandbox();
    queue(&Client::new(&in_process(&sandbox)), "orders").await;
    let other = super::configuration(&sandbox, "222222222222").http_client(sandbox.http_client()).build();
    let listed = Client::new(&other).list_queues().send().await.expect("listed");
    assert_eq!(listed.queue_urls().len(), 0);
}
