//! Rules are made, given targets and deleted; events that are put go to the queues and functions of the rules whose pattern they fit.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Rule, check_bus, no_rule};
use crate::world::{
    ApiError, Caller, World,
    call::{Answered, Call},
    error::error,
    sns::Policy,
    template::Place,
    uuid,
};

/// Targets of a rule, and entries of a `PutEvents` (API reference).
const TARGETS_MAX: usize = 5;
const ENTRIES_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutRule {
    name: String,
    schedule_expression: Option<String>,
    event_pattern: Option<String>,
    description: Option<String>,
    state: Option<String>,
    event_bus_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Targets {
    rule: String,
    event_bus_name: Option<String>,
    #[serde(default)]
    targets: Vec<Target>,
    #[serde(default)]
    ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    id: String,
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    event_bus_name: Option<String>,
}

impl super::Events {
    pub(super) fn put_rule(&mut self, call: Call, request: PutRule) -> Answered<Value> {
        check_bus(request.event_bus_name.as_deref())?;
        let Caller { account, region, .. } = call.caller;
        let PutRule { name, schedule_expression, event_pattern, description, state, .. } = request;
        if schedule_expression.is_none() && event_pattern.is_none() {
            return Err(error(
                "ValidationException",
                "Parameter(s) EventPattern or ScheduleExpression must be specified.",
            ));
        }
        let is_schedule =
            |text: &str| ["rate(", "cron("].iter().any(|kind| text.starts_with(kind)) && text.ends_with(')');
        if schedule_expression.as_deref().is_some_and(|text| !is_schedule(text)) {
            return Err(error("ValidationException", "Parameter ScheduleExpression is not valid."));
        }
        if let Some(pattern) = &event_pattern {
            let wrong = |why: String| {
                error("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {why}"))
            };
            Policy::parse(pattern).map_err(wrong)?;
        }
        let known = self.rule(account, region, &name);
        if known.as_ref().is_some_and(|known| known.managed_by.is_some()) {
            return Err(managed(&name));
        }
        let targets = known.map(|known| known.targets.clone()).unwrap_or_default();
        let rule = Rule {
            schedule: schedule_expression.unwrap_or_default(),
            pattern: event_pattern,
            description,
            is_enabled: state.as_deref() != Some("DISABLED"),
            targets,
            managed_by: None,
        };
        self.put(account, region, &name, rule);
        Ok(json!({ "RuleArn": format!("arn:aws:events:{region}:{account}:rule/{name}") }))
    }

    pub(super) fn put_targets(&mut self, call: Call, request: Targets) -> Answered<Value> {
        let rule = self.own(call, &request)?;
        for Target { id, arn } in request.targets {
            rule.targets.retain(|(known, _)| *known != id);
            rule.targets.push((id, arn));
        }
        if rule.targets.len() > TARGETS_MAX {
            rule.targets.truncate(TARGETS_MAX);
            return Err(error("LimitExceededException", "The requested resource exceeds the maximum number allowed."));
        }
        Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
    }

    pub(super) fn remove_targets(&mut self, call: Call, request: Targets) -> Answered<Value> {
        let rule = self.own(call, &request)?;
        rule.targets.retain(|(id, _)| !request.ids.contains(id));
        Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
    }

    /// Deleting what is not there is no error; what has targets is refused.
    pub(super) fn delete_rule(&mut self, call: Call, request: super::OnRule) -> Answered<()> {
        check_bus(request.event_bus_name.as_deref())?;
        let place = self.places.entry((call.caller.account.clone(), call.caller.region.clone())).or_default();
        match place.get(&request.name) {
            Some(rule) if rule.managed_by.is_some() => Err(managed(&request.name)),
            Some(rule) if !rule.targets.is_empty() => {
                Err(error("ValidationException", "Rule can't be deleted since it has targets."))
            }
            Some(_) | None => {
                place.remove(&request.name);
                Ok(())
            }
        }
    }

    fn own(&mut self, call: Call, request: &Targets) -> Answered<&mut Rule> {
        check_bus(request.event_bus_name.as_deref())?;
        let Caller { account, region, .. } = call.caller;
        let rule = self.rule(account, region, &request.rule).ok_or_else(|| no_rule(&request.rule))?;
        if rule.managed_by.is_some() { Err(managed(&request.rule)) } else { Ok(rule) }
    }
}

