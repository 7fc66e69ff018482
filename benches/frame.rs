//! Drawing the console, and taking in what was seen, where there are very many queues.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use opsctl::{
    domain::{Counts, EnvironmentName, Queue, QueueArn, QueueName, QueueUrl, Text},
    keymap::{Base, Key, Keymap, keys},
    observe::{
        Listing, Seen, Snapshot, Source, Spend, Trend,
        queues::{DeadLetters, KnownBy},
    },
    sandbox::fleet,
    tui::{
        state::{
            event::Event,
            look::{Look, Symbols, Theme},
            model::{Model, Setting, World},
        },
        update::update,
        view::view,
    },
};
use ratatui::{Terminal, backend::TestBackend};

use crate::{Bound, Measure};

const SIZE: (u16, u16) = (200, 50);
const ROWS: usize = 100_000;
const MANY: usize = 20_000;
/// Frames measured; the median counts.
const FRAMES: usize = 501;
const SETTLES: usize = 21;
/// One queue of so many has changed in a new snapshot.
const CHANGED_EACH: usize = 500;

/// How long a frame over very many rows takes, each after a key that moves.
pub(crate) fn frame() -> Vec<Measure> {
    let mut model = model();
    seen(&mut model, ROWS, 1);
    press(&mut model, "2 w");
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("a terminal in memory");
    let mut drawn = |model: &Model| {
        let started = Instant::now();
        terminal.draw(|frame| view(model, frame)).expect("drawn");
        started.elapsed()
    };
    drawn(&model);
    let down: Vec<Key> = keys("pgdn");
    let mut frames = Vec::new();
    for _ in 0..FRAMES {
        for key in &down {
            update(&mut model, Event::Key(*key));
        }
        frames.push(drawn(&model));
    }
    press(&mut model, "/ 9 9");
    let mut filtered: Vec<Duration> = (0..FRAMES).map(|_| drawn(&model)).collect();
    let what = format!("a frame of {}x{} over {ROWS} queues", SIZE.0, SIZE.1);
    vec![
        Measure {
            name: "frame",
            what: what.clone(),
            value: median(&mut frames),
            unit: "ms",
            bound: Bound::AtMost(2.0),
        },
        Measure {
            name: "frame-filtered",
            what: format!("{what}, those that were searched marked"),
            value: median(&mut filtered),
            unit: "ms",
            bound: Bound::AtMost(2.0),
        },
    ]
}

/// How long it takes to sort, to filter and to offer very many queues.
pub(crate) fn settled() -> Vec<Measure> {
    let mut model = model();
    seen(&mut model, MANY, 1);
    press(&mut model, "2");
    let mut number = 1;
    let mut taken = |model: &mut Model| {
        let mut all: Vec<Duration> = (0..SETTLES)
            .map(|_| {
                number += 1;
                let snapshot = changed(model, number);
                let started = Instant::now();
                update(model, Event::Observed(snapshot));
                started.elapsed()
            })
            .collect();
        median(&mut all)
    };
    let plain = taken(&mut model);
    press(&mut model, "/");
    let started = Instant::now();
    press(&mut model, "d l q");
    let typed = started.elapsed().as_secs_f64() * 1e3 / 3.0;
    press(&mut model, "<enter> <esc> z z");
    let grouped = taken(&mut model);
    press(&mut model, ":");
    let started = Instant::now();
    press(&mut model, "1 9 9");
    let found = started.elapsed().as_secs_f64() * 1e3 / 3.0;
    let line = |name, what: &str, value| Measure {
        name,
        what: format!("{MANY} queues {what}"),
        value,
        unit: "ms",
        bound: Bound::AtMost(16.0),
    };
    vec![
        line("queues-20000", "taken in and sorted", plain),
        line("queues-grouped", "the same, by system", grouped),
        line("queues-typed", "filtered, for a letter", typed),
        line("palette-typed", "searched in the palette, for a letter", found),
    ]
}

fn median(all: &mut [Duration]) -> f64 {
    all.sort();
    all[all.len() / 2].as_secs_f64() * 1e3
}

fn press(model: &mut Model, text: &str) {
    for key in keys(text) {
        update(model, Event::Key(key));
    }
}

fn now() -> Timestamp {
    "2026-11-21T03:12:44Z".parse().expect("a time")
}

fn model() -> Model {
    let setting = Setting {
        environments: fleet::environments().into_iter().map(Arc::new).collect(),
        keymap: Arc::new(Keymap::shipped(Base::Default)),
        look: Look { theme: Theme::Dark, symbols: Symbols::Unicode },
        person: Text::from("nina"),
        origin: Text::from("a bench"),
        world: World::Aws,
    };
    opsctl::tui::update::begin(setting, now(), SIZE)
}

fn seen(model: &mut Model, queues: usize, number: u64) {
    update(model, Event::Observed(snapshot(queues, number)));
}

/// The snapshot that the model has, with some queues looked at again: the others are shared, as the watch shares them.
fn changed(model: &Model, number: u64) -> Arc<Snapshot> {
    let known = model.sites.iter().find_map(|site| site.snapshot.as_ref()).expect("a snapshot");
    let again = |(at, seen): (usize, &Arc<Seen>)| {
        if at % CHANGED_EACH != number as usize % CHANGED_EACH {
            return Arc::clone(seen);
        }
        let mut seen = Seen::clone(seen);
        if let Some(queue) = &mut seen.queue {
            queue.counts.visible += 1;
        }
        Arc::new(seen)
    };
    let queues = known.queues.iter().enumerate().map(again).collect();
    Arc::new(Snapshot { number, queues, ..Snapshot::clone(known) })
}

/// Queues of which each second one is a dead-letter queue, each tenth with messages, and each twentieth could not be seen.
fn snapshot(queues: usize, number: u64) -> Arc<Snapshot> {
    let mut all: Vec<Arc<Seen>> = (0..queues).map(|at| Arc::new(queue(at))).collect();
    all.sort_by(|left, right| left.name.cmp(&right.name));
    Arc::new(Snapshot {
        environment: EnvironmentName("prod".to_owned()),
        number,
        source: Source::Live,
        listing: Listing { at: Some(now()), ..Listing::default() },
        queues: all.into(),
        estate: Default::default(),
        metrics_error: None,
        spend: Spend::default(),
    })
}

fn queue(at: usize) -> Seen {
    let is_dead_letters = at % 2 == 1;
    let name = format!("service-{:05}-events{}", at / 2, if is_dead_letters { "-dlq" } else { "" });
    let url = QueueUrl(format!("https://sqs.af-south-1.amazonaws.com/333333333333/{name}"));
    let visible = if at % 20 == 1 { at as u64 } else { 0 };
    let name = QueueName(name);
    let mut trend = Trend::default();
    for minute in (0..30).rev().step_by(3) {
        trend.push(now() - SignedDuration::from_mins(minute), visible / (minute as u64 + 1));
    }
    let queue = Queue {
        url: url.clone(),
        arn: QueueArn(format!("arn:aws:sqs:af-south-1:333333333333:{name}")),
        name: name.clone(),
        kind: name.kind(),
        counts: Counts { visible, in_flight: visible.min(3), delayed: 0 },
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
    let sources = vec![QueueName(name.0.trim_end_matches("-dlq").to_owned())];
    Seen {
        name,
        url,
        queue: (at % 20 != 2).then_some(queue),
        at: Some(now() - SignedDuration::from_secs(3)),
        error: None,
        dead_letters: is_dead_letters.then_some(DeadLetters { sources, known_by: KnownBy::RedrivePolicy }),
        oldest: None,
        trend,
        waiting_since: None,
        leaving: None,
    }
}
