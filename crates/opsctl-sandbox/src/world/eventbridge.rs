//! EventBridge on the pure world: rules with schedules, and what they call. Facts and texts are the API reference's.
//!
//! Who lives by a rule asks whether it fires ([`Events::targets`]). Not simulated: schedules that call queues, inputs of targets,
//! other buses than `default`.

mod write;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ApiError, Caller,
    call::{Answered, Call, given},
    error::error,
    page::page,
    service::{JSON_1_1, Protocol, ServiceDef, does},
};

const BUS: &str = "default";
/// Items on a page at most (API reference, `Limit`).
const PAGE_MAX: usize = 100;

#[derive(Debug, Default)]
pub struct Events {
    places: BTreeMap<(String, String), BTreeMap<String, Rule>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// `rate(1 minute)`, `cron(0 20 * * ? *)`.
    pub schedule: String,
    /// A filter of events, as a document.
    pub pattern: Option<String>,
    pub description: Option<String>,
    pub is_enabled: bool,
    /// Id and ARN of each.
    pub targets: Vec<(String, String)>,
    /// The AWS service that made the rule: nobody else may change it.
    pub managed_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRules {
    name_prefix: Option<String>,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnRule {
    name: String,
    event_bus_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTargets {
    rule: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListByTarget {
    target_arn: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "AWSEvents", content_type: JSON_1_1, shapes: None },
    subject: |input| {
        let document = input.document.as_ref().ok()?;
        ["Name", "Rule"].iter().find_map(|member| document.get(member)?.as_str().map(str::to_owned))
    },
    ..ServiceDef::new(
        "events",
        &[
            ("ListRules", does!(events.list_rules)),
            ("DescribeRule", does!(events.describe_rule)),
            ("EnableRule", |world, call, input| super::call::told(world.events.set(call, &input.read()?, true))),
            ("DisableRule", |world, call, input| super::call::told(world.events.set(call, &input.read()?, false))),
            ("ListTargetsByRule", does!(events.list_targets)),
            ("ListRuleNamesByTarget", does!(events.list_by_target)),
            ("PutRule", does!(events.put_rule)),
            ("DeleteRule", does!(events.delete_rule)),
            ("PutTargets", does!(events.put_targets)),
            ("RemoveTargets", does!(events.remove_targets)),
            ("PutEvents", does!(put_events)),
        ],
    )
};

impl Events {
    /// Adds or replaces a rule.
    pub fn put(&mut self, account: &str, region: &str, name: &str, rule: Rule) {
        self.places.entry((account.to_owned(), region.to_owned())).or_default().insert(name.to_owned(), rule);
    }

    pub fn rule(&mut self, account: &str, region: &str, name: &str) -> Option<&mut Rule> {
        self.places.get_mut(&(account.to_owned(), region.to_owned()))?.get_mut(name)
    }

    /// What a rule calls when its time comes: ARNs; nothing while it is disabled.
    pub(super) fn targets(&self, account: &str, region: &str, name: &str) -> impl Iterator<Item = &str> {
        let place = self.places.get(&(account.to_owned(), region.to_owned()));
        let rule = place.and_then(|rules| rules.get(name)).filter(|rule| rule.is_enabled);
        rule.into_iter().flat_map(|rule| &rule.targets).map(|(_, arn)| arn.as_str())
    }

    fn list_rules(&self, call: Call, request: ListRules) -> Answered<Value> {
        check_bus(request.event_bus_name.as_deref())?;
        let prefix = request.name_prefix.as_deref().unwrap_or_default();
        let rules = self.rules(call.caller).filter(|(name, _)| name.starts_with(prefix));
        let (rules, next) = one_page(rules, request.limit, request.next_token.as_deref(), |(name, _)| name)?;
        let rules: Vec<Value> = rules.into_iter().map(|(name, rule)| shown(call.caller, name, rule)).collect();
        Ok(given(json!({ "Rules": rules, "NextToken": next })))
    }

    fn describe_rule(&self, call: Call, request: OnRule) -> Answered<Value> {
        let rule = self.find(call.caller, &request.name, request.event_bus_name.as_deref())?;
        let mut document = shown(call.caller, &request.name, rule);
        document["CreatedBy"] = json!(call.caller.account);
        Ok(document)
    }

    fn set(&mut self, call: Call, request: &OnRule, is_enabled: bool) -> Answered<()> {
        let OnRule { name, event_bus_name } = request;
        self.find(call.caller, name, event_bus_name.as_deref())?;
        let Caller { account, region, .. } = call.caller;
        let rule = self.rule(account, region, name).ok_or_else(|| no_rule(name))?;
        if rule.managed_by.is_some() {
            let message = format!("Rule {name} is managed by an AWS service and can't be modified directly.");
            return Err(error("ManagedRuleException", message));
        }
        rule.is_enabled = is_enabled;
        Ok(())
    }

    fn list_targets(&self, call: Call, request: ListTargets) -> Answered<Value> {
        let rule = self.find(call.caller, &request.rule, request.event_bus_name.as_deref())?;
        let token = request.next_token.as_deref();
        let (targets, next) = one_page(&rule.targets, request.limit, token, |(id, _)| id)?;
        let targets: Vec<Value> = targets.into_iter().map(|(id, arn)| json!({ "Id": id, "Arn": arn })).collect();
        Ok(given(json!({ "Targets": targets, "NextToken": next })))
    }

    fn list_by_target(&self, call: Call, request: ListByTarget) -> Answered<Value> {
        check_bus(request.event_bus_name.as_deref())?;
        let calls_it = |rule: &Rule| rule.targets.iter().any(|(_, arn)| *arn == request.target_arn);
        let names = self.rules(call.caller).filter(|(_, rule)| calls_it(rule)).map(|(name, _)| name);
        let (names, next) = one_page(names, request.limit, request.next_token.as_deref(), |name| name)?;
        Ok(given(json!({ "RuleNames": names, "NextToken": next })))
    }

    fn rules(&self, caller: &Caller) -> impl Iterator<Item = (&String, &Rule)> {
        self.places.get(&(caller.account.clone(), caller.region.clone())).into_iter().flatten()
    }

    fn find(&self, caller: &Caller, name: &str, bus: Option<&str>) -> Answered<&Rule> {
        check_bus(bus)?;
        let place = self.places.get(&(caller.account.clone(), caller.region.clone()));
        place.and_then(|rules| rules.get(name)).ok_or_else(|| no_rule(name))
    }
}

fn one_page<T>(
    all: impl IntoIterator<Item = T>,
    limit: Option<usize>,
    token: Option<&str>,
    key: impl Fn(&T) -> &str,
) -> Answered<(Vec<T>, Option<String>)> {
    let size = limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    page(all, size, token, key).ok_or_else(|| error("ValidationException", "Invalid NextToken"))
}

fn check_bus(bus: Option<&str>) -> Answered<()> {
    // A bus is named by its name or its ARN.
    match bus.map(|bus| bus.rsplit('/').next().unwrap_or_default()) {
        None | Some(BUS) => Ok(()),
        Some(other) => Err(error("ResourceNotFoundException", format!("Event bus {other} does not exist."))),
    }
}

fn no_rule(name: &str) -> ApiError {
    error("ResourceNotFoundException", format!("Rule {name} does not exist on EventBus {BUS}."))
}

fn shown(caller: &Caller, name: &str, rule: &Rule) -> Value {
    let Caller { account, region, .. } = caller;
    given(json!({
        "Name": name,
        "Arn": format!("arn:aws:events:{region}:{account}:rule/{name}"),
        "State": if rule.is_enabled { "ENABLED" } else { "DISABLED" },
        "Description": rule.description,
        "ScheduleExpression": (!rule.schedule.is_empty()).then_some(&rule.schedule),
        "EventPattern": rule.pattern,
        "ManagedBy": rule.managed_by,
        "EventBusName": BUS,
    }))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::world::World;

    fn call(world: &mut World, action: &str, body: Value) -> Answered<Value> {
        let caller = Caller { account: "1".to_owned(), region: "r".to_owned(), origin: String::new() };
        world.ask_json(Timestamp::UNIX_EPOCH, &caller, ("events", action), body)
    }

    fn world() -> World {
        let mut world = World::new(7, Timestamp::UNIX_EPOCH);
        for number in 0..5 {
            let rule = Rule {
                schedule: "rate(1 minute)".to_owned(),
                is_enabled: number != 3,
                targets: vec![("worker".to_owned(), format!("arn:aws:lambda:r:1:function:f{}", number % 2))],
                managed_by: (number == 4).then(|| "states.amazonaws.com".to_owned()),
                ..Rule::default()
            };
            world.events.put("1", "r", &format!("rule-{number}"), rule);
        }
        world
    }

    #[test]
    fn rules_are_listed_in_pages_and_by_what_they_call() {
        let mut world = world();
        let first = call(&mut world, "ListRules", json!({ "Limit": 3, "NamePrefix": "rule-" })).expect("rules");
        let token = first["NextToken"].clone();
        let second = call(&mut world, "ListRules", json!({ "Limit": 3, "NextToken": token })).expect("rules");
        let count = |page: &Value| page["Rules"].as_array().map_or(0, Vec::len);
        assert_eq!((count(&first), count(&second), second.get("NextToken")), (3, 2, None));
        let by_target = json!({ "TargetArn": "arn:aws:lambda:r:1:function:f1" });
        let names = call(&mut world, "ListRuleNamesByTarget", by_target).expect("names");
        assert_eq!(names["RuleNames"], json!(["rule-1", "rule-3"]));
        let targets = call(&mut world, "ListTargetsByRule", json!({ "Rule": "rule-1" })).expect("targets");
        assert_eq!(targets["Targets"], json!([{ "Id": "worker", "Arn": "arn:aws:lambda:r:1:function:f1" }]));
    }

    #[test]
    fn a_rule_fires_while_it_is_enabled() {
        let mut world = world();
        let fires = |world: &World| world.events.targets("1", "r", "rule-3").count();
        assert_eq!(fires(&world), 0);
        call(&mut world, "EnableRule", json!({ "Name": "rule-3" })).expect("enabled");
        assert_eq!(fires(&world), 1);
        let rule = call(&mut world, "DescribeRule", json!({ "Name": "rule-3" })).expect("a rule");
        assert_eq!((&rule["State"], &rule["ScheduleExpression"]), (&json!("ENABLED"), &json!("rate(1 minute)")));
        call(&mut world, "DisableRule", json!({ "Name": "rule-3" })).expect("disabled");
        assert_eq!(fires(&world), 0);
    }

    #[test]
    fn what_is_not_there_or_not_ours_is_refused() {
        let mut world = world();
        for (action, body, code) in [
            ("DescribeRule", json!({ "Name": "nothing" }), "ResourceNotFoundException"),
            ("EnableRule", json!({ "Name": "rule-1", "EventBusName": "other" }), "ResourceNotFoundException"),
            ("DisableRule", json!({ "Name": "rule-4" }), "ManagedRuleException"),
            ("ListRules", json!({ "NextToken": "x" }), "ValidationException"),
            ("DescribeRule", json!({}), "SerializationException"),
        ] {
            assert_eq!(call(&mut world, action, body.clone()).expect_err(code).code, code, "{action} {body}");
        }
    }
}
