//! What is said of a run: how far it is, how it ended, its journal.

use crate::{
    domain::Text,
    journal::{Entry, Record},
    keymap::{Command, Scope},
    operations::{
        Counts, OperationKind, Stopping, command_line,
        plan::{Fact, Plan, labels},
        values::{duration, in_words},
    },
    run::{Details, End, Failure, Report, words},
    screens::{
        flow::planning,
        runs::{
            run_steps,
            verbs::{self, GoOn},
        },
        screen::Able,
    },
    state::{
        Load, Look, Model, Page, Role, RunState, RunView,
        look::Part,
        run::{self, Known, Standing},
    },
    widgets::page::{part, thousands},
};

const LABEL: usize = 12;
const NAMED_MAX: usize = 10;
/// Seconds over which the speed of just now is taken.
const NOW_SECONDS: i64 = 5;
const FACTS: [&str; 4] = [labels::FROM, labels::TO, labels::RUN, labels::ENGINE];

/// What it is, and how it stands: left and right of the first row.
pub(crate) fn head(model: &Model, view: &RunView) -> (Vec<Part>, Vec<Part>) {
    let Some(known) = verbs::known(model, view) else {
        let name = match &view.subject {
            run::Subject::Past(run) => run.to_string(),
            run::Subject::Here(_) | run::Subject::Driven(_) => "a run".to_owned(),
        };
        return (vec![part(name, Role::Strong)], Vec::new());
    };
    let what = known.operation.as_ref().map_or("run".to_owned(), planning::subject);
    let (sign, words, role) = standing(&known, model.look);
    let time = verbs::state(model, view).map(|run| match &run.end {
        Some(Ok(report)) => format!(" {}", duration(report.seconds)),
        Some(Err(_)) => String::new(),
        None => {
            let seconds = model.now.duration_since(run.started_at).as_secs().max(0);
            if seconds < 60 { format!(" {seconds} s") } else { format!(" {}", duration(seconds as f64)) }
        }
    });
    let time = time.unwrap_or_default();
    (vec![part(format!("{what} in "), Role::Strong)], vec![part(format!("  {sign} {words}{time}"), role)])
}

/// How a run stands: sign, words, meaning.
pub(crate) fn standing(known: &Known, look: Look) -> (&'static str, &'static str, Role) {
    match known.standing {
        Standing::Active { stopping: false } => (look.sign("▶", ">"), "running", Role::Accent),
        Standing::Active { stopping: true } => (look.sign("▶", ">"), "stopping after what is in hand", Role::Warning),
        Standing::Elsewhere => (look.sign("▶", ">"), "another process works on it", Role::Accent),
        Standing::BrokeOff => (look.sign("▲", "!"), "broke off", Role::Warning),
        Standing::NotBegun => (look.sign("✗", "x"), "not begun", Role::Critical),
        Standing::Ended { end, .. } => {
            let (sign, role) = match end {
                End::Done => (look.sign("✓", "+"), Role::Good),
                End::Nothing => (look.sign("·", "-"), Role::Text),
                End::Failed | End::Refused => (look.sign("✗", "x"), Role::Critical),
                End::Partly | End::Stale | End::Interrupted => (look.sign("▲", "!"), Role::Warning),
            };
            (sign, end.words(), role)
        }
    }
}

/// The page, and the line on which the journal begins.
pub(crate) fn page(model: &Model, view: &RunView, columns: usize) -> (Page, Option<usize>) {
    let mut page = Page::new(columns);
    match verbs::state(model, view) {
        Some(run) => match &run.end {
            None => {
                match run.plan.operation.verb().counts() {
                    Counts::Messages => progress(&mut page, model, run),
                    Counts::Services | Counts::Consumers | Counts::Rows | Counts::One => {
                        run_steps::progress(&mut page, model, run);
                    }
                }
                next_keys(&mut page, model, &Known::here(run));
            }
            Some(Ok(report)) => {
                ended(&mut page, model, &Known::here(run), report);
                run_steps::log(&mut page, run);
            }
            Some(Err(failure)) => {
                not_begun(&mut page, run, failure);
                next_keys(&mut page, model, &Known::here(run));
            }
        },
        None => past(&mut page, model, view),
    }
    if let Some(run) = verbs::state(model, view) {
        facts(&mut page, &run.plan.facts);
        let line = command_line(&run.plan.operation, &run.plan.environment, &model.invocation());
        same_line(&mut page, &line);
    }
    if !view.shows_journal {
        return (page, None);
    }
    page.blank();
    let at = page.len();
    if let Some(worded) = &view.worded {
        page.below(worded.page.clone());
    }
    (page, Some(at))
}

