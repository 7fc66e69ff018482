//! Patterns of `FilterLogEvents`: words and quoted texts, all of which must be there; `?word`: one of these; `-word`: not this.
//! (User guide, "Filter pattern syntax"; JSON and space-delimited patterns are not simulated.)

use super::{ApiError, invalid};

#[derive(Debug, Default)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    pub(super) fn read(text: &str) -> Result<Self, ApiError> {
        if text.len() > 1_024 {
            return Err(invalid(
                "Value at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to 1024",
            ));
        }
        let mut pattern = Self::default();
        let mut rest = text.trim();
        if rest.starts_with(['{', '[', '%']) {
            return Err(invalid("Invalid filter pattern"));
        }
        while !rest.is_empty() {
            let (sign, behind) = match rest.as_bytes()[0] {
                b'?' | b'-' => rest.split_at(1),
                _ => ("", rest),
            };
            let (word, behind) = match behind.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(|| invalid("Invalid filter pattern"))?,
                None => behind.split_once(char::is_whitespace).unwrap_or((behind, "")),
            };
            let into = match sign {
                "?" => &mut pattern.any,
                "-" => &mut pattern.none,
                _ => &mut pattern.all,
            };
            into.push(word.to_owned());
            rest = behind.trim_start();
        }
        Ok(pattern)
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        let has = |word: &String| text.contains(word.as_str());
        self.all.iter().all(has) && (self.any.is_empty() || self.any.iter().any(has)) && !self.none.iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_must_all_be_there() {
        for (pattern, text, fits) in [
            ("", "anything", true),
            ("ERROR migration", "migration: ERROR", true),
            ("ERROR migration", "ERROR", false),
            ("\"a b\"", "x a b y", true),
            ("\"a b\"", "b a", false),
            ("?ERROR ?WARN", "WARN: x", true),
            ("ERROR -debug", "ERROR debug", false),
        ] {
            assert_eq!(Pattern::read(pattern).expect("a pattern").fits(text), fits, "{pattern} {text}");
        }
        assert!(Pattern::read("{ $.level = \"x\" }").is_err());
        assert!(Pattern::read("\"open").is_err());
    }
}
