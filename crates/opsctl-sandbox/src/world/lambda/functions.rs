//! Functions: as far as mappings need them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ApiError, Function, Lambda, invalid, page, show};
use crate::world::call::{Answered, Call, given};

/// Functions of a page (API reference).
const PAGE_MAX: usize = 50;
/// A function's timeout where none is said, seconds.
const TIMEOUT_SECONDS: u32 = 3;

/// Code is taken as it comes: nothing runs it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateFunction {
    function_name: String,
    role: Option<String>,
    runtime: Option<String>,
    handler: Option<String>,
    timeout: Option<u32>,
}

impl Function {
    /// One that nothing particular is known of.
    pub(super) fn plain(account: &str, at: i64) -> Self {
        Self {
            runtime: "nodejs22.x".to_owned(),
            role: format!("arn:aws:iam::{account}:role/lambda"),
            handler: "index.handler".to_owned(),
            timeout_seconds: TIMEOUT_SECONDS,
            modified_at: at,
            reserved: None,
        }
    }
}

impl Lambda {
    pub(super) fn create_function(&mut self, call: Call, request: CreateFunction) -> Answered<Value> {
        let Call { caller, now: at, .. } = call;
        let CreateFunction { function_name: name, role, runtime, handler, timeout } = request;
        let role = role.ok_or_else(|| invalid("Role is required"))?;
        let plain = Function::plain(&caller.account, at);
        let function = Function {
            role,
            runtime: runtime.unwrap_or(plain.runtime),
            handler: handler.unwrap_or(plain.handler),
            timeout_seconds: timeout.unwrap_or(TIMEOUT_SECONDS),
            modified_at: at,
            reserved: None,
        };
        let shown = show::function(caller, &name, &function);
        let place = self.place(&caller.account, &caller.region);
        if place.functions.contains_key(&name) {
            let message = format!("Function already exist: {name}");
            return Err(ApiError::plain(409, "ResourceConflictException", message));
        }
        place.functions.insert(name, function);
        Ok(shown)
    }

    pub(super) fn get_function(&mut self, call: Call, fields: &BTreeMap<String, String>) -> Answered<Value> {
        let (name, function) = self.named(call, fields)?;
        let concurrency = function.reserved.map(|reserved| json!({ "ReservedConcurrentExecutions": reserved }));
        Ok(given(json!({
            "Configuration": show::function(call.caller, &name, function),
            "Code": { "RepositoryType": "S3", "Location": "https://sandbox/code" },
            "Concurrency": concurrency,
        })))
    }

    pub(super) fn get_configuration(&mut self, call: Call, fields: &BTreeMap<String, String>) -> Answered<Value> {
        let (name, function) = self.named(call, fields)?;
        Ok(show::function(call.caller, &name, function))
    }

    pub(super) fn list_functions(&mut self, call: Call, fields: &BTreeMap<String, String>) -> Answered<Value> {
        let place = self.place(&call.caller.account, &call.caller.region);
        page("Functions", place.functions.iter(), fields, PAGE_MAX, |name, function| {
            show::function(call.caller, name, function)
        })
    }
}
