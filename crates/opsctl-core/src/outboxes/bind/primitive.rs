//! How rows tell whether they were published, as typed.

use std::ops::Range;

use super::{Binder, span};
use crate::{
    domain::{Literal, Offset, Primitive, RowMapping, RowState, Satellite},
    files::{Spot, problem::Problem},
    outboxes::typed::{self, Outbox},
};

impl Binder {
    /// None: none is typed. Some(None): it is not what it must be.
    pub(super) fn primitive(&mut self, typed: &Outbox, base: Option<&RowMapping>) -> Option<Option<Primitive>> {
        let mut found: Vec<(&str, Range<usize>, Option<Primitive>)> = Vec::new();
        if let Some(spot) = &typed.null_time {
            found.push(("null_time", spot.span(), self.column(spot).map(|column| Primitive::NullTime { column })));
        }
        if let Some(flag) = &typed.flag {
            let published = flag.published.as_ref().map_or(Literal::Integer(1), |spot| spot.value().into());
            let column = flag.column.as_ref();
            let bound = column.and_then(|spot| self.column(spot)).map(|column| Primitive::Flag { column, published });
            found.push(("flag", span(column), bound));
        }
        if let Some(status) = &typed.status {
            found.push(("status", span(status.column.as_ref()), self.status(status)));
        }
        if let Some(spot) = typed.present.as_ref().filter(|spot| *spot.value()) {
            found.push(("present", spot.span(), Some(Primitive::Present)));
        }
        if let Some(satellites) = &typed.satellite {
            found.push(("satellite", span(satellites.key.as_ref()), self.satellites(satellites)));
        }
        if let Some(offset) = &typed.offset {
            found.push(("offset", span(offset.consumer.as_ref()), self.offset(offset, base)));
        }
        if let Some(cdc) = &typed.cdc {
            let slot = cdc.slot.as_ref().map(|slot| slot.value().clone());
            found.push(("cdc", span(cdc.slot.as_ref()), Some(Primitive::Cdc { slot })));
        }
        if let [(first, ..), (second, at, _), ..] = found.as_slice() {
            let problem =
                Problem::error(at.clone(), format!("`{first}` and `{second}` both say which rows are published"));
            self.problems.push(problem.help("leave one of them out"));
        }
        found.into_iter().next().map(|(_, _, primitive)| primitive)
    }

    fn status(&mut self, typed: &typed::Status) -> Option<Primitive> {
        let spot = typed.column.as_ref()?;
        let column = self.column(spot)?;
        let lists = [
            (RowState::Ready, &typed.ready),
            (RowState::Scheduled, &typed.scheduled),
            (RowState::InProgress, &typed.in_progress),
            (RowState::Failed, &typed.failed),
            (RowState::Published, &typed.published),
            (RowState::Held, &typed.held),
            (RowState::Expired, &typed.expired),
        ];
        let mut states: Vec<(Literal, RowState)> = Vec::new();
        for (state, value) in lists.iter().flat_map(|(state, list)| list.iter().flatten().map(|spot| (*state, spot))) {
            let literal = Literal::from(value.value());
            if let Some((_, other)) = states.iter().find(|(known, _)| *known == literal) {
                let problem = Problem::error(value.span(), format!("this value already stands for {other}"));
                self.problems.push(problem.help("leave one of them out"));
                continue;
            }
            states.push((literal, state));
        }
        let null = typed.null.as_ref().map(|state| *state.value());
        if !states.iter().any(|(_, state)| state.is_pending()) && !null.is_some_and(RowState::is_pending) {
            let problem = Problem::error(spot.span(), "no value of this status is one of rows that wait");
            self.problems.push(problem.help("add `ready = [\"...\"]`"));
        }
        let done = typed.done.as_ref().and_then(|spot| self.column(spot));
        Some(Primitive::Status { column, states, null, done })
    }

    fn satellites(&mut self, typed: &typed::Satellites) -> Option<Primitive> {
        let key = self.column(typed.key.as_ref()?)?;
        let mut members = Vec::new();
        for one in typed.tables.iter().flatten() {
            let (Some(table), Some(column), Some(state)) = (&one.table, &one.column, &one.state) else { continue };
            let (Some(table), Some(column)) = (self.beside(table), self.column(column)) else { continue };
            let due = one.due.as_ref().and_then(|spot| self.column(spot));
            members.push(Satellite { table, column, state: *state.value(), due });
        }
        let finished = typed.finished.as_ref().and_then(|spot| self.column(spot));
        Some(Primitive::Satellite { key, members, finished })
    }

    /// What is not typed is as the preset has it: most often only the consumer is typed.
    fn offset(&mut self, typed: &typed::Offset, base: Option<&RowMapping>) -> Option<Primitive> {
        let base = match base.map(|base| &base.primitive) {
            Some(Primitive::Offset(offset)) => Some(offset.clone()),
            Some(_) | None => None,
        };
        let table = typed.table.as_ref().and_then(|spot| self.beside(spot));
        let mut column = |spot: &Option<Spot<String>>, known: Option<String>| {
            spot.as_ref().and_then(|spot| self.column(spot)).or(known)
        };
        let known = |of: fn(&Offset) -> String| base.as_ref().map(of);
        let position = column(&typed.position, known(|base| base.position.clone()));
        let acked = column(&typed.acked, known(|base| base.acked.clone()));
        let name = column(&typed.consumer_column, known(|base| base.consumer.0.clone()));
        let own = column(&typed.transaction, None);
        let theirs = column(&typed.acked_transaction, None);
        let consumer = typed.consumer.as_ref().map(|spot| spot.value().into());
        let consumer = consumer.or_else(|| base.as_ref().map(|base| base.consumer.1.clone()));
        let table = table.or_else(|| base.as_ref().map(|base| base.table.clone()));
        let (Some(table), Some(position), Some(acked), Some(name), Some(consumer)) =
            (table, position, acked, name, consumer)
        else {
            let at = [&typed.table, &typed.position, &typed.acked].into_iter().flatten().next();
            let problem = Problem::error(span(at), "the consumer's position cannot be found by this");
            self.problems.push(problem.help("write `table`, `position`, `acked`, `consumer_column` and `consumer`"));
            return None;
        };
        let transaction = own.zip(theirs).or_else(|| base.and_then(|base| base.transaction));
        Some(Primitive::Offset(Offset { table, position, acked, consumer: (name, consumer), transaction }))
    }
}
