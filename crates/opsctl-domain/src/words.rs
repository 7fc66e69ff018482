//! Numbers in sentences.

/// `1 message`, `2 messages`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `1 message was`, `2 messages were`: the noun with the form of its verb that fits.
pub fn counted_is(count: u64, what: &str, one: &str, many: &str) -> String {
    format!("{} {}", counted(count, what), if count == 1 { one } else { many })
}

/// `orders, credits and 95 more`: the first names, `shown_max` at most, and how many there are beside them.
pub fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>, shown_max: usize) -> String {
    let more = names.len().saturating_sub(shown_max);
    let shown = names.take(shown_max).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "message")), ["0 messages", "1 message", "2 messages"]);
        assert_eq!([1, 2].map(|count| counted_is(count, "queue", "is", "are")), ["1 queue is", "2 queues are"]);
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let some = |shown_max| some_of(["a", "b", "c"].into_iter(), shown_max);
        assert_eq!([2, 3, 4].map(some), ["a, b and 1 more", "a, b, c", "a, b, c"]);
    }
}
