//! The lists as they are drawn. Only rows on the screen are made.

use std::cell::RefCell;

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as TextLine, Span},
};

use super::{
    EstateView, Group, Grouping, Item, Places, Row, Topic, alarms,
    columns::{Line, Listed, ago, is_stale},
    consumers, databases, item, items, known, places, services, sheets, under,
};
use crate::{
    domain::Text,
    filter,
    fit::{cut, spread, width, wrap},
    keymap::{
        Command,
        query::{Query, Search},
    },
    model::{Model, Site},
    observe::words::thousands,
    standing::{Needs, busy_sign, standing},
    table::{Cell, Column, Over, Table},
    theme::Role,
};

/// Columns that never move: sign, environment, name.
pub(super) const FIXED: usize = 3;

/// The columns as they are to be shown now. The name has what it needs, up to a third.
pub(super) fn shown(model: &Model, view: &EstateView, room: u16) -> Vec<Listed> {
    let mut all: Vec<Listed> =
        view.topic.columns().into_iter().filter(|listed| view.wide || !listed.wide || listed.at == view.sort).collect();
    let longest = model.shown_sites().map(|site| width(&site.environment.name.0)).max().unwrap_or(0);
    let environment = &mut all[1].column;
    environment.ideal = (longest as u16).clamp(3, 16);
    environment.min = environment.ideal.min(10);
    let shift = view.shifted.min(all.len() - FIXED - 1);
    all.drain(FIXED..FIXED + shift);
    let name = &mut all[FIXED - 1].column;
    name.ideal = view.longest.max(name.min);
    name.min = name.ideal.min((room / 3).max(name.min));
    all
}

/// Draws it.
pub(crate) fn draw(model: &Model, view: &EstateView, frame: &mut Frame<'_>, area: Rect) {
    let Places { heading, gaps, table, detail } = places(area, view.gaps.len());
    draw_heading(model, view, frame, heading);
    if view.rows.is_empty() {
        return draw_nothing(
            model,
            view,
            frame,
            Rect { y: heading.bottom(), height: area.height - heading.height, ..area },
        );
    }
    draw_gaps(model, view, frame, gaps);
    draw_table(model, view, frame, table);
    draw_detail(model, view, frame, detail);
}

fn line_of<'a>(model: &'a Model, view: &EstateView, row: &Row) -> Option<Line<'a>> {
    let Row::Item(at) = row else { return None };
    let (site, item) = item(model, view.topic, *at)?;
    let severity = view.needs.get(at).map(|(severity, _)| *severity);
    let is_selected = !view.selected.is_empty() && view.selected.contains(&(site.environment.name.clone(), item.id()));
    let is_stale = is_old(model, view.topic, site, item);
    Some(Line { site, item, severity, is_selected, is_stale, now: model.now, look: model.look })
}

/// Whether what is shown of it is old.
pub(super) fn is_old(model: &Model, topic: Topic, site: &Site, item: Item<'_>) -> bool {
    let Some(snapshot) = &site.snapshot else { return true };
    let parts = known(&snapshot.estate, topic);
    if let Item::Service(seen) = item
        && seen.seen_at.is_some()
    {
        // Its cluster did not answer, though others did.
        return true;
    }
    let part = match item {
        Item::Lag(_) => parts.last(),
        Item::Service(_) | Item::Database(_) | Item::Alarm(_) | Item::Mapping(_) => parts.first(),
    };
    part.is_none_or(|part| is_stale(site, part.at, part.error.is_some(), model.now))
}

fn cell_of<'a>(line: &Line<'a>, column: usize) -> Cell<'a> {
    if let Some(cell) = line.common(column) {
        return cell;
    }
    let Some(snapshot) = &line.site.snapshot else { return line.dim("") };
    match line.item {
        Item::Service(seen) => services::cell(line, seen, &snapshot.estate, column),
        Item::Database(seen) => databases::cell(line, seen, column),
        Item::Alarm(alarm) => alarms::cell(line, alarm, column),
        Item::Mapping(mapping) => consumers::cell(line, mapping, column),
        Item::Lag(lag) => consumers::cell_of_lag(line, lag, column),
    }
}

