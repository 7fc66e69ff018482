//! Makes plans.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Bound, Operation, OperationError, redrive::Moves};
use crate::{
    cloud::{Cloud, account::WrongAccount},
    domain::{AccountId, EnvironmentName, Queue, RunId, Text, Try, message::hex},
    journal::{Did, Forbidden, History, JournalError, Record, StateFolder},
    messages::filter,
    operations::plan::{Fingerprint, Plan, SCHEMA},
};

/// Makes plans; holds what a plan has from outside AWS.
#[derive(Debug, Clone)]
pub struct Planner {
    pub state: StateFolder,
    /// A random number: part of the plan's id.
    pub random: u64,
    /// Whether to receive a few messages for a look.
    pub look: Look,
    /// The run that the plan is for, where it exists already: it does not stand in its own way.
    pub resuming: Option<RunId>,
    /// Who moves the messages, where that was decided before: it rests on counts and on a sample, which differ from look to look,
    /// and what was agreed to must not.
    pub moves: Option<Moves>,
}

/// Whether to receive a few messages for a look while planning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Where the environment and the queue allow it.
    Sample,
    /// No: reading calls only.
    Never,
}

#[derive(Debug)]
pub struct Planned {
    pub plan: Plan,
    pub bound: Bound,
}

/// A run that may have left something half done on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    pub run: RunId,
    pub busy: bool,
}

/// What a run's journal has of its plan, or of what it asked for.
pub(crate) fn recorded<T: DeserializeOwned>(
    (run, what): (&RunId, &str),
    recorded: &Value,
    hint: &str,
) -> Result<T, OperationError> {
    let unreadable = |error| format!("run {run} has no {what} that can be read: {error}");
    T::deserialize(recorded).map_err(|error| OperationError::usage(&unreadable(error), Try::LookAtResult.says(hint)))
}

impl Planner {
    pub fn new(state: StateFolder, random: u64, look: Look) -> Self {
        Self { state, random, look, resuming: None, moves: None }
    }

    /// Observes the world and says what the operation would change. Makes reading calls, and receives a few messages for a look
    /// where the environment allows that.
    ///
    /// # Errors
    /// What was asked for does not exist or makes no sense; AWS can't be asked; the journals can't be read.
    pub async fn plan(&self, operation: &Operation, cloud: &Cloud) -> Result<Planned, OperationError> {
        let (caller, planned) = match self.look {
            // Nothing is received: neither waits for the other.
            Look::Never => {
                let (caller, planned) = tokio::join!(cloud.identity.caller(), operation.verb().plan(cloud, self));
                (caller?, planned)
            }
            Look::Sample => {
                let caller = cloud.identity.caller().await?;
                let is_other = cloud.environment().account.as_ref().is_some_and(|pinned| *pinned != caller.account);
                // A receive is a write: it must not happen in another account that the credentials are of.
                let planner = &Self { look: if is_other { Look::Never } else { self.look }, ..self.clone() };
                (caller, operation.verb().plan(cloud, planner).await)
            }
        };
        let mut planned = planned?;
        let plan = &mut planned.plan;
        let environment = cloud.environment();
        plan.operation = operation.clone();
        plan.environment = environment.name.clone();
        plan.region = environment.region.clone();
        plan.made_at = cloud.clock().now();
        plan.account = caller.account;
        if let Some(endpoint) = &environment.endpoint {
            plan.warn(format!("this goes to {endpoint}, not to AWS"));
        }
        if let Some(pinned) = &environment.account
            && *pinned != plan.account
        {
            let (account, name) = (&plan.account, &environment.name);
            plan.block((
                format!("the credentials are of account {account}, and {name} is pinned to {pinned}"),
                WrongAccount::new(environment, pinned, plan.account.clone()).hint(),
            ));
        }
        if let Some(because) = self.forbidden(operation, plan)? {
            plan.block(because);
        }
        if let Some(given) = operation.verb().filter().filter(|given| given.starts_with("file:")) {
            // The operation names the file only: what it says must not change either.
            let text = filter::read(given).map_err(|error| OperationError::usage(&error.to_string(), None))?;
            plan.observe("filter", hex(&Sha256::digest(text.as_bytes())));
        }
        plan.observe("endpoint", environment.endpoint.as_deref().unwrap_or("AWS"));
        plan.observe("region", &environment.region);
        plan.fingerprint = Fingerprint::of(&plan.operation, &plan.environment, &plan.account, &plan.observed);
        plan.seal = plan.seal_of();
        Ok(planned)
    }

    /// Why it is refused while a runbook is carried out, where one says so.
    fn forbidden(&self, operation: &Operation, plan: &Plan) -> Result<Option<String>, JournalError> {
        let forbidden = Forbidden::read(&self.state, &plan.account, &plan.region)?;
        Ok(forbidden.by(&plan.environment, operation.name()).map(|(run, forbids)| {
            let (runbook, name) = (&forbids.runbook, operation.name());
            format!("the runbook {runbook} forbids `{name}` in {} until its run {run} has ended", plan.environment)
        }))
    }

    /// What the operation itself finds. Boxed: each is a large future, and all of them together would fill a thread's stack.
    pub(super) fn draft(&self) -> Plan {
        Plan {
            schema: SCHEMA.to_owned(),
            id: format!("{:012x}", self.random & 0xffff_ffff_ffff),
            operation: Operation::Purge(super::Purge::default()),
            environment: EnvironmentName(String::new()),
            account: AccountId(String::new()),
            region: String::new(),
            resource: Text::default(),
            made_at: jiff::Timestamp::UNIX_EPOCH,
            summary: Text::default(),
            facts: Vec::new(),
            groups: Vec::new(),
            changes: Vec::new(),
            warnings: Vec::new(),
            blockers: Vec::new(),
            calls: Vec::new(),
            messages_estimate: 0,
            how_many: None,
            no_way_back: None,
            seconds_estimate: None,
            expires_at: None,
            dollars_estimate: 0.0,
            empty: false,
            unmet: Vec::new(),
            observed: BTreeMap::new(),
            fingerprint: Fingerprint(String::new()),
            seal: String::new(),
        }
    }

    /// The run that is taken up, as far as it came.
    pub(super) fn taken_up(&self) -> Result<Option<(&RunId, History)>, JournalError> {
        let Some(run) = &self.resuming else { return Ok(None) };
        Ok(Some((run, History::read(&self.state.open(run)?)?)))
    }

    /// Earlier runs on this queue that broke off, or ended with messages sent and not deleted or in doubt.
    pub(super) fn unsettled_runs(&self, cloud: &Cloud, from: &Queue) -> Result<Vec<Unsettled>, OperationError> {
        let environment = cloud.environment().name.0.as_str();
        let mut found = Vec::new();
        for summary in self.state.list()? {
            let same = summary.plan_text("/environment") == Some(environment)
                && summary.plan_text("/observed/from: arn") == Some(from.arn.as_str());
            let settled = match &summary.last.record {
                Record::Ended { did: Did::Messages { sent_not_deleted, uncertain, .. }, .. } => {
                    *sent_not_deleted == 0 && *uncertain == 0
                }
                Record::Ended { .. } => true,
                _ => false,
            };
            if same && !settled && self.resuming.as_ref() != Some(&summary.run) {
                let busy = self.state.open(&summary.run).is_ok_and(|folder| folder.is_busy());
                found.push(Unsettled { run: summary.run, busy });
            }
        }
        Ok(found)
    }
}
