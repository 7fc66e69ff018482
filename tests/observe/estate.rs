//! What is watched beside queues: what fails, and what goes on meanwhile.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use opsctl::{
    cloud::{ErrorKind, mutes::own_rule},
    domain::{EnvironmentName, ServiceId, Standing},
    observe::{Focus, Kind, PartName, Severity, Snapshot, Subject, Verdict, verdict::verdicts},
    sandbox::world::{
        FaultKind,
        ecs::{Breaker, Outcome, Program, ServiceFixture, TargetCheck},
        lambda,
        rds::{Capacity, Cluster, Instance},
    },
};
use serde_json::json;

use super::support::{Place, Watched, clock, is_complete};
use crate::support::stage;

const LATENCY: Duration = Duration::from_millis(10);
const MISSING_IMAGE: Program = Program {
    provision_seconds: 3,
    pull_seconds: 9,
    healthy_after_seconds: None,
    outcome: Outcome::CannotPull,
    ignores_sigterm: false,
    target_check: TargetCheck::Passes,
};

impl Place {
    fn services(self, clusters: usize, each: usize) -> Self {
        for cluster in 0..clusters {
            for number in 0..each {
                self.service(&format!("main-{cluster}"), &format!("api-{number:04}"), 2);
            }
        }
        self
    }

    fn service(&self, cluster: &str, name: &str, desired: u32) {
        let fixture = ServiceFixture {
            cluster: cluster.to_owned(),
            name: name.to_owned(),
            family: name.to_owned(),
            image: name.to_owned(),
            revision: 1,
            program: Program::default(),
            desired,
            breaker: Breaker::Off,
            tags: Default::default(),
        };
        self.sandbox.with(|world, now| world.ecs.settle(now, &stage::caller(), &fixture));
    }

    fn set_desired(&self, name: &str, count: u32) {
        let is_there =
            self.sandbox.with(|world, now| world.ecs.set_desired(now, &stage::caller(), "main-0", name, count));
        assert!(is_there, "{name}");
    }

    fn database(self, name: &str, capacity: Option<Capacity>) -> Self {
        self.sandbox.with(|world, now| {
            let members = [format!("{name}-1"), format!("{name}-2")];
            let [one, two] = &members;
            let instance = |name: &str, tier| {
                let mut one = Instance::new(name, "db.r6g.large", "aurora-postgresql", "16.6", "af-south-1a", now);
                one.tier = Some(tier);
                one
            };
            let mut cluster = Cluster::new(name, "aurora-postgresql", "16.6", &[one, two], now);
            cluster.capacity = capacity;
            let instances = vec![instance(one, 0), instance(two, 1)];
            world.put_cluster(stage::ACCOUNT, stage::REGION, cluster, instances);
        });
        self
    }

    fn alarm(self, name: &str, state: &str) -> Self {
        self.sandbox.with(|world, now| {
            let alarm = json!({
                "AlarmName": name, "Namespace": "Shop", "MetricName": "Errors", "Statistic": "Sum", "Period": 3600,
                "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "ignore",
            });
            world.ask(now, &stage::caller(), ("cloudwatch", "PutMetricAlarm"), alarm).expect("an alarm");
            let state = json!({ "AlarmName": name, "StateValue": state, "StateReason": "\u{1b}[2Jby hand" });
            world.ask(now, &stage::caller(), ("cloudwatch", "SetAlarmState"), state).expect("its state");
        });
        self
    }

    fn mapping(self, function: &str, queue: &str) -> Self {
        self.sandbox.with(|world, now| {
            let mapping = lambda::Mapping::new(function, &stage::arn(queue), now);
            world.lambda.put(stage::ACCOUNT, stage::REGION, mapping);
        });
        self
    }

    fn throttled(&self) -> u64 {
        self.sandbox.with(|world, _| world.ecs.throttled())
    }

