//! [`Rule`]: what a composite alarm goes by.
//!
//! `ALARM(name)`, `OK(name)`, `INSUFFICIENT_DATA(name)`, `TRUE`, `FALSE`, with `AND`, `OR`, `NOT` and parentheses; a name stands
//! bare, in double quotes, or is an ARN (CloudWatch API reference, PutCompositeAlarm).

use super::State;

/// Characters of a rule (CloudWatch API reference).
const LENGTH_MAX: usize = 10_240;
/// Alarms that a rule names (CloudWatch quota).
const ALARMS_MAX: usize = 100;
const DEPTH_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    /// The alarm of this name is in this state.
    Is(State, String),
    Constant(bool),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Rule {
    /// Reads a rule; the error says what is not understood.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LENGTH_MAX {
            return Err(format!("it is longer than {LENGTH_MAX} characters"));
        }
        let mut reader = Reader { rest: text, depth: 0 };
        let rule = reader.any()?;
        if !reader.rest.trim_start().is_empty() {
            return Err(format!("unexpected: {}", reader.rest.trim_start()));
        }
        let mut names = rule.names();
        names.sort_unstable();
        names.dedup();
        if names.len() > ALARMS_MAX {
            return Err(format!("it names more than {ALARMS_MAX} alarms"));
        }
        Ok(rule)
    }

    /// Whether it holds, where alarms stand as `state` says; of an alarm that is not there nothing is true.
    pub(super) fn holds(&self, state: &impl Fn(&str) -> Option<State>) -> bool {
        match self {
            Self::Is(wanted, name) => state(name) == Some(*wanted),
            Self::Constant(value) => *value,
            Self::Not(rule) => !rule.holds(state),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(state)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(state)),
        }
    }

    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Is(_, name) => vec![name],
            Self::Constant(_) => Vec::new(),
            Self::Not(rule) => rule.names(),
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::names).collect(),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Result<Rule, String> {
        let mut rules = vec![self.all()?];
        while self.word("OR") {
            rules.push(self.all()?);
        }
        Ok(single(rules, Rule::Any))
    }

    fn all(&mut self) -> Result<Rule, String> {
        let mut rules = vec![self.one()?];
        while self.word("AND") {
            rules.push(self.one()?);
        }
        Ok(single(rules, Rule::All))
    }

    fn one(&mut self) -> Result<Rule, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("it is nested deeper than {DEPTH_MAX}"));
        }
        let rule = self.one_within()?;
        self.depth -= 1;
        Ok(rule)
    }

    fn one_within(&mut self) -> Result<Rule, String> {
        if self.word("NOT") {
            return Ok(Rule::Not(Box::new(self.one()?)));
        }
        if self.mark('(') {
            let rule = self.any()?;
            return if self.mark(')') { Ok(rule) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        for (word, value) in [("TRUE", true), ("FALSE", false)] {
            if self.word(word) {
                return Ok(Rule::Constant(value));
            }
        }
        let state =
            [State::Ok, State::Alarm, State::InsufficientData].into_iter().find(|state| self.word(state.into_str()));
        let state = state.ok_or_else(|| format!("unexpected: {}", self.rest.trim_start()))?;
        if !self.mark('(') {
            return Err(format!("{} names no alarm", state.into_str()));
        }
        let name = self.name()?;
        if self.mark(')') { Ok(Rule::Is(state, name)) } else { Err("a parenthesis is not closed".to_owned()) }
    }

    /// A name: what follows an ARN's `:alarm:`, where it is one.
    fn name(&mut self) -> Result<String, String> {
        let rest = self.rest.trim_start();
        let (name, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a name's quotes are not closed")?,
            None => rest.split_at(rest.find(')').ok_or("a parenthesis is not closed")?),
        };
        self.rest = rest;
        let name = name.trim();
        let name = name.split_once(":alarm:").filter(|_| name.starts_with("arn:")).map_or(name, |(_, name)| name);
        if name.is_empty() { Err("an alarm has no name".to_owned()) } else { Ok(name.to_owned()) }
    }

    fn word(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(word) else { return false };
        let ends = rest.chars().next().is_none_or(|next| !next.is_alphanumeric() && next != '_');
        if ends {
            self.rest = rest;
        }
        ends
    }

    fn mark(&mut self, mark: char) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(mark) else { return false };
        self.rest = rest;
        true
    }
}

fn single(mut rules: Vec<Rule>, several: fn(Vec<Rule>) -> Rule) -> Rule {
    match rules.pop() {
        Some(only) if rules.is_empty() => only,
        last => {
            rules.extend(last);
            several(rules)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        let state = |name: &str| match name {
            "a" | "with space" => Some(State::Alarm),
            "b" => Some(State::Ok),
            "c" => Some(State::InsufficientData),
            _ => None,
        };
        Rule::parse(text).unwrap_or_else(|why| panic!("{text}: {why}")).holds(&state)
    }

    #[test]
    fn rules_are_read_as_cloudwatch_reads_them() {
        for (text, expected) in [
            ("ALARM(a)", true),
            ("ALARM(\"with space\") AND OK(b)", true),
            ("ALARM(b) OR INSUFFICIENT_DATA( c )", true),
            ("NOT ALARM(a)", false),
            ("ALARM(b) OR ALARM(b) AND ALARM(a)", false),
            ("(ALARM(a) OR ALARM(b)) AND NOT (OK(a) OR OK(c))", true),
            ("ALARM(arn:aws:cloudwatch:eu-west-1:111111111111:alarm:a)", true),
            ("TRUE AND NOT FALSE", true),
            ("ALARM(gone) OR OK(gone) OR INSUFFICIENT_DATA(gone)", false),
        ] {
            assert_eq!(holds(text), expected, "{text}");
        }
        let rule = Rule::parse("ALARM(a) AND (OK(b) OR NOT ALARM(a))").expect("a rule");
        assert_eq!(rule.names(), ["a", "b", "a"]);
    }

    #[test]
    fn what_is_no_rule_is_said() {
        let deep = format!("{}ALARM(a){}", "(".repeat(40), ")".repeat(40));
        let long = format!("ALARM({})", "x".repeat(11_000));
        let many: Vec<String> = (0..101).map(|number| format!("ALARM(a{number})")).collect();
        let many = many.join(" OR ");
        for text in [
            "",
            "ALARM",
            "ALARM()",
            "ALARM(a",
            "ALARM(\"a)",
            "ALARM(a) AND",
            "a OR b",
            "ALARM(a) ALARM(b)",
            "NOTALARM(a)",
        ]
        .into_iter()
        .chain([deep.as_str(), &long, &many])
        {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
    }
}
