//! The letters' screen: head, filter line, list, and below what the next key does.
//!
//! ```text
//!  PROD  payments-dlq  of payments              ~4,812 messages · oldest 3 d 4 h · expires in 9 h
//!  looked at 200 of ~4,812, 12 s ago, at one receive each · + looks at 500                3 selected
//!  list
//! ──────────────────────────────────────────────────────────────────────────────────────────────
//!  R        redrives these 57 and all others in the queue that fit this filter
//!  filter   .body.error.code == "TIMEOUT"
//!  example  {"orderId": ...
//! ```

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    domain::Text,
    keymap::Command,
    leave::{Force, NoLeave},
    observe::{Seen, words::about_messages},
    run::Failure,
    screens::{
        letters::{
            group_list,
            looks::leave,
            message_list,
            places::{self, dead_letter, environment, error_lines, key, seen},
        },
        screen::{Able, Screen},
    },
    state::{Letters, LettersView, Level, Load, Look, Model, Role},
    widgets::{is_soon, put, spread, text::row, width, words, wrap},
};

/// With fewer columns times are said in one unit.
const COLUMNS_FEW: u16 = 100;

pub(crate) fn draw(model: &Model, view: &LettersView, frame: &mut Frame<'_>, area: Rect) {
    let places = places::places(area, view);
    head(model, view, frame, places.head);
    let letters = view.letters.shown().filter(|letters| !letters.messages.is_empty());
    let Some(letters) = letters else {
        let y = places.head.bottom() + 1;
        return instead(model, view, frame, Rect { y, height: area.bottom().saturating_sub(y), ..area });
    };
    filter_line(model, view, frame, places.filter);
    match view.level {
        Level::Groups => group_list::draw(model, view, letters, frame, places.table, places.pane),
        Level::Messages => message_list::draw(model, view, letters, frame, places.table, places.pane),
    }
}

fn head(model: &Model, view: &LettersView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let columns = usize::from(area.width);
    let dim = look.style(Role::Dim);
    let mut left = vec![Span::raw(" ")];
    if let Some(environment) = environment(model, &view.environment) {
        left.push(Span::styled(format!(" {} ", look.environment_name(environment)), look.environment(environment)));
        left.push(Span::raw(" "));
    }
    left.push(Span::styled(Text::line(view.queue.as_str()).to_string(), look.style(Role::Strong)));
    let known = seen(model, &view.environment, &view.queue);
    let sources = known.and_then(|seen| seen.dead_letters.as_ref()).map(|dead| dead.sources.as_slice());
    if let Some(sources) = sources.filter(|sources| !sources.is_empty()) {
        let names: Vec<&str> = sources.iter().take(3).map(|name| name.as_str()).collect();
        let more = if sources.len() > 3 { format!(" and {} more", sources.len() - 3) } else { String::new() };
        left.push(Span::styled(Text::line(&format!("  of {}{more}", names.join(", "))).to_string(), dim));
    }
    let line = spread(left, figures(model, view, known), columns, look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
    if area.height > 1 {
        let line = spread(second(model, view, known), second_right(model, view), columns, look);
        frame.buffer_mut().set_line(area.x, area.y + 1, &line, area.width);
    }
    if let (Load::Failed(failure, Some(_)), true) = (&view.letters, area.height > 2) {
        let text = format!(" try: {}", failure.hint);
        put(frame, row(area, 2), &text, look.style(Role::Text), look);
    }
}

/// Count, age of the oldest, and what is left of its life.
fn figures(model: &Model, view: &LettersView, known: Option<&Seen>) -> Vec<Span<'static>> {
    let look = model.look;
    let is_narrow = model.size.0 < COLUMNS_FEW;
    let span = if is_narrow { words::short } else { words::duration };
    let mut spans = vec![Span::raw("  ")];
    let mut part = |text: String, role: Role| {
        if spans.len() > 1 {
            spans.push(Span::styled(look.dot(), look.style(Role::Dim)));
        }
        spans.push(Span::styled(text, look.style(role)));
    };
    let is_old = known.is_some_and(|seen| seen.error.is_some());
    if let Some(messages) = known.and_then(Seen::messages) {
        let role = if is_old { Role::Stale } else { Role::Accent };
        let text = if is_narrow { words::about(messages) } else { about_messages(messages) };
        part(text, role);
    }
    if let Some((age, retention)) = oldest(model, view, known) {
        let left = retention - age;
        let role = if is_losing(model, view, retention, left) { Role::Critical } else { Role::Text };
        part(format!("oldest {}", span(age)), Role::Text);
        let words = if left > 0 { format!("expires in {}", span(left)) } else { "expiring now".to_owned() };
        part(words, role);
    }
    spans.push(Span::raw(" "));
    spans
}