fn facts(page: &mut Page, facts: &[Fact]) {
    page.blank();
    for fact in facts.iter().filter(|fact| FACTS.contains(&fact.label.as_str())) {
        page.pair(Text::line(&fact.label).as_str(), LABEL, fact.value.as_str(), Role::Text);
    }
}

fn same_line(page: &mut Page, line: &str) {
    page.pair("same by", LABEL, Text::line(line).as_str(), Role::Dim);
}

fn progress(page: &mut Page, model: &Model, run: &RunState) {
    let look = model.look;
    let share = run.share();
    let figures =
        format!(" {:>3.0} %  {} of ~{}", (share * 100.0).floor(), thousands(run.done()), thousands(run.estimate()));
    page.bar(share, Role::Accent, figures, look);
    let Some(progress) = &run.progress else {
        page.pair(
            "doing",
            LABEL,
            "writes down what it is about to do, checks the account, looks at the queues once more",
            Role::Text,
        );
        return;
    };
    let waits = progress.waits();
    let doing = match (&progress.task, waits.is_empty()) {
        (_, false) => waits.join(", "),
        (Some(task), true) if !task.is_empty() => task.to_string(),
        (_, true) => "moving messages".to_owned(),
    };
    page.pair("doing", LABEL, &doing, if waits.is_empty() { Role::Text } else { Role::Accent });
    let Some(tally) = progress.doing.tally() else { return };
    if tally.steps > 1 {
        page.line(ramp(&run.plan, tally.step, tally.steps, look));
    }
    let rate = rate_now(run).unwrap_or_else(|| progress.rate_mean());
    let speed = match waits.is_empty() {
        true => format!("{rate:.0} a second now, {:.0} on the whole  ", progress.rate_mean()),
        false => "none while it waits  ".to_owned(),
    };
    let label = part(format!("{:LABEL$}  ", "speed"), Role::Dim);
    page.line(vec![label, part(speed, Role::Text), part(sparkline(run, look), Role::Accent)]);
    let left = run.estimate().saturating_sub(run.done());
    let time = (waits.is_empty() && rate > 0.5 && left > 0).then(|| in_words((left as f64 / rate).ceil() as u64));
    let time = time.map(|time| format!(", about {time}")).unwrap_or_default();
    page.pair("still", LABEL, &format!("~{}{time}", thousands(left)), Role::Text);
    figure(page, "moved", progress.done(), Role::Good);
    figure(page, "came back", tally.bounced, Role::Warning);
    let kept: u64 = tally.kept.values().sum();
    figure(page, "left there", kept, Role::Text);
    figure(page, "uncertain", tally.uncertain.len() as u64, Role::Warning);
    figure(page, "throttled", tally.throttled, Role::Warning);
}

/// A figure; one that is zero is calm.
fn figure(page: &mut Page, label: &str, count: u64, role: Role) {
    page.pair(label, LABEL, &thousands(count), if count == 0 { Role::Dim } else { role });
}

fn ramp(plan: &Plan, step: u32, steps: u32, look: Look) -> Vec<Part> {
    let sizes = plan.observed.get("ramp").map_or("", String::as_str);
    let mut parts =
        vec![part(format!("{:LABEL$}  ", "ramp"), Role::Dim), part(format!("step {step} of {steps}: "), Role::Text)];
    for (at, size) in sizes.split(',').filter(|size| !size.is_empty()).enumerate() {
        let number = at as u32 + 1;
        let size = Text::line(size);
        parts.push(match number.cmp(&step) {
            std::cmp::Ordering::Less => part(format!(" {size}{} ", look.sign("✓", "+")), Role::Good),
            std::cmp::Ordering::Equal => part(format!("[{size}] "), Role::Accent),
            std::cmp::Ordering::Greater => part(format!(" {size}  "), Role::Dim),
        });
    }
    parts
}

/// Messages a second over the last seconds.
fn rate_now(run: &RunState) -> Option<f64> {
    let (last_at, last) = run.samples.last()?;
    let earlier = run.samples.iter().rev().find(|(at, _)| last_at.duration_since(*at).as_secs() >= NOW_SECONDS);
    let (first_at, first) = earlier.or(run.samples.first())?;
    let seconds = last_at.duration_since(*first_at).as_secs_f64();
    (seconds > 0.0).then(|| last.saturating_sub(*first) as f64 / seconds)
}

