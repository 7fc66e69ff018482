//! What the world's programs need of one another: who works on a database fails while that does not serve.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{World, rds::Connected, template::Place};

/// Databases that wake because of a connection, and when they take work: account, region, name.
#[derive(Debug, Default)]
pub(super) struct Waking(BTreeMap<(String, String, String), Timestamp>);

impl World {
    /// Whether a database, a cluster or an instance, does the work of a program that connects to it at this moment. One that has
    /// paused begins to wake by that. While a cluster fails over, its name leads to nobody, or to a server that only reads.
    pub(super) fn database_serves(&mut self, at: Timestamp, place: &Place, database: &str) -> bool {
        let Place { account, region, .. } = place;
        let key = (account.clone(), region.clone(), database.to_owned());
        let connected = self.rds.connect_by_name(at.as_millisecond(), account, region, database);
        self.rds.note_program(at.as_millisecond(), account, region, database);
        match connected {
            Connected::Writer => {
                self.waking.0.get(&key).is_none_or(|awake_at| *awake_at <= at) && !self.is_locked(place, database)
            }
            Connected::Wakes(awake_at) => {
                self.waking.0.insert(key, awake_at);
                false
            }
            Connected::Reader | Connected::Refused | Connected::Unknown => false,
        }
    }
}

impl World {
    /// Lets a rule of EventBridge call its functions; whether one of them runs.
    pub(super) fn fire(&mut self, at: Timestamp, place: &Place, rule: &str) -> bool {
        let mut runs = false;
        for function in self.functions_of(place, rule) {
            self.count_metric(at, place, ("AWS/Events", "Invocations"), ("RuleName", rule), 1.0);
            let is_let = self.lambda.runs(&place.account, &place.region, &function);
            let metric = if is_let { "Invocations" } else { "Throttles" };
            self.count_metric(at, place, ("AWS/Lambda", metric), ("FunctionName", &function), 1.0);
            runs |= is_let;
        }
        runs
    }

    /// The functions that a rule calls while it is enabled.
    pub(super) fn functions_of(&self, place: &Place, rule: &str) -> Vec<String> {
        let targets = self.events.targets(&place.account, &place.region, rule);
        targets.filter_map(|arn| arn.split_once(":function:")).map(|(_, name)| name.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::world::{
        Counts, PutMessage,
        actors::Consumer,
        rds::{Capacity, Cluster, Instance},
    };

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn place() -> Place {
        Place { environment: "dev".into(), account: "111111111111".into(), region: "af-south-1".into() }
    }

    fn after(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    /// Twenty orders, each received three times at most, and a worker that needs the cluster `orders`.
    fn world(capacity: Option<Capacity>) -> World {
        let mut world = World::new(7, START);
        let (caller, place) = (place().caller(), place());
        let member =
            |name: &str| Instance::new(name, "db.r6g.large", "aurora-postgresql", "16.6", "af-south-1a", START);
        let cluster = Cluster::new("orders", "aurora-postgresql", "16.6", &["orders-1", "orders-2"], START);
        let instances = vec![member("orders-1"), member("orders-2")];
        world.put_cluster(&place.account, &place.region, Cluster { capacity, ..cluster }, instances);
        world.create(START, &caller, "orders-dlq", &[]).expect("created");
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:af-south-1:111111111111:orders-dlq","maxReceiveCount":3}"#;
        let attributes = [("RedrivePolicy", policy), ("VisibilityTimeout", "4")];
        world.create(START, &caller, "orders", &attributes).expect("created");
        let consumer = Consumer { rate_per_second: 50.0, database: Some("orders".to_owned()), ..Consumer::default() };
        world.actors.add(START, place, "orders", consumer);
        world
    }

    fn put(world: &mut World, at: Timestamp) {
        for number in 0..20 {
            world.put(at, &place().caller(), "orders", PutMessage::new(number.to_string())).expect("put");
        }
    }

    fn counts(world: &World, queue: &str) -> Counts {
        world.queue_view("111111111111", "af-south-1", queue).expect("there").counts
    }

    #[test]
    fn work_is_done_while_the_database_serves() {
        let mut world = world(None);
        put(&mut world, START);
        world.advance(after(10));
        assert_eq!((counts(&world, "orders"), counts(&world, "orders-dlq").visible), (Counts::default(), 0));
    }

    #[test]
    fn a_failover_burns_receive_counts() {
        let mut world = world(None);
        let form = [("DBClusterIdentifier", "orders"), ("TargetDBInstanceIdentifier", "orders-2")];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        world.ask_form(START, &place().caller(), ("rds", "FailoverDBCluster"), form).expect("begun");
        put(&mut world, after(3));
        world.advance(after(60));
        let dead = counts(&world, "orders-dlq").visible;
        assert!(dead > 0, "{dead}");
        put(&mut world, after(60));
        world.advance(after(70));
        assert_eq!((counts(&world, "orders").visible, counts(&world, "orders-dlq").visible), (0, dead));
    }

    #[test]
    fn whoever_needs_a_paused_database_wakes_it_and_fails_until_it_is_awake() {
        let paused = Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) };
        let mut world = world(Some(paused));
        world.advance(after(5));
        let idle = world.cluster(after(5), "111111111111", "af-south-1", "orders").expect("there").capacity.clone();
        assert_eq!(idle.map(|capacity| capacity.current), Some(0.0), "who has nothing to do does not connect");
        put(&mut world, after(5));
        world.advance(after(60));
        assert_eq!((counts(&world, "orders").visible, counts(&world, "orders-dlq").visible), (0, 20));
        put(&mut world, after(60));
        world.advance(after(70));
        assert_eq!((counts(&world, "orders").visible, counts(&world, "orders-dlq").visible), (0, 20));
    }
}
