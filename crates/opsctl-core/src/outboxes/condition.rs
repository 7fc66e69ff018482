//! Conditions on a row that are either true or false, never unknown: what SQL calls NULL is decided here, not by a server.

use crate::domain::{Literal, Offset, TableName};

/// A condition on one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowCondition {
    Always,
    Never,
    IsNull(String),
    NotNull(String),
    /// False for NULL.
    In(String, Vec<Literal>),
    /// True for NULL.
    NotIn(String, Vec<Literal>),
    /// False where either side is NULL.
    Compare(String, Comparison, Side),
    Exists(Member),
    Missing(Member),
    /// The consumer is at or past the row's position.
    Acked(Offset),
    NotAcked(Offset),
    /// The row's transaction (`xid8`, PostgreSQL only) is not older than every transaction that is still open.
    Unsettled(String),
    /// True for NULL.
    Settled(String),
    All(Vec<RowCondition>),
    Any(Vec<RowCondition>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// The server's time, and so many seconds (before it: negative).
    Now(i64),
    Number(i64),
    Column(String),
}

/// A row in another table that points to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub table: TableName,
    /// Column there that points here.
    pub column: String,
    /// Column here that it points to.
    pub key: String,
    /// Column there of a time that must be later than now.
    pub later: Option<String>,
}

impl Comparison {
    fn opposite(self) -> Self {
        match self {
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::More,
            Self::More => Self::AtMost,
            Self::AtLeast => Self::Less,
        }
    }
}

impl RowCondition {
    /// The column has this value.
    pub fn is(column: &str, value: &Literal) -> Self {
        Self::In(column.to_owned(), vec![value.clone()])
    }

