//! From an outbox as typed to a mapping: every mistake at once, each in its place.

mod primitive;
mod rearm;

use std::ops::Range;

use super::typed::{self, Outbox};
use crate::{
    domain::{
        Attempts, AttemptsMax, Body, Dead, Field, In, Lease, Literal, Park, Primitive, Rearm, Refusal, Release,
        RowMapping, Scope, TableName, Times,
    },
    files::{Spot, problem::Problem},
};

/// A name of PostgreSQL has 63 bytes, one of MySQL 64 characters.
const NAME_BYTES_MAX: usize = 256;
const ATTEMPTS_MAX: i64 = 1_000_000;
const TTL_SECONDS_MAX: i64 = 604_800;

/// Binds what is typed over what a preset says.
///
/// `at` is where the outbox is named. No mapping where the way rows tell their state is missing or wrong.
pub fn bind(
    typed: &Outbox,
    base: Option<RowMapping>,
    table: TableName,
    at: Range<usize>,
) -> (Option<RowMapping>, Vec<Problem>) {
    let mut binder = Binder { table, problems: Vec::new() };
    let mapping = binder.mapping(typed, base, at);
    (mapping, binder.problems)
}

struct Binder {
    table: TableName,
    problems: Vec<Problem>,
}

impl Binder {
    fn mapping(&mut self, typed: &Outbox, base: Option<RowMapping>, at: Range<usize>) -> Option<RowMapping> {
        let given = self.primitive(typed, base.as_ref());
        let primitive = match (given, &base) {
            (Some(primitive), _) => primitive?,
            (None, Some(base)) => base.primitive.clone(),
            (None, None) => {
                let problem = Problem::error(at, "nothing says which rows are published");
                let help =
                    "add one of `null_time`, `flag`, `status`, `present`, `satellite`, `offset`, `cdc`, or a `preset`";
                self.problems.push(problem.help(help));
                return None;
            }
        };
        let mut mapping = base.unwrap_or_else(|| empty(self.table.clone(), primitive.clone()));
        mapping.primitive = primitive;
        mapping.table = self.table.clone();
        self.parts(typed, &mut mapping);
        self.places(typed, &mut mapping);
        let rearm = self.rearm(typed);
        mapping.rearm = rearm.unwrap_or(mapping.rearm);
        if let (Rearm::Move(moved), Primitive::Satellite { key, .. }) = (&mut mapping.rearm, &mapping.primitive) {
            moved.key.clone_from(key);
        }
        self.asides(typed, &mut mapping);
        self.agree(typed, &mapping);
        Some(mapping)
    }

    /// Parts that decide on states.
    fn parts(&mut self, typed: &Outbox, mapping: &mut RowMapping) {
        if let Some(id) = typed.id.as_ref().filter(|id| !id.is_empty()) {
            mapping.id = self.columns(id);
        }
        if let Some(attempts) = &typed.attempts {
            mapping.attempts = self.attempts(attempts);
        }
        if let Some(lease) = &typed.lease {
            mapping.lease = self.lease(lease);
        }
        if let Some(dead) = &typed.dead {
            let column = dead.column.as_ref().and_then(|spot| self.column(spot));
            mapping.dead = column.map(|column| match &dead.value {
                Some(value) => Dead::Is(column, value.value().into()),
                None => Dead::NotNull(column),
            });
        }
        for (typed, bound) in [(&typed.scope, &mut mapping.scope), (&typed.held, &mut mapping.held)] {
            if let Some(scopes) = typed {
                *bound = scopes.iter().filter_map(|scope| self.scope(scope)).collect();
            }
        }
        if let Some(order) = &typed.order {
            mapping.order = self.columns(order);
        }
        for (typed, bound) in [
            (&typed.due, &mut mapping.due),
            (&typed.expiry, &mut mapping.expiry),
            (&typed.created, &mut mapping.created),
            (&typed.published_at, &mut mapping.published_at),
            (&typed.holder, &mut mapping.holder),
        ] {
            if let Some(spot) = typed {
                *bound = self.column(spot);
            }
        }
    }

