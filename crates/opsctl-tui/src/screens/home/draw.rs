//! Home as it is drawn.

use jiff::SignedDuration;
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    domain::Text,
    journal::RunSummary,
    keymap::{Command, Scope},
    observe::{
        Kind, Verdict,
        words::{span, thousands},
    },
    operations::fitting::fitting,
    runbook::shelf::offer,
    screens::{
        home::{
            acknowledge,
            what::{queue_of, what},
        },
        runbooks::words::open_words,
        screen::{Able, Screen},
    },
    state::{HomeOrder, HomeView, Look, Model, Role, Site, Summary},
    widgets::{
        Align, Cell, Cut, Shape, Table, areas, busy_sign, cut, filter, oldest_seconds, put, put_lines, put_right,
        put_rule,
        sign::{sign, standing},
        spark, spread,
        text::row,
        width, within, wrap,
    },
};

const COLUMNS: [Shape<'_>; 5] = [
    Shape { title: "", min: 10, ideal: 10, align: Align::Left, cut: Cut::End, weight: 9 },
    Shape { title: "ENV", min: 7, ideal: 12, align: Align::Left, cut: Cut::End, weight: 10 },
    Shape { title: "WHAT", min: 14, ideal: 48, align: Align::Left, cut: Cut::Middle, weight: 8 },
    Shape { title: "WHY", min: 20, ideal: 140, align: Align::Left, cut: Cut::End, weight: 9 },
    Shape { title: "SINCE", min: 7, ideal: 8, align: Align::Right, cut: Cut::End, weight: 5 },
];

pub(crate) fn draw(model: &Model, view: &HomeView, frame: &mut Frame<'_>, area: Rect) {
    let Places { summary, table, detail } = places(area, model.shown_sites().count());
    draw_summaries(model, view, frame, summary);
    // The line between environments and rows; where there is none, the rows' titles give way.
    draw_heading(
        model,
        view,
        frame,
        Rect { y: table.y.saturating_sub(u16::from(summary.height > 0)), height: 1, ..table },
    );
    if view.rows.is_empty() {
        return draw_nothing(model, view, frame, Rect { height: table.height + detail.height, ..table });
    }
    draw_table(model, view, frame, table);
    draw_detail(model, view, frame, detail);
}

/// What is shown, where that is not everything worst first; or the filter being typed.
fn draw_heading(model: &Model, view: &HomeView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    if let Some(field) = &view.typing {
        return filter::draw(field, (view.rows.len(), view.all), frame, area, look);
    }
    let mut parts: Vec<(String, Role)> = Vec::new();
    if let Some(words) = left_open(model) {
        parts.push((words, Role::Warning));
    }
    if view.acknowledged_only {
        parts.push(("acknowledged only".to_owned(), Role::Accent));
    }
    if !view.filter.is_empty() {
        parts.push((filter::words(&view.filter, view.rows.len()), Role::Accent));
    }
    if view.order != HomeOrder::default() {
        parts.push((view.order.words().to_owned(), Role::Dim));
    }
    if view.acknowledged > 0 || view.acknowledged_only {
        let key = model.keymap.key_for(Scope::Home, Command::Acknowledged).unwrap_or("?");
        let shows = if view.acknowledged_only { "shows the rest" } else { "shows them" };
        parts.push((format!("{} acknowledged ({key} {shows})", thousands(view.acknowledged as u64)), Role::Accent));
    }
    let mut spans = vec![Span::raw(" ")];
    for (at, (text, role)) in parts.into_iter().enumerate() {
        spans.push(Span::styled(if at > 0 { look.dot() } else { "" }, look.style(Role::Dim)));
        spans.push(Span::styled(text, look.style(role)));
    }
    frame.buffer_mut().set_line(area.x, area.y, &Line::from(spans), area.width);
}

/// Runbooks that wait for a person, and the key that shows them.
fn left_open(model: &Model) -> Option<String> {
    let open: Vec<&RunSummary> = model.left_open().collect();
    let key = model.keymap.key_for(Scope::Everywhere, Command::Runbooks).unwrap_or("runbooks");
    let name = |run: &RunSummary| run.runbook().map(ToString::to_string).unwrap_or_default();
    let words = match open.as_slice() {
        [] => return None,
        [one] => format!("runbook {} is open: {} ({key} shows it)", name(one), open_words(one)),
        several => format!("{} runbooks are open and wait ({key} shows them)", several.len()),
    };
    Some(Text::line(&words).to_string())
}

