//! Batches: what refuses the whole, what fails an entry.

use serde_json::{Value, json};

use super::scene;

fn entries(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({"Id": id, "MessageBody": format!("body {id}")})).collect()
}

#[test]
fn what_refuses_the_whole_batch() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let mut refusal = |entries: Value| {
        let error = scene.error("SendMessageBatch", json!({"QueueUrl": "orders", "Entries": entries}));
        (error.code, error.message)
    };
    let empty = "There should be at least one SendMessageBatchRequestEntry in the request.";
    assert_eq!(refusal(json!([])), ("EmptyBatchRequest", empty.into()));
    let ids: Vec<String> = (0..11).map(|n| format!("id_{n}")).collect();
    let eleven = entries(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let too_many = "Maximum number of entries per request are 10. You have sent 11.";
    assert_eq!(refusal(eleven), ("TooManyEntriesInBatchRequest", too_many.into()));
    assert_eq!(refusal(entries(&["1", "2", "2", "1"])), ("BatchEntryIdsNotDistinct", "Id 2 repeated.".into()));
    for bad in ["", ".!@", &"i".repeat(81)] {
        assert_eq!(refusal(entries(&[bad])).0, "InvalidBatchEntryId");
    }
    let long =
        json!([{"Id": "1", "MessageBody": "b".repeat(600_000)}, {"Id": "2", "MessageBody": "b".repeat(448_577)}]);
    let too_long = "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.";
    assert_eq!(refusal(long), ("BatchRequestTooLong", too_long.into()));
    let error = scene.error("DeleteMessageBatch", json!({"QueueUrl": "orders", "Entries": []}));
    assert_eq!(error.query_code, Some("AWS.SimpleQueueService.EmptyBatchRequest"));
    assert_eq!(error.message, "There should be at least one DeleteMessageBatchRequestEntry in the request.");
}

#[test]
fn entries_fail_alone() {
    let mut scene = scene();
    scene.create("orders", json!({"MaximumMessageSize": "1024"}));
    let entries = json!([
        {"Id": "good", "MessageBody": "b"},
        {"Id": "late", "MessageBody": "b", "DelaySeconds": 901},
        {"Id": "long", "MessageBody": "b".repeat(1_025)},
        {"Id": "escape", "MessageBody": "\u{1b}"},
        {"Id": "empty", "MessageBody": ""},
    ]);
    let answer = scene.ok("SendMessageBatch", json!({"QueueUrl": "orders", "Entries": entries}));
    assert_eq!(answer["Successful"].as_array().map(Vec::len), Some(1));
    let failed: Vec<(&str, &str)> = answer["Failed"]
        .as_array()
        .expect("failures")
        .iter()
        .map(|entry| (entry["Id"].as_str().expect("id"), entry["Code"].as_str().expect("code")))
        .collect();
    let expected = [
        ("late", "InvalidParameterValue"),
        ("long", "InvalidParameterValue"),
        ("escape", "InvalidMessageContents"),
        ("empty", "MissingParameter"),
    ];
    assert_eq!(failed, expected);
    let message = "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.";
    assert_eq!(
        answer["Failed"][0],
        json!({"Id": "late", "SenderFault": true, "Code": "InvalidParameterValue", "Message": message})
    );
    assert_eq!(scene.counts("orders"), (1, 0, 0));
}

#[test]
fn a_fifo_batch_without_group_or_deduplication_id_is_refused() {
    let mut scene = scene();
    scene.create("q.fifo", json!({"FifoQueue": "true"}));
    let good = json!({"Id": "1", "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "1"});
    for missing in ["MessageGroupId", "MessageDeduplicationId"] {
        let mut bad = good.clone();
        bad["Id"] = "2".into();
        bad.as_object_mut().expect("an entry").remove(missing);
        let error = scene.error("SendMessageBatch", json!({"QueueUrl": "q.fifo", "Entries": [good, bad]}));
        assert_eq!(error.shown_code(), "InvalidParameterValue", "{missing}");
    }
    assert_eq!(scene.counts("q.fifo"), (0, 0, 0));
}

#[test]
fn deletes_and_changes_of_visibility_answer_entry_by_entry() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    for body in ["a", "b", "c"] {
        scene.send("orders", body);
    }
    let got = scene.receive("orders");
    let bad = json!({"Id": "bad", "ReceiptHandle": "nonsense", "VisibilityTimeout": 0});
    let change = json!([{"Id": "1", "ReceiptHandle": got[0].handle, "VisibilityTimeout": 0}, bad]);
    let answer = scene.ok("ChangeMessageVisibilityBatch", json!({"QueueUrl": "orders", "Entries": change}));
    assert_eq!(answer["Successful"], json!([{"Id": "1"}]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    assert_eq!(scene.counts("orders"), (1, 2, 0));
    let delete = json!([{"Id": "2", "ReceiptHandle": got[1].handle}, {"Id": "bad", "ReceiptHandle": "nonsense"}]);
    let answer = scene.ok("DeleteMessageBatch", json!({"QueueUrl": "orders", "Entries": delete}));
    assert_eq!(answer["Successful"], json!([{"Id": "2"}]));
    let message = "The input receipt handle \"nonsense\" is not a valid receipt handle.";
    assert_eq!(answer["Failed"][0]["Message"], message);
    assert_eq!(scene.counts("orders"), (1, 1, 0));
}

#[test]
fn a_list_without_entries_is_left_out() {
    let mut scene = scene();
    scene.create("orders", json!({}));
    let members = |answer: Value| answer.as_object().expect("members").keys().cloned().collect::<Vec<_>>();
    let send = |body: &str| json!({"QueueUrl": "orders", "Entries": [{"Id": "1", "MessageBody": body}]});
    assert_eq!(members(scene.ok("SendMessageBatch", send("b"))), ["Successful"]);
    assert_eq!(members(scene.ok("SendMessageBatch", send(""))), ["Failed"]);
    let got = scene.receive("orders");
    for (action, handle, member) in [
        ("ChangeMessageVisibilityBatch", got[0].handle.as_str(), "Successful"),
        ("DeleteMessageBatch", got[0].handle.as_str(), "Successful"),
        ("ChangeMessageVisibilityBatch", "nonsense", "Failed"),
        ("DeleteMessageBatch", "nonsense", "Failed"),
    ] {
        let entries = json!([{"Id": "1", "ReceiptHandle": handle, "VisibilityTimeout": 30}]);
        let answer = scene.ok(action, json!({"QueueUrl": "orders", "Entries": entries}));
        assert_eq!(members(answer), [member], "{action} of {handle}");
    }
}
