//! [`Settings`]: a queue's attributes, as set and as told. Ranges and texts are AWS's (SQS API reference, `SetQueueAttributes`).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::error::ApiError;

/// Largest message, and largest batch, in bytes (SQS quota, 2025: 1 MiB).
pub const MESSAGE_BYTES_MAX: usize = 1_048_576;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::world) struct Settings {
    pub(in crate::world) is_fifo: bool,
    pub(in crate::world) visibility_seconds: i64,
    pub(super) delay_seconds: i64,
    pub(super) retention_seconds: i64,
    pub(super) message_bytes_max: usize,
    pub(super) wait_seconds: i64,
    pub(super) redrive: Option<Redrive>,
    pub(super) allow: Option<RedriveAllow>,
    pub(super) policy: Option<String>,
    kms_key: Option<String>,
    kms_reuse_seconds: i64,
    managed_encryption: bool,
    pub(super) content_based_deduplication: bool,
    pub(super) deduplication_per_group: bool,
    throughput_per_group: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    pub(super) dead_letter_arn: Arc<str>,
    pub(super) receives_max: u32,
    text: String,
}

impl Redrive {
    pub(super) fn dead_letter_name(&self) -> &str {
        self.dead_letter_arn.rsplit(':').next().unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RedriveAllow {
    permission: Permission,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Permission {
    All,
    None,
    Sources(Vec<String>),
}

impl RedriveAllow {
    /// Whether the queue of that ARN may name this one.
    pub(super) fn allows(&self, source_arn: &str) -> bool {
        match &self.permission {
            Permission::All => true,
            Permission::None => false,
            Permission::Sources(arns) => arns.iter().any(|arn| arn == source_arn),
        }
    }
}

/// Attributes that can be set on a standard queue.
const STANDARD: [&str; 11] = [
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// Attributes that can be set on FIFO queues only.
const FIFO: [&str; 4] = ["ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit"];

impl Settings {
    pub(super) fn new(is_fifo: bool) -> Self {
        Self {
            is_fifo,
            visibility_seconds: 30,
            retention_seconds: 345_600,
            message_bytes_max: MESSAGE_BYTES_MAX,
            kms_reuse_seconds: 300,
            managed_encryption: true,
            ..Self::default()
        }
    }

    /// Sets attributes; all or none.
    pub(super) fn with<'a>(&self, attributes: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, ApiError> {
        let mut settings = self.clone();
        let (mut kms_set, mut managed_set) = (false, false);
        for (name, value) in attributes {
            settings.set(name, value)?;
            kms_set |= name == "KmsMasterKeyId" && !value.is_empty();
            managed_set |= name == "SqsManagedSseEnabled" && value == "true";
        }
        if kms_set && managed_set {
            let message = "You can use one type of server-side encryption (SSE) at one time. \
                           You can either enable KMS SSE or SQS SSE.";
            return Err(ApiError::plain(400, "InvalidAttributeName", message));
        }
        if settings.throughput_per_group && !settings.deduplication_per_group {
            let message = "Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value is \
                           allowed only when the value for DeduplicationScope is messageGroup.";
            return Err(ApiError::plain(400, "InvalidAttributeValue", message));
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        if !(STANDARD.contains(&name) || self.is_fifo && FIFO.contains(&name)) {
            return Err(ApiError::unknown_attribute(name));
        }
        match name {
            "DelaySeconds" => self.delay_seconds = number(name, value, 0, 900)?,
            "MessageRetentionPeriod" => self.retention_seconds = number(name, value, 60, 1_209_600)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait_seconds = number(name, value, 0, 20)?,
            "VisibilityTimeout" => self.visibility_seconds = number(name, value, 0, 43_200)?,
            "KmsDataKeyReusePeriodSeconds" => self.kms_reuse_seconds = number(name, value, 60, 86_400)?,
            "MaximumMessageSize" => {
                let bytes = number(name, value, 1_024, 1_048_576)?;
                self.message_bytes_max = usize::try_from(bytes).map_err(|_| ApiError::invalid_attribute(name))?;
            }
            "Policy" => {
                if !value.is_empty() && !serde_json::from_str::<Value>(value).is_ok_and(|policy| policy.is_object()) {
                    return Err(ApiError::invalid_attribute(name));
                }
                self.policy = some_unless_empty(value);
            }
            "RedrivePolicy" => self.redrive = redrive_policy(value)?,
            "RedriveAllowPolicy" => self.allow = redrive_allow_policy(value)?,
            "KmsMasterKeyId" => {
                self.kms_key = some_unless_empty(value);
                self.managed_encryption &= self.kms_key.is_none();
            }
            "SqsManagedSseEnabled" => {
                self.managed_encryption = flag(name, value)?;
                if self.managed_encryption {
                    self.kms_key = None;
                }
            }
            "ContentBasedDeduplication" => self.content_based_deduplication = flag(name, value)?,
            "DeduplicationScope" => {
                self.deduplication_per_group = one_of_two(name, value, "queue", "messageGroup")?;
            }
            "FifoThroughputLimit" => {
                self.throughput_per_group = one_of_two(name, value, "perQueue", "perMessageGroupId")?;
            }
            // FifoQueue: its value was looked at when the queue was made, and never changes.
            _ => {
                if !flag(name, value)? {
                    let message =
                        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.";
                    return Err(ApiError::plain(400, "InvalidAttributeValue", message));
                }
            }
        }
        Ok(())
    }

    pub(super) fn differs_in<'a>(&self, other: &Self, mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        names.find(|name| self.get(name) != other.get(name))
    }

    /// All attributes that have a value, in AWS's spelling.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, String)> {
        STANDARD.into_iter().chain(FIFO).filter_map(|name| Some((name, self.get(name)?)))
    }

    /// An attribute's text; none where unknown or not set.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let fifo = |text: &str| self.is_fifo.then(|| text.to_owned());
        match name {
            "DelaySeconds" => Some(self.delay_seconds.to_string()),
            "MessageRetentionPeriod" => Some(self.retention_seconds.to_string()),
            "ReceiveMessageWaitTimeSeconds" => Some(self.wait_seconds.to_string()),
            "VisibilityTimeout" => Some(self.visibility_seconds.to_string()),
            "MaximumMessageSize" => Some(self.message_bytes_max.to_string()),
            "KmsMasterKeyId" => self.kms_key.clone(),
            "KmsDataKeyReusePeriodSeconds" => self.kms_key.is_some().then(|| self.kms_reuse_seconds.to_string()),
            "SqsManagedSseEnabled" => Some(self.managed_encryption.to_string()),
            "Policy" => self.policy.clone(),
            "RedrivePolicy" => self.redrive.as_ref().map(|redrive| redrive.text.clone()),
            "RedriveAllowPolicy" => self.allow.as_ref().map(|allow| allow.text.clone()),
            "FifoQueue" => fifo("true"),
            "ContentBasedDeduplication" => fifo(&self.content_based_deduplication.to_string()),
            "DeduplicationScope" => fifo(if self.deduplication_per_group { "messageGroup" } else { "queue" }),
            "FifoThroughputLimit" => fifo(if self.throughput_per_group { "perMessageGroupId" } else { "perQueue" }),
            _ => None,
        }
    }

    /// Whether `GetQueueAttributes` may ask for it.
    pub(super) fn is_known(name: &str) -> bool {
        const READ_ONLY: [&str; 6] = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
            "CreatedTimestamp",
            "LastModifiedTimestamp",
            "QueueArn",
        ];
        name == "All" || STANDARD.contains(&name) || FIFO.contains(&name) || READ_ONLY.contains(&name)
    }
}

