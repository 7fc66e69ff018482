//! [`Finding`]: one thing looked at, and what to do about it.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::domain::{Advice, Environment, EnvironmentName, Text};

/// What is looked at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    Endpoint,
    Credentials,
    /// What AWS's own files and variables say that is not heeded, or cannot be read.
    Settings,
    /// Whether they are of the account that is meant.
    Account,
    /// How far this machine's clock is off.
    Clock,
    /// Whether SQS answers for the region.
    Region,
    Permission,
    /// Whether a configured connection to a database works.
    Connection,
    /// Whether a configured outbox can be looked at and replayed.
    Outbox,
}

impl Check {
    const ALL: [Self; 9] = [
        Self::Endpoint,
        Self::Credentials,
        Self::Settings,
        Self::Account,
        Self::Clock,
        Self::Region,
        Self::Permission,
        Self::Connection,
        Self::Outbox,
    ];
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Ok,
    /// Not looked at, for something before it failed.
    Skipped,
    /// Works, but deserves a look.
    Warning,
    Problem,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// One thing looked at. Texts are safe to show, one line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub environment: EnvironmentName,
    pub check: Check,
    pub verdict: Verdict,
    pub what: Text,
    /// Why that is so or matters; none for what is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Text>,
    /// What to do about it; none where nothing is to be done.
    #[serde(rename = "try", skip_serializing_if = "Option::is_none")]
    pub try_: Option<Text>,
}

/// Findings of one environment while it is looked at.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) environment: Arc<Environment>,
    all: Vec<Finding>,
}

impl Findings {
    pub(super) fn new(environment: &Arc<Environment>) -> Self {
        Self { environment: Arc::clone(environment), all: Vec::new() }
    }

    pub(super) fn ok(&mut self, check: Check, what: &str) {
        self.push(check, Verdict::Ok, what, None, None);
    }

    pub(super) fn skip(&mut self, check: Check, because: &str) {
        self.push(check, Verdict::Skipped, "not looked at", Some(because), None);
    }

    /// What an endpoint has not: one line, however many calls of a service it is about.
    pub(super) fn lacks(&mut self, what: &str) {
        let service = what.split(':').next().unwrap_or(what);
        let is_told = self
            .all
            .iter()
            .any(|finding| finding.check == Check::Permission && finding.what.as_str().starts_with(service));
        if !is_told {
            self.push(Check::Permission, Verdict::Skipped, what, None, None);
        }
    }

    /// Skips every check that has no finding yet, for `because`.
    pub(super) fn skip_rest(&mut self, because: &str) {
        let environment = std::sync::Arc::clone(&self.environment);
        let is_configured = |check: &Check| match check {
            Check::Connection => !environment.databases.connections.is_empty(),
            Check::Outbox => !environment.databases.outboxes.is_empty(),
            // Told where there is something to tell.
            Check::Settings => false,
            Check::Endpoint
            | Check::Credentials
            | Check::Account
            | Check::Clock
            | Check::Region
            | Check::Permission => true,
        };
        for check in Check::ALL.into_iter().filter(is_configured) {
            if !self.all.iter().any(|finding| finding.check == check) {
                self.skip(check, because);
            }
        }
    }

    /// A warning or problem: `what`, because of `because`, try `try_`.
    pub(super) fn add(&mut self, check: Check, verdict: Verdict, what: &str, because: &str, advice: Advice) {
        self.push(check, verdict, what, Some(because), Some(advice));
    }

    fn push(&mut self, check: Check, verdict: Verdict, what: &str, because: Option<&str>, advice: Option<Advice>) {
        self.all.push(Finding {
            environment: self.environment.name.clone(),
            check,
            verdict,
            what: Text::line(what),
            because: because.map(Text::line),
            try_: advice.map(|advice| advice.text().clone()),
        });
    }

    /// In the order of checks; of one check in the order found.
    pub(super) fn into_vec(mut self) -> Vec<Finding> {
        self.all.sort_by_key(|finding| finding.check);
        self.all
    }
}
