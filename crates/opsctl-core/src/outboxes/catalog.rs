//! A table as the server's catalogs have it, and a mapping held against it.

use crate::{
    domain::{
        Attempts, AttemptsMax, Becomes, Body, Change, Dead, Field, Lease, Literal, Primitive, Rearm, Release,
        RowMapping, TableName, Text, Times,
    },
    files::problem::nearest,
};

/// The columns of a table, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    pub columns: Vec<CatalogColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogColumn {
    pub name: String,
    /// As the server writes the type: `timestamp with time zone`, `varchar(64)`. Part of statements as it is: it comes from the
    /// server's own catalog, quoted by it.
    pub sql_type: String,
    pub sort: ColumnSort,
    pub nullable: bool,
    /// Computed by the server: never written.
    pub generated: bool,
    /// Values of a native enum; empty for other types.
    pub labels: Vec<String>,
    /// MySQL's collation, which has the character set with it; none: the type has none, or the server is another.
    pub collation: Option<String>,
}

/// What matters about a type when values are compared, bound and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnSort {
    Integer,
    Boolean,
    Text,
    Json,
    Bytes,
    /// Times, uuids, enums, decimals: passed as text.
    Other,
}

/// Why a mapping does not fit the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("the table has no column {column}{}", nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean {near}?")))]
    NoColumn { column: Text, nearest: Option<Text> },
    #[error("{column} cannot have the value {value}: its type knows {}", known.as_str())]
    NoLabel { column: Text, value: Text, known: Text },
    #[error("the server computes {column}: it cannot be set")]
    Generated { column: Text },
}

impl Catalog {
    pub fn column(&self, name: &str) -> Option<&CatalogColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The mapping as this table has it: names that differ in case only are written as they are here, status values that the column's
    /// enum does not have are left out (some systems use one of two vocabularies), and times that are said to have a zone and whose
    /// columns have none are taken for UTC.
    ///
    /// # Errors
    /// Columns that are not there, values that would be set and the enum does not have, generated columns that would be set.
    pub fn fit(&self, mapping: &RowMapping) -> Result<RowMapping, Vec<Misfit>> {
        let mut misfits: Vec<Misfit> = Vec::new();
        let mut fitted = mapping.clone();
        each_column(&mut fitted, &mut |name| match self.meant(name) {
            Some(column) => name.clone_from(&column.name),
            None => misfits.extend(Some(self.missing(name)).filter(|misfit| !misfits.contains(misfit))),
        });
        if let Primitive::Status { column, states, .. } = &mut fitted.primitive
            && let Some(found) = self.column(column)
            && !found.labels.is_empty()
        {
            states.retain(|(value, _)| matches!(value, Literal::Text(word) if found.labels.contains(word)));
        }
        for change in all_changes(&fitted) {
            misfits.extend(self.column(&change.column).and_then(|column| column.refuses(&change.to)));
        }
        if fitted.times == Times::Tz && times_of(&fitted).any(|name| self.has_no_zone(name)) {
            fitted.times = Times::Utc;
        }
        if misfits.is_empty() { Ok(fitted) } else { Err(misfits) }
    }

    fn has_no_zone(&self, name: &str) -> bool {
        let sql_type = self.column(name).map_or("", |column| column.sql_type.as_str());
        let mut words = sql_type.split_whitespace();
        sql_type.starts_with("datetime") || (sql_type.starts_with("timestamp") && words.any(|word| word == "without"))
    }

    /// The column of that name, or the only one that differs from it in case alone.
    fn meant(&self, name: &str) -> Option<&CatalogColumn> {
        let mut alike = self.columns.iter().filter(|column| column.name.eq_ignore_ascii_case(name));
        let only = alike.next().filter(|_| alike.next().is_none());
        self.column(name).or(only)
    }

    fn missing(&self, name: &str) -> Misfit {
        let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        Misfit::NoColumn { column: Text::line(name), nearest: nearest(name, &known).map(Text::line) }
    }
}

impl CatalogColumn {
    /// Characters of a text that it takes; none: its type sets no limit that is known here.
    pub fn characters_max(&self) -> Option<usize> {
        let (name, rest) = self.sql_type.split_once('(')?;
        let limit = rest.split_once(')')?.0;
        name.to_ascii_lowercase().contains("char").then(|| limit.parse().ok()).flatten()
    }

    fn refuses(&self, becomes: &Becomes) -> Option<Misfit> {
        if self.generated {
            return Some(Misfit::Generated { column: Text::line(&self.name) });
        }
        let Becomes::Value(Literal::Text(word)) = becomes else { return None };
        (!self.labels.is_empty() && !self.labels.contains(word)).then(|| Misfit::NoLabel {
            column: Text::line(&self.name),
            value: Text::line(word),
            known: Text::line(&self.labels.join(", ")),
        })
    }
}

/// Every column of the outbox's own table that a mapping names; some more than once.
pub fn columns_of(mapping: &RowMapping) -> Vec<String> {
    let mut names = Vec::new();
    each_column(&mut mapping.clone(), &mut |name| names.push(name.clone()));
    names
}