fn sparkline(run: &RunState, look: Look) -> String {
    let rates: Vec<f64> = run
        .samples
        .windows(2)
        .map(|pair| {
            (pair[1].1.saturating_sub(pair[0].1)) as f64 / pair[1].0.duration_since(pair[0].0).as_secs_f64().max(0.001)
        })
        .collect();
    let most = rates.iter().copied().fold(1.0, f64::max);
    rates.iter().skip(rates.len().saturating_sub(24)).map(|rate| look.height(rate / most)).collect()
}

fn ended(page: &mut Page, model: &Model, known: &Known, report: &Report) {
    let look = model.look;
    if let Some(failure) = &report.failure {
        page.failure(failure, LABEL, Role::Warning);
    }
    // What to do next stands where it is seen, however much is told below.
    next_keys(page, model, known);
    page.blank();
    if run_steps::of_report(page, report, look) {
        return paths(page, model, report);
    }
    let tally = report.details.tally();
    let width = words::counts(tally).iter().map(|(count, _)| *count).chain(tally.kept.values().copied()).max();
    let width = thousands(width.unwrap_or(0)).len();
    let mut line = |count: u64, what: &str, role: Role| {
        page.line(vec![part(format!("  {:>width$}", thousands(count)), role), part(format!(" {what}"), Role::Text)]);
    };
    for (count, what) in words::counts(tally) {
        let good = matches!(what, "moved" | "deleted");
        line(count, what, if good { Role::Good } else { Role::Warning });
    }
    for (reason, count) in &tally.kept {
        line(*count, &format!("left: {}", Text::line(reason)), Role::Warning);
    }
    let named = tally.kept_named.iter().map(|(id, reason)| format!("{}: {reason}", id.0));
    let named: Vec<String> =
        named.chain(tally.uncertain.iter().map(|id| format!("{}: may or may not have been sent", id.0))).collect();
    for line in named.iter().take(NAMED_MAX) {
        page.item(look.sign("·", "-"), Role::Dim, Text::line(line).as_str(), Role::Dim);
    }
    if named.len() > NAMED_MAX {
        page.text(
            &format!("    and {} more: the journal names them all", thousands((named.len() - NAMED_MAX) as u64)),
            Role::Dim,
        );
    }
    paths(page, model, report);
}

/// Where what it did is written down, and what comes next.
fn paths(page: &mut Page, model: &Model, report: &Report) {
    // Of a failover, a migration or a setting notes are what it did; of what moves messages, what somebody should know.
    let tells_more = matches!(report.details, Details::Failover(_) | Details::Migration(_) | Details::Settings { .. });
    let (sign, role) = match (report.end, tells_more) {
        (End::Done, true) => (model.look.sign("·", "-"), Role::Dim),
        _ => (model.look.sign("▲", "!"), Role::Warning),
    };
    // Events are listed above already.
    let events = if let Details::Failover(failover) = &report.details { failover.events.as_slice() } else { &[] };
    let listed: Vec<Text> = events.iter().map(|event| Text::line(&event.note())).collect();
    for note in report.notes.iter().filter(|note| !listed.contains(note)) {
        page.item(sign, role, note.as_str(), Role::Text);
    }
    page.blank();
    for (label, path) in [("journal", &report.journal), ("snapshot", &report.snapshot)] {
        if let Some(path) = path {
            page.pair(label, LABEL, path.as_str(), Role::Text);
        }
    }
    if let Some(next) = &report.next {
        page.pair("next", LABEL, next.as_str(), Role::Strong);
    }
}

fn not_begun(page: &mut Page, run: &RunState, failure: &Failure) {
    let what = match run.resumed {
        Some(_) => "It was not gone on with: nothing was done.",
        None => "It was not begun: nothing was done.",
    };
    page.text(what, Role::Strong);
    page.failure(failure, LABEL, Role::Warning);
}

fn next_keys(page: &mut Page, model: &Model, known: &Known) {
    let key = |command: Command| model.keymap.key_for(Scope::Run, command).unwrap_or("?").to_owned();
    let mut offers = Vec::new();
    if let Standing::Active { stopping: false } = known.standing {
        let stopping = known.operation.as_ref().map(|operation| operation.verb().stopping());
        let words = match stopping {
            Some(Stopping::StopsWatching) => {
                "stops watching: AWS goes on with it; so does this when you leave the view"
            }
            Some(Stopping::Ends) | None => "stops it after what is in hand; it goes on when you leave this view",
        };
        offers.push((key(Command::Cancel), words));
    }
    match verbs::go_on(known) {
        Ok(GoOn::Resume) => {
            offers.push((key(Command::Resume), "goes on with it, once you have agreed to the plan again"))
        }
        Ok(GoOn::PlanAnew) => offers.push((key(Command::Resume), "plans it anew")),
        Err(_) => {}
    }
    if verbs::able(model, known, Command::Operate(OperationKind::Restore)) == Able::Yes && known.snapshot == Some(true)
    {
        offers.push((key(Command::Operate(OperationKind::Restore)), "plans to put back what it took"));
    }
    page.blank();
    for (key, words) in offers {
        page.line(vec![part(format!("{key:>4} "), Role::Key), part(words, Role::Text)]);
    }
}

