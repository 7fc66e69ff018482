use std::sync::Arc;

use super::*;
use crate::{
    cloud::{
        CloudError, ErrorKind,
        metrics::{Gauges, SERVICE_CPU},
    },
    databases::Capacity,
    domain::{EcsClusterName, Replacing, Scaling, Service, ServiceEvent, ServiceId, Standing, TaskDefinition},
    observe::parts::{databases::still, services::FoundServices},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}

fn service(name: &str, desired: u32, running: u32) -> Service {
    Service {
        id: ServiceId::new("main", name),
        status: Text::from("ACTIVE"),
        desired,
        running,
        pending: 0,
        task_definition: TaskDefinition("api:3".to_owned()),
        deployments: Vec::new(),
        events: Vec::new(),
        target_groups: Vec::new(),
        replacing: Replacing::default(),
        placement: Default::default(),
    }
}

fn found(services: Vec<Service>) -> FoundServices {
    FoundServices { services, ..FoundServices::default() }
}

fn error(kind: ErrorKind) -> CloudError {
    CloudError::new(kind, "ecs:DescribeServices", "no")
}

#[test]
fn what_did_not_change_is_the_same_and_since_is_kept() {
    let mut register = Register::default();
    register.services(at(0), found(vec![service("b", 2, 2), service("a", 2, 2)]));
    let first = register.estate();
    assert_eq!(first.services.rows[0].service.id.name.0, "a", "in order");
    assert_eq!(register.take_change(), Change::Content);
    register.services(at(15), found(vec![service("a", 2, 2), service("b", 2, 2)]));
    let second = register.estate();
    assert!(Arc::ptr_eq(&first.services.rows, &second.services.rows));
    assert_eq!((second.services.at, register.take_change()), (Some(at(15)), Change::Fresher));
    register.services(at(30), found(vec![service("a", 2, 1), service("b", 2, 2)]));
    register.services(at(45), found(vec![service("a", 2, 0), service("b", 2, 2)]));
    let third = register.estate();
    let [a, b] = &third.services.rows[..] else { panic!("two") };
    assert_eq!((a.since, b.since), (Some((Standing::Below, at(30))), None));
    assert!(Arc::ptr_eq(&first.services.rows[1], b));
    register.services(at(60), found(vec![service("b", 2, 2)]));
    assert_eq!(register.estate().services.rows.len(), 1, "what is gone is gone");
}

#[test]
fn a_cluster_that_does_not_answer_keeps_its_rows_and_it_is_said() {
    let mut register = Register::default();
    let other = Service { id: ServiceId::new("other", "x"), ..service("x", 1, 1) };
    register.services(at(0), found(vec![service("a", 2, 2), other]));
    let failed = vec![(EcsClusterName("other\u{1b}".to_owned()), error(ErrorKind::Denied))];
    register.services(at(15), FoundServices { failed, ..found(vec![service("a", 2, 2)]) });
    let estate = register.estate();
    assert_eq!(estate.services.rows.len(), 1, "a cluster of another name");
    assert!(estate.services.unknown[0].words.as_str().starts_with("services of cluster other␛ are not known"));
    let failed = vec![(EcsClusterName("main".to_owned()), error(ErrorKind::Denied))];
    register.services(at(30), FoundServices { failed, ..FoundServices::default() });
    assert_eq!(register.estate().services.rows.len(), 1);
    register.services(at(45), found(vec![service("a", 2, 2)]));
    assert!(register.estate().services.unknown.is_empty());
}