impl World {
    pub(super) fn put_events(&mut self, call: Call, request: PutEvents) -> Answered<Value> {
        if request.entries.is_empty() || request.entries.len() > ENTRIES_MAX {
            let message = format!("1 validation error detected: a PutEvents takes from 1 to {ENTRIES_MAX} entries.");
            return Err(error("ValidationException", message));
        }
        let mut failed = 0;
        let told: Vec<Value> = request
            .entries
            .iter()
            .map(|entry| match self.put_one(call, entry) {
                Ok(id) => json!({ "EventId": id }),
                Err((code, message)) => {
                    failed += 1;
                    json!({ "ErrorCode": code, "ErrorMessage": message })
                }
            })
            .collect();
        Ok(json!({ "FailedEntryCount": failed, "Entries": told }))
    }

    fn put_one(&mut self, call: Call, entry: &Entry) -> Result<String, (&'static str, &'static str)> {
        let (Some(source), Some(kind), Some(detail)) = (&entry.source, &entry.detail_type, &entry.detail) else {
            return Err((
                "InvalidArgument",
                "Parameter Source, DetailType or Detail is not valid. Reason: it is required.",
            ));
        };
        let detail: Map<String, Value> =
            serde_json::from_str(detail).map_err(|_| ("MalformedDetail", "Detail is malformed."))?;
        check_bus(entry.event_bus_name.as_deref()).map_err(|_| ("InvalidArgument", "The event bus does not exist."))?;
        let Caller { account, region, .. } = call.caller;
        let id = uuid(&mut self.rng);
        let event = json!({
            "version": "0", "id": id, "detail-type": kind, "source": source, "account": account,
            "time": call.time().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "region": region,
            "resources": entry.resources, "detail": detail,
        });
        let members = event.as_object().cloned().unwrap_or_default();
        let fits = |rule: &Rule| {
            let pattern = rule.pattern.as_deref().and_then(|pattern| Policy::parse(pattern).ok().flatten());
            rule.is_enabled && pattern.is_some_and(|pattern| pattern.passes(&members))
        };
        let of_rules: Vec<(String, Vec<String>)> = self
            .events
            .rules(call.caller)
            .filter(|(_, rule)| fits(rule))
            .map(|(name, rule)| (name.clone(), rule.targets.iter().map(|(_, arn)| arn.clone()).collect()))
            .collect();
        for (rule, targets) in of_rules {
            self.match_rule(call, &rule, &targets, &event);
        }
        Ok(id)
    }

    fn match_rule(&mut self, call: Call, rule: &str, targets: &[String], event: &Value) {
        let Caller { account, region, .. } = call.caller;
        let place = Place { environment: String::new(), account: account.clone(), region: region.clone() };
        for arn in targets {
            let went = match arn.strip_prefix("arn:aws:sqs:") {
                Some(queue) => {
                    let name = queue.rsplit(':').next().unwrap_or_default();
                    let letter = json!({ "QueueUrl": name, "MessageBody": event.to_string() });
                    self.ask(call.time(), call.caller, ("sqs", "SendMessage"), letter).is_ok()
                }
                None => true,
            };
            let metric = if went { "Invocations" } else { "FailedInvocations" };
            self.count_metric(call.time(), &place, ("AWS/Events", metric), ("RuleName", rule), 1.0);
        }
    }
}

fn managed(name: &str) -> ApiError {
    error("ManagedRuleException", format!("Rule {name} is managed by an AWS service and can't be modified directly."))
}
