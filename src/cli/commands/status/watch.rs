//! `opsctl status --watch`: what changed, as the console's watch sees it.

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

use super::{
    look::{Looked, nothing_seen, worst_first},
    show::Shown,
};
use crate::{
    cli::{
        args::Format,
        commands::runbook,
        error::CliError,
        exit::Exit,
        failed::Failed,
        output::{Erase, Output},
        world::Chosen,
    },
    domain::{EnvironmentName, Text},
    journal::StateFolder,
    observe::{self, Kind, Policy, Severity, Snapshot, Source, Subject, Watch, acknowledged::Book},
};

/// Changes are shown this often at most.
const EVERY: Duration = Duration::from_secs(1);
/// What was seen last is kept in less, or not.
const END_SECONDS_MAX: Duration = Duration::from_secs(1);

type Answer = Result<Looked, CliError>;

/// The newest snapshot of each environment.
#[derive(Default)]
struct Latest {
    snapshots: Mutex<HashMap<EnvironmentName, Arc<Snapshot>>>,
    news: Notify,
}

/// What of an answer is a change when it differs.
#[derive(PartialEq)]
struct Face {
    verdicts: Vec<(Severity, Subject, Kind, Text, u64)>,
    missing: Vec<Text>,
    failure: Option<Text>,
}

