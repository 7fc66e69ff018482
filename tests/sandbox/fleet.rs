//! The fleet and its actors.

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    types::{MessageSystemAttributeName, QueueAttributeName},
};
use opsctl::sandbox::{
    Options, Sandbox,
    world::{
        World,
        actors::Behaviour,
        fleet::{Amount, Fleet},
    },
};

use super::{configuration, sandbox};

fn fleet(amount: Amount) -> Sandbox {
    let sandbox = sandbox();
    let seed = Options::default().seed;
    sandbox
        .with(|world: &mut World, now| Fleet::built_in().expect("a fleet").settle(world, now, seed, amount))
        .expect("settled");
    sandbox
}

fn client(sandbox: &Sandbox, account: &str) -> Client {
    Client::new(&configuration(sandbox, account).http_client(sandbox.http_client()).build())
}

async fn visible(client: &Client, name: &str) -> u64 {
    let url = client.get_queue_url().queue_name(name).send().await.expect("there").queue_url.expect("a URL");
    let request = client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    let answer = request.send().await.expect("attributes");
    let attributes = answer.attributes().expect("attributes");
    attributes[&QueueAttributeName::ApproximateNumberOfMessages].parse().expect("a number")
}

#[tokio::test]
async fn a_dead_letter_knows_its_source_and_time() {
    let sandbox = fleet(Amount::AtMost(50));
    let client = client(&sandbox, "111111111111");
    let url = client.get_queue_url().queue_name("cts-dlq").send().await.expect("there").queue_url.expect("a URL");
    let request = client.receive_message().queue_url(&url).max_number_of_messages(10);
    let answer =
        request.message_system_attribute_names(MessageSystemAttributeName::All).send().await.expect("received");
    let sources: std::collections::BTreeSet<_> = answer
        .messages()
        .iter()
        .map(|message| {
            &message.attributes().expect("attributes")[&MessageSystemAttributeName::DeadLetterQueueSourceArn]
        })
        .map(|arn| arn.rsplit(':').next().unwrap_or_default())
        .collect();
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["cts-callbacks", "cts-commands"]);
    let attributes = answer.messages()[0].attributes().expect("attributes");
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "5");
    let sent: i64 = attributes[&MessageSystemAttributeName::SentTimestamp].parse().expect("a number");
    assert_eq!((sandbox.clock().now().as_millisecond() - sent) / 3_600_000, 12);
}

#[tokio::test]
async fn every_account_has_its_queues_and_parameters() {
    let sandbox = fleet(Amount::AtMost(5));
    let mut queues = 0;
    for account in ["111111111111", "222222222222", "333333333333"] {
        let listed = client(&sandbox, account).list_queues().send().await.expect("listed");
        queues += listed.queue_urls().len();
    }
    assert!(queues >= 60, "{queues}");
    let configuration = configuration(&sandbox, "333333333333").http_client(sandbox.http_client()).build();
    let parameters = aws_sdk_ssm::Client::new(&configuration);
    let answer = parameters.get_parameter().name("/storo/prod/sns/events-transfers/arn").send().await.expect("there");
    let value = answer.parameter.and_then(|parameter| parameter.value).expect("a value");
    assert_eq!(value, "arn:aws:sns:af-south-1:333333333333:events-transfers");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_queue_fills_until_its_consumer_is_fixed() {
    let sandbox = fleet(Amount::AtMost(0));
    let client = client(&sandbox, "333333333333");
    sandbox.clock().sleep(Duration::from_secs(1_800)).await;
    let filled = visible(&client, "valid_orders_dlq").await;
    // A third of 3 orders a second fails: about 1,800 in half an hour, less those still being tried.
    assert!((1_000..=1_900).contains(&filled), "{filled}");
    let fixed =
        sandbox.with(|world, _| world.actors.set_behaviour("333333333333", "valid_orders", &Behaviour::Healthy));
    assert_eq!(fixed, 1);
    sandbox.clock().sleep(Duration::from_secs(300)).await;
    let after_fix = visible(&client, "valid_orders_dlq").await;
    sandbox.clock().sleep(Duration::from_secs(600)).await;
    assert_eq!(visible(&client, "valid_orders_dlq").await, after_fix);
}