/// Environment and name have what they need, the name a quarter of the room; the rest is for the reason.
fn columns(model: &Model, view: &HomeView, area: Rect) -> [Shape<'static>; 5] {
    let mut columns = COLUMNS;
    let environment = model.shown_sites().map(|site| width(&site.environment.name.0)).max().unwrap_or(0) as u16;
    (columns[1].min, columns[1].ideal) = (environment.clamp(3, 10), environment.clamp(3, 16));
    let shown = view.rows.iter().skip(view.cursor.top).take(usize::from(area.height));
    let name = shown.map(|row| width(&what(model, row))).max().unwrap_or(0).min(80) as u16;
    columns[2].ideal = name.max(columns[2].min).min((area.width * 2 / 5).max(columns[2].min));
    columns[2].min = columns[2].ideal.min((area.width / 4).max(columns[2].min));
    columns
}

/// How long it has been so, as far as that is known.
fn since(model: &Model, verdict: &Verdict) -> Option<String> {
    let ago = |at: jiff::Timestamp| span(model.now.duration_since(at));
    match (queue_of(model, verdict), verdict.kind) {
        (Some((_, seen)), Kind::ConsumerAbsent | Kind::Backlog) => seen.waiting_since.map(ago),
        (
            Some((_, seen)),
            Kind::Expires | Kind::Growing | Kind::RedrivenElsewhere | Kind::KeptTooShort | Kind::DeadLetters,
        ) => {
            let seconds = oldest_seconds(seen, model.now)?;
            Some(span(SignedDuration::from_secs(seconds.cast_signed())))
        }
        (None, Kind::Credentials | Kind::Unreachable) => {
            model.site(&verdict.environment)?.snapshot.as_ref()?.listing.at.map(ago)
        }
        _ => None,
    }
}

fn draw_table(model: &Model, view: &HomeView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let cell = |row: usize, column: usize| {
        let verdict = &view.rows[row];
        let (sign, role) = sign(verdict.severity, look);
        match column {
            0 => Cell::new(format!("{sign} {}", verdict.severity.into_str()), look.style(role)),
            1 => {
                let site = model.site(&verdict.environment);
                let name = site.map_or(verdict.environment.0.clone(), |site| look.environment_name(&site.environment));
                let style = site.map(|site| look.environment(&site.environment)).unwrap_or_default();
                Cell::new(Text::line(&name).to_string(), style)
            }
            2 => Cell::new(what(model, verdict), look.style(Role::Strong)),
            3 => {
                let is_old = |site: &Site| !matches!(standing(site, model.now).role, Role::Good | Role::Accent);
                let role = if model.site(&verdict.environment).is_some_and(is_old) { Role::Stale } else { Role::Text };
                let role = if verdict.subject.is_one() { role } else { Role::Text };
                Cell::new(Text::line(verdict.reason.as_str()).to_string(), look.style(role))
            }
            _ => match since(model, verdict) {
                Some(since) => Cell::new(since, look.style(Role::Text)),
                None => Cell::new("-", look.style(Role::Dim)),
            },
        }
    };
    let columns = columns(model, view, area);
    Table { columns: &columns, rows: view.rows.len(), cursor: Some(view.cursor), sorted: None, cell, look }
        .draw(frame, area);
}

