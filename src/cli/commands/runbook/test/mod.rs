//! `opsctl runbook test`: carries runbooks out on a sandbox of their own, as the files beside them say.

mod actor;
mod file;
mod play;

use std::{sync::Arc, thread::available_parallelism};

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use super::{find, not_found, refused, shelf};
use crate::{
    cli::{
        args::{Format, Global, TestRunbook},
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::{Text, Try, words::duration},
    runbook::{
        Origin, Runbook,
        shelf::{BUILT_IN_TESTS, Shelved},
    },
};

/// One test of a runbook, ready to be played.
struct Ready {
    runbook: Arc<Runbook>,
    test: file::Test,
}

pub(super) async fn run(args: &TestRunbook, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let all = match args.runbook.as_slice() {
        [] => shelf(global).all().map_err(|error| not_found(&error, global))?,
        names => names.iter().map(|name| find(name, global)).collect::<Result<_, _>>()?,
    };
    let mut ready = Vec::new();
    for shelved in all {
        let tests = tests_of(&shelved)?;
        if tests.is_empty() && !args.runbook.is_empty() {
            let hint = format!("write them to {}.test.toml beside it", shelved.name);
            return Err(CliError::usage(&format!("{} has no tests", shelved.name), Try::MendFile.says(&hint)));
        }
        if tests.is_empty() {
            continue;
        }
        let Some(runbook) = shelved.checked.runbook else { return Err(refused(&shelved.checked.problems)) };
        let runbook = Arc::new(runbook);
        ready.extend(tests.into_iter().map(|test| Ready { runbook: Arc::clone(&runbook), test }));
    }
    let at_once = available_parallelism().map_or(1, usize::from);
    let mut playing =
        stream::iter(ready).map(|ready| tokio::task::spawn_blocking(move || played(ready))).buffered(at_once);
    let (mut all, mut failed) = (Vec::new(), 0);
    while let Some(came) = playing.next().await {
        let (runbook, test, result) = came.map_err(|error| CliError::failed(&error.to_string(), None))?;
        failed += usize::from(result.as_ref().map_or(true, |played| !played.wrong.is_empty()));
        all.push(tell(&runbook, &test, &result, out)?);
        // A test takes seconds: who waits sees each as it ends.
        out.flush()?;
    }
    if out.format != Format::Human {
        out.document("opsctl/runbook-tests/1", &json!({ "tests": all }))?;
    } else {
        out.line(&format!("{} tests, {failed} failed", all.len()))?;
    }
    Ok(if failed > 0 { Exit::Failed } else { Exit::Done })
}

fn played(ready: Ready) -> (String, String, Result<play::Played, String>) {
    let Ready { runbook, test } = ready;
    (runbook.name.clone(), test.name.clone(), play::play(&runbook, &test))
}

fn tell(runbook: &str, test: &str, result: &Result<play::Played, String>, out: &mut Output) -> Result<Value, CliError> {
    let (seconds, wrong) = match result {
        Ok(played) => (Some(played.seconds), played.wrong.clone()),
        Err(because) => (None, vec![because.clone()]),
    };
    if out.format == Format::Human {
        let word = if wrong.is_empty() { "ok    " } else { "FAILED" };
        let took = seconds.map(|seconds| format!(" ({})", duration(seconds))).unwrap_or_default();
        out.line(&format!("{word}  {runbook}: {}{took}", Text::line(test)))?;
        for line in wrong.iter().flat_map(|wrong| wrong.lines()) {
            out.line(&format!("        {}", Text::line(line)))?;
        }
    }
    Ok(json!({ "runbook": runbook, "test": test, "passed": wrong.is_empty(), "seconds": seconds, "wrong": wrong }))
}

/// The tests that stand beside a runbook; none: there is no such file.
fn tests_of(shelved: &Shelved) -> Result<Vec<file::Test>, CliError> {
    let (name, text) = match &shelved.origin {
        Origin::BuiltIn => {
            let found = BUILT_IN_TESTS.iter().find(|(name, _)| *name == shelved.name);
            (format!("{}.test.toml", shelved.name), found.map(|(_, text)| (*text).to_owned()))
        }
        Origin::File(path) => {
            let path = path.with_extension("test.toml");
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => {
                    let what = format!("cannot read {}: {error}", path.display());
                    return Err(CliError::usage(&what, Try::MendFile.says("make it readable")));
                }
            };
            (path.display().to_string(), text)
        }
    };
    let Some(text) = text else { return Ok(Vec::new()) };
    file::read(&text).map_err(|error| CliError::usage(&format!("{name}: {error}"), Try::MendFile.says("fix the file")))
}
