//! One run: its progress, then its report; its journal.

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::{Frame, layout::Rect, text::Span};

use super::{
    able::Able,
    activity,
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    fit::spread,
    flow, letters,
    model::{Model, Overlay, View},
    page::Page,
    run_page, run_steps,
    theme::Role,
    ticket::{Load, Ticket},
    verbs::{self, Known, Past},
};
use crate::{
    domain::{EnvironmentName, RunId, Text, log::LogLine},
    journal::{Entry, RunSummary},
    keymap::{Command, Scope},
    plan::Plan,
    run::{End, Failure, Progress, Report},
};

/// Ended runs of this console that are kept in mind; journals tell of the others.
const ENDED_MAX: usize = 200;
/// News of a run that are kept, the newest.
const NEWS_MAX: usize = 200;
/// Lines of a log that are kept, the newest.
const LOG_MAX: usize = 2_000;
/// Samples of the speed that are kept, a second apart at least.
const SAMPLES_MAX: usize = 60;

/// A run of this console.
#[derive(Debug, Clone)]
pub struct RunState {
    /// The ticket that its events carry.
    pub ticket: Ticket,
    /// The plan that was approved.
    pub plan: Box<Plan>,
    /// The earlier run that it goes on with.
    pub resumed: Option<RunId>,
    /// When it was started.
    pub started_at: Timestamp,
    /// How far it is.
    pub progress: Option<Progress>,
    /// How many were dealt with when, oldest first.
    pub samples: Vec<(Timestamp, u64)>,
    /// What happened in it, the newest last.
    pub news: Vec<Text>,
    /// Lines of the log that it follows, the newest last.
    pub log: Vec<LogLine>,
    /// How it ended.
    pub end: Option<Result<Box<Report>, Failure>>,
    /// Whether it was asked to stop.
    pub cancelled: bool,
}

impl RunState {
    /// Begun just now.
    pub(super) fn begun(ticket: Ticket, plan: Box<Plan>, resumed: Option<RunId>, started_at: Timestamp) -> Self {
        let (progress, end) = (None, None);
        let (samples, news, log) = (Vec::new(), Vec::new(), Vec::new());
        Self { ticket, plan, resumed, started_at, progress, samples, news, log, end, cancelled: false }
    }

    /// Whether it is still going on.
    pub fn is_active(&self) -> bool {
        self.end.is_none()
    }

    /// Its name, once it is known.
    pub fn run(&self) -> Option<&RunId> {
        let reported = match &self.end {
            Some(Ok(report)) => Some(&report.run),
            Some(Err(_)) | None => None,
        };
        reported.or(self.progress.as_ref().map(|progress| &progress.run)).or(self.resumed.as_ref())
    }

    /// About how many messages there are to move.
    pub fn estimate(&self) -> u64 {
        let all = self.progress.as_ref().map_or(self.plan.messages_estimate, |progress| progress.estimate);
        self.plan.operation.verb().limit().map_or(all, |limit| all.min(limit))
    }

    /// How many of them are dealt with.
    pub fn done(&self) -> u64 {
        self.progress.as_ref().map_or(0, Progress::done)
    }

    /// The same as a share from 0 to 1.
    pub fn share(&self) -> f64 {
        let (done, estimate) = (self.done() as f64, self.estimate() as f64);
        if estimate > 0.0 { (done / estimate).min(1.0) } else { 0.0 }
    }

    /// Keeps what a progress tells once.
    fn hear(&mut self, progress: &mut Progress) {
        self.news.append(&mut progress.news);
        self.log.append(&mut progress.log);
        let extra = self.news.len().saturating_sub(NEWS_MAX);
        self.news.drain(..extra);
        let extra = self.log.len().saturating_sub(LOG_MAX);
        self.log.drain(..extra);
    }

    fn sample(&mut self, progress: &Progress) {
        let due = self.samples.last().is_none_or(|(at, _)| progress.at.duration_since(*at).as_secs() >= 1);
        if due {
            self.samples.push((progress.at, progress.done()));
            let extra = self.samples.len().saturating_sub(SAMPLES_MAX);
            self.samples.drain(..extra);
        }
    }
}

