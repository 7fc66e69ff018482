//! Finds outboxes by what a database's catalogs say, and proposes how to map them.
//!
//! catalogs ([`read`]) -> [`DatabaseTables`] -> [`detect`] -> [`Detected`] -> TOML ([`paste::toml`]). Nothing here connects to a database. A wrong
//! mapping that sounds sure is worse than none: what the catalogs do not tell is asked, and left out of the TOML.

pub mod catalog;
mod draft;
pub mod expression;
mod facts;
mod judge;
pub mod paste;
mod presets;
pub mod read;
mod rearm;
mod roles;
pub mod sample;
mod setting;
mod shape;
mod values;
mod words;

#[cfg(test)]
mod tests;

pub use catalog::DatabaseTables;
pub use setting::{Setting, Toml};
pub use shape::Shape;

use serde::Serialize;

use catalog::Table;
use draft::{Draft, draft, joint_checks};
use facts::Facts;
use judge::{Judgement, judge, present};
use presets::{Recognised, recognised};
use setting::{place, text};
use shape::shape;

use crate::domain::TableName;

/// How sure a proposal is that the table is an outbox, and that what it says of it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The table is something else just as well.
    Doubtful,
    Likely,
    Certain,
}

impl Confidence {
    pub fn words(self) -> &'static str {
        match self {
            Self::Doubtful => "doubtful",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// What is thought of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    pub table: TableName,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Proposed(Box<Proposal>),
    PassedOver {
        /// One sentence without a full stop.
        because: String,
        /// Whether it looks so much like an outbox that somebody may ask why it is none.
        is_close: bool,
    },
}

/// A mapping to paste. Sentences have no full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// For the configuration; no two of one look are the same.
    pub name: String,
    pub table: TableName,
    pub preset: Option<String>,
    pub shape: Shape,
    pub confidence: Confidence,
    /// Whether nothing has to be answered first: the mapping can be used as it is.
    pub is_complete: bool,
    /// Keys beside the table, the connection and the preset.
    pub lines: Vec<Setting>,
    pub evidence: Vec<String>,
    /// Why it may be something else.
    pub doubts: Vec<String>,
    /// What only somebody who knows the application can tell. Where [`Self::is_complete`] is false, the first ones come first.
    pub questions: Vec<String>,
    /// What the current user could not see or do.
    pub notes: Vec<String>,
}

/// What is thought of each table, in the catalog's order.
pub fn detect(catalog: &DatabaseTables) -> Vec<Detected> {
    let mut findings: Vec<Detected> = catalog
        .tables
        .iter()
        .map(|table| Detected { table: table.name.clone(), verdict: verdict(table, catalog) })
        .collect();
    name(&mut findings);
    findings
}

fn verdict(table: &Table, catalog: &DatabaseTables) -> Verdict {
    let facts = Facts::of(table);
    if let Some(known) = recognised(&facts, catalog) {
        return Verdict::Proposed(Box::new(of_preset(&facts, known)));
    }
    let shaped = shape(&facts).or_else(|| present(&facts));
    match (judge(&facts, shaped.as_ref()), shaped) {
        (Judgement::Outbox { confidence, evidence, doubts }, Some(shaped)) => {
            let Draft { lines, questions, open } = draft(&facts, &shaped);
            let is_complete = open.is_empty();
            let confidence =
                if questions.is_empty() && is_complete { confidence } else { confidence.min(Confidence::Likely) };
            Verdict::Proposed(Box::new(Proposal {
                name: String::new(),
                table: table.name.clone(),
                preset: None,
                shape: shaped.shape,
                confidence,
                is_complete,
                lines,
                evidence,
                doubts,
                questions: open.into_iter().chain(questions).collect(),
                notes: notes(&facts),
            }))
        }
        (Judgement::Not { because, is_close }, _) => Verdict::PassedOver { because, is_close },
        (Judgement::Outbox { .. }, None) => {
            Verdict::PassedOver { because: "no column says whether a row was published".to_owned(), is_close: true }
        }
    }
}

fn of_preset(facts: &Facts<'_>, known: Recognised) -> Proposal {
    let mut evidence = vec![format!("its columns are those of {}: {}", known.preset, known.columns.join(", "))];
    let status = facts.parts.iter().find(|part| part.role == roles::Role::Status);
    if let Some((status, values)) = status.and_then(|part| Some((part, facts.known(part.column)?))) {
        let words: Vec<&str> = values.values.iter().map(|(value, _)| value.as_str()).collect();
        evidence.push(format!("{} {} {}", status.column.name, values.from.words(), words.join(", ")));
    }
    let confidence = if known.question.is_some() { Confidence::Likely } else { Confidence::Certain };
    Proposal {
        name: String::new(),
        table: facts.table.name.clone(),
        lines: overrides(&known),
        is_complete: !known.preset.starts_with("watermill"),
        preset: Some(known.preset.to_owned()),
        shape: Shape::Preset,
        confidence,
        evidence,
        doubts: Vec::new(),
        questions: known.question.map(str::to_owned).into_iter().collect(),
        notes: notes(facts),
    }
}

