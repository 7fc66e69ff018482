//! Ids in JSON: texts, lists, objects that have them under a name, as deep as AWS's and jq's answers go.

use serde_json::Value;

use super::{Found, Ids, Refused, plain, shown};

/// How deep ids are looked for.
const DEPTH_MAX: usize = 12;

/// The documents of a text that is JSON as a whole: one, or one after the other.
pub(super) fn documents(text: &str) -> Option<Vec<Value>> {
    let starts = text.trim_start().as_bytes().first();
    if !matches!(starts, Some(b'{' | b'[' | b'"')) {
        return None;
    }
    serde_json::Deserializer::from_str(text).into_iter::<Value>().collect::<Result<_, _>>().ok()
}

/// Where JSON that begins well breaks off; none: it is whole, or no JSON.
pub(super) fn cut_off(text: &str) -> Option<Refused> {
    let starts = text.trim_start().as_bytes().first();
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let error = documents.filter_map(Result::err).next().filter(|error| error.is_eof())?;
    let because = "the JSON ends before it is complete".to_owned();
    matches!(starts, Some(b'{' | b'[')).then(|| Refused { line: error.line().max(1), because })
}

pub(super) fn ids(ids: &Ids<'_>, text: &str, documents: &[Value]) -> Result<Vec<Found>, Refused> {
    let mut search = Search { ids, text, found: Vec::new(), from: 0, line: 1 };
    documents.iter().try_for_each(|document| search.value(document, 0))?;
    Ok(search.found)
}

struct Search<'a> {
    ids: &'a Ids<'a>,
    text: &'a str,
    found: Vec<Found>,
    /// Where the text is looked through from, to tell lines, and the line there.
    from: usize,
    line: usize,
}

impl Search<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Refused> {
        let ids = self.ids;
        match value {
            Value::Array(items) if depth < DEPTH_MAX => {
                let is_joined = |item: &Value| item.as_str().is_some_and(|text| text.split(',').count() == ids.columns);
                let is_one = ids.columns > 1
                    && items.len() == ids.columns
                    && items.iter().all(|item| scalar(item).is_some())
                    && !items.iter().all(is_joined);
                if is_one {
                    let words: Vec<String> = items.iter().filter_map(scalar).collect();
                    return self.take(&words);
                }
                items.iter().try_for_each(|item| self.value(item, depth + 1))
            }
            Value::Object(fields) if depth < DEPTH_MAX => {
                if let Some(words) = named(ids, fields) {
                    return self.take(&words);
                }
                let before = self.found.len();
                for (name, inner) in fields.iter().filter(|(_, inner)| inner.is_object() || inner.is_array()) {
                    // A list of plain values is one of ids where its name says so; other lists are of something else.
                    let is_plain =
                        inner.as_array().is_some_and(|items| items.iter().all(|item| scalar(item).is_some()));
                    if !is_plain || ids.is_of_messages || plain(name).ends_with("ids") {
                        self.value(inner, depth + 1)?;
                    }
                }
                let is_empty = fields.values().all(|inner| inner.as_array().is_some_and(Vec::is_empty));
                if self.found.len() > before || is_empty {
                    return Ok(());
                }
                let first = fields.keys().next().map_or("", String::as_str);
                let line = self.line_of(first);
                let names = if ids.columns == 1 { "MessageId" } else { "its columns" };
                let names = if ids.is_of_messages { names } else { &ids.names.join(", ") };
                Err(Refused { line, because: format!("an object has no {names} in it") })
            }
            Value::String(word)
                if ids.columns == 1 && (ids.check)(word).is_err() && word.contains([' ', ',', '\t', '\n']) =>
            {
                // A query of the AWS CLI that joins ids gives one text.
                let words: Vec<String> = word.split([' ', ',', '\t', '\n']).map(str::to_owned).collect();
                words.iter().filter(|word| !word.is_empty()).try_for_each(|word| self.take(std::slice::from_ref(word)))
            }
            Value::String(word) if ids.columns > 1 => {
                let words: Vec<String> = word.split(',').map(str::to_owned).collect();
                self.take(&words)
            }
            Value::String(_) | Value::Number(_) => self.take(&scalar(value).into_iter().collect::<Vec<_>>()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                let line = self.line_of(&value.to_string());
                Err(Refused { line, because: format!("`{}` is not a {}", shown(&value.to_string()), ids.what) })
            }
        }
    }

    fn take(&mut self, words: &[String]) -> Result<(), Refused> {
        let line = self.line_of(words.first().map_or("", String::as_str));
        if words.len() != self.ids.columns {
            let because = format!(
                "an id here has {} columns, and `{}` has {}",
                self.ids.columns,
                shown(&words.join(",")),
                words.len()
            );
            return Err(Refused { line, because });
        }
        let id = words.iter().map(|word| self.ids.word(word, line)).collect::<Result<_, _>>()?;
        self.found.push(Found { line, id });
        Ok(())
    }

    /// The line in which a word stands: values come in the text's order.
    fn line_of(&mut self, word: &str) -> usize {
        if let Some(at) = self.text[self.from..].find(word) {
            self.line += self.text[self.from..self.from + at].matches('\n').count();
            self.from += at;
        }
        self.line
    }
}

/// The id of an object, by the names of its fields.
fn named(ids: &Ids<'_>, fields: &serde_json::Map<String, Value>) -> Option<Vec<String>> {
    // As opsctl prints rows.
    if let Some(parts) = fields.get("id").and_then(Value::as_array)
        && !ids.is_of_messages
        && parts.len() == ids.columns
    {
        return parts.iter().map(scalar).collect();
    }
    let mut found: Vec<(usize, String)> =
        fields.iter().filter_map(|(name, value)| Some((ids.named(name)?, scalar(value)?))).collect();
    found.sort();
    match ids.columns {
        1 => found.into_iter().next().map(|(_, word)| vec![word]),
        columns if found.len() == columns => Some(found.into_iter().map(|(_, word)| word).collect()),
        _ => None,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
