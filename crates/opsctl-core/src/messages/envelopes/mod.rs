//! [`Opened`]: what a message says of itself when it is looked into: its type, how it failed, what it holds.
//!
//! An envelope is what a framework, a service of AWS or a team wraps its messages in. Those of a team come first, then those that
//! every installation knows; what no envelope tells, names tell.

mod known;
mod lists;
mod names;
mod way;

use serde_json::Value;

use self::names::Named;
pub use self::way::Step;
use super::{decode, json};
use crate::domain::{AttributeValue, Envelope, Message, Payload, Pointer};

/// Envelopes in envelopes that are opened at most.
const LAYERS_MAX: usize = 8;
/// Bodies larger than this are not looked into, in bytes.
const BODY_BYTES_MAX: usize = 1_048_576;
/// Longest text of an error that is kept, in bytes.
const ERROR_BYTES_MAX: usize = 4_096;
const KIND_CHARACTERS_MAX: usize = 160;

/// A message that was looked into.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Opened {
    /// What it is wrapped in, from the outside in: `SNS`, `EventBridge`, `base64`.
    pub layers: Vec<String>,
    /// Type of the event or job.
    pub kind: Option<String>,
    /// Code of the error, with the name that it has there.
    pub code: Option<(String, String)>,
    /// Text of the error, cut to [`ERROR_BYTES_MAX`].
    pub error: Option<String>,
    /// From the body to the content.
    pub way: Vec<Step>,
    /// The content, where it is JSON.
    pub(super) content: Option<Value>,
}

impl Opened {
    /// Looks into a message, with a team's own envelopes before the known ones.
    pub fn of(message: &Message, own: &[Envelope]) -> Self {
        let mut looking =
            Looking { message, opened: Self::default(), layers: Vec::new(), is_json: false, kind_otherwise: None };
        let body = looking.body();
        match body {
            Some(value) => looking.through(value, own),
            None => looking.by_attributes(own),
        }
        looking.by_names();
        let Looking { mut opened, mut layers, is_json, .. } = looking;
        opened.content = layers.pop().filter(|_| is_json);
        opened
    }
}

struct Looking<'a> {
    message: &'a Message,
    opened: Opened,
    /// JSON of each envelope and of the content, from the outside in.
    layers: Vec<Value>,
    /// Whether the last of them is the content.
    is_json: bool,
    kind_otherwise: Option<String>,
}

