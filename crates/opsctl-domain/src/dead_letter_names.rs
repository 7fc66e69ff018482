//! How dead-letter queues are named after their queues in practice. What `init` looks for, and what a queue's own name says.

const FIFO: &str = ".fifo";

/// What is added to the queue's name, the most usual first.
const SUFFIXES: [&str; 44] = [
    "-dlq",
    "_dlq",
    "-DLQ",
    "_DLQ",
    "Dlq",
    "DLQ",
    "-dead-letter",
    "_dead_letter",
    "-dead-letters",
    "_dead_letters",
    "-deadletter",
    "_deadletter",
    "-deadletters",
    "_deadletters",
    "DeadLetter",
    "DeadLetters",
    "-dead-letter-queue",
    "_dead_letter_queue",
    "-deadletterqueue",
    "-DeadLetterQueue",
    "DeadLetterQueue",
    "-dead",
    "_dead",
    "-error",
    "_error",
    "Error",
    "-errors",
    "_errors",
    "Errors",
    "-poison",
    "_poison",
    "Poison",
    "-failed",
    "_failed",
    "Failed",
    "-failure",
    "_failure",
    "-failures",
    "_failures",
    "Failures",
    "-undeliverable",
    "_undeliverable",
    "-dlq-queue",
    "-dl",
];

/// What is put before it.
const PREFIXES: [&str; 10] =
    ["dlq-", "dlq_", "DLQ-", "DLQ_", "dead-letter-", "dead_letter_", "deadletter-", "deadletter_", "failed-", "error-"];

/// Patterns with one `*`, of a queue and of its DLQ; those of FIFO queues first, whose names fit the others as well.
pub fn patterns() -> impl Iterator<Item = (String, String)> {
    let of = |end: &'static str| {
        let after = SUFFIXES.iter().map(move |suffix| (format!("*{end}"), format!("*{suffix}{end}")));
        let before = PREFIXES.iter().map(move |prefix| (format!("*{end}"), format!("{prefix}*{end}")));
        after.chain(before)
    };
    of(FIFO).chain(of(""))
}

/// Queues whose DLQ a queue of this name would be: most names are none's.
pub fn sources(name: &str) -> impl Iterator<Item = String> {
    let (plain, end) = name.strip_suffix(FIFO).map_or((name, ""), |plain| (plain, FIFO));
    let after = SUFFIXES.iter().filter_map(|suffix| plain.strip_suffix(suffix));
    let before = PREFIXES.iter().filter_map(|prefix| plain.strip_prefix(prefix));
    let stems = after.chain(before).filter(|stem| !stem.is_empty());
    stems.map(move |stem| format!("{stem}{end}")).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QueueRules;

    #[test]
    fn what_a_name_stands_for_is_what_its_pattern_pairs() {
        for (dead_letter, source) in [
            ("bill-dlq", "bill"),
            ("bill_dlq.fifo", "bill.fifo"),
            ("bill-dead-letter", "bill"),
            ("BillDlq", "Bill"),
            ("bill_error", "bill"),
            ("bill-poison", "bill"),
            ("bill-failed", "bill"),
            ("BillDeadLetterQueue", "Bill"),
            ("dlq-bill", "bill"),
            ("dlq_bill.fifo", "bill.fifo"),
        ] {
            assert!(sources(dead_letter).any(|name| name == source), "{dead_letter}");
            let is_paired = |pair: (String, String)| {
                let rules = QueueRules { pairs: vec![pair], ..QueueRules::default() };
                rules.sources_by_name(dead_letter).any(|name| name == source)
            };
            assert!(patterns().any(is_paired), "{dead_letter}");
        }
        for name in ["bill", "bills.fifo", "dlq", "-dlq", "errors-bill-v2", "bill-dlq-old"] {
            assert_eq!(sources(name).next(), None, "{name}");
        }
    }
}
