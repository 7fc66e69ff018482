//! The list of failure groups, and below it what is known of the one under the cursor.

use jiff::Timestamp;
use ratatui::{Frame, layout::Rect};

use crate::{
    domain::Text,
    keymap::Command,
    messages::Group,
    observe::Seen,
    operations::OperationKind,
    screens::{
        letters::{
            choose,
            places::{self, seen},
            rows::{self, members},
        },
        screen::{Able, Screen},
    },
    state::{Letters, LettersView, Look, Model, Role},
    widgets::{Align, Cell, Cut, Shape, Table, page, width, words, wrap},
};

/// An error text takes so many columns at most.
const ERROR_COLUMNS_MAX: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Mark,
    Number,
    Count,
    Share,
    Bar,
    Source,
    Error,
    Shape,
    First,
    Last,
}

const COLUMNS: [(What, Shape<'static>); 10] = [
    (What::Mark, column("", 1, 1, Align::Left, 9)),
    (What::Number, column("#", 3, 3, Align::Right, 6)),
    (What::Count, column("COUNT", 5, 6, Align::Right, 9)),
    (What::Share, column("SHARE", 5, 5, Align::Right, 5)),
    (What::Bar, column("", 8, 8, Align::Left, 4)),
    (What::Source, column("SOURCE", 10, 30, Align::Left, 6)),
    (What::Error, column("ERROR", 20, 100, Align::Left, 9)),
    (What::Shape, column("TYPE OR SHAPE", 20, 50, Align::Left, 3)),
    (What::First, column("FIRST", 7, 7, Align::Right, 5)),
    (What::Last, column("LAST", 7, 7, Align::Right, 7)),
];

const fn column(title: &'static str, min: u16, ideal: u16, align: Align, weight: u8) -> Shape<'static> {
    Shape { title, min, ideal, align, cut: Cut::End, weight }
}

pub(crate) fn draw(
    model: &Model,
    view: &LettersView,
    letters: &Letters,
    frame: &mut Frame<'_>,
    table: Rect,
    pane: Rect,
) {
    let look = model.look;
    let groups = &letters.groups.groups;
    let sources_differ = groups.iter().any(|group| group.source != groups[0].source);
    // A column that says the same everywhere only takes room; the head names the source.
    let shown = COLUMNS.iter().filter(|(what, _)| *what != What::Source || sources_differ);
    let (whats, mut columns): (Vec<What>, Vec<Shape<'_>>) = shown.copied().unzip();
    let errors = groups.iter().filter_map(Group::failure).chain([all_words(letters)]).map(|text| width(&text)).max();
    for (what, column) in whats.iter().zip(&mut columns) {
        match what {
            What::Error => column.ideal = errors.unwrap_or(0).clamp(20, ERROR_COLUMNS_MAX) as u16,
            // It takes what the others leave.
            What::Shape => column.ideal = column.min,
            What::Mark | What::Number | What::Count | What::Share | What::Bar => {}
            What::Source | What::First | What::Last => {}
        }
    }
    let others: u16 = columns.iter().map(|column| column.ideal + 1).sum();
    if let Some(at) = whats.iter().position(|what| *what == What::Shape) {
        columns[at].ideal += table.width.saturating_sub(others + 2);
    }
    let cell = |row: usize, column: usize| match row.checked_sub(1) {
        None => all(model, view, letters, whats[column]),
        Some(at) => group(model, view, letters, at, whats[column]),
    };
    let rows = rows::group_rows(view);
    Table { columns: &columns, rows, cursor: Some(view.group_cursor), sorted: None, cell, look }.draw(frame, table);
    let lines = about(model, view, letters, usize::from(pane.width).saturating_sub(11));
    places::pane(model, frame, pane, &lines);
}

fn all<'a>(model: &Model, view: &LettersView, letters: &'a Letters, what: What) -> Cell<'a> {
    let style = |role| places::style(view, model.look, role);
    match what {
        What::Mark => Cell::new(mark(view, letters, None, model.look), style(Role::Accent)),
        What::Count => Cell::new(words::count(letters.messages.len() as u64), style(Role::Strong)),
        What::Error => Cell::new(all_words(letters), style(Role::Dim)),
        What::Share => Cell::new("100%", style(Role::Dim)),
        What::Number | What::Bar | What::Source | What::Shape | What::First | What::Last => {
            Cell::new("", style(Role::Dim))
        }
    }
}

fn all_words(letters: &Letters) -> String {
    let groups = words::of(letters.groups.groups.len() as u64, "group");
    match letters.groups.other {
        0 => format!("all, in {groups}"),
        other => format!("all: {groups}, and {} in smaller ones", words::of(other as u64, "message")),
    }
}

fn group<'a>(model: &Model, view: &LettersView, letters: &'a Letters, at: usize, what: What) -> Cell<'a> {
    let look = model.look;
    let style = |role| places::style(view, look, role);
    let group = &letters.groups.groups[at];
    match what {
        What::Mark => Cell::new(mark(view, letters, Some(at), look), style(Role::Accent)),
        What::Number => Cell::new((at + 1).to_string(), style(Role::Dim)),
        What::Count => Cell::new(words::count(group.count as u64), style(Role::Strong)),
        What::Share => Cell::new(percent(group.share), style(Role::Text)),
        What::Bar => Cell::new(bar(group.share, look), style(Role::Accent)),
        What::Source => Cell::new(group.source.as_ref().map_or("-", Text::as_str), style(Role::Text)),
        What::Error => match group.failure() {
            Some(error) => Cell::new(error, style(Role::Text)),
            None => Cell::new("no error text", style(Role::Dim)),
        },
        What::Shape => Cell::new(group.content(), style(Role::Dim)),
        What::First => Cell::new(ago(group.first_seen, model), style(Role::Dim)),
        What::Last => Cell::new(ago(group.last_seen, model), style(Role::Text)),
    }
}

