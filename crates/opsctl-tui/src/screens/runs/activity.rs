//! Activity: what is being done, and what journals tell of.

use std::collections::HashSet;

use jiff::Timestamp;
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    domain::{RunId, Text},
    journal::Did,
    keymap::{Command, Scope},
    operations::{OperationKind, transfer::Tally},
    screens::{
        runbooks::{
            latest_driven,
            words::{open_words, waits_for},
        },
        runs::{
            run_page,
            verbs::{self, GoOn},
        },
        screen::{Able, Change, Screen, Tab, moves},
    },
    state::{
        ActivityView, Driven, Effect, Load, Model, Mouse, Past, Role, RunState, Ticket,
        run::{Known, Row, Standing, Subject},
    },
    widgets::{
        Align, Cell, Cut, Shape, Table, areas, busy_sign, fit, last_row,
        page::{bar, thousands},
        pointed, put, put_wrapped,
        text::row,
        within,
    },
};

/// Rows below the table: a rule, two for the run under the cursor, one for the list.
const BELOW_ROWS: u16 = 4;
const BAR_COLUMNS: usize = 10;

const COLUMNS: [Shape; 6] = [
    Shape { title: "WHEN", min: 11, ideal: 11, align: Align::Left, cut: Cut::End, weight: 6 },
    Shape { title: "WHAT", min: 7, ideal: 8, align: Align::Left, cut: Cut::End, weight: 7 },
    Shape { title: "ENV", min: 7, ideal: 10, align: Align::Left, cut: Cut::End, weight: 9 },
    Shape { title: "QUEUE", min: 12, ideal: 48, align: Align::Left, cut: Cut::Middle, weight: 8 },
    Shape { title: "MOVED", min: 6, ideal: 9, align: Align::Right, cut: Cut::End, weight: 5 },
    Shape { title: "END", min: 20, ideal: 64, align: Align::Left, cut: Cut::End, weight: 9 },
];
const ENV: usize = 2;
const END: usize = 5;

pub(crate) fn ask(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    model.history.ask(ticket);
    vec![Effect::ReadRuns(ticket)]
}

/// A run that is listed has gone on: nothing else of the list changes by it, and this happens ten times a second.
pub(crate) fn progressed(model: &mut Model, ticket: Ticket) {
    let Some(run) = model.runs.iter().find(|run| run.ticket == ticket) else { return };
    let row = here_row(model, run);
    let Some(view) = model.view_mut().activity_mut() else { return };
    if let Some(listed) = view.rows.iter_mut().find(|listed| listed.known.subject == row.known.subject) {
        *listed = row;
    }
}

fn when(model: &Model, at: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%F").to_string();
    let year = |at: Timestamp| at.strftime("%Y").to_string();
    let format = match (day(at) == day(model.now), year(at) == year(model.now)) {
        (true, _) => "%H:%M:%S",
        (false, true) => "%m-%d %H:%M",
        (false, false) => "%F",
    };
    at.strftime(format).to_string()
}

fn here_row(model: &Model, run: &RunState) -> Row {
    let known = Known::here(run);
    let done = match &run.end {
        Some(Ok(report)) => report.details.did().done(),
        Some(Err(_)) => 0,
        None => run.done(),
    };
    let end = match &run.progress {
        Some(progress) if run.is_active() => {
            let share = run.share();
            let (done, open) = bar(share, BAR_COLUMNS, model.look);
            let stopping = if run.cancelled { "stopping, ".to_owned() } else { String::new() };
            let step = match progress.doing.tally() {
                Some(Tally { step, steps, .. }) if *steps > 1 => format!(", step {step} of {steps}"),
                Some(_) | None => String::new(),
            };
            let waits = progress.waits().first().map(|wait| format!(", {wait}")).unwrap_or_default();
            format!("{done}{open} {stopping}{:.0} %{step}{waits}", (share * 100.0).floor())
        }
        Some(_) | None => end_words(model, &known, 0),
    };
    row_of(model, known, run.started_at, run.plan.resource.as_str(), done, end)
}

