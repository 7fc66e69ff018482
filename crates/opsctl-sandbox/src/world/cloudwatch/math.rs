//! Metric math: `m1 / m2 * 100`, `SUM(METRICS())`, `IF(m1 > 5, 1, 0)`, `FILL(m1, 0)`: what alarms and `GetMetricData` are asked for
//! (CloudWatch user guide, "Using math expressions with CloudWatch metrics").
//!
//! Not here: anomaly detection, sorting and slicing of arrays, `DB_PERF_INSIGHTS`, strings and dates.

mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

/// Values by the time at which their period begins, milliseconds.
pub(super) type Series = BTreeMap<i64, f64>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Name(String),
    List(Vec<Self>),
    Call(Function, Vec<Self>),
    Of(Operator, Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
    By,
    Power,
    Above,
    AtLeast,
    Below,
    AtMost,
    Equals,
    Differs,
    And,
    Or,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Function {
    Abs,
    Avg,
    Ceil,
    Diff,
    Fill,
    First,
    Floor,
    If,
    Last,
    Log,
    Log10,
    Max,
    Metrics,
    Min,
    Period,
    Rate,
    RunningSum,
    Sum,
}

/// What an expression may speak of.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) series: BTreeMap<String, Vec<Series>>,
    /// Ids of metrics, which `METRICS()` is about; expressions are not.
    pub(super) metrics: Vec<String>,
    /// Times that could have a value, in their order: `FILL` fills them.
    pub(super) times: Vec<i64>,
    /// Milliseconds.
    pub(super) period: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Scalar(f64),
    One(Series),
    Many(Vec<Series>),
}

impl Expression {
    /// Reads an expression; the error says what is not understood.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        reader::read(text)
    }

    /// The ids that it names.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Name(name) => vec![name],
            Self::List(parts) | Self::Call(_, parts) => parts.iter().flat_map(Self::names).collect(),
            Self::Of(_, left, right) => [left.names(), right.names()].concat(),
        }
    }

    /// The series that it makes.
    pub(super) fn series(&self, scope: &Scope) -> Vec<Series> {
        match self.value(scope) {
            // One number is that number at every time.
            Value::Scalar(number) => vec![scope.times.iter().map(|at| (*at, number)).collect()],
            Value::One(series) => vec![series],
            Value::Many(series) => series,
        }
    }

    fn value(&self, scope: &Scope) -> Value {
        match self {
            Self::Number(number) => Value::Scalar(*number),
            Self::Name(name) => match scope.series.get(name).map(Vec::as_slice) {
                None => Value::One(Series::new()),
                Some([one]) => Value::One(one.clone()),
                Some(many) => Value::Many(many.to_vec()),
            },
            Self::List(parts) => Value::Many(parts.iter().flat_map(|part| part.series(scope)).collect()),
            Self::Of(operator, left, right) => {
                both(left.value(scope), right.value(scope), &|left, right| operator.of(left, right))
            }
            Self::Call(function, arguments) => function.value(arguments, scope),
        }
    }
}

impl Operator {
    fn of(self, left: f64, right: f64) -> f64 {
        let truth = |holds: bool| f64::from(u8::from(holds));
        match self {
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::By => left / right,
            Self::Power => left.powf(right),
            Self::Above => truth(left > right),
            Self::AtLeast => truth(left >= right),
            Self::Below => truth(left < right),
            Self::AtMost => truth(left <= right),
            Self::Equals => truth(left == right),
            Self::Differs => truth(left != right),
            Self::And => truth(left != 0.0 && right != 0.0),
            Self::Or => truth(left != 0.0 || right != 0.0),
        }
    }
}

impl Function {
    /// How many arguments it takes.
    fn arguments(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Self::Metrics => 0..=1,
            Self::Fill => 2..=2,
            Self::If => 2..=3,
            Self::Abs
            | Self::Avg
            | Self::Ceil
            | Self::Diff
            | Self::First
            | Self::Floor
            | Self::Last
            | Self::Log
            | Self::Log10
            | Self::Max
            | Self::Min
            | Self::Period
            | Self::Rate
            | Self::RunningSum
            | Self::Sum => 1..=1,
        }
    }

    fn value(self, arguments: &[Expression], scope: &Scope) -> Value {
        let first = || arguments.first().map_or(Value::Scalar(0.0), |first| first.value(scope));
        match self {
            Self::Metrics => {
                let all = scope.metrics.iter().filter_map(|id| scope.series.get(id)).flatten();
                Value::Many(all.cloned().collect())
            }
            Self::Sum => gathered(first(), |values| values.iter().sum()),
            Self::Avg => gathered(first(), |values| values.iter().sum::<f64>() / values.len() as f64),
            Self::Min => gathered(first(), |values| values.iter().copied().fold(f64::INFINITY, f64::min)),
            Self::Max => gathered(first(), |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            Self::First => ended(first(), |series| series.first_key_value().map(|(_, value)| *value)),
            Self::Last => ended(first(), |series| series.last_key_value().map(|(_, value)| *value)),
            Self::Abs => each(first(), &f64::abs),
            Self::Ceil => each(first(), &f64::ceil),
            Self::Floor => each(first(), &f64::floor),
            Self::Log => each(first(), &f64::ln),
            Self::Log10 => each(first(), &f64::log10),
            Self::Period => Value::Scalar(scope.period as f64 / 1_000.0),
            Self::Diff => along(first(), &|(_, before), (_, value)| value - before),
            Self::Rate => {
                along(first(), &|(then, before), (at, value)| (value - before) / ((at - then) as f64 / 1_000.0))
            }
            Self::RunningSum => {
                let run = |series: Series| {
                    let mut sum = 0.0;
                    series
                        .into_iter()
                        .map(|(at, value)| {
                            sum += value;
                            (at, sum)
                        })
                        .collect()
                };
                mapped(first(), &run)
            }
            Self::Fill => fill(first(), &arguments[1], scope),
            Self::If => {
                let other = arguments.get(2).map(|other| other.value(scope));
                decide(first(), arguments[1].value(scope), other, scope)
            }
        }
    }
}

