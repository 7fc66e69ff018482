//! Home: what needs somebody, worst first, in every environment.

use std::cmp::Reverse;

use ratatui::{Frame, layout::Rect};

use crate::{
    domain::{EnvironmentName, Protection},
    keymap::{
        Command, Key, Scope,
        query::{Fit, Query, Search},
    },
    observe::{Focus, Kind, Subject, Verdict, verdict::worst_first},
    operations::OperationKind,
    runbook::{Values, shelf::offer},
    screens::{
        home::{
            acknowledge,
            draw::{self, height, places_of},
            what::{self, to_run, what},
        },
        list::{act, topics::subject},
        runbooks::{begin, named},
        screen::{Able, Screen, Tab, moves},
    },
    state::{Cursor, Effect, Field, HomeOrder, HomeView, Model, Mouse, Needs, Notice, Site, Topic, Way},
    widgets::{
        Pointed,
        filter::{self, Did},
        pointed,
        sign::standing,
    },
};

type Identity = (EnvironmentName, Subject);

impl Screen for HomeView {
    fn scope(&self) -> Scope {
        Scope::Home
    }

    fn tab(&self) -> Option<Tab> {
        Some(Tab { command: Command::Home, title: "Home", short: "Home" })
    }

    fn wanted(&self) -> &'static [Command] {
        &[
            Command::Open,
            Command::Operate(OperationKind::Redrive),
            Command::Details,
            Command::Filter,
            Command::Acknowledge,
            Command::Queues,
            Command::Environment,
            Command::RunRunbook,
        ]
    }

    fn settle(&mut self, model: &Model) {
        let identity = |row: &Verdict| -> Identity { (row.environment.clone(), row.subject.clone()) };
        let under = self.rows.get(self.cursor.at).filter(|_| self.pinned).map(|row| (identity(row), row.kind));
        let mut sites: Vec<&Site> = model.shown_sites().collect();
        if !self.by_environment {
            // Among equals those of the best protected environments come first.
            sites.sort_by_key(|site| site.environment.protection != Protection::TypeName);
        }
        let all: Vec<Verdict> = sites.into_iter().flat_map(|site| site.verdicts.iter().cloned()).collect();
        let all = if self.by_environment { all } else { worst_first(all) };
        let (all, acknowledged) = acknowledge::split(model, self, all);
        (self.all, self.acknowledged) = (all.len(), acknowledged);
        self.rows = rows(model, self, all);
        if let Some((under, kind)) = under {
            // What was growing may expire now: it is the same queue. An environment has several.
            let exact = self.rows.iter().position(|row| identity(row) == under && row.kind == kind);
            let same = || self.rows.iter().position(|row| identity(row) == under);
            self.cursor.at = exact.or_else(same).unwrap_or(self.cursor.at);
        }
        self.summaries = model.shown_sites().map(|site| what::of(site, model.now)).collect();
        self.cursor.settle(self.rows.len(), height(model));
    }

    fn focus(&self, model: &Model) -> Focus {
        let shown = self.rows.iter().skip(self.cursor.top).take(height(model));
        let queue = |row: &Verdict| match subject(&row.subject) {
            Some((Topic(Scope::Queues), name)) => Some((row.environment.clone(), name.as_str().into())),
            Some(_) | None => None,
        };
        Focus { queues: shown.filter_map(queue).collect(), ..Focus::default() }
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        let under = self.rows.get(self.cursor.at);
        match command {
            command if moves(command) => Able::Yes,
            Command::Sort | Command::Filter | Command::Acknowledged => Able::Yes,
            Command::Group => Able::when(model.sites.len() > 1, "there is one environment only"),
            Command::Open | Command::Copy | Command::Acknowledge => Able::when(under.is_some(), "nothing needs you"),
            Command::Details | Command::CopyCommand => match under {
                None => Able::no("nothing needs you"),
                Some(under) => {
                    let because = "it is about the environment: the cursor is on no queue";
                    Able::when(subject(&under.subject).is_some(), because)
                }
            },
            Command::Operate(OperationKind::Redrive) | Command::Operate(OperationKind::Purge) => {
                able_to_operate(model, under, command, Topic(Scope::Queues))
            }
            Command::Operate(OperationKind::Wake) => {
                let is_outbox = |under: &Verdict| matches!(under.subject, Subject::Outbox(_));
                let wanted = if under.is_some_and(is_outbox) { Scope::Outboxes } else { Scope::Services };
                able_to_operate(model, under, command, Topic(wanted))
            }
            Command::Operate(OperationKind::Failover) => {
                able_to_operate(model, under, command, Topic(Scope::Databases))
            }
            Command::RunRunbook => able_to_run(model, under),
            Command::Reverse => Able::no("the next order is what sort changes to"),
            _ => Able::NotHere,
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        self.pinned = true;
        if self.cursor.step(command, self.rows.len(), height(model)) {
            model.moved();
            return Vec::new();
        }
        if matches!(command, Command::Group | Command::Filter | Command::Sort | Command::Acknowledged) {
            change(self, model, command);
            return Vec::new();
        }
        let Some(verdict) = self.rows.get(self.cursor.at) else { return Vec::new() };
        match (command, subject(&verdict.subject)) {
            (Command::Acknowledge, _) => acknowledge::begin(model, verdict),
            (Command::Open, _) => open(model, verdict),
            (Command::RunRunbook, _) => run_fitting(model, verdict),
            (Command::Copy, None) => vec![Effect::Copy(to_run(model, verdict))],
            (_, Some((topic, id))) => act::give(model, command, topic, &verdict.environment, &id),
            (_, None) => Vec::new(),
        }
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.typing.as_mut()
    }

    fn key(&mut self, model: &mut Model, key: &Key) -> Vec<Effect> {
        match filter::key(&mut self.typing, key) {
            Did::Changed => typed(self, model),
            Did::Kept => self.pinned = true,
            Did::GivenUp => {
                self.back(model);
            }
            Did::Moved(command) => {
                self.pinned = true;
                self.cursor.step(command, self.rows.len(), height(model));
                model.moved();
            }
            Did::Nothing => {}
        }
        Vec::new()
    }

    fn typed(&mut self, model: &mut Model) -> Vec<Effect> {
        typed(self, model);
        Vec::new()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        self.pinned = true;
        match pointed(&mut self.cursor, mouse, places_of(model).table, self.rows.len()) {
            Pointed::Again => return open(model, &self.rows[self.cursor.at]),
            Pointed::Moved => model.moved(),
            Pointed::Nothing => {}
        }
        Vec::new()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        draw::draw(model, self, frame, area);
    }

    /// The filter goes first, then what needs somebody is shown again.
    fn back(&mut self, model: &mut Model) -> bool {
        if !self.filter.is_empty() {
            self.filter.clear();
            self.pinned = !self.rows.is_empty();
        } else if self.acknowledged_only {
            show_acknowledged(self, false);
        } else {
            return false;
        }
        model.changed();
        true
    }

    fn can_go_back(&self) -> bool {
        !self.filter.is_empty() || self.acknowledged_only
    }

    fn is_filtering(&self) -> bool {
        self.typing.is_some()
    }

    fn is_filtered(&self) -> bool {
        !self.filter.is_empty()
    }
}

