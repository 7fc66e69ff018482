//! Globs of `*` and `?`, as faults and denials name calls and queues.

/// Whether `text` matches `pattern` (`*` any run, `?` any one character); letters match exactly.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to go back to when a later part fails: the last star, and the text it has swallowed up to.
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            Some(_) | None => match star {
                Some((star_at, swallowed)) => {
                    star = Some((star_at, swallowed + 1));
                    at_pattern = star_at + 1;
                    at_text = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::glob_matches;

    #[test]
    fn stars_swallow_and_go_back() {
        assert!(glob_matches("*", ""));
        assert!(glob_matches("*Batch", "SendMessageBatch"));
        assert!(glob_matches("Send*", "SendMessage"));
        assert!(glob_matches("a*b*c", "aXbYbZc"));
        assert!(glob_matches("orders-?lq", "orders-dlq"));
        assert!(!glob_matches("Send", "SendMessage"));
        assert!(!glob_matches("a*b", "aXc"));
        assert!(!glob_matches("", "a"));
    }
}
