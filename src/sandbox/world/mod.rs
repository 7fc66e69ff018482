//! The pure world: services' semantics, actors, faults. No I/O, no clock of its own: every call carries the time.

pub mod ssm;
pub mod sts;

use jiff::Timestamp;

/// Everything that exists in the sandbox: accounts, regions, queues, messages.
#[derive(Debug)]
pub struct World {
    /// SSM parameters.
    pub ssm: ssm::Parameters,
    /// Roles that were assumed.
    pub sts: sts::Sessions,
}

/// Who calls, from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// Region of the request's signature.
    pub region: String,
    /// Scheme, host and port that queue URLs start with.
    pub origin: String,
}

/// A call's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The body, in the service's protocol.
    Body(Vec<u8>),
    /// A long poll found nothing yet: ask again with the same request when the world has changed, at the latest at `until`
    /// (then it answers whatever there is).
    Wait {
        /// End of the poll.
        until: Timestamp,
    },
}

/// An error as a service answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Code as in the JSON protocol's `__type`.
    pub code: &'static str,
    /// Code of the query-compatible protocol (`x-amzn-query-error`), where it differs.
    pub query_code: Option<&'static str>,
    /// AWS's words.
    pub message: String,
}

impl World {
    /// An empty world. The seed decides every id and every choice.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        let _ = (seed, now);
        Self { ssm: ssm::Parameters::default(), sts: sts::Sessions::default() }
    }

    /// One SQS call: `action` is the operation (`SendMessageBatch`), `body` its awsJson1_0 document.
    /// First lets pass what is due until `now` (visibility timeouts, delays, retention, move tasks).
    pub fn sqs(&mut self, now: Timestamp, caller: &Caller, action: &str, body: &[u8]) -> Result<Answer, ApiError> {
        let _ = (now, caller, action, body);
        todo!("built by sandbox/world")
    }

    /// When something happens next by itself; a waiting long poll looks again then.
    pub fn next_due(&self) -> Option<Timestamp> {
        None
    }
}
