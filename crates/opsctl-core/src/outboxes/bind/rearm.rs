//! What a replay, a park and a release do, as typed.

use std::ops::Range;

use super::{Binder, span};
use crate::{
    domain::{Becomes, Change, Lease, Move, Primitive, Rearm, Refusal, Release, RowMapping, RowState},
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
            let bound = self.changes(changes);
            found.push((at, (!bound.is_empty()).then_some(Rearm::Set(bound))));
        }
        if let Some(moved) = &typed.rearm_move {
            found.push((span(moved.from.as_ref()), self.moved(moved)));
        }
        if let Some(refused) = &typed.replay_refused {
            found.push((span(refused.because.as_ref()), refusal(refused).map(Rearm::Refused)));
        }
        if let [_, (at, _), ..] = found.as_slice() {
            let problem = Problem::error(at.clone(), "a replay is told in more than one way");
            self.problems.push(problem.help("leave all but one of `rearm`, `rearm_move` and `replay_refused` out"));
        }
        found.into_iter().next().and_then(|(_, rearm)| rearm)
    }

    /// What is typed of setting aside and of freeing; what is not stays as it is.
    pub(super) fn asides(&mut self, typed: &Outbox, mapping: &mut RowMapping) {
        for (typed, bound) in [(&typed.park, &mut mapping.park.set), (&typed.park_claim, &mut mapping.park.claim)] {
            if let Some(changes) = typed {
                *bound = self.changes(changes);
            }
        }
        mapping.park.stays = match (&typed.park_refused, mapping.park.stays.take()) {
            (Some(refused), _) => refusal(refused),
            (None, Some(stays)) => Some(stays),
            (None, None) => stays(&mapping.primitive),
        };
        let set = typed.release.as_ref().map(|changes| self.changes(changes)).filter(|changes| !changes.is_empty());
        mapping.release = match (set, &mapping.release) {
            (Some(changes), _) => Release::Set(changes),
            (None, Release::Set(changes)) => Release::Set(changes.clone()),
            (None, Release::Refused(_)) => Release::Refused(unreleased(mapping)),
        };
        if let (Some(claim), true) = (&typed.park_claim, mapping.park.set.is_empty()) {
            let at = span(claim.first().and_then(|change| change.set.as_ref()));
            let problem = Problem::error(at, "`park_claim` without `park`");
            self.problems.push(problem.help("say as `park` what sets the claimed row aside"));
        }
    }

    fn changes(&mut self, typed: &[typed::ColumnChange]) -> Vec<Change> {
        typed.iter().filter_map(|change| self.change(change)).collect()
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
        ways.extend(typed.like.as_ref().and_then(|spot| self.column(spot)).map(Becomes::Like));
        ways.extend(is(&typed.reason).then_some(Becomes::Reason));
        if ways.len() != 1 {
            let problem =
                Problem::error(spot.span(), format!("what `{column}` becomes is not said in exactly one way"));
            let help = "write one of `to = ...`, `null = true`, `now = true`, `in_seconds = ...`, `one_more = true`, `above = \"column\"`, `like = \"column\"`, `reason = true`";
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
            kept: list(self, &typed.kept),
        }))
    }
}

fn refusal(typed: &typed::Refused) -> Option<Refusal> {
    let text = |spot: &Option<Spot<String>>| spot.as_ref().map(|spot| spot.value().clone());
    let (because, instead) = text(&typed.because).zip(text(&typed.instead))?;
    Some(Refusal { because, instead })
}

/// Where the row is not what the relay goes by, moving it sets nothing aside.
fn stays(primitive: &Primitive) -> Option<Refusal> {
    let (because, instead) = match primitive {
        Primitive::Cdc { .. } => {
            ("the relay reads the database's log, where the event stands already", "filter it out in the relay")
        }
        Primitive::Offset(_) => {
            ("a row is there for every consumer group, also for those that can process it", "let the consumer skip it")
        }
        Primitive::Satellite { .. } => {
            ("rows of other tables belong to it, and only the product keeps them together", "use the product itself")
        }
        Primitive::NullTime { .. } | Primitive::Flag { .. } | Primitive::Status { .. } | Primitive::Present => {
            return None;
        }
    };
    Some(Refusal { because: because.to_owned(), instead: instead.to_owned() })
}

fn unreleased(mapping: &RowMapping) -> Refusal {
    let claims = match &mapping.primitive {
        Primitive::Status { states, .. } => states.iter().any(|(_, state)| *state == RowState::InProgress),
        Primitive::Satellite { members, .. } => members.iter().any(|member| member.state == RowState::InProgress),
        Primitive::NullTime { .. }
        | Primitive::Flag { .. }
        | Primitive::Present
        | Primitive::Offset(_)
        | Primitive::Cdc { .. } => false,
    };
    let (because, instead) = match &mapping.lease {
        None if !claims => {
            ("its relay claims no rows, so none is ever stuck", "where rows wait, see whether the relay runs")
        }
        None | Some(Lease::Owner(_)) => (
            "no column says when a claim ends, so none is known to be stuck",
            "restart the relay: what it does with its own claims is known to it alone",
        ),
        Some(Lease::Until(_) | Lease::Since { .. }) => {
            ("the mapping does not say what frees a claim", "add `release` to the outbox in opsctl.toml")
        }
    };
    Refusal { because: because.to_owned(), instead: instead.to_owned() }
}
