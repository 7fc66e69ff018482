//! What a replay does, as typed.

use std::ops::Range;

use super::{Binder, span};
use crate::{
    domain::{Becomes, Change, Move, Rearm},
    files::{Spot, problem::Problem},
    outboxes::typed::{self, Outbox},
};

const DELAY_SECONDS_MAX: i64 = 31_536_000;

impl Binder {
    /// None: nothing is typed.
    pub(super) fn rearm(&mut self, typed: &Outbox) -> Option<Rearm> {
        let mut found: Vec<(Range<usize>, Option<Rearm>)> = Vec::new();
        if let Some(changes) = &typed.rearm {
            let at = span(changes.first().and_then(|change| change.set.as_ref()));
            let bound: Vec<Change> = changes.iter().filter_map(|change| self.change(change)).collect();
            found.push((at, (!bound.is_empty()).then_some(Rearm::Set(bound))));
        }
        if let Some(moved) = &typed.rearm_move {
            found.push((span(moved.from.as_ref()), self.moved(moved)));
        }
        if let Some(refused) = &typed.replay_refused {
            let text = |spot: &Option<Spot<String>>| spot.as_ref().map(|spot| spot.value().clone());
            let bound = text(&refused.because).zip(text(&refused.instead));
            let bound = bound.map(|(because, instead)| Rearm::Refused { because, instead });
            found.push((span(refused.because.as_ref()), bound));
        }
        if let [_, (at, _), ..] = found.as_slice() {
            let problem = Problem::error(at.clone(), "a replay is told in more than one way");
            self.problems.push(problem.help("leave all but one of `rearm`, `rearm_move` and `replay_refused` out"));
        }
        found.into_iter().next().and_then(|(_, rearm)| rearm)
    }

    fn change(&mut self, typed: &typed::ColumnChange) -> Option<Change> {
        let spot = typed.set.as_ref()?;
        let column = self.column(spot)?;
        let is = |given: &Option<Spot<bool>>| given.as_ref().is_some_and(|spot| *spot.value());
        let mut ways: Vec<Becomes> = Vec::new();
        ways.extend(typed.to.as_ref().map(|value| Becomes::Value(value.value().into())));
        ways.extend(is(&typed.null).then_some(Becomes::Null));
        ways.extend(is(&typed.now).then_some(Becomes::Now));
        ways.extend(typed.in_seconds.as_ref().and_then(|spot| self.figure(spot, DELAY_SECONDS_MAX)).map(Becomes::In));
        ways.extend(is(&typed.one_more).then_some(Becomes::OneMore));
        ways.extend(typed.above.as_ref().and_then(|spot| self.column(spot)).map(Becomes::AtLeastOneMoreThan));
        if ways.len() != 1 {
            let problem =
                Problem::error(spot.span(), format!("what `{column}` becomes is not said in exactly one way"));
            let help = "write one of `to = ...`, `null = true`, `now = true`, `in_seconds = ...`, `one_more = true`, `above = \"column\"`";
            self.problems.push(problem.help(help));
        }
        ways.pop().map(|to| Change { column, to })
    }

    fn moved(&mut self, typed: &typed::Move) -> Option<Rearm> {
        let list = |binder: &mut Self, spots: &Option<Vec<Spot<String>>>| {
            spots.as_deref().map(|spots| binder.columns(spots)).unwrap_or_default()
        };
        Some(Rearm::Move(Move {
            from: self.beside(typed.from.as_ref()?)?,
            to: self.beside(typed.to.as_ref()?)?,
            column: self.column(typed.column.as_ref()?)?,
            key: String::new(),
            copied: list(self, &typed.copied),
            now: typed.now.as_ref().and_then(|spot| self.column(spot)),
            only_null: list(self, &typed.only_null),
        }))
    }
}
