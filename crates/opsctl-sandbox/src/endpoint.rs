//! What endpoints of the world's databases answer: in process, and for programs that join.

use std::{sync::Arc, time::Duration};

use super::{
    Sandbox,
    join::{self, Joined},
    wire::time_between,
    world::{
        FaultKind,
        rds::{Connected, NotOpened, NotRun},
    },
};
use crate::domain::{Answerer, Answering, Ask, Because, SqlError, SqlKind, Statement, Told, Unanswered};

/// How long a joined sandbox may take: those who ask have shorter deadlines of their own.
const DEADLINE: Duration = Duration::from_secs(15);
/// How long a statement waits for another session's transaction, and how often it looks.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
const LOCK_LOOK: Duration = Duration::from_millis(20);

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
            Ask::Connect { endpoint, database } => {
                self.connect(&endpoint.host, database.as_deref()).await.map(Told::Connected)
            }
            Ask::Role(number) => self.with(|world, now| world.role_of_session(now, number)).map(Told::Role),
            Ask::Run(number, statement) => self.run(number, &statement).await,
            Ask::Close(number) => {
                self.with(|world, _| world.close_session(number));
                Ok(Told::Closed)
            }
        }
    }

    async fn connect(&self, host: &str, database: Option<&str>) -> Result<u64, Unanswered> {
        let clock = self.clock();
        match self.with(|world, now| world.trouble_of_connection(now, host)).filter(|_| !self.observes) {
            Some(FaultKind::Refused) => return Err(refused()),
            Some(FaultKind::Denied) => return Err(Unanswered::new(Because::Login, "login refused")),
            Some(FaultKind::LostBefore | FaultKind::LostAfter) => return Err(reset()),
            Some(FaultKind::Hang) => return std::future::pending().await,
            Some(FaultKind::Slow(late_by)) => clock.sleep(late_by).await,
            Some(_) | None => {}
        }
        clock.sleep(self.options().latency).await;
        let opened = match self.with(|world, now| world.open_session(now, host, database)) {
            Err(NotOpened::Instead(Connected::Wakes(at))) => {
                clock.sleep(time_between(clock.now(), at)).await;
                self.with(|world, now| world.open_session(now, host, database))
            }
            opened => opened,
        };
        opened.map_err(|failure| match failure {
            NotOpened::Instead(Connected::Unknown) => Unanswered::new(Because::Unresolved, "no such name"),
            NotOpened::NoDatabase => {
                let words = format!("database \"{}\" does not exist", database.unwrap_or_default());
                Unanswered::new(Because::Login, &words)
            }
            NotOpened::Instead(Connected::Writer | Connected::Reader | Connected::Refused | Connected::Wakes(_)) => {
                refused()
            }
        })
    }

    async fn run(&self, number: u64, statement: &Statement) -> Result<Told, Unanswered> {
        let clock = self.clock();
        let trouble = self.with(|world, now| world.trouble_of_statement(now, number)).filter(|_| !self.observes);
        match trouble {
            Some(FaultKind::Denied) => return Ok(Told::Failed(SqlError::new(SqlKind::Denied, "permission denied"))),
            Some(FaultKind::Refused | FaultKind::LostBefore) => return Err(self.broken(number)),
            Some(FaultKind::Hang) => return std::future::pending().await,
            Some(FaultKind::Slow(late_by)) => clock.sleep(late_by).await,
            Some(_) | None => {}
        }
        clock.sleep(self.options().latency).await;
        let ran = self.run_once_unlocked(number, statement).await;
        // It is done, and nobody hears of it.
        if trouble == Some(FaultKind::LostAfter) { Err(self.broken(number)) } else { ran }
    }

    /// Waits while another session writes, as long as locks are waited for.
    async fn run_once_unlocked(&self, number: u64, statement: &Statement) -> Result<Told, Unanswered> {
        let given_up_at = self.clock().now() + LOCK_TIMEOUT;
        loop {
            match self.with(|world, now| world.run_in_session(now, number, statement)) {
                Ok(rows) => return Ok(Told::Rows(rows)),
                Err(NotRun::Failed(error)) => return Ok(Told::Failed(error)),
                Err(NotRun::Broken(failure)) => return Err(failure),
                Err(NotRun::Locked) if self.clock().now() >= given_up_at => {
                    let words = "database is locked: canceled due to lock timeout";
                    return Ok(Told::Failed(SqlError::new(SqlKind::LockTimeout, words)));
                }
                Err(NotRun::Locked) => self.clock().sleep(LOCK_LOOK).await,
            }
        }
    }

    fn broken(&self, number: u64) -> Unanswered {
        self.with(|world, _| world.close_session(number));
        reset()
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

fn reset() -> Unanswered {
    Unanswered::new(Because::Broken, "connection reset")
}

fn refused() -> Unanswered {
    Unanswered::new(Because::Refused, "connection refused")
}
