//! What lists show of messages, prepared once for each look.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    domain::{Envelope, EnvironmentName, Message, Payload, QueueName, Text},
    messages::{Groups, Origin, json::is_json, shorten},
    operations::sample::Sample,
    state::{
        Digest, Letters,
        letters::{Line, Path, Place, ValuesLook},
    },
    widgets::{
        json::{self, Part},
        width,
    },
};

impl Letters {
    /// Groups messages and prepares what lists show of them. Takes its time: some milliseconds a group, and as long as
    /// it takes to parse the bodies.
    pub fn of(
        environment: EnvironmentName,
        queue: QueueName,
        at: Timestamp,
        retention_seconds: u64,
        sample: Sample,
        envelopes: &[Envelope],
    ) -> Self {
        let Sample { messages, is_whole } = sample;
        let (groups, group_of) = Groups::with_members(&messages, envelopes);
        let digest = Arc::new(Digest::of(&messages));
        Self {
            environment,
            queue,
            at,
            retention_seconds,
            messages: messages.into(),
            is_whole,
            groups,
            group_of,
            digest,
            envelopes: envelopes.into(),
        }
    }
}

const PREVIEW_CHARACTERS: usize = 400;
const VALUE_CHARACTERS: usize = 64;
/// Bodies larger than this have no columns of their own, in bytes.
const BODY_BYTES_MAX: usize = 262_144;
/// Bodies are looked into for columns until so many bytes were.
const ALL_BYTES_MAX: usize = 32 * 1_048_576;
const VALUES_MAX: usize = 100;
const DEPTH_MAX: usize = 5;
/// Of each list so many items are looked at.
const ITEMS_MAX: usize = 2;
const PLACES_MAX: usize = 200;
/// Columns that are shown when nobody chose.
const CHOSEN_MAX: usize = 3;

impl Place {
    fn new(path: Path) -> Self {
        let title = match &path {
            Path::Attribute(name) => Text::line(name),
            Path::Body(pointer) => Text::line(pointer.strip_prefix('/').unwrap_or(pointer)),
        };
        Self { path, title, values: Vec::new(), look: ValuesLook::default() }
    }

    pub fn value(&self, message: usize) -> Option<&Text> {
        self.values.get(message)?.as_ref()
    }

    fn put(&mut self, message: usize, value: Text) {
        if self.values.len() <= message {
            self.values.resize(message + 1, None);
        }
        self.values[message] = Some(value);
    }

    fn look_at_values(&mut self) {
        let values = || self.values.iter().flatten().map(Text::as_str);
        self.look = ValuesLook {
            longest: values().map(width).max().unwrap_or(0),
            numbers: values().all(|value| value.parse::<f64>().is_ok()),
            words: values().any(|value| value.contains(' ')),
        };
    }

    /// Messages that have a value, and how many different ones there are.
    pub fn spread(&self) -> (usize, usize) {
        let values = self.values.iter().flatten();
        (values.clone().count(), values.collect::<HashSet<_>>().len())
    }
}

impl Digest {
    pub fn of(messages: &[Message]) -> Self {
        let mut finder = Finder::default();
        let mut bytes_left = ALL_BYTES_MAX;
        for (at, message) in messages.iter().enumerate() {
            finder.attributes(at, message);
            let may_be_read = message.body.len() <= BODY_BYTES_MAX.min(bytes_left);
            if may_be_read && is_json(&message.body) {
                bytes_left -= message.body.len();
                finder.body(at, &message.body);
            }
        }
        finder.places.iter_mut().for_each(Place::look_at_values);
        let lines: Vec<Line> = messages
            .iter()
            .map(|message| Line {
                preview: shorten::preview(&message.body, PREVIEW_CHARACTERS),
                source: match Origin::of(message) {
                    Origin::Queue { source } => Text::line(source.name().as_str()),
                    Origin::Unknown => Text::line("-"),
                    other => Text::line(&other.to_string()),
                },
            })
            .collect();
        Self {
            sources_differ: lines.iter().any(|line| line.source != lines[0].source),
            has_message_groups: messages.iter().any(|message| message.system.group.is_some()),
            lines,
            places: finder.places,
        }
    }

    pub fn place(&self, path: &Path) -> Option<&Place> {
        self.places.iter().find(|place| place.path == *path)
    }

