//! What endpoints of the world's databases answer: in process, and for programs that join.

use std::{io, time::Duration};

use jiff::Timestamp;

use super::{
    Sandbox,
    join::{self, Joined},
    wire::{ENDPOINT_PATH, QUESTIONS},
    world::{FaultKind, rds::Connected},
};
use crate::domain::endpoint::{Answerer, Answering, Endpoint, Question, Reached};

/// The service and the action by which faults and denials name a connection (IAM knows it under this name, too).
const SERVICE: &str = "rds-db";
const ACTION: &str = "connect";
/// How long a joined sandbox may take: those who ask have shorter deadlines of their own.
const DEADLINE: Duration = Duration::from_secs(15);
/// Errors by the names under which they travel.
const ERRORS: [(io::ErrorKind, &str); 4] = [
    (io::ErrorKind::ConnectionRefused, "connection refused"),
    (io::ErrorKind::ConnectionReset, "connection reset"),
    (io::ErrorKind::NotFound, "no such name"),
    (io::ErrorKind::PermissionDenied, "login refused"),
];

impl Sandbox {
    /// The way to the endpoints of this world's databases.
    pub fn answerer(&self) -> Answerer {
        let sandbox = self.clone();
        std::sync::Arc::new(move |endpoint: Endpoint, question| -> Answering {
            let sandbox = sandbox.clone();
            Box::pin(async move { sandbox.answer(&endpoint, question).await })
        })
    }

    /// Connects to an endpoint of the world.
    pub(super) async fn answer(&self, endpoint: &Endpoint, question: Question) -> io::Result<Reached> {
        let clock = self.clock();
        match self.with(|world, _| world.transport_fault(SERVICE, ACTION, Some(&endpoint.host))) {
            Some(FaultKind::Refused) => return Err(error(io::ErrorKind::ConnectionRefused)),
            Some(FaultKind::Denied) => return Err(error(io::ErrorKind::PermissionDenied)),
            Some(FaultKind::LostBefore | FaultKind::LostAfter) => return Err(error(io::ErrorKind::ConnectionReset)),
            Some(FaultKind::Hang) => return std::future::pending().await,
            Some(FaultKind::Slow(late_by)) => clock.sleep(late_by).await,
            Some(_) | None => {}
        }
        clock.sleep(self.options().latency).await;
        let connected = match self.with(|world, now| world.connect(now, &endpoint.host)) {
            Connected::Wakes(at) => {
                clock.sleep(time_until(clock.now(), at)).await;
                self.with(|world, now| world.connect(now, &endpoint.host))
            }
            connected => connected,
        };
        match (connected, question) {
            (Connected::Writer | Connected::Reader, Question::Connect) => Ok(Reached::Answers),
            (Connected::Writer, Question::Role) => Ok(Reached::Writes),
            (Connected::Reader, Question::Role) => Ok(Reached::ReadsOnly),
            (Connected::Refused | Connected::Wakes(_), _) => Err(error(io::ErrorKind::ConnectionRefused)),
            (Connected::Unknown, _) => Err(error(io::ErrorKind::NotFound)),
        }
    }
}

/// The way to the endpoints of a joined sandbox.
pub fn answerer(joined: &Joined) -> Answerer {
    let url = joined.endpoint.clone();
    std::sync::Arc::new(move |endpoint: Endpoint, question| -> Answering {
        let url = url.clone();
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || ask(&url, &endpoint, question));
            asked.await.map_err(io::Error::other)?
        })
    })
}

fn ask(url: &str, endpoint: &Endpoint, question: Question) -> io::Result<Reached> {
    let asked = QUESTIONS.iter().find(|(_, other)| *other == question).map_or("", |(name, _)| *name);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("host", &endpoint.host)
        .append_pair("port", &endpoint.port.to_string())
        .append_pair("ask", asked)
        .finish();
    let answer: Result<Reached, String> =
        serde_json::from_str(&join::get(url, &format!("{ENDPOINT_PATH}?{query}"), DEADLINE)?)?;
    answer.map_err(|name| {
        let kind = ERRORS.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind);
        error(kind.unwrap_or(io::ErrorKind::Other))
    })
}

/// The name under which an error travels.
pub(super) fn name(kind: io::ErrorKind) -> &'static str {
    ERRORS.iter().find(|(other, _)| *other == kind).map_or("failed", |(_, name)| name)
}

fn error(kind: io::ErrorKind) -> io::Error {
    io::Error::new(kind, name(kind))
}

fn time_until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}
