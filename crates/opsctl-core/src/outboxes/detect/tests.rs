//! Rules, on tables that are described by hand.

use super::{
    Confidence, Proposal, Shape, Verdict,
    catalog::{CheckConstraint, Column, DatabaseTables, Index, Sort, TABLES_MAX, Table},
    detect, paste,
    read::{Asked, catalog, questions},
    sample::{self, What, learn, looks},
};
use crate::domain::{Dialect, Literal, RowState, Rows, TableName, Value};

fn column(name: &str, sort: Sort, nullable: bool) -> Column {
    Column { name: name.to_owned(), sql_type: "type".to_owned(), sort, nullable, ..Column::default() }
}

fn table(name: &str, columns: &[(&str, Sort, bool)]) -> Table {
    let mut table = Table::new(TableName { schema: Some("shop".to_owned()), name: name.to_owned() });
    table.columns = columns.iter().map(|(name, sort, nullable)| column(name, *sort, *nullable)).collect();
    table.primary_key = vec!["id".to_owned()];
    table
}

fn outbox() -> Table {
    table(
        "t_17",
        &[
            ("id", Sort::Uuid, false),
            ("event_type", Sort::Long, false),
            ("aggregate_id", Sort::Uuid, false),
            ("payload", Sort::Json, false),
            ("created_at", Sort::TimeZoned, false),
            ("sent_at", Sort::TimeZoned, true),
        ],
    )
}

fn verdict(table: Table) -> Verdict {
    let found = detect(&DatabaseTables { dialect: Dialect::Postgres, tables: vec![table], is_cut: false });
    found.into_iter().next().expect("one").verdict
}

fn proposed(table: Table) -> Proposal {
    match verdict(table) {
        Verdict::Proposed(proposal) => *proposal,
        Verdict::PassedOver { because, .. } => panic!("{because}"),
    }
}

#[test]
fn an_outbox_is_known_without_its_name() {
    let proposal = proposed(outbox());
    assert_eq!(proposal.shape, Shape::NullTime { column: "sent_at".to_owned() });
    assert_eq!(proposal.confidence, Confidence::Likely);
    assert!(proposal.is_complete, "{proposal:?}");
}

#[test]
fn each_way_to_write_a_name_is_the_same() {
    for style in [
        |name: &str| name.to_uppercase(),
        |name: &str| name.replace('_', ""),
        |name: &str| name.to_uppercase().replace('_', ""),
        |name: &str| name.replace('_', "-"),
    ] {
        let mut table = outbox();
        table.columns.iter_mut().for_each(|column| column.name = style(&column.name));
        let name = style("sent_at");
        assert_eq!(proposed(table).shape, Shape::NullTime { column: name.clone() }, "{name}");
    }
}

#[test]
fn a_code_that_no_word_explains_is_asked_for() {
    let mut table = outbox();
    table.columns.push(column("status", Sort::Small, false));
    let proposal = proposed(table);
    assert!(!proposal.is_complete && proposal.questions[0].contains("status"), "{:?}", proposal.questions);
    let toml = paste::toml(&proposal, "prod", "main");
    assert!(toml.lines().all(|line| !line.starts_with("status") && !line.starts_with("null_time")), "{toml}");
}

#[test]
fn what_a_sample_shows_answers_the_question() {
    let mut table = outbox();
    table.columns.push(column("status", Sort::Long, false));
    let mut catalog = DatabaseTables { dialect: Dialect::Postgres, tables: vec![table], is_cut: false };
    let names = [catalog.tables[0].name.clone()];
    for look in looks(&catalog.clone(), &names) {
        let rows = match &look.what {
            What::Values(column) => {
                assert_eq!(column, "status");
                let row = |word: &str, count| vec![Value::Text(word.to_owned()), Value::Integer(count)];
                Rows { rows: vec![row("SENT", 900), row("NEW", 20), row("ERROR", 3)], ..Rows::default() }
            }
            What::Paths(column) => {
                assert_eq!(column, "payload");
                let text = r#"{"envelope":{"eventId":"secret-1"},"key":{"id":7}}"#.to_owned();
                Rows { rows: vec![vec![Value::Text(text)]], ..Rows::default() }
            }
        };
        learn(&mut catalog, &look, &rows);
    }
    let found = detect(&catalog);
    let Verdict::Proposed(proposal) = &found[0].verdict else { panic!("{found:?}") };
    let Shape::Status { states, .. } = &proposal.shape else { panic!("{proposal:?}") };
    let state = |word: &str, state| (Literal::Text(word.to_owned()), state);
    let expected =
        [state("SENT", RowState::Published), state("NEW", RowState::Ready), state("ERROR", RowState::Failed)];
    assert_eq!(states.as_slice(), expected);
    assert!(proposal.is_complete && proposal.confidence == Confidence::Likely);
    let toml = paste::toml(proposal, "prod", "main");
    assert!(toml.contains("event_id = \"payload/envelope/eventId\""), "{toml}");
    assert!(!format!("{catalog:?}{toml}").contains("secret-1"));
}

