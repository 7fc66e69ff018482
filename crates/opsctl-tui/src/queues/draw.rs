//! The list of queues as it is drawn. Only rows on the screen are made.

use std::cell::RefCell;

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as TextLine, Span},
};

use super::{
    Grouping, Places, QueuesView, Row, SortBy,
    columns::{ALL, Line, Listed},
    places, queue, seen_at,
};
use crate::{
    domain::Text,
    filter,
    fit::{cut, spread, width, wrap},
    keymap::{
        Command, Scope,
        query::{Query, Search},
    },
    model::Model,
    observe::{verdict::says_age, words::thousands},
    standing::{Needs, busy_sign, standing},
    table::{Cell, Column, Over, Table},
    theme::Role,
};

/// Columns that never move: sign, environment, name.
pub(super) const FIXED: usize = 3;

/// The columns as they are to be shown now in so many columns of the screen. The name has what it needs, up to two fifths;
/// when something was seen is shown where something on the screen is old.
pub(super) fn shown(model: &Model, view: &QueuesView, room: u16, height: usize) -> Vec<Listed> {
    let is_old = |row: &Row| line_of(model, view, row).is_some_and(|line| line.is_stale() && line.seen.at.is_some());
    let must_say_age = view.rows.iter().skip(view.cursor.top).take(height).any(is_old);
    let is_wanted = |listed: &Listed| view.wide || !listed.wide || (must_say_age && listed.by == SortBy::Seen);
    let mut all: Vec<Listed> = ALL.into_iter().filter(is_wanted).collect();
    for listed in &mut all {
        match listed.by {
            SortBy::Environment => {
                let longest = model.shown_sites().map(|site| width(&site.environment.name.0)).max().unwrap_or(0);
                listed.column.ideal = (longest as u16).clamp(3, 16);
                listed.column.min = listed.column.ideal.min(10);
            }
            SortBy::Seen if must_say_age => listed.column.weight = 9,
            _ => {}
        }
    }
    let shift = view.shifted.min(all.len() - FIXED - 1);
    all.drain(FIXED..FIXED + shift);
    let name = &mut all[FIXED - 1].column;
    name.ideal = view.longest.max(name.min);
    name.min = name.ideal.min((room * 2 / 5).max(name.min));
    all
}

/// Draws it.
pub(crate) fn draw(model: &Model, view: &QueuesView, frame: &mut Frame<'_>, area: Rect) {
    let Places { heading, table, detail } = places(area);
    draw_heading(model, view, frame, heading);
    if view.rows.is_empty() {
        return draw_nothing(model, view, frame, Rect { height: area.height.saturating_sub(1), ..table });
    }
    draw_table(model, view, frame, table);
    draw_detail(model, view, frame, detail);
}

fn draw_table(model: &Model, view: &QueuesView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let shown = shown(model, view, area.width, usize::from(area.height));
    let columns: Vec<Column<'_>> = shown.iter().map(|listed| listed.column).collect();
    // Upwards is what the sign means: the least first.
    let sorted = shown.iter().position(|listed| listed.by == view.sort && listed.by != SortBy::Worst);
    let sorted = sorted.map(|at| (at, ascends(view.sort) != view.reversed));
    let line = |row: usize| line_of(model, view, view.rows.get(row)?);
    let query = Query::parse(&view.filter);
    let search = (!query.is_empty()).then(|| RefCell::new(Search::default()));
    let cell = |row: usize, column: usize| {
        let Some(line) = line(row) else { return Cell::new("", look.style(Role::Text)) };
        let by = shown[column].by;
        let cell = line.cell(by);
        match (&search, by) {
            (Some(search), SortBy::Name) => {
                cell.with_found(search.borrow_mut().positions(&query, line.seen.name.as_str()))
            }
            _ => cell,
        }
    };
    let over = |row: usize| -> Over<'_> {
        match view.rows.get(row)? {
            Row::Heading(at) => Some((0, heading_line(model, view, *at as usize))),
            Row::Queue(_) => {
                let (words, role) = line(row)?.without_figures()?;
                Some((FIXED, TextLine::from(Span::styled(words, look.style(role)))))
            }
        }
    };
    let table = Table { columns: &columns, rows: view.rows.len(), cursor: Some(view.cursor), sorted, cell, look };
    table.draw_over(frame, area, over);
}

