//! [`RowFilter`]: rows of an outbox chosen in jq, as messages are.
//!
//! A filter sees one object per row: `.id`, `.type`, `.group`, `.payload` (parsed where it is JSON), `.text` (the payload's text),
//! `.error`, `.attempts`, `.age_seconds`, `.state`. What a table has no column for is null. The names also work as they stand.

use std::sync::Arc;

use jaq_core::ValT;
use jaq_json::{Map, Num, Val};

use super::{
    filter::{body, read, text},
    jq::{self, Compiled, FilterError, Runner, Words},
    jq_check::Rules,
};

const WORDS: Words<'_> = Words {
    names: &["id", "type", "group", "payload", "text", "error", "attempts", "age_seconds", "state"],
    of_jq: &["type"],
};

/// A row as a filter sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterRow {
    /// The columns of its id, with commas.
    pub id: String,
    pub kind: Option<String>,
    pub group: Option<String>,
    pub payload: Option<String>,
    pub error: Option<String>,
    pub attempts: Option<i64>,
    pub age_seconds: Option<i64>,
    pub state: String,
}

/// A compiled filter with the thread that evaluates it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RowFilter {
    runner: Arc<Runner<FilterRow, bool>>,
}

impl RowFilter {
    /// Compiles what was given: jq itself, or `file:PATH` with the file that has it.
    ///
    /// # Errors
    /// [`FilterError::Syntax`]: what is wrong, the place underlined, what to try.
    pub fn open(given: &str) -> Result<Self, FilterError> {
        let program = jq::compile(&read(given)?, WORDS, Rules::Filter)?;
        let runner = Runner::start(program, |program, row| decide(program, &row))?;
        Ok(Self { runner: Arc::new(runner) })
    }

    /// Whether each row matches, in order. Blocks and gives up as [`super::Filter::matches_all`] does.
    pub fn matches_all(&self, rows: Vec<FilterRow>) -> Vec<Result<bool, FilterError>> {
        self.runner.ask(rows)
    }
}

fn decide(program: &Compiled, row: &FilterRow) -> Result<bool, FilterError> {
    for output in jq::run(program, value(row)) {
        if output?.as_bool() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn value(row: &FilterRow) -> Val {
    let plain = |value: &Option<String>| value.as_deref().map_or(Val::Null, text);
    let number = |value: Option<i64>| value.map_or(Val::Null, |number| Val::Num(Num::from_integral(number)));
    let fields = [
        ("id", text(&row.id)),
        ("type", plain(&row.kind)),
        ("group", plain(&row.group)),
        ("payload", row.payload.as_deref().map_or(Val::Null, body)),
        ("text", plain(&row.payload)),
        ("error", plain(&row.error)),
        ("attempts", number(row.attempts)),
        ("age_seconds", number(row.age_seconds)),
        ("state", text(&row.state)),
    ];
    Val::obj(fields.into_iter().map(|(name, value)| (text(name), value)).collect::<Map>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_can_be_asked() {
        let row = FilterRow {
            id: "7".to_owned(),
            kind: Some("transfer.settled".to_owned()),
            group: Some("t1".to_owned()),
            payload: Some(r#"{"amount": 12, "to": "B"}"#.to_owned()),
            error: Some("timeout after 3 s".to_owned()),
            attempts: Some(10),
            age_seconds: Some(90),
            state: "failed".to_owned(),
        };
        for (filter, expected) in [
            (r#".id == "7" and .type == "transfer.settled" and .group == "t1""#, true),
            (r#".payload.amount > 10 and (.text | test("amount"))"#, true),
            (r#"error | test("timeout")"#, true),
            (".attempts == 10 and age_seconds == 90", true),
            (r#".state == "published""#, false),
            (".payload.missing", false),
        ] {
            let compiled = RowFilter::open(filter).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(compiled.matches_all(vec![row.clone()]), [Ok(expected)], "{filter}");
        }
        assert!(RowFilter::open(".attempts = 3").is_err(), "it assigns");
        let null = RowFilter::open(".group == null and .payload == null").expect("compiles");
        assert_eq!(null.matches_all(vec![FilterRow::default()]), [Ok(true)]);
    }
}