/// A run of a runbook, of this console: which step it is at, and what it waits for.
fn driven_row(model: &Model, driven: &Driven) -> Row {
    let known = Known::driven(driven);
    let steps = format!("{} of {} steps", driven.over(), driven.steps.len());
    let waits = driven.asked.as_ref().map(|asked| format!(": waits for {}", waits_for(driven, asked)));
    let end = match (&driven.end, waits) {
        (None, Some(waits)) => format!("{} {steps}{waits}", model.look.sign("▲", "!")),
        (None, None) => format!("{} {steps}", busy_sign(model)),
        (Some(_), _) => end_words(model, &known, 0),
    };
    let done = driven.over() as u64;
    let mut row = row_of(model, known, driven.begun_at, &driven.runbook.name, done, end);
    if driven.asked.is_some() {
        row.role = Role::Warning;
    }
    row
}

fn past_row(model: &Model, past: &Past) -> Row {
    let (summary, did) = (&past.summary, past.did.as_ref());
    let is_open = past.known.runbook.is_some() && past.known.standing == Standing::BrokeOff;
    let end = match is_open {
        true => format!("{} {}", model.look.sign("▲", "!"), open_words(summary)),
        false => end_words(model, &past.known, did.map_or(0, Did::uncertain)),
    };
    let resource = summary.resource().unwrap_or("?");
    let mut row = row_of(model, past.known.clone(), summary.opened.at, resource, did.map_or(0, Did::done), end);
    if did.is_none() {
        // Its journal tells, once it is read.
        row.cells[4] = "?".to_owned();
    }
    row
}

fn row_of(model: &Model, known: Known, at: Timestamp, resource: &str, done: u64, end: String) -> Row {
    let (_, _, role) = run_page::standing(&known, model.look);
    let what = match (&known.operation, &known.runbook) {
        (Some(operation), _) => operation.name(),
        (None, Some(_)) => "runbook",
        (None, None) => "?",
    };
    let what = what.to_owned();
    let environment = known.environment.as_ref().map_or("?".to_owned(), |name| {
        model.site(name).map_or(Text::line(&name.0).to_string(), |site| model.look.environment_name(&site.environment))
    });
    let cells = [when(model, at), what, environment, Text::line(resource).to_string(), thousands(done), end];
    Row { known, cells, role }
}

/// How it ended, what is in doubt, and the key that goes on.
fn end_words(model: &Model, known: &Known, uncertain: u64) -> String {
    let (sign, words, _) = run_page::standing(known, model.look);
    let doubt = if uncertain > 0 { format!(", {} uncertain", thousands(uncertain)) } else { String::new() };
    let key = model.keymap.key_for(Scope::Activity, Command::Resume).unwrap_or("?");
    let next = match verbs::go_on(known) {
        Ok(GoOn::Resume) => format!(": {key} goes on"),
        Ok(GoOn::PlanAnew) => format!(": {key} plans anew"),
        Err(_) => String::new(),
    };
    format!("{sign} {words}{doubt}{next}")
}

fn height(model: &Model) -> usize {
    // A title row above; what is said of the run under the cursor and of the list below.
    usize::from(areas(model.size).content.height).saturating_sub(1 + usize::from(BELOW_ROWS))
}

fn under(view: &ActivityView) -> Option<&Known> {
    view.rows.get(view.cursor.at).map(|row| &row.known)
}

/// The run under the cursor: how it ended in full, its name, and the keys that lead on.
fn details(model: &Model, view: &ActivityView, frame: &mut Frame<'_>, area: Rect) {
    let (look, columns) = (model.look, usize::from(area.width).saturating_sub(2));
    let Some(listed) = view.rows.get(view.cursor.at) else { return };
    let at = format!(" {} of {} ", thousands(view.cursor.at as u64 + 1), thousands(view.rows.len() as u64));
    let rule = look.sign("╌", "-").repeat((columns + 2).saturating_sub(fit::width(&at) + 2));
    let rule = format!("{rule}{at}{0}{0}", look.sign("╌", "-"));
    frame.buffer_mut().set_string(area.x, area.y, rule, look.style(Role::Line));
    let name = listed.known.run.as_ref().map(|run| format!("{}run {run}", look.dot())).unwrap_or_default();
    put(frame, within(row(area, 1), 1), &format!("{}{name}", listed.cells[END]), look.style(listed.role), look);
    let offers = [
        (Command::Open, "look at it"),
        (Command::Cancel, "stop it"),
        (Command::Resume, "go on"),
        (Command::Operate(OperationKind::Restore), "put back what it took"),
    ];
    let is_able = |command| command == Command::Open || verbs::able(model, &listed.known, command) == Able::Yes;
    let mut spans = Vec::new();
    for (command, word) in offers.into_iter().filter(|(command, _)| is_able(*command)) {
        let Some(key) = model.keymap.key_for(Scope::Activity, command) else { continue };
        spans.push(Span::styled(key, look.style(Role::Key)));
        spans.push(Span::raw(format!(" {word}   ")));
    }
    frame.buffer_mut().set_line(area.x + 1, area.y + 2, &Line::from(spans), area.width.saturating_sub(1));
}

