//! [`Expression`]: the part of metric math that alarms need here: `+ - * /`, numbers, names, parentheses.

const DEPTH_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Name(String),
    Of(Operator, Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
    By,
}

impl Expression {
    /// Reads an expression; the error says what is not understood.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text, depth: 0 };
        let expression = reader.sum()?;
        if reader.rest.trim().is_empty() { Ok(expression) } else { Err(format!("unexpected: {}", reader.rest.trim())) }
    }

    /// Its value; none where a part has none, or where it is divided by zero.
    pub(super) fn value(&self, of: &impl Fn(&str) -> Option<f64>) -> Option<f64> {
        let value = match self {
            Self::Number(number) => *number,
            Self::Name(name) => of(name)?,
            Self::Of(operator, left, right) => {
                let (left, right) = (left.value(of)?, right.value(of)?);
                match operator {
                    Operator::Plus => left + right,
                    Operator::Minus => left - right,
                    Operator::Times => left * right,
                    Operator::By => left / right,
                }
            }
        };
        value.is_finite().then_some(value)
    }

    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Name(name) => vec![name],
            Self::Of(_, left, right) => [left.names(), right.names()].concat(),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&[('+', Operator::Plus), ('-', Operator::Minus)]) {
            left = Expression::Of(operator, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.part()?;
        while let Some(operator) = self.operator(&[('*', Operator::Times), ('/', Operator::By)]) {
            left = Expression::Of(operator, Box::new(left), Box::new(self.part()?));
        }
        Ok(left)
    }

    fn part(&mut self) -> Result<Expression, String> {
        let rest = self.rest.trim_start();
        if let Some(inner) = rest.strip_prefix('(') {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(format!("it is nested deeper than {DEPTH_MAX}"));
            }
            self.rest = inner;
            let sum = self.sum()?;
            self.rest = self.rest.trim_start().strip_prefix(')').ok_or("a parenthesis is not closed")?;
            self.depth -= 1;
            return Ok(sum);
        }
        let ends = |character: char| !character.is_ascii_alphanumeric() && character != '_' && character != '.';
        let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        self.rest = after;
        match word.parse() {
            Ok(number) => Ok(Expression::Number(number)),
            Err(_) if word.starts_with(|first: char| first.is_ascii_lowercase()) => {
                Ok(Expression::Name(word.to_owned()))
            }
            Err(_) => Err(format!("unexpected: {rest}")),
        }
    }

    fn operator(&mut self, known: &[(char, Operator)]) -> Option<Operator> {
        let rest = self.rest.trim_start();
        let (_, operator) = known.iter().find(|(mark, _)| rest.starts_with(*mark))?;
        self.rest = &rest[1..];
        Some(*operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_as_it_is_written() {
        let of = |name: &str| (name == "m1").then_some(6.0);
        for (text, value) in [
            ("1 + 2 * 3", Some(7.0)),
            ("100*(m1 - 1)/(m1+4)", Some(50.0)),
            ("m1 / 0", None),
            ("m1 + missing", None),
            ("10 - 2 - 3", Some(5.0)),
        ] {
            assert_eq!(Expression::parse(text).expect(text).value(&of), value, "{text}");
        }
        for text in ["", "1 +", "(1", "SUM(METRICS())", "m1 m2", &"(".repeat(50)] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
