//! The table beside an outbox that parked rows are moved to: whether it is there, and whether the login may make and fill it.

use crate::{
    cloud::endpoint::Session,
    domain::{Bounds, SqlError, TableName, Text, Try},
    journal::History,
    operations::plan::{Call, Plan},
    outboxes::{
        Sql,
        sql::{self, Leave, create_shown, grant_to_leave},
    },
};

/// Under this name a plan has the table: none is made that was not agreed to.
const OBSERVED: &str = "outbox: parked in";

#[derive(Debug)]
pub(super) struct Side {
    table: TableName,
    found: Found,
    /// None: the server has no grants.
    leave: Option<Leave>,
}

#[derive(Debug)]
enum Found {
    There,
    Missing,
    /// It lacks these columns.
    Unfit(Vec<String>),
}

/// None: rows are not moved beside the outbox.
pub(super) async fn look(session: &mut Session, sql: &Sql) -> Result<Option<Side>, SqlError> {
    let Some(table) = sql.change.aside().cloned() else { return Ok(None) };
    let mut asked = vec![sql::catalog(sql.dialect, &table)];
    asked.extend(sql.leave(&sql.mapping.table));
    let answers = session.read(&asked, Bounds::LOOK).await?;
    let found = match sql::catalog_of(sql.dialect, &answers[0]) {
        None => Found::Missing,
        Some(catalog) => match sql.aside_lacks(&catalog) {
            lacks if lacks.is_empty() => Found::There,
            lacks => Found::Unfit(lacks),
        },
    };
    Ok(Some(Side { table, found, leave: answers.get(1).and_then(Sql::may_leave) }))
}

impl Side {
    fn is_missing(&self) -> bool {
        matches!(self.found, Found::Missing)
    }

    /// `taken_up`: what the run has done already, where it is resumed: the table that it has made is there now, and agreed to.
    pub(super) fn tell(&self, plan: &mut Plan, sql: &Sql, taken_up: Option<&History>) {
        let table = Text::line(&self.table.to_string());
        let words = match &self.found {
            Found::There => table.to_string(),
            Found::Missing => format!("{table}, a new table"),
            Found::Unfit(_) => format!("{table}, which does not fit"),
        };
        plan.fact("parked in", &words);
        let agreed = taken_up.and_then(|history| history.plan.pointer(&format!("/observed/{OBSERVED}"))?.as_str());
        plan.observe(OBSERVED, agreed.filter(|_| matches!(self.found, Found::There)).unwrap_or(&words));
        match (&self.found, sql.create_aside()) {
            (Found::Missing, Some(create)) => {
                // First, as it is done.
                let change = format!("a table is made beside the outbox: {}", create_shown(&create));
                plan.changes.insert(0, Text::line(&change));
                let resource = Text::line(&self.table.to_string());
                plan.calls.insert(0, Call { action: "CREATE TABLE".to_owned(), resource, times_estimate: 1 });
            }
            (Found::Unfit(lacks), _) => plan.block((
                format!("{table} has not the columns of the outbox: {} missing", lacks.join(", ")),
                Try::MendDatabase.says("add them, or rename the table"),
            )),
            (Found::There | Found::Missing, _) => {}
        }
        let Some(leave) = self.leave else { return };
        let leave = Leave { may_create: leave.may_create || !self.is_missing(), ..leave };
        if leave.is_pointed_at {
            plan.block("rows of other tables point at this table's rows: they would be deleted with them, or keep them from leaving");
        }
        if let Some(grant) = grant_to_leave(sql.dialect, &sql.mapping.table, leave) {
            plan.block((
                "the login may not move rows to a table beside the outbox",
                Try::MendDatabase.says(format!("`{grant} TO` it")),
            ));
        }
    }
}