fn draw_table(model: &Model, view: &EstateView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let shown = shown(model, view, area.width);
    let columns: Vec<Column<'_>> = shown.iter().map(|listed| listed.column).collect();
    let sorted = shown.iter().position(|listed| listed.at == view.sort && view.sort != 0);
    // What is named by its most stands downwards.
    let is_down = |listed: &Listed| {
        ["most", "latest", "largest", "highest", "fastest", "furthest", "deployed last", "changed last"]
            .iter()
            .any(|word| listed.words[0].starts_with(word))
    };
    let sorted = sorted.map(|at| (at, is_down(&shown[at]) == view.reversed));
    let line = |row: usize| line_of(model, view, view.rows.get(row)?);
    let query = Query::parse(&view.filter);
    let search = (!query.is_empty()).then(|| RefCell::new(Search::default()));
    let cell = |row: usize, column: usize| {
        let Some(line) = line(row) else { return Cell::new("", look.style(Role::Text)) };
        let at = shown[column].at;
        let cell = cell_of(&line, at);
        match (&search, at) {
            (Some(search), 2) => cell.with_found(search.borrow_mut().positions(&query, &line.item.name())),
            _ => cell,
        }
    };
    let over = |row: usize| -> Over<'_> {
        match view.rows.get(row)? {
            Row::Heading(at) => Some((0, heading_line(model, view, view.groups.get(*at as usize)?))),
            Row::Item(_) => None,
        }
    };
    let table = Table { columns: &columns, rows: view.rows.len(), cursor: Some(view.cursor), sorted, cell, look };
    table.draw_over(frame, area, over);
}

fn heading_line(model: &Model, view: &EstateView, group: &Group) -> TextLine<'static> {
    let look = model.look;
    let sign = if group.folded { look.sign("▸", "+") } else { look.sign("▾", "-") };
    let mut spans = vec![Span::styled(format!("{sign} "), look.style(Role::Accent))];
    if let Some(site) = model.site(&group.environment) {
        let name = Text::line(&look.environment_name(&site.environment)).to_string();
        spans.push(Span::styled(name, look.environment(&site.environment)));
    }
    let name = match (&group.name, view.grouping) {
        (Some(name), _) => format!("  {}", Text::line(name)),
        (None, Grouping::Group) => "  in no group".to_owned(),
        (None, Grouping::Environment | Grouping::None) => String::new(),
    };
    spans.push(Span::styled(name, look.style(Role::Strong)));
    let mut words = format!("  {}", view.topic.counted(group.items));
    for (number, what) in [(group.unwell, view.topic.unwell()), (group.resting, view.topic.resting())] {
        if number > 0 {
            words.push_str(&format!(", {} {what}", thousands(number as u64)));
        }
    }
    spans.push(Span::styled(words, look.style(Role::Dim)));
    TextLine::from(spans)
}

