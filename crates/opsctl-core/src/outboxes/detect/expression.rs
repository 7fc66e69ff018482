//! What CHECK constraints and predicates of partial indexes say about single columns. What is not understood says nothing.

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Atom {
    IsNull(String),
    NotNull(String),
    /// One of these; NULL may be allowed, too.
    In(String, Vec<String>),
    True(String),
    False(String),
    /// Less than that.
    Below(String, i64),
    Valid(String),
}

impl Atom {
    pub fn column(&self) -> &str {
        match self {
            Self::IsNull(column)
            | Self::NotNull(column)
            | Self::In(column, _)
            | Self::True(column)
            | Self::False(column)
            | Self::Below(column, _)
            | Self::Valid(column) => column,
        }
    }
}

/// Longest expression that is read, in bytes.
const BYTES_MAX: usize = 16_384;
/// Most numbers that a range stands for.
const RANGE_MAX: i64 = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// An identifier or a keyword.
    Word(String),
    /// An identifier in quotes.
    Quoted(String),
    Text(String),
    Number(i64),
    Sign(String),
}

/// What an expression says, as far as it is understood: the parts that it joins by AND. `columns` are those of the table.
pub fn atoms(expression: &str, columns: &[&str]) -> Vec<Atom> {
    if expression.len() > BYTES_MAX {
        return Vec::new();
    }
    let tokens = tokens(expression);
    let tokens = match tokens.first() {
        Some(first) if is_word(first, "CHECK") => &tokens[1..],
        _ => &tokens[..],
    };
    let parts = split(tokens, "AND");
    let mut atoms = Vec::new();
    for part in &parts {
        atoms.extend(atom(part, columns));
    }
    atoms.extend(range(&parts, columns));
    atoms
}

/// The values that the expression allows the column, where it says nothing else.
pub fn allowed(expression: &str, columns: &[&str]) -> Option<(String, Vec<String>)> {
    atoms(expression, columns).into_iter().find_map(|atom| match atom {
        Atom::In(column, values) => Some((column, values)),
        Atom::IsNull(_) | Atom::NotNull(_) | Atom::True(_) | Atom::False(_) | Atom::Below(..) | Atom::Valid(_) => None,
    })
}

/// Parts that a word joins on the outermost level, each without the parentheses around it.
fn split<'a>(tokens: &'a [Token], word: &str) -> Vec<&'a [Token]> {
    let tokens = bare(tokens);
    let mut parts = Vec::new();
    let (mut depth, mut start, mut is_between) = (0_usize, 0, false);
    for (place, token) in tokens.iter().enumerate() {
        if is_sign(token, "(") || is_sign(token, "[") {
            depth += 1;
        } else if is_sign(token, ")") || is_sign(token, "]") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && is_word(token, "BETWEEN") {
            is_between = true;
        } else if depth == 0 && is_word(token, "AND") && is_between {
            is_between = false;
        } else if depth == 0 && is_word(token, word) {
            parts.push(&tokens[start..place]);
            start = place + 1;
        }
    }
    parts.push(&tokens[start..]);
    if parts.len() == 1 {
        return vec![tokens];
    }
    parts.into_iter().flat_map(|part| split(part, word)).collect()
}

/// Without parentheses that enclose all of it.
fn bare(mut tokens: &[Token]) -> &[Token] {
    while let [Token::Sign(open), inner @ .., Token::Sign(close)] = tokens {
        if open != "(" || close != ")" || !is_balanced(inner) {
            break;
        }
        tokens = inner;
    }
    tokens
}