/// Which run is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One of this console.
    Here(Ticket),
    /// One that only its journal tells of.
    Past(RunId),
}

/// A journal in words.
#[derive(Debug, Clone)]
pub struct Worded {
    columns: usize,
    wraps: bool,
    /// The words.
    pub page: Arc<Page>,
}

/// The view of one run.
#[derive(Debug, Clone)]
pub struct RunView {
    /// Which.
    pub subject: Subject,
    /// Its journal, where it is shown.
    pub journal: Load<Vec<Entry>>,
    /// Whether the journal is shown below.
    pub shows_journal: bool,
    /// Whether long records are broken into lines rather than cut.
    pub wraps: bool,
    /// What is shown.
    pub page: Page,
    /// First line of it that is seen.
    pub top: usize,
    /// The journal in words, as long as it and the width stay the same.
    pub worded: Option<Worded>,
    /// Whether somebody has moved in it: until then a log's end is shown.
    pub(super) is_moved: bool,
    /// Line on which the journal begins.
    pub(super) journal_at: Option<usize>,
    /// Whether the journal is shown first once it is there.
    pub(super) goes_to_journal: bool,
}

impl RunView {
    pub(super) fn new(subject: Subject, shows_journal: bool) -> Self {
        let (journal, page) = (Load::Idle, Page::default());
        let (wraps, goes_to_journal) = (false, false);
        let (worded, journal_at, is_moved) = (None, None, false);
        Self { subject, journal, shows_journal, wraps, page, top: 0, worded, is_moved, journal_at, goes_to_journal }
    }
}

/// The view of a run of this console.
pub(super) fn of_ticket(ticket: Ticket) -> View {
    View::Run(RunView::new(Subject::Here(ticket), false))
}

/// Keeps what is remembered of ended runs bounded.
pub(super) fn forget_old(model: &mut Model) {
    let ended = model.runs.iter().filter(|run| !run.is_active()).count();
    if ended > ENDED_MAX
        && let Some(at) = model.runs.iter().position(|run| !run.is_active())
    {
        model.runs.remove(at);
    }
}

pub(super) fn state<'a>(model: &'a Model, view: &RunView) -> Option<&'a RunState> {
    match &view.subject {
        Subject::Here(ticket) => model.runs.iter().find(|run| run.ticket == *ticket),
        Subject::Past(_) => None,
    }
}

/// What journals tell of the run.
pub(super) fn summary<'a>(model: &'a Model, view: &RunView) -> Option<&'a RunSummary> {
    past(model, view).map(|past| &past.summary)
}

fn past<'a>(model: &'a Model, view: &RunView) -> Option<&'a Past> {
    match &view.subject {
        Subject::Here(_) => None,
        Subject::Past(id) => model.history.shown()?.iter().find(|past| past.summary.run == *id),
    }
}

pub(super) fn known(model: &Model, view: &RunView) -> Option<Known> {
    state(model, view).map(Known::here).or_else(|| past(model, view).map(|past| past.known.clone()))
}

/// Where the run acts, as far as it is known here.
pub(super) fn environment(model: &Model, view: &RunView) -> Option<EnvironmentName> {
    match &view.subject {
        Subject::Here(_) => state(model, view).map(|run| run.plan.environment.clone()),
        Subject::Past(_) => {
            let name = summary(model, view)?.plan_text("/environment")?;
            Some(EnvironmentName(name.to_owned()))
        }
    }
}

pub(super) fn progress(model: &mut Model, ticket: Ticket, mut progress: Progress) -> Vec<Effect> {
    let Some(run) = model.runs.iter_mut().find(|run| run.ticket == ticket && run.is_active()) else {
        return Vec::new();
    };
    let had_name = run.run().is_some();
    run.sample(&progress);
    run.hear(&mut progress);
    run.progress = Some(progress);
    match model.view() {
        View::Run(view) if view.subject == Subject::Here(ticket) => settle_open(model),
        View::Activity(_) if had_name => activity::progressed(model, ticket),
        // By its name it takes the place of what its journal tells.
        View::Activity(_) => settle_open(model),
        View::Run(_) | View::Home(_) | View::Queues(_) | View::Estate(_) | View::Letters(_) | View::Message(_) => {}
    }
    Vec::new()
}

