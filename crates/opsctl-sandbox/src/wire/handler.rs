//! The one handler: a request in, what becomes of it out.

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use super::{
    Reply,
    answer::{Envelope, query_document},
    call::{Call, Encoding, Request, Service},
    caller::Signer,
    cbor,
    fault::Course,
};
use crate::{
    Reset, Sandbox, endpoint,
    world::{Answer, ApiError, Caller, FaultKind, World},
};

/// Bodies larger than this are refused unread: SQS takes at most 1 MiB of messages a call, which JSON may double or so.
pub(crate) const BODY_BYTES_MAX: usize = 8 * 1_048_576;

/// Account of a caller that the fault of that name hits.
const OTHER_ACCOUNT: &str = "999999999999";

impl Sandbox {
    /// Answers a request that was sent to `origin` (scheme, host and port).
    pub(crate) async fn reply(&self, parts: &Parts, origin: String, body: Bytes) -> Reply {
        let came_at = Instant::now();
        match Request::read(parts, body) {
            Request::Call(call) => self.reply_to_call(parts, origin, call, came_at).await,
            Request::Status => Reply::Http(self.status()),
            Request::Reset => Reply::Http(self.reset()),
            Request::Endpoint { endpoint, question } => {
                let answer = self.answer(&endpoint, question).await.map_err(|error| endpoint::name(error.kind()));
                Reply::Http(self.envelope().document(StatusCode::OK, &json!(answer)))
            }
            Request::Unknown => {
                Reply::Http(self.envelope().document(StatusCode::NOT_FOUND, &json!({"error": "no such page"})))
            }
        }
    }

    async fn reply_to_call(&self, parts: &Parts, origin: String, call: Call, came_at: Instant) -> Reply {
        let latency = self.shared.clock.real(self.shared.options.latency);
        let Some(mut signer) = Signer::of(&parts.headers) else {
            return Reply::Http(self.envelope().failure(call.service, &unsigned()));
        };
        let fault = self.fault(&call);
        if fault == Some(FaultKind::OtherAccount) {
            OTHER_ACCOUNT.clone_into(&mut signer.access_key);
        }
        let course = Course::of(fault, call.service, &call.action, self.shared.clock.now());
        let late_by = match course {
            Course::Refused => return Reply::Refused,
            Course::Hangs => return Reply::Never,
            Course::Answered { late_by } => self.shared.clock.real(late_by),
            Course::LostBefore | Course::LostAfter | Course::Fails(_) => Duration::ZERO,
        };
        // Half of the latency lies on the way there, half on the way back: a deadline may cut off either.
        wait_until(came_at + latency / 2).await;
        let applying_at = Instant::now();
        let result = match course {
            Course::LostBefore => return Reply::Lost,
            Course::Fails(error) => Err(error),
            Course::LostAfter => {
                // Its answer is as lost as its success.
                drop(self.apply(&signer, origin, &call).await);
                return Reply::Lost;
            }
            Course::Answered { .. } | Course::Refused | Course::Hangs => self.apply(&signer, origin, &call).await,
        };
        // Timers overshoot: the whole is measured from the start, so that they do so once.
        wait_until(came_at + latency + applying_at.elapsed() + late_by).await;
        let envelope = self.envelope();
        Reply::Http(match result {
            Ok(body) => envelope.success(call.service, &call.action, body),
            Err(error) => envelope.failure(call.service, &error),
        })
    }

    /// Applies a call to the world, waiting where it is a long poll.
    async fn apply(&self, signer: &Signer, origin: String, call: &Call) -> Result<Vec<u8>, ApiError> {
        let mut caller = Caller { account: String::new(), region: signer.region.clone(), origin };
        let mut poll_until = None;
        loop {
            // Listen before looking, or a change in between goes unheard.
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (now, answer, due) = {
                let mut world = self.lock();
                let now = self.shared.clock.now();
                caller.account = self.account(&world, now, signer)?;
                let answer = self.call(&mut world, now, &caller, signer, call, poll_until)?;
                (now, answer, world.next_due())
            };
            match answer {
                Answer::Body(body) => {
                    if may_feed_a_receive(call) {
                        self.shared.changed.notify_waiters();
                    }
                    return Ok(body);
                }
                Answer::Wait { until } => {
                    poll_until = Some(until);
                    let look_again_at = due.map_or(until, |due| due.min(until));
                    let wait = self.shared.clock.sleep(time_between(now, look_again_at));
                    tokio::select! { () = changed => {}, () = wait => {} }
                }
            }
        }
    }