fn is_balanced(tokens: &[Token]) -> bool {
    let mut depth = 0_i64;
    for token in tokens {
        depth += i64::from(is_sign(token, "(")) - i64::from(is_sign(token, ")"));
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn atom(tokens: &[Token], columns: &[&str]) -> Option<Atom> {
    let branches = split(tokens, "OR");
    if branches.len() > 1 {
        return either(&branches, columns);
    }
    let mut tokens = bare(tokens);
    let mut is_negated = false;
    while let [first, rest @ ..] = tokens {
        if !is_word(first, "NOT") {
            break;
        }
        is_negated = !is_negated;
        tokens = bare(rest);
    }
    let found = plain_atom(tokens, columns)?;
    if !is_negated {
        return Some(found);
    }
    match found {
        Atom::True(column) => Some(Atom::False(column)),
        Atom::False(column) => Some(Atom::True(column)),
        Atom::IsNull(column) => Some(Atom::NotNull(column)),
        Atom::NotNull(column) => Some(Atom::IsNull(column)),
        Atom::In(..) | Atom::Below(..) | Atom::Valid(_) => None,
    }
}

/// `a = 1 OR a = 2 OR a IS NULL`.
fn either(branches: &[&[Token]], columns: &[&str]) -> Option<Atom> {
    let mut found: Option<(String, Vec<String>)> = None;
    for branch in branches {
        let (column, values) = match atom(branch, columns)? {
            Atom::In(column, values) => (column, values),
            Atom::IsNull(column) => (column, Vec::new()),
            Atom::NotNull(_) | Atom::True(_) | Atom::False(_) | Atom::Below(..) | Atom::Valid(_) => return None,
        };
        match &mut found {
            Some((known, all)) if *known == column => all.extend(values),
            Some(_) => return None,
            None => found = Some((column, values)),
        }
    }
    found.filter(|(_, values)| !values.is_empty()).map(|(column, values)| Atom::In(column, values))
}

fn plain_atom(tokens: &[Token], columns: &[&str]) -> Option<Atom> {
    let tokens = without_casts(tokens);
    if let [function, Token::Sign(open), column, Token::Sign(_)] = tokens.as_slice()
        && is_word(function, "JSON_VALID")
        && open == "("
    {
        return Some(Atom::Valid(column_of(column, columns)?));
    }
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !is_paren(token)).collect();
    let (first, rest) = tokens.split_first()?;
    let column = column_of(first, columns)?;
    match rest {
        [] => Some(Atom::True(column)),
        [is, null] if is_word(is, "IS") && is_word(null, "NULL") => Some(Atom::IsNull(column)),
        [is, not, null] if is_word(is, "IS") && is_word(not, "NOT") && is_word(null, "NULL") => {
            Some(Atom::NotNull(column))
        }
        [is, value] if is_word(is, "IS") || is_sign(is, "=") || is_sign(is, "==") => truth(column, value, false),
        [is, not, value] if is_word(is, "IS") && is_word(not, "NOT") => truth(column, value, true),
        [sign, Token::Number(number)] if is_sign(sign, "<") => Some(Atom::Below(column, *number)),
        [sign, Token::Number(number)] if is_sign(sign, "<=") => Some(Atom::Below(column, number.saturating_add(1))),
        [sign, value] if is_sign(sign, "<>") || is_sign(sign, "!=") => match truth(column, value, true)? {
            Atom::In(..) => None,
            other => Some(other),
        },
        [between, Token::Number(low), and, Token::Number(high)]
            if is_word(between, "BETWEEN") && is_word(and, "AND") =>
        {
            numbers(column, *low, *high)
        }
        [equals, any, array, values @ ..] if is_sign(equals, "=") && is_word(any, "ANY") && is_word(array, "ARRAY") => {
            listed(column, values)
        }
        [equals, any, Token::Text(array)] if is_sign(equals, "=") && is_word(any, "ANY") => {
            let inner = array.strip_prefix('{')?.strip_suffix('}')?;
            Some(Atom::In(column, inner.split(',').map(|value| value.trim_matches('"').to_owned()).collect()))
        }
        [is_in, values @ ..] if is_word(is_in, "IN") => listed(column, values),
        _ => None,
    }
}

/// `column IS TRUE`, `column = 'SENT'`, `column = 0`; with `is_not` of those that have two sides only.
fn truth(column: String, value: &Token, is_not: bool) -> Option<Atom> {
    let word = match value {
        Token::Word(word) => word.to_ascii_uppercase(),
        Token::Text(text) if !is_not => return Some(Atom::In(column, vec![text.clone()])),
        Token::Number(number) if !is_not => return Some(Atom::In(column, vec![number.to_string()])),
        Token::Text(_) | Token::Number(_) | Token::Quoted(_) | Token::Sign(_) => return None,
    };
    match (word.as_str(), is_not) {
        ("TRUE", false) | ("FALSE", true) => Some(Atom::True(column)),
        ("FALSE", false) | ("TRUE", true) => Some(Atom::False(column)),
        _ => None,
    }
}

fn listed(column: String, tokens: &[Token]) -> Option<Atom> {
    let mut values = Vec::new();
    for token in tokens {
        match token {
            Token::Text(text) => values.push(text.clone()),
            Token::Number(number) => values.push(number.to_string()),
            Token::Sign(sign) if [",", "[", "]"].contains(&sign.as_str()) => {}
            Token::Word(_) | Token::Quoted(_) | Token::Sign(_) => return None,
        }
    }
    (!values.is_empty()).then_some(Atom::In(column, values))
}

/// `a >= 0 AND a <= 3`.
fn range(parts: &[&[Token]], columns: &[&str]) -> Option<Atom> {
    let side = |part: &&[Token], signs: [&str; 2]| {
        let tokens: Vec<Token> = without_casts(part).into_iter().filter(|token| !is_paren(token)).collect();
        match tokens.as_slice() {
            [column, sign, Token::Number(number)] if is_sign(sign, signs[0]) => {
                Some((column_of(column, columns)?, *number))
            }
            [column, sign, Token::Number(number)] if is_sign(sign, signs[1]) => {
                Some((column_of(column, columns)?, number + if signs[1] == "<" { -1 } else { 1 }))
            }
            _ => None,
        }
    };
    let (column, low) = parts.iter().find_map(|part| side(part, [">=", ">"]))?;
    let (other, high) = parts.iter().find_map(|part| side(part, ["<=", "<"]))?;
    if column == other { numbers(column, low, high) } else { None }
}

fn numbers(column: String, low: i64, high: i64) -> Option<Atom> {
    let is_few = high >= low && high.checked_sub(low).is_some_and(|more| more < RANGE_MAX);
    is_few.then(|| Atom::In(column, (low..=high).map(|number| number.to_string()).collect()))
}

fn column_of(token: &Token, columns: &[&str]) -> Option<String> {
    let name = match token {
        Token::Word(name) | Token::Quoted(name) => name,
        Token::Text(_) | Token::Number(_) | Token::Sign(_) => return None,
    };
    let exact = columns.iter().find(|column| *column == name);
    let alike = || columns.iter().find(|column| column.eq_ignore_ascii_case(name));
    exact.or_else(alike).map(|column| (*column).to_owned())
}

/// Without `::character varying(20)`, `_utf8mb4` and `::text[]`.
fn without_casts(tokens: &[Token]) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::new();
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        if is_sign(token, "::") {
            skip_type(&mut rest);
        } else if !matches!(token, Token::Word(word) if word.starts_with("_utf8") || word == "_latin1") {
            kept.push(token.clone());
        }
    }
    kept
}

