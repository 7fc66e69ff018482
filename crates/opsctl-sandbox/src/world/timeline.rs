//! What is going to happen: faults and changes, each at its time. A world that leaps by hours applies each at its own, in order.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value};

use super::{
    Caller, Denial, Fault, Input, World, actors::Behaviour, ecs::Outcome, fault::anything, service::ServiceDef,
};
use crate::domain::environment::glob;

/// What URLs begin with for those who call unseen.
const ORIGIN: &str = "https://sandbox";

/// What happens at a time, as people write it: `[[at]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// Since the sandbox started: `90s`, `2h 5m`.
    #[serde(deserialize_with = "after")]
    pub after: SignedDuration,
    #[serde(rename = "do")]
    pub change: Change,
}

/// What happens. Accounts and names are globs: it happens to all that match.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// A fault begins: it counts calls from then on.
    Fault(Fault),
    Denial(Denial),
    /// The faults and denials end whose `call` or `action` is written like this.
    End(String),
    Consumers {
        #[serde(default = "anything")]
        account: String,
        queue: String,
        are: Behaviour,
    },
    Producers {
        #[serde(default = "anything")]
        account: String,
        queue: String,
        /// Messages a second; 0: none.
        rate_per_second: f64,
    },
    /// Services' desired counts are set, behind everybody's back.
    Scale {
        #[serde(default = "anything")]
        account: String,
        /// `cluster/name`.
        service: String,
        to: u32,
    },
    /// Services get a deployment of a new revision, as a pipeline makes it.
    Deploy {
        #[serde(default = "anything")]
        account: String,
        /// `cluster/name`.
        service: String,
        /// What the new revision's tasks do.
        tasks: Outcome,
    },
    /// Clusters fail over, and instances that have a standby.
    FailOver {
        #[serde(default = "anything")]
        account: String,
        /// Names of clusters and instances.
        database: String,
    },
    /// Readers of clusters lie so far behind their writer, beside what is usual; 0: no more.
    ReplicaLag {
        #[serde(default = "anything")]
        account: String,
        /// Names of clusters.
        database: String,
        seconds: u32,
    },
    ExpireSessions,
    /// Logins end: calls with the account's own key and with what it handed out answer `ExpiredToken`, until `GetSessionToken`
    /// renews them.
    ExpireCredentials {
        #[serde(default = "anything")]
        account: String,
    },
    /// Services have work for so many tasks: with fewer each has more to do.
    Demand {
        #[serde(default = "anything")]
        account: String,
        /// `cluster/name`.
        service: String,
        tasks: f64,
    },
    /// Somebody else calls AWS: a colleague, a pipeline. What AWS refuses them does not happen.
    Call {
        #[serde(default = "anything")]
        account: String,
        /// Service and operation: `ecs:RunTask`, `sqs:StartMessageMoveTask`.
        action: String,
        /// The request, as the AWS CLI takes it with `--cli-input-json`; `{account}` and `{region}` in texts stand for the caller's.
        #[serde(default)]
        with: Map<String, Value>,
    },
}

/// Something that will happen, for whoever may call it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheduled(i64, u64);

#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// By milliseconds since 1970, then in the order in which they were added.
    changes: BTreeMap<(i64, u64), Change>,
    added: u64,
}

fn after<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed: SignedDuration = text.parse().map_err(D::Error::custom)?;
    if parsed.is_negative() { Err(D::Error::custom("a change comes after the start")) } else { Ok(parsed) }
}

impl Timeline {
    fn add(&mut self, at: i64, change: Change) -> Scheduled {
        self.added += 1;
        self.changes.insert((at, self.added), change);
        Scheduled(at, self.added)
    }

    pub(super) fn next_at(&self) -> Option<i64> {
        self.changes.first_key_value().map(|((at, _), _)| *at)
    }

    fn take_until(&mut self, now: i64) -> Option<(i64, Change)> {
        let first = self.changes.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, _), change) = first.remove_entry();
        Some((at, change))
    }
}

impl World {
    /// Lets something happen at a time; at once where that has passed.
    pub fn schedule(&mut self, at: Timestamp, change: Change) -> Scheduled {
        self.timeline.add(at.as_millisecond(), change)
    }

    /// Calls off what has not happened yet; none: it has.
    pub fn call_off(&mut self, scheduled: Scheduled) -> Option<Change> {
        self.timeline.changes.remove(&(scheduled.0, scheduled.1))
    }

    /// Lets things happen, each so long after `start`.
    ///
    /// # Errors
    /// One of them would happen to nothing in this world.
    pub fn schedule_all(&mut self, start: Timestamp, timeline: &[At]) -> Result<(), String> {
        let is_call = |change: &Change| matches!(change, Change::Call { .. });
        // What somebody makes by a call is not there yet; the call itself can be looked up.
        let may_come = timeline.iter().any(|at| is_call(&at.change));
        for At { after, change } in timeline {
            if (is_call(change) || !may_come) && !self.has_what_changes(change) {
                return Err(format!("at {after:#}: nothing here matches {}", change.pattern()));
            }
            self.schedule(start.saturating_add(*after).unwrap_or(Timestamp::MAX), change.clone());
        }
        Ok(())
    }

    /// Lets happen what is due until `now`, and everything before it.
    pub(super) fn follow_timeline(&mut self, now: i64) {
        // Taken out: those that act meanwhile let time pass, too, and the order is this one's to keep.
        let mut timeline = std::mem::take(&mut self.timeline);
        while let Some((at, change)) = timeline.take_until(now) {
            let at = self.pass(Timestamp::from_millisecond(at).unwrap_or(Timestamp::MIN));
            self.change(at, change);
        }
        self.timeline = timeline;
    }

