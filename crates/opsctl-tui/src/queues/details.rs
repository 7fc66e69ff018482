//! Everything that is known of one queue.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    able_to_redrive, act, columns::seconds_in_words, command_lines, expires_seconds, oldest_seconds, open_queue,
    place_of, seen_at,
};
use crate::{
    able::{Able, able_to_change},
    domain::{EnvironmentName, Queue, QueueKind, QueueName, Text, consumer::MappingState},
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    fit::wrap,
    keymap::{Command, Key},
    list::Cursor,
    model::{Model, Overlay, Site},
    observe::{
        Seen,
        queues::KnownBy,
        words::{span, thousands},
    },
    overlay,
    popup::popup,
    spark,
    theme::{Look, Role},
};

/// A queue's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Where.
    pub environment: EnvironmentName,
    /// Queue.
    pub queue: QueueName,
    /// First line shown.
    pub scroll: Cursor,
}

/// Opens it.
pub(crate) fn open(model: &mut Model, environment: &EnvironmentName, queue: &QueueName) -> Vec<Effect> {
    let (environment, queue) = (environment.clone(), queue.clone());
    model.overlay = Some(Overlay::Details(Details { environment, queue, scroll: Cursor::default() }));
    Vec::new()
}

/// Takes a key: the list's commands hold for the queue shown.
pub(crate) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let Some(command) = overlay::meaning(model, key) else { return Vec::new() };
    let Some(Overlay::Details(details)) = &model.overlay else { return Vec::new() };
    let (environment, queue) = (details.environment.clone(), details.queue.clone());
    match command {
        Command::Back | Command::Details => {
            model.overlay = None;
            Vec::new()
        }
        Command::Copy | Command::CopyCommand => act(model, command, &environment, &queue),
        Command::Open | Command::Redrive => leave_for(model, command, &environment, &queue),
        command => {
            scroll(model, |cursor, lines, height| {
                walk(cursor, command, lines, height);
            });
            Vec::new()
        }
    }
}

/// Closes it and goes on with the queue; where that is not possible it says why, and stays.
fn leave_for(model: &mut Model, command: Command, environment: &EnvironmentName, queue: &QueueName) -> Vec<Effect> {
    let Some((site, seen)) = place_of(model, environment, queue).and_then(|at| seen_at(model, at)) else {
        return Vec::new();
    };
    let able = match command {
        Command::Redrive => able_to_redrive(site, seen),
        _ => Able::when(seen.dead_letters.is_some(), "it is no dead-letter queue: there is nothing to open"),
    };
    let is_dead_letters = seen.dead_letters.is_some();
    match able {
        Able::Yes => {
            model.overlay = None;
            match command {
                Command::Redrive => act(model, command, environment, queue),
                _ => open_queue(model, environment, queue, is_dead_letters),
            }
        }
        Able::No(because) => {
            model.say(Notice::bad(&format!("{}: {because}", command.name())));
            Vec::new()
        }
        Able::NotHere => Vec::new(),
    }
}

/// Text has no row under a cursor: it is the window that moves.
fn walk(cursor: &mut Cursor, command: Command, lines: usize, height: usize) {
    let mut window = Cursor { at: cursor.top, top: cursor.top };
    window.step(command, lines.saturating_sub(height) + 1, 1);
    *cursor = Cursor { at: window.at, top: window.at };
}

fn scroll(model: &mut Model, change: impl FnOnce(&mut Cursor, usize, usize)) {
    let area = crate::view::areas(model.size).content;
    let Some(Overlay::Details(details)) = &model.overlay else { return };
    let lines = lines(model, details, usize::from(columns(area))).len();
    let height = usize::from(area.height.saturating_sub(2));
    if let Some(Overlay::Details(details)) = &mut model.overlay {
        change(&mut details.scroll, lines, height);
    }
}

/// Takes the mouse: the wheel scrolls, a click closes.
pub(crate) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    match mouse.what {
        MouseWhat::Click => model.overlay = None,
        MouseWhat::Scroll(by) => scroll(model, |cursor, lines, height| {
            let last = lines.saturating_sub(height);
            let top = cursor.top.saturating_add_signed(isize::from(by)).min(last);
            *cursor = Cursor { at: top, top };
        }),
    }
    Vec::new()
}

/// Columns of text inside.
fn columns(area: Rect) -> u16 {
    area.width.saturating_sub(4).min(110).saturating_sub(4)
}

/// Draws it.
pub(crate) fn draw(model: &Model, details: &Details, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let lines = lines(model, details, usize::from(columns(area)));
    let size = (columns(area) + 4, (lines.len() as u16).saturating_add(2));
    let site = model.site(&details.environment);
    let environment = site.map(|site| look.environment_name(&site.environment)).unwrap_or_default();
    let title = format!("{}{}{}", Text::line(details.queue.as_str()), look.dot(), Text::line(&environment));
    let inside = popup(frame, area, size, &title, look.style(Role::Accent), look);
    let top = details.scroll.top.min(lines.len().saturating_sub(usize::from(inside.height)));
    let below = lines.len().saturating_sub(top + usize::from(inside.height));
    for (y, line) in (inside.y..inside.bottom()).zip(lines.iter().skip(top)) {
        frame.buffer_mut().set_line(inside.x, y, line, inside.width);
    }
    if below > 0 || top > 0 {
        let more = format!(" {} above, {} below ", top, below);
        let x = inside.right().saturating_sub(more.len() as u16);
        frame.buffer_mut().set_stringn(x, inside.bottom(), more, usize::from(inside.width), look.style(Role::Dim));
    }
}

