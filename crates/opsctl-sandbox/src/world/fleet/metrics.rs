//! Alarms of the fleet file, and what its metrics hover about. `{environment}` in a name is the environment's.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Fleet, FleetError,
    file::{check_environments, default, lists},
};
use crate::world::{KafkaGroup, Level, World, template::Place};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KafkaEntry {
    cluster: String,
    topic: String,
    group: String,
    /// `cluster/name` of the service whose tasks read.
    service: String,
    environments: Vec<String>,
    written_per_second: f64,
    read_per_task: f64,
    #[serde(default)]
    lag: f64,
}

/// What metrics of a service (`cluster/name`) or an instance usually are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsualEntry {
    thing: String,
    environments: Vec<String>,
    metrics: BTreeMap<String, f64>,
}

/// A metric of something that the world has not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelEntry {
    namespace: String,
    metric: String,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    #[serde(default)]
    environments: Vec<String>,
    value: f64,
    #[serde(default)]
    spread: f64,
    /// `cluster/name` of a service without whose tasks there is no sample.
    service: Option<String>,
}

/// An alarm, or one for each of some things, whose names stand for `{each}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlarmEntry {
    pub(super) name: String,
    #[serde(rename = "system")]
    _system: String,
    #[serde(default)]
    environments: Vec<String>,
    /// Environments in which it tells nobody.
    #[serde(default)]
    muted: Vec<String>,
    description: Option<String>,
    #[serde(default)]
    each: Vec<String>,
    metric: Option<[String; 2]>,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    #[serde(default = "average")]
    statistic: String,
    #[serde(default = "default::<60>")]
    period_seconds: u32,
    #[serde(default = "default::<3>")]
    periods: u32,
    datapoints: Option<u32>,
    above: Option<f64>,
    below: Option<f64>,
    /// How missing data counts, in CloudWatch's words.
    #[serde(default = "missing")]
    missing: String,
    /// Label and expression over the parts.
    expression: Option<[String; 2]>,
    #[serde(default)]
    parts: BTreeMap<String, PartEntry>,
    /// Of a composite alarm.
    rule: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartEntry {
    metric: [String; 2],
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    statistic: String,
}

fn average() -> String {
    "Average".to_owned()
}

fn missing() -> String {
    "missing".to_owned()
}

impl Fleet {
    pub(super) fn settle_metrics(&self, world: &mut World, place: &Place) {
        let Place { environment, account, region } = place;
        let named = |text: &str| text.replace("{environment}", environment);
        for entry in self.file.kafka.iter().filter(|entry| lists(&entry.environments, environment)) {
            let group = KafkaGroup {
                cluster: named(&entry.cluster),
                topic: named(&entry.topic),
                group: named(&entry.group),
                service: service(&named(&entry.service)),
                written_per_second: entry.written_per_second,
                read_per_task: entry.read_per_task,
                lag: entry.lag,
                values: VecDeque::new(),
            };
            world.put_kafka_group(account, region, group);
        }
        for entry in self.file.usual.iter().filter(|entry| lists(&entry.environments, environment)) {
            for (metric, value) in &entry.metrics {
                world.put_usual(account, region, &named(&entry.thing), metric, *value);
            }
        }
        for entry in self.file.levels.iter().filter(|entry| lists(&entry.environments, environment)) {
            let values: Vec<String> = entry.dimensions.values().map(|value| named(value)).collect();
            let dimensions: Vec<(&str, &str)> =
                entry.dimensions.keys().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
            let service = entry.service.as_ref().map(|name| service(&named(name)));
            let level = Level { value: entry.value, spread: entry.spread, service };
            world.put_level(account, region, (&entry.namespace, &entry.metric), &dimensions, level);
        }
    }