    /// What stands at any JSON pointer, also where it was not found before.
    pub(crate) fn at_pointer(messages: &[Message], pointer: &str) -> Place {
        let mut place = Place::new(Path::Body(pointer.to_owned()));
        let mut bytes_left = ALL_BYTES_MAX / 4;
        for (at, message) in messages.iter().enumerate() {
            if message.body.len() > BODY_BYTES_MAX.min(bytes_left) || !is_json(&message.body) {
                continue;
            }
            bytes_left -= message.body.len();
            let body: serde_json::Value = serde_json::from_str(&message.body).unwrap_or_default();
            match body.pointer(pointer) {
                None => {}
                Some(serde_json::Value::String(text)) => place.put(at, value(pointer, text)),
                Some(other) => place.put(at, value(pointer, &other.to_string())),
            }
        }
        place.look_at_values();
        place
    }

    /// The few places that tell most about these messages: one that names each, and those that sort them.
    pub fn telling(&self) -> Vec<Path> {
        let mut scored: Vec<(f64, bool, usize)> = self
            .places
            .iter()
            .enumerate()
            .filter_map(|(at, place)| {
                let (score, is_id) = score(place, self.lines.len())?;
                Some((score, is_id, at))
            })
            .collect();
        // Stable: of equally good ones the first found wins.
        scored.sort_by(|left, right| right.0.total_cmp(&left.0));
        let id = scored.iter().find(|(_, is_id, _)| *is_id).map(|(_, _, at)| *at);
        let sorting = scored.iter().filter(|(_, is_id, _)| !is_id).map(|(_, _, at)| *at);
        let chosen = id.into_iter().chain(sorting.take(CHOSEN_MAX - usize::from(id.is_some())));
        chosen.map(|at| self.places[at].path.clone()).collect()
    }
}

/// How much a place tells, and whether it names each message; nothing where it tells nothing.
fn score(place: &Place, messages: usize) -> Option<(f64, bool)> {
    let (filled, distinct) = place.spread();
    let part = filled as f64 / messages.max(1) as f64;
    if part < 0.3 || (distinct < 2 && filled == messages) {
        return None;
    }
    let name = place.title.as_str().rsplit('/').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let names = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let length: usize = place.values.iter().flatten().map(|value| value.as_str().len()).sum::<usize>() / filled.max(1);
    let is_id = (lower.ends_with("id") || names(&["number", "reference"])) && distinct * 5 >= filled * 4;
    let sorts = distinct >= 2 && distinct <= (filled / 3).max(2);
    let says_why = ["error", "exception", "reason", "code", "status", "type", "kind"];
    let is_why = says_why.iter().any(|word| place.title.as_str().to_ascii_lowercase().contains(word));
    let score = part
        + match (is_id, sorts, is_why) {
            (true, ..) => 1.0,
            (false, true, true) => 2.0,
            (false, true, false) => 1.0,
            (false, false, true) => 0.5,
            // Different everywhere, and yet no name for the message: an amount, a time.
            (false, false, false) => return None,
        };
    let nesting = place.title.as_str().matches('/').count() as f64;
    // What is long, or lies deep, is read in the message itself.
    Some((score - if length > 40 { 1.0 } else { 0.0 } - 0.1 * nesting, is_id))
}

/// A value, without what looks like a secret: its name tells.
fn value(name: &str, text: &str) -> Text {
    let key = format!("{name}=");
    let line = shorten::preview(
        &format!("{key}{}", &text[..text.floor_char_boundary(512)]),
        key.chars().count() + VALUE_CHARACTERS,
    );
    Text::line(line.as_str().strip_prefix(key.as_str()).unwrap_or(line.as_str()))
}

#[derive(Default)]
struct Finder {
    places: Vec<Place>,
    known: HashMap<Path, usize>,
}

impl Finder {
    fn put(&mut self, path: Path, message: usize, value: Text) {
        let at = match self.known.get(&path) {
            Some(at) => *at,
            None if self.places.len() == PLACES_MAX => return,
            None => {
                self.places.push(Place::new(path.clone()));
                self.known.insert(path, self.places.len() - 1);
                self.places.len() - 1
            }
        };
        self.places[at].put(message, value);
    }

    fn attributes(&mut self, message: usize, of: &Message) {
        for (name, attribute) in &of.attributes {
            let text = match &attribute.payload {
                Payload::Text(text) => value(name, text),
                Payload::Binary(bytes) => Text::line(&format!("{} bytes", bytes.len())),
            };
            self.put(Path::Attribute(name.clone()), message, text);
        }
    }

