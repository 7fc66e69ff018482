//! A list as it is drawn. Only rows on the screen are made.

use std::cell::RefCell;

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as TextLine, Span},
};

use super::{
    column::{FIXED, Line, NAME, Sense, Shown},
    listed::Listed,
    rows::{thing_at, under},
    thing::{known, shown as safe},
    topics::subject,
};
use crate::{
    domain::Text,
    keymap::query::{Query, Search},
    state::{Grouping, ListGroup, ListRow, ListView, Model, Role},
    widgets::{
        Cell, Shape, Table, areas, cut, filter, put_lines, put_rule, put_wrapped,
        sign::{self, packed},
        spread,
        table::Over,
        width, within, words,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) heading: Rect,
    pub(crate) gaps: Rect,
    pub(crate) table: Rect,
    pub(crate) detail: Rect,
}

fn places(area: Rect, gaps: usize, detail_rows_max: u16) -> Places {
    let detail = match area.height {
        0..12 => 0,
        12..18 => 3,
        18..30 => 4,
        30.. => detail_rows_max,
    };
    let part = |y: u16, height: u16| Rect { y, height, ..area };
    let heading = part(area.y, 1.min(area.height));
    let most = if area.height < 12 { 1 } else { 3 };
    let gaps = u16::try_from(gaps).unwrap_or(most).min(most).min(area.height - heading.height);
    let gaps = part(heading.bottom(), gaps);
    let table = part(gaps.bottom(), (area.height - heading.height - gaps.height).saturating_sub(detail));
    Places { heading, gaps, table, detail: part(table.bottom(), detail.min(area.bottom() - table.bottom())) }
}

pub(crate) fn places_of(model: &Model, view: &ListView) -> Places {
    places(areas(model.size).content, view.gaps.len(), view.topic.list().head().manner.detail_rows_max)
}

pub(crate) fn height(model: &Model, view: &ListView) -> usize {
    usize::from(places_of(model, view).table.height).saturating_sub(1)
}

/// The columns as they are to be shown now in so many columns of the screen, by their places. The name has what it needs, up to its
/// share.
pub(crate) fn shown(model: &Model, view: &ListView, room: u16, height: usize) -> Vec<(usize, Shape<'static>)> {
    let list = view.topic.list();
    let is_old = |row: &ListRow| line_of(model, view, row).is_some_and(|line| line.is_stale && line.thing.has_age());
    let must_say_age = || view.rows.iter().skip(view.cursor.top).take(height).any(is_old);
    let mut all: Vec<(usize, Shape<'static>)> = Vec::with_capacity(list.columns());
    for at in 0..list.columns() {
        let (Some(title), Some(shape)) = (list.title(at), list.shape(at)) else { continue };
        let mut shape = *shape;
        let is_wanted = match title.shown {
            Shown::Always => true,
            Shown::Wide => view.wide || view.sort == at,
            Shown::Old if must_say_age() => {
                shape.weight = 9;
                true
            }
            Shown::Old => view.wide || view.sort == at,
        };
        if is_wanted {
            all.push((at, shape));
        }
    }
    let longest = model.shown_sites().map(|site| width(&site.environment.name.0)).max().unwrap_or(0);
    let environment = &mut all[1].1;
    environment.ideal = (longest as u16).clamp(3, 16);
    environment.min = environment.ideal.min(10);
    let shift = view.shifted.min(all.len() - FIXED - 1);
    all.drain(FIXED..FIXED + shift);
    let (part, of) = list.head().manner.name_share;
    let name = &mut all[NAME].1;
    name.ideal = view.longest.max(name.min);
    name.min = name.ideal.min((room * part / of).max(name.min));
    all
}

pub(crate) fn draw(model: &Model, view: &ListView, frame: &mut Frame<'_>, area: Rect) {
    let list = view.topic.list();
    let Places { heading, gaps, table, detail } = places(area, view.gaps.len(), list.head().manner.detail_rows_max);
    draw_heading(model, view, list, frame, heading);
    if view.rows.is_empty() {
        let below = Rect { y: heading.bottom() + 1, height: area.height.saturating_sub(heading.height + 1), ..area };
        return put_wrapped(frame, within(below, 2), &(list.head().manner.nothing)(model, view, list), model.look);
    }
    draw_gaps(model, view, frame, gaps);
    draw_table(model, view, list, frame, table);
    draw_detail(model, view, frame, detail);
}

fn line_of<'a>(model: &'a Model, view: &ListView, row: &ListRow) -> Option<Line<'a>> {
    let ListRow::Thing(at) = *row else { return None };
    let (site, thing) = thing_at(model, view.topic.list(), at)?;
    let severity = view.needs.get(&at).map(|(severity, _)| *severity);
    let is_selected = !view.selected.is_empty() && view.selected.contains(&known(site, thing));
    let is_stale = thing.is_stale(site, model.now);
    Some(Line { site, thing, at, severity, is_selected, is_stale, now: model.now, look: model.look })
}

