//! Names of tables, and places in their rows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A table's name as the server has it: no quotes, letters as they are. Quoted by the SQL writer, nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// Schema, or MySQL's database; none: where the connection looks first.
    pub schema: Option<String>,
    pub name: String,
}

impl TableName {
    /// A table in the schema where the connection looks first.
    pub fn new(name: &str) -> Self {
        Self { schema: None, name: name.to_owned() }
    }

    /// Another table of the same schema.
    pub fn beside(&self, name: &str) -> Self {
        Self { schema: self.schema.clone(), name: name.to_owned() }
    }
}

/// `table`, `schema.table`; a part with a dot, a quote or a space in it stands in double quotes, as in `"odd.schema"."a ""b"""`.
impl FromStr for TableName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (part, behind) = part(rest)?;
            parts.push(part);
            match behind.strip_prefix('.') {
                Some(next) => rest = next,
                None if behind.is_empty() => break,
                None => return Err("only a dot may follow a quoted part"),
            }
        }
        let name = parts.pop().unwrap_or_default();
        let schema = parts.pop();
        if parts.is_empty() { Ok(Self { schema, name }) } else { Err("it has more than two parts") }
    }
}

/// The first part of a name, and what stands behind it.
fn part(text: &str) -> Result<(String, &str), &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        let (plain, behind) = text.split_at(end);
        return match plain {
            "" => Err("a part of it is empty"),
            plain if plain.contains('"') => Err("a quote stands in the middle of a part"),
            plain => Ok((plain.to_owned(), behind)),
        };
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (before, behind) = rest.split_once('"').ok_or("its quotes are not closed")?;
        name.push_str(before);
        match behind.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None if name.is_empty() => return Err("a part of it is empty"),
            None => return Ok((name, behind)),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |part: &str| match part.contains(['.', '"', ' ']) {
            true => format!("\"{}\"", part.replace('"', "\"\"")),
            false => part.to_owned(),
        };
        match &self.schema {
            Some(schema) => formatter.pad(&format!("{}.{}", quoted(schema), quoted(&self.name))),
            None => formatter.pad(&quoted(&self.name)),
        }
    }
}

/// Where a value stands in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    Column(String),
    /// Inside a JSON document: names of members from its root on.
    Json {
        column: String,
        path: Vec<String>,
    },
}

impl Field {
    /// The column that it stands in.
    pub fn column(&self) -> &str {
        match self {
            Self::Column(column) | Self::Json { column, .. } => column,
        }
    }
}

/// `column`, or a column and a JSON pointer into it: `payload/key/transferId`. `~1` is a slash in a name, `~0` a tilde (RFC 6901).
impl FromStr for Field {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/').map(|part| part.replace("~1", "/").replace("~0", "~"));
        let column = parts.next().unwrap_or_default();
        let path: Vec<String> = parts.collect();
        if column.is_empty() || path.iter().any(String::is_empty) {
            return Err("a part of it is empty");
        }
        Ok(if path.is_empty() { Self::Column(column) } else { Self::Json { column, path } })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |part: &str| part.replace('~', "~0").replace('/', "~1");
        match self {
            Self::Column(column) => formatter.pad(&escaped(column)),
            Self::Json { column, path } => {
                let parts: Vec<String> = std::iter::once(column).chain(path).map(|part| escaped(part)).collect();
                formatter.pad(&parts.join("/"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_are_read_and_written_alike() {
        for (text, schema, name) in [
            ("outbox", None, "outbox"),
            ("cap.published", Some("cap"), "published"),
            ("\"odd.schema\".\"a \"\"b\"\"\"", Some("odd.schema"), "a \"b\""),
            ("\"x; DROP\"", None, "x; DROP"),
        ] {
            let read: TableName = text.parse().expect(text);
            assert_eq!((read.schema.as_deref(), read.name.as_str()), (schema, name));
            assert_eq!(read.to_string(), text);
        }
        for bad in ["", ".a", "a.", "a.b.c", "\"a", "\"\"", "a\"b", "\"a\"b"] {
            assert!(bad.parse::<TableName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn places_are_columns_or_pointers_into_them() {
        let nested: Field = "payload/key/transferId".parse().expect("a place");
        let path = vec!["key".to_owned(), "transferId".to_owned()];
        assert_eq!(nested, Field::Json { column: "payload".to_owned(), path });
        for text in ["payload/key/transferId", "id", "a~1b", "a/b~0c~1"] {
            assert_eq!(text.parse::<Field>().expect(text).to_string(), text);
        }
        assert_eq!("a~1b".parse::<Field>().expect("a place").column(), "a/b");
        for bad in ["", "/a", "a/", "a//b"] {
            assert!(bad.parse::<Field>().is_err(), "{bad}");
        }
    }
}