#[test]
fn a_sample_of_too_many_values_is_no_status() {
    let mut table = outbox();
    table.columns.push(column("state", Sort::Long, false));
    let mut catalog = DatabaseTables { dialect: Dialect::Mysql, tables: vec![table], is_cut: false };
    let names = [catalog.tables[0].name.clone()];
    let look = looks(&catalog, &names).into_iter().find(|look| look.what == What::Values("state".to_owned()));
    let look = look.expect("a look");
    assert!(look.statement.text.contains(&format!("LIMIT {}", sample::ROWS_MAX)), "{}", look.statement.text);
    let rows = (0..25).map(|number| vec![Value::Text(format!("v{number}")), Value::Integer(1)]).collect();
    learn(&mut catalog, &look, &Rows { rows, ..Rows::default() });
    assert!(catalog.tables[0].sampled[0].values.is_empty());
}

#[test]
fn two_states_are_not_chosen_between() {
    let mut table = outbox();
    for name in ["status", "state"] {
        table.columns.push(column(name, Sort::Long, false));
        table.checks.push(CheckConstraint { text: format!("CHECK ({name} IN ('NEW', 'SENT'))") });
    }
    let proposal = proposed(table);
    assert!(!proposal.is_complete, "{proposal:?}");
}

#[test]
fn the_relays_index_tells_its_order_and_its_limit() {
    let mut table = outbox();
    table.columns.push(column("tries", Sort::Integer, false));
    table.indexes.push(Index {
        name: "i".to_owned(),
        columns: vec!["created_at".to_owned()],
        is_unique: false,
        predicate: Some("((sent_at IS NULL) AND (tries < 7))".to_owned()),
    });
    let toml = paste::toml(&proposed(table), "prod", "main");
    assert!(toml.contains("order = [\"created_at\"]") && toml.contains("max = 7"), "{toml}");
}

#[test]
fn hostile_names_stay_names() {
    for evil in ["x\"]\n[evil]\na = 1", "a\u{202e}b", "\u{1b}[31mred", "${HOME}", "a'b\\c", "🦀.\"x\"", ""] {
        let mut table = outbox();
        table.name = TableName { schema: Some(evil.to_owned()), name: format!("outbox{evil}") };
        table.columns[2].name = format!("aggregate_id {evil}");
        table.columns[5].name = format!("sent_at {evil}");
        let proposal = proposed(table);
        let toml = paste::toml(&proposal, evil, evil);
        let document: toml::Table = toml.parse().unwrap_or_else(|error| panic!("{error}\n{toml}"));
        let environments = document["environments"].as_table().expect("a table");
        assert_eq!((document.len(), environments.len()), (1, 1), "{toml}");
        let outbox = &environments[evil]["outboxes"][&proposal.name];
        assert_eq!(outbox["null_time"].as_str(), Some(format!("sent_at {evil}").as_str()), "{toml}");
        assert_eq!(outbox["table"].as_str(), Some(proposal.table.to_string().as_str()), "{toml}");
        assert!(!toml.contains('\u{202e}') && !toml.contains('\u{1b}'), "{toml:?}");
    }
}

#[test]
fn no_two_proposals_have_one_name() {
    let mut other = outbox();
    other.name.schema = Some("other".to_owned());
    let findings = detect(&DatabaseTables { dialect: Dialect::Postgres, tables: vec![outbox(), other], is_cut: false });
    let names: Vec<String> = findings
        .iter()
        .filter_map(|finding| match &finding.verdict {
            Verdict::Proposed(proposal) => Some(proposal.name.clone()),
            Verdict::PassedOver { .. } => None,
        })
        .collect();
    assert_eq!(names, ["t-17", "t-17-2"]);
}

#[test]
fn questions_are_bounded_and_answers_may_be_empty_or_odd() {
    for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
        for is_mariadb in [false, true] {
            let asked = Asked { dialect, is_mariadb, version: [8, 0, 36] };
            let questions = questions(asked, Some("a\"b`c"));
            assert!(questions.iter().all(|question| question.text.contains("LIMIT")));
            assert!(questions.iter().all(|question| !question.text.contains("a\"b`c")));
            let odd =
                Rows { rows: vec![vec![Value::Null], Vec::new(), vec![Value::Bytes(vec![255])]], ..Rows::default() };
            let answers: Vec<Rows> = questions.iter().map(|_| odd.clone()).collect();
            assert!(catalog(asked, &answers).tables.len() <= TABLES_MAX);
            assert!(catalog(asked, &[]).tables.is_empty());
        }
    }
}
