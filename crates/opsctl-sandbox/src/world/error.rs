//! [`ApiError`]: an error as a service answers it, and the errors of SQS in AWS's words.

use std::fmt;

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    /// Code as in the JSON protocol's `__type`.
    pub code: &'static str,
    /// Code of the query-compatible protocol (`x-amzn-query-error`), where it differs.
    pub query_code: Option<&'static str>,
    pub message: String,
    /// What the error's document has besides.
    pub more: Option<Box<(&'static str, Value)>>,
}

impl ApiError {
    /// The code that clients show: the query-compatible one where there is one.
    pub fn shown_code(&self) -> &'static str {
        self.query_code.unwrap_or(self.code)
    }

    /// An error whose code is the same in both protocols.
    pub fn plain(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, query_code: None, message: message.into(), more: None }
    }

    /// An error whose code differs between the protocols.
    pub fn coded(status: u16, code: &'static str, query_code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, query_code: Some(query_code), message: message.into(), more: None }
    }

    /// An error of SQS whose older code is `AWS.SimpleQueueService.` and its newer one.
    pub fn of_sqs(status: u16, query_code: &'static str, message: impl Into<String>) -> Self {
        let code = query_code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(query_code);
        Self::coded(status, code, query_code, message)
    }

    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::coded(400, "InvalidParameterValueException", "InvalidParameterValue", message)
    }

    pub fn invalid_value(value: impl std::fmt::Display, parameter: &str, reason: &str) -> Self {
        Self::invalid_parameter(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    }

    pub fn missing_parameter(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        Self::coded(400, "MissingRequiredParameterException", "MissingParameter", message)
    }

    pub fn no_such_queue() -> Self {
        let message = "The specified queue does not exist.";
        Self::coded(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message)
    }

    /// A move task's queue does not exist.
    pub fn no_such_resource(parameter: &str) -> Self {
        let message = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
        Self::plain(404, "ResourceNotFoundException", message)
    }

    pub fn unknown_attribute(name: &str) -> Self {
        Self::plain(400, "InvalidAttributeName", format!("Unknown Attribute {name}."))
    }

    pub fn invalid_attribute(name: &str) -> Self {
        Self::plain(400, "InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
    }

    /// A receipt handle that SQS never gave out.
    pub fn invalid_handle(handle: &str, place: Place) -> Self {
        let message = match place {
            Place::Call => "The input receipt handle is invalid.".to_owned(),
            Place::BatchEntry => format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
        };
        Self::plain(404, "ReceiptHandleIsInvalid", message)
    }

    /// FIFO: the handle's time is over.
    pub fn expired_handle(handle: &str) -> Self {
        Self::invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")
    }

    /// The message is gone, or (FIFO) no longer in flight under this handle.
    pub fn visibility_unavailable(handle: &str) -> Self {
        let reason = "Message does not exist or is not available for visibility timeout change.";
        Self::invalid_value(handle, "ReceiptHandle", reason)
    }

    pub fn not_in_flight() -> Self {
        Self::of_sqs(400, "AWS.SimpleQueueService.MessageNotInflight", "The specified message isn't in flight.")
    }

    pub fn over_limit(message: impl Into<String>) -> Self {
        Self::plain(403, "OverLimit", message)
    }

    pub fn not_understood(error: impl fmt::Display) -> Self {
        Self::plain(400, "SerializationException", format!("The request could not be read: {error}"))
    }

    /// Not allowed, in IAM's words. SQS, whose refusals name the resource, writes its actions in lower case.
    pub fn denied(status: u16, user: &str, action: &str, resource: Option<&str>, policy: &str) -> Self {
        let (action, on) = match resource {
            Some(arn) => (action.to_ascii_lowercase(), format!(" on resource: {arn}")),
            None => (action.to_owned(), String::new()),
        };
        let message = format!(
            "User: {user} is not authorized to perform: {action}{on} because no {policy} policy allows the {action} action"
        );
        Self::coded(status, "AccessDeniedException", "AccessDenied", message)
    }
}

/// An error of a service over awsJson: status 400.
pub(super) fn error(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::plain(400, code, message)
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    error("InvalidParameterException", message)
}

/// Where an error is told: AWS words some differently inside a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Call,
    BatchEntry,
}