fn line_of<'a>(model: &'a Model, view: &QueuesView, row: &Row) -> Option<Line<'a>> {
    let Row::Queue(at) = row else { return None };
    let (site, seen) = seen_at(model, *at)?;
    let severity = view.needs.get(at).map(|(severity, _)| *severity);
    Some(Line { site, seen, severity, now: model.now, look: model.look })
}

/// Whether the natural order of a column is the least first.
fn ascends(by: SortBy) -> bool {
    match by {
        SortBy::Worst | SortBy::Visible | SortBy::InFlight | SortBy::Delayed | SortBy::Oldest | SortBy::Trend => false,
        SortBy::Environment | SortBy::Name | SortBy::Kind | SortBy::Expires | SortBy::DeadLetters | SortBy::Seen => {
            true
        }
    }
}

fn heading_line(model: &Model, view: &QueuesView, at: usize) -> TextLine<'static> {
    let look = model.look;
    let Some(group) = view.groups.get(at) else { return TextLine::default() };
    let sign = if group.folded { look.sign("▸", "+") } else { look.sign("▾", "-") };
    let environment = (view.grouping == Grouping::Environment)
        .then(|| model.sites.iter().find(|site| site.environment.name.0 == group.name))
        .flatten();
    let name = match environment {
        Some(site) => Span::styled(
            Text::line(&look.environment_name(&site.environment)).to_string(),
            look.environment(&site.environment),
        ),
        None if group.name.is_empty() => Span::styled("others", look.style(Role::Strong)),
        None => Span::styled(Text::line(&group.name).to_string(), look.style(Role::Strong)),
    };
    let mut words = format!("  {}", queues(group.queues));
    if group.dead_letters > 0 {
        words.push_str(&format!(", ~{} dead letters", thousands(group.dead_letters)));
    }
    if group.denied > 0 {
        words.push_str(&format!(", {} may not be looked at", thousands(group.denied as u64)));
    }
    TextLine::from(vec![
        Span::styled(format!("{sign} "), look.style(Role::Accent)),
        name,
        Span::styled(words, look.style(Role::Dim)),
    ])
}

fn queues(number: usize) -> String {
    format!("{} queue{}", thousands(number as u64), if number == 1 { "" } else { "s" })
}