pub(super) fn finished(model: &mut Model, ticket: Ticket, end: Result<Box<Report>, Failure>) -> Vec<Effect> {
    let seen =
        matches!(model.view(), View::Run(view) if view.subject == Subject::Here(ticket)) && model.overlay.is_none();
    let Some(run) = model.runs.iter_mut().find(|run| run.ticket == ticket && run.is_active()) else {
        return Vec::new();
    };
    run.end = Some(end);
    let environment = run.plan.environment.clone();
    let notice = notice(run);
    if !seen {
        let key = model.keymap.key_for(Scope::Everywhere, Command::Activity);
        let where_to = key.map(|key| format!("; {key} shows it")).unwrap_or_default();
        model.say(Notice { text: Text::line(&format!("{}{where_to}", notice.text)), ..notice });
    }
    if model.leaving && !model.runs.iter().any(RunState::is_active) {
        return vec![Effect::Quit];
    }
    if matches!(model.overlay, Some(Overlay::Quitting(_))) && !model.runs.iter().any(RunState::is_active) {
        // Nothing is left to ask about.
        model.overlay = None;
    }
    settle_open(model);
    // What it changed is worth a fresh look.
    let mut effects = vec![Effect::Refresh(Some(environment))];
    if model.views.iter().any(|view| matches!(view, View::Activity(_))) {
        effects.extend(activity::ask(model));
    }
    effects.extend(letters::ask_sent(model, ticket));
    effects.extend(read_journal(model));
    effects
}

/// How a run ended, in a line.
fn notice(run: &RunState) -> Notice {
    let what = format!("{} in {}", flow::subject(&run.plan.operation), run.plan.environment);
    match &run.end {
        Some(Ok(report)) => {
            let how = run_steps::in_short(report);
            let text = format!("{what}: {}, {how}", report.end.words());
            match report.end {
                End::Done | End::Nothing => Notice::good(&text),
                End::Failed | End::Refused | End::Partly | End::Stale | End::Interrupted => Notice::bad(&text),
            }
        }
        Some(Err(failure)) => Notice::bad(&format!("{what}: {}", failure.what)),
        None => Notice::note(&what),
    }
}

/// Asks for the journal of the run that is shown, where its journal is shown.
pub(super) fn read_journal(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let View::Run(view) = model.view() else { return Vec::new() };
    if !view.shows_journal {
        return Vec::new();
    }
    let run = match &view.subject {
        Subject::Past(run) => Some(run.clone()),
        Subject::Here(_) => state(model, view).and_then(|run| run.run().cloned()),
    };
    let (Some(run), View::Run(view)) = (run, model.view_mut()) else { return Vec::new() };
    view.journal.ask(ticket);
    view.worded = None;
    settle_open(model);
    vec![Effect::ReadJournal(ticket, run)]
}

pub(super) fn journal_read(model: &mut Model, ticket: Ticket, answer: Result<Vec<Entry>, Failure>) -> Vec<Effect> {
    let asked = model.views.iter_mut().find_map(|view| match view {
        View::Run(view) if matches!(view.journal, Load::Waiting(waited, _) if waited == ticket) => Some(view),
        _ => None,
    });
    if let Some(view) = asked {
        view.journal.answer(ticket, answer);
        view.worded = None;
    }
    settle_open(model);
    Vec::new()
}

/// Brings the view that is shown up to date, if it is one of runs; those below are when they are shown again.
pub(super) fn settle_open(model: &mut Model) {
    let mut views = std::mem::take(&mut model.views);
    match views.last_mut() {
        Some(View::Run(view)) => settle(model, view),
        Some(View::Activity(view)) => activity::settle(model, view),
        Some(View::Home(_) | View::Queues(_) | View::Estate(_) | View::Letters(_) | View::Message(_)) | None => {}
    }
    model.views = views;
}

