//! What endpoints of the world's databases answer: in process, and for programs that join.

use std::{sync::Arc, time::Duration};

use super::{
    Sandbox,
    join::{self, Joined},
    wire::time_between,
    world::{FaultKind, rds::Connected},
};
use crate::domain::{Answerer, Answering, Ask, Because, Told, Unanswered};

/// How long a joined sandbox may take: those who ask have shorter deadlines of their own.
const DEADLINE: Duration = Duration::from_secs(15);

impl Sandbox {
    /// The way to the endpoints of this world's databases.
    pub fn answerer(&self) -> Answerer {
        let sandbox = self.clone();
        Arc::new(move |ask| -> Answering {
            let sandbox = sandbox.clone();
            Box::pin(async move { sandbox.tell(ask).await })
        })
    }

    pub(super) async fn tell(&self, ask: Ask) -> Result<Told, Unanswered> {
        match ask {
            Ask::Connect(endpoint) => self.connect(&endpoint.host).await.map(Told::Connected),
            Ask::Role(number) => self.with(|world, now| world.role_of_session(now, number)).map(Told::Role),
            Ask::Run(number, statement) => {
                self.with(|world, now| world.run_in_session(now, number, &statement)).map(Told::Rows)
            }
            Ask::Close(number) => {
                self.with(|world, _| world.close_session(number));
                Ok(Told::Closed)
            }
        }
    }

    async fn connect(&self, host: &str) -> Result<u64, Unanswered> {
        let clock = self.clock();
        match self.with(|world, now| world.trouble_of_connection(now, host)) {
            Some(FaultKind::Refused) => return Err(refused()),
            Some(FaultKind::Denied) => return Err(Unanswered::new(Because::Login, "login refused")),
            Some(FaultKind::LostBefore | FaultKind::LostAfter) => {
                return Err(Unanswered::new(Because::Broken, "connection reset"));
            }
            Some(FaultKind::Hang) => return std::future::pending().await,
            Some(FaultKind::Slow(late_by)) => clock.sleep(late_by).await,
            Some(_) | None => {}
        }
        clock.sleep(self.options().latency).await;
        let opened = match self.with(|world, now| world.open_session(now, host)) {
            Err(Connected::Wakes(at)) => {
                clock.sleep(time_between(clock.now(), at)).await;
                self.with(|world, now| world.open_session(now, host))
            }
            opened => opened,
        };
        opened.map_err(|connected| match connected {
            Connected::Unknown => Unanswered::new(Because::Unresolved, "no such name"),
            Connected::Writer | Connected::Reader | Connected::Refused | Connected::Wakes(_) => refused(),
        })
    }
}

/// The way to the endpoints of a joined sandbox.
pub fn answerer(joined: &Joined) -> Answerer {
    let url = joined.endpoint.clone();
    Arc::new(move |ask| -> Answering {
        let url = url.clone();
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || join::ask_endpoint(&url, &ask, DEADLINE)).await;
            let failed = |error: std::io::Error| Unanswered::new(Because::Broken, &error.to_string());
            asked.map_err(std::io::Error::other).and_then(|asked| asked).map_err(failed)?
        })
    })
}

fn refused() -> Unanswered {
    Unanswered::new(Because::Refused, "connection refused")
}
