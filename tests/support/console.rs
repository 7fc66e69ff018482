//! A console without a terminal: events in, effects and screens out.

use std::{fmt::Write, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use opsctl::{
    domain::{
        Counts, Environment, EnvironmentName, Invocation, Queue, QueueArn, QueueName, QueueUrl, RedrivePolicy, Text,
    },
    keymap::{Base, Keymap, keys},
    observe::{Listing, Seen, Snapshot, Source, Spend, queues::DeadLetters, queues::KnownBy},
    sandbox::fleet,
    tui::{
        state::{
            effect::Effect,
            event::Event,
            look::{Look, Symbols, Theme},
            model::{Model, Setting, World},
        },
        update::{begin, update},
        view::view,
        widgets::areas::areas,
    },
};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Rect, style::Style};

/// The sizes in which every screen is looked at.
pub(crate) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// What the console's clock shows at the start.
pub(crate) fn now() -> Timestamp {
    "2026-11-21T03:12:44Z".parse().expect("a time")
}

/// A console, and what it wanted done so far.
pub(crate) struct Console {
    pub(crate) model: Model,
    /// Effects since they were last taken.
    pub(crate) effects: Vec<Effect>,
}

impl Console {
    /// On the sandbox's environments (dev: confirm, staging: confirm, prod: type-name), nothing known of them.
    pub(crate) fn new(size: (u16, u16)) -> Self {
        Self::on(fleet::environments(), size)
    }

    /// On these environments, as if a configuration had them.
    pub(crate) fn on(environments: Vec<Environment>, size: (u16, u16)) -> Self {
        let configured = |environment| Environment { invocation: Invocation::Found, ..environment };
        let setting = Setting {
            environments: environments.into_iter().map(configured).map(Arc::new).collect(),
            keymap: Arc::new(Keymap::shipped(Base::Default)),
            look: Look { theme: Theme::Dark, symbols: Symbols::Unicode },
            person: Text::from("nina"),
            origin: Text::from("./opsctl.toml (found in the working folder)"),
            world: World::Aws,
        };
        Self { model: begin(setting, now(), size), effects: Vec::new() }
    }

    /// The same in another world.
    pub(crate) fn within(&mut self, invocation: &Invocation) -> &mut Self {
        for site in &mut self.model.sites {
            Arc::make_mut(&mut site.environment).invocation = invocation.clone();
        }
        self
    }

    /// Takes an event in.
    pub(crate) fn event(&mut self, event: Event) -> &mut Self {
        let effects = update(&mut self.model, event);
        self.effects.extend(effects);
        self
    }

    /// Presses keys, as text: `"j R <enter>"`.
    pub(crate) fn keys(&mut self, text: &str) -> &mut Self {
        for key in keys(text) {
            // A person has seen what they answer.
            self.model.frames += 1;
            self.model.moment += std::time::Duration::from_secs(1);
            self.event(Event::Key(key));
        }
        self
    }

    /// An environment was seen.
    pub(crate) fn seen(&mut self, snapshot: Snapshot) -> &mut Self {
        self.event(Event::Observed(Arc::new(snapshot)))
    }

    /// The effects since they were last taken.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The screen: its text, then where which style is.
    pub(crate) fn screen(&self) -> String {
        let (columns, rows) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal in memory");
        terminal.draw(|frame| view(&self.model, frame)).expect("drawn");
        shown(terminal.backend().buffer())
    }

    /// What the view shows, as [`Console::screen`]: without title, status and keys, which other tests look at.
    pub(crate) fn content(&self) -> String {
        let (columns, rows) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal in memory");
        terminal.draw(|frame| view(&self.model, frame)).expect("drawn");
        let (whole, area) = (terminal.backend().buffer(), areas(self.model.size).content);
        let mut part = Buffer::empty(Rect { x: 0, y: 0, ..area });
        for y in 0..area.height {
            for x in 0..area.width {
                part[(x, y)] = whole[(area.x + x, area.y + y)].clone();
            }
        }
        shown(&part)
    }

    /// The style in which a text stands in the first row that has both, every character one column wide.
    pub(crate) fn style_of(&self, row: &str, text: &str) -> Option<Style> {
        let (columns, rows) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal in memory");
        terminal.draw(|frame| view(&self.model, frame)).expect("drawn");
        let buffer = terminal.backend().buffer();
        (0..rows).find_map(|y| {
            let line: String = (0..columns).map(|x| buffer[(x, y)].symbol().chars().next().unwrap_or(' ')).collect();
            let at = line.find(text).filter(|_| line.contains(row))?;
            Some(buffer[(line[..at].chars().count() as u16, y)].style())
        })
    }

    /// The screen's text alone.
    pub(crate) fn text(&self) -> String {
        let screen = self.screen();
        screen.split("\n=== styles").next().unwrap_or_default().to_owned()
    }
}