/// What is shown, how, and what is still awaited; or the filter being typed.
fn draw_heading(model: &Model, view: &QueuesView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let totals = view.totals;
    let mut right = awaited(model);
    if let Some(field) = &view.typing {
        return filter::draw(field, (totals.fitting, totals.queues), frame, area, look);
    }
    let mut left = vec![Span::styled(format!(" {}", queues(totals.queues)), look.style(Role::Strong))];
    let mut add = |text: String, role: Role| left.push(Span::styled(text, look.style(role)));
    if totals.denied > 0 {
        add(format!(", {} may not be looked at", thousands(totals.denied as u64)), Role::Warning);
    }
    if totals.silent > 0 {
        add(format!(", {} did not answer", thousands(totals.silent as u64)), Role::Warning);
    }
    if !view.filter.is_empty() {
        add(format!("{}{}", look.dot(), filter::words(&view.filter, totals.fitting)), Role::Accent);
    }
    if view.dead_letters_only {
        add(format!("{}dead-letter queues only", look.dot()), Role::Accent);
    }
    add(format!("{}{}", look.dot(), view.sort.words()[usize::from(view.reversed)]), Role::Dim);
    if view.grouping != Grouping::None {
        let by = if view.grouping == Grouping::System { "by system" } else { "by environment" };
        add(format!("{}{by}", look.dot()), Role::Dim);
    }
    right.push(Span::raw(" "));
    let line = spread(left, right, usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// What is being asked for and not there yet.
fn awaited(model: &Model) -> Vec<Span<'static>> {
    let look = model.look;
    let busy = model.shown_sites().filter(|site| standing(site, model.now).busy);
    let names: Vec<String> = busy.map(|site| Text::line(&site.environment.name.0).to_string()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let unseen: usize = model.shown_sites().filter_map(|site| Some(site.snapshot.as_ref()?.listing.unseen)).sum();
    let words = match unseen {
        0 => "listing".to_owned(),
        _ => format!("{} to look at", thousands(unseen as u64)),
    };
    vec![Span::styled(format!("  {} {words}", busy_sign(model)), look.style(Role::Accent))]
}

/// The row under the cursor, whole: its name, and what may have had no room.
fn draw_detail(model: &Model, view: &QueuesView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    if area.height < 3 {
        return;
    }
    let rule = look.sign("╌", ".").repeat(usize::from(area.width));
    frame.buffer_mut().set_string(area.x, area.y, rule, look.style(Role::Line));
    let Some((site, seen)) = queue(model, view) else { return };
    let line = Line { site, seen, severity: None, now: model.now, look };
    let room = usize::from(area.width).saturating_sub(2);
    let environment = Text::line(&look.environment_name(&site.environment));
    let name = format!("{}{}{environment}", Text::line(seen.name.as_str()), look.dot());
    let reason = site
        .verdicts
        .iter()
        .find(|verdict| matches!(&verdict.subject, crate::observe::Subject::Queue(queue) if *queue == seen.name));
    let mut parts = Vec::new();
    match (reason, &seen.error) {
        (Some(verdict), None) => parts.push(verdict.reason.as_str().to_owned()),
        (_, Some(error)) => parts.push(Text::line(&error.to_string()).to_string()),
        (None, None) => {}
    }
    let relation = super::columns::relation(seen, look);
    if !relation.is_empty() {
        parts.push(relation);
    }
    // A reason says it too where figures are old.
    let is_said = reason.is_some() && seen.error.is_none() && seen.at.is_some_and(|at| says_age(at, model.now));
    if let Some(age) = line.age().filter(|_| !is_said) {
        parts.push(format!("seen {age} ago"));
    }
    let style = look.style(if line.is_stale() { Role::Stale } else { Role::Dim });
    let mut lines = vec![(name, look.style(Role::Strong))];
    lines.extend(packed(&parts, look.dot(), room).into_iter().map(|line| (line, style)));
    let left = lines.len().saturating_sub(usize::from(area.height) - 1);
    if left > 0 {
        lines.truncate(lines.len() - left);
        if let Some((last, _)) = lines.last_mut() {
            last.push_str(look.ellipsis());
        }
    }
    for (y, (text, style)) in (area.y + 1..area.bottom()).zip(lines) {
        frame.buffer_mut().set_stringn(area.x + 1, y, cut(&text, room, look), room, style);
    }
}

/// Parts side by side as long as there is room; one that is longer than a line is broken between words.
fn packed(parts: &[String], dot: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(last) if width(last) + width(dot) + width(part) <= room => {
                last.push_str(dot);
                last.push_str(part);
            }
            _ => lines.extend(wrap(part, room)),
        }
    }
    lines
}

/// No rows: what that means, and what to do.
fn draw_nothing(model: &Model, view: &QueuesView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let mut lines: Vec<(String, Role)> = Vec::new();
    let key = |command: Command| model.keymap.key_for(Scope::Queues, command).unwrap_or("?").to_owned();
    let mut awaited = 0;
    for site in model.shown_sites() {
        let standing = standing(site, model.now);
        let name = Text::line(&look.environment_name(&site.environment)).to_string();
        awaited += usize::from(standing.busy);
        let known = site.snapshot.as_ref().map_or(0, |snapshot| snapshot.queues.len());
        match &standing.needs {
            Needs::Credentials(hint) | Needs::Reaching(hint) => {
                lines.push((format!("{name}: {}", standing.words), standing.role));
                lines.push((format!("  try: {hint}"), Role::Text));
            }
            Needs::Nothing if standing.busy => {
                lines.push((format!("{} {name}: {} …", busy_sign(model), standing.words), Role::Dim));
            }
            Needs::Nothing => lines.push((format!("{name}: {}", queues(known)), Role::Dim)),
        }
    }
    let title = match view.totals {
        totals if totals.queues > 0 && !view.filter.is_empty() => {
            filter::nothing("queue", &view.filter, &key(Command::Back))
        }
        totals if totals.queues > 0 => {
            format!("None of them is a dead-letter queue: {} shows all queues", key(Command::DeadLettersOnly))
        }
        _ if awaited > 0 => "No queue is known yet".to_owned(),
        _ => format!("There are no queues here: check region and account, and `queues` in {}", model.origin),
    };
    let mut y = area.y + 1;
    lines.insert(0, (title, Role::Strong));
    lines.insert(1, (String::new(), Role::Text));
    for (text, role) in lines {
        for part in wrap(&text, usize::from(area.width).saturating_sub(4)) {
            if y >= area.bottom() {
                return;
            }
            frame.buffer_mut().set_string(area.x + 2, y, part, look.style(role));
            y += 1;
        }
    }
}
