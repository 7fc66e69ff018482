//! Rules of composite alarms: which alarms they are about.

use std::collections::BTreeSet;

/// Names of alarms that a rule asks to be in alarm: `ALARM("name")`, `ALARM(name)`, `ALARM("arn:...:alarm:name")`, and none of
/// these under a `NOT`. What can't be read names none ("Create a composite alarm", CloudWatch user guide).
pub(crate) fn alarms_in(rule: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = rule.trim_start();
    // For each open parenthesis whether a `NOT` holds within; `denies`: whether one stands right before.
    let (mut open, mut denies) = (vec![false], false);
    while let Some(mark) = rest.chars().next() {
        let is_denied = open.last().copied().unwrap_or(false);
        match mark {
            '(' => {
                open.push(is_denied != denies);
                denies = false;
                rest = &rest[1..];
            }
            ')' => {
                open.pop();
                denies = false;
                rest = &rest[1..];
            }
            mark if is_of_word(mark) => {
                let end = rest.find(|mark| !is_of_word(mark)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                rest = after.trim_start();
                if word.eq_ignore_ascii_case("NOT") {
                    denies = !denies;
                } else if is_state(word) && rest.starts_with('(') {
                    let Some((name, after)) = argument(&rest[1..]) else { return names };
                    if word.eq_ignore_ascii_case("ALARM") && is_denied == denies {
                        names.insert(name);
                    }
                    denies = false;
                    rest = after;
                } else {
                    denies = false;
                }
            }
            mark => rest = &rest[mark.len_utf8()..],
        }
        rest = rest.trim_start();
    }
    names
}

fn is_of_word(mark: char) -> bool {
    mark.is_ascii_alphanumeric() || mark == '_'
}

fn is_state(word: &str) -> bool {
    ["ALARM", "OK", "INSUFFICIENT_DATA"].iter().any(|state| word.eq_ignore_ascii_case(state))
}

/// A name, or the one at the end of an ARN, and what stands behind its parenthesis.
fn argument(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            let (mut name, mut is_escaped) = (String::new(), false);
            let end = quoted.char_indices().find_map(|(at, mark)| match (mark, is_escaped) {
                ('"', false) => Some(at),
                ('\\', false) => {
                    is_escaped = true;
                    None
                }
                (mark, _) => {
                    name.push(mark);
                    is_escaped = false;
                    None
                }
            })?;
            (name, &quoted[end + 1..])
        }
        None => {
            let end = text.find(')')?;
            (text[..end].trim_end().to_owned(), &text[end..])
        }
    };
    let rest = rest.trim_start().strip_prefix(')')?;
    let is_arn = name.starts_with("arn:");
    let name = match name.split_once(":alarm:").filter(|_| is_arn) {
        Some((_, name)) => name.to_owned(),
        None => name,
    };
    Some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_about_what_it_asks_to_be_in_alarm() {
        let table: [(&str, &[&str]); 11] = [
            (r#"ALARM("a") OR ALARM(b)"#, &["a", "b"]),
            (r#"ALARM("a b") AND NOT ALARM("c")"#, &["a b"]),
            (r#"ALARM(a) AND NOT (ALARM(b) OR ALARM(c))"#, &["a"]),
            (r#"NOT (NOT ALARM(a))"#, &["a"]),
            (r#"(ALARM ( a ) ) AND OK(b) AND INSUFFICIENT_DATA("ALARM(c)")"#, &["a"]),
            (r#"ALARM("arn:aws:cloudwatch:af-south-1:111111111111:alarm:a:b")"#, &["a:b"]),
            (r#"ALARM("x\"y") OR ALARM(")")"#, &["x\"y", ")"]),
            (r#"AT_LEAST(2, ALARM, (a, b, c))"#, &[]),
            (r#"ALARM("open"#, &[]),
            ("TRUE", &[]),
            ("\u{1f525} ))) ALARM(a)", &["a"]),
        ];
        for (rule, wanted) in table {
            assert_eq!(alarms_in(rule).iter().map(String::as_str).collect::<Vec<_>>(), {
                let mut wanted = wanted.to_vec();
                wanted.sort_unstable();
                wanted
            });
        }
    }
}