/// Label and value lines under headings.
struct Sheet {
    lines: Vec<Line<'static>>,
    columns: usize,
    look: Look,
}

/// Columns of the labels.
const LABEL: usize = 15;

impl Sheet {
    fn heading(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::from(Span::styled(text.to_owned(), self.look.style(Role::Heading))));
    }

    fn fact(&mut self, label: &str, value: &str, role: Role) {
        let room = self.columns.saturating_sub(LABEL).max(8);
        let value = Text::line(value);
        for (at, part) in wrap(value.as_str(), room).into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            self.lines.push(Line::from(vec![
                Span::styled(format!("{label:<LABEL$}"), self.look.style(Role::Dim)),
                Span::styled(part, self.look.style(role)),
            ]));
        }
    }
}

fn lines(model: &Model, details: &Details, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet { lines: Vec::new(), columns, look: model.look };
    let place = place_of(model, &details.environment, &details.queue);
    let Some((site, seen)) = place.and_then(|at| seen_at(model, at)) else {
        sheet.fact("", "This queue is no longer listed.", Role::Warning);
        return sheet.lines;
    };
    what_is_wrong(&mut sheet, site, seen);
    match &seen.queue {
        Some(queue) => figures(&mut sheet, model, seen, queue),
        None if seen.error.is_none() => sheet.fact("figures", "not looked at yet", Role::Dim),
        None => {}
    }
    pairing(&mut sheet, seen);
    takers(&mut sheet, site, seen);
    identity(&mut sheet, site, seen);
    if let Some(queue) = &seen.queue {
        settings(&mut sheet, queue);
    }
    sheet.heading("On the command line");
    for line in command_lines(&site.environment, seen) {
        sheet.fact("", &line, Role::Text);
    }
    ways(&mut sheet, model, site, seen);
    sheet.lines
}

fn what_is_wrong(sheet: &mut Sheet, site: &Site, seen: &Seen) {
    let on_it = |verdict: &&crate::observe::Verdict| matches!(&verdict.subject, crate::observe::Subject::Queue(queue) if *queue == seen.name);
    if let Some(verdict) = site.verdicts.iter().find(on_it) {
        let (sign, role) = super::sign(verdict.severity, sheet.look);
        let text = format!("{sign} {}", verdict.reason);
        sheet.fact("needs somebody", &text, role);
    }
    if let Some(error) = &seen.error {
        sheet.fact("error", &error.to_string(), Role::Warning);
        sheet.fact("try", &error.hint(&site.environment), Role::Text);
    }
}

fn figures(sheet: &mut Sheet, model: &Model, seen: &Seen, queue: &Queue) {
    let counts = queue.counts;
    sheet.heading("Messages");
    let text = format!(
        "~{} visible{dot}~{} in flight{dot}~{} delayed",
        thousands(counts.visible),
        thousands(counts.in_flight),
        thousands(counts.delayed),
        dot = sheet.look.dot()
    );
    sheet.fact("counts", &text, Role::Strong);
    match oldest_seconds(seen, model.now) {
        Some(seconds) => {
            let at = seen.oldest.map(|oldest| span(model.now.duration_since(oldest.at))).unwrap_or_default();
            let text = format!("{} old, by CloudWatch {at} ago", seconds_in_words(seconds.cast_signed()));
            sheet.fact("oldest", &text, Role::Text);
        }
        None => sheet.fact("oldest", "not known: CloudWatch has no recent sample", Role::Dim),
    }
    if let Some(left) = expires_seconds(seen, model.now) {
        let text = match (left > 0, seen.kind()) {
            (false, _) => "the oldest are being deleted now".to_owned(),
            (true, QueueKind::Standard) => format!(
                "{} at most: SQS counts from when the message was first sent, CloudWatch from its arrival here",
                seconds_in_words(left)
            ),
            (true, QueueKind::Fifo) => seconds_in_words(left),
        };
        sheet.fact("expires in", &text, if left < 86_400 { Role::Critical } else { Role::Text });
    }
    let line = spark::line(&spark::levels(&seen.trend, model.now), sheet.look);
    sheet.fact("last 30 min", &line, Role::Accent);
    if let Some(at) = seen.at {
        let text = format!("{} ago ({})", span(model.now.duration_since(at)), at.strftime("%Y-%m-%d %H:%M:%S UTC"));
        sheet.fact("seen", &text, Role::Text);
    }
    if let Some(since) = seen.waiting_since {
        let text = format!("messages wait and none was in flight for {}", span(model.now.duration_since(since)));
        sheet.fact("waiting", &text, Role::Text);
    }
}

