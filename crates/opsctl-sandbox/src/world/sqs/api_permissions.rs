//! AddPermission, RemovePermission, and what a queue's policy lets other accounts do.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Call, validate::is_plain};
use crate::{
    domain::environment::glob,
    world::{World, error::ApiError},
};

const ACTIONS_MAX: usize = 7;
/// What other accounts may be let do (SQS API reference, `AddPermission`); `*` is all of them.
const ACTIONS: [&str; 9] = [
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
];

#[derive(Debug, Deserialize)]
pub(super) struct PermissionRequest<'a> {
    #[serde(rename = "QueueUrl", borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(rename = "Label", default)]
    label: String,
    #[serde(rename = "AWSAccountIds", default)]
    accounts: Vec<String>,
    #[serde(rename = "Actions", default)]
    actions: Vec<String>,
}

impl World {
    pub(super) fn add_permission(&mut self, call: Call, request: PermissionRequest) -> Answered<()> {
        let number = self.enter(call, &request.queue_url)?.queue;
        check_label(&request.label)?;
        check_actions(&request.actions)?;
        let is_account = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        if request.accounts.is_empty() || !request.accounts.iter().all(is_account) {
            let told = format!("[{}]", request.accounts.join(", "));
            return Err(ApiError::invalid_value(told, "PrincipalId", "Unable to verify."));
        }
        let queue = self.queue(number);
        let mut policy = read_policy(queue.settings.policy.as_deref()).unwrap_or_else(
            || json!({"Version": "2012-10-17", "Id": format!("{}/SQSDefaultPolicy", queue.arn), "Statement": []}),
        );
        let statements = policy["Statement"].as_array_mut().ok_or_else(|| ApiError::invalid_attribute("Policy"))?;
        if statements.iter().any(|statement| statement["Sid"] == request.label.as_str()) {
            return Err(ApiError::invalid_value(&request.label, "Label", "Already exists."));
        }
        let principals = request.accounts.iter().map(|account| format!("arn:aws:iam::{account}:root"));
        statements.push(json!({
            "Sid": request.label,
            "Effect": "Allow",
            "Principal": {"AWS": one_or_all(principals.collect())},
            "Action": one_or_all(request.actions.iter().map(|action| format!("SQS:{action}")).collect()),
            "Resource": &*queue.arn,
        }));
        self.set_policy(call, number, &policy.to_string())
    }

    pub(super) fn remove_permission(&mut self, call: Call, request: PermissionRequest) -> Answered<()> {
        let number = self.enter(call, &request.queue_url)?.queue;
        check_label(&request.label)?;
        let missing = || ApiError::invalid_value(&request.label, "Label", "can't find label on existing policy.");
        let mut policy = read_policy(self.queue(number).settings.policy.as_deref()).ok_or_else(missing)?;
        let statements = policy["Statement"].as_array_mut().ok_or_else(missing)?;
        let before = statements.len();
        statements.retain(|statement| statement["Sid"] != request.label.as_str());
        if statements.len() == before {
            return Err(missing());
        }
        let text = if statements.is_empty() { String::new() } else { policy.to_string() };
        self.set_policy(call, number, &text)
    }

    fn set_policy(&mut self, call: Call, number: u32, policy: &str) -> Answered<()> {
        let settings = self.queue(number).settings.with([("Policy", policy)].into_iter())?;
        self.change_settings(call.now, number, settings);
        Ok(())
    }

    /// Whether the queue's own policy lets a caller from another account do this. Conditions are not understood: a statement
    /// with one allows nothing.
    pub(super) fn policy_allows(&self, number: u32, call: Call) -> bool {
        let queue = self.queue(number);
        let Some(policy) = read_policy(queue.settings.policy.as_deref()) else { return false };
        let wanted = format!("sqs:{}", call.action.trim_end_matches("Batch")).to_ascii_lowercase();
        let texts = |value: &Value| -> Vec<String> {
            match value {
                Value::String(text) => vec![text.clone()],
                Value::Array(values) => values.iter().filter_map(|value| Some(value.as_str()?.to_owned())).collect(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
            }
        };
        let applies = |statement: &Value| {
            let mut principals = texts(&statement["Principal"]);
            principals.extend(texts(&statement["Principal"]["AWS"]));
            let account = &call.caller.account;
            let names_caller = |principal: &String| principal == "*" || principal.contains(account.as_str());
            let names_action = |action: &String| glob(&action.to_ascii_lowercase(), &wanted);
            principals.iter().any(names_caller) && texts(&statement["Action"]).iter().any(names_action)
        };
        let mut is_allowed = false;
        for statement in policy["Statement"].as_array().into_iter().flatten().filter(|statement| applies(statement)) {
            if statement["Effect"] == "Deny" {
                return false;
            }
            is_allowed |= statement["Effect"] == "Allow" && statement.get("Condition").is_none();
        }
        is_allowed
    }
}

fn read_policy(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text?).ok()
}

fn one_or_all(mut texts: Vec<String>) -> Value {
    if texts.len() == 1 { Value::String(texts.remove(0)) } else { json!(texts) }
}

fn check_label(label: &str) -> Result<(), ApiError> {
    if label.is_empty() {
        return Err(ApiError::missing_parameter("Label"));
    }
    if label.len() > 80 || !is_plain(label) {
        let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.";
        return Err(ApiError::invalid_value(label, "Label", reason));
    }
    Ok(())
}

fn check_actions(actions: &[String]) -> Result<(), ApiError> {
    if actions.is_empty() {
        return Err(ApiError::missing_parameter("Actions"));
    }
    if actions.len() > ACTIONS_MAX {
        let message = format!("{} Actions were found, maximum allowed is {ACTIONS_MAX}.", actions.len());
        return Err(ApiError::over_limit(message));
    }
    let is_allowed = |action: &str| ACTIONS.contains(&action);
    match actions.iter().find(|action| !is_allowed(action)) {
        None => Ok(()),
        Some(action) => {
            let reason = "Only the queue owner is allowed to invoke this action.";
            Err(ApiError::invalid_value(format!("SQS:{action}"), "ActionName", reason))
        }
    }
}
