//! [`Remark`]: what a plan warns of, or what stands in its way.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Advice, Text};

/// What a person should know of a plan, and what helps where something does. In a file it is its text alone: a plan that is read is
/// made anew before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Text", from = "Text")]
pub struct Remark {
    /// All of it: what is so, and the advice after a colon.
    text: Text,
    advice: Option<Advice>,
}

impl Remark {
    pub fn new(what: impl AsRef<str>, advice: impl Into<Option<Advice>>) -> Self {
        let (what, advice) = (what.as_ref(), advice.into());
        let text = match &advice {
            Some(advice) => Text::line(&format!("{what}: {advice}")),
            None => Text::line(what),
        };
        Self { text, advice }
    }

    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// What is so, without what helps.
    pub fn what(&self) -> &str {
        let all = self.as_str();
        let before = self.advice.as_ref().and_then(|advice| all.strip_suffix(advice.as_str())?.strip_suffix(": "));
        before.unwrap_or(all)
    }

    pub fn advice(&self) -> Option<&Advice> {
        self.advice.as_ref()
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(formatter)
    }
}

impl From<Text> for Remark {
    fn from(text: Text) -> Self {
        Self { text, advice: None }
    }
}

impl From<&str> for Remark {
    fn from(text: &str) -> Self {
        Self::new(text, None)
    }
}

impl From<String> for Remark {
    fn from(text: String) -> Self {
        Self::new(text, None)
    }
}

impl<What: AsRef<str>> From<(What, Advice)> for Remark {
    fn from((what, advice): (What, Advice)) -> Self {
        Self::new(what, advice)
    }
}

impl From<Remark> for Text {
    fn from(remark: Remark) -> Self {
        remark.text
    }
}
