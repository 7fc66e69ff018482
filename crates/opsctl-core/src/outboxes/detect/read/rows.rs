//! Cells of answers, and tables as they grow.

use std::collections::HashMap;

use super::{
    super::catalog::{Column, Table},
    SEPARATOR,
};
use crate::domain::{Rows, TableName, Value};

/// Tables by the name that the answers have for them.
pub(super) struct Builder {
    pub(super) tables: Vec<Table>,
    places: HashMap<String, usize>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self { tables: Vec::new(), places: HashMap::new() }
    }

    pub(super) fn add(&mut self, key: String, name: TableName) -> &mut Table {
        let place = self.tables.len();
        self.places.insert(key, place);
        self.tables.push(Table::new(name));
        &mut self.tables[place]
    }

    pub(super) fn table(&mut self, key: &str) -> Option<&mut Table> {
        let place = *self.places.get(key)?;
        self.tables.get_mut(place)
    }

    pub(super) fn column(&mut self, key: &str, name: &str) -> Option<&mut Column> {
        self.table(key)?.columns.iter_mut().find(|column| column.name == name)
    }
}

/// A row of an answer. What is missing is as NULL.
pub(super) struct Cells<'a>(&'a [Value]);

pub(super) fn each(rows: Option<&Rows>) -> impl Iterator<Item = Cells<'_>> {
    rows.into_iter().flat_map(|rows| rows.rows.iter().map(|row| Cells(row)))
}

impl Cells<'_> {
    pub(super) fn maybe(&self, place: usize) -> Option<String> {
        match self.0.get(place)? {
            Value::Text(text) => Some(text.clone()),
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Real(number) => Some(number.to_string()),
            Value::Null => None,
        }
    }

    pub(super) fn text(&self, place: usize) -> String {
        self.maybe(place).unwrap_or_default()
    }

    pub(super) fn truth(&self, place: usize) -> bool {
        self.maybe_truth(place).unwrap_or_default()
    }

    pub(super) fn maybe_truth(&self, place: usize) -> Option<bool> {
        match self.0.get(place)? {
            Value::Integer(number) => Some(*number != 0),
            Value::Text(text) => Some(["t", "true", "1", "YES"].contains(&text.as_str())),
            Value::Null | Value::Real(_) | Value::Bytes(_) => None,
        }
    }

    pub(super) fn number(&self, place: usize) -> Option<i64> {
        match self.0.get(place)? {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            Value::Null | Value::Real(_) | Value::Bytes(_) => None,
        }
    }

    pub(super) fn list(&self, place: usize) -> Vec<String> {
        let text = self.maybe(place);
        let parts = text.iter().flat_map(|text| text.split(SEPARATOR));
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}
