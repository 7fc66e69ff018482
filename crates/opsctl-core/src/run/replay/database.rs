//! The connection of a replay: opened where it is needed, to the server and the table that the plan saw, and to no other.

use super::{Context, Halt};
use crate::{
    cloud::endpoint::{NotPlanned, Session},
    domain::{SqlError, SqlKind},
    operations::replay::{Target, mapping_digest},
    outboxes::{
        Sql,
        look::{self, Unread},
    },
};

pub(super) struct Database<'a> {
    target: &'a Target,
    context: &'a Context,
    open: Option<(Session, Sql)>,
}

/// Why there is no session.
pub(super) enum Shut {
    /// Perhaps there is one later.
    Failed(SqlError),
    Halt(Halt),
}

impl<'a> Database<'a> {
    pub(super) fn new(target: &'a Target, context: &'a Context) -> Self {
        Self { target, context, open: None }
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
        Ok((session, sql))
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