fn each_column(mapping: &mut RowMapping, visit: &mut dyn FnMut(&mut String)) {
    mapping.id.iter_mut().chain(&mut mapping.order).for_each(&mut *visit);
    mapping.scope.iter_mut().chain(&mut mapping.held).for_each(|scope| visit(&mut scope.column));
    let plain = [&mut mapping.due, &mut mapping.expiry, &mut mapping.created, &mut mapping.published_at];
    let plain = plain.into_iter().chain([&mut mapping.holder]);
    plain.flatten().for_each(&mut *visit);
    let fields = [&mut mapping.group, &mut mapping.error, &mut mapping.kind, &mut mapping.event_id];
    fields.into_iter().flatten().for_each(|field| visit(column_in(field)));
    each_of_primitive(&mut mapping.primitive, visit);
    if let Some(Attempts { column, max }) = &mut mapping.attempts {
        visit(column);
        if let Some(AttemptsMax::Column(column)) = max {
            visit(column);
        }
    }
    if let Some(Lease::Until(column) | Lease::Since { column, .. } | Lease::Owner(column)) = &mut mapping.lease {
        visit(column);
    }
    if let Some(Dead::NotNull(column) | Dead::Is(column, _)) = &mut mapping.dead {
        visit(column);
    }
    match &mut mapping.body {
        Some(Body::Inline(field)) => visit(column_in(field)),
        Some(Body::Joined { from, .. }) => visit(from),
        None => {}
    }
    if let Rearm::Move(moved) = &mut mapping.rearm {
        visit(&mut moved.key);
        moved.copied.iter_mut().chain(&mut moved.only_null).for_each(&mut *visit);
    }
    for change in all_changes_mut(mapping) {
        visit(&mut change.column);
        if let Becomes::AtLeastOneMoreThan(column) | Becomes::Like(column) = &mut change.to {
            visit(column);
        }
    }
}

/// Whatever a replay, a park or a release sets.
fn all_changes(mapping: &RowMapping) -> impl Iterator<Item = &Change> {
    let rearm = if let Rearm::Set(changes) = &mapping.rearm { changes.as_slice() } else { &[] };
    let release = if let Release::Set(changes) = &mapping.release { changes.as_slice() } else { &[] };
    rearm.iter().chain(&mapping.park.claim).chain(&mapping.park.set).chain(release)
}

fn all_changes_mut(mapping: &mut RowMapping) -> impl Iterator<Item = &mut Change> {
    let rearm = if let Rearm::Set(changes) = &mut mapping.rearm { changes.as_mut_slice() } else { &mut [] };
    let release = if let Release::Set(changes) = &mut mapping.release { changes.as_mut_slice() } else { &mut [] };
    rearm.iter_mut().chain(&mut mapping.park.claim).chain(&mut mapping.park.set).chain(release)
}

fn each_of_primitive(primitive: &mut Primitive, visit: &mut dyn FnMut(&mut String)) {
    match primitive {
        Primitive::NullTime { column } | Primitive::Flag { column, .. } => visit(column),
        Primitive::Status { column, done, .. } => std::iter::once(column).chain(done).for_each(visit),
        Primitive::Satellite { key, finished, .. } => std::iter::once(key).chain(finished).for_each(visit),
        Primitive::Offset(offset) => {
            visit(&mut offset.position);
            if let Some((own, _)) = &mut offset.transaction {
                visit(own);
            }
        }
        Primitive::Present | Primitive::Cdc { .. } => {}
    }
}

/// Every table that a mapping names beside the outbox's own.
pub(super) fn each_other_table(mapping: &mut RowMapping, visit: &mut dyn FnMut(&mut TableName)) {
    match &mut mapping.primitive {
        Primitive::Satellite { members, .. } => members.iter_mut().for_each(|member| visit(&mut member.table)),
        Primitive::Offset(offset) => visit(&mut offset.table),
        Primitive::NullTime { .. }
        | Primitive::Flag { .. }
        | Primitive::Status { .. }
        | Primitive::Present
        | Primitive::Cdc { .. } => {}
    }
    match &mut mapping.rearm {
        Rearm::Move(moved) => {
            visit(&mut moved.from);
            visit(&mut moved.to);
        }
        Rearm::Set(_) | Rearm::Refused(_) => {}
    }
    if let Some(Body::Joined { table, .. }) = &mut mapping.body {
        visit(table);
    }
}

/// Columns of times that are compared with the server's.
fn times_of(mapping: &RowMapping) -> impl Iterator<Item = &String> {
    let leased = mapping.lease.as_ref().and_then(|lease| match lease {
        Lease::Until(column) | Lease::Since { column, .. } => Some(column),
        Lease::Owner(_) => None,
    });
    [&mapping.due, &mapping.expiry, &mapping.created, &mapping.published_at].into_iter().flatten().chain(leased)
}

fn column_in(field: &mut Field) -> &mut String {
    match field {
        Field::Column(column) | Field::Json { column, .. } => column,
    }
}
