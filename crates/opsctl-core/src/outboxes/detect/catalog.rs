//! The tables of a database as its catalogs describe them.

use crate::domain::{Dialect, TableName};

/// So many tables are looked at; the rest is named as not looked at.
pub const TABLES_MAX: usize = 2_000;

#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseTables {
    pub dialect: Dialect,
    /// In the order of their names. A partitioned table is one: its partitions are not among them.
    pub tables: Vec<Table>,
    /// Whether there are more tables than were read.
    pub is_cut: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: TableName,
    pub columns: Vec<Column>,
    pub checks: Vec<CheckConstraint>,
    /// Empty: the table has none.
    pub primary_key: Vec<String>,
    pub foreign_keys: Vec<ForeignKey>,
    pub indexes: Vec<Index>,
    /// How the table is split up, as the server writes it: `RANGE (created_at)`.
    pub partitioned_by: Option<String>,
    pub partitions: u64,
    pub triggers: Vec<Trigger>,
    pub row_security: RowSecurity,
    pub grants: Grants,
    /// The server's estimate; none: it has never counted.
    pub rows: Option<u64>,
    pub comment: Option<String>,
    /// Of the values of single columns, where a sample was asked for.
    pub sampled: Vec<Sampled>,
    /// Of the documents of the payload, where a sample was asked for: places of members, never what stands there.
    pub paths: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// As the server writes it: `timestamp with time zone`, `varchar(64)`.
    pub sql_type: String,
    pub sort: Sort,
    pub nullable: bool,
    /// The expression, as the server writes it.
    pub default: Option<String>,
    pub generated: bool,
    /// Whether the server numbers rows by it.
    pub identity: bool,
    /// Values of a native enum, in their order.
    pub labels: Vec<String>,
    pub comment: Option<String>,
    /// Whether the current user may change it; none: unknown.
    pub may_update: Option<bool>,
}

/// What a column can hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    Boolean,
    /// One byte or bit, or two: often a flag or a code.
    Small,
    Integer,
    /// Numbers with a fraction: amounts, mostly.
    Decimal,
    /// At most so many characters.
    Short(u32),
    /// Text without a bound, or with one over a thousand characters.
    Long,
    Enum,
    Json,
    Bytes,
    Uuid,
    /// A time with a zone.
    TimeZoned,
    /// A time without a zone.
    TimePlain,
    Date,
    #[default]
    Other,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckConstraint {
    /// The expression, as the server writes it.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    pub columns: Vec<String>,
    pub to: TableName,
    pub to_columns: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    /// Names of columns, or expressions.
    pub columns: Vec<String>,
    pub is_unique: bool,
    /// The predicate of a partial index, as the server writes it.
    pub predicate: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    pub name: String,
    /// When it fires: `BEFORE UPDATE`, or the whole definition.
    pub text: String,
}

/// PostgreSQL's row level security.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowSecurity {
    pub is_enabled: bool,
    /// For the owner, too.
    pub is_forced: bool,
    /// For the current user: some rows may not be seen, and counts may be too low.
    pub is_active: bool,
}

/// What the current user may do with the table; none: unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grants {
    pub select: Option<bool>,
    pub insert: Option<bool>,
    pub update: Option<bool>,
    pub delete: Option<bool>,
}

/// Of at most so many of the newest rows: which values a column has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampled {
    pub column: String,
    /// Value and number of rows, the most first; none: NULL. Empty: too many to list, or too long.
    pub values: Vec<(Option<String>, u64)>,
}

impl Table {
    /// A table of which nothing but the name is known.
    pub fn new(name: TableName) -> Self {
        Self {
            name,
            columns: Vec::new(),
            checks: Vec::new(),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            partitioned_by: None,
            partitions: 0,
            triggers: Vec::new(),
            row_security: RowSecurity::default(),
            grants: Grants::default(),
            rows: None,
            comment: None,
            sampled: Vec::new(),
            paths: Vec::new(),
        }
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column of that name, or the only one that differs in case alone.
    pub fn alike(&self, name: &str) -> Option<&Column> {
        let mut alike = self.columns.iter().filter(|column| column.name.eq_ignore_ascii_case(name));
        let only = alike.next().filter(|_| alike.next().is_none());
        self.column(name).or(only)
    }

    /// Columns that name a row: the primary key, else those of a unique index without NULL.
    pub fn key(&self) -> Vec<String> {
        if !self.primary_key.is_empty() {
            return self.primary_key.clone();
        }
        let never_null = |name: &String| self.column(name).is_some_and(|column| !column.nullable);
        let index = self
            .indexes
            .iter()
            .find(|index| index.is_unique && index.predicate.is_none() && index.columns.iter().all(never_null));
        index.map(|index| index.columns.clone()).unwrap_or_default()
    }

    /// Sets of columns that are unique together.
    pub fn unique(&self) -> impl Iterator<Item = &[String]> {
        let indexes = self.indexes.iter().filter(|index| index.is_unique).map(|index| index.columns.as_slice());
        indexes.chain(Some(self.primary_key.as_slice()).filter(|key| !key.is_empty()))
    }

    pub fn sampled(&self, column: &str) -> Option<&Sampled> {
        self.sampled.iter().find(|sampled| sampled.column == column)
    }
}

impl Sort {
    pub fn is_time(self) -> bool {
        matches!(self, Self::TimeZoned | Self::TimePlain | Self::Date)
    }

    pub fn is_text(self) -> bool {
        matches!(self, Self::Short(_) | Self::Long)
    }

    pub fn is_integer(self) -> bool {
        matches!(self, Self::Small | Self::Integer)
    }

    /// Whether a document may stand in it.
    pub fn holds_documents(self) -> bool {
        matches!(self, Self::Json | Self::Bytes | Self::Long) || matches!(self, Self::Short(most) if most >= 500)
    }
}
