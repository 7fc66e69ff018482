//! Values that operations take, parsed once at the edge.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use crate::domain::words::{duration, in_words};

macro_rules! serde_by_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

/// Sizes of the steps in which messages are moved, `1,10,100,all`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ramp(pub Vec<RampStep>);

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RampStep {
    /// That many messages.
    Messages(u64),
    /// All that are left.
    All,
}

impl Ramp {
    /// One step: all at once.
    pub fn none() -> Self {
        Self(vec![RampStep::All])
    }

    /// What is used where the environment asks for care: 1, 10, 100, all.
    pub fn careful() -> Self {
        let steps = [1, 10, 100].map(RampStep::Messages);
        Self(steps.into_iter().chain([RampStep::All]).collect())
    }

    /// Whether there is more than one step.
    pub fn is_ramped(&self) -> bool {
        self.0.len() > 1
    }
}

impl FromStr for Ramp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let steps: Vec<RampStep> = text
            .split(',')
            .map(|step| match step.trim() {
                "all" => Ok(RampStep::All),
                number => match number.parse() {
                    Ok(0) | Err(_) => Err(format!("`{number}` is neither a number above 0 nor `all`")),
                    Ok(messages) => Ok(RampStep::Messages(messages)),
                },
            })
            .collect::<Result<_, _>>()?;
        match steps.iter().position(|step| *step == RampStep::All) {
            Some(at) if at + 1 < steps.len() => Err("nothing can follow `all`".to_owned()),
            _ if steps.len() > 16 => Err("a ramp has at most 16 steps".to_owned()),
            _ => Ok(Self(steps)),
        }
    }
}

impl fmt::Display for Ramp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match step {
                RampStep::Messages(messages) => write!(formatter, "{comma}{messages}")?,
                RampStep::All => write!(formatter, "{comma}all")?,
            }
        }
        Ok(())
    }
}

serde_by_text!(Ramp);

/// How many messages may come back before a run stops: a share (`5%`) or a number (`3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BounceMax {
    /// Of those sent, in percent.
    Percent(u32),
    /// In all.
    Messages(u64),
}

impl BounceMax {
    /// Whether `bounced` of `sent` is too many.
    pub fn is_exceeded(self, bounced: u64, sent: u64) -> bool {
        match self {
            Self::Percent(percent) => bounced * 100 > sent * u64::from(percent),
            Self::Messages(messages) => bounced > messages,
        }
    }
}

impl FromStr for BounceMax {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is neither a share such as `5%` nor a number such as `3`");
        match text.strip_suffix('%') {
            Some(percent) => match percent.parse() {
                Ok(percent @ 0..=100) => Ok(Self::Percent(percent)),
                _ => Err(bad()),
            },
            None => text.parse().map(Self::Messages).map_err(|_| bad()),
        }
    }
}

impl fmt::Display for BounceMax {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(formatter, "{percent}%"),
            Self::Messages(messages) => write!(formatter, "{messages}"),
        }
    }
}

serde_by_text!(BounceMax);

/// A length of time, `90s`, `5m`, `1h 30m`, `14d`; a bare number is seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seconds(pub u32);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = match text.trim().parse::<u64>() {
            Ok(seconds) => seconds,
            Err(_) => {
                let bad = |_| format!("`{text}` is no length of time such as `90s` or `1h 30m`");
                let span: jiff::Span = text.parse().map_err(bad)?;
                let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(bad)?;
                u64::try_from(duration.as_secs()).map_err(|_| "time runs forward only".to_owned())?
            }
        };
        u32::try_from(seconds).map(Self).map_err(|_| format!("`{text}` is too long"))
    }
}

impl Seconds {
    /// A length of time in bounds, for clap.
    pub fn between<const LEAST: u32, const MOST: u32>(text: &str) -> Result<Self, String> {
        match text.parse()? {
            Self(seconds) if seconds < LEAST => Err(format!("`{text}` is shorter than {}", in_words(LEAST.into()))),
            Self(seconds) if seconds > MOST => Err(format!("`{text}` is longer than {}", in_words(MOST.into()))),
            within => Ok(within),
        }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds > 86_400 && seconds % 86_400 == 0 => write!(formatter, "{}d", seconds / 86_400),
            seconds if seconds > 0 && seconds % 3_600 == 0 => write!(formatter, "{}h", seconds / 3_600),
            seconds if seconds > 0 && seconds % 60 == 0 => write!(formatter, "{}m", seconds / 60),
            seconds => write!(formatter, "{seconds}s"),
        }
    }
}

serde_by_text!(Seconds);

/// Who moves the messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum EngineChoice {
    /// Choose, and say why
    #[default]
    Auto,
    /// SQS itself: a move task
    Managed,
    /// This program: receive, send, delete
    Client,
}

/// What becomes of messages whose sending had no clear answer in an earlier try of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Uncertain {
    /// Leave them in the queue and name them
    #[default]
    Leave,
    /// Send them again, at the risk of doubling them
    Resend,
}

impl Uncertain {
    /// Whether it is what nobody asked for in words.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps() {
        assert_eq!("1,10,100,all".parse::<Ramp>(), Ok(Ramp::careful()));
        assert_eq!("1, 5".parse::<Ramp>().map(|ramp| ramp.to_string()), Ok("1,5".to_owned()));
        for bad in ["", "0", "all,1", "1,,2", "-1", "x"] {
            assert!(bad.parse::<Ramp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn bounces() {
        assert_eq!("5%".parse(), Ok(BounceMax::Percent(5)));
        assert!(BounceMax::Percent(5).is_exceeded(1, 1));
        assert!(!BounceMax::Percent(5).is_exceeded(5, 100));
        assert!(BounceMax::Messages(0).is_exceeded(1, 100));
        assert!("101%".parse::<BounceMax>().is_err());
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!("90".parse(), Ok(Seconds(90)));
        assert_eq!("1h 30m".parse(), Ok(Seconds(5_400)));
        assert_eq!("14d".parse(), Ok(Seconds(1_209_600)));
        assert_eq!(["2d", "1d 1h"].map(|text| text.parse::<Seconds>().expect("a time").to_string()), ["2d", "25h"]);
        for bad in ["25h", "9s", "-5s", "soon"] {
            assert!(Seconds::between::<10, 86_400>(bad).is_err(), "{bad}");
        }
        for text in ["10s", "90s", "15m", "90m", "24h"] {
            let parsed = Seconds::between::<10, 86_400>(text);
            assert_eq!(parsed.map(|seconds| seconds.to_string()), Ok(text.to_owned()), "as it is written");
        }
    }
}
