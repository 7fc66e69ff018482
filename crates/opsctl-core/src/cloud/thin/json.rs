//! Words of JSON documents, as [`super::Element`] has them of XML's.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::Text;

/// What stands under a name in an answer. Of another type than asked for is as nothing.
pub(in crate::cloud) trait Told {
    fn word(&self, name: &str) -> Option<&str>;
    fn words(&self, name: &str) -> Vec<String>;
    /// A word of AWS's or of somebody else, on one line.
    fn line(&self, name: &str) -> Option<Text>;
    /// [`Told::line`]; empty where there is none.
    fn text(&self, name: &str) -> Text;
    fn number<N: TryFrom<i64>>(&self, name: &str) -> Option<N>;
    fn real(&self, name: &str) -> Option<f64>;
    fn list(&self, name: &str) -> &[Value];
    fn is(&self, name: &str) -> bool;
    /// Seconds since 1970, with fractions.
    fn time(&self, name: &str) -> Option<Timestamp>;
}

impl Told for Value {
    fn word(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    fn words(&self, name: &str) -> Vec<String> {
        self.list(name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn line(&self, name: &str) -> Option<Text> {
        self.word(name).map(Text::line)
    }

    fn text(&self, name: &str) -> Text {
        self.line(name).unwrap_or_default()
    }

    fn number<N: TryFrom<i64>>(&self, name: &str) -> Option<N> {
        self.get(name)?.as_i64().and_then(|number| N::try_from(number).ok())
    }

    fn real(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64()
    }

    fn is(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        time(self.get(name)?)
    }
}

/// A time in seconds since 1970, with fractions; none: no time that there is.
pub(in crate::cloud) fn time(seconds: &Value) -> Option<Timestamp> {
    let millis = (seconds.as_f64()? * 1_000.0).round();
    // Far from every bound of the calendar an f64 is exact.
    (millis.abs() < 1e15).then(|| Timestamp::from_millisecond(millis as i64).ok()).flatten()
}