fn mark(view: &LettersView, letters: &Letters, group: Option<usize>, look: Look) -> &'static str {
    if view.selected.is_empty() {
        return "";
    }
    let selected = match group {
        Some(group) => view.selected_of.get(group).copied().unwrap_or(0),
        None => view.selected_here,
    };
    let all = group.map_or(letters.messages.len(), |group| letters.groups.groups[group].count);
    match (selected, all) {
        (0, _) => "",
        (some, all) if some == all => look.sign("●", "*"),
        _ => look.sign("◐", "+"),
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        small if small > 0.0 && small < 1.0 => "<1%".to_owned(),
        percent => format!("{percent:.0}%"),
    }
}

/// A bar of 8 columns for the whole; something is seen of the smallest part.
fn bar(share: f64, look: Look) -> String {
    page::bar(share.max(1.0 / 64.0), 8, look).0
}

fn ago(time: Option<Timestamp>, model: &Model) -> String {
    time.map_or_else(|| "-".to_owned(), |time| words::short(words::seconds_since(time, model.now)))
}

/// What is known of the group under the cursor: label, text, style.
fn about(model: &Model, view: &LettersView, letters: &Letters, columns: usize) -> Vec<(String, String, Role)> {
    let mut lines = vec![redrive_line(model, view)];
    let at = view.group_cursor.at.checked_sub(1);
    let Some((at, group)) = at.and_then(|at| Some((at, letters.groups.groups.get(at)?))) else {
        let open = places::key(model, Command::Open);
        lines.push((open, "lists the messages".to_owned(), Role::Key));
        return lines;
    };
    let filter = group.filter.as_deref().unwrap_or("none that is short tells these from the others");
    let example = members(letters, Some(at)).next().map(|at| letters.digest.lines[at].preview.to_string());
    let mut add = |label: &str, text: &str, role: Role| {
        let text = Text::line(text).to_string();
        match view.details {
            true => {
                for (line, part) in wrap(&text, columns).into_iter().enumerate() {
                    let label = if line == 0 { label.to_owned() } else { String::new() };
                    lines.push((label, part, role));
                }
            }
            false => lines.push((label.to_owned(), text, role)),
        }
    };
    add("filter", filter, if group.filter.is_some() { Role::Text } else { Role::Dim });
    if view.details {
        add("error", &group.failure().unwrap_or_else(|| "no error text".to_owned()), Role::Text);
        add("shape", group.shape.as_str(), Role::Text);
        add("source", group.source.as_ref().map_or("not told by SQS", Text::as_str), Role::Text);
        for (label, time) in [("first", group.first_seen), ("last", group.last_seen)] {
            if let Some(time) = time {
                let ago = words::duration(words::seconds_since(time, model.now));
                add(label, &format!("sent {}, {ago} ago", time.strftime("%F %T UTC")), Role::Text);
            }
        }
    }
    add("example", example.as_deref().unwrap_or("-"), Role::Dim);
    lines
}

/// What a redrive would take now, or why there can be none.
pub(crate) fn redrive_line(model: &Model, view: &LettersView) -> (String, String, Role) {
    let label = places::key(model, Command::Operate(OperationKind::Redrive));
    match view.able(model, Command::Operate(OperationKind::Redrive)) {
        Able::Yes => {
            let messages = seen(model, &view.environment, &view.queue).and_then(Seen::messages);
            (label, choose::in_words(view, messages), Role::Key)
        }
        Able::No(because) => (label, because.to_string(), Role::Dim),
        Able::NotHere => (String::new(), String::new(), Role::Dim),
    }
}