/// Age of the oldest message known, by metric or in the look, and how long the queue keeps one, in seconds.
fn oldest(model: &Model, view: &LettersView, known: Option<&Seen>) -> Option<(i64, i64)> {
    let letters = view.letters.shown();
    let sent = letters.and_then(|letters| letters.messages.iter().filter_map(|message| message.system.sent_at).min());
    let looked = sent.map(|sent| words::seconds_since(sent, model.now));
    let is_empty = known.and_then(Seen::messages) == Some(0);
    let metric = known.and_then(|seen| seen.oldest).filter(|_| !is_empty).map(|oldest| {
        i64::try_from(oldest.seconds).unwrap_or(i64::MAX).saturating_add(words::seconds_since(oldest.at, model.now))
    });
    let age = looked.into_iter().chain(metric).max()?;
    let queue = known.and_then(|seen| seen.queue.as_ref());
    let retention = queue.map(|queue| queue.retention_seconds).or(letters.map(|letters| letters.retention_seconds))?;
    Some((age, i64::try_from(retention).unwrap_or(i64::MAX)))
}

/// What was looked at and when, or why not again.
fn second(model: &Model, view: &LettersView, known: Option<&Seen>) -> Vec<Span<'static>> {
    let look = model.look;
    let dim = look.style(Role::Dim);
    let mut spans = vec![Span::raw(" ")];
    let age = |letters: &Letters| words::duration(words::seconds_since(letters.at, model.now));
    match &view.letters {
        Load::Idle | Load::Waiting(_, None) | Load::Failed(_, None) => {}
        Load::Waiting(_, Some(letters)) => {
            let text = format!(
                "looking again at up to {} messages; shown is what was seen {} ago",
                words::count(view.asked as u64),
                age(letters)
            );
            spans.push(Span::styled(text, look.style(Role::Accent)));
        }
        Load::Failed(failure, Some(letters)) => {
            let text = format!("shown is what was seen {} ago: {}", age(letters), failure.what);
            spans.push(Span::styled(text, look.style(Role::Warning)));
        }
        Load::Here(letters) if letters.messages.is_empty() => {
            spans.push(Span::styled(format!("looked {} ago", age(letters)), dim));
        }
        Load::Here(letters) => {
            let of = known.and_then(Seen::messages).filter(|messages| *messages > letters.messages.len() as u64);
            let of = of.map(|messages| format!(" of {}", words::about(messages))).unwrap_or_default();
            let looked = words::count(letters.messages.len() as u64);
            spans.push(Span::styled(format!("looked at {looked}{of}, {} ago", age(letters)), dim));
            if was_changed(model, view, letters) {
                let text = format!("a run has worked here since: {} looks again", key(model, Command::Refresh));
                spans.push(Span::styled(look.dot(), dim));
                spans.push(Span::styled(text, look.style(Role::Warning)));
            } else {
                spans.push(Span::styled(", at one receive each", dim));
                if !of.is_empty() && view.able(model, Command::LookMore) == Able::Yes {
                    let more = view.more().map_or(String::new(), |more| words::count(more as u64));
                    spans.push(Span::styled(look.dot(), dim));
                    spans.push(Span::styled(key(model, Command::LookMore), look.style(Role::Key)));
                    spans.push(Span::styled(format!(" looks at {more}"), dim));
                }
            }
        }
    }
    spans
}

