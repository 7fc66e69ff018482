//! [`World::call`]: the one way of every call of every service into the world. What goes wrong with a call is decided here, and
//! here it is noted.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ApiError, Caller, FaultKind, World,
    rds::Xml,
    service::{self, ServiceDef},
    sql, sts,
};

/// Account of a caller that the fault of that name hits.
const OTHER_ACCOUNT: &str = "999999999999";
const LAST_MAX: usize = 1_000;
/// Calls that are kept between two looks: beyond them only their number counts.
const WITNESSED_MAX: usize = 100_000;

#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub service: &'static ServiceDef,
    pub action: &'a str,
    pub caller: &'a Caller,
    /// The caller's access key; STS tells whose it is.
    pub access_key: &'a str,
    pub input: &'a Input,
}

/// What is asked, whatever the protocol.
#[derive(Debug)]
pub struct Input {
    /// awsQuery's fields, or those of path and query of restJson1.
    pub fields: BTreeMap<String, String>,
    /// A JSON document, or what CBOR says in its place; or why it can't be read.
    pub document: Result<Value, String>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) caller: &'a Caller,
    pub(super) access_key: &'a str,
    pub(super) action: &'a str,
    /// Milliseconds since 1970.
    pub(super) now: i64,
    /// The end of a long poll that asks again; none for a call that is made the first time.
    pub(super) poll_until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A JSON document, written.
    Body(Vec<u8>),
    Document(Value),
    Xml(String),
    /// A body with a status of its own, where an operation has several.
    Status(u16, Vec<u8>),
    /// A long poll found nothing yet: ask again with [`World::again`] when the world has changed, at the latest at `until`
    /// (then it answers whatever there is).
    Wait {
        /// End of the poll.
        until: Timestamp,
    },
}

/// What becomes of a call, as its caller sees it.
#[derive(Debug)]
pub enum Fate {
    /// It is answered, so much later than usual.
    Answered { answer: Result<Answer, ApiError>, late_by: Duration },
    /// It is applied, and the connection breaks before the answer.
    Unheard(Result<Answer, ApiError>),
    /// The connection breaks before it is applied.
    Lost,
    /// No connection is made.
    Refused,
    /// It is not applied, and no answer ever comes.
    Hangs,
}

/// Calls that were made: how many of each, and the last ones.
#[derive(Debug, Default)]
pub struct Calls {
    counts: BTreeMap<(&'static str, &'static str), u64>,
    last: VecDeque<Made>,
    /// Those that do more than read how things stand, since they were taken last; none: nobody keeps account.
    witnessed: Option<Vec<Witnessed>>,
}

/// A call that does more than read how things stand, or tries to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    pub made: Made,
    /// What it was about, as faults name it.
    pub subject: Option<String>,
    pub effect: Effect,
}

/// What a call does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    Reads,
    /// It reads logs, which nobody does all the time.
    ReadsLogs,
    /// It receives messages, or hides or shows those received: each receive counts, no message is changed.
    Receives,
    Writes,
}

