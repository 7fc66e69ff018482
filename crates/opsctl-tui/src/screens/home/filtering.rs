//! Home's filter and order.

use std::cmp::Reverse;

use super::what::{severity, what};
use crate::{
    keymap::{
        Command,
        query::{Fit, Query, Search},
    },
    observe::Verdict,
    state::{
        cursor::Cursor,
        event::Notice,
        field::Field,
        home::{HomeOrder, HomeView},
        model::Model,
    },
};

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
            let beside = [&*verdict.environment.0, severity(verdict.severity), verdict.reason.as_str()];
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

/// Changes how the rows are shown.
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

/// Shows what is acknowledged, or what is not.
pub(super) fn show_acknowledged(view: &mut HomeView, only: bool) {
    view.acknowledged_only = only;
    (view.cursor, view.pinned) = (Cursor::default(), false);
}

/// What is typed has changed.
pub(super) fn typed(view: &mut HomeView, model: &mut Model) {
    if let Some(field) = &view.typing
        && field.text() != view.filter
    {
        view.filter = field.text().to_owned();
        (view.cursor, view.pinned) = (Cursor::default(), false);
    }
    model.changed();
}