fn skip_type<'a>(rest: &mut std::iter::Peekable<impl Iterator<Item = &'a Token>>) {
    let is_type = |token: &&&Token| match token {
        Token::Word(word) => !["AND", "OR", "IS", "IN", "NOT"].contains(&word.to_ascii_uppercase().as_str()),
        Token::Quoted(_) => true,
        Token::Sign(sign) => sign == ".",
        Token::Text(_) | Token::Number(_) => false,
    };
    while rest.peek().filter(is_type).is_some() {
        rest.next();
    }
    for (open, close) in [("(", ")"), ("[", "]")] {
        if rest.peek().is_some_and(|token| is_sign(token, open)) {
            while rest.next().is_some_and(|token| !is_sign(token, close)) {}
        }
    }
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))
}

fn is_sign(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Sign(sign) if sign == wanted)
}

fn is_paren(token: &Token) -> bool {
    is_sign(token, "(") || is_sign(token, ")")
}

fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut place = 0;
    while let Some(&letter) = letters.get(place) {
        match letter {
            letter if letter.is_whitespace() => place += 1,
            '\'' => {
                let (inner, end) = quoted(&letters, place, '\'');
                tokens.push(Token::Text(inner));
                place = end;
            }
            '"' | '`' => {
                let (inner, end) = quoted(&letters, place, letter);
                tokens.push(Token::Quoted(inner));
                place = end;
            }
            // MySQL writes the quotes of a text in a CHECK with a backslash.
            '\\' if letters.get(place + 1) == Some(&'\'') => {
                let rest: String = letters[place + 2..].iter().collect();
                let inner = rest.split("\\'").next().unwrap_or_default();
                place += 2 + inner.chars().count() + 2;
                tokens.push(Token::Text(inner.to_owned()));
            }
            letter if letter.is_ascii_digit() => {
                let end = place + letters[place..].iter().take_while(|letter| letter.is_ascii_digit()).count();
                let digits: String = letters[place..end].iter().collect();
                let is_negative = tokens.last().is_some_and(|token| is_sign(token, "-"));
                if is_negative {
                    tokens.pop();
                }
                let number = digits.parse::<i64>().unwrap_or(i64::MAX);
                tokens.push(Token::Number(if is_negative { -number } else { number }));
                place = end;
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                let is_inside = |letter: &&char| letter.is_alphanumeric() || **letter == '_' || **letter == '$';
                let end = place + letters[place..].iter().take_while(is_inside).count();
                tokens.push(Token::Word(letters[place..end].iter().collect()));
                place = end;
            }
            letter => {
                let two: String = letters[place..].iter().take(2).collect();
                let sign =
                    if ["::", "<=", ">=", "<>", "!=", "=="].contains(&two.as_str()) { two } else { letter.to_string() };
                place += sign.chars().count();
                tokens.push(Token::Sign(sign));
            }
        }
    }
    tokens
}