fn draw_summaries(model: &Model, view: &HomeView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let lines = usize::from(area.height.saturating_sub(1));
    let shown = if view.summaries.len() > lines { lines.saturating_sub(1) } else { view.summaries.len() };
    let parts: Vec<[(String, Style); 4]> =
        view.summaries.iter().take(shown).filter_map(|summary| summary_parts(model, summary)).collect();
    let mut widths = [0; 4];
    for (at, columns) in widths.iter_mut().enumerate() {
        *columns = parts.iter().map(|parts| width(&parts[at].0)).max().unwrap_or(0).min(40);
    }
    let estates = view.summaries.iter().take(shown).map(|summary| estate_words(summary, area.width >= 130, look));
    let estate_width = estates.map(|words| words.iter().map(|(text, _)| width(text)).sum::<usize>()).max().unwrap_or(0);
    for ((y, parts), summary) in (area.y..).zip(parts).zip(&view.summaries) {
        let mut spans = vec![Span::raw(" ")];
        for (at, (text, style)) in parts.into_iter().enumerate() {
            let text = cut(&text, widths[at], look).into_owned();
            let gap = " ".repeat(widths[at].saturating_sub(width(&text)));
            // Numbers stand at the right; a name's colour ends with the name.
            let (before, after) = if at == 1 { (gap, String::new()) } else { (String::new(), gap) };
            spans.extend([Span::raw(before), Span::styled(text, style), Span::raw(after), Span::raw("  ")]);
        }
        let estate = estate_words(summary, area.width >= 130, look);
        let taken: usize = estate.iter().map(|(text, _)| width(text)).sum();
        spans.extend(estate.into_iter().map(|(text, role)| Span::styled(text, look.style(role))));
        // Sparklines stand under each other.
        spans.push(Span::raw(" ".repeat(estate_width.saturating_sub(taken))));
        let used: usize = spans.iter().map(Span::width).sum();
        if used + spark::COLUMNS < usize::from(area.width) {
            spans.push(Span::styled(spark::line(&summary.levels, look), look.style(Role::Accent)));
        }
        let line = spread(spans, Vec::new(), usize::from(area.width), look);
        frame.buffer_mut().set_line(area.x, y, &line, area.width);
    }
    if shown < view.summaries.len() {
        let key = model.keymap.key_for(Scope::Home, Command::Environment).unwrap_or("E");
        let more = format!(" and {} more: {key} shows them one by one", view.summaries.len() - shown);
        put(frame, row(area, shown as u16), &more, look.style(Role::Dim), look);
    }
}

/// Services, databases and alarms as far as they are known: those that stand as they shall not first of all.
fn estate_words(summary: &Summary, is_wide: bool, look: Look) -> Vec<(String, Role)> {
    let [services, databases, alarms] = summary.estate;
    let mut parts: Vec<(String, Role)> = Vec::new();
    for (totals, long, short, told) in [
        (services, ["service", "services"], ["svc", "svcs"], ["failing", "asleep"]),
        (databases, ["database", "databases"], ["DB", "DBs"], ["down", "paused"]),
    ] {
        let Some(totals) = totals.filter(|totals| totals.all > 0) else { continue };
        let noun = if is_wide { long } else { short }[usize::from(totals.all != 1)];
        parts.push((format!("{} {noun}", thousands(totals.all as u64)), Role::Text));
        for ((number, told), role) in totals.tallies.into_iter().zip(told).zip([Role::Warning, Role::Text]) {
            parts.extend((number > 0).then(|| (format!("{} {told}", thousands(number)), role)));
        }
    }
    if let Some(totals) = alarms.filter(|totals| totals.tallies[0] > 0) {
        parts.push((format!("{} in alarm", thousands(totals.tallies[0])), Role::Warning));
    }
    let mut spans = Vec::new();
    for (at, (text, role)) in parts.into_iter().enumerate() {
        if at > 0 {
            spans.push((look.dot().to_owned(), Role::Dim));
        }
        spans.push((text, role));
    }
    if !spans.is_empty() {
        spans.push(("  ".to_owned(), Role::Text));
    }
    spans
}

fn summary_parts(model: &Model, summary: &Summary) -> Option<[(String, Style); 4]> {
    let look = model.look;
    let site = model.site(&summary.environment)?;
    let count = |number: usize| thousands(number as u64);
    let queues = match summary.queues {
        None => "- queues".to_owned(),
        Some(1) => "1 queue ".to_owned(),
        Some(queues) => format!("{} queues", count(queues)),
    };
    let dead = match (summary.queues, summary.full) {
        (None, _) => String::new(),
        (Some(_), 0) => "no dead letters".to_owned(),
        (Some(_), 1) => format!("1 DLQ holds ~{}", thousands(summary.dead_letters)),
        (Some(_), full) => format!("{} DLQs hold ~{}", count(full), thousands(summary.dead_letters)),
    };
    let mut standing = summary.standing.words.clone();
    if summary.standing.busy {
        standing = format!("{} {standing}", busy_sign(model));
    }
    for (number, word) in [(summary.denied, "denied"), (summary.silent, "silent")] {
        if number > 0 {
            standing.push_str(&format!("{}{} {word}", look.dot(), count(number)));
        }
    }
    let dead_role = if summary.full > 0 { Role::Text } else { Role::Dim };
    Some([
        (Text::line(&look.environment_name(&site.environment)).into(), look.environment(&site.environment)),
        (queues, look.style(Role::Text)),
        (dead, look.style(dead_role)),
        (standing, look.style(summary.standing.role)),
    ])
}