impl Effect {
    /// What a call does, as far as its name and the statement of SQL that it carries say.
    pub fn of(service: &str, action: &str, input: &Input) -> Self {
        const READS: [&str; 6] = ["Describe", "Get", "List", "Filter", "StartQuery", "StopQuery"];
        let sql = || input.document.as_ref().ok().and_then(|document| document.get("sql")?.as_str());
        match (service, action) {
            ("sts", _) => Self::Reads,
            ("rds-data", "ExecuteStatement" | "BatchExecuteStatement") if sql().is_none_or(sql::changes) => {
                Self::Writes
            }
            ("rds-data", _) => Self::Reads,
            ("logs", "FilterLogEvents" | "GetLogEvents" | "StartQuery") => Self::ReadsLogs,
            ("sqs", "ReceiveMessage" | "ChangeMessageVisibility" | "ChangeMessageVisibilityBatch") => Self::Receives,
            _ if READS.iter().any(|read| action.starts_with(read)) => Self::Reads,
            _ => Self::Writes,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Milliseconds since 1970.
    pub at: i64,
    pub account: String,
    /// As IAM names it.
    pub service: &'static str,
    pub action: &'static str,
    pub end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    Failed(&'static str),
    /// Applied or not, its caller got no answer.
    Silent,
}

impl World {
    /// One call. First lets pass what is due until `now`.
    pub fn call(&mut self, now: Timestamp, request: &Request<'_>) -> Fate {
        let at = self.advance(now);
        let Some((action, _)) = request.service.find(request.action) else {
            return Fate::Answered { answer: Err(request.service.unknown(request.action)), late_by: Duration::ZERO };
        };
        let fate = self.meet(at, request);
        self.calls.note(at, request, action, fate.end());
        fate
    }

    /// A call of somebody who only looks, and whom no fault, denial or throttle hits. It is not noted.
    pub fn look(&mut self, now: Timestamp, request: &Request<'_>) -> Fate {
        let at = self.advance(now);
        let Request { service, action, caller, access_key, input } = *request;
        let call = Call { caller, access_key, action, now: at, poll_until: None };
        let answer = match service.find(action) {
            Some((action, handler)) if Effect::of(service.prefix, action, input) <= Effect::ReadsLogs => {
                handler(self, call, input)
            }
            Some(_) | None => Err(service.unknown(action)),
        };
        Fate::Answered { answer, late_by: Duration::ZERO }
    }

    /// From now on keeps account of the calls that do more than read.
    pub fn witness(&mut self) {
        self.calls.witnessed.get_or_insert_default();
    }

    /// Calls that did more than read how things stand since these were taken last, in their order.
    pub fn take_witnessed(&mut self) -> Vec<Witnessed> {
        self.calls.witnessed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Keeps account of what changed a database over a connection of its own.
    pub(super) fn witness_statement(&mut self, at: i64, account: &str, host: &str) {
        let made = Made { at, account: account.to_owned(), service: "rds-db", action: "Execute", end: End::Done };
        self.calls.keep(Witnessed { made, subject: Some(host.to_owned()), effect: Effect::Writes });
    }

    /// A long poll that was answered [`Answer::Wait`] asks again, with the end that it was told. Counts for no fault.
    ///
    /// # Errors
    /// As the service words them.
    pub fn again(&mut self, now: Timestamp, request: &Request<'_>, until: Timestamp) -> Result<Answer, ApiError> {
        let at = self.advance(now);
        self.apply(at, request, Some(until))
    }

    pub fn calls_made(&self) -> &Calls {
        &self.calls
    }

    /// What hits a connection to a database's endpoint, which IAM calls `rds-db:connect`.
    pub fn trouble_of_connection(&mut self, now: Timestamp, host: &str) -> Option<FaultKind> {
        self.advance(now);
        let account = self.rds.account_in(host).unwrap_or_default();
        self.trouble(&account, "connect", host)
    }

    /// What hits something that is done to a database over a connection.
    pub(super) fn trouble(&mut self, account: &str, action: &str, subject: &str) -> Option<FaultKind> {
        let service = "rds-db";
        let fault = self.faults.hit_transport(service, action, Some(subject));
        fault.or_else(|| self.is_denied(account, service, action, Some(subject)).then_some(FaultKind::Denied))
    }

    fn fault(&mut self, request: &Request<'_>) -> Option<FaultKind> {
        if self.faults.is_empty() {
            return None;
        }
        let subject = (request.service.subject)(request.input);
        self.faults.hit_transport(request.service.prefix, request.action, subject.as_deref())
    }

    fn is_denied(&self, account: &str, service: &str, action: &str, subject: Option<&str>) -> bool {
        self.denials.iter().any(|denial| denial.refuses(account, service, action, subject))
    }

    fn meet(&mut self, now: i64, request: &Request<'_>) -> Fate {
        let service = request.service;
        let answered = |answer| Fate::Answered { answer, late_by: Duration::ZERO };
        let Some(fault) = self.fault(request) else { return answered(self.admit(now, request)) };
        match fault {
            FaultKind::Refused => Fate::Refused,
            FaultKind::LostBefore => Fate::Lost,
            FaultKind::LostAfter => Fate::Unheard(self.admit(now, request)),
            FaultKind::Hang => Fate::Hangs,
            FaultKind::Slow(late_by) => Fate::Answered { answer: self.admit(now, request), late_by },
            FaultKind::Denied => answered(Err(self.refusal(request))),
            FaultKind::Throttled => answered(Err(service.throttled())),
            FaultKind::ServerError(status) => answered(Err(service::server_error(status))),
            FaultKind::ExpiredCredentials => answered(Err(sts::expired())),
            FaultKind::ClockSkew => answered(Err(service::clock_skew(now))),
            FaultKind::OtherAccount => {
                let caller = &Caller { account: OTHER_ACCOUNT.to_owned(), ..request.caller.clone() };
                answered(self.admit(now, &Request { caller, access_key: OTHER_ACCOUNT, ..*request }))
            }
            // SQS acts on them while it applies the call.
            FaultKind::VisibilityExpired
            | FaultKind::DuplicateDelivery
            | FaultKind::StaleCounts
            | FaultKind::PartialBatchFailure => answered(self.admit(now, request)),
        }
    }

    /// Does a call that is not denied.
    fn admit(&mut self, now: i64, request: &Request<'_>) -> Result<Answer, ApiError> {
        let Request { service, action, caller, input, .. } = *request;
        if !self.denials.is_empty() {
            let subject = (service.subject)(input);
            if self.is_denied(&caller.account, service.prefix, action, subject.as_deref()) {
                return Err(self.refusal(request));
            }
        }
        self.apply(now, request, None)
    }

    fn refusal(&self, request: &Request<'_>) -> ApiError {
        let Request { service, action, caller, access_key, input } = *request;
        service.denied(&self.sts.identity(&caller.account, access_key).arn, caller, action, input)
    }

    /// A call by its service's and its own name, for fixtures: nothing goes wrong with it, and it is not noted.
    ///
    /// # Errors
    /// As the service words them; no such service is an unknown operation.
    pub fn ask(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        (service, action): (&str, &str),
        input: impl Into<Input>,
    ) -> Result<Answer, ApiError> {
        let at = self.advance(now);
        let service = ServiceDef::named(service).unwrap_or(&service::OTHER_JSON);
        self.apply(at, &Request { service, action, caller, access_key: "", input: &input.into() }, None)
    }

    fn apply(&mut self, now: i64, request: &Request<'_>, poll_until: Option<Timestamp>) -> Result<Answer, ApiError> {
        let Request { service, action, caller, access_key, input } = *request;
        let call = Call { caller, access_key, action, now, poll_until };
        let (_, handler) = service.find(action).ok_or_else(|| service.unknown(action))?;
        (service.prepare)(self, call)?;
        handler(self, call, input)
    }
}

impl Call<'_> {
    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now).unwrap_or(Timestamp::MAX)
    }
}

impl Input {
    /// The document as an operation's request.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ApiError> {
        let document = self.document.as_ref().map_err(ApiError::not_understood)?;
        T::deserialize(document).map_err(ApiError::not_understood)
    }

