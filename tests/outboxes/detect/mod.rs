//! What is found in real databases: every known system's table, tables in many styles, tables that only look alike; by their own
//! names and by names that tell nothing.

mod corpus;

use opsctl::{
    config::{Paint, Source, Why, examine},
    domain::Dialect,
    outboxes::detect::{
        Confidence, Detected, Verdict, detect, paste,
        read::{Asked, catalog, questions},
    },
};

use super::server::Schema;
use corpus::{Block, Expected, blocks};

/// How a table was judged, in a table for whoever has to look.
struct Judged {
    block: String,
    hidden: bool,
    expected: String,
    found: String,
    wrong: Option<String>,
}

#[tokio::test]
async fn tables_are_told_apart_on_postgres() {
    let texts = [
        include_str!("tables/presets.sql"),
        include_str!("tables/outboxes.sql"),
        include_str!("tables/lookalikes.sql"),
    ];
    judge_all(Dialect::Postgres, &texts).await;
}

#[tokio::test]
async fn tables_are_told_apart_on_mariadb() {
    judge_all(Dialect::Mysql, &[include_str!("tables/mariadb.sql")]).await;
}

async fn judge_all(dialect: Dialect, texts: &[&str]) {
    let mut judged = Vec::new();
    for block in texts.iter().flat_map(|text| blocks(text)) {
        let Some(mut schema) = Schema::of(dialect).await else { return };
        schema.script(&block.script).await;
        for hidden in [false, true] {
            if hidden && block.is_bound_to_names() {
                continue;
            }
            if hidden {
                hide(&mut schema, &block).await;
            }
            let findings = look(&mut schema).await;
            judged.push(judge(&block, hidden, &findings));
        }
        schema.end().await;
    }
    let wrong: Vec<String> = judged.iter().filter(|judged| judged.wrong.is_some()).map(line).collect();
    let confident = wrong.iter().filter(|line| line.contains("CONFIDENT")).count();
    let total = judged.len();
    assert!(wrong.is_empty(), "{} of {total} wrong, {confident} of them confident:\n{}", wrong.len(), wrong.join("\n"));
}

fn line(judged: &Judged) -> String {
    let name = if judged.hidden { "name hidden" } else { "" };
    format!(
        "{:<30} {name:<11} expected {:<40} found {:<30} {}",
        judged.block,
        judged.expected,
        judged.found,
        judged.wrong.as_deref().unwrap_or_default()
    )
}

async fn look(schema: &mut Schema) -> Vec<Detected> {
    let asked =
        Asked { dialect: schema.dialect(), is_mariadb: schema.dialect() == Dialect::Mysql, version: [15, 0, 0] };
    let mut answers = Vec::new();
    for question in questions(asked, Some(&schema.name)) {
        answers.push(schema.run(&question).await);
    }
    detect(&catalog(asked, &answers))
}

/// Gives the tables names that tell nothing.
async fn hide(schema: &mut Schema, block: &Block) {
    for (place, table) in block.tables().iter().enumerate() {
        let name = format!("t_{place}");
        let sql = match schema.dialect() {
            Dialect::Postgres => format!("ALTER TABLE {table} RENAME TO {name}"),
            Dialect::Mysql | Dialect::Sqlite => format!("RENAME TABLE {table} TO {name}"),
        };
        schema.script(&sql).await;
    }
}

fn judge(block: &Block, hidden: bool, findings: &[Detected]) -> Judged {
    let proposals: Vec<_> = findings
        .iter()
        .filter_map(|finding| match &finding.verdict {
            Verdict::Proposed(proposal) => Some(proposal),
            Verdict::PassedOver { .. } => None,
        })
        .collect();
    let found = match proposals.as_slice() {
        [] => findings.first().map_or_else(String::new, |finding| match &finding.verdict {
            Verdict::PassedOver { because, .. } => format!("none: {because}"),
            Verdict::Proposed(_) => String::new(),
        }),
        [proposal] => format!(
            "{} {} {:?}",
            proposal.confidence.words(),
            if proposal.is_complete { "" } else { "open" },
            proposal.preset.as_deref().unwrap_or("mapping")
        ),
        _ => "several proposals".to_owned(),
    };
    let wrong = match proposals.as_slice() {
        [] => missed(block, hidden),
        [proposal] => {
            let toml = paste::toml(proposal, "prod", "main");
            differs(block, hidden, proposal, &toml).map(|why| {
                let is_confident = proposal.confidence > Confidence::Doubtful && proposal.is_complete;
                format!("{}{why}\n{toml}", if is_confident { "CONFIDENT " } else { "" })
            })
        }
        _ => Some("several proposals".to_owned()),
    };
    Judged { block: block.name(), hidden, expected: block.expected_words(), found, wrong }
}