/// Whether there is a runbook for what the cursor is on.
fn able_to_run(model: &Model, under: Option<&Verdict>) -> Able {
    let Some(under) = under else { return Able::no("nothing needs you") };
    Able::when(offer(model.shelved(), under).is_some(), "no runbook says that it applies to this")
}

/// Asks for what the runbook needs that fits, with what the verdict is about filled in.
fn run_fitting(model: &mut Model, verdict: &Verdict) -> Vec<Effect> {
    let Some(offer) = offer(model.shelved(), verdict) else { return Vec::new() };
    let Some(runbook) = named(model, &offer.runbook) else { return Vec::new() };
    let given = Values(offer.about.into_iter().map(|(name, value)| (name, value.into())).collect());
    begin::open(model, runbook, Some(&verdict.environment), &given)
}

/// Whether what the cursor is on can be redriven, woken, failed over.
fn able_to_operate(model: &Model, under: Option<&Verdict>, command: Command, wanted: Topic) -> Able {
    let noun = |topic: Topic| topic.list().head().nouns[0];
    let Some(under) = under else { return Able::no("nothing needs you") };
    match subject(&under.subject) {
        Some((topic, id)) if topic == wanted => Able::of(act::meant(model, command, topic, &under.environment, &id)),
        Some((topic, _)) if wanted == Topic(Scope::Queues) => {
            Able::no(&format!("it is about a {}: the cursor is on no queue", noun(topic)))
        }
        None if wanted == Topic(Scope::Queues) => Able::no("it is about the environment: the cursor is on no queue"),
        Some(_) | None => Able::no(&format!("the cursor is on no {}", noun(wanted))),
    }
}

