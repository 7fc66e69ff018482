//! SQS's forms and XML, where they differ from its documents (SQS API reference up to 2023, botocore's model of 2012-11-05).

use crate::world::service::{Flat, Form};

pub(super) static FORM: Form = Form {
    versions: &["2012-11-05", "2011-10-01", "2009-02-01", "2008-01-01"],
    namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
    flattened: &[
        Flat::list("AWSAccountIds", "AWSAccountId"),
        Flat::list("Actions", "ActionName"),
        Flat::list("AttributeNames", "AttributeName"),
        Flat::map("Attributes", "Attribute", "Name"),
        Flat::list("Entries", "*RequestEntry"),
        Flat::list("Failed", "BatchResultErrorEntry"),
        Flat::list("MessageAttributeNames", "MessageAttributeName"),
        Flat::map("MessageAttributes", "MessageAttribute", "Name"),
        Flat::list("MessageSystemAttributeNames", "MessageSystemAttributeName"),
        Flat::map("MessageSystemAttributes", "MessageSystemAttribute", "Name"),
        Flat::list("Messages", "Message"),
        Flat::list("QueueUrls", "QueueUrl"),
        Flat::list("Results", "ListMessageMoveTasksResultEntry"),
        Flat::list("Successful", "*ResultEntry"),
        Flat::list("TagKeys", "TagKey"),
        Flat::map("Tags", "Tag", "Key"),
        Flat::list("queueUrls", "QueueUrl"),
    ],
    numbers: &[
        "DelaySeconds",
        "MaxNumberOfMessages",
        "MaxNumberOfMessagesPerSecond",
        "MaxResults",
        "VisibilityTimeout",
        "WaitTimeSeconds",
    ],
    flags: &[],
    times: &[],
    silent: &[
        "AddPermission",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "DeleteQueue",
        "PurgeQueue",
        "RemovePermission",
        "SetQueueAttributes",
        "TagQueue",
        "UntagQueue",
    ],
    wordings: &[(
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist for this wsdl version.",
    )],
};