    fn said(&self, snapshot: &Snapshot) -> Vec<Verdict> {
        let thresholds = &self.environment.watch.thresholds;
        verdicts(&self.environment, thresholds, snapshot, self.sandbox.clock().now())
    }
}

fn is_whole(snapshot: &Snapshot) -> bool {
    let estate = &snapshot.estate;
    let parts = [estate.services.at, estate.databases.at, estate.alarms.at, estate.mappings.at];
    is_complete(snapshot) && parts.iter().all(Option::is_some)
}

fn standing(snapshot: &Snapshot, name: &str) -> Option<Standing> {
    let seen = snapshot.estate.services.rows.iter().find(|seen| seen.service.id.name.0 == name)?;
    Some(seen.service.standing())
}

fn said_of<'a>(said: &'a [Verdict], subject: &Subject) -> Option<&'a Verdict> {
    said.iter().find(|verdict| verdict.subject == *subject)
}

fn ago(place: &Place, at: Option<jiff::Timestamp>) -> SignedDuration {
    place.sandbox.clock().now().duration_since(at.expect("seen"))
}

fn whole(clock: opsctl::clock::Clock) -> Place {
    Place::new("dev", clock, LATENCY)
        .queues(["orders>orders-dlq"])
        .services(2, 3)
        .database("wallet", None)
        .alarm("errors", "OK")
        .mapping("consumer", "orders")
}

#[tokio::test(start_paused = true)]
async fn all_parts_are_there_soon_in_order_and_what_does_not_change_is_shared() {
    let clock = clock();
    let place = whole(clock);
    let watched = Watched::start(clock, &[&place]);
    let (first, passed) = watched.until("dev", "whole", is_whole).await;
    assert!(passed < Duration::from_millis(300), "{passed:?}");
    let estate = &first.estate;
    assert_eq!(estate.services.rows.len(), 6);
    assert!(estate.services.rows.windows(2).all(|two| two[0].service.id < two[1].service.id));
    assert_eq!(estate.databases.rows[0].seen.database.name, "wallet");
    assert_eq!((estate.alarms.rows.len(), estate.mappings.rows.len()), (1, 1));
    assert!(estate.lags.rows.is_empty());
    tokio::time::sleep(Duration::from_secs(31)).await;
    let later = watched.newest("dev").expect("told");
    assert!(Arc::ptr_eq(&first.estate.services.rows, &later.estate.services.rows));
    assert!(Arc::ptr_eq(&first.estate.databases.rows[0], &later.estate.databases.rows[0]));
    assert!(ago(&place, later.estate.services.at) <= SignedDuration::from_secs(16));
    assert!(ago(&place, later.estate.databases.at) <= SignedDuration::from_secs(16));
    assert!(ago(&place, later.estate.alarms.at) <= SignedDuration::from_secs(31));
    assert_eq!(place.said(&later), []);
}

