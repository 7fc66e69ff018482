//! A script as words and operators.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Its parts, and whether each may hold variables.
    Word(Vec<(String, bool)>),
    Operator(&'static str),
}

const OPERATORS: [&str; 9] = ["&&", "||", ";", "|", "&", "\n", "(", ")", "!"];

pub(super) fn tokens(script: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = script;
    while let Some(character) = rest.chars().next() {
        let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
        if let Some(operator) = operator.filter(|operator| **operator != "!" || rest.starts_with("! ")) {
            found.push(Token::Operator(if *operator == "\n" { ";" } else { operator }));
            rest = &rest[operator.len()..];
        } else if character == '#' {
            rest = rest.split_once('\n').map_or("", |(comment, _)| &rest[comment.len()..]);
        } else if character.is_whitespace() {
            rest = &rest[character.len_utf8()..];
        } else {
            let (parts, after) = word(rest);
            // Where output goes does not matter here.
            if !is_redirection(&parts) {
                found.push(Token::Word(parts));
            }
            rest = after;
        }
    }
    found
}

fn word(text: &str) -> (Vec<(String, bool)>, &str) {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(character) = rest.chars().next() {
        match character {
            '\'' | '"' => {
                let inside = &rest[1..];
                let (quoted, after) = inside.split_once(character).unwrap_or((inside, ""));
                parts.push((quoted.to_owned(), character == '"'));
                rest = after;
            }
            '\\' => {
                let escaped = rest[1..].chars().next().map(String::from).unwrap_or_default();
                rest = &rest[1 + escaped.len()..];
                parts.push((escaped, false));
            }
            // `2>&1` and `>&2` are no operators.
            _ if rest.starts_with(">&") => {
                parts.push((">&".to_owned(), false));
                rest = &rest[2..];
            }
            _ if character.is_whitespace() || ";|&()".contains(character) => break,
            _ => {
                let stop = |next: char| next.is_whitespace() || ";|&()'\"\\>".contains(next);
                let end = rest[character.len_utf8()..].find(stop).map_or(rest.len(), |end| end + character.len_utf8());
                parts.push((rest[..end].to_owned(), true));
                rest = &rest[end..];
            }
        }
    }
    (parts, rest)
}

fn is_redirection(parts: &[(String, bool)]) -> bool {
    let text: String = parts.iter().map(|(text, _)| text.as_str()).collect();
    let text = text.trim_start_matches(|character: char| character.is_ascii_digit());
    text.starts_with(">&") || (text.starts_with('>') && text.len() > 1)
}

pub(super) struct Cursor<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) at: usize,
}

impl Cursor<'_> {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn operator(&self) -> Option<&'static str> {
        match self.peek() {
            Some(Token::Operator(operator)) => Some(operator),
            Some(Token::Word(_)) | None => None,
        }
    }

    /// The next word as it is written, where it is a plain one.
    pub(super) fn keyword(&self) -> &str {
        match self.peek() {
            Some(Token::Word(parts)) if parts.len() == 1 => &parts[0].0,
            Some(Token::Word(_) | Token::Operator(_)) | None => "",
        }
    }

    pub(super) fn skip(&mut self, keyword: &str) {
        while self.operator() == Some(";") {
            self.at += 1;
        }
        if self.keyword() == keyword {
            self.at += 1;
        }
    }
}