/// What is shown, how, and as of when; or the filter being typed.
fn draw_heading(model: &Model, view: &EstateView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let totals = view.totals;
    if let Some(field) = &view.typing {
        return filter::draw(field, (totals.fitting, totals.all), frame, area, look);
    }
    // Nothing is known: that is not the same as nothing being there.
    let all = if totals.all == 0 && !view.gaps.is_empty() {
        format!("no {} seen", view.topic.nouns()[1])
    } else {
        view.topic.counted(totals.all)
    };
    let mut left = vec![Span::styled(format!(" {all}"), look.style(Role::Strong))];
    let mut add = |text: String, role: Role| left.push(Span::styled(text, look.style(role)));
    if totals.unwell > 0 {
        add(format!(", {} {}", thousands(totals.unwell as u64), view.topic.unwell()), Role::Warning);
    }
    if totals.resting > 0 {
        add(format!(", {} {}", thousands(totals.resting as u64), view.topic.resting()), Role::Text);
    }
    if !view.selected.is_empty() {
        add(format!("{}{} selected", look.dot(), thousands(view.selected.len() as u64)), Role::Accent);
    }
    if !view.filter.is_empty() {
        add(format!("{}{}", look.dot(), filter::words(&view.filter, totals.fitting)), Role::Accent);
    }
    add(format!("{}{}", look.dot(), view.order_in_words()), Role::Dim);
    match view.grouping {
        Grouping::None => {}
        Grouping::Environment => add(format!("{}by environment", look.dot()), Role::Dim),
        Grouping::Group => add(format!("{}by group", look.dot()), Role::Dim),
    }
    let mut right = as_of(model, view.topic);
    right.push(Span::raw(" "));
    let line = spread(left, right, usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// When the oldest of what is shown was seen, and whether it is being asked for.
fn as_of(model: &Model, topic: Topic) -> Vec<Span<'static>> {
    let look = model.look;
    let snapshots = || model.shown_sites().filter_map(|site| site.snapshot.as_ref());
    let parts = || snapshots().flat_map(|snapshot| known(&snapshot.estate, topic));
    let rows = || snapshots().filter(|_| topic == Topic::Services).filter_map(|all| all.estate.services.oldest_at());
    let oldest = parts().filter_map(|part| part.at).chain(rows()).min();
    let mut spans = Vec::new();
    if let Some(at) = oldest {
        spans.push(Span::styled(format!("  seen {} ago", ago(at, model.now)), look.style(Role::Dim)));
    }
    if parts().any(|part| part.busy && part.at.is_none()) || (oldest.is_none() && snapshots().next().is_none()) {
        spans.push(Span::styled(format!("  {} asking", busy_sign(model)), look.style(Role::Accent)));
    }
    spans
}

/// What is not known, a line for each; where there are more, the last says so.
fn draw_gaps(model: &Model, view: &EstateView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let rows = usize::from(area.height);
    let hidden = view.gaps.len().saturating_sub(rows);
    for (at, (y, gap)) in (area.y..area.bottom()).zip(&view.gaps).enumerate() {
        let name = model
            .site(&gap.environment)
            .map_or(gap.environment.0.clone(), |site| look.environment_name(&site.environment));
        let more = if hidden > 0 && at + 1 == rows { format!(" (+{hidden} more)") } else { String::new() };
        let room = usize::from(area.width).saturating_sub(2 + width(&more));
        let words = format!("{}: {}", Text::line(&name), gap.words);
        let text = format!("{}{more}", cut(&words, room, look));
        frame.buffer_mut().set_stringn(area.x + 1, y, text, usize::from(area.width), look.style(gap.role));
    }
}

/// The row under the cursor, whole: its name, why it needs somebody, figures with their times.
fn draw_detail(model: &Model, view: &EstateView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    if area.height < 3 {
        return;
    }
    let rule = look.sign("╌", ".").repeat(usize::from(area.width));
    frame.buffer_mut().set_string(area.x, area.y, rule, look.style(Role::Line));
    let Some((site, item)) = under(model, view) else { return };
    let room = usize::from(area.width).saturating_sub(2);
    let environment = Text::line(&look.environment_name(&site.environment));
    let name = format!("{}{}{environment}", sheets::whole_name(item), look.dot());
    let mut parts: Vec<String> = Vec::new();
    let on_it =
        |verdict: &&crate::observe::Verdict| view.topic.id_in(&verdict.subject).is_some_and(|id| item.is_meant_by(&id));
    parts.extend(site.verdicts.iter().find(on_it).map(|verdict| Text::line(verdict.reason.as_str()).to_string()));
    parts.extend(sheets::in_short(model, site, item));
    let style = look.style(if is_old(model, view.topic, site, item) { Role::Stale } else { Role::Dim });
    let mut lines = vec![(name, look.style(Role::Strong))];
    lines.extend(packed(&parts, look.dot(), room).into_iter().map(|line| (line, style)));
    let hidden = lines.len().saturating_sub(usize::from(area.height) - 1);
    if hidden > 0 {
        lines.truncate(lines.len() - hidden);
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
fn draw_nothing(model: &Model, view: &EstateView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let topic = view.topic;
    let [one, many] = topic.nouns();
    let key = |command: Command| model.keymap.key_for(topic.scope(), command).unwrap_or("?").to_owned();
    let mut lines: Vec<(String, Role)> = Vec::new();
    for site in model.shown_sites() {
        let name = Text::line(&look.environment_name(&site.environment)).to_string();
        let gaps = view.gaps.iter().filter(|gap| gap.environment == site.environment.name);
        let before = lines.len();
        lines.extend(gaps.map(|gap| (format!("{name}: {}", gap.words), gap.role)));
        if let Needs::Credentials(hint) | Needs::Reaching(hint) = standing(site, model.now).needs {
            lines.push((format!("  try: {hint}"), Role::Text));
        } else if let Some(hint) = denied(site, topic) {
            lines.push((format!("  try: {hint}"), Role::Text));
        }
        if lines.len() == before {
            lines.push((format!("{name}: {}", topic.counted(items(site, topic).count())), Role::Dim));
        }
    }
    let unknown = view.gaps.iter().any(|gap| gap.role == Role::Warning);
    let awaited = view.gaps.iter().any(|gap| gap.role == Role::Dim);
    let title = if view.totals.all > 0 {
        filter::nothing(one, &view.filter, &key(Command::Back))
    } else if awaited {
        format!("{} No {one} is known yet", busy_sign(model))
    } else if unknown {
        format!("Whether there are {many} is not known")
    } else {
        format!("There are no {many} in the environments shown")
    };
    lines.insert(0, (title, Role::Strong));
    lines.insert(1, (String::new(), Role::Text));
    let mut y = area.y + 1;
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

/// What to try where a part could not be asked for.
fn denied(site: &Site, topic: Topic) -> Option<Text> {
    let snapshot = site.snapshot.as_ref()?;
    let error = known(&snapshot.estate, topic).into_iter().find_map(|part| part.error)?;
    Some(Text::line(&error.hint(&site.environment)))
}
