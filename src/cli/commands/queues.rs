//! `opsctl queues`.

use std::io;

use serde::Serialize;
use serde_json::json;

use super::{change, look::look_at};
use crate::{
    cli::{
        args::{Global, Queues},
        complete,
        error::CliError,
        exit::Exit,
        failed::{Failed, Problem},
        output::{Output, Table},
        world::{Site, World},
    },
    cloud::sqs::MoveTask,
    domain::{EnvironmentName, QueueKind, Text, environment::glob},
    observe::{
        Once, Scope, Seen, Wanted, leaving,
        queues::{self, DeadLetters, KnownBy},
    },
    operations::values::in_words,
};

const SOURCES_SHOWN: usize = 3;

#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    name: &'a str,
    url: &'a str,
    arn: Option<&'a str>,
    kind: QueueKind,
    visible: Option<u64>,
    in_flight: Option<u64>,
    delayed: Option<u64>,
    /// Age of the oldest message when CloudWatch last told it, and when that was.
    oldest_seconds: Option<u64>,
    oldest_at: Option<jiff::Timestamp>,
    oldest_unknown: Option<&'a str>,
    feeds: Option<&'a str>,
    receives_max: Option<u32>,
    dead_letters: Option<&'a DeadLetters>,
    /// A move task that is active and that opsctl did not start on this machine.
    moved_elsewhere: Option<&'a MoveTask>,
    error: Option<Problem>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) environment: &'a EnvironmentName,
    pub(super) queue: &'a Seen,
    pub(super) age_unknown: Option<&'a Text>,
}

pub(super) async fn run(args: &Queues, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let scope = if args.all { Scope::All } else { Scope::Configured };
    // Who has no folder has no runs: then nobody can tell whose a move is.
    let runs = change::state(global).await.ok();
    let wanted = Wanted { queues: Some(scope), runs: runs.as_ref(), ..Wanted::default() };
    let (mut found, failed) = look_at(&world, &wanted, |snapshot| snapshot.listing.error.as_ref()).await;
    let names_of = |once: &Once| once.snapshot.queues.iter().map(|queue| queue.name.0.clone()).collect();
    let names = found.iter().map(|(site, once)| (site.environment.as_ref(), names_of(once)));
    complete::remember(world.realm, complete::Kind::Queue, names);
    for (site, Once { snapshot, ages_unknown, .. }) in &mut found {
        snapshot.queues = snapshot.queues.iter().filter(|queue| is_wanted(queue, args)).cloned().collect();
        if let Some(why) = ages_unknown.as_ref().filter(|_| global.verbose > 0) {
            out.note(&format!("{}: ages of oldest messages are not all known: {why}", site.environment.name));
        }
    }
    show(&found, &failed, out)?;
    failed.end(out)
}

fn is_wanted(queue: &Seen, args: &Queues) -> bool {
    let name_fits = args.pattern.as_ref().is_none_or(|pattern| glob(pattern, queue.name.as_str()));
    name_fits && (!args.dlq || queue.dead_letters.is_some())
}

fn show(found: &[(&Site, Once)], failed: &Failed<'_>, out: &mut Output) -> io::Result<()> {
    let mut all: Vec<Line> = Vec::new();
    for (site, Once { snapshot, ages_unknown, .. }) in found {
        let (environment, age_unknown) = (&site.environment.name, ages_unknown.as_ref());
        all.extend(snapshot.queues.iter().map(|queue| Line { environment, queue, age_unknown }));
    }
    // Stable: environments keep the configuration's order among equals.
    all.sort_by(|left, right| queues::worst_first(left.queue, right.queue));
    let rows: Vec<Row> = all.iter().map(row).collect();
    let nothing = (!found.is_empty()).then_some("no queue fits");
    let document = || ("opsctl/queues/1", json!({ "queues": rows, "unreachable": failed.unreachable() }));
    out.rows(("opsctl/queue/1", nothing), &rows, || table(&all), document)
}

