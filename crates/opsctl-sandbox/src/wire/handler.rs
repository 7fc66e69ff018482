//! The one handler: a request in, what becomes of it out.

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use super::{
    Reply,
    answer::Envelope,
    call::{Call, Request},
    caller::{Signer, own_account},
};
use crate::{
    Reset, Sandbox,
    world::{self, ApiError, Caller, Fate, World},
};

/// Bodies larger than this are refused unread: SQS takes at most 1 MiB of messages a call, which JSON may double or so.
pub(crate) const BODY_BYTES_MAX: usize = 8 * 1_048_576;

impl Sandbox {
    /// Answers a request that was sent to `origin` (scheme, host and port).
    pub(crate) async fn reply(&self, parts: &Parts, origin: String, body: Bytes) -> Reply {
        let came_at = Instant::now();
        match Request::read(parts, body) {
            Request::Call(call) => self.reply_to_call(parts, origin, call, came_at).await,
            Request::Status => Reply::Http(self.status()),
            Request::Reset => Reply::Http(self.reset()),
            Request::Ask(ask) => {
                let told = self.tell(ask).await;
                Reply::Http(self.envelope().document(StatusCode::OK, &json!(told)))
            }
            Request::Drill(asked) => Reply::Http(self.lead_drill(&asked)),
            Request::Unknown => {
                Reply::Http(self.envelope().document(StatusCode::NOT_FOUND, &json!({"error": "no such page"})))
            }
        }
    }

    async fn reply_to_call(&self, parts: &Parts, origin: String, call: Call, came_at: Instant) -> Reply {
        let latency = match self.observes {
            true => Duration::ZERO,
            false => self.shared.clock.real(self.shared.options.latency),
        };
        // Half of the latency lies on the way there, half on the way back: a deadline may cut off either.
        wait_until(came_at + latency / 2).await;
        let applying_at = Instant::now();
        let (answer, late_by) = match self.caller(parts, origin, &call) {
            Err(error) => (Err(error), Duration::ZERO),
            Ok((caller, access_key)) => match self.apply(&caller, &access_key, &call).await {
                Fate::Refused => return Reply::Refused,
                Fate::Lost | Fate::Unheard(_) => return Reply::Lost,
                Fate::Hangs => return Reply::Never,
                Fate::Answered { answer, late_by } => (answer, self.shared.clock.real(late_by)),
            },
        };
        // Timers overshoot: the whole is measured from the start, so that they do so once.
        wait_until(came_at + latency + applying_at.elapsed() + late_by).await;
        let envelope = self.envelope();
        Reply::Http(match answer {
            Ok(answer) => envelope.success(&call, answer),
            Err(error) => envelope.failure(&call, &error),
        })
    }

    /// Applies a call to the world, waiting where it is a long poll.
    async fn apply(&self, caller: &Caller, access_key: &str, call: &Call) -> Fate {
        let Call { service, action, input, .. } = call;
        let request = world::Request { service, action, caller, access_key, input };
        let mut fate = None;
        loop {
            // Listen before looking, or a change in between goes unheard.
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (now, due) = {
                let mut world = self.lock();
                let now = self.shared.clock.now();
                match fate.as_mut().and_then(Fate::polls) {
                    Some((answer, until)) => *answer = world.again(now, &request, until),
                    None if self.observes => fate = Some(world.look(now, &request)),
                    None => fate = Some(world.call(now, &request)),
                }
                (now, world.next_due())
            };
            let Some((_, until)) = fate.as_mut().and_then(Fate::polls) else { break };
            let look_again_at = due.map_or(until, |due| due.min(until));
            let wait = self.shared.clock.sleep(time_between(now, look_again_at));
            tokio::select! { () = changed => {}, () = wait => {} }
        }
        let fate = fate.expect("the loop ends only after the call was made");
        if may_feed_a_receive(call) {
            self.shared.changed.notify_waiters();
        }
        fate
    }

    /// Who calls: of the access key's own account, of that of the role that handed it out, or of the default one.
    fn caller(&self, parts: &Parts, origin: String, call: &Call) -> Result<(Caller, String), ApiError> {
        let Signer { access_key, region, service } =
            Signer::of(&parts.headers).or_else(|| Signer::of_fields(&call.input.fields)).ok_or_else(unsigned)?;
        call.check_scope(&origin, service.as_deref())?;
        let account = match own_account(&access_key) {
            Some(account) => {
                self.lock().sts.check_own(account, &call.action)?;
                account.to_owned()
            }
            None => {
                let world = self.lock();
                let of_role = world.sts.account_of(self.shared.clock.now(), &access_key)?;
                of_role.unwrap_or_else(|| self.shared.options.default_account.clone())
            }
        };
        Ok((Caller { account, region, origin }, access_key))
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

    fn lead_drill(&self, asked: &str) -> Response<Bytes> {
        match self.shared.control.get() {
            Some(control) => {
                let answer = serde_json::from_str(&control(asked)).unwrap_or(serde_json::Value::Null);
                self.envelope().document(StatusCode::OK, &answer)
            }
            None => self.envelope().document(StatusCode::NOT_FOUND, &json!({"error": "no drill is played here"})),
        }
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
    ["sqs", "sns", "events"].contains(&call.service.prefix)
        && !call.action.starts_with("Get")
        && !call.action.starts_with("List")
}

pub(crate) fn time_between(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}

async fn wait_until(then: Instant) {
    if then > Instant::now() {
        tokio::time::sleep_until(then).await;
    }
}

fn unsigned() -> ApiError {
    ApiError::plain(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
}