    fn call(
        &self,
        world: &mut World,
        now: Timestamp,
        caller: &Caller,
        signer: &Signer,
        call: &Call,
        poll_until: Option<Timestamp>,
    ) -> Result<Answer, ApiError> {
        match call.service {
            Service::Sqs => match poll_until {
                None => world.sqs(now, caller, &call.action, &call.body),
                Some(until) => world.sqs_again(now, caller, &call.action, &call.body, until),
            },
            Service::Ssm => world.ssm.call(now, caller, &call.action, &call.body).map(Answer::Body),
            Service::Sts => {
                let result = world.sts.call(now, caller, &signer.access_key, &call.action, &call.form)?;
                Ok(Answer::Body(query_document(call.service, &call.action, &result, &self.request_id())))
            }
            Service::Rds => {
                let result = world.rds(now, caller, &call.action, &call.form)?;
                Ok(Answer::Body(query_document(call.service, &call.action, &result, &self.request_id())))
            }
            Service::LoadBalancers => {
                let result = world.load_balancers(now, caller, &call.action, &call.form)?;
                Ok(Answer::Body(query_document(call.service, &call.action, &result, &self.request_id())))
            }
            Service::CloudWatch(encoding) => {
                let request = match encoding {
                    Encoding::Json => serde_json::from_slice(&call.body).map_err(|error| error.to_string()),
                    Encoding::Cbor => cbor::decode(&call.body),
                };
                let request = request.map_err(|why| ApiError::plain(400, "SerializationException", why))?;
                let answer = world.cloudwatch(now, caller, &call.action, request)?;
                Ok(Answer::Body(match encoding {
                    Encoding::Json => answer.to_string().into_bytes(),
                    Encoding::Cbor => cbor::encode(&answer),
                }))
            }
            Service::Ecs => world.ecs(now, caller, &call.action, &call.body).map(Answer::Body),
            Service::Logs => world.logs(now, caller, &call.action, &call.body).map(Answer::Body),
            Service::Autoscaling => world.autoscaling(now, caller, &call.action, &call.body).map(Answer::Body),
            Service::Lambda => world.lambda(now, caller, &call.action, &call.form, &call.body).map(Answer::Body),
            Service::OtherJson => Err(unknown_operation(400, "UnknownOperationException")),
            Service::OtherQuery => Err(unknown_operation(400, "InvalidAction")),
        }
    }

    /// The transport fault that hits a call.
    fn fault(&self, call: &Call) -> Option<FaultKind> {
        let mut world = self.lock();
        if world.faults.is_empty() {
            return None;
        }
        let queue = call.queue();
        world.transport_fault(call.service.prefix(), &call.action, queue.as_deref())
    }

    /// The caller's account: the access key itself, the account of the role that handed it out, or the default.
    fn account(&self, world: &World, now: Timestamp, signer: &Signer) -> Result<String, ApiError> {
        if let Some(account) = signer.account() {
            return Ok(account.to_owned());
        }
        let role_account = world.sts.account_of(now, &signer.access_key)?;
        Ok(role_account.unwrap_or_else(|| self.shared.options.default_account.clone()))
    }

    fn status(&self) -> Response<Bytes> {
        let options = &self.shared.options;
        let envelope = self.envelope();
        let status = json!({
            "sandbox": env!("CARGO_PKG_VERSION"),
            "now": envelope.now.to_string(),
            "speed": options.speed,
            "seed": options.seed,
        });
        envelope.document(StatusCode::OK, &status)
    }

    fn reset(&self) -> Response<Bytes> {
        match self.shared.options.reset {
            Reset::Refused => {
                self.envelope().document(StatusCode::NOT_FOUND, &json!({"error": "resets are not allowed"}))
            }
            Reset::Allowed => {
                self.with(|world, now| *world = World::new(self.shared.options.seed, now));
                self.envelope().document(StatusCode::OK, &json!({"status": "ok"}))
            }
        }
    }

    fn envelope(&self) -> Envelope {
        Envelope { request_id: self.request_id(), now: self.shared.clock.now() }
    }

    /// An id like AWS's, from the seed and a counter.
    fn request_id(&self) -> String {
        let count = self.shared.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-5ab0-4000-8000-{count:012x}", self.shared.options.seed & 0xffff_ffff)
    }
}

/// Whether a call may let a waiting receive find something. A receive may too: it moves dead letters on.
fn may_feed_a_receive(call: &Call) -> bool {
    call.service == Service::Sqs && !call.action.starts_with("Get") && !call.action.starts_with("List")
}

fn time_between(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}

async fn wait_until(then: Instant) {
    if then > Instant::now() {
        tokio::time::sleep_until(then).await;
    }
}

fn unsigned() -> ApiError {
    let message = "Request is missing Authentication Token".to_owned();
    ApiError { status: 403, code: "MissingAuthenticationToken", query_code: None, message }
}

fn unknown_operation(status: u16, code: &'static str) -> ApiError {
    ApiError {
        status,
        code,
        query_code: None,
        message: "The requested operation is not recognized by the service.".to_owned(),
    }
}
