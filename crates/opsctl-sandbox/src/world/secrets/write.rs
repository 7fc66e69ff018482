//! Secrets are made, given values, deleted and restored.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Secrets, not_found, seconds};
use crate::world::{
    ApiError, Caller,
    call::{Answered, Call, given},
    error::error,
};

/// Days until a deleted secret is gone, unless told (API reference).
const RECOVERY_DAYS: i64 = 30;
const DAY: i64 = 86_400_000;
const BYTES_MAX: usize = 65_536;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Write {
    name: Option<String>,
    secret_id: Option<String>,
    description: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    secret_id: String,
    recovery_window_in_days: Option<i64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

impl Write {
    /// The value that is given; bytes come in base64.
    fn value(&self) -> Answered<Option<String>> {
        let decode = |text: &String| {
            let bytes = STANDARD.decode(text).map_err(|_| parameter("SecretBinary is not base64."))?;
            String::from_utf8(bytes).map_err(|_| parameter("This sandbox keeps values that are text."))
        };
        let value = match (&self.secret_string, &self.secret_binary) {
            (Some(_), Some(_)) => return Err(parameter("You can't specify both a secret string and secret binary.")),
            (Some(text), None) => Some(text.clone()),
            (None, Some(binary)) => Some(decode(binary)?),
            (None, None) => None,
        };
        if value.as_ref().is_some_and(|value| value.len() > BYTES_MAX) {
            return Err(parameter("The secret value is longer than 65536 bytes."));
        }
        Ok(value)
    }
}

impl Secrets {
    pub(super) fn create(&mut self, call: Call, request: Write) -> Answered<Value> {
        let Caller { account, region, .. } = call.caller;
        let name = request
            .name
            .clone()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| parameter("You must provide a name."))?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
        if name.len() > 512 || !name.bytes().all(is_plain) {
            return Err(error(
                "ValidationException",
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
            ));
        }
        match self.find(account, region, &name) {
            Some((_, known)) if known.deleted_at.is_some() => {
                return Err(scheduled(
                    "create this secret because a secret with this name is already scheduled for deletion.",
                ));
            }
            Some(_) => {
                let message = format!("The operation failed because the secret {name} already exists.");
                return Err(error("ResourceExistsException", message));
            }
            None => {}
        }
        let value = request.value()?;
        let suffix = format!("{:06x}", super::super::hash(format!("{account}{region}{name}").bytes()) & 0xff_ffff);
        self.put(call.time(), (account, region), &name, &suffix, value.as_deref().unwrap_or_default());
        let place = self.places.get_mut(&(account.clone(), region.clone()));
        let secret = place.and_then(|place| place.get_mut(&name)).ok_or_else(|| not_found("secret."))?;
        secret.description = request.description;
        if value.is_none() {
            secret.versions.clear();
        }
        let version = secret.versions.first().map(|version| version.id.clone());
        Ok(given(json!({ "ARN": secret.arn, "Name": name, "VersionId": version })))
    }

    /// `PutSecretValue`, and `UpdateSecret`, which may change the description alone.
    pub(super) fn update(&mut self, call: Call, request: Write) -> Answered<Value> {
        let Caller { account, region, .. } = call.caller;
        let id = request.secret_id.as_deref().unwrap_or_default();
        let (name, arn) = {
            let (name, secret) = self.found(call.caller, id)?;
            (name.clone(), secret.arn.clone())
        };
        let value = request.value()?;
        if call.action == "PutSecretValue" && value.is_none() {
            return Err(parameter("You must provide either SecretString or SecretBinary."));
        }
        if let Some(value) = &value {
            let suffix = arn[arn.len() - super::SUFFIX + 1..].to_owned();
            self.put(call.time(), (account, region), &name, &suffix, value);
        }
        let place = self.places.get_mut(&(account.clone(), region.clone()));
        let secret = place.and_then(|place| place.get_mut(&name)).ok_or_else(|| not_found("secret."))?;
        secret.description = request.description.or(secret.description.take());
        let version = secret.versions.first().filter(|_| value.is_some()).map(|version| version.id.clone());
        let stages = (call.action == "PutSecretValue").then_some([super::CURRENT]);
        Ok(given(json!({ "ARN": arn, "Name": name, "VersionId": version, "VersionStages": stages })))
    }

    /// A secret that is deleted can't be read, and is restored until its days are over.
    pub(super) fn delete(&mut self, call: Call, request: Delete) -> Answered<Value> {
        let Caller { account, region, .. } = call.caller;
        let (name, arn) = {
            let (name, secret) = self.any(call.caller, &request.secret_id)?;
            (name.clone(), secret.arn.clone())
        };
        let days = request.recovery_window_in_days.unwrap_or(RECOVERY_DAYS);
        if !(7..=30).contains(&days) {
            return Err(parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
        }
        let gone_at = if request.force_delete_without_recovery { call.now } else { call.now + days * DAY };
        if let Some(place) = self.places.get_mut(&(account.clone(), region.clone())) {
            match place.get_mut(&name) {
                Some(secret) if !request.force_delete_without_recovery => secret.deleted_at = Some(gone_at),
                Some(_) | None => drop(place.remove(&name)),
            }
        }
        Ok(json!({ "ARN": arn, "Name": name, "DeletionDate": seconds(gone_at) }))
    }

    pub(super) fn restore(&mut self, call: Call, request: Delete) -> Answered<Value> {
        let Caller { account, region, .. } = call.caller;
        let name = self.any(call.caller, &request.secret_id)?.0.clone();
        let place = self.places.get_mut(&(account.clone(), region.clone()));
        let secret = place.and_then(|place| place.get_mut(&name)).ok_or_else(|| not_found("secret."))?;
        secret.deleted_at = None;
        Ok(json!({ "ARN": secret.arn, "Name": name }))
    }
}

fn parameter(message: &str) -> ApiError {
    error("InvalidParameterException", message)
}

pub(super) fn scheduled(what: &str) -> ApiError {
    error("InvalidRequestException", format!("You can't {what}"))
}
