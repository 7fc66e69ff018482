//! Home's filter and order.

use std::cmp::Reverse;

use super::{HomeView, height, what};
use crate::{
    effect::Effect,
    event::Notice,
    field::Field,
    filter::{self, Did},
    keymap::{
        Command, Key,
        query::{Fit, Query, Search},
    },
    list::Cursor,
    model::{Model, View},
    observe::{Severity, Verdict},
    observed,
};

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// How bad it is.
    #[default]
    Worst,
    /// The environment, in the configuration's order; then how bad it is.
    Environment,
    /// How many messages it is about.
    Messages,
    /// The name.
    Name,
}

impl Order {
    fn next(self) -> Self {
        match self {
            Self::Worst => Self::Environment,
            Self::Environment => Self::Messages,
            Self::Messages => Self::Name,
            Self::Name => Self::Worst,
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Environment => "by environment",
            Self::Messages => "most messages first",
            Self::Name => "by name",
        }
    }
}

/// Those that fit the filter, in order; `all` is worst first.
pub(super) fn rows(model: &Model, view: &HomeView, all: Vec<Verdict>) -> Vec<Verdict> {
    let (query, mut search) = (Query::parse(&view.filter), Search::default());
    if query.is_empty() && view.order == Order::Worst {
        return all;
    }
    let mut found: Vec<(Fit, Verdict)> = all
        .into_iter()
        .filter_map(|verdict| {
            let beside = [&*verdict.environment.0, severity(verdict.severity), verdict.reason.as_str()];
            let fit = search.fit(&query, &what(model, &verdict), &beside)?;
            Some((if view.order == Order::Worst { fit } else { fit.exact_or_not() }, verdict))
        })
        .collect();
    let place = |verdict: &Verdict| model.sites.iter().position(|site| site.environment.name == verdict.environment);
    // Stable: among equals the worst stays first.
    match view.order {
        Order::Worst => found.sort_by_key(|(fit, _)| *fit),
        Order::Environment => found.sort_by_key(|(fit, verdict)| (*fit, place(verdict))),
        Order::Messages => found.sort_by_key(|(fit, verdict)| (*fit, Reverse(verdict.messages))),
        Order::Name => found.sort_by_cached_key(|(fit, verdict)| (*fit, what(model, verdict).to_lowercase())),
    }
    found.into_iter().map(|(_, verdict)| verdict).collect()
}

/// A severity's word.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// Changes how the rows are shown.
pub(super) fn change(model: &mut Model, command: Command) -> Vec<Effect> {
    let View::Home(view) = model.view_mut() else { return Vec::new() };
    let said = match command {
        Command::Filter => {
            view.typing = Some(Field::with(&view.filter));
            None
        }
        Command::Sort => {
            view.order = view.order.next();
            Some(view.order.words())
        }
        Command::Acknowledged => {
            view.acknowledged_only = !view.acknowledged_only;
            (view.cursor, view.pinned) = (Cursor::default(), false);
            Some(if view.acknowledged_only { "what is acknowledged" } else { "what needs you" })
        }
        _ => None,
    };
    if let Some(said) = said {
        model.say(Notice::note(said));
    }
    observed::settle(model);
    observed::focus(model)
}

/// Takes a key while the filter is typed.
pub(crate) fn filter_key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let height = height(model);
    let View::Home(view) = model.view_mut() else { return Vec::new() };
    match filter::key(&mut view.typing, key) {
        Did::Changed => typed(model),
        Did::Kept => {
            view.pinned = true;
            Vec::new()
        }
        Did::GivenUp => back(model).unwrap_or_default(),
        Did::Moved(command) => {
            view.pinned = true;
            view.cursor.step(command, view.rows.len(), height);
            observed::focus(model)
        }
        Did::Nothing => Vec::new(),
    }
}

pub(crate) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if let View::Home(view) = model.view_mut()
        && let Some(field) = &mut view.typing
    {
        field.paste(text);
    }
    typed(model)
}

fn typed(model: &mut Model) -> Vec<Effect> {
    if let View::Home(view) = model.view_mut()
        && let Some(field) = &view.typing
        && field.text() != view.filter
    {
        view.filter = field.text().to_owned();
        (view.cursor, view.pinned) = (Cursor::default(), false);
    }
    observed::settle(model);
    observed::focus(model)
}

/// Back takes the filter away first, then shows what needs somebody again; `None`: there is nothing to go back from.
pub(crate) fn back(model: &mut Model) -> Option<Vec<Effect>> {
    let View::Home(view) = model.view_mut() else { return None };
    if !view.filter.is_empty() {
        view.filter.clear();
        view.pinned = !view.rows.is_empty();
    } else if view.acknowledged_only {
        view.acknowledged_only = false;
        (view.cursor, view.pinned) = (Cursor::default(), false);
    } else {
        return None;
    }
    observed::settle(model);
    Some(observed::focus(model))
}
