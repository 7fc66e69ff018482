//! What an earlier session saw beside queues, in a file of its own: names, counts, states, and AWS's words about them. No metrics'
//! history, no error, nobody's description.

use std::{borrow::Cow, io, path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{BYTES_MAX, path, read, write};
use crate::{
    domain::{
        Environment, Text,
        alarm::Alarm,
        consumer::{KafkaLag, Mapping},
        environment::AccountId,
        gauge::Gauge,
        service::{Scaling, Service, Standing},
    },
    observe::estate::{Estate, Part, SeenDatabase, SeenService},
};

/// Names what the file holds; another one is another version.
const SCHEMA: &str = "opsctl/cache-estate/1";
/// Most rows of a part that are kept.
const ROWS_MAX: usize = 20_000;
/// Events and deployments of a service that are kept.
const EVENTS_KEPT: usize = 3;
const DEPLOYMENTS_KEPT: usize = 5;
/// Longest name that is taken from a file.
const NAME_MAX: usize = 512;
/// Over a longer pause nobody knows how things stood.
const GAP: SignedDuration = SignedDuration::from_mins(10);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    schema: Cow<'a, str>,
    account: AccountId,
    region: Cow<'a, str>,
    endpoint: Option<Cow<'a, str>>,
    services: Option<Kept<ServiceRow>>,
    databases: Option<Kept<crate::databases::Seen>>,
    alarms: Option<Kept<Alarm>>,
    mappings: Option<Kept<Mapping>>,
    lags: Option<Kept<KafkaLag>>,
}

/// A part, and when it came.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<T> {
    at: Timestamp,
    rows: Vec<T>,
}