    /// True exactly where this is false, NULL included. Written without NOT, so that an index still serves it.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::IsNull(column) => Self::NotNull(column),
            Self::NotNull(column) => Self::IsNull(column),
            Self::In(column, values) => Self::NotIn(column, values),
            Self::NotIn(column, values) => Self::In(column, values),
            Self::Compare(column, comparison, side) => {
                let mut choices = vec![Self::IsNull(column.clone())];
                if let Side::Column(other) = &side {
                    choices.push(Self::IsNull(other.clone()));
                }
                choices.push(Self::Compare(column, comparison.opposite(), side));
                Self::Any(choices)
            }
            Self::Exists(member) => Self::Missing(member),
            Self::Missing(member) => Self::Exists(member),
            Self::Acked(offset) => Self::NotAcked(offset),
            Self::NotAcked(offset) => Self::Acked(offset),
            Self::Unsettled(column) => Self::Settled(column),
            Self::Settled(column) => Self::Unsettled(column),
            Self::All(parts) => Self::any(parts.into_iter().map(Self::opposite)),
            Self::Any(parts) => Self::all(parts.into_iter().map(Self::opposite)),
        }
    }

    /// All of them, in the fewest words: what one column must be is said once.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        let mut waiting: Vec<Self> = parts.into_iter().collect();
        waiting.reverse();
        while let Some(part) = waiting.pop() {
            match part {
                Self::Always => {}
                Self::Never => return Self::Never,
                Self::All(more) => waiting.extend(more.into_iter().rev()),
                part => kept.push(part),
            }
        }
        // What is known of a column makes parts of the others plain.
        let mut index = 0;
        while index < kept.len() {
            let known = kept[index].clone();
            let mut changed = false;
            for (other, part) in kept.iter_mut().enumerate().filter(|(other, _)| *other != index) {
                let given = part.clone().given(&known, other > index);
                if given == Self::Never {
                    return Self::Never;
                }
                changed |= given != *part;
                *part = given;
            }
            if changed {
                return Self::all(kept);
            }
            index += 1;
        }
        match kept.len() {
            0 => Self::Always,
            1 => kept.remove(0),
            _ => Self::All(kept),
        }
    }

    /// At least one of them.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Never => {}
                Self::Always => return Self::Always,
                Self::Any(more) => kept.extend(more.into_iter().filter(|part| *part != Self::Never)),
                part if kept.contains(&part) => {}
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => Self::Never,
            1 => kept.remove(0),
            _ => Self::Any(kept),
        }
    }

    /// The same for rows for which `known` holds.
    #[must_use]
    pub fn within(self, known: &Self) -> Self {
        match known {
            Self::All(parts) => parts.iter().fold(self, |condition, part| condition.given(part, true)),
            known => self.given(known, true),
        }
    }

    /// The same where `known` holds. `same` says whether what `known` says already may be left out.
    fn given(self, known: &Self, same: bool) -> Self {
        match (self, known) {
            (part, known) if same && part == *known => Self::Always,
            (Self::Any(parts), known) => Self::any(parts.into_iter().map(|part| part.given(known, true))),
            (Self::All(parts), known) => Self::all(parts.into_iter().map(|part| part.given(known, true))),
            (Self::In(column, values), Self::In(of, known)) if column == *of => {
                let left: Vec<Literal> = values.iter().filter(|value| known.contains(value)).cloned().collect();
                match left.len() {
                    0 => Self::Never,
                    _ if same && left.len() == known.len() => Self::Always,
                    _ => Self::In(column, left),
                }
            }
            (Self::In(column, values), Self::NotIn(of, known)) if column == *of => {
                let left: Vec<Literal> = values.into_iter().filter(|value| !known.contains(value)).collect();
                if left.is_empty() { Self::Never } else { Self::In(column, left) }
            }
            (Self::NotIn(column, values), Self::In(of, known)) if column == *of => {
                match known.iter().any(|value| values.contains(value)) {
                    true if known.iter().all(|value| values.contains(value)) => Self::Never,
                    true => Self::NotIn(column, values),
                    false => Self::Always,
                }
            }
            (Self::NotIn(column, _), Self::IsNull(of)) if column == *of => Self::Always,
            (Self::In(column, _) | Self::NotNull(column), Self::IsNull(of)) if column == *of => Self::Never,
            (Self::Compare(column, ..), Self::IsNull(of)) if column == *of => Self::Never,
            (Self::IsNull(column), Self::NotNull(of) | Self::In(of, _) | Self::Compare(of, ..)) if column == *of => {
                Self::Never
            }
            (Self::NotNull(column), Self::In(of, _) | Self::Compare(of, ..)) if column == *of => Self::Always,
            (part, _) => part,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(words: &[&str]) -> Vec<Literal> {
        words.iter().map(|word| Literal::Text((*word).to_owned())).collect()
    }

    fn within(words: &[&str]) -> RowCondition {
        RowCondition::In("state".to_owned(), values(words))
    }

    #[test]
    fn what_earlier_rules_took_is_left_out_of_later_ones() {
        let ready = RowCondition::all([within(&["NEW"]), within(&["SENT"]).opposite(), within(&["FAILED"]).opposite()]);
        assert_eq!(ready, within(&["NEW"]));
        let part = RowCondition::all([within(&["NEW", "FAILED"]), within(&["FAILED"]).opposite()]);
        assert_eq!(part, RowCondition::All(vec![within(&["NEW"]), within(&["FAILED"]).opposite()]).reduced());
        assert_eq!(RowCondition::all([within(&["NEW"]), within(&["NEW"]).opposite()]), RowCondition::Never);
        let null = RowCondition::IsNull("state".to_owned());
        assert_eq!(RowCondition::all([null.clone(), within(&["NEW"]).opposite()]), null);
        assert_eq!(RowCondition::all([null, within(&["NEW"])]), RowCondition::Never);
    }

    impl RowCondition {
        fn reduced(self) -> Self {
            Self::all([self])
        }
    }

    #[test]
    fn the_opposite_of_a_comparison_takes_null_in() {
        let late = RowCondition::Compare("due".to_owned(), Comparison::More, Side::Column("end".to_owned()));
        let opposite = RowCondition::Any(vec![
            RowCondition::IsNull("due".to_owned()),
            RowCondition::IsNull("end".to_owned()),
            RowCondition::Compare("due".to_owned(), Comparison::AtMost, Side::Column("end".to_owned())),
        ]);
        assert_eq!(late.opposite(), opposite);
    }
}
