//! Reserved concurrency: how many of a function run at once; with 0 every call of it is throttled.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Function, Lambda, function_name, invalid, no_function};
use crate::world::call::{Answered, Call, given};

/// Concurrent executions of an account and region, and how many of them no function may reserve (developer guide, quotas).
const ACCOUNT_MAX: u32 = 1_000;
const UNRESERVED_MIN: u32 = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutConcurrency {
    reserved_concurrent_executions: u32,
}

impl Lambda {
    /// Reserves concurrency for a function, which is made where it is not there.
    pub fn reserve(&mut self, account: &str, region: &str, name: &str, at: i64, reserved: Option<u32>) {
        let functions = &mut self.place(account, region).functions;
        let function = functions.entry(name.to_owned()).or_insert_with(|| Function::plain(account, at));
        function.reserved = reserved;
    }

    /// Whether a function is there and may run.
    pub(in crate::world) fn runs(&self, account: &str, region: &str, name: &str) -> bool {
        let place = self.places.get(&(account.to_owned(), region.to_owned()));
        place.and_then(|place| place.functions.get(name)).is_some_and(|function| function.reserved != Some(0))
    }

    pub(super) fn put_concurrency(
        &mut self,
        call: Call,
        fields: &BTreeMap<String, String>,
        request: PutConcurrency,
    ) -> Answered<Value> {
        let PutConcurrency { reserved_concurrent_executions: wanted } = request;
        let (name, function) = self.named(call, fields)?;
        let before = function.reserved.unwrap_or_default();
        let functions = &self.place(&call.caller.account, &call.caller.region).functions;
        let all: u32 = functions.values().filter_map(|function| function.reserved).sum();
        if (all - before).saturating_add(wanted) > ACCOUNT_MAX - UNRESERVED_MIN {
            let message = "Specified ReservedConcurrentExecutions for function decreases account's \
                           UnreservedConcurrentExecution below its minimum value of [100].";
            return Err(invalid(message));
        }
        self.reserve(&call.caller.account, &call.caller.region, &name, call.now, Some(wanted));
        Ok(json!({ "ReservedConcurrentExecutions": wanted }))
    }

    pub(super) fn get_concurrency(&mut self, call: Call, fields: &BTreeMap<String, String>) -> Answered<Value> {
        let (_, function) = self.named(call, fields)?;
        Ok(given(json!({ "ReservedConcurrentExecutions": function.reserved })))
    }

    pub(super) fn delete_concurrency(&mut self, call: Call, fields: &BTreeMap<String, String>) -> Answered<()> {
        let (_, function) = self.named(call, fields)?;
        function.reserved = None;
        Ok(())
    }

    /// The function that a path names, by name, partial ARN or ARN.
    pub(super) fn named(&mut self, call: Call, fields: &BTreeMap<String, String>) -> Answered<(String, &mut Function)> {
        let caller = call.caller;
        let named = fields.get("FunctionName").map(String::as_str).unwrap_or_default();
        let name = function_name(named).split(':').next().unwrap_or_default();
        let found = self.place(&caller.account, &caller.region).functions.get_mut(name);
        found.map(|function| (name.to_owned(), function)).ok_or_else(|| no_function(caller, name))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::world::{Caller, Input, World};

    fn call(world: &mut World, action: &str, body: Value) -> Answered<Value> {
        let caller = Caller { account: "1".to_owned(), region: "r".to_owned(), origin: String::new() };
        let name = "arn:aws:lambda:r:1:function:worker".to_owned();
        let input = Input { fields: BTreeMap::from([("FunctionName".to_owned(), name)]), ..body.into() };
        world.ask_json(Timestamp::UNIX_EPOCH, &caller, ("lambda", action), input)
    }

    #[test]
    fn a_function_without_concurrency_does_not_run() {
        let mut world = World::new(7, Timestamp::UNIX_EPOCH);
        assert_eq!(
            call(&mut world, "GetFunctionConcurrency", json!({})).expect_err("none").code,
            "ResourceNotFoundException"
        );
        world.lambda.reserve("1", "r", "worker", 0, None);
        assert!(world.lambda.runs("1", "r", "worker"));
        assert_eq!(call(&mut world, "GetFunctionConcurrency", json!({})), Ok(json!({})));
        let none = json!({ "ReservedConcurrentExecutions": 0 });
        assert_eq!(call(&mut world, "PutFunctionConcurrency", none.clone()), Ok(none.clone()));
        assert!(!world.lambda.runs("1", "r", "worker"));
        assert_eq!(call(&mut world, "GetFunction", json!({})).map(|found| found["Concurrency"].clone()), Ok(none));
        call(&mut world, "DeleteFunctionConcurrency", json!({})).expect("deleted");
        assert!(world.lambda.runs("1", "r", "worker"));
    }

    #[test]
    fn a_hundred_stay_unreserved() {
        let mut world = World::new(7, Timestamp::UNIX_EPOCH);
        world.lambda.reserve("1", "r", "worker", 0, Some(500));
        world.lambda.reserve("1", "r", "other", 0, Some(300));
        let put = |world: &mut World, wanted: u32| {
            call(world, "PutFunctionConcurrency", json!({ "ReservedConcurrentExecutions": wanted }))
        };
        assert!(put(&mut world, 600).is_ok());
        assert_eq!(put(&mut world, 601).expect_err("too many").code, "InvalidParameterValueException");
    }
}