fn environment_style(model: &Model, known: &Known) -> Style {
    let site = known.environment.as_ref().and_then(|name| model.site(name));
    site.map_or(model.look.style(Role::Dim), |site| model.look.environment(&site.environment))
}

fn empty(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let lines: Vec<(String, Role)> = match &model.history {
        Load::Idle | Load::Waiting(..) => vec![("reading the journals of earlier runs".to_owned(), Role::Dim)],
        Load::Failed(failure, _) => vec![
            ("The journals can't be read.".to_owned(), Role::Strong),
            (format!("because: {}", failure.what), Role::Warning),
            (format!("try: {}", failure.hint), Role::Text),
        ],
        Load::Here(_) => vec![
            ("No run yet.".to_owned(), Role::Strong),
            (
                "Every redrive, purge and restore is listed here with its journal, also those from the command line."
                    .to_owned(),
                Role::Text,
            ),
            (
                format!(
                    "{} on a dead-letter queue plans one.",
                    model.keymap.key_for(Scope::Home, Command::Operate(OperationKind::Redrive)).unwrap_or("redrive")
                ),
                Role::Text,
            ),
        ],
    };
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..within(area, 2) };
    put_wrapped(frame, below, &lines, look);
}

fn standing_of_list(model: &Model, view: &ActivityView) -> (String, Role) {
    let age = |at: Timestamp| crate::operations::values::duration(model.now.duration_since(at).as_secs_f64().floor());
    let read = view.read_at.map(|at| format!(", read {} ago", age(at))).unwrap_or_default();
    match &model.history {
        Load::Failed(failure, Some(_)) => (format!("the journals can't be read again{read}: {failure}"), Role::Warning),
        Load::Failed(..) | Load::Idle => (String::new(), Role::Dim),
        Load::Waiting(..) => (format!("reading the journals{read}"), Role::Dim),
        Load::Here(_) => {
            let open = view.rows.iter().filter(|row| needs_somebody(&row.known)).count();
            let runs = view.rows.len();
            let words = format!("{} run{}", thousands(runs as u64), if runs == 1 { "" } else { "s" });
            match open {
                0 => (words, Role::Dim),
                open => (format!("{words}, {open} unfinished"), Role::Warning),
            }
        }
    }
}

fn needs_somebody(known: &Known) -> bool {
    match known.standing {
        Standing::BrokeOff => true,
        Standing::Ended { left, .. } => left,
        Standing::Active { .. } | Standing::Elsewhere | Standing::NotBegun => false,
    }
}

impl Screen for ActivityView {
    fn scope(&self) -> Scope {
        Scope::Activity
    }

    fn tab(&self) -> Option<Tab> {
        Some(Tab { command: Command::Activity, title: "Activity", short: "Activity" })
    }

