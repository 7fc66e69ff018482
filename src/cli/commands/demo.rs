//! `opsctl demo`: the sandbox's fleet, and what to try on it.

use std::sync::Arc;

use super::{
    look::look_at,
    queues::{Line, table},
};
use crate::{
    cli::{
        args::{Console, Format, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        world::{Site, World},
    },
    domain::{
        EnvironmentName, Text, Try,
        invocation::option,
        words::{counted, counted_is},
    },
    observe::{Once, Scope, Seen, Wanted, queues::worst_first},
};

const SHOWN: usize = 6;

pub(super) async fn run(global: &Global, console: &Console, out: &mut Output) -> Result<Exit, CliError> {
    let global = Global { sandbox: true, ..global.clone() };
    if super::console::is_possible() {
        return super::console::run(&global, console, out).await;
    }
    let world = World::open(&global, out).await?;
    if out.format != Format::Human {
        let hint = format!("use `{}`", global.invocation().command("queues --output json"));
        return Err(CliError::usage("the demo is for people", Try::UseTerminal.says(&hint)));
    }
    let wanted = Wanted { queues: Some(Scope::All), ..Wanted::default() };
    let (seen, failed) = look_at(&world, &wanted, |snapshot| snapshot.listing.error.as_ref()).await;
    if let Some(error) = failed.into_error() {
        return Err(error);
    }
    let mut worst = None;
    for (site, Once { snapshot, ages_unknown, .. }) in seen {
        let mut queues: Vec<&Seen> = snapshot.queues.iter().map(Arc::as_ref).collect();
        queues.sort_by(|left, right| worst_first(left, right));
        show(site, &queues, ages_unknown.as_ref(), out)?;
        let full = queues.iter().find(|queue| queue.dead_letters.as_ref().is_some_and(|dead| !dead.sources.is_empty()));
        if worst.is_none() && site.environment.name.0 == "dev" {
            worst = full
                .filter(|queue| queue.messages() > Some(0))
                .map(|queue| (site.environment.name.clone(), queue.name.clone()));
        }
    }
    let (environment, queue) =
        worst.map_or(("dev".to_owned(), "orders-dlq".to_owned()), |(name, queue)| (name.0, queue.0));
    out.heading("Try")?;
    let name = EnvironmentName(environment);
    let line = |words: String| global.invocation().command_in(&name, &words);
    let queue = option("queue", &queue);
    for (line, what) in [
        ("opsctl sandbox serve &".to_owned(), "keep this world: the commands below then act on one and the same"),
        (line("queues --dlq".to_owned()), "every dead-letter queue"),
        (line(format!("groups {queue}")), "why its messages failed"),
        (line(format!("peek {queue} -n 3")), "some of its messages"),
        (line(format!("redrive {queue} --dry-run")), "what a redrive would do"),
        (line(format!("redrive {queue}")), "do it"),
        (global.invocation().command("runs"), "what was done"),
    ] {
        out.whole(&format!("  {line}"))?;
        out.line(&format!("      {what}"))?;
    }
    Ok(Exit::Done)
}

fn show(site: &Site, queues: &[&Seen], age_unknown: Option<&Text>, out: &mut Output) -> Result<(), CliError> {
    let full = queues.iter().filter(|queue| queue.dead_letters.is_some()).filter_map(|queue| queue.messages());
    let full = full.filter(|messages| *messages > 0);
    let (count, messages) = full.fold((0, 0), |(count, messages), own| (count + 1, messages + own));
    let environment = &site.environment;
    let account = environment.account.as_ref().map(|account| account.0.as_str()).unwrap_or("any account");
    out.heading(&format!(
        "{} ({account}, {}, {}): {}, {} ~{}",
        environment.name,
        environment.region,
        environment.protection,
        counted(queues.len() as u64, "queue"),
        counted_is(count, "dead-letter queue", "holds", "hold"),
        counted(messages, "message"),
    ))?;
    let rows: Vec<Line> =
        queues.iter().take(SHOWN).map(|queue| Line { environment: &environment.name, queue, age_unknown }).collect();
    out.table(&table(&rows))?;
    if queues.len() > SHOWN {
        out.line(&format!("… and {} more", queues.len() - SHOWN))?;
    }
    out.line("")?;
    Ok(())
}
