//! Who may do what: deny lists, queue policies, permissions.

use serde_json::{Value, json};

use super::scene;
use crate::world::{Caller, Denial};

#[test]
fn denied_calls_are_refused_in_iams_words() {
    let mut scene = scene();
    scene.create("orders-dlq", json!({}));
    scene.create("bills", json!({}));
    let denial = |queue: &str, action: &str| Denial {
        account: "123456789012".into(),
        queue: queue.into(),
        action: action.into(),
    };
    scene.world.denials.push(denial("orders-*", "Get*"));
    scene.world.denials.push(denial("*", "ListQueues"));
    let request = |queue: &str| json!({"QueueUrl": queue, "AttributeNames": ["All"]});
    let error = scene.error("GetQueueAttributes", request("orders-dlq"));
    assert_eq!((error.code, error.query_code, error.status), ("AccessDeniedException", Some("AccessDenied"), 403));
    assert_eq!(
        error.message,
        "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: \
         sqs:getqueueattributes on resource: arn:aws:sqs:eu-west-1:123456789012:orders-dlq because no identity-based \
         policy allows the sqs:getqueueattributes action"
    );
    scene.ok("GetQueueAttributes", request("bills"));
    scene.send("orders-dlq", "b");
    assert_eq!(scene.error("ListQueues", json!({})).shown_code(), "AccessDenied");
    assert_eq!(scene.error("GetQueueUrl", json!({"QueueName": "orders-dlq"})).shown_code(), "AccessDenied");
}

#[test]
fn another_account_needs_the_queues_policy() {
    let mut scene = scene();
    let url = scene.create("orders", json!({}));
    let owner = scene.caller.clone();
    let other = Caller { account: "111111111111".into(), ..owner.clone() };
    let send = json!({"QueueUrl": url, "MessageBody": "b"});
    scene.caller = other.clone();
    let error = scene.error("SendMessage", send.clone());
    assert!(error.message.contains("because no resource-based policy"), "{}", error.message);
    scene.caller = owner;
    let request =
        json!({"QueueUrl": url, "Label": "send", "AWSAccountIds": ["111111111111"], "Actions": ["SendMessage"]});
    scene.ok("AddPermission", request);
    scene.caller = other;
    scene.ok("SendMessage", send);
    scene.ok("SendMessageBatch", json!({"QueueUrl": url, "Entries": [{"Id": "1", "MessageBody": "b"}]}));
    assert_eq!(scene.error("ReceiveMessage", json!({"QueueUrl": url})).shown_code(), "AccessDenied");
}

#[test]
fn permissions_are_statements_of_the_policy() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let add = |label: &str, actions: Value| json!({"QueueUrl": "orders", "Label": label, "AWSAccountIds": ["111111111111"], "Actions": actions});
    scene.ok("AddPermission", add("one", json!(["*"])));
    let policy: Value =
        serde_json::from_str(scene.attributes("orders")["Policy"].as_str().expect("a policy")).expect("JSON");
    let statement = json!({"Sid": "one", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                           "Action": "SQS:*", "Resource": super::arn("orders")});
    assert_eq!(policy["Statement"], json!([statement]));
    let error = scene.error("AddPermission", add("one", json!(["SendMessage"])));
    assert_eq!(error.message, "Value one for parameter Label is invalid. Reason: Already exists.");
    let error = scene.error("AddPermission", add("two", json!(["RemovePermission"])));
    assert!(error.message.starts_with("Value SQS:RemovePermission for parameter ActionName is invalid."));
    assert_eq!(scene.error("AddPermission", add("two", json!([]))).shown_code(), "MissingParameter");
    let eight = vec!["SendMessage"; 8];
    assert_eq!(scene.error("AddPermission", add("two", json!(eight))).code, "OverLimit");
    scene.ok("RemovePermission", json!({"QueueUrl": "orders", "Label": "one"}));
    assert!(scene.attributes("orders").get("Policy").is_none());
    assert!(scene.call("RemovePermission", json!({"QueueUrl": "orders", "Label": "one"})).is_err());
}