/// What a table writes otherwise than its preset.
fn overrides(known: &Recognised) -> Vec<Setting> {
    let mut lines = Vec::new();
    if let Some(positions) = &known.positions {
        let parts = vec![("table", text(positions)), ("consumer", text("..."))];
        lines.push(Setting::open("offset", Toml::Table(parts), "write the consumer group in place of the dots"));
    }
    if known.renamed.is_empty() {
        return lines;
    }
    let column = |wanted: &str| {
        let renamed = known.renamed.iter().find(|(of, _)| of == wanted).map(|(_, now)| now.clone());
        let same = || known.columns.iter().find(|column| column.eq_ignore_ascii_case(wanted)).cloned();
        renamed.or_else(same).unwrap_or_else(|| wanted.to_owned())
    };
    let list = |wanted: &str| Toml::List(vec![Toml::Text(column(wanted))]);
    let at = |wanted: &str| place(&column(wanted));
    let body = |wanted: &str| Toml::Table(vec![("column", at(wanted))]);
    match known.preset {
        "masstransit" => {
            let outbox = Toml::Table(vec![("column", Toml::Text(column("outboxid"))), ("null", Toml::Truth(true))]);
            lines.push(Setting::new("id", list("sequencenumber")));
            lines.push(Setting::new("held", Toml::List(vec![outbox])));
            lines.push(Setting::new("order", list("sequencenumber")));
            lines.push(Setting::new("group", at("outboxid")));
            lines.push(Setting::new("created", Toml::Text(column("senttime"))));
            lines.push(Setting::new("type", at("messagetype")));
            lines.push(Setting::new("event_id", at("messageid")));
            lines.push(Setting::new("body", body("body")));
        }
        "nservicebus" => {
            lines.push(Setting::new("id", list("messageid")));
            lines.push(Setting::new("flag", Toml::Table(vec![("column", Toml::Text(column("dispatched")))])));
            lines.push(Setting::new("published_at", Toml::Text(column("dispatchedat"))));
            lines.push(Setting::new("body", body("operations")));
        }
        "debezium" => {
            lines.push(Setting::new("group", at("aggregateid")));
            lines.push(Setting::new("type", at("type")));
            lines.push(Setting::new("body", body("payload")));
        }
        "eventuate" => lines.push(Setting::new("id", list("id"))),
        _ => {}
    }
    lines
}

fn notes(facts: &Facts<'_>) -> Vec<String> {
    let table = facts.table;
    let mut notes = Vec::new();
    if table.row_security.is_active {
        notes.push("row level security hides rows from you: counts may be too low".to_owned());
    }
    if table.grants.select == Some(false) {
        notes.push("you may not SELECT from it".to_owned());
    }
    let denied = table.columns.iter().filter(|column| column.may_update == Some(false)).count();
    if table.grants.update == Some(false) && denied == table.columns.len() {
        notes.push("you may not UPDATE it: a replay would be refused".to_owned());
    } else if denied > 0 {
        notes.push("you may UPDATE some of its columns only".to_owned());
    }
    if let Some(by) = &table.partitioned_by {
        notes.push(format!("it is partitioned by {by}, in {} parts", table.partitions));
    }
    if !table.triggers.is_empty() {
        let names: Vec<&str> = table.triggers.iter().map(|trigger| trigger.name.as_str()).collect();
        notes.push(format!("it has triggers, which a replay fires: {}", names.join(", ")));
    }
    if joint_checks(facts) > 0 {
        notes.push("a CHECK joins several of its columns: a replay has to keep it".to_owned());
    }
    notes
}

/// Longest name that is made of a table's.
const NAME_MAX: usize = 40;

/// Names for the configuration: the tables' words with hyphens, with a number where two are the same.
fn name(findings: &mut [Detected]) {
    let mut taken: Vec<String> = Vec::new();
    for finding in findings {
        let Verdict::Proposed(proposal) = &mut finding.verdict else { continue };
        let mut stem = String::new();
        for letter in proposal.table.name.chars() {
            if letter.is_ascii_alphanumeric() {
                stem.push(letter.to_ascii_lowercase());
            } else if !stem.ends_with('-') {
                stem.push('-');
            }
        }
        let stem: String = stem.trim_matches('-').chars().take(NAME_MAX).collect();
        let stem = if stem.is_empty() { "outbox".to_owned() } else { stem };
        let mut name = stem.clone();
        let mut number = 2;
        while taken.contains(&name) {
            name = format!("{stem}-{number}");
            number += 1;
        }
        taken.push(name.clone());
        proposal.name = name;
    }
}