#[test]
fn a_row_of_a_cluster_that_does_not_answer_keeps_its_age() {
    let mut earlier = Register::default();
    earlier.services(at(-600_000), found(vec![service("a", 2, 2)]));
    let mut register = Register::default();
    register.restore(earlier.estate());
    let other = || Service { id: ServiceId::new("other", "x"), ..service("x", 1, 1) };
    let fails = || vec![(EcsClusterName("main".to_owned()), error(ErrorKind::Throttled))];
    for second in [0, 15, 30] {
        register.services(at(second), FoundServices { failed: fails(), ..found(vec![other()]) });
        let services = register.estate().services;
        let ages: Vec<_> = services.rows.iter().map(|row| services.seen_at(row)).collect();
        assert_eq!(ages, [Some(at(-600_000)), Some(at(second))], "last week's is last week's");
        assert_eq!(services.oldest_at(), Some(at(-600_000)));
        let [lack] = &services.lacks[..] else { panic!("{:?}", services.lacks) };
        assert_eq!((lack.what.as_str(), lack.since, lack.hides_rows), ("services of cluster main", at(0), true));
    }
    register.services(at(45), found(vec![service("a", 2, 2), other()]));
    let services = register.estate().services;
    assert_eq!((services.oldest_at(), services.lacks.len()), (Some(at(45)), 0));
    register.services(at(60), FoundServices { failed: fails(), ..found(vec![other()]) });
    assert_eq!(register.estate().services.rows[0].seen_at, Some(at(45)));
}

#[test]
fn metrics_that_fail_are_told_since_they_do_and_old_capacity_is_none() {
    let mut register = Register::default();
    register.services(at(0), found(vec![service("a", 2, 2)]));
    let gauges = Gauges::default();
    for second in [0, 60, 120] {
        let wanted = register.service_metrics_wanted(at(second), Duration::from_secs(second as u64), 100);
        assert_eq!(wanted.len(), 1);
        register.failed(at(second), Look::ServiceGauges, error(ErrorKind::Throttled));
        let services = register.estate().services;
        assert_eq!((services.lacks.len(), services.lacks[0].since, services.unknown.len()), (1, at(0), 1));
    }
    register.service_metrics_wanted(at(180), Duration::from_secs(180), 100);
    assert_eq!(register.estate().services.unknown.len(), 1, "that it is asked again says nothing");
    register.service_metrics(at(180), &[ServiceId::new("main", "a")], &gauges);
    let services = register.estate().services;
    assert_eq!((services.lacks.len(), services.unknown.len()), (0, 0));
    register.service_metrics_wanted(at(2_000), Duration::from_secs(2_000), 0);
    register.service_metrics_wanted(at(2_060), Duration::from_secs(2_060), 0);
    let services = register.estate().services;
    assert_eq!((services.lacks.len(), services.lacks[0].since), (1, at(2_000)), "nothing may be spent");
    let (paused, units) = (Capacity::Paused { at: at(0) }, Capacity::Units { units: 2.0, at: at(0) });
    assert_eq!([still(paused, at(899)), still(units, at(899))], [paused, units]);
    assert_eq!([still(paused, at(900)), still(units, at(900))], [Capacity::Unknown; 2]);
}

#[test]
fn a_failed_look_leaves_what_was_seen_with_its_age() {
    let mut register = Register::default();
    register.services(at(0), found(vec![service("a", 2, 2)]));
    register.failed(at(5), Look::Services, error(ErrorKind::Throttled));
    register.failed(at(6), Look::Scaling, error(ErrorKind::Denied));
    let services = register.estate().services;
    assert_eq!((services.at, services.rows.len()), (Some(at(0)), 1));
    assert_eq!(services.error.map(|error| error.kind), Some(ErrorKind::Throttled));
    assert!(services.unknown[0].words.as_str().starts_with("autoscaling is not known: "), "{:?}", services.unknown);
    register.services(at(15), found(vec![service("a", 2, 2)]));
    register.scaling(BTreeMap::from([(ServiceId::new("main", "a"), Scaling { min: 1, max: 3, ..Scaling::default() })]));
    let services = register.estate().services;
    assert_eq!((services.error, services.unknown.len()), (None, 0));
    assert_eq!(services.rows[0].scaling.as_ref().map(|scaling| scaling.max), Some(3));
}

