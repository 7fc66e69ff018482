//! [`Editor`]: what changes messages on their way, a jq file or a program.
//!
//! Both get one JSON object per message and answer with it, edited:
//!
//! | Field | Is | In the answer |
//! | --- | --- | --- |
//! | `body` | the body, parsed where it is JSON, else its text | text, or a value (written compactly); absent: as it was |
//! | `text` | the body's text | where changed: the new body's text |
//! | `attributes` | name to `{"data_type", "string"}` or `{"data_type", "binary": base64}` | the same, or just a text or number; absent: as they were |
//! | `group`, `deduplication_id` | text or null | the same; absent: as they were |
//! | `id`, `source`, `receive_count`, `sent_at` | for information | ignored |

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::{
    jq::{self, Compiled, FilterError, Runner, Words},
    jq_check::Rules,
    json,
    program::{Program, ProgramError},
};
use crate::domain::{AttributeValue, Message, Outgoing, Payload, Text};

/// Largest answer for one message, in bytes: twice the largest message.
pub const ANSWER_BYTES_MAX: usize = 2 * 1_048_576;

#[derive(Debug)]
pub enum Editor {
    /// A program, run once per message without a shell.
    Program(Program),
    Jq(Jq),
}

/// A compiled jq file with the thread that evaluates it.
#[derive(Debug)]
pub struct Jq(Runner<String, String>);

/// Why a message could not be edited. It stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("cannot use the editor {editor}: {because}")]
    Unusable { editor: Text, because: Text },
    #[error("the edit failed: {0}")]
    Jq(#[from] FilterError),
    #[error("the edit failed: {0}")]
    Program(#[from] ProgramError),
    /// The answer is longer than [`ANSWER_BYTES_MAX`].
    #[error("the edited message is too large: at most 2 MiB are read")]
    TooLarge,
    #[error("the edited message cannot be used: {0}")]
    Answer(Text),
}

impl Editor {
    /// What `--edit` names: a file that ends in `.jq`, or a program with arguments (quotes as in a shell, no shell).
    ///
    /// # Errors
    /// A file that cannot be read or compiled; a program that does not exist.
    pub fn open(given: &str) -> Result<Self, EditError> {
        let unusable = |because: &str| EditError::Unusable { editor: Text::line(given), because: Text::block(because) };
        if !given.ends_with(".jq") {
            return Program::find(given).map(Self::Program).map_err(|because| unusable(&because));
        }
        let code = std::fs::read_to_string(Path::new(given)).map_err(|error| unusable(&error.to_string()))?;
        let program = jq::compile(&code, Words::NONE, Rules::Edit).map_err(|error| unusable(&error.to_string()))?;
        let runner = Runner::start(program, |program, input: String| apply(program, &input))?;
        Ok(Self::Jq(Jq(runner)))
    }

    /// The file that `--edit` names: the jq file, or the program as found in `PATH`.
    pub fn file(given: &str) -> Option<PathBuf> {
        if given.ends_with(".jq") {
            return Some(PathBuf::from(given));
        }
        Program::find(given).ok().map(|program| program.file())
    }

    /// The message as it is to be sent. An untouched body stays as it is, byte for byte.
    ///
    /// # Errors
    /// Whatever goes wrong with this message; with [`FilterError::is_final`] with every further one as well.
    pub async fn edit(&self, message: &Message, outgoing: Outgoing) -> Result<Outgoing, EditError> {
        let question = question(message, &outgoing)?;
        let answer = match self {
            Self::Program(program) => program.run(&question, ANSWER_BYTES_MAX).await?,
            Self::Jq(Jq(runner)) => runner.ask(vec![question]).pop().unwrap_or(Err(FilterError::Stopped))?,
        };
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(EditError::TooLarge);
        }
        let answer = serde_json::from_str(&answer).map_err(|error| unusable_answer(&error.to_string()))?;
        take_over(outgoing, answer)
    }
}

fn apply(program: &Compiled, input: &str) -> Result<String, FilterError> {
    let failed = |text: &str| FilterError::Failed(Text::line(text));
    let value = jaq_json::read::parse_single(input.as_bytes()).map_err(|error| failed(&error.to_string()))?;
    let mut outputs = jq::run(program, value);
    let answer = outputs.next().unwrap_or_else(|| Err(failed("it gives no output")))?;
    match outputs.next() {
        None => Ok(answer.to_string()),
        Some(_) => Err(failed("it gives more than one output")),
    }
}

#[derive(Serialize)]
struct Question<'a> {
    id: &'a str,
    body: Box<RawValue>,
    text: &'a str,
    attributes: &'a BTreeMap<String, AttributeValue>,
    group: Option<&'a str>,
    deduplication_id: Option<&'a str>,
    source: Option<String>,
    receive_count: u32,
    sent_at: Option<String>,
}