/// A table that was passed over.
fn missed(block: &Block, hidden: bool) -> Option<String> {
    match &block.expected {
        Expected::None => None,
        Expected::Doubtful if hidden => None,
        Expected::Doubtful | Expected::Preset { .. } => Some("missed".to_owned()),
        // Where nothing but the name told that it is an outbox, none is better than a wrong one.
        Expected::Outbox { confidence, .. } if hidden && *confidence == Confidence::Doubtful => None,
        Expected::Outbox { .. } => Some("missed".to_owned()),
    }
}

fn differs(block: &Block, hidden: bool, proposal: &opsctl::outboxes::detect::Proposal, toml: &str) -> Option<String> {
    if let Err(problems) = configured(toml, proposal.is_complete) {
        return Some(problems);
    }
    let document: toml::Table = toml.parse().unwrap_or_else(|error| panic!("{error}\n{toml}"));
    let outbox = &document["environments"]["prod"]["outboxes"][&proposal.name];
    match &block.expected {
        Expected::None => {
            (!(hidden && proposal.confidence == Confidence::Doubtful)).then(|| "not an outbox".to_owned())
        }
        Expected::Doubtful => (proposal.confidence > Confidence::Doubtful).then(|| "too sure".to_owned()),
        Expected::Preset { name, confidence, keys } => {
            if proposal.preset.as_deref() != Some(name.as_str()) {
                return Some("another preset".to_owned());
            }
            if proposal.confidence != *confidence {
                return Some("not that sure".to_owned());
            }
            keys.iter().find_map(|(key, value)| differs_in(outbox, key, value))
        }
        Expected::Outbox { is_open, confidence, keys } => {
            if *is_open == proposal.is_complete {
                return Some(format!("open: {}", !proposal.is_complete));
            }
            let is_sure = if hidden { proposal.confidence <= *confidence } else { proposal.confidence == *confidence };
            if !is_sure {
                return Some("not that sure".to_owned());
            }
            keys.iter().find_map(|(key, value)| differs_in(outbox, key, value))
        }
    }
}

/// `status.ready.0=NEW`; a value of `-` is for a key that must not be there.
fn differs_in(outbox: &toml::Value, key: &str, expected: &str) -> Option<String> {
    let found = key.split('.').try_fold(outbox, |value, part| match part.parse::<usize>() {
        Ok(place) => value.as_array()?.get(place),
        Err(_) => value.get(part),
    });
    let words = found.map(|value| match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(truth) => truth.to_string(),
        other => format!("{other:?}"),
    });
    (words.as_deref().unwrap_or("-") != expected)
        .then(|| format!("{key} is {}", words.as_deref().unwrap_or("not there")))
}

/// Whether the configuration takes what is pasted, and refuses what has to be answered first.
fn configured(toml: &str, is_complete: bool) -> Result<(), String> {
    let text = format!(
        "[environments.prod]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\n\
         [environments.prod.connections.main]\nhost = \"localhost\"\nport = 5432\nuser = \"opsctl\"\npassword = \"env:PASSWORD\"\n{toml}"
    );
    let source = Source { path: "opsctl.toml".into(), why: Why::Flag };
    let (report, _) = examine(source, text);
    match (report.is_good(), is_complete) {
        (true, true) | (false, false) => Ok(()),
        (true, false) => Err("the configuration takes what has to be answered first".to_owned()),
        (false, true) => Err(report.render(Paint::Plain)),
    }
}