    fn body(&mut self, message: usize, body: &str) {
        let mut way: Vec<Step> = Vec::new();
        let mut left = VALUES_MAX;
        for part in json::parts(body) {
            match part {
                Part::OpenObject => way.push(Step::Key(String::new())),
                Part::OpenArray => way.push(Step::Item(0)),
                Part::CloseObject | Part::CloseArray => {
                    way.pop();
                    next_item(&mut way);
                }
                Part::Key(key) => {
                    if let Some(Step::Key(name)) = way.last_mut() {
                        *name = json::unescaped(key);
                    }
                }
                Part::String(text) | Part::Number(text) | Part::Word(text) => {
                    if left > 0 && is_near(&way) {
                        left -= 1;
                        self.leaf(message, &way, text);
                    }
                    next_item(&mut way);
                }
            }
        }
    }

    fn leaf(&mut self, message: usize, way: &[Step], text: &str) {
        let name = way.iter().rev().find_map(|step| match step {
            Step::Key(name) => Some(name.as_str()),
            Step::Item(_) => None,
        });
        let text = if text.starts_with('"') { json::unescaped(text) } else { text.to_owned() };
        self.put(Path::Body(pointer(way)), message, value(name.unwrap_or_default(), &text));
    }
}

enum Step {
    Key(String),
    Item(usize),
}

fn next_item(way: &mut [Step]) {
    if let Some(Step::Item(item)) = way.last_mut() {
        *item += 1;
    }
}

fn is_near(way: &[Step]) -> bool {
    let is_first = |step: &Step| match step {
        Step::Key(_) => true,
        Step::Item(item) => *item < ITEMS_MAX,
    };
    !way.is_empty() && way.len() <= DEPTH_MAX && way.iter().all(is_first)
}

fn pointer(way: &[Step]) -> String {
    let mut pointer = String::new();
    for step in way {
        pointer.push('/');
        match step {
            Step::Key(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
            Step::Item(item) => pointer.push_str(&item.to_string()),
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::message;

    fn messages() -> Vec<Message> {
        (0..40)
            .map(|at| {
                let code = ["TIMEOUT", "REJECTED"][at % 2];
                let body = format!(
                    r#"{{"orderId":"o-{at}","type":"order","error":{{"code":"{code}","message":"It went wrong in step {at} of the very long way"}},
                        "items":[{{"sku":"a"}},{{"sku":"b"}},{{"sku":"c"}}],"password":"hunter2","amount":12345678901234567890}}"#
                );
                message(&body).id(&at.to_string()).source("orders").attribute("tenant", ["acme", "zeta", "moon"][at % 3]).build()
            })
            .collect()
    }

    #[test]
    fn places_are_found_and_the_telling_ones_chosen() {
        let digest = Digest::of(&messages());
        let titles: Vec<&str> = digest.places.iter().map(|place| place.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "tenant",
                "orderId",
                "type",
                "error/code",
                "error/message",
                "items/0/sku",
                "items/1/sku",
                "password",
                "amount"
            ]
        );
        assert_eq!(
            digest.telling(),
            [Path::Body("/orderId".into()), Path::Body("/error/code".into()), Path::Attribute("tenant".into())]
        );
        let value =
            |path: &str| digest.place(&Path::Body(path.into())).and_then(|place| place.value(3)).map(Text::as_str);
        assert_eq!(value("/password"), Some("‹redacted›"));
        assert_eq!(value("/amount"), Some("12345678901234567890"));
        let typed = Digest::at_pointer(&messages(), "/items/2/sku");
        assert_eq!((typed.value(0).map(Text::as_str), typed.spread()), (Some("c"), (40, 1)));
    }

    #[test]
    fn any_body_and_any_number_of_them_is_taken() {
        let wide: String = (0..500).map(|at| format!("\"k{at}\":{at},")).collect();
        let hostile = [
            "",
            "plain",
            "[]",
            "{}",
            "12",
            "[[[[[[1]]]]]]",
            r#"{"a\u001b[2J\n":"\u202e\u001b[1m"}"#,
            &format!("{{{wide}\"z\":1}}"),
            &"x".repeat(400_000),
        ];
        let messages: Vec<Message> = hostile.iter().map(|body| message(body).build()).collect();
        let digest = Digest::of(&messages);
        assert_eq!(digest.lines.len(), messages.len());
        assert!(digest.places.len() <= PLACES_MAX);
        for place in &digest.places {
            assert!(!place.title.as_str().contains(['\u{1b}', '\n']));
            assert!(place.values.iter().flatten().all(|value| !value.as_str().contains(['\u{1b}', '\u{202e}'])));
        }
        let _ = digest.telling();
    }
}
