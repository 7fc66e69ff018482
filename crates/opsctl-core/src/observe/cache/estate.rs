//! What an earlier session saw beside queues, in a file of its own: names, counts, states, and AWS's words about them. No metrics'
//! history, no error, nobody's description.

use std::{borrow::Cow, collections::BTreeMap, io, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{BYTES_MAX, path, read, write};
use crate::{
    domain::{AccountId, Environment},
    observe::parts::{Estate, PartName},
};

/// Names what the file holds; another one is another version.
const SCHEMA: &str = "opsctl/cache-estate/2";

/// The file: where it is from, and the parts by name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    schema: Cow<'a, str>,
    account: AccountId,
    region: Cow<'a, str>,
    endpoint: Option<Cow<'a, str>>,
    parts: BTreeMap<PartName, Box<RawValue>>,
}

/// Writes what is known in place of what was, readable by its owner only.
///
/// # Errors
/// The folder or file cannot be written; it is too much. What was there stays then.
pub fn store(folder: &Path, environment: &Environment, estate: &Estate) -> io::Result<()> {
    let unknown = || io::Error::other("its account is not known");
    let path = path(folder, environment, ".estate").ok_or_else(unknown)?;
    let mut parts = BTreeMap::new();
    for name in PartName::ALL {
        parts.extend(estate.part(name).store()?.map(|kept| (name, kept)));
    }
    let document = Document {
        schema: SCHEMA.into(),
        account: environment.account.clone().ok_or_else(unknown)?,
        region: environment.region.as_str().into(),
        endpoint: environment.endpoint.as_deref().map(Cow::from),
        parts,
    };
    write(folder, &path, &serde_json::to_vec(&document)?)
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
    let mut estate = Estate::default();
    for (name, kept) in &document.parts {
        // What can't be used makes all of it useless.
        estate.part_mut(*name).load(kept, now)?;
    }
    Some(estate)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::*;
    use crate::{
        cloud::canned,
        domain::{
            Alarm, AlarmState, EnvironmentName, Replacing, Service, ServiceEvent, ServiceId, Standing, TaskDefinition,
            Text, Watches,
        },
        observe::{Part, SeenService},
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
            replacing: Replacing::default(),
            placement: Default::default(),
        };
        let since = Some((service.standing(), now()));
        SeenService { service, seen_at: None, scaling: None, since, cpu: None, memory: None, stopped: Vec::new() }
    }

    fn estate() -> Estate {
        let alarm = Alarm {
            name: "cpu".to_owned(),
            mutes: Vec::new(),
            state: AlarmState::Alarm,
            since: Some(now()),
            reason: Text::from("crossed"),
            watches: Watches::Rule { rule: Text::from("ALARM(x)") },
            actions_enabled: true,
            scales_only: false,
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
            ("opsctl/cache-estate/2", "opsctl/cache-estate/3"),
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