#[tokio::test(start_paused = true)]
async fn a_denied_part_is_felt_in_no_other() {
    let clock = clock();
    let place = whole(clock);
    place.deny("*", "ecs:ListClusters");
    place.deny("*", "cloudwatch:DescribeAlarms");
    let watched = Watched::start(clock, &[&place]);
    let seen = |snapshot: &Snapshot| {
        snapshot.estate.services.error.is_some() && snapshot.estate.alarms.error.is_some() && is_complete(snapshot)
    };
    let (snapshot, _) = watched.until("dev", "denied", seen).await;
    let denied = |error: &Option<opsctl::cloud::CloudError>| error.as_ref().map(|error| error.kind);
    assert_eq!(denied(&snapshot.estate.services.error), Some(ErrorKind::Denied));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let snapshot = watched.newest("dev").expect("told");
    assert!(ago(&place, snapshot.estate.databases.at) <= SignedDuration::from_secs(16));
    assert!(snapshot.listing.error.is_none() && snapshot.estate.mappings.is_known());
    let said = place.said(&snapshot);
    assert_eq!(said.iter().map(|verdict| verdict.kind).collect::<Vec<_>>(), [Kind::Denied]);
    let words = said[0].reason.as_str();
    assert!(words.contains("allow ecs:ListClusters, cloudwatch:DescribeAlarms"), "{words}");
    place.heal();
    watched.watch.refresh();
    let (_, healed) = watched.until("dev", "healed", is_whole).await;
    assert!(healed <= Duration::from_secs(1), "{healed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_hangs_holds_up_no_other() {
    let clock = clock();
    let place = whole(clock);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "whole", is_whole).await;
    place.fault("rds:*", None, FaultKind::Hang);
    tokio::time::sleep(Duration::from_secs(90)).await;
    let snapshot = watched.newest("dev").expect("told");
    let databases = &snapshot.estate.databases;
    assert_eq!(databases.error.as_ref().map(|error| error.kind), Some(ErrorKind::Unknown));
    assert_eq!(databases.rows.len(), 1, "what was seen stays");
    assert!(ago(&place, databases.at) > SignedDuration::from_secs(80));
    assert!(ago(&place, snapshot.estate.services.at) <= SignedDuration::from_secs(16));
    assert!(ago(&place, snapshot.estate.alarms.at) <= SignedDuration::from_secs(31));
    assert!(snapshot.listing.error.is_none());
    place.heal();
    let (_, healed) = watched.until("dev", "healed", |snapshot| snapshot.estate.databases.error.is_none()).await;
    assert!(healed <= Duration::from_secs(65), "{healed:?}");
}

#[tokio::test(start_paused = true)]
async fn queues_that_hang_hold_up_nothing_else() {
    let clock = clock();
    let place = whole(clock);
    place.fault("sqs:*", None, FaultKind::Hang);
    let watched = Watched::start(clock, &[&place]);
    let known = |snapshot: &Snapshot| snapshot.estate.services.is_known() && snapshot.estate.databases.is_known();
    let (_, passed) = watched.until("dev", "services and databases", known).await;
    assert!(passed < Duration::from_secs(1), "{passed:?}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let snapshot = watched.newest("dev").expect("told");
    assert!(snapshot.listing.error.is_some());
    assert!(ago(&place, snapshot.estate.services.at) <= SignedDuration::from_secs(16));
}

#[tokio::test(start_paused = true)]
async fn throttled_services_are_asked_more_slowly_and_stay() {
    let clock = clock();
    let place = whole(clock);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "whole", is_whole).await;
    place.fault("ecs:*", None, FaultKind::Throttled);
    let throttled = |snapshot: &Snapshot| snapshot.estate.services.error.is_some();
    let (snapshot, _) = watched.until("dev", "throttled", throttled).await;
    assert_eq!(snapshot.estate.services.error.as_ref().map(|error| error.kind), Some(ErrorKind::Throttled));
    assert_eq!(snapshot.estate.services.rows.len(), 6);
    assert_eq!(place.said(&snapshot)[0].kind, Kind::Throttled);
    tokio::time::sleep(Duration::from_secs(300)).await;
    let snapshot = watched.newest("dev").expect("told");
    assert!(ago(&place, snapshot.estate.databases.at) <= SignedDuration::from_secs(16));
    place.heal();
    let (_, healed) = watched.until("dev", "healed", |snapshot| snapshot.estate.services.error.is_none()).await;
    assert!(healed <= Duration::from_secs(140), "{healed:?}");
    // And faster again, look by look.
    tokio::time::sleep(Duration::from_secs(900)).await;
    let snapshot = watched.newest("dev").expect("told");
    assert!(ago(&place, snapshot.estate.services.at) <= SignedDuration::from_secs(16));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_leave_all_as_it_was_and_come_back() {
    let clock = clock();
    let place = whole(clock);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "whole", is_whole).await;
    place.fault("*", None, FaultKind::ExpiredCredentials);
    tokio::time::sleep(Duration::from_secs(200)).await;
    let snapshot = watched.newest("dev").expect("told");
    assert_eq!(snapshot.estate.services.rows.len(), 6);
    assert!(ago(&place, snapshot.estate.services.at) > SignedDuration::from_secs(180));
    let said = place.said(&snapshot);
    assert_eq!(said.iter().map(|verdict| verdict.kind).collect::<Vec<_>>(), [Kind::Credentials], "told once");
    place.heal();
    let fresh = |snapshot: &Snapshot| {
        let estate = &snapshot.estate;
        estate.services.error.is_none() && estate.databases.error.is_none() && snapshot.listing.error.is_none()
    };
    watched.watch.refresh();
    let (_, healed) = watched.until("dev", "healed", fresh).await;
    assert!(healed <= Duration::from_secs(2), "{healed:?}");
}