fn question(message: &Message, outgoing: &Outgoing) -> Result<String, EditError> {
    let failed = |error: serde_json::Error| unusable_answer(&error.to_string());
    let body = if json::is_json(&outgoing.body) {
        RawValue::from_string(outgoing.body.clone())
    } else {
        serde_json::value::to_raw_value(&outgoing.body)
    };
    serde_json::to_string(&Question {
        id: &message.id.0,
        body: body.map_err(failed)?,
        text: &outgoing.body,
        attributes: &outgoing.attributes,
        group: outgoing.group.as_deref(),
        deduplication_id: outgoing.deduplication_id.as_deref(),
        source: message.system.dead_letter_source.as_ref().map(|arn| arn.name().0),
        receive_count: message.system.receive_count,
        sent_at: message.system.sent_at.map(|time| time.to_string()),
    })
    .map_err(failed)
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "present")]
    body: Option<Box<RawValue>>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    attributes: Option<BTreeMap<String, Box<RawValue>>>,
    #[serde(default, deserialize_with = "present")]
    group: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    deduplication_id: Option<Option<String>>,
}

/// Tells a field that is null from one that is absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn take_over(outgoing: Outgoing, answer: Answer) -> Result<Outgoing, EditError> {
    let edited = answer.body.map(|body| new_body(&outgoing.body, body.get())).transpose()?.flatten();
    let retyped = answer.text.filter(|text| *text != outgoing.body);
    let body = match (edited, retyped) {
        (None, None) => outgoing.body,
        (Some(body), None) | (None, Some(body)) => body,
        (Some(_), Some(_)) => return Err(unusable_answer("both `body` and `text` were changed; change one")),
    };
    let attributes = match answer.attributes {
        None => outgoing.attributes,
        Some(edited) => edited
            .into_iter()
            .map(|(name, value)| {
                let value = attribute(&name, outgoing.attributes.get(&name), value.get())?;
                Ok((name, value))
            })
            .collect::<Result<_, EditError>>()?,
    };
    Ok(Outgoing {
        body,
        attributes,
        group: answer.group.unwrap_or(outgoing.group),
        deduplication_id: answer.deduplication_id.unwrap_or(outgoing.deduplication_id),
        trace_header: outgoing.trace_header,
    })
}

/// The new body, or none where it says the same as the old one.
fn new_body(old: &str, new: &str) -> Result<Option<String>, EditError> {
    let was_json = json::is_json(old);
    if was_json && json::same(old, new) {
        return Ok(None);
    }
    let plain: Option<String> = serde_json::from_str(new).ok();
    match plain {
        // A body that was a JSON text stays one.
        Some(_) if was_json && old.trim_start().starts_with('"') => Ok(Some(new.to_owned())),
        Some(plain) => Ok((plain != old).then_some(plain)),
        None if new == "null" => Err(unusable_answer("`body` is null")),
        None => Ok(Some(json::compact(new))),
    }
}

fn attribute(name: &str, old: Option<&AttributeValue>, new: &str) -> Result<AttributeValue, EditError> {
    let wrong = || {
        unusable_answer(&format!("attribute `{name}` is neither text nor number nor {{data_type, string or binary}}"))
    };
    let labelled = |base: &str, text: String| {
        let label = old.map(|old| &old.data_type).filter(|label| label.split('.').next() == Some(base));
        AttributeValue { data_type: label.map_or(base, |label| label).to_owned(), payload: Payload::Text(text) }
    };
    match new.as_bytes().first() {
        Some(b'{') => serde_json::from_str(new).map_err(|_| wrong()),
        Some(b'"') => {
            let base = if old.is_some_and(|old| old.data_type.starts_with("Number")) { "Number" } else { "String" };
            serde_json::from_str(new).map(|text| labelled(base, text)).map_err(|_| wrong())
        }
        Some(b'-' | b'0'..=b'9') => Ok(labelled("Number", new.to_owned())),
        _ => Err(wrong()),
    }
}