fn draw_table(model: &Model, view: &ListView, list: &dyn Listed, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let shown = shown(model, view, area.width, usize::from(area.height));
    let shapes: Vec<Shape<'_>> = shown.iter().map(|(_, shape)| *shape).collect();
    let sorted = shown.iter().position(|(at, _)| *at == view.sort && view.sort != 0);
    // Upwards is what the sign means: the least first.
    let is_falling = list.title(view.sort).is_some_and(|title| title.order == Sense::Falling);
    let sorted = sorted.map(|at| (at, is_falling == view.reversed));
    let line = |row: usize| line_of(model, view, view.rows.get(row)?);
    let query = Query::parse(&view.filter);
    let search = (!query.is_empty()).then(|| RefCell::new(Search::default()));
    let cell = |row: usize, column: usize| {
        let at = shown[column].0;
        let cell = line(row).and_then(|line| Some((line, list.cell(&line, at)?)));
        let Some((line, cell)) = cell else { return Cell::new("", look.style(Role::Text)) };
        match &search {
            Some(search) if at == NAME => {
                cell.with_found(search.borrow_mut().positions(&query, &safe(line.thing.name())))
            }
            _ => cell,
        }
    };
    let over = |row: usize| -> Over<'_> {
        match view.rows.get(row)? {
            ListRow::Heading(at) => Some((0, heading_line(model, view, list, view.groups.get(*at as usize)?))),
            ListRow::Thing(_) => {
                let (words, role) = line(row)?.thing.instead()?;
                Some((FIXED, TextLine::from(Span::styled(words, look.style(role)))))
            }
        }
    };
    let table = Table { columns: &shapes, rows: view.rows.len(), cursor: Some(view.cursor), sorted, cell, look };
    table.draw_over(frame, area, over);
}

fn heading_line(model: &Model, view: &ListView, list: &dyn Listed, group: &ListGroup) -> TextLine<'static> {
    let look = model.look;
    let head = list.head();
    let sign = if group.folded { look.sign("▸", "+") } else { look.sign("▾", "-") };
    let mut spans = vec![Span::styled(format!("{sign} "), look.style(Role::Accent))];
    if let Some(site) = group.environment.as_ref().and_then(|environment| model.site(environment)) {
        spans.push(Span::styled(sign::environment(site, look), look.environment(&site.environment)));
    }
    let own = head.manner.groups.filter(|_| view.grouping == Grouping::Own);
    let name = group.name.as_deref().map(safe).or(own.map(|own| own.none.to_owned()));
    if let Some(name) = name {
        let gap = if group.environment.is_some() { "  " } else { "" };
        spans.push(Span::styled(format!("{gap}{name}"), look.style(Role::Strong)));
    }
    let mut words = format!("  {}", head.counted(group.things));
    let tallied = head.manner.group_tallies.unwrap_or(head.tallies.map(|(words, _)| ("", words)));
    for (number, (sign, told)) in group.tallies.into_iter().zip(tallied) {
        if number > 0 {
            words.push_str(&format!(", {sign}{} {told}", words::count(number)));
        }
    }
    spans.push(Span::styled(words, look.style(Role::Dim)));
    TextLine::from(spans)
}