/// A service, its autoscaling, since when it stands as it does, when it was seen where that was before the others.
#[derive(Serialize, Deserialize)]
struct ServiceRow(Service, Option<Scaling>, Option<(Standing, Timestamp)>, #[serde(default)] Option<Timestamp>);

/// Writes what is known in place of what was, readable by its owner only.
///
/// # Errors
/// The folder or file cannot be written; it is too much. What was there stays then.
pub fn store(folder: &Path, environment: &Environment, estate: &Estate) -> io::Result<()> {
    let unknown = || io::Error::other("its account is not known");
    let path = path(folder, environment, ".estate").ok_or_else(unknown)?;
    let document = Document {
        schema: SCHEMA.into(),
        account: environment.account.clone().ok_or_else(unknown)?,
        region: environment.region.as_str().into(),
        endpoint: environment.endpoint.as_deref().map(Cow::from),
        services: keep(&estate.services, service),
        databases: keep(&estate.databases, |row| row.seen.clone()),
        alarms: keep(&estate.alarms, |row| Alarm { description: None, ..row.clone() }),
        mappings: keep(&estate.mappings, Mapping::clone),
        lags: keep(&estate.lags, |row| KafkaLag { offsets: newest(&row.offsets), ..row.clone() }),
    };
    write(folder, &path, &serde_json::to_vec(&document)?)
}

fn keep<T, Row>(part: &Part<T>, row: impl Fn(&T) -> Row) -> Option<Kept<Row>> {
    Some(Kept { at: part.at?, rows: part.rows.iter().take(ROWS_MAX).map(|known| row(known)).collect() })
}

fn service(seen: &SeenService) -> ServiceRow {
    let mut service = seen.service.clone();
    service.events.truncate(EVENTS_KEPT);
    service.deployments.truncate(DEPLOYMENTS_KEPT);
    ServiceRow(service, seen.scaling.clone(), seen.since, seen.seen_at)
}

fn newest(gauge: &Gauge) -> Gauge {
    Gauge { recent: Vec::new(), ..gauge.clone() }
}

/// What an earlier session saw of this very environment, if there is something that can be used. Of another time than before `now`
/// there is nothing.
pub fn load(folder: &Path, environment: &Environment, now: Timestamp) -> Option<Estate> {
    let bytes = read(&path(folder, environment, ".estate")?).ok()?;
    parse(&bytes, environment, now)
}

fn parse(bytes: &[u8], environment: &Environment, now: Timestamp) -> Option<Estate> {
    if bytes.len() as u64 > BYTES_MAX {
        return None;
    }
    let document: Document<'_> = serde_json::from_slice(bytes).ok()?;
    let is_of_here = document.schema == SCHEMA
        && Some(&document.account) == environment.account.as_ref()
        && document.region == environment.region
        && document.endpoint.as_deref() == environment.endpoint.as_deref();
    if !is_of_here {
        return None;
    }
    let services =
        |kept: Kept<ServiceRow>| {
            let part_at = kept.at;
            part(kept, now, |ServiceRow(service, scaling, since, seen_at)| {
                let seen_at = seen_at.map(|at| at.min(part_at));
                let is_gap = now.duration_since(seen_at.unwrap_or(part_at)) > GAP;
                let since = since.filter(|_| !is_gap);
                are_plain([&service.id.cluster.0, &service.id.name.0, &service.task_definition.0]).then(|| {
                    SeenService { service, seen_at, scaling, since, cpu: None, memory: None, stopped: Vec::new() }
                })
            })
        };
    let estate = Estate {
        services: taken(document.services, services)?,
        databases: taken(document.databases, |kept| {
            part(kept, now, |seen| {
                let members = seen.database.members.iter().map(|member| &member.name);
                let names = members.chain([&seen.database.name, &seen.database.arn]);
                are_plain(names).then(|| SeenDatabase { seen, gauges: Default::default() })
            })
        })?,
        alarms: taken(document.alarms, |kept| part(kept, now, |alarm| are_plain([&alarm.name]).then_some(alarm)))?,
        mappings: taken(document.mappings, |kept| {
            let names = |mapping: &Mapping| {
                let queue = mapping.queue.as_ref().map(|queue| &queue.0);
                are_plain([&mapping.id.0, &mapping.source_arn].into_iter().chain(queue))
            };
            part(kept, now, |mapping| names(&mapping).then_some(mapping))
        })?,
        lags: taken(document.lags, |kept| part(kept, now, Some))?,
    };
    let is_ordered = estate.services.rows.windows(2).all(|two| two[0].service.id < two[1].service.id)
        && estate.databases.rows.windows(2).all(|two| two[0].seen.database.name < two[1].seen.database.name);
    is_ordered.then_some(estate)
}

/// What was never seen is not known; what can't be used makes all of it useless.
fn taken<T, Row>(kept: Option<Kept<Row>>, part: impl FnOnce(Kept<Row>) -> Option<Part<T>>) -> Option<Part<T>> {
    kept.map_or_else(|| Some(Part::default()), part)
}

fn part<T, Row>(kept: Kept<Row>, now: Timestamp, row: impl Fn(Row) -> Option<T>) -> Option<Part<T>> {
    if kept.at > now || kept.rows.len() > ROWS_MAX {
        return None;
    }
    let rows: Option<Vec<Arc<T>>> = kept.rows.into_iter().map(|known| row(known).map(Arc::new)).collect();
    Some(Part { at: Some(kept.at), rows: rows?.into(), ..Part::default() })
}

/// Names are shown and asked for: one that a terminal would take for something else is no name.
fn are_plain<'a>(names: impl IntoIterator<Item = &'a String>) -> bool {
    names.into_iter().all(|name| name.len() <= NAME_MAX && Text::line(name).as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cloud::canned,
        domain::{
            EnvironmentName,
            alarm::{AlarmState, Watches},
            service::{ServiceEvent, ServiceId, TaskDefinition},
        },
    };

    fn now() -> Timestamp {
        "2026-11-21T03:00:00Z".parse().expect("a time")
    }

    fn prod() -> Environment {
        Environment {
            name: EnvironmentName("prod".into()),
            account: Some(AccountId("111111111111".into())),
            ..canned::environment()
        }
    }

    fn seen(name: &str) -> SeenService {
        let event = ServiceEvent { id: "1".to_owned(), at: now(), message: Text::from("steady") };
        let service = Service {
            id: ServiceId::new("main", name),
            status: Text::from("ACTIVE"),
            desired: 2,
            running: 1,
            pending: 0,
            task_definition: TaskDefinition("api:3".to_owned()),
            deployments: Vec::new(),
            events: vec![event; 9],
            target_groups: Vec::new(),
        };
        let since = Some((service.standing(), now()));
        SeenService { service, seen_at: None, scaling: None, since, cpu: None, memory: None, stopped: Vec::new() }
    }

    fn estate() -> Estate {
        let alarm = Alarm {
            name: "cpu".to_owned(),
            state: AlarmState::Alarm,
            since: Some(now()),
            reason: Text::from("crossed"),
            watches: Watches::Rule { rule: Text::from("ALARM(x)") },
            actions_enabled: true,
            description: Some(Text::from("call +27 ...")),
        };
        Estate {
            services: Part {
                at: Some(now()),
                rows: [seen("api"), seen("bff")].map(Arc::new).into(),
                ..Part::default()
            },
            alarms: Part { at: Some(now()), rows: [Arc::new(alarm)].into(), ..Part::default() },
            ..Estate::default()
        }
    }

    #[test]
    fn a_row_that_was_old_stays_old() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = now() - SignedDuration::from_hours(9);
        let mut estate = estate();
        estate.services.rows = [SeenService { seen_at: Some(old), ..seen("api") }, seen("bff")].map(Arc::new).into();
        store(folder.path(), &prod(), &estate).expect("written");
        let services = load(folder.path(), &prod(), now()).expect("there").services;
        let ages: Vec<_> = services.rows.iter().map(|row| services.seen_at(row)).collect();
        assert_eq!(ages, [Some(old), Some(now())]);
        assert_eq!(services.rows[0].since, None, "nobody knows what was in between");
    }

    #[test]
    fn what_was_seen_is_seen_again_in_this_place_only() {
        let folder = tempfile::tempdir().expect("a folder");
        store(folder.path(), &prod(), &estate()).expect("written");
        let loaded = load(folder.path(), &prod(), now()).expect("there");
        assert_eq!(loaded.services.rows.len(), 2);
        let api = &loaded.services.rows[0];
        assert_eq!((api.service.running, api.service.events.len(), api.since), (1, 3, Some((Standing::Below, now()))));
        assert_eq!(loaded.alarms.rows[0].description, None, "words that people wrote are not kept");
        assert!(!loaded.databases.is_known() && loaded.databases.rows.is_empty());
        let later = load(folder.path(), &prod(), now() + SignedDuration::from_hours(1)).expect("there");
        assert_eq!(later.services.rows[0].since, None, "nobody knows what was in between");
        assert_eq!(load(folder.path(), &prod(), now() - SignedDuration::from_secs(1)), None, "from another time");
        for other in [
            Environment { account: Some(AccountId("222222222222".into())), ..prod() },
            Environment { region: "eu-west-2".into(), ..prod() },
            Environment { endpoint: Some("http://127.0.0.1:4566".into()), ..prod() },
        ] {
            assert_eq!(load(folder.path(), &other, now()), None, "{other:?}");
        }
    }

    #[test]
    fn a_bad_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().expect("a folder");
        store(folder.path(), &prod(), &estate()).expect("written");
        let path = path(folder.path(), &prod(), ".estate").expect("a path");
        let whole = std::fs::read_to_string(path).expect("there");
        assert!(parse(whole.as_bytes(), &prod(), now()).is_some());
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole.as_bytes()[..cut], &prod(), now()), None, "cut at {cut}");
        }
        for (old, new) in [
            ("opsctl/cache-estate/1", "opsctl/cache-estate/2"),
            ("\"bff\"", "\"\\u001b[2J\""),
            ("\"bff\"", "\"aaa\""),
            ("\"running\":1", "\"running\":-1"),
            ("{\"schema\"", "{\"secrets\":[],\"schema\""),
        ] {
            let changed = whole.replacen(old, new, 1);
            assert_ne!(changed, whole, "{old}");
            assert_eq!(parse(changed.as_bytes(), &prod(), now()), None, "{new}");
        }
        let hostile = whole.replacen("\"crossed\"", "\"\\u001b]52;c;x\\u202e\"", 1);
        let loaded = parse(hostile.as_bytes(), &prod(), now()).expect("taken, and made safe");
        assert_eq!(loaded.alarms.rows[0].reason.as_str(), "␛]52;c;x\u{fffd}");
    }
}