impl Looking<'_> {
    /// The body as JSON, decoded where it is encoded.
    fn body(&mut self) -> Option<Value> {
        let body = &self.message.body;
        if body.len() > BODY_BYTES_MAX {
            return None;
        }
        if json::is_json(body) {
            let value: Value = serde_json::from_str(body).ok()?;
            let Value::String(text) = &value else { return Some(value) };
            return Some(self.decoded(text, Vec::new()).unwrap_or(value));
        }
        self.decoded(body, Vec::new())
    }

    /// JSON that is encoded in a text at the end of `way`. The content's way ends there, also where it is other text.
    fn decoded(&mut self, text: &str, mut way: Vec<Step>) -> Option<Value> {
        let opened = way::opened(text);
        if let Some((_, how)) = &opened {
            way.push(Step::Decode);
            self.opened.layers.extend(how.iter().filter_map(|how| how.layer()).map(str::to_owned));
        }
        self.opened.way = way;
        let (text, _) = opened?;
        serde_json::from_str(&text).ok()
    }

    /// Through one envelope after the other.
    fn through(&mut self, body: Value, own: &[Envelope]) {
        let mut used: Vec<&Envelope> = Vec::new();
        let mut value = body;
        for _ in 0..LAYERS_MAX {
            let all = own.iter().chain(known::known());
            let found = all
                .filter(|envelope| !used.iter().any(|used| std::ptr::eq(*used, *envelope)))
                .find(|envelope| self.is_in(envelope, Some(&value)));
            let Some(envelope) = found else { break };
            used.push(envelope);
            self.note(envelope, Some(&value));
            let content = envelope.content.iter().find_map(|place| match place {
                Pointer::Body(names) => way::find(&value, names),
                Pointer::Attribute(..) => None,
            });
            let Some((inner, steps)) = content else {
                // What a body is was told; attributes may tell more.
                match envelope.when.iter().any(|sign| matches!(sign.at, Pointer::Body(_))) {
                    true => break,
                    false => continue,
                }
            };
            let way: Vec<Step> = self.opened.way.iter().cloned().chain(steps).collect();
            let inner = match inner.into_owned() {
                Value::String(text) => match self.decoded(&text, way) {
                    Some(inner) => inner,
                    None => {
                        self.layers.push(value);
                        // Of what it holds the text alone is known, or what packed it.
                        self.layers.push(Value::String(text));
                        return;
                    }
                },
                inner => {
                    self.opened.way = way;
                    inner
                }
            };
            self.layers.push(std::mem::replace(&mut value, inner));
            // What was wrapped may be wrapped in the same again; what attributes tell is told once.
            used.retain(|used| used.content.is_empty());
        }
        self.layers.push(value);
        self.is_json = true;
    }

    /// Of a body that is no JSON attributes alone may tell.
    fn by_attributes(&mut self, own: &[Envelope]) {
        for envelope in own.iter().chain(known::known()) {
            if self.is_in(envelope, None) {
                self.note(envelope, None);
            }
        }
    }

    fn is_in(&self, envelope: &Envelope, value: Option<&Value>) -> bool {
        envelope.when.iter().all(|sign| {
            let found = self.at(&sign.at, value);
            found.is_some_and(|found| match (&sign.is, way::text_of(&found)) {
                (None, _) => true,
                (Some(_), Some(text)) => sign.fits(&text),
                (Some(_), None) => false,
            })
        })
    }

    fn note(&mut self, envelope: &Envelope, value: Option<&Value>) {
        if self.opened.layers.last() != Some(&envelope.name) {
            self.opened.layers.push(envelope.name.clone());
        }
        let texts = |places: &[Pointer]| -> Vec<String> {
            places.iter().filter_map(|place| way::text_of(&*self.at(place, value)?)).collect()
        };
        let kind = |places: &[Pointer]| {
            let kind = texts(places).iter().map(|text| names::tidy_kind(text)).collect::<Vec<_>>().join(" ");
            (!kind.trim().is_empty()).then(|| kind.chars().take(KIND_CHARACTERS_MAX).collect::<String>())
        };
        let (own, otherwise) = (kind(&envelope.kind), kind(&envelope.kind_otherwise));
        let otherwise = otherwise.and_then(|kind: String| names::kind_text(&kind));
        let error = texts(&envelope.error).into_iter().find(|text| names::says_something(text));
        let code = envelope.code.iter().find_map(|place| {
            let code = names::code_text(&*self.at(place, value)?)?;
            Some((name_of(place), code))
        });
        let opened = &mut self.opened;
        opened.kind = opened.kind.take().or(own);
        opened.error = opened.error.take().or(error);
        opened.code = opened.code.take().or(code);
        self.kind_otherwise = self.kind_otherwise.take().or(otherwise);
    }

    fn at<'v>(&self, place: &Pointer, value: Option<&'v Value>) -> Option<std::borrow::Cow<'v, Value>> {
        match place {
            Pointer::Body(names) => way::find(value?, names).map(|(found, _)| found),
            Pointer::Attribute(name, names) => {
                let text = text_in(self.message.attributes.get(name)?)?;
                let found = match names.is_empty() {
                    true => Value::String(text.to_owned()),
                    false => way::find(&Value::String(text.to_owned()), names)?.0.into_owned(),
                };
                Some(std::borrow::Cow::Owned(found))
            }
        }
    }

    /// What no envelope told: exact names first, in attributes and then in the body, then parts of names, then the text itself.
    fn by_names(&mut self) {
        let exact: Vec<Named> = self.layers.iter().map(Named::exactly).collect();
        if self.opened.code.is_none() {
            let body = || exact.iter().find_map(|named| named.code.clone());
            self.opened.code = self.attribute_code().or_else(body);
        }
        if self.opened.error.is_none() {
            let body = || exact.iter().find_map(|named| named.text.clone());
            let parts = || self.layers.iter().find_map(Named::by_parts);
            let found = self.attribute_error().or_else(body).or_else(|| self.attribute_part());
            self.opened.error = found.or_else(parts).or_else(|| self.plain_error());
        }
        if let Some(error) = &mut self.opened.error {
            *error = names::telling_line(error).to_owned();
            error.truncate(error.floor_char_boundary(ERROR_BYTES_MAX));
        }
        if self.opened.kind.is_none() {
            // The others are what it is wrapped in.
            let inside = || self.layers.last().and_then(names::kind_in);
            let class = || match self.layers.last() {
                None => decode::class_of(&self.message.body),
                Some(Value::String(text)) => decode::class_of(text),
                Some(_) => None,
            };
            let found = self.attribute_kind().or_else(inside).or_else(class);
            self.opened.kind = found.or_else(|| self.kind_otherwise.take());
        }
    }

    fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.message.attributes.iter().filter_map(|(name, value)| Some((name.as_str(), text_in(value)?)))
    }

    fn attribute_code(&self) -> Option<(String, String)> {
        // What an attribute of such a name has is a code, whatever it looks like.
        let text = |text: &str| {
            let is_code = text.len() <= names::CODE_BYTES_MAX && names::says_something(text);
            is_code.then(|| text.to_owned())
        };
        let found = self.attributes().filter_map(|(name, value)| Some((lists::ranks(name).code?, name, text(value)?)));
        found.min_by_key(|(rank, ..)| *rank).map(|(_, name, code)| (name.to_owned(), code))
    }

    fn attribute_error(&self) -> Option<String> {
        let found = self.attributes().filter_map(|(name, text)| {
            let says = names::says_something(text);
            Some((lists::ranks(name).error.filter(|_| says)?, text))
        });
        let own = found.min_by_key(|(rank, _)| *rank).map(|(_, text)| match way::decoded(text) {
            Some(inner) => {
                Named::exactly(&serde_json::json!({ "error": inner })).text.unwrap_or_else(|| text.to_owned())
            }
            None => text.to_owned(),
        });
        // Headers of a framework lie in one attribute, as JSON.
        let headers = || self.attributes().find_map(|(_, text)| Named::exactly(&way::decoded(text)?).text);
        own.or_else(headers)
    }

    fn attribute_part(&self) -> Option<String> {
        let telling = |(name, text): &(&str, &str)| {
            names::tells(name) && lists::ranks(name).code.is_none() && names::says_something(text)
        };
        self.attributes().find(telling).map(|(_, text)| text.to_owned())
    }

    fn attribute_kind(&self) -> Option<String> {
        let found =
            self.attributes().filter_map(|(name, text)| Some((lists::ranks(name).kind?, names::kind_text(text)?)));
        found.min_by_key(|(rank, _)| *rank).map(|(_, kind)| kind)
    }

    /// The first line of a text that reads like an error.
    fn plain_error(&self) -> Option<String> {
        let decoded = match self.layers.last() {
            None => way::opened(&self.message.body).map(|(text, _)| text),
            Some(Value::String(text)) => Some(way::opened(text).map_or_else(|| text.clone(), |(text, _)| text)),
            Some(_) => return None,
        };
        let text = decoded.as_deref().unwrap_or(&self.message.body);
        let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        names::looks_like_error(first).then(|| text.to_owned())
    }
}

fn text_in(value: &AttributeValue) -> Option<&str> {
    match &value.payload {
        Payload::Text(text) => Some(text),
        Payload::Binary(_) => None,
    }
}

/// What is encoded in a text, opened as often as it is encoded; none: nothing is.
pub(super) fn opened(text: &str) -> Option<String> {
    way::opened(text).map(|(text, _)| text)
}

/// What a place is called where its value is shown: its last name.
fn name_of(place: &Pointer) -> String {
    match place {
        Pointer::Body(names) => names.last().cloned().unwrap_or_default(),
        Pointer::Attribute(name, names) => names.last().unwrap_or(name).clone(),
    }
}

#[cfg(test)]
mod tests;
