//! [`Search`]: the part of CloudWatch's SEARCH that is understood here.
//!
//! `SEARCH('{Namespace,Dimension,...} terms', 'Statistic', period)`: terms are `MetricName="x"`, `Dimension="x"` or
//! `Dimension=("x" OR "y")`, and words that some part of the metric's name must contain; all must hold.

use super::request::MetricName;

#[derive(Debug, PartialEq)]
pub(super) struct Search {
    pub(super) namespace: String,
    pub(super) dimensions: Vec<String>,
    terms: Vec<Term>,
    pub(super) statistic: String,
    pub(super) period: Option<i64>,
}

#[derive(Debug, PartialEq)]
enum Term {
    Is(String, Vec<String>),
    Has(String),
}

impl Search {
    /// Reads an expression; the error says what is not understood.
    pub(super) fn parse(expression: &str) -> Result<Self, String> {
        let inner = expression.trim().strip_prefix("SEARCH(").and_then(|rest| rest.strip_suffix(')'));
        let inner = inner.ok_or("only SEARCH expressions are understood here")?.trim();
        let (query, rest) = quoted(inner, '\'').ok_or("SEARCH's first argument is a text in single quotes")?;
        let rest = rest.trim_start().strip_prefix(',').ok_or("SEARCH's second argument is its statistic")?;
        let (statistic, rest) = quoted(rest.trim_start(), '\'').ok_or("SEARCH's statistic stands in single quotes")?;
        let period = match rest.trim().strip_prefix(',') {
            None if rest.trim().is_empty() => None,
            None => return Err(format!("unexpected: {rest}")),
            Some(period) => Some(period.trim().parse().map_err(|_| format!("no period: {period}"))?),
        };
        let (schema, terms) = query
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
            .ok_or("a search without a schema in braces is not understood here")?;
        let mut schema = schema.split(',').map(|part| part.trim().trim_matches('"').to_owned());
        let namespace = schema.next().unwrap_or_default();
        let dimensions = schema.collect();
        Ok(Self { namespace, dimensions, terms: terms_of(terms)?, statistic: statistic.to_owned(), period })
    }

    pub(super) fn finds(&self, metric: &MetricName) -> bool {
        let same_dimensions = metric.dimensions.len() == self.dimensions.len()
            && self.dimensions.iter().all(|name| metric.dimension(name).is_some());
        metric.namespace == self.namespace && same_dimensions && self.terms.iter().all(|term| term.holds(metric))
    }
}

impl Term {
    fn holds(&self, metric: &MetricName) -> bool {
        match self {
            Self::Is(property, values) => {
                let value = match property.as_str() {
                    "MetricName" => Some(metric.metric_name.as_str()),
                    "Namespace" => Some(metric.namespace.as_str()),
                    dimension => metric.dimension(dimension),
                };
                value.is_some_and(|value| values.iter().any(|wanted| wanted == value))
            }
            Self::Has(part) => {
                let has = |text: &str| text.to_ascii_lowercase().contains(part);
                has(&metric.metric_name) || metric.dimensions.iter().any(|dimension| has(&dimension.value))
            }
        }
    }
}

fn terms_of(text: &str) -> Result<Vec<Term>, String> {
    let mut terms = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|character: char| character.is_whitespace() || character == '=').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = match after.strip_prefix('=') {
            None if matches!(word, "OR" | "NOT") || word.starts_with('(') => {
                return Err(format!("`{word}` is not understood here"));
            }
            None => {
                let word = word.trim_matches('"').to_ascii_lowercase();
                terms.extend((word != "and").then_some(Term::Has(word)));
                after
            }
            Some(value) => {
                let (values, after) = values(value)?;
                terms.push(Term::Is(word.to_owned(), values));
                after
            }
        }
        .trim_start();
    }
    Ok(terms)
}

/// `"x"`, or `("x" OR "y")`.
fn values(text: &str) -> Result<(Vec<String>, &str), String> {
    let bad = || format!("no value in double quotes: {text}");
    let Some(mut rest) = text.strip_prefix('(') else {
        let (value, rest) = quoted(text, '"').ok_or_else(bad)?;
        return Ok((vec![value.to_owned()], rest));
    };
    let mut all = Vec::new();
    loop {
        let (value, after) = quoted(rest.trim_start(), '"').ok_or_else(bad)?;
        all.push(value.to_owned());
        let after = after.trim_start();
        match (after.strip_prefix(')'), after.strip_prefix("OR")) {
            (Some(after), _) => return Ok((all, after)),
            (None, Some(after)) => rest = after,
            (None, None) => return Err(bad()),
        }
    }
}

fn quoted(text: &str, mark: char) -> Option<(&str, &str)> {
    text.strip_prefix(mark)?.split_once(mark)
}

#[cfg(test)]
mod tests {
    use super::{super::request::Dimension, *};

    fn age_of(queue: &str) -> MetricName {
        MetricName {
            namespace: "AWS/SQS".to_owned(),
            metric_name: "ApproximateAgeOfOldestMessage".to_owned(),
            dimensions: vec![Dimension { name: "QueueName".to_owned(), value: queue.to_owned() }],
        }
    }

    #[test]
    fn a_search_finds_by_schema_and_terms() {
        let all = "SEARCH('{AWS/SQS,QueueName} MetricName=\"ApproximateAgeOfOldestMessage\"', 'Maximum', 60)";
        let search = Search::parse(all).expect("a search");
        assert_eq!((search.statistic.as_str(), search.period), ("Maximum", Some(60)));
        assert!(search.finds(&age_of("orders")));
        let two = "SEARCH('{AWS/SQS,QueueName} QueueName=(\"a\" OR \"b\") age', 'Maximum')";
        let search = Search::parse(two).expect("a search");
        assert!(search.finds(&age_of("b")) && !search.finds(&age_of("orders")));
        let other = Search::parse("SEARCH('{AWS/ECS,ClusterName}', 'Sum')").expect("a search");
        assert!(!other.finds(&age_of("orders")));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for expression in ["m1 + m2", "SEARCH('x', 'Sum')", "SEARCH('{A,B} NOT x', 'Sum')", "SEARCH('{A,B}', 'Sum', x)"]
        {
            assert!(Search::parse(expression).is_err(), "{expression}");
        }
    }
}
