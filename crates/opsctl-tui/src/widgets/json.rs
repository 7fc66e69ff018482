//! JSON as it was written: parts in order, so that numbers, escapes and the order of keys stay what they are.

/// A part of a JSON text. Texts are as written, with quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    OpenObject,
    CloseObject,
    OpenArray,
    CloseArray,
    Key(&'a str),
    String(&'a str),
    Number(&'a str),
    /// `true`, `false`, `null`.
    Word(&'a str),
}

/// The parts of a text that is JSON: see [`crate::messages::json::is_json`]. Of any other text it gives something, and ends.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'a> {
    rest: &'a str,
    /// Whether each thing that is open is an object.
    open: Vec<bool>,
    is_key_next: bool,
}

pub(crate) fn parts(json: &str) -> Parts<'_> {
    Parts { rest: json, open: Vec::new(), is_key_next: false }
}

impl<'a> Parts<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn opened(&mut self, is_object: bool) {
        self.take(1);
        self.open.push(is_object);
        self.is_key_next = is_object;
    }

    fn closed(&mut self) {
        self.take(1);
        self.open.pop();
        self.is_key_next = false;
    }

    fn string(&mut self) -> Part<'a> {
        let mut is_escaped = false;
        let closing = |byte: u8| match byte {
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            b'\\' => {
                is_escaped = true;
                false
            }
            other => other == b'"',
        };
        let end = self.rest.bytes().skip(1).position(closing).map_or(self.rest.len(), |at| at + 2);
        let text = self.take(end);
        match std::mem::take(&mut self.is_key_next) {
            true => Part::Key(text),
            false => Part::String(text),
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        loop {
            let first = *self.rest.as_bytes().first()?;
            match first {
                b' ' | b'\t' | b'\n' | b'\r' | b':' => drop(self.take(1)),
                b',' => {
                    self.take(1);
                    self.is_key_next = self.open.last() == Some(&true);
                }
                b'{' => {
                    self.opened(true);
                    return Some(Part::OpenObject);
                }
                b'[' => {
                    self.opened(false);
                    return Some(Part::OpenArray);
                }
                b'}' => {
                    self.closed();
                    return Some(Part::CloseObject);
                }
                b']' => {
                    self.closed();
                    return Some(Part::CloseArray);
                }
                b'"' => return Some(self.string()),
                _ => {
                    let ends =
                        |character: char| matches!(character, ',' | ']' | '}' | ':' | '"' | ' ' | '\t' | '\n' | '\r');
                    let end = self.rest.find(ends).unwrap_or(self.rest.len());
                    let text = self.take(end);
                    let is_number = first == b'-' || first.is_ascii_digit();
                    return Some(if is_number { Part::Number(text) } else { Part::Word(text) });
                }
            }
        }
    }
}

pub(crate) fn unescaped(string: &str) -> String {
    serde_json::from_str(string).unwrap_or_else(|_| string.to_owned())
}

/// A JSON text over several lines, its parts as they were.
pub(crate) fn pretty(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut before = None::<Part<'_>>;
    for part in parts(json) {
        let closes = matches!(part, Part::CloseObject | Part::CloseArray);
        let after_open = matches!(before, Some(Part::OpenObject | Part::OpenArray));
        depth -= usize::from(closes && depth > 0);
        match before {
            None | Some(Part::Key(_)) => {}
            Some(_) if closes && after_open => {}
            Some(_) => {
                if !closes && !after_open {
                    text.push(',');
                }
                text.push('\n');
                text.extend(std::iter::repeat_n("  ", depth));
            }
        }
        match part {
            Part::OpenObject => text.push('{'),
            Part::CloseObject => text.push('}'),
            Part::OpenArray => text.push('['),
            Part::CloseArray => text.push(']'),
            Part::Key(key) => {
                text.push_str(key);
                text.push_str(": ");
            }
            Part::String(plain) | Part::Number(plain) | Part::Word(plain) => text.push_str(plain),
        }
        depth += usize::from(matches!(part, Part::OpenObject | Part::OpenArray));
        before = Some(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::messages::json;

    #[test]
    fn it_is_laid_out_and_nothing_else() {
        let written = r#" {"b":1.50,"a":[{},[] ,"x\"y",{"n":12345678901234567890123}],"e":"é\u00e9","t":true,"":null}"#;
        insta::assert_snapshot!(pretty(written), @r#"
        {
          "b": 1.50,
          "a": [
            {},
            [],
            "x\"y",
            {
              "n": 12345678901234567890123
            }
          ],
          "e": "é\u00e9",
          "t": true,
          "": null
        }
        "#);
        assert_eq!(json::compact(&pretty(written)), json::compact(written));
        assert_eq!(pretty("12"), "12");
        assert_eq!(unescaped(r#""a\nb""#), "a\nb");
    }

    proptest! {
        #[test]
        fn layout_loses_nothing(keys in prop::collection::vec(".{0,8}", 0..6), text in ".{0,30}", number in any::<i64>()) {
            let fields: serde_json::Map<String, serde_json::Value> =
                keys.iter().map(|key| (key.clone(), serde_json::json!([text, number, {"x": text}]))).collect();
            let written = serde_json::Value::Object(fields).to_string();
            prop_assert_eq!(json::compact(&pretty(&written)), written);
        }

        #[test]
        fn text_that_is_no_json_is_no_harm(text in ".{0,40}") {
            prop_assert!(parts(&text).count() <= text.len());
            let _ = pretty(&text);
        }
    }
}