/// Whether a run of this console began on this queue after the look.
fn was_changed(model: &Model, view: &LettersView, letters: &Letters) -> bool {
    model.runs.iter().any(|run| {
        run.plan.environment == view.environment
            && run.plan.resource.as_str() == Text::line(view.queue.as_str()).as_str()
            && run.started_at >= letters.at
    })
}

fn second_right(model: &Model, view: &LettersView) -> Vec<Span<'static>> {
    let marked = marked(model, view);
    match marked.is_empty() {
        true => Vec::new(),
        false => vec![Span::styled(format!("  {marked} "), model.look.style(Role::Accent))],
    }
}

fn filter_line(model: &Model, view: &LettersView, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let look = model.look;
    let row = Rect { x: area.x + 1, width: area.width.saturating_sub(1), height: 1, ..area };
    let note = filter_note(model, view);
    let note_columns = (width(&note) + 2) as u16;
    let has_room = row.width > note_columns + 24;
    let field = if has_room { Rect { width: row.width - note_columns, ..row } } else { row };
    match (&view.typing, &view.filter) {
        (Some(typing), _) => typing.draw("/ ", frame, field, look.style(Role::Text), look),
        (None, Some(filter)) => {
            put(frame, field, &format!("/ {}", Text::line(&filter.text)), look.style(Role::Accent), look);
        }
        (None, None) => {}
    }
    if has_room {
        let x = row.right() - note_columns + 1;
        frame.buffer_mut().set_stringn(x, row.y, &note, usize::from(note_columns), look.style(Role::Dim));
    }
    let errors = view.filter.as_ref().map(error_lines).unwrap_or_default();
    for (y, line) in (area.y + 1..area.bottom()).zip(errors) {
        let style = look.style(Role::Warning);
        frame.buffer_mut().set_stringn(row.x + 2, y, line, usize::from(row.width).saturating_sub(2), style);
    }
}

/// What the filter line awaits, or what it found.
fn filter_note(model: &Model, view: &LettersView) -> String {
    let looked_at = view.letters.shown().map_or(0, |letters| letters.messages.len()) as u64;
    let typed = view.typing.as_ref().map(|field| field.text().trim());
    match (&view.filter, typed) {
        (None, Some("")) => "words, or jq: .body.code == \"X\"".to_owned(),
        (None, Some(_)) => format!("enter tries it on {}", words::of(looked_at, "message")),
        (None, None) => String::new(),
        (Some(filter), _) if filter.failure().is_some() => "plain words search the text".to_owned(),
        (Some(filter), _) if filter.answers.is_waiting() && filter.answers.shown().is_none() => {
            format!("trying it on {}{}", words::of(looked_at, "message"), model.look.ellipsis())
        }
        (Some(filter), _) => {
            let undecided = match filter.undecided() {
                0 => String::new(),
                count => {
                    let why = filter.why_undecided().map(|why| format!(": {why}")).unwrap_or_default();
                    format!(", it failed on {}{why}", words::count(count as u64))
                }
            };
            format!("{} of {}{undecided}", words::count(view.rows.len() as u64), words::count(looked_at))
        }
    }
}

/// What is shown where there are no messages: what is awaited, what went wrong, or what it means.
fn instead(model: &Model, view: &LettersView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let mut block = Block { look, columns: usize::from(area.width).saturating_sub(4), lines: Vec::new() };
    match &view.letters {
        Load::Idle => {}
        Load::Waiting(..) => awaited(model, view, &mut block),
        Load::Failed(failure, _) => failed(model, view, failure, &mut block),
        Load::Here(_) => empty(model, view, &mut block),
    }
    for (y, line) in (area.y..area.bottom()).zip(&block.lines) {
        frame.buffer_mut().set_line(area.x + 2, y, line, area.width.saturating_sub(3));
    }
}

struct Block {
    look: Look,
    columns: usize,
    lines: Vec<Line<'static>>,
}

