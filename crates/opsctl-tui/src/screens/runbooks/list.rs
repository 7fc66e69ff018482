//! The list: runs that are open, then every runbook.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    begin, latest_driven, named, run, shelved,
    words::{open_words, waits_for},
};
use crate::{
    domain::{EnvironmentName, Text},
    journal::RunSummary,
    keymap::{Command, Scope},
    runbook::{Action, Values, shelf::Shelved},
    screens::{
        runs::activity,
        screen::{Able, Change, Screen, Tab, moves},
    },
    state::{Driven, Effect, Model, Mouse, Role, RunbookView, RunbooksView, View, run::Subject, runbook::RunbookRow},
    widgets::{
        Align, Cell, Cut, Pointed, Shape, Table, areas, busy_sign, pointed, put_lines, put_rule, put_wrapped,
        text::row, within, wrap,
    },
};

/// Rows below the table: a rule, two of the runbook's summary, keys.
const BELOW_ROWS: u16 = 4;

const COLUMNS: [Shape<'_>; 6] = [
    Shape { title: "NAME", min: 22, ideal: 34, align: Align::Left, cut: Cut::Middle, weight: 9 },
    Shape { title: "TITLE", min: 32, ideal: 70, align: Align::Left, cut: Cut::End, weight: 8 },
    Shape { title: "STEPS", min: 5, ideal: 5, align: Align::Right, cut: Cut::End, weight: 7 },
    Shape { title: "BY HAND", min: 7, ideal: 7, align: Align::Right, cut: Cut::End, weight: 4 },
    Shape { title: "OWNER", min: 8, ideal: 18, align: Align::Left, cut: Cut::End, weight: 5 },
    Shape { title: "REHEARSED", min: 10, ideal: 10, align: Align::Left, cut: Cut::End, weight: 6 },
];

fn driven_row(model: &Model, driven: &Driven) -> RunbookRow {
    let steps = format!("{} of {} steps", driven.over(), driven.steps.len());
    let (words, role) = match (&driven.asked, &driven.end) {
        (Some(asked), None) => {
            let words = format!("{} {steps}: waits for {}", model.look.sign("▲", "!"), waits_for(driven, asked));
            (words, Role::Warning)
        }
        (None, None) if driven.cancelled => (format!("{} {steps}: stopping", busy_sign(model)), Role::Warning),
        (None, None) => (format!("{} {steps}", busy_sign(model)), Role::Accent),
        (_, Some(end)) => {
            let waits_for = end.as_ref().ok().and_then(|report| report.waits_for.clone()).unwrap_or_default();
            (format!("{steps}: left open, waits for {waits_for}"), Role::Text)
        }
    };
    RunbookRow::Run {
        subject: Subject::Driven(driven.ticket),
        name: driven.runbook.name.clone(),
        environment: Some(driven.environment.clone()),
        words: Text::line(&words).to_string(),
        role,
    }
}

fn past_row(summary: &RunSummary) -> RunbookRow {
    RunbookRow::Run {
        subject: Subject::Past(summary.run.clone()),
        name: summary.runbook().map(ToString::to_string).unwrap_or_default(),
        environment: summary.environment().map(|name| EnvironmentName(name.to_owned())),
        words: Text::line(&open_words(summary)).to_string(),
        role: Role::Text,
    }
}

fn book_row(shelved: &Shelved) -> RunbookRow {
    let name = Text::line(&shelved.name).to_string();
    let Some(runbook) = shelved.runbook() else {
        let problems = format!("cannot run: {}", shelved.checked.problems);
        let cells = [Text::line(&problems).to_string(), String::new(), String::new(), String::new(), String::new()];
        return RunbookRow::Book { name, cells, is_good: false };
    };
    let by_hand = runbook.steps.iter().filter(|step| matches!(step.action, Action::ByHand)).count();
    let cells = [
        runbook.title.to_string(),
        runbook.steps.len().to_string(),
        by_hand.to_string(),
        runbook.owner.as_ref().map_or("-".to_owned(), ToString::to_string),
        runbook.last_rehearsed.map_or("never".to_owned(), |date| date.to_string()),
    ];
    RunbookRow::Book { name, cells, is_good: true }
}

fn height(model: &Model) -> usize {
    usize::from(areas(model.size).content.height).saturating_sub(1 + usize::from(BELOW_ROWS))
}

