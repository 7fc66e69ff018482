//! Queues as such: names, lists, pages, purges, tags.

use serde_json::{Value, json};

use super::{redrive, scene};
use crate::world::Caller;

fn names(answer: &Value) -> Vec<String> {
    let urls = answer["QueueUrls"].as_array().or(answer["queueUrls"].as_array()).cloned().unwrap_or_default();
    urls.iter().map(|url| url.as_str().and_then(|url| url.rsplit('/').next()).expect("a URL").to_owned()).collect()
}

#[test]
fn creating_again_is_no_error_with_the_same_attributes() {
    let mut scene = scene();
    let url = scene.create("orders", json!({"VisibilityTimeout": "10"}));
    assert_eq!(url, "http://127.0.0.1:4566/123456789012/orders");
    assert_eq!(scene.create("orders", json!({"VisibilityTimeout": "10"})), url);
    assert_eq!(scene.create("orders", json!({})), url);
    let request = json!({"QueueName": "orders", "Attributes": {"VisibilityTimeout": "11"}});
    let error = scene.error("CreateQueue", request);
    assert_eq!((error.code, error.query_code), ("QueueNameExists", Some("QueueAlreadyExists")));
    assert!(error.message.ends_with("a different value for attribute VisibilityTimeout"), "{}", error.message);
}

#[test]
fn names_are_plain_and_fifo_names_end_in_fifo() {
    let mut scene = scene();
    for bad in ["", "/my/test", "a b", "q.fifo", &"p".repeat(81)] {
        let error = scene.error("CreateQueue", json!({"QueueName": bad}));
        assert_eq!(error.shown_code(), "InvalidParameterValue", "{bad}");
    }
    let error = scene.error("CreateQueue", json!({"QueueName": "q", "Attributes": {"FifoQueue": "true"}}));
    assert!(error.message.contains("must end with .fifo suffix"), "{}", error.message);
    scene.create(&"p".repeat(80), json!({}));
    scene.create(&format!("{}.fifo", "p".repeat(75)), json!({"FifoQueue": "true"}));
}

#[test]
fn two_regions_queues_of_one_name_have_two_urls() {
    for (origin, expected) in [
        ("http://127.0.0.1:4566", ["http://127.0.0.1:4566/{}/orders", "http://127.0.0.1:4566/us-east-2/{}/orders"]),
        // AWS's endpoints have a name for each region.
        (
            "https://sqs.R.amazonaws.com",
            ["https://sqs.eu-west-1.amazonaws.com/{}/orders", "https://sqs.us-east-2.amazonaws.com/{}/orders"],
        ),
    ] {
        let mut scene = scene();
        let mut urls = Vec::new();
        for (region, expected) in ["eu-west-1", "us-east-2"].into_iter().zip(expected) {
            let origin = origin.replace('R', region);
            scene.caller = Caller { region: region.into(), origin, ..scene.caller.clone() };
            let url = scene.create("orders", json!({}));
            assert_eq!(url, expected.replace("{}", super::ACCOUNT));
            assert_eq!(scene.ok("GetQueueUrl", json!({"QueueName": "orders"}))["QueueUrl"], url.as_str());
            assert_eq!(scene.ok("ListQueues", json!({}))["QueueUrls"], json!([url]));
            scene.send(&url, region);
            urls.push(url);
        }
        assert_eq!(scene.bodies(&urls[1]), ["us-east-2"], "of its own region");
        scene.caller.region = "eu-west-1".into();
        let error = scene.error("ReceiveMessage", json!({"QueueUrl": urls[1]}));
        assert_eq!((error.status, error.code), (404, "InvalidAddress"), "{}", error.message);
        assert!(error.message.ends_with("/ is not valid for this endpoint."), "{}", error.message);
        assert_eq!(scene.bodies(&urls[0]), ["eu-west-1"]);
    }
}

#[test]
fn urls_are_read_by_their_last_parts() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    for url in [
        "orders",
        "http://anything:1/123456789012/orders",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
        "http://sqs.eu-west-1.localhost.localstack.cloud:4566/123456789012/orders",
    ] {
        scene.send(url, "b");
    }
    assert_eq!(scene.counts("orders"), (4, 0, 0));
    for url in ["http://whatever", "http://h/123456789012/bills", "http://h/999999999999/orders", "bills"] {
        let error = scene.error("SendMessage", json!({"QueueUrl": url, "MessageBody": "b"}));
        assert_eq!(error.query_code, Some("AWS.SimpleQueueService.NonExistentQueue"), "{url}");
        assert_eq!((error.code, error.status), ("QueueDoesNotExist", 400));
    }
    let answer = scene.ok("GetQueueUrl", json!({"QueueName": "orders"}));
    assert_eq!(answer["QueueUrl"], "http://127.0.0.1:4566/123456789012/orders");
    assert_eq!(scene.error("GetQueueUrl", json!({"QueueName": "bills"})).code, "QueueDoesNotExist");
}