    /// Alarms, as if they had been made at `since` and had watched from then on; composite ones last: their rules name others.
    ///
    /// # Errors
    /// CloudWatch refuses one.
    pub(super) fn settle_alarms(
        &self,
        world: &mut World,
        now: Timestamp,
        since: Timestamp,
        place: &Place,
    ) -> Result<(), FleetError> {
        let caller = place.caller();
        let here = self.file.alarms.iter().filter(|entry| lists(&entry.environments, &place.environment));
        let (rules, others): (Vec<_>, Vec<_>) = here.partition(|entry| entry.rule.is_some());
        for entry in others.into_iter().chain(rules) {
            let action = if entry.rule.is_some() { "PutCompositeAlarm" } else { "PutMetricAlarm" };
            for request in entry.requests(place) {
                let done = world.ask(now, &caller, ("cloudwatch", action), request);
                done.map_err(|error| FleetError::Refused {
                    item: format!("alarm {:?}", entry.name),
                    code: error.code,
                    message: error.message,
                })?;
            }
        }
        world.backdate_alarms(&caller, since);
        Ok(())
    }
}

impl AlarmEntry {
    pub(super) fn check(&self, environments: &[&str]) -> Result<(), String> {
        check_environments(self.environments.iter().chain(&self.muted), environments)?;
        let looks_at = [self.metric.is_some(), self.expression.is_some(), self.rule.is_some()];
        if looks_at.into_iter().filter(|is_given| *is_given).count() != 1 {
            return Err("it has not one of metric, expression and rule".to_owned());
        }
        if self.rule.is_none() && self.above.is_some() == self.below.is_some() {
            return Err("it has not one of above and below".to_owned());
        }
        Ok(())
    }

    fn requests(&self, place: &Place) -> Vec<Value> {
        let each: Vec<&str> =
            if self.each.is_empty() { vec![""] } else { self.each.iter().map(String::as_str).collect() };
        each.into_iter().map(|each| self.request(place, each)).collect()
    }

    fn request(&self, place: &Place, each: &str) -> Value {
        let named = |text: &str| text.replace("{each}", each).replace("{environment}", &place.environment);
        let topic = format!("arn:aws:sns:{}:{}:on-call", place.region, place.account);
        let mut request = json!({
            "AlarmName": named(&self.name),
            "AlarmDescription": self.description.as_deref().map(named),
            "ActionsEnabled": !self.muted.contains(&place.environment),
            "AlarmActions": [topic],
            "OKActions": [topic],
        });
        if let Some(rule) = &self.rule {
            request["AlarmRule"] = json!(named(rule));
            return request;
        }
        let (comparison, threshold) = match (self.above, self.below) {
            (Some(above), _) => ("GreaterThanThreshold", above),
            (None, below) => ("LessThanThreshold", below.unwrap_or_default()),
        };
        let dimensions = |given: &BTreeMap<String, String>| -> Vec<Value> {
            given.iter().map(|(name, value)| json!({ "Name": name, "Value": named(value) })).collect()
        };
        for (member, value) in [
            ("Threshold", json!(threshold)),
            ("ComparisonOperator", json!(comparison)),
            ("EvaluationPeriods", json!(self.periods)),
            ("DatapointsToAlarm", json!(self.datapoints.unwrap_or(self.periods))),
            ("TreatMissingData", json!(self.missing)),
        ] {
            request[member] = value;
        }
        if let Some([namespace, metric]) = &self.metric {
            request["Namespace"] = json!(namespace);
            request["MetricName"] = json!(named(metric));
            request["Dimensions"] = json!(dimensions(&self.dimensions));
            request["Period"] = json!(self.period_seconds);
            let kind = if self.statistic.starts_with('p') { "ExtendedStatistic" } else { "Statistic" };
            request[kind] = json!(self.statistic);
        }
        if let Some([label, expression]) = &self.expression {
            let part = |(id, part): (&String, &PartEntry)| {
                let [namespace, metric] = &part.metric;
                let metric =
                    json!({ "Namespace": namespace, "MetricName": metric, "Dimensions": dimensions(&part.dimensions) });
                let stat = json!({ "Metric": metric, "Period": self.period_seconds, "Stat": part.statistic });
                json!({ "Id": id, "MetricStat": stat, "ReturnData": false })
            };
            let mut queries: Vec<Value> = self.parts.iter().map(part).collect();
            queries.push(json!({ "Id": "whole", "Expression": expression, "Label": label, "ReturnData": true }));
            request["Metrics"] = json!(queries);
        }
        request
    }
}

