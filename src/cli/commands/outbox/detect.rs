//! `opsctl outbox detect`.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::{
    cli::{
        args::{DetectOutboxes, Format, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        world::World,
    },
    cloud::{Cloud, endpoint::Session},
    domain::{Bounds, Connection, Environment, Place, Text, Try, environment::glob, words::counted},
    outboxes::detect::{
        Confidence, DatabaseTables, Detected, Proposal, Verdict, detect,
        paste::toml,
        read::{self, Asked},
        sample::{learn, looks},
    },
};

/// Catalogs of a database with thousands of tables take a while.
const CATALOGS: Bounds = Bounds {
    statement: Duration::from_secs(15),
    lock: Duration::from_secs(1),
    rows_max: read::ROWS_MAX as usize,
    bytes_max: 64 * 1_048_576,
};

/// What was found through one connection.
struct Found<'a> {
    connection: &'a Connection,
    server: String,
    is_cut: bool,
    findings: Vec<Detected>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    connection: &'a str,
    table: Text,
    name: &'a str,
    confidence: Confidence,
    is_complete: bool,
    preset: Option<&'a str>,
    configured_as: Option<&'a str>,
    evidence: Vec<Text>,
    doubts: Vec<Text>,
    questions: Vec<Text>,
    notes: Vec<Text>,
    toml: String,
}

#[derive(Serialize)]
struct Passed {
    table: Text,
    because: Text,
}

pub(super) async fn run(args: &DetectOutboxes, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    // Before a database is woken: whose account it is.
    let cloud = world.to_look().await?;
    let environment = cloud.environment();
    let connections = chosen(args, environment)?;
    let mut failed: Option<CliError> = None;
    let mut found = Vec::new();
    for connection in connections {
        match look(cloud, connection, args).await {
            Ok(one) => found.push(one),
            Err(error) => {
                out.warning(&error.to_string());
                failed = Some(error);
            }
        }
    }
    match failed {
        Some(error) if found.is_empty() => return Err(error),
        _ => show(&found, environment, out)?,
    }
    Ok(if failed.is_some() { Exit::Failed } else { Exit::Done })
}

fn chosen<'a>(args: &DetectOutboxes, environment: &'a Environment) -> Result<Vec<&'a Connection>, CliError> {
    let all = &environment.databases.connections;
    let name = Text::line(&environment.name.0);
    if all.is_empty() {
        let hint = format!("add [environments.{name}.connections.NAME] to opsctl.toml");
        return Err(CliError::usage(
            &format!("no connection to a database of {name} is configured"),
            Try::Configure.says(&hint),
        ));
    }
    let leads_to = |connection: &Connection, pattern: &str| {
        let place = match &connection.place {
            Place::Database(name) => Some(name.as_str()),
            Place::DataApi(arn) => arn.rsplit(':').next(),
            Place::UrlFile(_) | Place::UrlVariable(_) | Place::Host { .. } | Place::HostParameter { .. } => None,
        };
        [place, connection.database.as_deref()].into_iter().flatten().any(|name| glob(pattern, name))
    };
    let fits = |connection: &&Connection| {
        args.connection.as_ref().is_none_or(|wanted| connection.name == *wanted)
            && args.database.as_ref().is_none_or(|pattern| leads_to(connection, pattern))
    };
    let chosen: Vec<&Connection> = all.iter().filter(fits).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = all.iter().map(|connection| connection.name.as_str()).collect();
        return Err(CliError::usage(
            "no connection fits",
            Try::NameAnother.says(format!("there are: {}", names.join(", "))),
        ));
    }
    Ok(chosen)
}

async fn look<'a>(cloud: &Cloud, connection: &'a Connection, args: &DetectOutboxes) -> Result<Found<'a>, CliError> {
    let place = format!("{}: {}", cloud.environment().name, connection.name);
    let opened = cloud.endpoints.session_of_resumed(connection).await;
    let mut session = opened.map_err(|error| CliError::failed(&format!("{place}: {}", error.words), None))?;
    let found = ask(&mut session, connection, args).await;
    session.close().await;
    found.map_err(|why| CliError::failed(&format!("{place}: its catalogs can't be read: {why}"), None))
}

async fn ask<'a>(
    session: &mut Session,
    connection: &'a Connection,
    args: &DetectOutboxes,
) -> Result<Found<'a>, crate::domain::SqlError> {
    let server = session.server().clone();
    let asked = Asked { dialect: server.dialect, is_mariadb: server.is_mariadb(), version: server.version };
    let questions = read::questions(asked, args.schema.as_deref());
    let answers = session.read(&questions, CATALOGS).await?;
    let mut catalog = read::catalog(asked, &answers);
    let mut findings = detect(&catalog);
    let mut notes = Vec::new();
    if args.sample {
        sample(session, &mut catalog, &findings, &mut notes).await;
        findings = detect(&catalog);
    }
    let server = format!("{}, {}", server.words(), server.database);
    Ok(Found { connection, server, is_cut: catalog.is_cut, findings, notes })
}