/// Brings what is shown up to date.
pub(super) fn settle(model: &Model, view: &mut RunView) {
    let columns = usize::from(super::view::areas(model.size).content.width).saturating_sub(4);
    let stays = |worded: &Worded| worded.columns == columns && worded.wraps == view.wraps;
    if view.shows_journal && !view.worded.as_ref().is_some_and(stays) {
        let mut page = Page::new(columns);
        run_page::journal(&mut page, view);
        view.worded = Some(Worded { columns, wraps: view.wraps, page: Arc::new(page) });
    }
    let rows = rows(model);
    // Who reads the end of a log goes on reading its end.
    let was_at_end = view.top > 0 && view.top + view.page.seen(rows) >= view.page.len();
    (view.page, view.journal_at) = run_page::page(model, view, columns);
    if state(model, view).is_some_and(|run| !run.log.is_empty() && run.is_active()) && (was_at_end || !view.is_moved) {
        view.top = view.page.len();
    }
    if let Some(at) = view.journal_at.filter(|_| view.goes_to_journal) {
        view.top = at;
        // It moves the person once: from then on the place is theirs.
        view.goes_to_journal = view.journal.is_waiting();
    }
    view.page.settle(&mut view.top, rows);
}

/// Rows in which the page is seen: below the run's name and an empty row.
fn rows(model: &Model) -> usize {
    usize::from(super::view::areas(model.size).content.height).saturating_sub(2)
}

pub(super) fn able(model: &Model, view: &RunView, command: Command) -> Able {
    match command {
        Command::Down | Command::Up | Command::First | Command::Last | Command::PageDown | Command::PageUp => Able::Yes,
        Command::HalfPageDown | Command::HalfPageUp => Able::Yes,
        Command::Wrap => Able::when(view.shows_journal, "the journal is not shown"),
        _ => match known(model, view) {
            Some(known) => verbs::able(model, &known, command),
            None => Able::NotHere,
        },
    }
}

pub(super) fn command(model: &mut Model, command: Command) -> Vec<Effect> {
    let rows = rows(model);
    let View::Run(view) = model.view_mut() else { return Vec::new() };
    if view.page.step(&mut view.top, command, rows) {
        view.is_moved = true;
        return Vec::new();
    }
    match command {
        Command::Journal => {
            view.shows_journal = !view.shows_journal;
            view.goes_to_journal = view.shows_journal;
            // Asked for first: it goes to the journal once that is awaited no more.
            let effects = read_journal(model);
            settle_open(model);
            effects
        }
        Command::Wrap => {
            view.wraps = !view.wraps;
            settle_open(model);
            Vec::new()
        }
        _ => {
            let View::Run(view) = model.view() else { return Vec::new() };
            known(model, view).map(|known| verbs::give(model, &known, command)).unwrap_or_default()
        }
    }
}

pub(super) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let rows = rows(model);
    if let (MouseWhat::Scroll(lines), View::Run(view)) = (mouse.what, model.view_mut()) {
        view.page.scroll(&mut view.top, lines, rows);
        view.is_moved = true;
    }
    Vec::new()
}

/// Draws it.
pub(super) fn draw(model: &Model, view: &RunView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    if area.height < 3 {
        return;
    }
    let (left, right) = run_page::head(model, view);
    let mut spans = vec![Span::raw("  ")];
    spans.extend(left.into_iter().map(|part| Span::styled(part.text, look.style(part.role))));
    if let Some(site) = environment(model, view).and_then(|name| model.site(&name)) {
        let name = format!(" {} ", look.environment_name(&site.environment));
        spans.push(Span::styled(name, look.environment(&site.environment)));
        if let Some(account) = &site.environment.account {
            spans.push(Span::styled(format!(" {account}"), look.style(Role::Dim)));
        }
    }
    let right = right.into_iter().map(|part| Span::styled(part.text, look.style(part.role))).collect();
    let line = spread(spans, right, usize::from(area.width.saturating_sub(2)), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
    let below = Rect { x: area.x + 2, y: area.y + 2, width: area.width.saturating_sub(4), height: area.height - 2 };
    view.page.draw(frame, below, view.top, look);
}