    fn change(&mut self, at: i64, change: Change) {
        let now = Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX);
        match change {
            Change::Fault(fault) => self.faults.add(fault),
            Change::Denial(denial) => self.denials.push(denial),
            Change::End(pattern) => {
                self.faults.end(&pattern);
                self.denials.retain(|denial| denial.action != pattern);
            }
            Change::Consumers { account, queue, are } => drop(self.actors.set_behaviour(&account, &queue, &are)),
            Change::Producers { account, queue, rate_per_second } => {
                self.actors.set_rate(now, &account, &queue, rate_per_second);
            }
            Change::Scale { account, service, to } => {
                for (caller, cluster, name) in self.ecs.matching(&account, &service) {
                    self.ecs.set_desired(now, &caller, &cluster, &name, to);
                }
            }
            Change::Deploy { account, service, tasks } => {
                for (caller, cluster, name) in self.ecs.matching(&account, &service) {
                    self.ecs.deploy_next(now, &caller, &cluster, &name, tasks);
                }
            }
            Change::FailOver { account, database } => {
                for (caller, action, fields) in self.rds.failovers(&account, &database) {
                    // One that can't fail over now does not.
                    drop(self.ask(now, &caller, ("rds", action), fields));
                }
            }
            Change::ReplicaLag { account, database, seconds } => self.rds.lag(&account, &database, seconds),
            Change::ExpireSessions => self.sts.expire_all(now),
            Change::ExpireCredentials { account } => {
                let places = self.places();
                let meant = places.iter().filter(|(known, _)| glob(&account, known));
                meant.for_each(|(known, _)| self.sts.expire(now, known));
            }
            Change::Demand { account, service, tasks } => {
                for (caller, cluster, name) in self.ecs.matching(&account, &service) {
                    self.put_demand(&caller, (&cluster, &name), tasks, true);
                }
            }
            Change::Call { account, action, with } => {
                let Some((service, action)) = called(&action) else { return };
                for caller in self.callers(&account) {
                    // One that is refused changes nothing.
                    drop(self.ask(now, &caller, (service, action), input(&with, &caller)));
                }
            }
        }
    }

    /// Whether there is anything that a change would happen to.
    pub fn has_what_changes(&self, change: &Change) -> bool {
        match change {
            Change::Fault(_) | Change::Denial(_) | Change::End(_) | Change::ExpireSessions => true,
            Change::ExpireCredentials { account } => self.places().iter().any(|(known, _)| glob(account, known)),
            Change::Consumers { account, queue, .. } => self.actors.works_on(account, queue, true),
            Change::Producers { account, queue, .. } => self.actors.works_on(account, queue, false),
            Change::Scale { account, service, .. }
            | Change::Deploy { account, service, .. }
            | Change::Demand { account, service, .. } => !self.ecs.matching(account, service).is_empty(),
            Change::Call { account, action, .. } => called(action).is_some() && !self.callers(account).is_empty(),
            Change::FailOver { account, database } | Change::ReplicaLag { account, database, .. } => {
                !self.rds.failovers(account, database).is_empty()
            }
        }
    }
}

impl World {
    /// Who may call in accounts that a glob matches: one for each account and region.
    fn callers(&self, account: &str) -> Vec<Caller> {
        let places = self.places().into_iter().filter(|(known, _)| glob(account, known));
        places.map(|(account, region)| Caller { account, region, origin: ORIGIN.to_owned() }).collect()
    }
}

/// What is asked, whatever the protocol: members as a document, and those that are no lists as fields.
fn input(request: &Map<String, Value>, caller: &Caller) -> Input {
    let text = Value::Object(request.clone())
        .to_string()
        .replace("{account}", &caller.account)
        .replace("{region}", &caller.region);
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let field = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Some((name.clone(), text.clone())),
        Value::Bool(_) | Value::Number(_) => Some((name.clone(), value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let fields = document.as_object().into_iter().flatten().filter_map(field).collect();
    Input { fields, ..Input::from(document) }
}

impl Change {
    pub fn pattern(&self) -> &str {
        match self {
            Self::Fault(fault) => &fault.call,
            Self::Denial(denial) => &denial.action,
            Self::End(pattern) => pattern,
            Self::Consumers { queue, .. } | Self::Producers { queue, .. } => queue,
            Self::Scale { service, .. } | Self::Deploy { service, .. } | Self::Demand { service, .. } => service,
            Self::Call { action, .. } => action,
            Self::ExpireCredentials { account } => account,
            Self::FailOver { database, .. } | Self::ReplicaLag { database, .. } => database,
            Self::ExpireSessions => "sessions",
        }
    }
}

/// Service and operation of a call that the world knows.
fn called(action: &str) -> Option<(&str, &str)> {
    let (service, action) = action.split_once(':')?;
    ServiceDef::named(service)?.find(action)?;
    Some((service, action))
}

/// Who acts in a place, where two globs match its account and a name.
pub(super) fn matching(account: &str, name: &str, place: (&str, &str), known: &str) -> Option<Caller> {
    let (of_account, region) = place;
    let is_meant = glob(account, of_account) && glob(name, known);
    is_meant.then(|| Caller { account: of_account.to_owned(), region: region.to_owned(), origin: String::new() })
}