    fn wanted(&self) -> &'static [Command] {
        &[Command::Open, Command::Cancel, Command::Resume, Command::Operate(OperationKind::Restore)]
    }

    /// The cursor stays on the run that it was on.
    fn settle(&mut self, model: &Model) {
        let under = self.rows.get(self.cursor.at).map(|row| (row.known.subject.clone(), row.known.run.clone()));
        let shown = |environment: &str| model.only.as_ref().is_none_or(|only| only.0 == environment);
        // What was gone on with stands once, as it stands now.
        let mut known: HashSet<&RunId> = HashSet::new();
        let latest: Vec<&RunState> =
            model.runs.iter().rev().filter(|run| run.run().is_none_or(|id| known.insert(id))).collect();
        let here = latest.into_iter().filter(|run| shown(&run.plan.environment.0));
        let (active, ended): (Vec<&RunState>, Vec<&RunState>) = here.partition(|run| run.is_active());
        let history = model.history.shown().map(Vec::as_slice).unwrap_or_default();
        known.extend(latest_driven(model).filter_map(|driven| driven.run.as_ref()));
        let past = history.iter().filter(|past| !known.contains(&past.summary.run));
        let past = past.filter(|past| shown(past.summary.environment().unwrap_or_default()));
        let driven = || latest_driven(model).filter(|driven| shown(&driven.environment.0));
        self.rows = driven().filter(|driven| driven.is_active()).map(|driven| driven_row(model, driven)).collect();
        self.rows.extend(active.into_iter().map(|run| here_row(model, run)));
        // What ended here and what ended before are one list, newest first.
        let mut rest: Vec<(Timestamp, Row)> =
            ended.into_iter().map(|run| (run.started_at, here_row(model, run))).collect();
        rest.extend(
            driven().filter(|driven| !driven.is_active()).map(|driven| (driven.begun_at, driven_row(model, driven))),
        );
        rest.extend(past.map(|past| (past.summary.opened.at, past_row(model, past))));
        rest.sort_by(|(left, _), (right, _)| right.cmp(left));
        self.rows.extend(rest.into_iter().map(|(_, row)| row));
        if let Some((subject, run)) = under {
            let same = |row: &Row| row.known.subject == subject || (run.is_some() && row.known.run == run);
            self.cursor.at = self.rows.iter().position(same).unwrap_or(self.cursor.at);
        }
        self.cursor.settle(self.rows.len(), height(model));
    }

    fn depends_on(&self, change: Change) -> bool {
        change == Change::Runs
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        match command {
            command if moves(command) => Able::Yes,
            Command::Open => Able::when(under(self).is_some(), "there is no run"),
            Command::Cancel
            | Command::Resume
            | Command::Operate(OperationKind::Restore)
            | Command::Journal
            | Command::Copy
            | Command::CopyCommand => match under(self) {
                Some(known) => verbs::able(model, known, command),
                None => Able::no("there is no run"),
            },
            _ => Able::NotHere,
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        if self.cursor.step(command, self.rows.len(), height(model)) {
            return Vec::new();
        }
        let Some(known) = under(self) else { return Vec::new() };
        match command {
            Command::Open => verbs::open(model, known, false),
            Command::Journal => verbs::open(model, known, true),
            _ => verbs::give(model, known, command),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        let content = areas(model.size).content;
        let table = Rect { height: content.height.saturating_sub(BELOW_ROWS), ..content };
        pointed(&mut self.cursor, mouse, table, self.rows.len());
        Vec::new()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        if area.height < BELOW_ROWS + 2 {
            return;
        }
        let above = Rect { height: area.height - BELOW_ROWS, ..area };
        if self.rows.is_empty() {
            empty(model, frame, above);
        } else {
            let old = !matches!(model.history, Load::Here(_) | Load::Waiting(..));
            let cell = |row: usize, column: usize| {
                let row = &self.rows[row];
                let is_past = matches!(row.known.subject, Subject::Past(_));
                let style = match column {
                    _ if old && is_past => look.style(Role::Stale),
                    ENV => environment_style(model, &row.known),
                    END => look.style(row.role),
                    _ => look.style(Role::Text),
                };
                Cell::new(row.cells[column].as_str(), style)
            };
            Table { columns: &COLUMNS, rows: self.rows.len(), cursor: Some(self.cursor), sorted: None, cell, look }
                .draw(frame, above);
            details(model, self, frame, Rect { y: above.bottom(), height: BELOW_ROWS - 1, ..area });
        }
        let (words, role) = standing_of_list(model, self);
        put(frame, within(last_row(area), 1), &words, look.style(role), look);
    }

    fn entered(&mut self, model: &mut Model) -> Vec<Effect> {
        ask(model)
    }

    fn refresh(&mut self, model: &mut Model) -> Vec<Effect> {
        ask(model)
    }
}
