//! Numbers in sentences.

/// `1 message`, `2 messages`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `1 message was`, `2 messages were`: the noun with the form of its verb that fits.
pub fn counted_is(count: u64, what: &str, one: &str, many: &str) -> String {
    format!("{} {}", counted(count, what), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "message")), ["0 messages", "1 message", "2 messages"]);
        assert_eq!([1, 2].map(|count| counted_is(count, "queue", "is", "are")), ["1 queue is", "2 queues are"]);
    }
}
