//! Expressions as text.

use super::{Expression, Function, Operator};

const DEPTH_MAX: usize = 32;

/// Operators by how closely they bind, the loosest first; of those that begin alike the longer one stands first.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("||", Operator::Or), ("OR ", Operator::Or)],
    &[("&&", Operator::And), ("AND ", Operator::And)],
    &[
        (">=", Operator::AtLeast),
        ("<=", Operator::AtMost),
        ("==", Operator::Equals),
        ("!=", Operator::Differs),
        (">", Operator::Above),
        ("<", Operator::Below),
    ],
    &[("+", Operator::Plus), ("-", Operator::Minus)],
    &[("*", Operator::Times), ("/", Operator::By), ("^", Operator::Power)],
];

pub(super) fn read(text: &str) -> Result<Expression, String> {
    let mut reader = Reader { rest: text, depth: 0 };
    let expression = reader.level(0)?;
    let rest = reader.rest.trim();
    if rest.is_empty() { Ok(expression) } else { Err(format!("unexpected: {rest}")) }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn level(&mut self, level: usize) -> Result<Expression, String> {
        let Some(operators) = LEVELS.get(level) else { return self.part() };
        let mut left = self.level(level + 1)?;
        while let Some((mark, operator)) = operators.iter().find(|(mark, _)| self.rest.trim_start().starts_with(mark)) {
            self.take(mark);
            left = Expression::Of(*operator, Box::new(left), Box::new(self.level(level + 1)?));
        }
        Ok(left)
    }

    fn part(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("it is nested deeper than {DEPTH_MAX}"));
        }
        let part = self.deeper();
        self.depth -= 1;
        part
    }

    fn deeper(&mut self) -> Result<Expression, String> {
        if self.take("(") {
            let inside = self.level(0)?;
            return if self.take(")") { Ok(inside) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        if self.take("[") {
            return Ok(Expression::List(self.list("]")?));
        }
        if self.take("-") {
            let minus = Expression::Number(-1.0);
            return Ok(Expression::Of(Operator::Times, Box::new(minus), Box::new(self.part()?)));
        }
        if self.take("\"") {
            let (text, after) = self.rest.split_once('"').ok_or("a quotation mark is not closed")?;
            self.rest = after;
            return Ok(Expression::Name(text.to_owned()));
        }
        let rest = self.rest.trim_start();
        let ends = |character: char| !character.is_ascii_alphanumeric() && character != '_' && character != '.';
        let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        self.rest = after;
        if let Ok(number) = word.parse() {
            return Ok(Expression::Number(number));
        }
        if self.take("(") {
            let function: Function = word.parse().map_err(|_| format!("the function {word} is not known here"))?;
            let arguments = self.list(")")?;
            if !function.arguments().contains(&arguments.len()) {
                return Err(format!("{word} does not take {} arguments", arguments.len()));
            }
            return Ok(Expression::Call(function, arguments));
        }
        match word {
            "REPEAT" | "LINEAR" => Ok(Expression::Name("REPEAT".to_owned())),
            _ if word.starts_with(|first: char| first.is_ascii_lowercase()) => Ok(Expression::Name(word.to_owned())),
            _ => Err(format!("unexpected: {rest}")),
        }
    }

    fn list(&mut self, end: &str) -> Result<Vec<Expression>, String> {
        let mut parts = Vec::new();
        while !self.take(end) {
            if !parts.is_empty() && !self.take(",") {
                return Err(format!("{end} is missing"));
            }
            parts.push(self.level(0)?);
        }
        Ok(parts)
    }

    fn take(&mut self, mark: &str) -> bool {
        let after = self.rest.trim_start().strip_prefix(mark);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }
}