fn same(left: &RunbookRow, right: &RunbookRow) -> bool {
    match (left, right) {
        (RunbookRow::Run { subject: left, .. }, RunbookRow::Run { subject: right, .. }) => left == right,
        (RunbookRow::Book { name: left, .. }, RunbookRow::Book { name: right, .. }) => left == right,
        (RunbookRow::Run { .. }, RunbookRow::Book { .. }) | (RunbookRow::Book { .. }, RunbookRow::Run { .. }) => false,
    }
}

fn open(view: &RunbooksView, model: &mut Model) -> Vec<Effect> {
    match view.rows.get(view.cursor.at) {
        Some(RunbookRow::Run { subject, .. }) => run::open(model, subject.clone()),
        Some(RunbookRow::Book { name, .. }) => {
            model.open(View::Runbook(Box::new(RunbookView::of(name))));
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn empty(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let lines = match &model.runbooks {
        None => vec![("reading the runbooks".to_owned(), Role::Dim)],
        Some(Err(failure)) => vec![
            ("The runbooks can't be read.".to_owned(), Role::Strong),
            (format!("because: {}", failure.what), Role::Warning),
            (format!("try: {}", failure.hint), Role::Text),
        ],
        Some(Ok(_)) => vec![
            ("No runbook yet.".to_owned(), Role::Strong),
            (
                "Markdown files in the folder `runbooks` beside opsctl.toml are runbooks. Each heading is a step."
                    .to_owned(),
                Role::Text,
            ),
            (format!("{} writes a first one.", model.invocation().command("runbook new runbooks/NAME.md")), Role::Text),
        ],
    };
    put_wrapped(
        frame,
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..within(area, 2) },
        &lines,
        model.look,
    );
}

fn details(model: &Model, view: &RunbooksView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    put_rule(frame, area, look.sign("╌", "-"), look.style(Role::Line));
    let Some(under) = view.rows.get(view.cursor.at) else { return };
    let (text, role) = match under {
        RunbookRow::Run { words, role, .. } => (words.clone(), *role),
        RunbookRow::Book { name, cells, is_good: false } => (format!("{name} {}", cells[0]), Role::Warning),
        RunbookRow::Book { name, .. } => {
            let summary = shelved(model, name).and_then(Shelved::runbook).map(|runbook| runbook.summary());
            (summary.unwrap_or_default().to_string(), Role::Text)
        }
    };
    let lines = wrap(&text, usize::from(area.width).saturating_sub(2)).into_iter().map(|line| (line, look.style(role)));
    put_lines(
        frame,
        Rect { y: area.y + 1, height: 2.min(area.height.saturating_sub(2)), ..within(area, 1) },
        lines,
        look,
    );
    let word = match under {
        RunbookRow::Run { .. } => "open it",
        RunbookRow::Book { .. } => "read it",
    };
    let mut spans = Vec::new();
    for (command, word) in [(Command::Open, word), (Command::RunRunbook, "run it")] {
        let key = model.keymap.key_for(Scope::Runbooks, command).filter(|_| view.able(model, command) == Able::Yes);
        let Some(key) = key else { continue };
        spans.push(Span::styled(key.to_owned(), look.style(Role::Key)));
        spans.push(Span::raw(format!(" {word}   ")));
    }
    let last = row(area, area.height.saturating_sub(1));
    frame.buffer_mut().set_line(last.x + 1, last.y, &Line::from(spans), last.width.saturating_sub(1));
}

impl Screen for RunbooksView {
    fn scope(&self) -> Scope {
        Scope::Runbooks
    }

    fn tab(&self) -> Option<Tab> {
        Some(Tab { command: Command::Runbooks, title: "Runbooks", short: "Books" })
    }

    fn wanted(&self) -> &'static [Command] {
        &[Command::Open, Command::RunRunbook]
    }

    fn settle(&mut self, model: &Model) {
        let under = self.rows.get(self.cursor.at).cloned();
        let shown = |environment: &str| model.only.as_ref().is_none_or(|only| only.0 == environment);
        let is_open = |driven: &&Driven| match &driven.end {
            None => true,
            Some(Ok(report)) => report.end.is_none(),
            Some(Err(_)) => false,
        };
        let driven: Vec<&Driven> = latest_driven(model).collect();
        let mut rows: Vec<RunbookRow> = driven
            .iter()
            .copied()
            .filter(is_open)
            .filter(|driven| shown(&driven.environment.0))
            .map(|driven| driven_row(model, driven))
            .collect();
        let past = model.open.iter().filter(|summary| {
            shown(summary.environment().unwrap_or_default())
                && driven.iter().all(|driven| driven.run.as_ref() != Some(&summary.run))
        });
        rows.extend(past.map(past_row));
        rows.extend(model.shelved().iter().map(book_row));
        self.rows = rows;
        if let Some(under) = under {
            self.cursor.at = self.rows.iter().position(|row| same(row, &under)).unwrap_or(self.cursor.at);
        }
        self.cursor.settle(self.rows.len(), height(model));
    }

    fn depends_on(&self, change: Change) -> bool {
        match change {
            Change::Runs | Change::Time => true,
            Change::Seen => false,
        }
    }

    fn able(&self, _: &Model, command: Command) -> Able {
        let under = self.rows.get(self.cursor.at);
        match command {
            command if moves(command) => Able::Yes,
            Command::Open => Able::when(under.is_some(), "there is no runbook"),
            Command::RunRunbook => match under {
                Some(RunbookRow::Book { is_good: true, .. }) => Able::Yes,
                Some(RunbookRow::Book { is_good: false, .. }) => Able::no("it has errors: open it to see them"),
                Some(RunbookRow::Run { .. }) => Able::no("this is a run: open it to continue"),
                None => Able::no("there is no runbook"),
            },
            _ => Able::NotHere,
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        if self.cursor.step(command, self.rows.len(), height(model)) {
            return Vec::new();
        }
        match (command, self.rows.get(self.cursor.at)) {
            (Command::Open, _) => open(self, model),
            (Command::RunRunbook, Some(RunbookRow::Book { name, .. })) => match named(model, name) {
                Some(runbook) => begin::open(model, runbook, None, &Values::default()),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        let content = areas(model.size).content;
        let table = Rect { height: content.height.saturating_sub(BELOW_ROWS), ..content };
        match pointed(&mut self.cursor, mouse, table, self.rows.len()) {
            Pointed::Again => open(self, model),
            Pointed::Moved | Pointed::Nothing => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        if area.height < BELOW_ROWS + 2 {
            return;
        }
        let above = Rect { height: area.height - BELOW_ROWS, ..area };
        if self.rows.is_empty() {
            return empty(model, frame, above);
        }
        let cell = |row: usize, column: usize| match &self.rows[row] {
            RunbookRow::Run { .. } => Cell::new("", look.style(Role::Text)),
            RunbookRow::Book { name, .. } if column == 0 => Cell::new(name.as_str(), look.style(Role::Strong)),
            RunbookRow::Book { cells, is_good, .. } => {
                let role = if *is_good { Role::Text } else { Role::Warning };
                Cell::new(cells[column - 1].as_str(), look.style(role))
            }
        };
        let over = |row: usize| match &self.rows[row] {
            RunbookRow::Book { .. } => None,
            RunbookRow::Run { name, environment, words, role, .. } => {
                let mut spans =
                    vec![Span::styled(Text::line(name).to_string(), look.style(Role::Strong)), Span::raw(" in ")];
                let site = environment.as_ref().and_then(|name| model.site(name));
                spans.push(match site {
                    Some(site) => Span::styled(
                        Text::line(&look.environment_name(&site.environment)).to_string(),
                        look.environment(&site.environment),
                    ),
                    None => {
                        Span::raw(environment.as_ref().map(|name| Text::line(&name.0).to_string()).unwrap_or_default())
                    }
                });
                spans.push(Span::styled(format!("  {words}"), look.style(*role)));
                Some((0, Line::from(spans)))
            }
        };
        let (cursor, rows) = (Some(self.cursor), self.rows.len());
        Table { columns: &COLUMNS, rows, cursor, sorted: None, cell, look }.draw_over(frame, above, over);
        let below = Rect { y: above.bottom(), height: BELOW_ROWS, ..area };
        details(model, self, frame, below);
    }

    fn refresh(&mut self, model: &mut Model) -> Vec<Effect> {
        self.entered(model)
    }

    fn entered(&mut self, model: &mut Model) -> Vec<Effect> {
        let mut effects = activity::ask(model);
        effects.push(Effect::ReadRunbooks);
        effects
    }

    fn can_go_back(&self) -> bool {
        true
    }
}