fn some_unless_empty(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn number(name: &str, value: &str, min: i64, max: i64) -> Result<i64, ApiError> {
    let number: i64 = value.parse().map_err(|_| ApiError::invalid_attribute(name))?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(ApiError::invalid_attribute(name)) }
}

fn flag(name: &str, value: &str) -> Result<bool, ApiError> {
    value.to_ascii_lowercase().parse().map_err(|_| ApiError::invalid_attribute(name))
}

fn one_of_two(name: &str, value: &str, first: &str, second: &str) -> Result<bool, ApiError> {
    if value == first || value == second { Ok(value == second) } else { Err(ApiError::invalid_attribute(name)) }
}

fn redrive_policy(text: &str) -> Result<Option<Redrive>, ApiError> {
    let refuse = |reason: &str| ApiError::invalid_value(text, "RedrivePolicy", reason);
    if text.is_empty() {
        return Ok(None);
    }
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(text) else {
        return Err(refuse("Redrive policy is not a valid JSON map."));
    };
    if fields.is_empty() {
        return Ok(None);
    }
    let missing = |name: &str| refuse(&format!("Redrive policy does not contain mandatory attribute: {name}."));
    if let Some(name) = fields.keys().find(|name| !matches!(name.as_str(), "deadLetterTargetArn" | "maxReceiveCount")) {
        return Err(refuse(&format!(
            "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount], got {name}."
        )));
    }
    let arn = fields.get("deadLetterTargetArn").ok_or_else(|| missing("deadLetterTargetArn"))?;
    let maximum = fields.get("maxReceiveCount").ok_or_else(|| missing("maxReceiveCount"))?;
    let number = maximum.as_u64().or_else(|| maximum.as_str()?.parse().ok());
    let Some(receives_max) = number.and_then(|number| u32::try_from(number).ok()).filter(|n| (1..=1_000).contains(n))
    else {
        let reason =
            format!("Invalid value for maxReceiveCount: {maximum}, valid values are from 1 to 1000 both inclusive.");
        return Err(refuse(&reason));
    };
    let Some(arn) = arn.as_str().filter(|arn| arn.split(':').count() == 6 && arn.starts_with("arn:aws")) else {
        return Err(refuse("Invalid value for deadLetterTargetArn."));
    };
    // Told as written, but the count always as a number.
    let told = if maximum.is_number() {
        text.to_owned()
    } else {
        json!({"deadLetterTargetArn": arn, "maxReceiveCount": receives_max}).to_string()
    };
    Ok(Some(Redrive { dead_letter_arn: arn.into(), receives_max, text: told }))
}

