//! `opsctl status`: the console's Home on the command line.

mod look;
mod show;
mod watch;

use std::{path::PathBuf, time::Duration};

use futures_util::stream::{FuturesUnordered, StreamExt};

use self::{look::Looked, show::Shown};
use super::{
    change,
    runbook::{self, open::Open},
};
use crate::{
    cli::{
        args::{Format, Global, Status},
        error::CliError,
        exit::Exit,
        failed::Failed,
        output::Output,
        paths::{self, Realm},
        world::Chosen,
    },
    domain::{EnvironmentName, Try},
    journal::StateFolder,
    observe::{Severity, Verdict, acknowledged::Book},
};

pub(super) async fn run(args: &Status, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    if args.watch && out.format == Format::Json {
        return Err(CliError::usage(
            "--watch has no end, and a JSON document has",
            Try::UseTerminal.says("use --output jsonl"),
        ));
    }
    let chosen = Chosen::of(global, out).await?;
    // Who has no folder has acknowledged nothing.
    let state = change::state(global).await.ok();
    let (book, folder) = (book(state.as_ref(), out), folder(&chosen));
    let timeout = Duration::from_secs(args.timeout.0.into());
    // A folder that can't be read offers nothing; `runbook list` says why.
    let runbooks = runbook::shelf(global).all().unwrap_or_default();
    let open = open(state.as_ref(), out);
    let shown = Shown { args, global, book: &book, runbooks: &runbooks, open: &open };
    let mut answers: Vec<Option<Result<Looked, CliError>>> = chosen.places.iter().map(|_| None).collect();
    let look = |(at, place)| {
        let (chosen, kept) = (&chosen, (folder.as_deref(), state.as_ref()));
        async move { (at, look::look(place, chosen, timeout, kept).await) }
    };
    let mut looks: FuturesUnordered<_> = chosen.places.iter().enumerate().map(look).collect();
    while let Some((at, answer)) = looks.next().await {
        if let (Format::Jsonl, Ok(looked)) = (out.format, &answer) {
            shown.line(looked, out)?;
        }
        answers[at] = Some(answer);
    }
    drop(looks);
    let answers: Vec<Result<Looked, CliError>> = answers.into_iter().flatten().collect();
    if args.watch {
        return watch::run(&shown, &chosen, (answers, state, folder), out).await;
    }
    let names: Vec<EnvironmentName> = chosen.places.iter().map(|place| place.environment().name.clone()).collect();
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            Ok(looked) => found.push(looked),
            Err(error) => failed.push((name, error)),
        }
    }
    let failed = Failed::of(failed);
    shown.all(&found, &failed, out)?;
    shown.say(&found, out);
    let ended = failed.end(out)?;
    let is_whole = ended == Exit::Done && found.iter().all(|looked| looked.missing.is_empty());
    Ok(match (is_whole, found.iter().any(|looked| shown.needs_attention(looked))) {
        (false, _) => Exit::Failed,
        (true, true) => Exit::Attention,
        (true, false) => Exit::Done,
    })
}

impl Shown<'_> {
    fn needs_attention(&self, looked: &Looked) -> bool {
        let counts = |verdict: &Verdict| match verdict.severity {
            Severity::Critical | Severity::Warning => true,
            Severity::Notice => self.args.strict,
        };
        looked.verdicts.iter().any(|verdict| counts(verdict) && !self.book.hides(verdict, looked.at))
            || self.open_in(looked).any(|open| !open.busy)
    }
}

/// Runs of runbooks that are open.
fn open(state: Option<&StateFolder>, out: &mut Output) -> Vec<Open> {
    match state.map(runbook::open::all) {
        Some(Ok(open)) => open,
        Some(Err(error)) => {
            out.warning(&format!("whether runbooks are open is not known: {error}"));
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// What somebody has acknowledged.
fn book(state: Option<&StateFolder>, out: &mut Output) -> Book {
    match state.map(Book::read) {
        Some(Ok(book)) => book,
        Some(Err(error)) => {
            out.warning(&format!("what is acknowledged can't be read, and is shown: {error}"));
            Book::default()
        }
        None => Book::default(),
    }
}

/// Where the console keeps what it saw last; of a sandbox nothing is kept.
fn folder(chosen: &Chosen) -> Option<PathBuf> {
    match chosen.realm {
        Realm::Aws => paths::cache(Realm::Aws),
        Realm::Sandbox => None,
    }
}