/// Looks at rows of what may be outboxes. A table that can't be read is named, and no more.
async fn sample(session: &mut Session, catalog: &mut DatabaseTables, findings: &[Detected], notes: &mut Vec<String>) {
    let tables: Vec<_> = proposals(findings).map(|proposal| proposal.table.clone()).collect();
    for look in looks(catalog, &tables) {
        match session.read(std::slice::from_ref(&look.statement), Bounds::LOOK).await {
            Ok(answers) => answers.first().into_iter().for_each(|rows| learn(catalog, &look, rows)),
            Err(error) => notes.push(format!("rows of {} can't be read: {}", look.table, error.kind.words())),
        }
    }
}

fn proposals(findings: &[Detected]) -> impl Iterator<Item = &Proposal> {
    findings.iter().filter_map(|finding| match &finding.verdict {
        Verdict::Proposed(proposal) => Some(proposal.as_ref()),
        Verdict::PassedOver { .. } => None,
    })
}

/// Tables that look so much like outboxes that somebody may ask.
fn close(findings: &[Detected]) -> impl Iterator<Item = Passed> {
    findings.iter().filter_map(|finding| match &finding.verdict {
        Verdict::PassedOver { because, is_close: true } => {
            Some(Passed { table: Text::line(&finding.table.to_string()), because: Text::line(because) })
        }
        Verdict::PassedOver { .. } | Verdict::Proposed(_) => None,
    })
}

fn row<'a>(proposal: &'a Proposal, found: &Found<'a>, environment: &'a Environment) -> Row<'a> {
    let texts = |list: &[String]| list.iter().map(|text| Text::line(text)).collect();
    let outboxes = &environment.databases.outboxes;
    let same = outboxes
        .iter()
        .find(|outbox| outbox.connection == found.connection.name && outbox.mapping.table.name == proposal.table.name);
    Row {
        connection: &found.connection.name,
        table: Text::line(&proposal.table.to_string()),
        name: &proposal.name,
        confidence: proposal.confidence,
        is_complete: proposal.is_complete,
        preset: proposal.preset.as_deref(),
        configured_as: same.map(|outbox| outbox.name.as_str()),
        evidence: texts(&proposal.evidence),
        doubts: texts(&proposal.doubts),
        questions: texts(&proposal.questions),
        notes: texts(&proposal.notes),
        toml: toml(proposal, &environment.name.0, &found.connection.name),
    }
}

fn show(all: &[Found<'_>], environment: &Environment, out: &mut Output) -> Result<(), CliError> {
    match out.format {
        Format::Human => all.iter().try_for_each(|found| people(found, environment, out)),
        Format::Json => {
            let connections: Vec<_> = all.iter().map(|found| document(found, environment)).collect();
            let data = json!({ "environment": environment.name, "connections": connections });
            out.document("opsctl/outbox-detect/1", &data).map_err(Into::into)
        }
        Format::Jsonl => {
            for found in all {
                out.json_line("opsctl/outbox-detected/1", &document(found, environment))?;
            }
            Ok(())
        }
    }
}

fn document(found: &Found<'_>, environment: &Environment) -> serde_json::Value {
    let proposals: Vec<Row<'_>> =
        proposals(&found.findings).map(|proposal| row(proposal, found, environment)).collect();
    let passed: Vec<Passed> = close(&found.findings).collect();
    let notes: Vec<Text> = found.notes.iter().map(|note| Text::line(note)).collect();
    json!({
        "connection": found.connection.name, "server": Text::line(&found.server), "tables": found.findings.len(),
        "has_more_tables": found.is_cut, "proposals": proposals, "passed_over": passed, "notes": notes,
    })
}

/// All of it can be pasted: what is no TOML stands in comments.
fn people(found: &Found<'_>, environment: &Environment, out: &mut Output) -> Result<(), CliError> {
    let connection = Text::line(&found.connection.name);
    let tables = counted(found.findings.len() as u64, "table");
    out.whole(&format!("# {connection}: {}, {tables} looked at", Text::line(&found.server)))?;
    for proposal in proposals(&found.findings) {
        let row = row(proposal, found, environment);
        let how = if row.is_complete { "" } else { "; answer the first question before you use it" };
        out.whole("")?;
        out.whole(&format!("# {}: {}{how}", row.table, row.confidence.words()))?;
        if let Some(name) = row.configured_as {
            out.whole(&format!("#   configured already, as {}", Text::line(name)))?;
        }
        for (mark, list) in [("+", &row.evidence), ("-", &row.doubts), ("?", &row.questions), ("!", &row.notes)] {
            for text in list {
                out.whole(&format!("#   {mark} {text}"))?;
            }
        }
        row.toml.lines().try_for_each(|line| out.whole(line))?;
    }
    let passed: Vec<Passed> = close(&found.findings).collect();
    if !passed.is_empty() {
        out.whole("")?;
        out.whole("# Passed over:")?;
    }
    for Passed { table, because } in passed {
        out.whole(&format!("#   {table}: {because}"))?;
    }
    for note in &found.notes {
        out.warning(note);
    }
    if found.is_cut {
        out.warning(&format!("{connection} has more tables than were looked at: name one schema with --schema"));
    }
    if proposals(&found.findings).next().is_none() {
        out.note(&format!("{connection}: no table looks like an outbox"));
    }
    Ok(())
}
