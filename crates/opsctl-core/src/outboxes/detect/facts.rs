//! What is known of a table: its columns with their roles, values of its columns, and which rows its indexes are for.

use super::{
    catalog::{Column, Index, Sort, Table},
    expression::{Atom, allowed, atoms},
    roles::{Part, Role, parts},
    values::{codes_in, state_of},
    words::{Sense, Words},
};
use crate::domain::RowState;

/// Most values that a status can have.
const VALUES_MAX: usize = 24;

pub(super) struct Facts<'a> {
    pub(super) table: &'a Table,
    pub(super) parts: Vec<Part<'a>>,
    /// What the rows have in common that a partial index is for.
    pub(super) indexed: Vec<(&'a Index, Vec<Atom>)>,
    pub(super) name: Words,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// With the state that a word for it names.
    pub(super) values: Vec<(String, Option<RowState>)>,
    pub(super) from: From,
}

/// Who says which values a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Enum,
    Check,
    Comment,
    Sample,
    /// Its default or an index: there are others.
    Hint,
}

impl From {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Enum => "is an enum of",
            Self::Check => "has a CHECK of",
            Self::Comment => "has a comment that names",
            Self::Sample => "has in the newest rows",
            Self::Hint => "has, among others,",
        }
    }

    /// Whether there can be no other values.
    pub(super) fn is_all(self) -> bool {
        matches!(self, Self::Enum | Self::Check)
    }
}

impl<'a> Facts<'a> {
    pub(super) fn of(table: &'a Table) -> Self {
        let names = names(table);
        let indexed = table.indexes.iter().filter_map(|index| {
            let found = atoms(index.predicate.as_ref()?, &names);
            (!found.is_empty()).then_some((index, found))
        });
        Self { table, parts: parts(table), indexed: indexed.collect(), name: Words::of(&table.name.name) }
    }

    pub(super) fn first(&self, role: Role) -> Option<&Part<'a>> {
        self.parts.iter().find(|part| part.role == role)
    }

    pub(super) fn all(&self, role: Role) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(move |part| part.role == role)
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.first(role).is_some()
    }

    pub(super) fn column_of(&self, role: Role) -> Option<String> {
        self.first(role).map(|part| part.column.name.clone())
    }

    pub(super) fn count(&self, roles: &[Role]) -> usize {
        self.parts.iter().filter(|part| roles.contains(&part.role)).count()
    }

    /// What a partial index says of that column.
    pub(super) fn predicate_on(&self, column: &str) -> Option<(&'a Index, &Atom)> {
        self.indexed
            .iter()
            .find_map(|(index, atoms)| atoms.iter().find(|atom| atom.column() == column).map(|atom| (*index, atom)))
    }

    /// The values of a column, by whoever says so with the most certainty.
    pub(super) fn known(&self, column: &Column) -> Option<Known> {
        let codes = column.comment.as_deref().map(codes_in).unwrap_or_default();
        let named = |value: &String| {
            let by_comment = codes.iter().find(|(code, _)| code == value).and_then(|(_, word)| state_of(word));
            (value.clone(), by_comment.or_else(|| state_of(value)))
        };
        let made = |values: Vec<String>, from| {
            let is_usable = !values.is_empty() && values.len() <= VALUES_MAX;
            is_usable.then(|| Known { values: values.iter().map(named).collect(), from })
        };
        let names = names(self.table);
        let mut checked = self.table.checks.iter().filter_map(|check| allowed(&check.text, &names));
        let checked = checked.find(|(of, _)| *of == column.name).map(|(_, values)| values);
        let sampled = self.table.sampled(&column.name);
        let sampled = sampled.map(|sampled| sampled.values.iter().filter_map(|(value, _)| value.clone()).collect());
        made(column.labels.clone(), From::Enum)
            .or_else(|| made(checked.unwrap_or_default(), From::Check))
            .or_else(|| made(codes.iter().map(|(code, _)| code.clone()).collect(), From::Comment))
            .or_else(|| made(sampled.unwrap_or_default(), From::Sample))
            .or_else(|| made(self.hints(column), From::Hint))
    }

    /// The default, and what partial indexes are for.
    fn hints(&self, column: &Column) -> Vec<String> {
        let mut hints: Vec<String> = column.default.as_deref().and_then(literal).into_iter().collect();
        for atom in self.indexed.iter().flat_map(|(_, atoms)| atoms) {
            if let Atom::In(of, values) = atom
                && *of == column.name
            {
                hints.extend(values.iter().filter(|value| !hints.contains(value)).cloned().collect::<Vec<_>>());
            }
        }
        hints
    }

    /// The one value of a column that a partial index of the waiting rows is for.
    pub(super) fn indexed_value(&self, column: &str) -> Option<&str> {
        match self.predicate_on(column)?.1 {
            Atom::In(_, values) => match values.as_slice() {
                [only] => Some(only),
                _ => None,
            },
            Atom::IsNull(_) | Atom::NotNull(_) | Atom::True(_) | Atom::False(_) | Atom::Below(..) | Atom::Valid(_) => {
                None
            }
        }
    }

    /// Whether the name, or a comment, says that it is an outbox.
    pub(super) fn is_named_outbox(&self) -> bool {
        self.name.has(Sense::Outbox)
            || self.table.comment.as_ref().is_some_and(|comment| comment.to_lowercase().contains("outbox"))
    }

    /// Whether one column alone points to rows of another table, by its name or by a foreign key.
    pub(super) fn foreign_keys(&self) -> usize {
        let to_tenant = |column: &String| Words::of(column).has(Sense::Tenant);
        self.table.foreign_keys.iter().filter(|key| !key.columns.iter().all(to_tenant)).count()
    }
}

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}

/// The value of a default: `'PENDING'::text`, `0`, `PENDING` as MySQL writes it.
pub(super) fn literal(default: &str) -> Option<String> {
    let default = default.trim().trim_start_matches('(').trim_end_matches(')');
    if let Some(rest) = default.strip_prefix('\'') {
        let (value, _) = rest.split_once('\'')?;
        return (!value.is_empty() && value.len() <= 64).then(|| value.to_owned());
    }
    let plain = default.len() <= 64 && default.chars().all(|letter| letter.is_alphanumeric() || "_-".contains(letter));
    let is_null = ["null", "current_timestamp"].contains(&default.to_lowercase().as_str());
    (plain && !default.is_empty() && !is_null).then(|| default.to_owned())
}

impl Sort {
    /// Whether values of it are written as numbers.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Small | Self::Integer | Self::Boolean | Self::Decimal)
    }
}