#[tokio::test(start_paused = true)]
async fn fifteen_hundred_services_come_within_the_throttles() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["orders"]).services(3, 500);
    let watched = Watched::start(clock, &[&place]);
    let some = |snapshot: &Snapshot| snapshot.estate.services.rows.len() >= 100;
    let (snapshot, soon) = watched.until("dev", "some", some).await;
    assert!(soon < Duration::from_secs(1), "{soon:?}");
    assert!(!snapshot.estate.services.is_known(), "some are not all");
    let known = |snapshot: &Snapshot| snapshot.estate.services.is_known();
    let (snapshot, rest) = watched.until("dev", "all", known).await;
    assert_eq!(snapshot.estate.services.rows.len(), 1_500);
    assert!(rest < Duration::from_secs(10), "{rest:?}");
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(place.throttled(), 0);
    let snapshot = watched.newest("dev").expect("told");
    assert!(ago(&place, snapshot.estate.services.at) <= SignedDuration::from_secs(40));
    assert!(is_complete(&snapshot));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_says_why() {
    let clock = clock();
    let place = whole(clock);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "whole", is_whole).await;
    place.sandbox.with(|world, now| {
        let caller = stage::caller();
        let definition = world.ecs.define(&caller, "api-0001", "gone", 2, MISSING_IMAGE);
        world.ecs.deploy(now, &caller, "main-0", "api-0001", &definition);
    });
    let subject = Subject::Service(ServiceId::new("main-0", "api-0001"));
    let told = |snapshot: &Snapshot| {
        let said = place.said(snapshot);
        said_of(&said, &subject).is_some_and(|verdict| verdict.reason.as_str().contains("CannotPullContainerError"))
    };
    let (snapshot, passed) = watched.until("dev", "why", told).await;
    assert!(passed <= Duration::from_secs(240), "{passed:?}");
    let said = place.said(&snapshot);
    let verdict = said_of(&said, &subject).expect("one");
    assert_eq!((verdict.kind, verdict.severity), (Kind::ServiceFailing, Severity::Warning), "{}", verdict.reason);
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_that_comes_and_goes_is_found() {
    let clock = clock();
    let place = whole(clock);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "whole", is_whole).await;
    place.sandbox.with(|world, now| {
        let caller = stage::caller();
        let outcome = Outcome::Exits { after_seconds: 60, code: 137 };
        let definition = world.ecs.define(&caller, "api-0001", "leaks", 2, Program { outcome, ..Program::default() });
        world.ecs.deploy(now, &caller, "main-0", "api-0001", &definition);
    });
    let subject = Subject::Service(ServiceId::new("main-0", "api-0001"));
    let told = |snapshot: &Snapshot| {
        let said = place.said(snapshot);
        said_of(&said, &subject).is_some_and(|verdict| verdict.kind == Kind::ServiceCrashing)
    };
    let (snapshot, _) = watched.until("dev", "the loop", told).await;
    let said = place.said(&snapshot);
    let verdict = said_of(&said, &subject).expect("one");
    assert_eq!(verdict.severity, Severity::Warning);
    assert!(verdict.reason.as_str().contains("exit code 137"), "{}", verdict.reason);
}