    /// Parts that say what stands where, and what plans have to say.
    fn places(&mut self, typed: &Outbox, mapping: &mut RowMapping) {
        for (typed, bound) in [
            (&typed.group, &mut mapping.group),
            (&typed.error, &mut mapping.error),
            (&typed.kind, &mut mapping.kind),
            (&typed.event_id, &mut mapping.event_id),
        ] {
            if let Some(spot) = typed {
                *bound = self.field(spot);
            }
        }
        if let Some(body) = &typed.body {
            mapping.body = self.body(body);
        }
        for (typed, bound) in [
            (&typed.group_blocks, &mut mapping.group_blocks),
            (&typed.opaque, &mut mapping.opaque),
            (&typed.relay_locks, &mut mapping.relay_locks),
        ] {
            if let Some(spot) = typed {
                *bound = *spot.value();
            }
        }
        if let Some(times) = &typed.times {
            mapping.times = *times.value();
        }
        mapping.notes.extend(typed.notes.iter().flatten().map(|note| note.value().clone()));
    }

    fn attempts(&mut self, typed: &typed::Attempts) -> Option<Attempts> {
        let column = self.column(typed.column.as_ref()?)?;
        let max = match (&typed.max, &typed.max_column) {
            (Some(max), None) => self.figure(max, ATTEMPTS_MAX).map(AttemptsMax::Number),
            (None, Some(column)) => self.column(column).map(AttemptsMax::Column),
            (Some(_), Some(column)) => {
                let problem = Problem::error(column.span(), "`max` and `max_column` both say how often");
                self.problems.push(problem.help("leave one of them out"));
                None
            }
            (None, None) => None,
        };
        Some(Attempts { column, max })
    }

    fn lease(&mut self, typed: &typed::Lease) -> Option<Lease> {
        let given = [&typed.until, &typed.since, &typed.owner];
        let mut given = given.into_iter().flatten();
        let (first, second) = (given.next(), given.next());
        if let Some(second) = second {
            let problem = Problem::error(second.span(), "a lease is told by one of `until`, `since` and `owner`");
            self.problems.push(problem.help("leave the others out"));
        }
        match (&typed.since, &typed.ttl_seconds) {
            (Some(since), None) => {
                let problem = Problem::error(since.span(), "nothing says how long this claim holds");
                self.problems.push(problem.help("add `ttl_seconds`"));
                return None;
            }
            (None, Some(ttl)) => {
                let problem = Problem::error(ttl.span(), "`ttl_seconds` without `since`");
                self.problems.push(problem.help("add the column of the time of the claim as `since`"));
                return None;
            }
            (Some(since), Some(ttl)) => {
                let (column, ttl_seconds) = (self.column(since)?, self.figure(ttl, TTL_SECONDS_MAX)?);
                return Some(Lease::Since { column, ttl_seconds });
            }
            (None, None) => {}
        }
        let column = self.column(first?)?;
        Some(if typed.until.is_some() { Lease::Until(column) } else { Lease::Owner(column) })
    }

    fn scope(&mut self, typed: &typed::Scope) -> Option<Scope> {
        let spot = typed.column.as_ref()?;
        let column = self.column(spot)?;
        let values: Vec<Literal> = typed.values.iter().flatten().map(|value| value.value().into()).collect();
        let except: Vec<Literal> = typed.except.iter().flatten().map(|value| value.value().into()).collect();
        let mut ways: Vec<In> = Vec::new();
        ways.extend((!values.is_empty()).then_some(In::Values(values)));
        ways.extend((!except.is_empty()).then_some(In::Except(except)));
        ways.extend(typed.null.as_ref().map(|null| if *null.value() { In::Null } else { In::NotNull }));
        let (Some(is), true) = (ways.pop(), ways.is_empty()) else {
            let problem = Problem::error(spot.span(), "this condition is not said in exactly one way");
            self.problems.push(problem.help("write one of `values = [\"...\"]`, `except = [\"...\"]`, `null = true`"));
            return None;
        };
        Some(Scope { column, is })
    }

    fn body(&mut self, typed: &typed::Body) -> Option<Body> {
        let spot = typed.column.as_ref()?;
        match (&typed.table, &typed.key, &typed.from) {
            (None, None, None) => self.field(spot).map(Body::Inline),
            (Some(table), Some(key), Some(from)) => Some(Body::Joined {
                table: self.beside(table)?,
                key: self.column(key)?,
                from: self.column(from)?,
                column: self.column(spot)?,
            }),
            _ => {
                let problem = Problem::error(spot.span(), "a body in another table needs `table`, `key` and `from`");
                self.problems.push(problem.help("write all three, or none"));
                None
            }
        }
    }