/// Shows what the first look found, then each change. Ends by a signal only.
pub(super) async fn run(
    shown: &Shown<'_>,
    chosen: &Chosen,
    (mut answers, state, folder): (Vec<Answer>, Option<StateFolder>, Option<PathBuf>),
    out: &mut Output,
) -> Result<Exit, CliError> {
    let names: Vec<EnvironmentName> = chosen.places.iter().map(|place| place.environment().name.clone()).collect();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (clock, latest) = (chosen.connect.clock, Arc::new(Latest::default()));
    let begun = clock.now();
    let mut screen = Screen::default();
    let mut told = shown.open.to_vec();
    let unreachable = names.iter().zip(&answers).filter(|(_, answer)| answer.is_err());
    unreachable.into_iter().try_for_each(|(name, answer)| line(shown, name, answer, out))?;
    screen.show(shown, (&names, &answers), begun, out)?;
    let teller = Arc::clone(&latest);
    let watch = Watch::start(sites(chosen, folder, state.as_ref()), clock, &Policy::default(), move |snapshot| {
        teller.take(snapshot)
    });
    loop {
        tokio::select! {
            biased;
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            () = latest.news.notified() => {}
        }
        // Somebody may have acknowledged something; what can't be read now was told before.
        let book = state.as_ref().and_then(|state| Book::read(state).ok()).unwrap_or_else(|| shown.book.clone());
        let now = clock.now();
        let open = state.as_ref().and_then(|state| runbook::open::all(state).ok()).unwrap_or_default();
        let shown = Shown { book: &book, open: &open, ..*shown };
        let has_opened = open != told;
        let mut has_changed = has_opened;
        for ((name, place), answer) in names.iter().zip(&chosen.places).zip(&mut answers) {
            let Some(snapshot) = latest.of(name).filter(|snapshot| is_settled(snapshot, answer, begun)) else {
                continue;
            };
            let environment =
                answer.as_ref().map_or_else(|_| place.environment(), |looked| Arc::clone(&looked.environment));
            let newer = match nothing_seen(&snapshot, begun) {
                Some(error) => Err(CliError::cloud(error, &environment)),
                None => Ok(Looked::of(environment, snapshot, now)),
            };
            if has_opened || face(&shown, &newer) != face(&shown, answer) {
                line(&shown, name, &newer, out)?;
                has_changed = true;
            }
            *answer = newer;
        }
        if has_changed {
            screen.show(&shown, (&names, &answers), now, out)?;
        }
        told = open;
        tokio::select! {
            biased;
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    // A disk that hangs must not keep anybody here.
    let _ = tokio::time::timeout(END_SECONDS_MAX, watch.stop()).await;
    Ok(Exit::Interrupted)
}

fn sites(chosen: &Chosen, folder: Option<PathBuf>, runs: Option<&StateFolder>) -> Vec<observe::Site> {
    let site = |place: &crate::cli::world::Place| {
        let (environment, connect, place) = (place.environment(), chosen.connect.clone(), place.clone());
        let open = move || {
            let (connect, place) = (connect.clone(), place.clone());
            async move { place.verified(&connect).await }
        };
        let site = observe::Site::new(environment, open);
        let site = match &folder {
            Some(folder) => site.cached_in(folder),
            None => site,
        };
        match runs {
            Some(runs) => site.recorded_in(runs.clone()),
            None => site,
        }
    };
    chosen.places.iter().map(site).collect()
}

impl Latest {
    fn take(&self, snapshot: Arc<Snapshot>) {
        let mut snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        snapshots.insert(snapshot.environment.clone(), snapshot);
        self.news.notify_one();
    }

    fn of(&self, name: &EnvironmentName) -> Option<Arc<Snapshot>> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// Whether a watch that began at `begun` has seen all that was seen before it: until then, what is missing is no change.
fn is_settled(snapshot: &Snapshot, before: &Answer, begun: Timestamp) -> bool {
    let listing = &snapshot.listing;
    let is_since = |at: Option<Timestamp>| at.is_some_and(|at| at >= begun);
    let is_listed = snapshot.source == Source::Live && is_since(listing.at) && listing.unseen == 0;
    if !is_listed && listing.error.is_none() {
        return false;
    }
    let Ok(before) = before else { return true };
    let mut parts = before.snapshot.estate.known().zip(snapshot.estate.known());
    listing.error.is_some()
        || parts.all(|((_, before), (_, now))| before.at.is_none() || is_since(now.at) || now.error.is_some())
}

fn face(shown: &Shown<'_>, answer: &Answer) -> Face {
    match answer {
        Ok(looked) => {
            let verdicts = shown.verdicts(looked).map(|(_, verdict)| {
                (verdict.severity, verdict.subject.clone(), verdict.kind, verdict.reason.clone(), verdict.messages)
            });
            Face { verdicts: verdicts.collect(), missing: looked.missing.clone(), failure: None }
        }
        Err(error) => Face { verdicts: Vec::new(), missing: Vec::new(), failure: Some(error.what.clone()) },
    }
}

/// A change of an environment as a line of JSON.
fn line(shown: &Shown<'_>, name: &EnvironmentName, answer: &Answer, out: &mut Output) -> io::Result<()> {
    match (out.format, answer) {
        (Format::Human | Format::Json, _) => return Ok(()),
        (Format::Jsonl, Ok(looked)) => shown.line(looked, out)?,
        (Format::Jsonl, Err(error)) => {
            let failed = Failed::of(vec![(name, error.clone())]);
            failed.unreachable().iter().try_for_each(|one| out.json_line("opsctl/unreachable/1", one))?;
        }
    }
    out.flush()
}

/// What people see: on a terminal in place of what was there before, elsewhere below it.
#[derive(Default)]
struct Screen {
    drawn: usize,
    size: Option<(usize, usize)>,
}

impl Screen {
    fn show(
        &mut self,
        shown: &Shown<'_>,
        (names, answers): (&[EnvironmentName], &[Answer]),
        now: Timestamp,
        out: &mut Output,
    ) -> io::Result<()> {
        if out.format != Format::Human {
            return Ok(());
        }
        let size = out.screen();
        let mut lines = lines(shown, (names, answers), now, out);
        let Some((_, height)) = size else {
            lines.iter().try_for_each(|line| out.whole(line))?;
            return out.flush();
        };
        // The last line is the cursor's. What is worst stands first.
        let room = height.saturating_sub(1).max(2);
        if lines.len() > room {
            let hidden = lines.len() - (room - 1);
            lines.truncate(room - 1);
            lines.push(format!("… {hidden} more lines"));
        }
        let erase = match self.size {
            None => Erase::Nothing,
            Some(_) if self.size == size => Erase::Lines(self.drawn),
            Some(_) => Erase::Screen,
        };
        out.redraw(erase, &lines)?;
        (self.drawn, self.size) = (lines.len(), size);
        Ok(())
    }
}

fn lines(
    shown: &Shown<'_>,
    (names, answers): (&[EnvironmentName], &[Answer]),
    now: Timestamp,
    out: &Output,
) -> Vec<String> {
    let found = || answers.iter().filter_map(|answer| answer.as_ref().ok());
    let verdicts = worst_first(found().flat_map(|looked| shown.verdicts(looked)));
    let mut lines = vec![format!("status at {}", now.strftime("%F %TZ"))];
    if verdicts.is_empty() {
        lines.extend(shown.nothing(found(), answers.iter().all(Result::is_ok)));
    } else {
        lines.extend(out.table_lines(&shown.table(&verdicts)));
    }
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            Ok(looked) => {
                let missing = looked.missing.iter();
                lines.extend(missing.flat_map(|missing| out.wrapped(&format!("{name}: not looked at: {missing}"))));
            }
            Err(error) => lines.extend(error.to_string().lines().flat_map(|line| out.wrapped(line))),
        }
    }
    let invocation = shown.global.invocation();
    for open in found().flat_map(|looked| shown.open_in(looked)) {
        lines.extend(out.wrapped(&open.words(&invocation)));
    }
    let acknowledged: usize = found().map(|looked| shown.acknowledged(looked)).sum();
    if acknowledged > 0 && !shown.args.acknowledged {
        lines.push(format!("{acknowledged} acknowledged and left out"));
    }
    lines
}
