//! A key of an outbox in the configuration, and its value.

use crate::domain::Literal;

/// A value in a TOML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toml {
    Text(String),
    Number(i64),
    Truth(bool),
    List(Vec<Toml>),
    Table(Vec<(&'static str, Toml)>),
}

/// A key of an outbox in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub key: &'static str,
    pub value: Toml,
    /// What somebody has to know or to answer.
    pub remark: Option<String>,
    /// Whether it is written as a comment, since nobody knows yet whether it is so.
    pub is_open: bool,
}

impl Setting {
    pub(super) fn new(key: &'static str, value: Toml) -> Self {
        Self { key, value, remark: None, is_open: false }
    }

    pub(super) fn open(key: &'static str, value: Toml, remark: &str) -> Self {
        Self { key, value, remark: Some(remark.to_owned()), is_open: true }
    }

    pub(super) fn remark(mut self, remark: &str) -> Self {
        self.remark = Some(remark.to_owned());
        self
    }
}

pub(super) fn text(text: &str) -> Toml {
    Toml::Text(text.to_owned())
}

pub(super) fn texts<T: AsRef<str>>(list: &[T]) -> Toml {
    Toml::List(list.iter().map(|one| text(one.as_ref())).collect())
}

pub(super) fn value(literal: &Literal) -> Toml {
    match literal {
        Literal::Integer(number) => Toml::Number(*number),
        Literal::Text(word) => text(word),
    }
}

/// A place in a row. A slash or a tilde in a name is escaped, as in a JSON pointer.
pub(super) fn place(column: &str) -> Toml {
    Toml::Text(column.replace('~', "~0").replace('/', "~1"))
}
