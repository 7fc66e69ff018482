//! The fields of each kind, as their types and comments say them: for the document, the lint and for completing.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use super::{Alarm, Database, Environment, Function, Group, Migration, Outbox, Queue, Rule, Service, is_thing};
use crate::{Kind, operations::resolve::suggestions};

/// Something that a condition can ask of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub kind: Kind,
    /// The way to it from the thing's word on: `oldest_seconds`, `sources[].messages`.
    pub path: String,
    /// `number`, `text`, `yes or no`, `list`, with `or unknown`.
    pub type_words: String,
    pub comment: String,
}

/// A thing has no such field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} has no `{path}`", kind.with_article())]
pub struct NoField {
    pub kind: Kind,
    pub path: String,
    /// What to try: `did you mean messages?`, or the fields that there are.
    pub hint: String,
}

/// Kinds nest no deeper.
const DEPTH_MAX: usize = 4;

/// Fields of all kinds, kind by kind, in the order of their types.
pub fn fields() -> Vec<Field> {
    <Kind as strum::VariantArray>::VARIANTS.iter().flat_map(|kind| fields_of(*kind)).collect()
}

/// Fields of a kind; none of a plain value.
pub fn fields_of(kind: Kind) -> Vec<Field> {
    match kind {
        Kind::Environment => of::<Environment>(kind),
        Kind::Queue => of::<Queue>(kind),
        Kind::Service => of::<Service>(kind),
        Kind::Group => of::<Group>(kind),
        Kind::Database => of::<Database>(kind),
        Kind::Outbox => of::<Outbox>(kind),
        Kind::Alarm => of::<Alarm>(kind),
        Kind::Function => of::<Function>(kind),
        Kind::Rule => of::<Rule>(kind),
        Kind::Migration => of::<Migration>(kind),
        Kind::Number | Kind::Duration | Kind::Choice | Kind::Text | Kind::Link | Kind::Version | Kind::Run => {
            Vec::new()
        }
    }
}

/// Whether a condition can ask for this of a kind: `path` as [`crate::messages::Figure::field`] gives it.
///
/// # Errors
/// There is no such field.
pub fn check(kind: Kind, path: &str) -> Result<(), NoField> {
    // A plain value has no fields, and is one by itself.
    if path.is_empty() {
        return Ok(());
    }
    let fields = fields_of(kind);
    let is_there = |field: &Field| field.path == path || format!("{}[]", field.path) == path;
    if fields.iter().any(is_there) {
        return Ok(());
    }
    let names: Vec<String> = fields.iter().map(|field| field.path.clone()).collect();
    let alike = suggestions(path, &names);
    let hint = match (alike.is_empty(), is_thing(kind)) {
        (false, _) => format!("did you mean {}?", alike.join(", ")),
        (true, true) => {
            let first: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.contains('[')).collect();
            format!("it has {}", first.join(", "))
        }
        (true, false) => "it is a plain value".to_owned(),
    };
    Err(NoField { kind, path: path.to_owned(), hint })
}

fn of<T: JsonSchema>(kind: Kind) -> Vec<Field> {
    let schema = schema_for!(T).to_value();
    let mut all = Vec::new();
    walk(&schema, &schema, "", kind, &mut all);
    all
}

fn walk(root: &Value, schema: &Value, before: &str, kind: Kind, all: &mut Vec<Field>) {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (name, property) in properties {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        let comment = property.get("description").and_then(Value::as_str).unwrap_or_default();
        // A comment's line breaks are the source's.
        let comment = comment.split_whitespace().collect::<Vec<_>>().join(" ");
        let (inner, is_list, is_optional) = resolved(root, property);
        let mut words = if is_list { "list" } else { type_words(inner) }.to_owned();
        if is_optional {
            words.push_str(" or unknown");
        }
        all.push(Field { kind, path: path.clone(), type_words: words, comment });
        if path.matches(['.', '[']).count() < DEPTH_MAX {
            walk(root, inner, &if is_list { format!("{path}[]") } else { path }, kind, all);
        }
    }
}

/// What a property is at last: its schema, or its entries' where it is a list; and whether it may be null.
fn resolved<'a>(root: &'a Value, mut schema: &'a Value) -> (&'a Value, bool, bool) {
    let (mut is_list, mut is_optional) = (false, false);
    loop {
        let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
        let types = schema.get("type").and_then(Value::as_array);
        is_optional |= !is_list && types.is_some_and(|types| types.iter().any(|word| word == "null"));
        if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
            is_optional |= !is_list && any.iter().any(|one| is_null(&one));
            match any.iter().find(|one| !is_null(one)) {
                Some(one) => schema = one,
                None => return (schema, is_list, is_optional),
            }
        } else if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            match root.get("$defs").and_then(|all| all.get(name)) {
                Some(found) => schema = found,
                None => return (schema, is_list, is_optional),
            }
        } else if let Some(items) = schema.get("items") {
            is_list = true;
            schema = items;
        } else {
            return (schema, is_list, is_optional);
        }
    }
}

fn type_words(schema: &Value) -> &'static str {
    let is = |wanted: &str| match schema.get("type") {
        Some(Value::String(word)) => word == wanted,
        Some(Value::Array(words)) => words.iter().any(|word| word == wanted),
        _ => false,
    };
    match () {
        () if is("integer") || is("number") => "number",
        () if is("boolean") => "yes or no",
        () if is("string") => "text",
        () => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_says_what_it_is() {
        let all = fields();
        for Field { kind, path, comment, .. } in &all {
            let is_sentence = comment.ends_with('.') && !comment.ends_with("...");
            assert!(!comment.is_empty() && !is_sentence, "{kind:?} {path}: {comment:?}");
        }
        let of = |path: &str| {
            let found = all.iter().find(|field| field.kind == Kind::Queue && field.path == path);
            found.map(|field| field.type_words.as_str())
        };
        assert_eq!(of("messages"), Some("number"));
        assert_eq!(of("oldest_seconds"), Some("number or unknown"));
        assert_eq!(of("is_fifo"), Some("yes or no"));
        assert_eq!(of("dead_letter"), Some("text or unknown"));
        assert_eq!(of("sources"), Some("list or unknown"));
        assert_eq!(of("sources[].messages"), Some("number or unknown"));
        assert_eq!(of("sources[].sources"), None, "queues do not nest");
    }

    #[test]
    fn what_a_kind_does_not_have_is_refused_with_what_is_like_it() {
        for (kind, path) in [
            (Kind::Queue, ""),
            (Kind::Queue, "messages"),
            (Kind::Queue, "sources"),
            (Kind::Queue, "sources[]"),
            (Kind::Queue, "sources[].messages"),
            (Kind::Service, "stopped[].exit_code"),
            (Kind::Number, ""),
        ] {
            assert_eq!(check(kind, path), Ok(()), "{kind:?} {path}");
        }
        let refused = |kind, path: &str| {
            let error = check(kind, path).expect_err(path);
            format!("{error}: {}", error.hint)
        };
        assert_eq!(
            refused(Kind::Queue, "oldest_second"),
            "a queue has no `oldest_second`: did you mean oldest_seconds, sources[].oldest_seconds?"
        );
        assert!(refused(Kind::Service, "stopped[].exitcode").contains("did you mean stopped[].exit_code"));
        assert_eq!(refused(Kind::Rule, "zzz"), "a rule has no `zzz`: it has name, is_enabled, schedule");
        assert_eq!(refused(Kind::Number, "messages"), "a number has no `messages`: it is a plain value");
        assert!(refused(Kind::Outbox, "zzz").starts_with("an outbox has no `zzz`"));
    }
}