#[tokio::test(start_paused = true)]
async fn what_is_on_the_screen_is_seen_sooner_and_since_is_kept() {
    let clock = clock();
    let place = whole(clock);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "whole", is_whole).await;
    let dev = EnvironmentName("dev".to_owned());
    watched.watch.focus(&Focus {
        parts: vec![(Some(dev.clone()), PartName::Services)],
        services: vec![(dev, ServiceId::new("main-1", "api-0002"))],
        ..Focus::default()
    });
    tokio::time::sleep(Duration::from_secs(61)).await;
    place.set_desired("api-0002", 0);
    let asleep = |snapshot: &Snapshot| standing(snapshot, "api-0002") == Some(Standing::Asleep);
    let (snapshot, _) = watched.until("dev", "asleep", asleep).await;
    let since = |snapshot: &Snapshot| snapshot.estate.services.rows[2].since;
    let first = since(&snapshot).expect("it changed");
    assert_eq!(first.0, Standing::Asleep);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let later = watched.newest("dev").expect("told");
    assert_eq!(since(&later), Some(first), "as long as it stands so");
    assert!(ago(&place, later.estate.services.at) <= SignedDuration::from_secs(6));
    assert!(ago(&place, later.estate.databases.at) <= SignedDuration::from_secs(16));
}

#[tokio::test(start_paused = true)]
async fn looking_wakes_no_database() {
    let clock = clock();
    let capacity = Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) };
    let place = Place::new("dev", clock, LATENCY).queues(["a"]).database("pilot", Some(capacity));
    let watched = Watched::start(clock, &[&place]);
    let paused = |snapshot: &Snapshot| {
        let row = snapshot.estate.databases.rows.first();
        row.is_some_and(|row| matches!(row.seen.capacity, opsctl::databases::Capacity::Paused { .. }))
    };
    watched.until("dev", "paused", paused).await;
    tokio::time::sleep(Duration::from_secs(1_200)).await;
    let snapshot = watched.newest("dev").expect("told");
    assert!(paused(&snapshot), "{:?}", snapshot.estate.databases);
    assert_eq!(place.said(&snapshot), [], "a fact, not an alarm");
}

#[tokio::test(start_paused = true)]
async fn metrics_stay_within_the_dollars() {
    let clock = clock();
    let mut place = Place::new("dev", clock, LATENCY).queues(["a"]).services(1, 300);
    place.environment.watch.dollars_per_hour_max = opsctl::domain::Dollars::from_dollars(0.1);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "known", |snapshot| snapshot.estate.services.is_known()).await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let spend = watched.newest("dev").expect("told").spend;
    assert!(spend.dollars_per_hour > 0.01 && spend.dollars_per_hour <= 0.12, "{spend:?}");
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_fires_is_told_and_a_paused_consumer() {
    let clock = clock();
    let place = whole(clock);
    place.put("orders", 3);
    let place = place.alarm("rejected", "ALARM");
    let watched = Watched::start(clock, &[&place]);
    let (snapshot, _) = watched.until("dev", "whole", is_whole).await;
    let said = place.said(&snapshot);
    let alarm = said_of(&said, &Subject::Alarm("rejected".to_owned())).expect("it fires");
    assert_eq!((alarm.kind, alarm.severity), (Kind::Alarm, Severity::Warning), "{}", alarm.reason);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_session_saw_is_there_at_once() {
    let clock = clock();
    let folder = tempfile::tempdir().expect("a folder");
    let place = whole(clock).cached_in(folder.path());
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "whole", is_whole).await;
    watched.watch.stop().await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    place.fault("*", None, FaultKind::Refused);
    let watched = Watched::start(clock, &[&place]);
    let known = |snapshot: &Snapshot| snapshot.estate.services.is_known();
    let (snapshot, passed) = watched.until("dev", "something", known).await;
    assert!(passed < Duration::from_millis(50), "{passed:?}");
    let estate = &snapshot.estate;
    assert_eq!((estate.services.rows.len(), estate.databases.rows.len(), estate.alarms.rows.len()), (6, 1, 1));
    assert!(ago(&place, estate.services.at) >= SignedDuration::from_hours(1), "with its age");
    assert_eq!(estate.services.unknown[0].words.as_str(), "what is shown was seen by an earlier session");
    place.heal();
    watched.watch.refresh();
    let fresh = |snapshot: &Snapshot| snapshot.estate.services.unknown.is_empty();
    watched.until("dev", "live", fresh).await;
}

