//! Whose credentials a long run writes with: asked again and again, beside the work.

use jiff::Timestamp;

use super::{Engine, LaneState, stages::Stage};
use crate::{
    cloud::{CloudError, ErrorKind, identity::Caller},
    domain::Text,
    journal::Record,
    operations::transfer::{
        lane::{after_attempt, attempts_max},
        step::{Next, Step},
        tally::Stop,
    },
};

/// A run that writes asks STS again when the last answer is so old.
pub const VERIFIED_SECONDS: i64 = 60;
/// Nothing more is announced or sent on the strength of an older answer: the question may go astray, or the machine sleep.
const VERIFIED_SECONDS_MAX: i64 = 120;

#[derive(Debug)]
pub(super) struct Identity {
    verified_at: Timestamp,
    asked: bool,
    failures: u32,
    not_before: Option<Timestamp>,
}

impl Identity {
    /// The run itself has just verified the account.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { verified_at: now, asked: false, failures: 0, not_before: None }
    }

    fn age_seconds(&self, now: Timestamp) -> i64 {
        now.duration_since(self.verified_at).as_secs()
    }
}

impl Engine {
    /// Asks whose credentials these are, where it is time; never while another such question is out.
    pub(super) fn verify(&mut self, now: Timestamp) -> Next {
        let age = self.identity.age_seconds(now);
        self.shared.is_verified = age < VERIFIED_SECONDS_MAX;
        let writes = || self.lanes.iter().any(|lane| matches!(lane.state, LaneState::Working(_)));
        let due = matches!(self.stage, Stage::Verifying) || age >= VERIFIED_SECONDS && writes();
        if !due || self.identity.asked || self.shared.is_stopping() {
            return Next::Wait(None);
        }
        if let Some(time) = self.identity.not_before.filter(|time| now < *time) {
            return Next::Wait(Some(time));
        }
        self.identity.asked = true;
        Next::Step(Step::Verify)
    }

    pub(super) fn on_verified(&mut self, now: Timestamp, result: Result<Caller, CloudError>) {
        self.identity.asked = false;
        let caller = match result {
            Ok(caller) => caller,
            Err(error) => return self.on_verify_failed(now, error),
        };
        self.identity = Identity::new(now);
        self.shared.is_verified = true;
        if let Some(lane) = self.lanes.first_mut() {
            // With the next intent, or at the end.
            let arn = Text::line(&caller.arn);
            lane.unflushed.push(Record::Verified { account: caller.account.clone(), arn });
        }
        if caller.account != self.shared.settings.account {
            self.shared.is_forbidden = true;
            self.shared.stop_because(Stop::WrongAccount { actual: caller.account });
        } else if matches!(self.stage, Stage::Verifying) {
            self.active_at = now;
            self.stage = Stage::Moving;
        }
    }

    fn on_verify_failed(&mut self, now: Timestamp, error: CloudError) {
        self.identity.failures += 1;
        if error.kind == ErrorKind::Throttled {
            self.shared.tally.throttled += 1;
        }
        if error.is_passing() && self.identity.failures < attempts_max(&error) {
            self.identity.not_before = Some(after_attempt(now, self.identity.failures));
        } else {
            self.shared.stop_because(Stop::Failed(error));
        }
    }
}
