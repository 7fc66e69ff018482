//! Steps carried out on rows.

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::store::Event,
    Fields, Step,
    language::{Aggregate, Condition, Key, Operator},
};

/// A line, or a line of a result.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) at: i64,
    fields: Fields,
    /// Names in the order in which they are told.
    told: Vec<String>,
}

impl Row {
    pub(super) fn of(stream: &str, number: u64, event: &Event) -> Self {
        let mut fields = Fields::new();
        if let Ok(document) = serde_json::from_str::<Value>(&event.text) {
            flatten("", &document, &mut fields);
        }
        fields.insert("@timestamp".to_owned(), time(event.at).into());
        fields.insert("@ingestionTime".to_owned(), time(event.ingested_at).into());
        fields.insert("@message".to_owned(), event.text.as_str().into());
        fields.insert("@logStream".to_owned(), stream.into());
        fields.insert("@ptr".to_owned(), format!("{}/{number}", super::super::super::hash(stream.bytes())).into());
        Self { at: event.at, fields, told: vec!["@timestamp".to_owned(), "@message".to_owned()] }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.fields.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.fields.get(name).and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()))
    }

    pub(super) fn told(&self) -> Value {
        let field = |name: &String| Some(json!({ "field": name, "value": self.text(name)? }));
        let pointer = self.fields.contains_key("@ptr").then(|| "@ptr".to_owned());
        self.told.iter().chain(&pointer).filter_map(field).collect()
    }
}

fn flatten(prefix: &str, value: &Value, into: &mut Fields) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Object(_) => flatten(&name, value, into),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                into.insert(name, value.clone());
            }
        }
    }
}

fn time(at: i64) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
}

/// The rows that come of it, and how many lines had passed every filter.
pub(super) fn run(mut rows: Vec<Row>, steps: &[Step], limit: usize) -> (Vec<Row>, usize) {
    let mut matched = rows.len();
    let mut most = limit;
    for step in steps {
        match step {
            Step::Fields(names) => rows.iter_mut().for_each(|row| row.told.clone_from(names)),
            Step::Filter(conditions) => {
                rows.retain(|row| conditions.iter().all(|condition| holds(condition, row)));
                matched = matched.min(rows.len());
            }
            Step::Parse(field, pattern, names) => {
                for row in &mut rows {
                    let Some(text) = row.text(field) else { continue };
                    let Some(found) = pattern.captures(&text) else { continue };
                    for (index, name) in names.iter().enumerate() {
                        let part = found.get(index + 1).map_or("", |part| part.as_str());
                        row.fields.insert(name.clone(), part.into());
                    }
                }
            }
            Step::Stats(aggregates, keys) => rows = gathered(&rows, aggregates, keys),
            Step::Sort(orders) => rows.sort_by(|left, right| {
                let by = |(name, descends): &(String, bool)| {
                    let order = compared(left, right, name);
                    if *descends { order.reverse() } else { order }
                };
                orders.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }),
            Step::Limit(number) => most = most.min(*number),
            Step::Dedup(names) => {
                let mut seen = std::collections::BTreeSet::new();
                rows.retain(|row| seen.insert(names.iter().map(|name| row.text(name)).collect::<Vec<_>>()));
            }
        }
    }
    rows.truncate(most);
    (rows, matched)
}

fn compared(left: &Row, right: &Row, name: &str) -> Ordering {
    match (left.number(name), right.number(name)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        (Some(_), None) | (None, Some(_)) | (None, None) => left.text(name).cmp(&right.text(name)),
    }
}

fn holds(Condition { field, operator, values }: &Condition, row: &Row) -> bool {
    let text = row.text(field);
    let value = values.first().map(String::as_str).unwrap_or_default();
    let against = |fits: fn(Ordering) -> bool| match (row.number(field), value.parse::<f64>()) {
        (Some(number), Ok(value)) => fits(number.total_cmp(&value)),
        (Some(_) | None, _) => text.as_deref().is_some_and(|text| fits(text.cmp(value))),
    };
    match operator {
        Operator::Equals => against(Ordering::is_eq),
        Operator::Differs => !against(Ordering::is_eq),
        Operator::Above => against(Ordering::is_gt),
        Operator::AtLeast => against(Ordering::is_ge),
        Operator::Below => against(Ordering::is_lt),
        Operator::AtMost => against(Ordering::is_le),
        Operator::In => text.as_ref().is_some_and(|text| values.contains(text)),
        Operator::Like(pattern) => text.as_deref().is_some_and(|text| pattern.is_match(text)),
        Operator::NotLike(pattern) => !text.as_deref().is_some_and(|text| pattern.is_match(text)),
        Operator::IsPresent => text.is_some(),
    }
}

fn gathered(rows: &[Row], aggregates: &[Aggregate], keys: &[Key]) -> Vec<Row> {
    let key_of = |row: &Row| -> Vec<String> {
        let one = |key: &Key| match key {
            Key::Field(name) => row.text(name).unwrap_or_default(),
            Key::Bin(span, _) => time(row.at.div_euclid(*span) * span),
        };
        keys.iter().map(one).collect()
    };
    let mut groups: BTreeMap<Vec<String>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(key_of(row)).or_default().push(row);
    }
    let names: Vec<String> = keys
        .iter()
        .map(|key| match key {
            Key::Field(name) | Key::Bin(_, name) => name.clone(),
        })
        .collect();
    let gather = |(key, rows): (Vec<String>, Vec<&Row>)| {
        let mut fields: Fields = names.iter().cloned().zip(key.into_iter().map(Value::from)).collect();
        for aggregate in aggregates {
            if let Some(value) = value(aggregate, &rows) {
                fields.insert(aggregate.name.clone(), value);
            }
        }
        let told = names.iter().cloned().chain(aggregates.iter().map(|one| one.name.clone())).collect();
        Row { at: rows.first().map_or(0, |row| row.at), fields, told }
    };
    groups.into_iter().map(gather).collect()
}

fn value(Aggregate { function, field, .. }: &Aggregate, rows: &[&Row]) -> Option<Value> {
    let numbers: Vec<f64> = rows.iter().filter_map(|row| row.number(field)).collect();
    let count = || rows.iter().filter(|row| field.is_empty() || field == "*" || row.fields.contains_key(field)).count();
    let number = match function.as_str() {
        "count" => return Some(count().into()),
        "count_distinct" => {
            let distinct: std::collections::BTreeSet<String> = rows.iter().filter_map(|row| row.text(field)).collect();
            return Some(distinct.len().into());
        }
        _ if numbers.is_empty() => return None,
        "sum" => numbers.iter().sum(),
        "avg" => numbers.iter().sum::<f64>() / numbers.len() as f64,
        "min" => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        _ => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    };
    Some(number.into())
}
