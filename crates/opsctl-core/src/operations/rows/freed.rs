//! What parking a row means for the order in its group.

use super::look::may_be_asked;
use crate::{
    cloud::endpoint::Session,
    domain::{Bounds, SqlError, words::counted},
    operations::plan::Plan,
    outboxes::{Sql, sql::ListedRow},
};

#[derive(Debug)]
pub(super) enum Freed {
    /// Rows that wait behind selected ones, in so many groups.
    Behind { rows: u64, groups: u64 },
    /// The relay holds groups back, and it was not counted.
    Uncounted,
    /// The relay does not hold a group back.
    Nothing,
}

/// None: rows have no groups.
pub(super) async fn look(
    session: &mut Session,
    sql: &Sql,
    sampled: &[ListedRow],
    is_small: bool,
) -> Result<Option<Freed>, SqlError> {
    let Some(statement) = sql.blocked_groups() else { return Ok(None) };
    if !sql.mapping.group_blocks {
        return Ok(Some(Freed::Nothing));
    }
    if !may_be_asked(session, sql, &statement, is_small).await? {
        return Ok(Some(Freed::Uncounted));
    }
    let rows = session.read(&[statement], Bounds::LOOK).await?;
    let is_head = |head: &[crate::domain::Value]| sampled.iter().any(|row| row.id == head);
    let blocked: Vec<u64> = sql
        .blocked(&rows[0])
        .into_iter()
        .filter(|blocked| is_head(&blocked.head))
        .map(|blocked| blocked.held)
        .collect();
    Ok(Some(Freed::Behind { rows: blocked.iter().sum(), groups: blocked.len() as u64 }))
}

impl Freed {
    pub(super) fn tell(&self, plan: &mut Plan) {
        match self {
            Self::Behind { rows: 0, .. } => {}
            Self::Behind { rows, groups } => plan.warn(format!(
                "{} in {} wait behind these rows and go out once they are parked: a row that comes back later comes after them",
                counted(*rows, "younger row"),
                counted(*groups, "group")
            )),
            Self::Uncounted => plan.warn(
                "younger rows of the same groups go out once these are parked: a row that comes back later comes after them",
            ),
            Self::Nothing => {
                plan.warn("order is not kept: younger rows of the same groups go out before a row that comes back later");
            }
        }
    }
}