fn past(page: &mut Page, model: &Model, view: &RunView) {
    let Some(summary) = verbs::summary(model, view) else {
        page.text("The list of runs does not name it any more.", Role::Warning);
        return;
    };
    let Some(known) = verbs::known(model, view) else { return };
    let opened = summary.opened.at.strftime("%F %T UTC");
    if let Record::Opened { by, how, reason, version, .. } = &summary.opened.record {
        let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        page.pair("begun", LABEL, &format!("{opened} by {by} ({how}), opsctl {version}{why}"), Role::Text);
    }
    match &summary.last.record {
        Record::Ended { report, .. } => match serde_json::from_value::<Report>(report.as_ref().clone()) {
            Ok(report) => ended(page, model, &known, &report),
            Err(_) => page.text("Its report can't be read by this version; the journal has it.", Role::Warning),
        },
        _ if summary.busy => page.text("Another process works on it now.", Role::Accent),
        last => {
            page.text("It broke off: there is no end in its journal. Nothing of it is lost.", Role::Warning);
            page.pair("last", LABEL, &format!("{} {}", summary.last.at.strftime("%T"), last.words()), Role::Text);
            next_keys(page, model, &known);
        }
    }
    if let Some((operation, environment)) = known.operation.as_ref().zip(known.environment.as_ref()) {
        same_line(page, &command_line(operation, environment, &model.invocation()));
    }
}

pub(crate) fn journal(page: &mut Page, view: &RunView) {
    match &view.journal {
        Load::Idle => {
            page.heading("Journal");
            page.text("it is read when the run has a name", Role::Dim);
        }
        Load::Waiting(_, None) => {
            page.heading("Journal");
            page.text("reading it", Role::Dim);
        }
        Load::Waiting(_, Some(entries)) | Load::Here(entries) => records(page, entries, view.wraps),
        Load::Failed(failure, entries) => {
            page.heading("Journal");
            page.failure(failure, LABEL, Role::Warning);
            if let Some(entries) = entries {
                records(page, entries, view.wraps);
            }
        }
    }
}

fn records(page: &mut Page, entries: &[Entry], wraps: bool) {
    page.heading(&format!("Journal, {} records", thousands(entries.len() as u64)));
    if let Some(first) = entries.first().filter(|first| first.seq > 0) {
        let text = format!("{} earlier ones are not shown; the journal's file has them", thousands(first.seq));
        page.text(&text, Role::Dim);
    }
    for entry in entries {
        let time = entry.at.strftime("%T%.3f").to_string();
        let words = entry.record.words();
        let role = match &entry.record {
            Record::Unknown { .. } | Record::Refused {} => Role::Warning,
            Record::Opened { .. } | Record::Resumed { .. } | Record::Ended { .. } => Role::Strong,
            Record::RunbookOpened { .. } | Record::RunbookLeft { .. } | Record::TakenOver { .. } => Role::Strong,
            Record::RunbookStep { .. } => Role::Text,
            Record::Verified { .. } | Record::Intent { .. } | Record::Sent { .. } | Record::Kept { .. } => Role::Text,
            Record::Deleted { .. } | Record::Gone { .. } | Record::Step { .. } => Role::Text,
            Record::TaskIntent { .. } | Record::Task { .. } => Role::Text,
            Record::DesiredIntent { .. } | Record::Desired { .. } => Role::Text,
            Record::DeploymentIntent { .. } | Record::Deployment { .. } => Role::Text,
            Record::BoundsIntent { .. } | Record::Bounds { .. } => Role::Text,
            Record::FailoverIntent { .. } | Record::Failover { .. } => Role::Text,
            Record::MigrationIntent { .. } | Record::Migration { .. } => Role::Text,
            Record::MappingIntent { .. } | Record::Mapping { .. } => Role::Text,
            Record::RowsIntent { .. } | Record::Rows { .. } => Role::Text,
            Record::SettingIntent { .. } | Record::Setting { .. } => Role::Text,
        };
        match wraps {
            true => page.pair(&time, LABEL, words.as_str(), role),
            false => page.line(vec![part(format!("{time:LABEL$}  "), Role::Dim), part(words.as_str(), role)]),
        }
    }
}
