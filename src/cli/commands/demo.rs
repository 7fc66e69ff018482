//! `opsctl demo`: the sandbox's fleet, and what to try on it.

use futures_util::future::join_all;

use super::queues::{Line, table};
use crate::{
    cli::{
        args::{Console, Format, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        world::{Site, World},
    },
    domain::{
        EnvironmentName,
        invocation::option,
        words::{counted, counted_is},
    },
    observe::{
        ages::{Ages, list_with_ages},
        queues::{Listed, Scope, worst_first},
    },
};

/// Queues shown of each environment.
const SHOWN: usize = 6;

pub(super) async fn run(global: &Global, console: &Console, out: &mut Output) -> Result<Exit, CliError> {
    let global = Global { sandbox: true, ..global.clone() };
    if super::console::is_possible() {
        return super::console::run(&global, console, out).await;
    }
    let world = World::open(&global, out).await?;
    if out.format != Format::Human {
        let hint = format!("use `{}`", global.invocation().command("queues --output json"));
        return Err(CliError::usage("the demo is for people", &hint));
    }
    let listed = join_all(world.sites.iter().map(look)).await;
    let mut worst = None;
    for (site, queues) in world.sites.iter().zip(listed) {
        let (mut queues, ages) = queues?;
        queues.sort_by(worst_first);
        show(site, &queues, &ages, out)?;
        let full = queues.iter().find(|queue| queue.dead_letters.as_ref().is_some_and(|dead| !dead.sources.is_empty()));
        if worst.is_none() && site.environment.name.0 == "dev" {
            worst = full
                .filter(|queue| queue.messages() > 0)
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

async fn look(site: &Site) -> Result<(Vec<Listed>, Ages), CliError> {
    let failed = |error| CliError::cloud(&error, &site.environment);
    site.read(|cloud| async move { list_with_ages(cloud, Scope::All).await.map_err(failed) }).await
}

fn show(site: &Site, queues: &[Listed], ages: &Ages, out: &mut Output) -> Result<(), CliError> {
    let full = queues.iter().filter(|queue| queue.dead_letters.is_some() && queue.messages() > 0);
    let (count, messages) = full.fold((0, 0), |(count, messages), queue| (count + 1, messages + queue.messages()));
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
    let line = |queue| Line { environment: &environment.name, queue, ages };
    let rows: Vec<Line> = queues.iter().take(SHOWN).map(line).collect();
    out.table(&table(&rows))?;
    if queues.len() > SHOWN {
        out.line(&format!("… and {} more", queues.len() - SHOWN))?;
    }
    out.line("")?;
    Ok(())
}