#[test]
fn a_token_comes_only_where_a_page_size_was_set() {
    let mut scene = scene();
    for n in 0..1_001 {
        scene.create(&format!("q-{n:04}"), json!({}));
    }
    scene.create("other", json!({}));
    let answer = scene.ok("ListQueues", json!({}));
    assert_eq!(names(&answer).len(), 1_000);
    assert!(answer.get("NextToken").is_none());
    let answer = scene.ok("ListQueues", json!({"QueueNamePrefix": "q-", "MaxResults": 1_000}));
    let token = answer["NextToken"].clone();
    let answer = scene.ok("ListQueues", json!({"QueueNamePrefix": "q-", "MaxResults": 1_000, "NextToken": token}));
    assert_eq!(names(&answer), ["q-1000"]);
    assert!(answer.get("NextToken").is_none());
    assert_eq!(scene.ok("ListQueues", json!({"QueueNamePrefix": "none"})), json!({}));
    assert!(scene.call("ListQueues", json!({"MaxResults": 1_001})).is_err());
    assert!(scene.call("ListQueues", json!({"NextToken": "?"})).is_err());
}

#[test]
fn accounts_and_regions_do_not_see_each_other() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let here = scene.caller.clone();
    for other in [
        Caller { account: "111111111111".into(), ..here.clone() },
        Caller { region: "us-east-1".into(), ..here.clone() },
    ] {
        scene.caller = other;
        assert_eq!(scene.ok("ListQueues", json!({})), json!({}));
        assert_eq!(scene.error("GetQueueUrl", json!({"QueueName": "orders"})).code, "QueueDoesNotExist");
    }
}

#[test]
fn sources_of_a_dead_letter_queue_come_in_pages() {
    let mut scene = scene();
    scene.create("dlq", json!({}));
    for name in ["a", "b", "c"] {
        scene.create(name, json!({"RedrivePolicy": redrive("dlq", 3)}));
    }
    let answer = scene.ok("ListDeadLetterSourceQueues", json!({"QueueUrl": "dlq", "MaxResults": 2}));
    assert_eq!(names(&answer), ["a", "b"]);
    let request = json!({"QueueUrl": "dlq", "MaxResults": 2, "NextToken": answer["NextToken"]});
    let answer = scene.ok("ListDeadLetterSourceQueues", request);
    assert_eq!(names(&answer), ["c"]);
    assert!(answer.get("NextToken").is_none());
    scene.ok("SetQueueAttributes", json!({"QueueUrl": "a", "Attributes": {"RedrivePolicy": ""}}));
    scene.ok("DeleteQueue", json!({"QueueUrl": "b"}));
    assert_eq!(names(&scene.ok("ListDeadLetterSourceQueues", json!({"QueueUrl": "dlq"}))), ["c"]);
    assert_eq!(scene.ok("ListDeadLetterSourceQueues", json!({"QueueUrl": "a"})), json!({"queueUrls": []}));
}

#[test]
fn a_deleted_queues_name_rests_for_a_minute() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    scene.send("orders", "b");
    scene.ok("DeleteQueue", json!({"QueueUrl": "orders"}));
    assert_eq!(scene.error("DeleteQueue", json!({"QueueUrl": "orders"})).code, "QueueDoesNotExist");
    scene.pass(59);
    assert_eq!(scene.error("CreateQueue", json!({"QueueName": "orders"})).code, "QueueDeletedRecently");
    scene.pass(1);
    scene.create("orders", json!({}));
    assert_eq!(scene.counts("orders"), (0, 0, 0));
}

#[test]
fn a_purge_takes_everything_and_once_a_minute() {
    let mut scene = scene();
    scene.create("q.fifo", json!({"FifoQueue": "true"}));
    scene.send_fifo("q.fifo", "1", "g", "1");
    scene.receive_one("q.fifo");
    scene.send_fifo("q.fifo", "2", "g", "2");
    scene.ok("PurgeQueue", json!({"QueueUrl": "q.fifo"}));
    assert_eq!(scene.counts("q.fifo"), (0, 0, 0));
    scene.send_fifo("q.fifo", "3", "g", "3");
    assert_eq!(scene.bodies("q.fifo"), ["3"], "its group is free");
    let error = scene.error("PurgeQueue", json!({"QueueUrl": "q.fifo"}));
    assert_eq!((error.shown_code(), error.status), ("AWS.SimpleQueueService.PurgeQueueInProgress", 403));
    assert_eq!(error.message, "Only one PurgeQueue operation on q.fifo is allowed every 60 seconds.");
    scene.pass(60);
    scene.ok("PurgeQueue", json!({"QueueUrl": "q.fifo"}));
}

#[test]
fn tags_come_and_go() {
    let mut scene = scene();
    scene.ok("CreateQueue", json!({"QueueName": "orders", "tags": {"a": "1", "b": ""}}));
    scene.ok("TagQueue", json!({"QueueUrl": "orders", "Tags": {"c": "3"}}));
    scene.ok("UntagQueue", json!({"QueueUrl": "orders", "TagKeys": ["a", "nothing"]}));
    assert_eq!(scene.ok("ListQueueTags", json!({"QueueUrl": "orders"})), json!({"Tags": {"b": "", "c": "3"}}));
    let error = scene.error("TagQueue", json!({"QueueUrl": "orders", "Tags": {}}));
    assert_eq!(error.message, "The request must contain the parameter Tags.");
    let many: serde_json::Map<String, Value> = (0..51).map(|n| (n.to_string(), "x".into())).collect();
    let error = scene.error("TagQueue", json!({"QueueUrl": "orders", "Tags": many}));
    assert_eq!(error.message, "Too many tags added for queue orders.");
    assert!(scene.call("UntagQueue", json!({"QueueUrl": "orders", "TagKeys": []})).is_err());
}