    /// Parts that make no sense together.
    fn agree(&mut self, typed: &Outbox, mapping: &RowMapping) {
        let all = [&typed.rearm, &typed.park, &typed.park_claim, &typed.release];
        let changes = all.into_iter().flatten().flatten().filter_map(|change| change.set.as_ref());
        for spot in changes.filter(|spot| mapping.id.contains(spot.value())) {
            let problem =
                Problem::error(spot.span(), "a replay, a park or a release may not change what names the row");
            self.problems.push(problem.help("leave it out"));
        }
        let moves = matches!(mapping.rearm, Rearm::Move(_));
        if let Some(from) = typed.rearm_move.as_ref().and_then(|moved| moved.from.as_ref())
            && moves
            && !matches!(mapping.primitive, Primitive::Satellite { .. })
        {
            let problem = Problem::error(from.span(), "rows are moved only where other tables tell the state");
            self.problems.push(problem.help("add `satellite`, or write `rearm` in place of `rearm_move`"));
        }
        let outside = matches!(mapping.primitive, Primitive::Cdc { .. } | Primitive::Offset(_));
        if let Some(spot) = typed.rearm.iter().flatten().find_map(|change| change.set.as_ref()).filter(|_| outside) {
            let problem =
                Problem::error(spot.span(), "no column of a row says whether it was sent, so none can be set back");
            self.problems.push(problem.help("leave `rearm` out"));
        }
    }

    fn columns(&mut self, spots: &[Spot<String>]) -> Vec<String> {
        spots.iter().filter_map(|spot| self.column(spot)).collect()
    }

    fn column(&mut self, spot: &Spot<String>) -> Option<String> {
        let name = spot.value();
        let good = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
        if !good {
            let problem = Problem::error(spot.span(), "not the name of a column");
            self.problems.push(problem.help("write it as the server has it, without quotes"));
        }
        good.then(|| name.clone())
    }

    fn field(&mut self, spot: &Spot<String>) -> Option<Field> {
        match spot.value().parse::<Field>() {
            Ok(field) if !spot.value().chars().any(char::is_control) => Some(field),
            Ok(_) | Err(_) => {
                let problem = Problem::error(spot.span(), "not a place in a row");
                self.problems.push(problem.help("write a column, or a column and a JSON pointer: \"payload/key/id\""));
                None
            }
        }
    }

    fn beside(&mut self, spot: &Spot<String>) -> Option<TableName> {
        match table_of(spot, spot.value()) {
            Ok(name) if name.schema.is_none() => Some(self.table.beside(&name.name)),
            Ok(name) => Some(name),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn figure(&mut self, spot: &Spot<i64>, most: i64) -> Option<u32> {
        let number = u32::try_from(*spot.value()).ok().filter(|_| (1..=most).contains(spot.value()));
        if number.is_none() {
            let problem = Problem::error(spot.span(), format!("{} makes no sense here", spot.value()));
            self.problems.push(problem.help(format!("write a number from 1 to {most}")));
        }
        number
    }
}

/// A table's name as typed, with what stands in `text` for it.
///
/// # Errors
/// It is none.
pub fn table_of(spot: &Spot<String>, text: &str) -> Result<TableName, Problem> {
    let wrong = |because: &str| {
        let problem = Problem::error(spot.span(), format!("not the name of a table: {because}"));
        problem.help("write \"table\" or \"schema.table\"; a part with a dot in it in double quotes")
    };
    if text.chars().any(char::is_control) {
        return Err(wrong("it has control characters"));
    }
    text.parse().map_err(wrong)
}

fn span<T>(spot: Option<&Spot<T>>) -> Range<usize> {
    spot.map_or(0..0, Spot::span)
}

/// Nothing but how rows tell their state.
fn empty(table: TableName, primitive: Primitive) -> RowMapping {
    RowMapping {
        table,
        id: vec!["id".to_owned()],
        primitive,
        scope: Vec::new(),
        attempts: None,
        due: None,
        lease: None,
        dead: None,
        held: Vec::new(),
        expiry: None,
        order: Vec::new(),
        group: None,
        group_blocks: false,
        times: Times::Tz,
        created: None,
        published_at: None,
        error: None,
        kind: None,
        event_id: None,
        body: None,
        opaque: false,
        relay_locks: false,
        holder: None,
        rearm: Rearm::Refused(Refusal {
            because: "the mapping does not say what makes the relay send a row again".to_owned(),
            instead: "add `rearm` to the outbox in opsctl.toml".to_owned(),
        }),
        park: Park { claim: Vec::new(), set: Vec::new(), stays: None },
        release: Release::Refused(Refusal { because: String::new(), instead: String::new() }),
        notes: Vec::new(),
    }
}