#[test]
fn stopped_tasks_are_asked_for_where_something_is_wrong_a_few_at_a_time() {
    let mut register = Register::default();
    let mut services: Vec<Service> = (0..30).map(|number| service(&format!("bad-{number:02}"), 2, 1)).collect();
    services.push(service("well", 2, 2));
    register.services(at(0), found(services));
    assert!(register.is_stopped_unknown());
    let seconds = Duration::from_secs;
    let well = [ServiceId::new("main", "well")];
    let first = register.stopped_wanted(seconds(0), &well);
    assert_eq!((first.len(), first[0].name.0.as_str()), (10, "well"), "who looks comes first");
    let again = register.stopped_wanted(seconds(11), &well);
    assert_eq!((again.len(), &again[0]), (10, &well[0]));
    assert!(again[1..].iter().all(|id| !first.contains(id)), "then those that never were");
    assert_eq!(register.stopped_wanted(seconds(12), &[]).len(), 10);
    assert_eq!(register.stopped_wanted(seconds(13), &[]).len(), 2, "9 and 9 and 10 of 30");
    register
        .stopped(at(20), vec![(first[1].clone(), Err(error(ErrorKind::Denied))), (first[2].clone(), Ok(Vec::new()))]);
    assert!(
        register.estate().services.unknown[0].words.as_str().starts_with("stopped tasks of main/bad-00 are not known")
    );
}

#[test]
fn metrics_stay_within_what_may_be_spent_and_missing_is_not_zero() {
    let mut register = Register::default();
    let mut services: Vec<Service> = (0..50).map(|number| service(&format!("s-{number:02}"), 2, 2)).collect();
    services[40].running = 1;
    services.push(service("asleep", 0, 0));
    register.services(at(0), found(services));
    let wanted = register.service_metrics_wanted(at(0), Duration::ZERO, 20);
    assert_eq!(wanted.len(), 10, "two metrics each");
    assert!(wanted.iter().any(|id| id.name.0 == "s-40"), "who stands badly first");
    let unknown = register.estate().services.unknown;
    assert!(unknown[0].words.as_str().starts_with("metrics of 40 services come later"), "{unknown:?}");
    let next = register.service_metrics_wanted(at(0), Duration::from_secs(1), 1_000);
    assert_eq!(next.len(), 40, "the rest; what sleeps has none");
    assert!(register.estate().services.unknown.is_empty());
    let gauge = |value| Gauge { value, at: at(0), recent: vec![(at(0), value)] };
    let mut gauges = Gauges::default();
    gauges.put(&SERVICE_CPU, &wanted[0].to_string(), gauge(50.0));
    register.service_metrics(at(0), &wanted, &gauges);
    let cpu = |register: &Register| register.service(&wanted[0]).and_then(|row| row.cpu.clone());
    assert_eq!(cpu(&register), Some(gauge(50.0)));
    let mut incomplete = Gauges::default();
    incomplete.incomplete = Some(Text::from("throttled"));
    register.service_metrics(at(0), &wanted, &incomplete);
    assert_eq!(cpu(&register), Some(gauge(50.0)), "it may be there all the same");
    register.service_metrics(at(0), &wanted, &Gauges::default());
    assert_eq!(cpu(&register), None);
}

#[test]
fn an_earlier_sessions_state_says_so_until_it_is_seen_anew() {
    let mut earlier = Register::default();
    earlier.services(at(0), found(vec![service("a", 2, 2), service("gone", 1, 1)]));
    let mut register = Register::default();
    register.restore(earlier.estate());
    let services = register.estate().services;
    assert_eq!((services.at, services.rows.len(), services.unknown.len()), (Some(at(0)), 2, 1));
    register.some_services(at(100), vec![service("a", 2, 1)]);
    assert_eq!(register.estate().services.rows.len(), 2, "a slice is not all");
    register.failed(at(6), Look::Services, error(ErrorKind::Denied));
    assert_eq!(register.estate().services.unknown.len(), 1, "still earlier");
    register.services(at(101), found(vec![service("a", 2, 1)]));
    let services = register.estate().services;
    assert_eq!((services.rows.len(), services.unknown.len()), (1, 0));
    let mut live = Register::default();
    live.services(at(50), found(Vec::new()));
    live.restore(earlier.estate());
    assert!(live.estate().services.rows.is_empty(), "what is seen wins");
}

#[test]
fn events_are_few() {
    let mut register = Register::default();
    let event = ServiceEvent { id: "1".to_owned(), at: at(0), message: Text::from("steady") };
    register.services(at(0), found(vec![Service { events: vec![event; 100], ..service("a", 1, 1) }]));
    assert_eq!(register.estate().services.rows[0].service.events.len(), 20);
}