fn unusable_answer(because: &str) -> EditError {
    EditError::Answer(Text::line(because))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::messages::testing::message;

    fn outgoing(message: &Message) -> Outgoing {
        Outgoing {
            body: message.body.clone(),
            attributes: message.attributes.clone(),
            group: message.system.group.clone(),
            deduplication_id: Some("d1".to_owned()),
            trace_header: Some("Root=1".to_owned()),
        }
    }

    async fn jq(code: &str, message: &Message) -> Result<Outgoing, EditError> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("edit.jq");
        fs::write(&file, code).expect("written");
        Editor::open(file.to_str().expect("utf-8"))?.edit(message, outgoing(message)).await
    }

    async fn program(script: &str, message: &Message) -> Result<Outgoing, EditError> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("my edit");
        fs::write(&file, script).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("set");
        Editor::open(file.to_str().expect("utf-8"))?.edit(message, outgoing(message)).await
    }

    #[tokio::test]
    async fn untouched_messages_stay_byte_identical() {
        let big = r#"{ "id" : 12345678901234567890123,  "x": 1.10, "é": "\u00e9\ud83d\ude00" }"#;
        for body in [big, "plain", "", " {} ", "\"a\"", "null", "NaN", "1e400", "[1, 2]\n"] {
            let message = message(body)
                .attribute("tenant", "acme")
                .typed("n", "Number.x", Payload::Text("1.0".to_owned()))
                .typed("b", "Binary.y", Payload::Binary(vec![0, 159]))
                .group("g")
                .build();
            assert_eq!(jq(".", &message).await, Ok(outgoing(&message)), "{body}");
            assert_eq!(program("#!/bin/sh\nexec cat\n", &message).await, Ok(outgoing(&message)), "{body}");
        }
    }

    #[tokio::test]
    async fn an_edit_keeps_what_it_does_not_touch() {
        let message = message(r#"{"id": 12345678901234567890123, "host": "old"}"#).attribute("a", "1").build();
        let edited = jq(r#".body.host = "new" | .attributes.b = 7 | .group = "g""#, &message).await.expect("edited");
        assert_eq!(edited.body, r#"{"id":12345678901234567890123,"host":"new"}"#);
        assert_eq!(edited.attributes["a"], message.attributes["a"]);
        assert_eq!(edited.attributes["b"].data_type, "Number");
        assert_eq!((edited.group.as_deref(), edited.trace_header.as_deref()), (Some("g"), Some("Root=1")));
        let text = jq(r#".text |= sub("old"; "new")"#, &message).await.expect("edited");
        assert_eq!(text.body, message.body.replace("old", "new"));
    }

    #[tokio::test]
    async fn texts_stay_texts_and_values_become_json() {
        for (body, code, expected) in [
            ("plain", r#".body = "other""#, "other"),
            ("plain", r#".body = {a: 1}"#, r#"{"a":1}"#),
            ("\"json text\"", r#".body = "other""#, "\"other\""),
            ("{}", r#".body = "other""#, "other"),
            (
                r#"{"a":12345678901234567890123}"#,
                ".body.a = 12345678901234567890124",
                r#"{"a":12345678901234567890124}"#,
            ),
        ] {
            assert_eq!(jq(code, &message(body).build()).await.expect("edited").body, expected, "{body} {code}");
        }
    }

    #[tokio::test]
    async fn failures_name_their_reason() {
        let message = message("{}").build();
        for (code, reason) in [
            ("empty", "no output"),
            ("., .", "more than one"),
            (".body = null", "null"),
            (".attributes.a = true", "attribute `a`"),
            (".body = 1 | .text = \"2\"", "change one"),
            ("error(\"no\")", "no"),
            ("12", "invalid type"),
            (".body = env.HOME", "`env` can't be used, because"),
            (".body = $ENV", "`$ENV` can't be used, because"),
            (".body = now", "`now` can't be used, because"),
            (".body |= debug", "`debug` can't be used, because"),
            ("last(range(1e12))", "longer than"),
            (".x(", "expected"),
        ] {
            let error = jq(code, &message).await.expect_err(code).to_string();
            assert!(error.contains(reason), "{code}: {error}");
        }
        for (script, reason) in [
            ("#!/bin/sh\necho 'no \u{1b}[31mhost' >&2\nexit 3\n", "3: no ␛[31mhost"),
            ("#!/bin/sh\necho '{'\n", "EOF"),
            ("#!/bin/sh\nhead -c 3000000 /dev/zero\n", "2 MiB"),
            ("#!/bin/sh\nkill -9 $$\n", "signal"),
        ] {
            let error = program(script, &message).await.expect_err(script).to_string();
            assert!(error.contains(reason), "{script}: {error}");
        }
        assert!(Editor::open("/nowhere/at/all").is_err());
        assert!(Editor::open("/nowhere.jq").is_err());
    }

    #[tokio::test]
    async fn a_program_need_not_read_its_input() {
        let large = message(&"x".repeat(500_000)).build();
        assert_eq!(program("#!/bin/sh\necho '{\"body\":\"y\"}'\n", &large).await.expect("edited").body, "y");
    }
}
