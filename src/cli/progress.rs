//! How far a run is: a bar where a person looks, now and then a line elsewhere, JSON lines for programs.

use std::{
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::args::Format;
use crate::run::Progress;

/// Plain lines are this far apart.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// JSON lines are this far apart.
const JSON_EVERY: Duration = Duration::from_secs(1);

/// What a run is told to tell.
pub type Tell = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Shows a run's progress.
pub struct Shown {
    bar: Option<ProgressBar>,
    tell: Tell,
}

#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    run: &'a str,
    messages_estimate: u64,
    moved: u64,
    removed: u64,
    bounced: u64,
    seconds: f64,
}

impl Shown {
    /// For this form of output.
    pub fn new(format: Format) -> Self {
        match format {
            Format::Jsonl => Self {
                bar: None,
                tell: now_and_then(JSON_EVERY, |progress| say(&mut anstream::stdout(), &json(progress))),
            },
            Format::Human | Format::Json if std::io::stderr().is_terminal() => Self::bar(),
            Format::Human | Format::Json => Self {
                bar: None,
                tell: now_and_then(LINE_EVERY, |progress| say(&mut anstream::stderr(), &words(progress))),
            },
        }
    }

    fn bar() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
        let style = ProgressStyle::with_template("{bar:30} {pos}/~{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let shown = bar.clone();
        let tell: Tell = Arc::new(move |progress: &Progress| {
            let done = done(progress);
            shown.set_length(progress.messages_estimate.max(done));
            shown.set_position(done);
            shown.set_message(state(progress));
        });
        Self { bar: Some(bar), tell }
    }

    /// To hand to the run.
    pub fn tell(&self) -> Tell {
        Arc::clone(&self.tell)
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn now_and_then(every: Duration, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Tell {
    let last = Mutex::new(Instant::now());
    Arc::new(move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= every {
            *last = Instant::now();
            tell(progress);
        }
    })
}

fn say(to: &mut impl Write, line: &str) {
    // A run goes on whether or not somebody listens.
    let _ = writeln!(to, "{line}");
}

fn done(progress: &Progress) -> u64 {
    progress.tally.moved + progress.tally.removed
}

fn words(progress: &Progress) -> String {
    format!("{} of ~{} messages {}", done(progress), progress.messages_estimate, state(progress))
}

fn state(progress: &Progress) -> String {
    let tally = &progress.tally;
    let seconds = progress.at.duration_since(progress.started_at).as_secs_f64();
    // While it waits, an average that sinks says nothing.
    let idle = tally.watching || tally.waiting_for > 0;
    let mut parts = Vec::new();
    if !idle {
        parts.push(format!("{:.0}/s", done(progress) as f64 / seconds.max(0.001)));
    }
    if tally.steps > 1 {
        parts.push(format!("step {} of {}", tally.step, tally.steps));
    }
    if tally.watching {
        parts.push("watching whether messages come back".to_owned());
    }
    if tally.waiting_for > 0 {
        parts.push(format!("waiting for ~{} in flight to show again", tally.waiting_for));
    }
    if tally.bounced > 0 {
        parts.push(format!("{} came back", tally.bounced));
    }
    if tally.throttled > 0 {
        parts.push(format!("throttled {} times", tally.throttled));
    }
    parts.extend(progress.task.as_ref().map(|task| format!("move task {task}")));
    parts.join(", ")
}

fn json(progress: &Progress) -> String {
    let line = Line {
        schema: "opsctl/progress/1",
        run: progress.run.as_str(),
        messages_estimate: progress.messages_estimate,
        moved: progress.tally.moved,
        removed: progress.tally.removed,
        bounced: progress.tally.bounced,
        seconds: progress.at.duration_since(progress.started_at).as_secs_f64(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}