fn row<'a>(line: &Line<'a>) -> Row<'a> {
    let Line { environment, queue, age_unknown } = *line;
    let Seen { oldest, .. } = *queue;
    let unknown = || age_unknown.map_or("CloudWatch has no sample of it", Text::as_str);
    let seen = queue.queue.as_ref();
    Row {
        environment,
        name: queue.name.as_str(),
        url: queue.url.as_str(),
        arn: seen.map(|seen| seen.arn.as_str()),
        kind: queue.name.kind(),
        visible: seen.map(|seen| seen.counts.visible),
        in_flight: seen.map(|seen| seen.counts.in_flight),
        delayed: seen.map(|seen| seen.counts.delayed),
        oldest_seconds: oldest.map(|oldest| oldest.seconds),
        oldest_at: oldest.map(|oldest| oldest.at),
        oldest_unknown: if oldest.is_none() { Some(unknown()) } else { None },
        feeds: queue.feeds().map(|arn| arn.as_str()),
        receives_max: seen.and_then(|seen| seen.redrive.as_ref()).map(|policy| policy.receives_max),
        dead_letters: queue.dead_letters.as_ref(),
        moved_elsewhere: moved_elsewhere(queue),
        error: queue.error.as_ref().map(|error| Problem { what: Text::line(&error.to_string()), hint: None }),
    }
}

pub(super) fn table(all: &[Line]) -> Table {
    let mut table =
        Table::new(&["ENV", "NAME", "TYPE", "~VISIBLE", "~IN FLIGHT", "~DELAYED", "#OLDEST", "DEAD LETTERS"]);
    for line in all {
        let Line { environment, queue, .. } = line;
        let count = |pick: fn(&crate::domain::Counts) -> u64| match &queue.queue {
            Some(seen) => format!("~{}", pick(&seen.counts)),
            None => "?".to_owned(),
        };
        table.row([
            environment.0.clone(),
            queue.name.0.clone(),
            queue.name.kind().to_string(),
            count(|counts| counts.visible),
            count(|counts| counts.in_flight),
            count(|counts| counts.delayed),
            queue.oldest.map_or_else(|| "-".to_owned(), |oldest| in_words(oldest.seconds)),
            relation(queue),
        ]);
    }
    table
}

fn moved_elsewhere(queue: &Seen) -> Option<&MoveTask> {
    queue.leaving.as_ref()?.task.as_ref()
}

/// `of orders, payments`, `go to orders-dlq after 5 receives`, or why it could not be looked at.
fn relation(queue: &Seen) -> String {
    let mut parts = Vec::new();
    if let Some(DeadLetters { sources, known_by }) = &queue.dead_letters {
        let mut names: Vec<&str> = sources.iter().take(SOURCES_SHOWN).map(|name| name.as_str()).collect();
        let more = format!("{} more", sources.len().saturating_sub(SOURCES_SHOWN));
        if sources.len() > SOURCES_SHOWN {
            names.push(&more);
        }
        parts.push(match (known_by, names.is_empty()) {
            (KnownBy::RedrivePolicy, _) => format!("of {}", names.join(", ")),
            (KnownBy::Tag, _) => format!("of {} (by tag)", names.join(", ")),
            (KnownBy::Pattern, _) => format!("of {} (by name)", names.join(", ")),
            (KnownBy::Name, _) => "of no queue (by its name)".to_owned(),
        });
    }
    parts.extend(moved_elsewhere(queue).map(leaving::in_words));
    parts.extend(queue.error.as_ref().map(ToString::to_string));
    let policy = queue.queue.as_ref().and_then(|seen| seen.redrive.as_ref());
    parts.extend(policy.map(|policy| {
        let times = if policy.receives_max == 1 { "1 receive" } else { &format!("{} receives", policy.receives_max) };
        format!("go to {} after {times}", policy.dead_letter.name())
    }));
    parts.join("; ")
}
