//! Home: what needs somebody, worst first, in every environment.

use ratatui::{Frame, layout::Rect};

use super::fit::Align;
use super::{
    able::Able,
    effect::Effect,
    event::{Mouse, MouseWhat},
    list::Cursor,
    model::{Model, View},
    table::{Cell, Column, Cut, Table},
    theme::Role,
};
use crate::{
    domain::{EnvironmentName, QueueName, Text},
    keymap::Command,
    observe::{Severity, Subject, Verdict},
    operations::{Operation, Redrive},
};

/// The home view.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HomeView {
    /// What needs somebody, worst first.
    pub rows: Vec<Verdict>,
    /// Where one is.
    pub cursor: Cursor,
}

const COLUMNS: [Column; 3] = [
    Column { title: "ENV", min: 7, ideal: 10, align: Align::Left, cut: Cut::End, weight: 9 },
    Column { title: "WHAT", min: 16, ideal: 48, align: Align::Left, cut: Cut::Middle, weight: 8 },
    Column { title: "WHY", min: 20, ideal: 120, align: Align::Left, cut: Cut::End, weight: 7 },
];

/// Brings the rows up to date; the cursor stays on what it was on.
pub(super) fn settle(model: &Model, view: &mut HomeView) {
    let under = view.rows.get(view.cursor.at).map(|row| (row.environment.clone(), row.subject.clone(), row.kind));
    let all = model.shown_sites().flat_map(|site| site.verdicts.iter().cloned()).collect();
    view.rows = super::observed::worst_first(all);
    if let Some(under) = under {
        let same = |row: &Verdict| (row.environment.clone(), row.subject.clone(), row.kind) == under;
        view.cursor.at = view.rows.iter().position(same).unwrap_or(view.cursor.at);
    }
    view.cursor.settle(view.rows.len(), height(model));
}

fn height(model: &Model) -> usize {
    usize::from(super::view::areas(model.size).content.height).saturating_sub(1)
}

/// Queues on the screen.
pub(super) fn visible(model: &Model, view: &HomeView) -> Vec<(EnvironmentName, QueueName)> {
    let shown = view.rows.iter().skip(view.cursor.top).take(height(model));
    shown
        .filter_map(|row| match &row.subject {
            Subject::Queue(queue) => Some((row.environment.clone(), queue.clone())),
            Subject::Environment => None,
        })
        .collect()
}

pub(super) fn able(_model: &Model, view: &HomeView, command: Command) -> Able {
    let under = view.rows.get(view.cursor.at);
    match command {
        Command::Open | Command::Redrive | Command::Details => Able::when(under.is_some(), "nothing needs you"),
        Command::Down | Command::Up | Command::First | Command::Last | Command::PageDown | Command::PageUp => Able::Yes,
        Command::HalfPageDown | Command::HalfPageUp => Able::Yes,
        _ => Able::NotHere,
    }
}

pub(super) fn command(model: &mut Model, command: Command) -> Vec<Effect> {
    let height = height(model);
    let View::Home(view) = model.view_mut() else { return Vec::new() };
    let rows = view.rows.len();
    if view.cursor.step(command, rows, height) {
        return super::observed::focus(model);
    }
    let Some((environment, subject)) =
        view.rows.get(view.cursor.at).map(|row| (row.environment.clone(), row.subject.clone()))
    else {
        return Vec::new();
    };
    match (command, subject) {
        (Command::Open, Subject::Queue(queue)) => super::letters::open(model, &environment, &queue),
        (Command::Redrive, Subject::Queue(queue)) => {
            let redrive = Redrive { queue: queue.0, ..Redrive::default() };
            super::flow::begin(model, &environment, Operation::Redrive(redrive))
        }
        _ => Vec::new(),
    }
}

pub(super) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let height = height(model);
    let View::Home(view) = model.view_mut() else { return Vec::new() };
    match mouse.what {
        MouseWhat::Scroll(lines) => view.cursor.scroll(lines, view.rows.len(), height),
        MouseWhat::Click => {}
    }
    Vec::new()
}

/// Draws it.
pub(super) fn draw(model: &Model, view: &HomeView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let cell = |row: usize, column: usize| {
        let verdict = &view.rows[row];
        let role = match verdict.severity {
            Severity::Critical => Role::Critical,
            Severity::Warning => Role::Warning,
            Severity::Notice => Role::Text,
        };
        match column {
            0 => {
                let site = model.site(&verdict.environment);
                let name = site.map_or(verdict.environment.0.clone(), |site| look.environment_name(&site.environment));
                let style = site.map(|site| look.environment(&site.environment)).unwrap_or_default();
                Cell::new(name, style)
            }
            1 => Cell::new(
                match &verdict.subject {
                    Subject::Queue(queue) => Text::line(queue.as_str()).to_string(),
                    Subject::Environment => "the environment".to_owned(),
                },
                look.style(Role::Strong),
            ),
            _ => Cell::new(verdict.reason.as_str(), look.style(role)),
        }
    };
    Table { columns: &COLUMNS, rows: view.rows.len(), cursor: Some(view.cursor), sorted: None, cell, look }
        .draw(frame, area);
}