/// Text of a buffer, then the styles of each row as runs: `columns letter`, with the letters explained.
pub(crate) fn shown(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (mut text, mut runs, mut known) = (String::new(), String::new(), Vec::<Style>::new());
    for y in 0..area.height {
        let (mut line, mut row) = (String::new(), Vec::<(usize, u16)>::new());
        let mut skip = 0;
        for x in 0..area.width {
            let cell = &buffer[(x, y)];
            if skip == 0 {
                line.push_str(cell.symbol());
                skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1);
            }
            skip -= 1;
            let style = cell.style();
            let at = known.iter().position(|other| *other == style).unwrap_or_else(|| {
                known.push(style);
                known.len() - 1
            });
            match row.last_mut() {
                Some((last, columns)) if *last == at => *columns += 1,
                _ => row.push((at, 1)),
            }
        }
        let _ = writeln!(text, "{}", line.trim_end());
        let row: Vec<String> = row.iter().map(|(at, columns)| format!("{columns}{}", letter(*at))).collect();
        let _ = writeln!(runs, "{y:02} {}", row.join(" "));
    }
    let legend: Vec<String> =
        known.iter().enumerate().map(|(at, style)| format!("{}: {}", letter(at), words(style))).collect();
    format!("{text}=== styles\n{runs}{}\n", legend.join("\n"))
}

fn letter(at: usize) -> char {
    char::from_u32(u32::from('a') + at as u32).unwrap_or('?')
}

fn words(style: &Style) -> String {
    let mut parts = Vec::new();
    if let Some(colour) = style.fg.filter(|colour| *colour != ratatui::style::Color::Reset) {
        parts.push(format!("{colour:?}"));
    }
    if let Some(colour) = style.bg.filter(|colour| *colour != ratatui::style::Color::Reset) {
        parts.push(format!("on {colour:?}"));
    }
    if !style.add_modifier.is_empty() {
        parts.push(format!("{:?}", style.add_modifier));
    }
    if parts.is_empty() { "plain".to_owned() } else { parts.join(" ") }
}

/// A snapshot being built.
pub(crate) struct Picture {
    snapshot: Snapshot,
    queues: Vec<Seen>,
}

impl Picture {
    /// Of an environment, listed just now.
    pub(crate) fn of(environment: &str) -> Self {
        let snapshot = Snapshot {
            environment: EnvironmentName(environment.to_owned()),
            number: 1,
            source: Source::Live,
            listing: Listing { at: Some(now()), ..Listing::default() },
            queues: Arc::from([]),
            estate: Default::default(),
            metrics_error: None,
            spend: Spend { calls_per_minute: 61, dollars_per_hour: 0.0015, throttled: 0, bounded: false },
        };
        Self { snapshot, queues: Vec::new() }
    }

    /// Changes the snapshot itself.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Snapshot)) -> Self {
        change(&mut self.snapshot);
        self
    }

    /// A queue with so many visible messages, seen 3 seconds ago.
    pub(crate) fn queue(self, name: &str, visible: u64) -> Self {
        self.queue_with(name, visible, |_| {})
    }

    /// A dead-letter queue of `source`.
    pub(crate) fn dead_letters(self, name: &str, source: &str, visible: u64) -> Self {
        let source = QueueName(source.to_owned());
        self.queue_with(name, visible, |seen| {
            seen.dead_letters = Some(DeadLetters { sources: vec![source], known_by: KnownBy::RedrivePolicy });
        })
    }

    /// A queue, changed.
    pub(crate) fn queue_with(mut self, name: &str, visible: u64, change: impl FnOnce(&mut Seen)) -> Self {
        let mut seen = seen(name, visible);
        change(&mut seen);
        self.queues.push(seen);
        self
    }

    /// The snapshot.
    pub(crate) fn done(mut self) -> Snapshot {
        self.queues.sort_by(|left, right| left.name.cmp(&right.name));
        self.snapshot.queues = self.queues.into_iter().map(Arc::new).collect();
        self.snapshot
    }
}

fn seen(name: &str, visible: u64) -> Seen {
    let url = QueueUrl(format!("https://sqs.af-south-1.amazonaws.com/111111111111/{name}"));
    let at = now() - SignedDuration::from_secs(3);
    let name = QueueName(name.to_owned());
    let queue = Queue {
        url: url.clone(),
        arn: QueueArn(format!("arn:aws:sqs:af-south-1:111111111111:{name}")),
        name: name.clone(),
        kind: name.kind(),
        counts: Counts { visible, in_flight: 0, delayed: 0 },
        visibility_timeout_seconds: 30,
        retention_seconds: 14 * 86_400,
        message_bytes_max: 1_048_576,
        delay_seconds: 0,
        redrive: None,
        content_based_deduplication: false,
        deduplication_scope: None,
        kms_key: None,
        created_at: None,
    };
    Seen {
        name,
        url,
        queue: Some(queue),
        at: Some(at),
        error: None,
        dead_letters: None,
        oldest: None,
        trend: Default::default(),
        waiting_since: None,
        leaving: None,
    }
}

/// A redrive policy to a dead-letter queue of the same account.
pub(crate) fn redrive_to(dead_letter: &str, receives_max: u32) -> RedrivePolicy {
    RedrivePolicy { dead_letter: QueueArn(format!("arn:aws:sqs:af-south-1:111111111111:{dead_letter}")), receives_max }
}
