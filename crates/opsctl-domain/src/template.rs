//! Error texts without what differs from one to the next, so that texts of one cause fall together; and the way back, a regular
//! expression that such texts match.

/// Stands for what differs.
pub const GAP: char = '…';
/// Longest template, in characters.
const TEMPLATE_CHARACTERS_MAX: usize = 120;
/// Longest stretch of text looked at, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;
/// Longest quoted text taken as one, in bytes.
const QUOTED_BYTES_MAX: usize = 256;

/// A text's template: quoted texts and words with digits in them (numbers, ids, hexadecimal, times) become [`GAP`].
/// One line: the first that says something.
pub fn template(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = &line[..line.floor_char_boundary(TEXT_BYTES_MAX)];
    let mut template = String::new();
    let mut rest = line;
    let (mut before, mut word_before) = (None, String::new());
    while let Some(first) = rest.chars().next() {
        if template.chars().count() >= TEMPLATE_CHARACTERS_MAX {
            break;
        }
        let taken = match quoted(rest, before).or_else(|| word(rest, &word_before)) {
            Some((taken, replacement)) => {
                template.push_str(&replacement);
                word_before = rest[..taken].to_ascii_lowercase();
                taken
            }
            None => {
                template.push(first);
                first.len_utf8()
            }
        };
        before = rest[..taken].chars().next_back();
        rest = &rest[taken..];
    }
    template
}

/// Length of the quoted text at the start, and what stands for it.
fn quoted(rest: &str, before: Option<char>) -> Option<(usize, String)> {
    let quote = rest.chars().next().filter(|character| matches!(character, '"' | '\'' | '`'))?;
    // An apostrophe inside a word opens nothing.
    if before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let length = rest[1..].find(quote).filter(|length| *length <= QUOTED_BYTES_MAX)?;
    let closes = !rest[length + 2..].starts_with(char::is_alphanumeric);
    closes.then(|| (length + 2, format!("{quote}{GAP}{quote}")))
}

/// Length of the word at the start, and what stands for it.
fn word(rest: &str, word_before: &str) -> Option<(usize, String)> {
    let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
    let word = rest[..end].trim_end_matches(['.', ':', '-', '+']);
    if word.is_empty() {
        return None;
    }
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let tells = is_status(word, word_before) || word.ends_with("Exception") || word.ends_with("Error");
    Some((word.len(), if has_digit && !tells { GAP.to_string() } else { word.to_owned() }))
}

/// An HTTP status is the cause itself: `HTTP 503`, `status code: 404`.
fn is_status(word: &str, word_before: &str) -> bool {
    let is_number = word.len() == 3 && word.parse().is_ok_and(|status: u16| (100..600).contains(&status));
    is_number && matches!(word_before.trim_end_matches(':'), "http" | "status" | "code" | "statuscode" | "status_code")
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | ':' | '+')
}

/// A regular expression that matches the texts of a template.
pub fn pattern(template: &str) -> String {
    let mut pattern = String::from(r"^\s*");
    let mut previous = None;
    let mut characters = template.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, previous) {
            (GAP, Some(quote @ ('"' | '\'' | '`'))) if characters.peek() == Some(&quote) => {
                pattern.push_str(&format!("[^{quote}]*"));
            }
            (GAP, _) => pattern.push_str(r"\S*"),
            (plain, _) => push_escaped(&mut pattern, plain),
        }
        previous = Some(character);
    }
    pattern
}

fn push_escaped(pattern: &mut String, character: char) {
    if matches!(character, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
        pattern.push('\\');
    }
    pattern.push(character);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_left_out() {
        for (text, expected) in [
            ("Timeout after 3000 ms for order 'A-17'", "Timeout after … ms for order '…'"),
            ("\n\n  java.lang.NullPointerException: null\n\tat x.Y(Z.java:17)", "java.lang.NullPointerException: null"),
            ("no row 6f1d3f1e-0000-4000-8000-000000000001.", "no row …."),
            ("connect 10.0.3.4:8080 refused (os error 111)", "connect … refused (os error …)"),
            ("can't read the user's \"name\"", "can't read the user's \"…\""),
            ("at 2026-11-21T03:00:00Z deadbeef1", "at … …"),
            ("HTTP 503 from host-1 after 503 ms", "HTTP 503 from … after … ms"),
            ("status code: 404, S3Exception", "status code: 404, S3Exception"),
            ("", ""),
            ("Überlauf bei 5 €", "Überlauf bei … €"),
        ] {
            assert_eq!(template(text), expected);
        }
        assert!(template(&"a ".repeat(10_000)).chars().count() <= TEMPLATE_CHARACTERS_MAX + 1);
    }

    #[test]
    fn the_pattern_is_escaped() {
        assert_eq!(pattern("a.b '…' …"), r"^\s*a\.b '[^']*' \S*");
    }
}