impl Block {
    fn text(&mut self, text: &str, role: Role) {
        let style = self.look.style(role);
        self.lines.extend(wrap(text, self.columns).into_iter().map(|line| Line::styled(line, style)));
    }

    fn gap(&mut self) {
        self.lines.push(Line::default());
    }

    fn key(&mut self, key: &str, text: &str) {
        let lines = wrap(text, self.columns.saturating_sub(9));
        for (at, line) in lines.into_iter().enumerate() {
            let key = if at == 0 { format!("{key:8} ") } else { " ".repeat(9) };
            self.lines.push(Line::from(vec![Span::styled(key, self.look.style(Role::Key)), Span::raw(line)]));
        }
    }
}

fn awaited(model: &Model, view: &LettersView, block: &mut Block) {
    let known = seen(model, &view.environment, &view.queue).and_then(Seen::messages);
    let asked = words::count(view.asked as u64);
    let ellipsis = model.look.ellipsis();
    match known.filter(|known| *known > view.asked as u64) {
        Some(known) => {
            block.text(&format!("Looking at up to {asked} of {} messages{ellipsis}", words::about(known)), Role::Strong)
        }
        None => block.text(&format!("Looking at up to {asked} messages{ellipsis}"), Role::Strong),
    }
    block.gap();
    block.text(
        "Each is received once and made visible again at once, so its receive count rises by one. Nothing is deleted.",
        Role::Dim,
    );
}

fn failed(model: &Model, view: &LettersView, failure: &Failure, block: &mut Block) {
    block.text(failure.what.as_str(), Role::Critical);
    if !failure.hint.is_empty() {
        block.text(&format!("try: {}", failure.hint), Role::Text);
    }
    block.gap();
    if let Some(dead_letter) = dead_letter(model, view) {
        let text = format!("opens {}, where its dead letters go", Text::line(dead_letter.as_str()));
        block.key(&key(model, Command::Open), &text);
    }
    match leave(model, view, Force::No) {
        Err(NoLeave::LookKills { receives_max, .. }) => {
            let text = format!("looks all the same: it takes one of the {receives_max} receives that each message has");
            block.key(&key(model, Command::Force), &text);
        }
        Err(_) => {}
        Ok(()) => block.key(&key(model, Command::Refresh), "tries again"),
    }
    block.key(&key(model, Command::Back), "goes back");
}

fn empty(model: &Model, view: &LettersView, block: &mut Block) {
    let queue = seen(model, &view.environment, &view.queue).and_then(|seen| seen.queue.as_ref());
    let counts = queue.map(|queue| queue.counts).unwrap_or_default();
    match counts.total() {
        0 => {
            block.text("This queue is empty.", Role::Good);
            block.text("There is nothing to look at, and nothing to redrive.", Role::Dim);
        }
        _ => {
            block.text("No message came.", Role::Strong);
            block.text(
                &format!(
                    "SQS counts {} visible and {} in flight. Its counts lag by a minute or so, and messages in flight are \
                     hidden until whoever received them deletes them or gives them back.",
                    words::about(counts.visible),
                    words::about(counts.in_flight)
                ),
                Role::Dim,
            );
        }
    }
    block.gap();
    block.key(&key(model, Command::Refresh), "looks again");
    block.key(&key(model, Command::Back), "goes back");
}

/// How many are selected, edited, in words; nothing where none is.
pub(crate) fn marked(model: &Model, view: &LettersView) -> String {
    let mut parts = Vec::new();
    if !view.selected.is_empty() {
        parts.push(format!("{} selected", words::count(view.selected.len() as u64)));
    }
    let edited = model.edits.count(&view.environment, &view.queue);
    if edited > 0 {
        parts.push(format!("{} edited", words::count(edited as u64)));
    }
    parts.join(model.look.dot())
}

fn is_losing(model: &Model, view: &LettersView, retention: i64, left: i64) -> bool {
    environment(model, &view.environment)
        .is_some_and(|environment| is_soon(environment, retention.unsigned_abs(), left))
}