fn service(name: &str) -> (String, String) {
    let (cluster, name) = name.split_once('/').unwrap_or(("", name));
    (cluster.to_owned(), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fleet::Amount;

    /// Alarms of an environment by name, with their states.
    fn states(world: &mut World, now: Timestamp, environment: &str) -> BTreeMap<String, String> {
        let fleet = Fleet::built_in().expect("a fleet");
        let place = fleet.places().find(|place| place.environment == environment).expect("there");
        let (mut states, mut token) = (BTreeMap::new(), None);
        loop {
            let types = json!(["MetricAlarm", "CompositeAlarm"]);
            let request = json!({ "AlarmTypes": types, "NextToken": token, "MaxRecords": 100 });
            let page = world.ask_json(now, &place.caller(), ("cloudwatch", "DescribeAlarms"), request).expect("alarms");
            for alarm in
                ["MetricAlarms", "CompositeAlarms"].iter().flat_map(|sort| page[sort].as_array().expect("a list"))
            {
                let text = |member: &str| alarm[member].as_str().expect("a text").to_owned();
                states.insert(text("AlarmName"), text("StateValue"));
            }
            token = page["NextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                return states;
            }
        }
    }

    fn world(now: Timestamp) -> World {
        let mut world = World::new(7, now);
        let fleet = Fleet::built_in().expect("a fleet");
        // As much as the fleet has: what waits in an outbox makes an alarm go off.
        fleet.settle(&mut world, now, 7, Amount::Full).expect("settled");
        world
    }

    fn those<'a>(states: &'a BTreeMap<String, String>, state: &str) -> Vec<&'a str> {
        states.iter().filter(|(_, value)| *value == state).map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn alarms_go_off_for_reasons_that_the_fleet_shows() {
        let now: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
        let mut world = world(now);
        let [dev, staging, prod] = ["dev", "staging", "prod"].map(|name| states(&mut world, now, name));
        assert_eq!(
            those(&dev, "ALARM"),
            ["cts-dlq-not-empty", "events-transfers-subscription-dlq-not-empty", "valid-orders-dlq-not-empty"]
        );
        let asleep =
            ["tsdevstack-auth-service-memory", "tsdevstack-bff-service-memory", "tsdevstack-offers-service-memory"];
        assert_eq!(those(&dev, "INSUFFICIENT_DATA"), asleep);
        assert_eq!(
            those(&staging, "ALARM"),
            [
                "cts-dlq-not-empty",
                "ledger-postings-dlq.fifo-not-empty",
                "nucleus-recon-deployment-stuck",
                "payouts-dlq-not-empty",
                "valid-orders-dlq-not-empty"
            ]
        );
        let wrong = [
            "cts-dlq-not-empty",
            "events-transfers-subscription-dlq-not-empty",
            "ledger-postings-dlq.fifo-not-empty",
            "nucleus-usdc-algo-below-two-tasks",
            "offers-db-free-storage",
            "order-intake-in-trouble",
            "orders-rejected",
            "payouts-dlq-not-empty",
            "recon-statements-dlq-not-empty",
            "storo-cts-outbox-backlog",
            "storo-cts-publish-lag",
            "transfers-in-trouble",
            "valid-orders-dlq-not-empty",
            "wallet-movements-lag",
            "wallet-service-memory",
        ];
        assert_eq!(those(&prod, "ALARM"), wrong);
        assert!(prod.len() + staging.len() + dev.len() > 120);
    }

    #[test]
    fn alarms_on_outboxes_fire_and_heal_with_them() {
        let now: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
        let (mut world, fleet) = (world(now), Fleet::built_in().expect("a fleet"));
        let fire = |world: &mut World, now| {
            let states = states(world, now, "prod");
            ["storo-cts-outbox-backlog", "storo-cts-publish-lag"].map(|alarm| states[alarm].clone())
        };
        assert_eq!(fire(&mut world, now), ["ALARM", "ALARM"]);
        let place = fleet.places().find(|place| place.environment == "prod").expect("there");
        let enable = json!({ "Name": "cts-outbox-worker-every-minute" });
        world.ask(now, &place.caller(), ("events", "EnableRule"), enable).expect("enabled");
        let mut later = now;
        for _ in 0..30 {
            later += jiff::SignedDuration::from_secs(60);
            world.advance(later);
        }
        assert_eq!(fire(&mut world, later), ["OK", "OK"]);
    }
}