fn draw_detail(model: &Model, view: &HomeView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let Some(verdict) = view.rows.get(view.cursor.at).filter(|_| area.height >= 3) else { return };
    let room = usize::from(area.width).saturating_sub(2);
    put_rule(frame, area, look.sign("╌", "."), look.style(Role::Line));
    let position = format!(" {} of {} ", view.cursor.at + 1, thousands(view.rows.len() as u64));
    put_right(frame, area, &position, look.style(Role::Dim));
    let reasons = usize::from(area.height).saturating_sub(3);
    let (sign, role) = sign(verdict.severity, look);
    if reasons > 0 {
        let place = model.site(&verdict.environment).map(|site| {
            let account = site.environment.account.as_ref().map(|account| format!(" {account}")).unwrap_or_default();
            Text::line(&format!("{}{account} {}", look.environment_name(&site.environment), site.environment.region))
        });
        let name = cut(&what(model, verdict), room.saturating_sub(30), look).into_owned();
        let line = Line::from(vec![
            Span::styled(format!("{sign} "), look.style(role)),
            Span::styled(name, look.style(Role::Strong)),
            Span::styled(format!("{}{}", look.dot(), place.unwrap_or_default()), look.style(Role::Dim)),
        ]);
        frame.buffer_mut().set_line(area.x + 1, area.y + 1, &line, room as u16);
    }
    let from = 1 + u16::from(reasons > 0);
    // What was said of it matters more than why it stands where it stands.
    let ranked = (!verdict.rank.why.is_empty()).then(|| format!("ranked by: {}", verdict.rank.why));
    let below = acknowledge::words(model, verdict).or(ranked).filter(|_| reasons > 1);
    let mut lines = wrap(Text::line(verdict.reason.as_str()).as_str(), room);
    let most = reasons.saturating_sub(usize::from(below.is_some())).max(1);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}{}", cut(last, room.saturating_sub(1), look), look.ellipsis());
        }
    }
    let lines = lines.into_iter().map(|line| (line, look.style(Role::Text)));
    let below = below.map(|line| (Text::line(&line).to_string(), look.style(Role::Dim)));
    let middle = Rect { y: area.y + from, height: (area.height - 1).saturating_sub(from), ..within(area, 1) };
    put_lines(frame, middle, lines.chain(below), look);
    frame.buffer_mut().set_line(area.x + 1, area.bottom() - 1, &ways(model, view, verdict), room as u16);
}

/// `enter look at why   R redrive   d details`.
fn ways(model: &Model, view: &HomeView, verdict: &Verdict) -> Line<'static> {
    let look = model.look;
    let Some(snapshot) = model.site(&verdict.environment).and_then(|site| site.snapshot.as_ref()) else {
        return Line::default();
    };
    let fitting = fitting(verdict, snapshot);
    let runbook = offer(model.shelved(), verdict).map(|offer| format!("runbook {}", Text::line(&offer.runbook)));
    let mut ways = vec![(Command::Open, fitting.open)];
    ways.extend(fitting.operation.map(|(kind, words)| (Command::Operate(kind), words)));
    ways.extend(runbook.as_deref().map(|words| (Command::RunRunbook, words)));
    ways.extend(verdict.subject.is_one().then_some((Command::Details, "details")));
    if !verdict.subject.is_one() && verdict.kind == Kind::Credentials {
        ways.push((Command::Copy, "copy what to run"));
    }
    let mut spans = Vec::new();
    for (command, words) in ways {
        let Some(key) = model.keymap.key_for(Scope::Home, command) else { continue };
        let able = view.able(model, command);
        let role = if able == Able::Yes { Role::Text } else { Role::Dim };
        spans.push(Span::styled(key.to_owned(), look.style(if able == Able::Yes { Role::Key } else { Role::Dim })));
        let because = match &able {
            Able::No(because) => format!(" ({because})"),
            Able::Yes | Able::NotHere => String::new(),
        };
        spans.push(Span::styled(format!(" {words}{because}   "), look.style(role)));
    }
    Line::from(spans)
}