/// What deals with it: dead letters, details, the thing in its list, the environment's queues, or what to run.
fn open(model: &mut Model, verdict: &Verdict) -> Vec<Effect> {
    let environment = &verdict.environment;
    match (subject(&verdict.subject), verdict.kind) {
        // What may not be looked at has no letters to show.
        (Some((Topic(Scope::Queues), id)), Kind::Denied) => {
            return act::open_sheet(model, Topic(Scope::Queues), environment, &id);
        }
        (Some((Topic(Scope::Queues), id)), _) => return act::open(model, Topic(Scope::Queues), environment, &id),
        (Some((topic, id)), _) => model.go(Way::Thing(topic, environment.clone(), id)),
        (None, Kind::Credentials) => {
            let needs = model.site(environment).map(|site| standing(site, model.now).needs);
            if let Some(Needs::Credentials(hint) | Needs::Reaching(hint)) = needs {
                model.say(Notice::note(&format!("{environment}: {hint}")));
            }
        }
        (None, _) => {
            model.only = Some(environment.clone());
            model.go(Way::To(Command::Queues));
        }
    }
    Vec::new()
}

impl HomeOrder {
    fn next(self) -> Self {
        match self {
            Self::Worst => Self::Environment,
            Self::Environment => Self::Messages,
            Self::Messages => Self::Name,
            Self::Name => Self::Worst,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Environment => "by environment",
            Self::Messages => "most messages first",
            Self::Name => "by name",
        }
    }
}

/// Those that fit the filter, in order; `all` is worst first.
pub(crate) fn rows(model: &Model, view: &HomeView, all: Vec<Verdict>) -> Vec<Verdict> {
    let (query, mut search) = (Query::parse(&view.filter), Search::default());
    if query.is_empty() && view.order == HomeOrder::Worst {
        return all;
    }
    let mut found: Vec<(Fit, Verdict)> = all
        .into_iter()
        .filter_map(|verdict| {
            let beside = [&*verdict.environment.0, verdict.severity.into_str(), verdict.reason.as_str()];
            let fit = search.fit(&query, &what(model, &verdict), &beside)?;
            Some((if view.order == HomeOrder::Worst { fit } else { fit.exact_or_not() }, verdict))
        })
        .collect();
    let place = |verdict: &Verdict| model.sites.iter().position(|site| site.environment.name == verdict.environment);
    // Stable: among equals the worst stays first.
    match view.order {
        HomeOrder::Worst => found.sort_by_key(|(fit, _)| *fit),
        HomeOrder::Environment => found.sort_by_key(|(fit, verdict)| (*fit, place(verdict))),
        HomeOrder::Messages => found.sort_by_key(|(fit, verdict)| (*fit, Reverse(verdict.messages))),
        HomeOrder::Name => found.sort_by_cached_key(|(fit, verdict)| (*fit, what(model, verdict).to_lowercase())),
    }
    found.into_iter().map(|(_, verdict)| verdict).collect()
}

pub(super) fn change(view: &mut HomeView, model: &mut Model, command: Command) {
    let said = match command {
        Command::Filter => {
            view.typing = Some(Field::with(&view.filter));
            None
        }
        Command::Sort => {
            view.order = view.order.next();
            Some(view.order.words())
        }
        Command::Group => {
            view.by_environment = !view.by_environment;
            Some(if view.by_environment { "by environment" } else { "worst first" })
        }
        Command::Acknowledged => {
            show_acknowledged(view, !view.acknowledged_only);
            Some(if view.acknowledged_only { "what is acknowledged" } else { "what needs you" })
        }
        _ => None,
    };
    if let Some(said) = said {
        model.say(Notice::note(said));
    }
    model.changed();
}

pub(super) fn show_acknowledged(view: &mut HomeView, only: bool) {
    view.acknowledged_only = only;
    (view.cursor, view.pinned) = (Cursor::default(), false);
}

pub(super) fn typed(view: &mut HomeView, model: &mut Model) {
    if let Some(field) = &view.typing
        && field.text() != view.filter
    {
        view.filter = field.text().to_owned();
        (view.cursor, view.pinned) = (Cursor::default(), false);
    }
    model.changed();
}