    /// A body of JSON; empty is `{}`.
    pub fn of_json(body: &[u8]) -> Self {
        let body = if body.is_empty() { b"{}" } else { body };
        let document = serde_json::from_slice(body).map_err(|error: serde_json::Error| error.to_string());
        Self { document, ..Self::default() }
    }
}

impl Default for Input {
    fn default() -> Self {
        Self { fields: BTreeMap::new(), document: Ok(Value::Object(serde_json::Map::new())) }
    }
}

impl From<Value> for Input {
    fn from(document: Value) -> Self {
        Self { document: Ok(document), ..Self::default() }
    }
}

impl From<BTreeMap<String, String>> for Input {
    fn from(fields: BTreeMap<String, String>) -> Self {
        Self { fields, ..Self::default() }
    }
}

impl Answer {
    pub(super) fn written(document: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(document);
        body.map(Self::Body).map_err(|error| ApiError::plain(500, "InternalFailure", error.to_string()))
    }
}

/// What comes of a call: what is answered, or why not.
pub(super) type Answered<T = Answer> = Result<T, ApiError>;

/// What comes of a call, whatever its service answers with.
pub(super) fn told(answered: Answered<impl Into<Answer>>) -> Answered {
    answered.map(Into::into)
}

/// A document without the members that are null.
pub(super) fn given(mut document: Value) -> Value {
    if let Value::Object(members) = &mut document {
        members.retain(|_, member| !member.is_null());
    }
    document
}

impl From<Value> for Answer {
    fn from(document: Value) -> Self {
        Self::Document(document)
    }
}

impl From<Xml> for Answer {
    fn from(result: Xml) -> Self {
        Self::Xml(result.into_string())
    }
}

/// `{}`.
impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::Body(b"{}".to_vec())
    }
}

impl Fate {
    /// The answer of a long poll that found nothing yet, and its end.
    pub fn polls(&mut self) -> Option<(&mut Result<Answer, ApiError>, Timestamp)> {
        match self {
            Self::Answered { answer, .. } | Self::Unheard(answer) => match *answer {
                Ok(Answer::Wait { until }) => Some((answer, until)),
                Ok(Answer::Body(_) | Answer::Document(_) | Answer::Xml(_) | Answer::Status(..)) | Err(_) => None,
            },
            Self::Lost | Self::Refused | Self::Hangs => None,
        }
    }

    fn end(&self) -> End {
        match self {
            Self::Answered { answer: Ok(_), .. } => End::Done,
            Self::Answered { answer: Err(error), .. } => End::Failed(error.shown_code()),
            Self::Unheard(_) | Self::Lost | Self::Refused | Self::Hangs => End::Silent,
        }
    }
}

impl Calls {
    fn note(&mut self, at: i64, request: &Request<'_>, action: &'static str, end: End) {
        let service = request.service.prefix;
        *self.counts.entry((service, action)).or_default() += 1;
        if self.last.len() >= LAST_MAX {
            self.last.pop_front();
        }
        let made = Made { at, account: request.caller.account.clone(), service, action, end };
        let effect = Effect::of(service, action, request.input);
        if self.witnessed.is_some() && effect != Effect::Reads {
            let subject = (request.service.subject)(request.input);
            self.keep(Witnessed { made: made.clone(), subject, effect });
        }
        self.last.push_back(made);
    }

    fn keep(&mut self, call: Witnessed) {
        if let Some(all) = self.witnessed.as_mut().filter(|all| all.len() < WITNESSED_MAX) {
            all.push(call);
        }
    }

    /// How many calls of an operation were made, whatever became of them; each attempt counts.
    pub fn count(&self, service: &str, action: &str) -> u64 {
        self.counts.get(&(service, action)).copied().unwrap_or_default()
    }

    /// The last calls, the oldest first.
    pub fn last(&self) -> impl DoubleEndedIterator<Item = &Made> {
        self.last.iter()
    }
}