/// What is shown, how, and as of when; or the filter being typed.
fn draw_heading(model: &Model, view: &ListView, list: &dyn Listed, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let (head, totals) = (list.head(), view.totals);
    if let Some(field) = &view.typing {
        return filter::draw(field, (totals.fitting, totals.all), frame, area, look);
    }
    // Nothing is known: that is not the same as nothing being there.
    let all = match totals.all == 0 && !view.gaps.is_empty() {
        true => format!("no {} seen", head.nouns[1]),
        false => head.counted(totals.all),
    };
    let mut left = vec![Span::styled(format!(" {all}"), look.style(Role::Strong))];
    let mut add = |text: String, role: Role| left.push(Span::styled(text, look.style(role)));
    for (number, (words, role)) in totals.tallies.into_iter().zip(head.tallies) {
        if number > 0 {
            add(format!(", {} {words}", words::count(number)), role);
        }
    }
    if !view.selected.is_empty() {
        add(format!("{}{} selected", look.dot(), words::count(view.selected.len() as u64)), Role::Accent);
    }
    if !view.filter.is_empty() {
        add(format!("{}{}", look.dot(), filter::words(&view.filter, totals.fitting)), Role::Accent);
    }
    if let Some(narrow) = head.manner.narrow.filter(|_| view.narrowed) {
        add(format!("{}{}", look.dot(), narrow.words[0]), Role::Accent);
    }
    add(format!("{}{}", look.dot(), order_in_words(view)), Role::Dim);
    match (view.grouping, head.manner.groups) {
        (Grouping::None, _) | (Grouping::Own, None) => {}
        (Grouping::Environment, _) => add(format!("{}by environment", look.dot()), Role::Dim),
        (Grouping::Own, Some(groups)) => add(format!("{}{}", look.dot(), groups.short), Role::Dim),
    }
    let mut right = (head.manner.beside)(model, head);
    right.push(Span::raw(" "));
    let line = spread(left, right, usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

pub(crate) fn order_in_words(view: &ListView) -> &'static str {
    view.topic.list().title(view.sort).map_or("", |title| title.words[usize::from(view.reversed)])
}

/// What is not known, a line for each; where there are more, the last says so.
fn draw_gaps(model: &Model, view: &ListView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let rows = usize::from(area.height);
    let hidden = view.gaps.len().saturating_sub(rows);
    for (at, (y, gap)) in (area.y..area.bottom()).zip(&view.gaps).enumerate() {
        let name = model.site(&gap.environment).map_or(safe(&gap.environment.0), |site| sign::environment(site, look));
        let more = if hidden > 0 && at + 1 == rows { format!(" (+{hidden} more)") } else { String::new() };
        let room = usize::from(area.width).saturating_sub(2 + width(&more));
        let words = format!("{name}: {}", gap.words);
        let text = format!("{}{more}", cut(&words, room, look));
        frame.buffer_mut().set_stringn(area.x + 1, y, text, usize::from(area.width), look.style(gap.role));
    }
}

/// The row under the cursor, whole: its name, why it needs somebody, figures with their times.
fn draw_detail(model: &Model, view: &ListView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    if area.height < 3 {
        return;
    }
    put_rule(frame, area, look.sign("╌", "."), look.style(Role::Line));
    let Some((site, thing)) = under(model, view) else { return };
    let room = usize::from(area.width).saturating_sub(2);
    let name = format!("{}{}{}", thing.whole_name(), look.dot(), sign::environment(site, look));
    let about = site.verdicts.iter().find(|verdict| {
        subject(&verdict.subject).is_some_and(|(topic, name)| topic == view.topic && thing.is_meant_by(&name))
    });
    let reason = about.map(|verdict| Text::line(verdict.reason.as_str()).to_string());
    let mut parts: Vec<String> = thing.trouble().or(reason).into_iter().collect();
    parts.extend(thing.in_short(model, site));
    let style = look.style(if thing.is_stale(site, model.now) { Role::Stale } else { Role::Dim });
    let mut lines = vec![(name, look.style(Role::Strong))];
    lines.extend(packed(&parts, look.dot(), room).into_iter().map(|line| (line, style)));
    let hidden = lines.len().saturating_sub(usize::from(area.height) - 1);
    if hidden > 0 {
        lines.truncate(lines.len() - hidden);
        if let Some((last, _)) = lines.last_mut() {
            last.push_str(look.ellipsis());
        }
    }
    put_lines(frame, Rect { y: area.y + 1, height: area.height - 1, ..within(area, 1) }, lines, look);
}