#[tokio::test(start_paused = true)]
async fn mutes_of_alarms_are_seen_with_their_end_and_gone_when_they_are_over() {
    let clock = clock();
    let names = ["own", "theirs", "loud"];
    let place = names.into_iter().fold(whole(clock), |place, name| place.alarm(name, "ALARM"));
    let mute = |rule: &str, alarm: &str| {
        let schedule = json!({ "Expression": "at(2026-11-21T03:01)", "Duration": "PT10M", "Timezone": "UTC" });
        let targets = json!({ "AlarmNames": [alarm] });
        let rule = json!({ "Name": rule, "Rule": { "Schedule": schedule }, "MuteTargets": targets });
        place.sandbox.with(|world, now| {
            world.ask(now, &stage::caller(), ("cloudwatch", "PutAlarmMuteRule"), rule).expect("a rule");
        });
    };
    mute(&own_rule("own"), "own");
    mute("deploys", "theirs");
    clock.sleep(Duration::from_secs(120)).await;
    let watched = Watched::start(clock, &[&place]);
    let muted = |snapshot: &Snapshot, name: &str| {
        let rows = &snapshot.estate.alarms.rows;
        rows.iter().find(|alarm| alarm.name == name).and_then(|alarm| alarm.muted()).map(|words| words.to_string())
    };
    let (snapshot, _) = watched.until("dev", "muted", |snapshot| muted(snapshot, "own").is_some()).await;
    let until = "until 2026-11-21 03:11 UTC";
    assert_eq!(muted(&snapshot, "own"), Some(format!("muted by opsctl {until}")));
    assert_eq!(muted(&snapshot, "theirs"), Some(format!("muted by mute rule deploys {until}")));
    assert_eq!(muted(&snapshot, "loud"), None);
    let said = place.said(&snapshot);
    let reason = |name: &str| {
        let said = said_of(&said, &Subject::Alarm(name.to_owned())).expect("said");
        (said.severity, said.reason.as_str().contains("muted until 03:11 UTC: it tells nobody"))
    };
    assert_eq!(names.map(reason), [(Severity::Notice, true), (Severity::Notice, true), (Severity::Warning, false)]);
    clock.sleep(Duration::from_secs(10 * 60)).await;
    watched.until("dev", "over", |snapshot| names.iter().all(|name| muted(snapshot, name).is_none())).await;
}

#[tokio::test(start_paused = true)]
async fn mutes_that_may_not_be_read_hide_no_alarm() {
    let clock = clock();
    let place = whole(clock).alarm("loud", "ALARM");
    place.deny("*", "cloudwatch:ListAlarmMuteRules");
    let watched = Watched::start(clock, &[&place]);
    let is_told = |snapshot: &Snapshot| !snapshot.estate.alarms.unknown.is_empty();
    let (snapshot, _) = watched.until("dev", "told", is_told).await;
    let words = snapshot.estate.alarms.unknown[0].words.to_string();
    assert!(words.contains("mutes of alarms are not known"), "{words}");
    assert!(said_of(&place.said(&snapshot), &Subject::Alarm("loud".to_owned())).is_some());
}