/// What stands between quotes, which are doubled inside, and where it ends.
fn quoted(letters: &[char], start: usize, quote: char) -> (String, usize) {
    let mut inner = String::new();
    let mut place = start + 1;
    while let Some(&letter) = letters.get(place) {
        if letter == quote {
            if letters.get(place + 1) != Some(&quote) {
                return (inner, place + 1);
            }
            place += 1;
        }
        inner.push(letter);
        place += 1;
    }
    (inner, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 6] = ["state", "attempts", "sent_at", "Sent", "failed_at", "odd \"name"];

    fn values(column: &str, values: &[&str]) -> Vec<Atom> {
        vec![Atom::In(column.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())]
    }

    #[test]
    fn lists_of_values_are_read_as_every_server_writes_them() {
        let two = values("state", &["PENDING", "it's"]);
        for check in [
            "CHECK (((state)::text = ANY ((ARRAY['PENDING'::character varying, 'it''s'::character varying])::text[])))",
            "CHECK ((state = ANY (ARRAY['PENDING'::text, 'it''s'::text])))",
            "CHECK ((((state)::text = 'PENDING'::text) OR ((state)::text = 'it''s'::text)))",
            "CHECK (((state)::text = ANY (('{PENDING,it''s}'::character varying[])::text[])))",
            "`state` in ('PENDING','it''s')",
            "state IN ('PENDING', 'it''s') OR state IS NULL",
        ] {
            assert_eq!(atoms(check, &COLUMNS), two, "{check}");
        }
        let mysql = r"(`state` in (_utf8mb4\'PENDING\',_utf8mb4\'SENT\'))";
        assert_eq!(atoms(mysql, &COLUMNS), values("state", &["PENDING", "SENT"]));
        let three = values("state", &["-1", "1", "2"]);
        assert_eq!(atoms("CHECK ((state = ANY (ARRAY['-1'::integer, 1, 2])))", &COLUMNS), three);
        assert_eq!(atoms("state in (-1,1,2)", &COLUMNS), three);
        let range = "CHECK (((state >= 0) AND (state <= 2)))";
        assert!(atoms(range, &COLUMNS).contains(&values("state", &["0", "1", "2"])[0]));
        assert_eq!(atoms("`state` between 0 and 2", &COLUMNS), values("state", &["0", "1", "2"]));
    }

    #[test]
    fn predicates_are_taken_apart() {
        let predicate = "((sent_at IS NULL) AND (failed_at IS NULL) AND (attempts < 10) AND (NOT \"Sent\"))";
        assert_eq!(
            atoms(predicate, &COLUMNS),
            [
                Atom::IsNull("sent_at".to_owned()),
                Atom::IsNull("failed_at".to_owned()),
                Atom::Below("attempts".to_owned(), 10),
                Atom::False("Sent".to_owned()),
            ]
        );
        assert_eq!(atoms("(\"Sent\" = false)", &COLUMNS), [Atom::False("Sent".to_owned())]);
        assert_eq!(atoms("((state)::text = 'NEW'::text)", &COLUMNS), values("state", &["NEW"]));
        assert_eq!(atoms("((state = 0))", &COLUMNS), values("state", &["0"]));
    }

    #[test]
    fn what_is_not_understood_says_nothing() {
        for expression in [
            "CHECK (((state = 'SENT'::text) = (sent_at IS NOT NULL)))",
            "CHECK ((state <> ALL (ARRAY['A'::text])))",
            "state not in ('A','B')",
            "CHECK ((length(state) > 3))",
            "CHECK (((state = 'A'::text) OR (attempts = 3)))",
            "((((",
            "'",
            "state = ANY (ARRAY[",
            "",
        ] {
            assert!(allowed(expression, &COLUMNS).is_none(), "{expression}: {:?}", atoms(expression, &COLUMNS));
        }
    }
}
