//! Compares a TOML document with the types it will be read into, and reports everything that does not fit at once.
//!
//! serde stops at the first mistake. So the document is first walked beside the JSON Schema of the very types that
//! serde will fill: unknown keys, wrong types, missing keys and unknown words are all reported and taken out. What
//! remains always deserializes, so that the rules about values can be checked in the same pass.

use std::ops::Range;

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::problem::{PROBLEMS_MAX, Problem, nearest, one_of};

/// Reads `text` as `T`. Every field of `T` that a file may lack or spoil must have a default.
///
/// The second part is what does not fit. Where it holds a syntax error there is no value.
pub fn read<T: DeserializeOwned + JsonSchema>(text: &str) -> (Option<T>, Vec<Problem>) {
    let (mut document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return (None, syntax_problems(text, &errors));
    }
    let mut walk = Walk { text, problems: Vec::new() };
    let root = document.span().start..document.span().start;
    walk.table(document.get_mut(), schema_of::<T>(Subschemas::Inline).as_object(), root, "");
    walk.problems.truncate(PROBLEMS_MAX);
    match T::deserialize(toml::Deserializer::from(document)) {
        Ok(value) => (Some(value), walk.problems),
        Err(error) => {
            // Only where schema and type differ: still told at its place.
            walk.problems.push(Problem::error(error.span().unwrap_or_default(), error.message()));
            (None, walk.problems)
        }
    }
}

/// Whether a schema names its parts or contains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subschemas {
    /// Under `definitions`: for editors.
    Named,
    /// In their places: for walking.
    Inline,
}

/// JSON Schema (draft 7, which every editor knows) of a type that is read from a file.
pub fn schema_of<T: JsonSchema>(subschemas: Subschemas) -> Value {
    SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = subschemas == Subschemas::Inline)
        .with_transform(RecursiveTransform(forget_null))
        .into_generator()
        .into_root_schema_for::<T>()
        .into()
}

/// TOML has no null: an optional key may be absent, and that is all.
fn forget_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// Syntax errors, without those that only follow from an earlier one: the parser goes on at the next token.
fn syntax_problems(text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut before: Option<(Range<usize>, &str)> = None;
    for error in errors.iter().take(PROBLEMS_MAX) {
        let span = error.span().unwrap_or_default();
        let follows = before.as_ref().is_some_and(|(earlier, message)| {
            let between = text.get(earlier.start..span.start).unwrap_or_default();
            let same_line = !between.contains('\n');
            // A heading that is there twice makes each key below it a duplicate too.
            let same_table = error.message() == DUPLICATE && *message == DUPLICATE && !between.contains("\n[");
            same_line || same_table
        });
        before = Some((span.clone(), error.message()));
        if !follows {
            let problem = Problem::error(span, format!("not TOML: {}", error.message()));
            let is_duplicate = error.message() == DUPLICATE;
            problems.push(if is_duplicate { problem.help("it is there already, further up") } else { problem });
        }
    }
    problems
}

/// The parser's words.
const DUPLICATE: &str = "duplicate key";

struct Walk<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

type Object = Map<String, Value>;