fn redrive_allow_policy(text: &str) -> Result<Option<RedriveAllow>, ApiError> {
    let refuse = |reason: &str| ApiError::invalid_value(text, "RedriveAllowPolicy", reason);
    if text.is_empty() {
        return Ok(None);
    }
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| refuse("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."))?;
    let arns: Option<Vec<String>> = policy
        .get("sourceQueueArns")
        .map(|arns| arns.as_array().into_iter().flatten().filter_map(|arn| Some(arn.as_str()?.to_owned())).collect());
    let permission = match (policy.get("redrivePermission").and_then(Value::as_str), arns) {
        (Some("allowAll"), None) => Permission::All,
        (Some("denyAll"), None) => Permission::None,
        (Some("byQueue"), Some(arns)) if (1..=10).contains(&arns.len()) => Permission::Sources(arns),
        (Some("byQueue"), _) => return Err(refuse("redrivePermission byQueue needs 1 to 10 sourceQueueArns.")),
        (Some("allowAll" | "denyAll"), Some(_)) => {
            return Err(refuse("sourceQueueArns can be specified only when redrivePermission is byQueue."));
        }
        _ => return Err(refuse("Invalid value for redrivePermission.")),
    };
    Ok(Some(RedriveAllow { permission, text: text.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(is_fifo: bool, name: &str, value: &str) -> Result<Settings, ApiError> {
        Settings::new(is_fifo).with([(name, value)].into_iter())
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for (name, bad, good) in [
            ("DelaySeconds", "901", "900"),
            ("MaximumMessageSize", "1023", "1024"),
            ("MaximumMessageSize", "1048577", "1048576"),
            ("MessageRetentionPeriod", "59", "60"),
            ("ReceiveMessageWaitTimeSeconds", "21", "20"),
            ("VisibilityTimeout", "43201", "0"),
            ("VisibilityTimeout", "ten", "10"),
        ] {
            assert_eq!(set(false, name, bad).expect_err(name).code, "InvalidAttributeValue", "{name}={bad}");
            assert_eq!(set(false, name, good).expect(name).get(name).as_deref(), Some(good));
        }
    }

    #[test]
    fn fifo_attributes_are_unknown_to_standard_queues() {
        for name in FIFO {
            assert_eq!(set(false, name, "true").expect_err(name).message, format!("Unknown Attribute {name}."));
        }
        assert_eq!(set(true, "FifoQueue", "false").expect_err("a change of type").code, "InvalidAttributeValue");
        assert_eq!(set(true, "Color", "red").expect_err("no such attribute").code, "InvalidAttributeName");
    }

    #[test]
    fn a_redrive_policy_is_told_with_a_number() {
        let arn = "arn:aws:sqs:eu-west-1:123456789012:dlq";
        let settings =
            set(false, "RedrivePolicy", &json!({"deadLetterTargetArn": arn, "maxReceiveCount": "3"}).to_string());
        let told = settings.expect("a policy").get("RedrivePolicy").expect("set");
        assert_eq!(told, format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":3}}"));
        for (bad, reason) in [
            (json!({"deadLetterTargetArn": arn}), "mandatory attribute: maxReceiveCount"),
            (json!({"deadLetterTargetArn": arn, "maxReceiveCount": 0}), "from 1 to 1000"),
            (json!({"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}), "Invalid value for deadLetterTargetArn."),
        ] {
            let error = set(false, "RedrivePolicy", &bad.to_string()).expect_err(reason);
            assert!(error.message.contains(reason), "{}", error.message);
        }
        assert_eq!(set(false, "RedrivePolicy", "").expect("removed").get("RedrivePolicy"), None);
    }

    #[test]
    fn one_kind_of_encryption_at_a_time() {
        let both = [("KmsMasterKeyId", "key"), ("SqsManagedSseEnabled", "true")];
        assert_eq!(Settings::new(false).with(both.into_iter()).expect_err("both").code, "InvalidAttributeName");
        let kms = set(false, "KmsMasterKeyId", "key").expect("kms");
        assert_eq!(kms.get("SqsManagedSseEnabled").as_deref(), Some("false"));
        assert_eq!(kms.get("KmsDataKeyReusePeriodSeconds").as_deref(), Some("300"));
    }
}