fn pairing(sheet: &mut Sheet, seen: &Seen) {
    let policy = seen.queue.as_ref().and_then(|queue| queue.redrive.as_ref());
    if seen.dead_letters.is_none() && policy.is_none() {
        return;
    }
    sheet.heading("Dead letters");
    if let Some(dead) = &seen.dead_letters {
        let known = match dead.known_by {
            KnownBy::RedrivePolicy => "by the redrive policies of these queues",
            KnownBy::Tag => "by a tag on this queue",
            KnownBy::Pattern => "by a name pattern of the configuration",
            KnownBy::Name => "by its own name only: no queue names it",
        };
        let names: Vec<&str> = dead.sources.iter().map(QueueName::as_str).collect();
        let of = if names.is_empty() { "no known queue".to_owned() } else { names.join(", ") };
        sheet.fact("holds those of", &of, Role::Text);
        sheet.fact("known", known, Role::Text);
    }
    if let Some(policy) = policy {
        let text = format!("{}, after {} receives", policy.dead_letter, policy.receives_max);
        sheet.fact("its own go to", &text, Role::Text);
    }
}

/// What is known to take its messages, and how that stands.
fn takers(sheet: &mut Sheet, site: &Site, seen: &Seen) {
    let Some(snapshot) = &site.snapshot else { return };
    let part = &snapshot.estate.mappings;
    let mut takers = part.rows.iter().filter(|mapping| mapping.queue.as_ref() == Some(&seen.name)).peekable();
    if takers.peek().is_none() {
        return;
    }
    sheet.heading("Taken by");
    for mapping in takers {
        let result = mapping.last_result.as_ref().map(|result| format!(", last result: {result}")).unwrap_or_default();
        let role = if mapping.state == MappingState::Enabled { Role::Text } else { Role::Warning };
        sheet.fact("Lambda", &format!("{}: {}{result}", mapping.function, mapping.state.words()), role);
    }
}

fn identity(sheet: &mut Sheet, site: &Site, seen: &Seen) {
    let environment = &site.environment;
    sheet.heading("Where");
    sheet.fact("name", seen.name.as_str(), Role::Strong);
    let account = environment.account.as_ref().map_or("any account".to_owned(), |account| format!("account {account}"));
    let text = format!("{}, {account}, {}, {}", environment.name, environment.region, environment.protection);
    sheet.fact("environment", &text, Role::Text);
    if let Some(endpoint) = &environment.endpoint {
        sheet.fact("endpoint", endpoint, Role::Text);
    }
    sheet.fact("URL", seen.url.as_str(), Role::Text);
    if let Some(queue) = &seen.queue {
        sheet.fact("ARN", queue.arn.as_str(), Role::Text);
    }
}

fn settings(sheet: &mut Sheet, queue: &Queue) {
    let seconds = |seconds: u64| seconds_in_words(i64::try_from(seconds).unwrap_or(i64::MAX));
    sheet.heading("Settings");
    let kind = match (queue.kind, queue.content_based_deduplication, &queue.deduplication_scope) {
        (QueueKind::Standard, ..) => "standard".to_owned(),
        (QueueKind::Fifo, by_content, scope) => {
            let by = if by_content { "deduplicates by content" } else { "deduplicates by id" };
            let scope = scope.as_ref().map(|scope| format!(", per {scope}")).unwrap_or_default();
            format!("FIFO, {by}{scope}")
        }
    };
    sheet.fact("type", &kind, Role::Text);
    sheet.fact("keeps messages", &seconds(queue.retention_seconds), Role::Text);
    sheet.fact("hides received", &seconds(queue.visibility_timeout_seconds.into()), Role::Text);
    sheet.fact("delays each", &seconds(queue.delay_seconds.into()), Role::Text);
    sheet.fact("largest", &format!("{} bytes", thousands(queue.message_bytes_max)), Role::Text);
    sheet.fact("KMS key", queue.kms_key.as_deref().unwrap_or("SQS's own, or none"), Role::Text);
    if let Some(created) = queue.created_at {
        sheet.fact("created", &created.to_string(), Role::Text);
    }
}

/// What can be done from here.
fn ways(sheet: &mut Sheet, model: &Model, site: &Site, seen: &Seen) {
    let scope = crate::keymap::Scope::Queues;
    let key = |command: Command| model.keymap.key_for(scope, command).unwrap_or("-").to_owned();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut way = |command: Command, words: &str, able: bool| {
        let look = model.look;
        spans.push(Span::styled(key(command), look.style(if able { Role::Key } else { Role::Dim })));
        spans.push(Span::styled(format!(" {words}   "), look.style(if able { Role::Text } else { Role::Dim })));
    };
    if seen.dead_letters.is_some() {
        way(Command::Open, "look at why", true);
        way(Command::Redrive, "redrive", able_to_redrive(site, seen) == Able::Yes);
    }
    way(Command::Copy, "copy name", true);
    way(Command::CopyCommand, "copy command", true);
    way(Command::Back, "close", true);
    sheet.lines.push(Line::default());
    sheet.lines.push(Line::from(spans));
    if let Able::No(because) = able_to_change(&site.environment) {
        sheet.fact("", because.as_str(), Role::Dim);
    }
}
