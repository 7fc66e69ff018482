//! How far a run is: a bar where a person looks, now and then a line elsewhere, JSON lines for programs.

use std::{
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, Once, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{
    args::Format,
    wrap::{width_of, wrap},
};
use crate::{
    domain::{LogLine, Text, words::counted},
    operations::{Counts, transfer::Tally},
    run::Progress,
};

const LINE_EVERY: Duration = Duration::from_secs(10);
const JSON_EVERY: Duration = Duration::from_secs(1);

pub type Tell = Arc<dyn Fn(&Progress) + Send + Sync>;

pub struct Shown {
    bar: Option<ProgressBar>,
    tell: Tell,
}

#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    run: &'a str,
    counts: Counts,
    estimate: u64,
    done: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bounced: Option<u64>,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a Text>,
    #[serde(skip_serializing_if = "<[Text]>::is_empty")]
    news: &'a [Text],
    #[serde(skip_serializing_if = "<[LogLine]>::is_empty")]
    log: &'a [LogLine],
}

impl Shown {
    /// For this form of output, of a run that moves `most` messages at most.
    pub fn new(format: Format, most: Option<u64>) -> Self {
        let shown = match format {
            Format::Jsonl => Self {
                bar: None,
                tell: now_and_then(JSON_EVERY, |progress, _| say(&mut anstream::stdout(), &json(progress))),
            },
            Format::Human | Format::Json if std::io::stderr().is_terminal() => Self::bar(),
            Format::Human | Format::Json => Self {
                bar: None,
                tell: now_and_then(LINE_EVERY, |progress, is_due| {
                    news(progress).for_each(|line| say(&mut anstream::stderr(), &line));
                    if is_due || !progress.news.is_empty() {
                        say(&mut anstream::stderr(), &words(progress));
                    }
                }),
            },
        };
        let (Self { bar, tell }, Some(most)) = (&shown, most) else { return shown };
        let tell = Arc::clone(tell);
        let limited: Tell = Arc::new(move |progress: &Progress| {
            tell(&Progress { estimate: progress.estimate.min(most), ..progress.clone() });
        });
        Self { bar: bar.clone(), tell: limited }
    }

    fn bar() -> Self {
        let width = width_of(std::io::stderr()).unwrap_or(80);
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
        // What is said fills the line and is cut at its end: a bar of two lines can't be drawn over itself.
        let template = format!("{{bar:{}}} {{pos}} of ~{{len}}, {{elapsed}}, {{wide_msg}}", (width / 8).clamp(4, 20));
        let style = ProgressStyle::with_template(&template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let (shown, ticking) = (bar.clone(), Once::new());
        let tell: Tell = Arc::new(move |progress: &Progress| {
            let done = progress.done();
            shown.set_length(progress.estimate.max(done));
            shown.set_position(done);
            shown.set_message(state(progress));
            for news in news(progress) {
                wrap(&news, width_of(std::io::stderr())).iter().for_each(|line| shown.println(line));
            }
            // The time goes on while nothing else does.
            ticking.call_once(|| shown.enable_steady_tick(Duration::from_secs(1)));
        });
        Self { bar: Some(bar), tell }
    }

    pub fn notice(&self) -> impl Fn(&str) + Send + 'static {
        let bar = self.bar.clone();
        move |text| match &bar {
            Some(bar) if !bar.is_finished() => {
                wrap(text, width_of(std::io::stderr())).iter().for_each(|line| bar.println(line))
            }
            _ => say(&mut anstream::stderr(), text),
        }
    }

    pub fn tell(&self) -> Tell {
        Arc::clone(&self.tell)
    }

    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Tells what has happened at once, and now and then how it goes: then the flag is set.
fn now_and_then(every: Duration, tell: impl Fn(&Progress, bool) + Send + Sync + 'static) -> Tell {
    let last = Mutex::new(Instant::now());
    Arc::new(move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.elapsed() >= every;
        if is_due || !progress.news.is_empty() {
            *last = Instant::now();
        }
        if is_due || !progress.news.is_empty() || !progress.log.is_empty() {
            tell(progress, is_due);
        }
    })
}

/// What has happened, and the lines of a followed log: when each was written, and what.
fn news(progress: &Progress) -> impl Iterator<Item = String> {
    let log = progress.log.iter().map(|line| format!("{} | {}", line.at.strftime("%T"), line.text));
    progress.news.iter().map(ToString::to_string).chain(log)
}

fn say(to: &mut impl Write, line: &str) {
    // A run goes on whether or not somebody listens.
    let _ = writeln!(to, "{line}");
}

fn words(progress: &Progress) -> String {
    if let Some(task) = progress.task.as_ref().filter(|_| progress.estimate == 0) {
        return task.to_string();
    }
    // Messages are counted about, all else exactly.
    let counts = progress.doing.counts();
    let about = if counts == Counts::Messages { "~" } else { "" };
    let all = counted(progress.estimate, counts.noun());
    format!("{} of {about}{all}, {}", progress.done(), state(progress))
}

fn state(progress: &Progress) -> String {
    if let Some(task) = progress.task.as_ref().filter(|_| progress.estimate == 0) {
        return task.to_string();
    }
    let tally = progress.doing.tally();
    let mut parts = Vec::new();
    if let Some(Tally { step, steps, .. }) = tally.filter(|tally| tally.steps > 1) {
        parts.push(format!("step {step} of {steps}"));
    }
    let waits = progress.waits();
    let is_waiting = !waits.is_empty();
    parts.extend(waits);
    parts.extend(progress.task.iter().filter(|task| !task.is_empty()).map(ToString::to_string));
    // While it waits, an average that sinks says nothing.
    let Some(tally) = tally else { return parts.join(", ") };
    if !is_waiting {
        parts.push(format!("{:.0} a second", progress.rate_mean()));
    }
    let left: u64 = tally.kept.values().sum();
    for (count, what) in [(tally.bounced, "came back"), (left, "left"), (tally.throttled, "calls throttled")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}

fn json(progress: &Progress) -> String {
    let line = Line {
        schema: "opsctl/progress/2",
        run: progress.run.as_str(),
        counts: progress.doing.counts(),
        estimate: progress.estimate,
        done: progress.done(),
        bounced: progress.doing.tally().map(|tally| tally.bounced),
        seconds: progress.at.duration_since(progress.started_at).as_secs_f64(),
        task: progress.task.as_ref(),
        news: &progress.news,
        log: &progress.log,
    };
    serde_json::to_string(&line).unwrap_or_default()
}