fn mapped(value: Value, change: &dyn Fn(Series) -> Series) -> Value {
    match value {
        Value::Scalar(number) => Value::Scalar(number),
        Value::One(series) => Value::One(change(series)),
        Value::Many(all) => Value::Many(all.into_iter().map(change).collect()),
    }
}

fn each(value: Value, change: &dyn Fn(f64) -> f64) -> Value {
    match value {
        Value::Scalar(number) => Value::Scalar(change(number)),
        Value::One(_) | Value::Many(_) => {
            mapped(value, &|series| real(series.into_iter().map(|(at, value)| (at, change(value)))))
        }
    }
}

/// What lies between a value and the one before.
fn along(value: Value, change: &dyn Fn((i64, f64), (i64, f64)) -> f64) -> Value {
    mapped(value, &|series| {
        let points: Vec<(i64, f64)> = series.into_iter().collect();
        real(points.windows(2).map(|pair| (pair[1].0, change(pair[0], pair[1]))))
    })
}

/// Of several series one, time by time; of one a number.
fn gathered(value: Value, gather: impl Fn(&[f64]) -> f64) -> Value {
    match value {
        Value::Scalar(number) => Value::Scalar(number),
        Value::One(series) if series.is_empty() => Value::One(series),
        Value::One(series) => Value::Scalar(gather(&series.into_values().collect::<Vec<_>>())),
        Value::Many(all) => {
            let mut by_time: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for (at, value) in all.into_iter().flatten() {
                by_time.entry(at).or_default().push(value);
            }
            Value::One(by_time.into_iter().map(|(at, values)| (at, gather(&values))).collect())
        }
    }
}

fn ended(value: Value, end: impl Fn(&Series) -> Option<f64>) -> Value {
    match &value {
        Value::One(series) => end(series).map_or(Value::One(Series::new()), Value::Scalar),
        Value::Scalar(_) | Value::Many(_) => value,
    }
}

fn both(left: Value, right: Value, of: &dyn Fn(f64, f64) -> f64) -> Value {
    match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => Value::Scalar(of(left, right)),
        (Value::Scalar(left), right) => each(right, &|right| of(left, right)),
        (left, Value::Scalar(right)) => each(left, &|left| of(left, right)),
        (Value::One(left), Value::One(right)) => {
            Value::One(real(left.iter().filter_map(|(at, value)| Some((*at, of(*value, *right.get(at)?))))))
        }
        (Value::Many(all), other) => {
            Value::Many(all.into_iter().flat_map(|one| several(both(Value::One(one), other.clone(), of))).collect())
        }
        (one, Value::Many(all)) => {
            Value::Many(all.into_iter().flat_map(|other| several(both(one.clone(), Value::One(other), of))).collect())
        }
    }
}

fn several(value: Value) -> Vec<Series> {
    match value {
        Value::Scalar(_) => Vec::new(),
        Value::One(series) => vec![series],
        Value::Many(series) => series,
    }
}

/// A number in place of what is missing, or the value before it (`REPEAT`).
fn fill(value: Value, with: &Expression, scope: &Scope) -> Value {
    let repeats = matches!(with, Expression::Name(name) if name == "REPEAT");
    let with = if repeats { Value::One(Series::new()) } else { with.value(scope) };
    mapped(value, &|series| {
        let mut last = None;
        let filled = scope.times.iter().filter_map(|at| {
            let there = series.get(at).copied();
            last = there.or(last);
            let other = match &with {
                Value::Scalar(number) => Some(*number),
                Value::One(_) if repeats => last,
                Value::One(other) => other.get(at).copied(),
                Value::Many(_) => None,
            };
            Some((*at, there.or(other)?))
        });
        filled.collect()
    })
}

fn decide(condition: Value, yes: Value, no: Option<Value>, scope: &Scope) -> Value {
    let condition = match condition {
        Value::Scalar(number) => scope.times.iter().map(|at| (*at, number)).collect(),
        Value::One(series) => series,
        Value::Many(all) => all.into_iter().next().unwrap_or_default(),
    };
    let of = |value: &Value, at: i64| match value {
        Value::Scalar(number) => Some(*number),
        Value::One(series) => series.get(&at).copied(),
        Value::Many(_) => None,
    };
    let decided = condition.into_iter().filter_map(|(at, holds)| {
        let value = if holds == 0.0 { of(no.as_ref()?, at) } else { of(&yes, at) };
        Some((at, value?))
    });
    Value::One(decided.collect())
}

/// Without what is no number, as after a division by zero.
fn real(points: impl Iterator<Item = (i64, f64)>) -> Series {
    points.filter(|(_, value)| value.is_finite()).collect()
}