impl Walk<'_> {
    /// Walks a table and takes out of it what does not fit. `at` is where the table is named.
    fn table(&mut self, table: &mut DeTable<'_>, schema: Option<&Object>, at: Range<usize>, path: &str) {
        let Some(schema) = schema else { return };
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").and_then(Value::as_object);
        let mut unfit = Vec::new();
        for (key, value) in table.iter_mut() {
            let name = key.get_ref().to_string();
            let inner_path = join(path, &name);
            match properties.and_then(|properties| properties.get(&name)).and_then(Value::as_object).or(others) {
                Some(inner) if self.value(value, inner, key.span(), &inner_path) => {}
                Some(_) => unfit.push(name),
                None => {
                    self.unknown_key(&name, key.span(), properties, path);
                    unfit.push(name);
                }
            }
        }
        self.missing_keys(table, schema, at, path);
        for name in unfit {
            table.remove(name.as_str());
        }
    }

    fn unknown_key(&mut self, name: &str, at: Range<usize>, properties: Option<&Object>, path: &str) {
        let known = properties.map(names).unwrap_or_default();
        let problem = Problem::error(at, format!("unknown key `{name}`{}", within(path)));
        self.problems.push(problem.suggest(name, &known));
    }

    fn missing_keys(&mut self, table: &DeTable<'_>, schema: &Object, at: Range<usize>, path: &str) {
        let known: Vec<&str> = schema.get("properties").and_then(Value::as_object).map(names).unwrap_or_default();
        let misspelt = |name: &str| {
            let mut written = table.keys().map(|key| key.get_ref().as_ref()).filter(|key| !known.contains(key));
            written.any(|key: &str| nearest(key, &known) == Some(name))
        };
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str).filter(|name| !table.contains_key(*name) && !misspelt(name)) {
            let description = schema["properties"][name]["description"].as_str().unwrap_or_default();
            let problem = Problem::error(at.clone(), format!("missing key `{name}`{}", within(path)));
            self.problems.push(problem.help(format!("add `{name}`: {}", first_sentence(description))));
        }
    }

    /// Walks a value. Answers whether it may stay.
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &Object, key: Range<usize>, path: &str) -> bool {
        let at = value.span();
        if is_anything(schema) || kinds(schema).any(|wanted| is_of(value.get_ref(), wanted)) {
            return true;
        }
        let wanted = schema.get("type").and_then(Value::as_str);
        match (value.get_mut(), wanted) {
            (DeValue::Table(table), Some("object")) => {
                self.table(table, Some(schema), key, path);
                true
            }
            (DeValue::Array(array), Some("array")) => {
                let items = schema.get("items").and_then(Value::as_object);
                let mut kept = Vec::with_capacity(array.len());
                for (index, mut item) in std::mem::replace(array, std::iter::empty().collect()).into_iter().enumerate()
                {
                    let place = item.span();
                    let item_path = format!("{path}[{}]", index + 1);
                    if items.is_none_or(|items| self.value(&mut item, items, place, &item_path)) {
                        kept.push(item);
                    }
                }
                *array = kept.into_iter().collect();
                true
            }
            (DeValue::String(word), Some("string") | None) => self.word(word, schema, at, path),
            (DeValue::Boolean(_), Some("boolean"))
            | (DeValue::Integer(_), Some("integer" | "number"))
            | (DeValue::Float(_), Some("number")) => true,
            (other, _) => {
                let mistake = Mistake { found: kind(other), wanted: wanted_kind(wanted), schema, at, path };
                self.wrong_kind(&mistake);
                false
            }
        }
    }

    fn word(&mut self, word: &str, schema: &Object, at: Range<usize>, path: &str) -> bool {
        let words = words(schema);
        if words.is_empty() || words.contains(&word) {
            return true;
        }
        let problem = Problem::error(at, format!("`{path}` cannot be `{word}`"));
        self.problems.push(match nearest(word, &words) {
            Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(can_be(&words)),
            None => problem.help(can_be(&words)),
        });
        false
    }

    fn wrong_kind(&mut self, mistake: &Mistake<'_>) {
        let Mistake { found, wanted, schema, at, path } = mistake;
        let written = self.text.get(at.clone()).unwrap_or_default();
        let words = words(schema);
        let help = match (*wanted, *found) {
            (TEXT, _) if !words.is_empty() => Some(can_be(&words)),
            (TEXT, NUMBER | DATE) => Some(format!("write it in quotes: \"{written}\"")),
            (LIST, TEXT) => Some(format!("write it in brackets: [{written}]")),
            (LIST, TABLE) => Some(format!("write it in double brackets: [[{path}]]")),
            (TABLE, _) => Some(format!("write a heading, [{path}], and its keys below")),
            _ => None,
        };
        let problem = Problem::error(at.clone(), format!("`{path}` must be {wanted}, but this is {found}"));
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }
}

struct Mistake<'a> {
    found: &'static str,
    wanted: &'static str,
    schema: &'a Object,
    at: Range<usize>,
    path: &'a str,
}

const TEXT: &str = "a text";
const NUMBER: &str = "a number";
const TRUTH: &str = "true or false";
const DATE: &str = "a date";
const LIST: &str = "a list";
const TABLE: &str = "a table";

fn wanted_kind(json_type: Option<&str>) -> &'static str {
    match json_type {
        Some("object") => TABLE,
        Some("array") => LIST,
        Some("boolean") => TRUTH,
        Some("integer" | "number") => NUMBER,
        _ => TEXT,
    }
}

/// Whether a value may be of any type: whoever reads it looks at it.
fn is_anything(schema: &Object) -> bool {
    ["type", "enum", "oneOf", "anyOf"].iter().all(|key| !schema.contains_key(*key))
}

/// The types of a value that may be of several, none of them with anything to look at inside.
fn kinds(schema: &Object) -> impl Iterator<Item = &str> {
    schema.get("type").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn is_of(value: &DeValue<'_>, wanted: &str) -> bool {
    matches!(
        (value, wanted),
        (DeValue::String(_), "string") | (DeValue::Integer(_), "integer") | (DeValue::Boolean(_), "boolean")
    )
}

fn can_be(words: &[&str]) -> String {
    format!("it can be {}", one_of(words))
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => TEXT,
        DeValue::Integer(_) | DeValue::Float(_) => NUMBER,
        DeValue::Boolean(_) => TRUTH,
        DeValue::Datetime(_) => DATE,
        DeValue::Array(_) => LIST,
        DeValue::Table(_) => TABLE,
    }
}

fn names(properties: &Object) -> Vec<&str> {
    properties.keys().map(String::as_str).collect()
}

/// The words that a string can be: `enum`, or `oneOf` constants where each word has its own comment.
fn words(schema: &Object) -> Vec<&str> {
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    // Those without a comment of their own stand together in an `enum` among the others.
    let choices = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let constants = choices.flat_map(|choice| {
        let several = choice.get("enum").and_then(Value::as_array).into_iter().flatten();
        choice.get("const").into_iter().chain(several).filter_map(Value::as_str)
    });
    listed.chain(constants).collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn within(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" in `{path}`") }
}

fn first_sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = text.split_once(". ").map_or(text.as_str(), |(first, _)| first);
    let mut characters = sentence.trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
