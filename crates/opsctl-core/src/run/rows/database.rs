//! The connection of a run that changes rows: opened where it is needed, to the server and the table that the plan saw, and to no other.

use super::{Context, Halt};
use crate::{
    cloud::endpoint::{NotPlanned, Session},
    domain::{Bounds, RunId, SqlError, SqlKind},
    operations::rows::{Target, mapping_digest},
    outboxes::{
        self, Sql,
        look::{self, Unread},
    },
};

pub(super) struct Database<'a> {
    target: &'a Target,
    context: &'a Context,
    open: Option<(Session, Sql)>,
    /// The run whose rows they are, and why rows are set aside.
    of_run: (String, String),
}

/// Why there is no session.
pub(super) enum Shut {
    /// Perhaps there is one later.
    Failed(SqlError),
    Halt(Halt),
}

impl<'a> Database<'a> {
    pub(super) fn new(target: &'a Target, context: &'a Context, run: &RunId, reason: Option<&str>) -> Self {
        let why = match reason.map(str::trim).filter(|reason| !reason.is_empty()) {
            Some(reason) => format!("parked with opsctl, run {run}: {reason}"),
            None => format!("parked with opsctl, run {run}"),
        };
        Self { target, context, open: None, of_run: (run.to_string(), why) }
    }

    /// A session, and statements for it.
    pub(super) async fn session(&mut self) -> Result<(&mut Session, &Sql), Shut> {
        if self.open.is_none() {
            self.open = Some(self.connect().await?);
        }
        match &mut self.open {
            Some((session, sql)) => Ok((session, sql)),
            None => unreachable!("it has just been opened"),
        }
    }

    async fn connect(&self) -> Result<(Session, Sql), Shut> {
        let opened = self.context.cloud.endpoints.session(&self.target.connection).await;
        let lost = |words: &str| Shut::Failed(SqlError::new(SqlKind::Lost, words));
        let mut session = opened.map_err(|error| lost(error.words.as_str()))?;
        let cloud = &self.context.cloud;
        let verified = cloud.endpoints.verify(&session, &self.target.server, cloud.environment()).await;
        if let Err(not_planned) = verified {
            session.close().await;
            return Err(match not_planned {
                NotPlanned::Unknown(error) => lost(error.message.as_str()),
                NotPlanned::OtherServer { .. } | NotPlanned::OtherAccount { .. } => {
                    Shut::Halt(Halt::Stale(not_planned.to_string()))
                }
            });
        }
        let fitted = look::fitted(&mut session, &self.target.outbox).await;
        let sql = match fitted {
            Ok(sql) => sql,
            Err(Unread::Sql(error)) => return Err(Shut::Failed(error)),
            Err(unseen) => return Err(Shut::Halt(Halt::Stale(unseen.trouble(&self.target.outbox).words()))),
        };
        if mapping_digest(&sql) != self.target.mapping {
            return Err(Shut::Halt(Halt::Stale("the table has changed since the plan".to_owned())));
        }
        let mut sql = sql.doing(self.target.deed);
        sql.change = sql.change.because(&self.of_run.0, &self.of_run.1, &sql.catalog);
        Ok((session, sql))
    }

    /// Makes the table beside the outbox, where rows go there and it is missing; then looks whether it fits.
    pub(super) async fn make_aside(&mut self) -> Result<(), Shut> {
        let (session, sql) = self.session().await?;
        let (Some(create), Some(table)) = (sql.create_aside(), sql.change.aside()) else { return Ok(()) };
        let look = [outboxes::sql::catalog(sql.dialect, table)];
        let found = session.read(&look, Bounds::LOOK).await.map_err(Shut::Failed)?;
        let mut catalog = outboxes::sql::catalog_of(sql.dialect, &found[0]);
        if catalog.is_none() {
            // One that is there already stays as it is: an answer that was lost is no harm.
            session.change(&[create], Bounds::LOOK).await.map_err(Shut::Failed)?;
            let found = session.read(&look, Bounds::LOOK).await.map_err(Shut::Failed)?;
            catalog = outboxes::sql::catalog_of(sql.dialect, &found[0]);
        }
        let lacks = catalog.map_or_else(Vec::new, |catalog| sql.aside_lacks(&catalog));
        if lacks.is_empty() {
            return Ok(());
        }
        let words = format!("the table {table} lacks columns of the outbox: {}", lacks.join(", "));
        Err(Shut::Halt(Halt::Stale(words)))
    }

    pub(super) async fn close(&mut self) {
        if let Some((session, _)) = self.open.take() {
            session.close().await;
        }
    }

    /// Lets go of a session that is of no more use.
    pub(super) fn drop_session(&mut self) {
        self.open = None;
    }
}
