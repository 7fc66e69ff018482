//! [`Kind`]: what a parameter or an answer can be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{domain::RunId, files::problem::one_of, operations::values::Seconds};

/// What a parameter or an answer is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Kind {
    /// An environment of the configuration.
    Environment,
    /// An SQS queue, by name.
    Queue,
    /// An ECS service, `cluster/name`.
    Service,
    /// A group of services of the configuration.
    Group,
    /// An RDS or Aurora database, by name.
    Database,
    /// An outbox of the configuration.
    Outbox,
    /// A CloudWatch alarm, by name.
    Alarm,
    /// A Lambda function, by name.
    Function,
    /// An EventBridge rule, by name.
    Rule,
    /// A migration of the configuration.
    Migration,
    /// A whole number.
    Number,
    /// A length of time, `90s`, `5m`, `1h 30m`.
    Duration,
    /// One of the words in `choices`.
    Choice,
    /// Any text of one line.
    Text,
    /// A URL that begins with `https://` or `http://`.
    Link,
    /// A version of software, such as `1.4.2` or a commit.
    Version,
    /// A run of opsctl.
    Run,
}

/// Longest text of a parameter or an answer, in characters.
const TEXT_CHARACTERS_MAX: usize = 4_096;

impl Kind {
    /// What somebody typed, as a value of this kind.
    ///
    /// # Errors
    /// Why it is none, in words that follow the name of what it is for.
    pub fn parse(self, text: &str, choices: &[String]) -> Result<Value, String> {
        let text = text.trim();
        match self {
            Self::Number => text.parse::<i64>().map(Value::from).map_err(|_| format!("`{text}` is not a whole number")),
            Self::Environment
            | Self::Queue
            | Self::Service
            | Self::Group
            | Self::Database
            | Self::Outbox
            | Self::Alarm
            | Self::Function
            | Self::Rule
            | Self::Migration
            | Self::Duration
            | Self::Choice
            | Self::Text
            | Self::Link
            | Self::Version
            | Self::Run => self.accepts(&Value::from(text), choices),
        }
    }

    /// The value as it is kept.
    ///
    /// # Errors
    /// As [`Kind::parse`].
    pub fn accepts(self, value: &Value, choices: &[String]) -> Result<Value, String> {
        if self == Self::Number {
            return match value.as_i64() {
                Some(number) => Ok(number.into()),
                None => Err(format!("{value} is not a whole number")),
            };
        }
        let Some(text) = value.as_str() else { return Err(format!("{value} is not a text")) };
        if text.trim().is_empty() {
            return Err("the text is empty".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err("the text has line breaks or control characters".to_owned());
        }
        if text.chars().count() > TEXT_CHARACTERS_MAX {
            return Err(format!("the text is longer than {TEXT_CHARACTERS_MAX} characters"));
        }
        self.accepts_text(text, choices).map(|()| value.clone())
    }

    fn accepts_text(self, text: &str, choices: &[String]) -> Result<(), String> {
        match self {
            Self::Duration => text.parse::<Seconds>().map(drop),
            Self::Choice if !choices.iter().any(|choice| choice == text) => {
                let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
                Err(format!("`{text}` is not one of the choices: {}", one_of(&choices)))
            }
            Self::Link if !(text.starts_with("https://") || text.starts_with("http://")) => {
                Err(format!("`{text}` is not a link: it begins with neither `https://` nor `http://`"))
            }
            Self::Run => text.parse::<RunId>().map(drop).map_err(|error| error.to_string()),
            Self::Environment
            | Self::Queue
            | Self::Service
            | Self::Group
            | Self::Database
            | Self::Outbox
            | Self::Alarm
            | Self::Function
            | Self::Rule
            | Self::Migration
            | Self::Number
            | Self::Choice
            | Self::Text
            | Self::Link
            | Self::Version => Ok(()),
        }
    }

    /// "a queue", "an alarm".
    pub fn with_article(self) -> String {
        let name = self.into_str();
        let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {name}")
    }

    /// A value such as it may have: with it a runbook is checked before anything is known.
    pub fn sample(self, choices: &[String]) -> Value {
        match self {
            Self::Number => Value::from(1),
            Self::Duration => Value::from("5m"),
            Self::Choice => Value::from(choices.first().cloned().unwrap_or_default()),
            Self::Link => Value::from("https://example.com"),
            Self::Run => Value::from("20260101T000000-000000"),
            Self::Service => Value::from("cluster/service"),
            Self::Environment
            | Self::Queue
            | Self::Group
            | Self::Database
            | Self::Outbox
            | Self::Alarm
            | Self::Function
            | Self::Rule
            | Self::Migration
            | Self::Text
            | Self::Version => Value::from(self.into_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn every_kind_accepts_its_sample_and_refuses_what_is_hostile() {
        let choices = ["one".to_owned()];
        for kind in Kind::VARIANTS {
            let sample = kind.sample(&choices);
            assert_eq!(kind.accepts(&sample, &choices).as_ref(), Ok(&sample), "{kind:?}");
            assert!(kind.accepts(&Value::from("a\u{1b}[2J"), &choices).is_err(), "{kind:?}");
            assert!(kind.accepts(&Value::from(""), &choices).is_err(), "{kind:?}");
            assert!(kind.accepts(&Value::Null, &choices).is_err(), "{kind:?}");
        }
    }

    #[test]
    fn what_is_typed_becomes_a_value_of_its_kind() {
        let choices = ["image".to_owned(), "memory".to_owned()];
        assert_eq!(Kind::Number.parse(" 12 ", &[]), Ok(Value::from(12)));
        assert_eq!(Kind::Number.parse("1.5", &[]), Err("`1.5` is not a whole number".to_owned()));
        assert_eq!(Kind::Choice.parse("memory", &choices), Ok(Value::from("memory")));
        assert_eq!(
            Kind::Choice.parse("disk", &choices),
            Err("`disk` is not one of the choices: `image` or `memory`".to_owned())
        );
        assert!(Kind::Link.parse("ftp://x", &[]).is_err());
        assert!(Kind::Duration.parse("soon", &[]).is_err());
    }
}