fn draw_nothing(model: &Model, view: &HomeView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let known: usize = view.summaries.iter().filter_map(|summary| summary.queues).sum();
    let awaited = view.summaries.iter().any(|summary| summary.queues.is_none());
    let unseen: usize = model.shown_sites().filter_map(|site| Some(site.snapshot.as_ref()?.listing.unseen)).sum();
    let names: Vec<String> =
        view.summaries.iter().map(|summary| Text::line(&summary.environment.0).to_string()).collect();
    let names = match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "no environment".to_owned(),
    };
    let key = |command: Command| model.keymap.key_for(Scope::Home, command).unwrap_or("?");
    let (title, role, text) = if !view.filter.is_empty() && view.all > 0 {
        let text = filter::nothing("row", &view.filter, key(Command::Back));
        ("Nothing fits the filter".to_owned(), Role::Strong, text)
    } else if view.acknowledged_only {
        let text = format!(
            "{} acknowledges what the cursor is on, {} shows what needs you.",
            key(Command::Acknowledge),
            key(Command::Acknowledged)
        );
        ("Nothing is acknowledged".to_owned(), Role::Strong, text)
    } else if view.acknowledged > 0 && !awaited && unseen == 0 {
        let text =
            format!("{} acknowledged; {} shows what.", thousands(view.acknowledged as u64), key(Command::Acknowledged));
        ("Nothing else needs you".to_owned(), Role::Good, text)
    } else if awaited && known == 0 {
        let title = format!("{} Asking for the queues of {names} …", busy_sign(model));
        (title, Role::Accent, "What needs you is shown here as soon as the first answers come.".to_owned())
    } else if awaited || unseen > 0 {
        let title = format!("{} Nothing needs you so far", busy_sign(model));
        let left = if unseen > 0 {
            format!("{} of {}", thousands(unseen as u64), thousands(known as u64))
        } else {
            "some".to_owned()
        };
        (title, Role::Accent, format!("Still to be looked at: {left} queues of {names}."))
    } else {
        let oldest = view.summaries.iter().filter_map(|summary| summary.oldest).min();
        let age = oldest.map_or(String::new(), |at| {
            format!(" Every figure is from the last {}.", span(model.now.duration_since(at)))
        });
        let dark: usize = view.summaries.iter().map(|summary| summary.denied + summary.silent).sum();
        let dark = if dark > 0 {
            format!(" {} of them could not be looked at.", thousands(dark as u64))
        } else {
            String::new()
        };
        let queues = if known == 1 { "1 queue".to_owned() } else { format!("{} queues", thousands(known as u64)) };
        let text =
            format!("{queues} of {names} were looked at: no dead letters, no backlog, nobody missing.{dark}{age}");
        ("Nothing needs you".to_owned(), Role::Good, text)
    };
    let hint = format!("{} shows every queue, {} every key", key(Command::Queues), key(Command::Help));
    let columns = usize::from(area.width).saturating_sub(4).min(76);
    let mut lines = vec![
        (title, look.style(role).add_modifier(ratatui::style::Modifier::BOLD)),
        (String::new(), look.style(Role::Text)),
    ];
    lines.extend(wrap(&text, columns).into_iter().map(|line| (line, look.style(Role::Text))));
    lines.push((String::new(), look.style(Role::Text)));
    lines.push((hint, look.style(Role::Dim)));
    let from = (area.height / 3).saturating_sub(2).max(1);
    let below = Rect { y: area.y + from, height: area.height.saturating_sub(from), ..area };
    put_lines(frame, within(below, 2), lines, look);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) summary: Rect,
    pub(super) table: Rect,
    pub(super) detail: Rect,
}

/// Rows of the detail area: a rule, what and where, three lines of reason, keys.
const DETAIL: u16 = 6;

pub(super) fn places(area: Rect, environments: usize) -> Places {
    // The list comes first: it keeps at least half of the room.
    let detail = if area.height >= 14 { DETAIL } else { area.height.min(if area.height >= 9 { 3 } else { 0 }) };
    let wanted = u16::try_from(environments).unwrap_or(u16::MAX).saturating_add(1);
    let room = (area.height - detail).saturating_sub(6);
    let summary = if room >= 2 { wanted.min(room.max(2)).min(area.height / 3) } else { 0 };
    let part = |y: u16, height: u16| Rect { y, height, ..area };
    let table = part(area.y + summary, area.height - summary - detail);
    Places { summary: part(area.y, summary), table, detail: part(table.bottom(), detail) }
}

pub(super) fn places_of(model: &Model) -> Places {
    places(areas(model.size).content, model.shown_sites().count())
}

pub(super) fn height(model: &Model) -> usize {
    usize::from(places_of(model).table.height).saturating_sub(1)
}
