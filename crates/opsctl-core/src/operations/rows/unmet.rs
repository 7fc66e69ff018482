//! Ids that were given and meet no row that is meant: none has the id, or the row is in another state.

use std::collections::HashMap;

use super::look::filter_row;
use crate::{
    cloud::endpoint::Session,
    domain::{
        Bounds, RowState, SqlError, Text, Value,
        words::{counted, counted_is, some_of, thousands},
    },
    operations::plan::Plan,
    outboxes::{Sql, sql::Selection},
};

/// Ids that are looked for in one statement.
const IDS_AT_ONCE: usize = 500;
/// Ids named; the rest are counted.
const NAMED_MAX: usize = 20;

#[derive(Debug, Default)]
pub(super) struct Unmet {
    given: usize,
    /// No row has them.
    missing: Vec<String>,
    /// Of rows in other states than are meant.
    elsewhere: Vec<(String, RowState)>,
}

/// None: no ids were given.
pub(super) async fn look(session: &mut Session, sql: &Sql, selection: &Selection) -> Result<Option<Unmet>, SqlError> {
    let Some(ids) = &selection.ids else { return Ok(None) };
    let mut states: HashMap<String, RowState> = HashMap::new();
    for some in ids.chunks(IDS_AT_ONCE) {
        let rows = session.read(&[sql.rows_by_id(some)], Bounds::LOOK).await?;
        states.extend(sql.listed(&rows[0]).iter().map(|row| (comparable(&filter_row(row).id), row.state)));
    }
    let mut unmet = Unmet { given: ids.len(), ..Unmet::default() };
    for id in ids {
        let id = shown(id);
        match states.get(&comparable(&id)) {
            None => unmet.missing.push(id),
            Some(state) if !selection.states.contains(state) => unmet.elsewhere.push((id, *state)),
            Some(_) => {}
        }
    }
    Ok(Some(unmet))
}

fn shown(id: &[Value]) -> String {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    };
    id.iter().map(text).collect::<Vec<_>>().join(",")
}

/// As servers compare ids: numbers by their value, UUIDs in whatever case.
fn comparable(id: &str) -> String {
    let part = |part: &str| match part.trim().parse::<i128>() {
        Ok(number) => number.to_string(),
        Err(_) => part.trim().to_lowercase(),
    };
    id.split(',').map(part).collect::<Vec<_>>().join(",")
}

impl Unmet {
    pub(super) fn tell(&self, plan: &mut Plan) {
        let given = thousands(self.given as u64);
        if !self.missing.is_empty() {
            let count = counted(self.missing.len() as u64, "id");
            let names = some_of(self.missing.iter().map(String::as_str), NAMED_MAX);
            plan.warn(format!("no row has {count} of the {given} given: {names}"));
            plan.unmet.extend(self.missing.iter().map(|id| Text::line(id)));
        }
        if !self.elsewhere.is_empty() {
            let count = counted_is(self.elsewhere.len() as u64, "row", "is", "are");
            let names: Vec<String> =
                self.elsewhere.iter().map(|(id, state)| format!("{id} ({})", state.words())).collect();
            let names = some_of(names.iter().map(String::as_str), NAMED_MAX);
            plan.warn(format!("{count} in another state and left alone: {names}"));
            plan.unmet.extend(self.elsewhere.iter().map(|(id, _)| Text::line(id)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_as_servers_do() {
        for (one, other) in [("007", "7"), ("A1B2", "a1b2"), ("a, 7", "A,07"), ("-3", "-3")] {
            assert_eq!(comparable(one), comparable(other), "{one} {other}");
        }
        assert_ne!(comparable("7"), comparable("70"));
    }
}
