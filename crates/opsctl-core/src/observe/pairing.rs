//! Which queue's dead letters lie where. Pure: given what is known of all queues, says what makes each one a DLQ.

use std::collections::{HashMap, HashSet};

use super::queues::{DeadLetters, KnownBy};
use crate::domain::{QueueArn, QueueName, QueueRules, dead_letter_names};

#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub name: &'a QueueName,
    /// ARN; none while its settings could not be read.
    pub arn: Option<&'a QueueArn>,
    /// Where its own dead letters go.
    pub feeds: Option<&'a QueueArn>,
    pub tagged: Option<&'a QueueName>,
}

/// What makes each queue a DLQ, if anything does, in the order given. Best evidence first: redrive policies of others,
/// its tag, the configured name patterns, its own name.
pub fn pair(rules: &QueueRules, queues: &[Known<'_>]) -> Vec<Option<DeadLetters>> {
    let mut by_arn: HashMap<&QueueArn, Vec<QueueName>> = HashMap::new();
    for queue in queues {
        if let Some(arn) = queue.feeds {
            by_arn.entry(arn).or_default().push(queue.name.clone());
        }
    }
    // For queues whose ARN is not known: another queue's policy in the same account tells them by name.
    let mut by_name: HashMap<QueueName, &QueueArn> = HashMap::new();
    for arn in by_arn.keys() {
        let kept = by_name.entry(arn.name()).or_insert(arn);
        // The same name in two accounts: always the same choice.
        *kept = (*kept).min(arn);
    }
    let names: HashSet<&QueueName> = queues.iter().map(|queue| queue.name).collect();
    let pattern = |name: &QueueName| {
        let mut sources = rules.sources_by_name(name.as_str()).map(QueueName);
        sources.find(|source| names.contains(source))
    };
    // Names such as `orders-failed` are those of other queues as well: only beside `orders` they say something, and not of a queue
    // that has a DLQ itself.
    let usual = |queue: &Known<'_>| {
        let mut sources = dead_letter_names::sources(queue.name.as_str()).map(QueueName);
        queue.feeds.is_none() && sources.any(|source| names.contains(&source))
    };
    let one = |queue: &Known<'_>| {
        let arn = queue.arn.or_else(|| by_name.get(queue.name).copied());
        let found = |sources, known_by| Some(DeadLetters { sources, known_by });
        arn.and_then(|arn| by_arn.get(arn))
            .and_then(|sources| found(sources.clone(), KnownBy::RedrivePolicy))
            .or_else(|| found(vec![queue.tagged?.clone()], KnownBy::Tag))
            .or_else(|| found(vec![pattern(queue.name)?], KnownBy::Pattern))
            .or_else(|| {
                let is_one = is_dead_letter_name(queue.name.as_str()) || usual(queue);
                is_one.then(Vec::new).and_then(|none| found(none, KnownBy::Name))
            })
    };
    queues.iter().map(one).collect()
}

/// Whether a name says that dead letters lie in the queue: `orders-dlq`, `orders_dead_letters.fifo`, `dlq-orders`.
fn is_dead_letter_name(name: &str) -> bool {
    let plain = name.trim_end_matches(".fifo").to_ascii_lowercase().replace(['_', '.'], "-");
    let joined = plain.replace('-', "");
    plain.split('-').any(|part| part == "dlq" || part == "dlqs")
        || plain.ends_with("dlq")
        || joined.contains("deadletter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_dead_letters() {
        for name in ["orders-dlq", "orders_dlq", "dlq-orders.fifo", "OrdersDLQ", "orders-dead-letters", "deadletter"] {
            assert!(is_dead_letter_name(name), "{name}");
        }
        for name in ["orders", "idlqueue", "deadline", "letters-dead"] {
            assert!(!is_dead_letter_name(name), "{name}");
        }
    }

    #[test]
    fn usual_names_count_beside_their_queue_only_and_the_first_pattern_whose_queue_exists_does() {
        let names = ["bill", "bill_error", "paid", "paid-failed", "login_error", "bill-old"].map(QueueName::from);
        let arns = names.clone().map(|name| QueueArn(format!("arn:aws:sqs:eu-west-1:111111111111:{name}")));
        let known = |index: usize| Known {
            name: &names[index],
            arn: Some(&arns[index]),
            // `paid-failed` is a queue with a DLQ of its own: other messages lie there.
            feeds: (index == 3).then_some(&arns[0]),
            tagged: None,
        };
        let queues: Vec<Known<'_>> = (0..names.len()).map(known).collect();
        let said = |rules: &QueueRules| -> Vec<Option<(KnownBy, Vec<QueueName>)>> {
            let found = pair(rules, &queues);
            found.into_iter().map(|found| found.map(|found| (found.known_by, found.sources))).collect()
        };
        let plain = said(&QueueRules::default());
        assert_eq!(plain[1], Some((KnownBy::Name, vec![])));
        assert_eq!((&plain[3], &plain[4], &plain[5]), (&None, &None, &None));
        let pairs = [("old-*", "*-old"), ("*", "*-old")].map(|(source, dlq)| (source.to_owned(), dlq.to_owned()));
        let rules = QueueRules { pairs: pairs.to_vec(), ..QueueRules::default() };
        assert_eq!(said(&rules)[5], Some((KnownBy::Pattern, vec![names[0].clone()])), "there is no old-bill");
    }

    #[test]
    fn the_best_evidence_counts_and_a_denied_queue_is_told_by_name() {
        let names = ["orders", "orders-dlq", "park", "denied-park", "x", "x-old", "lone-dlq"].map(QueueName::from);
        let arns = names.clone().map(|name| QueueArn(format!("arn:aws:sqs:eu-west-1:111111111111:{name}")));
        let rules = QueueRules { pairs: vec![("*".into(), "*-old".into())], ..QueueRules::default() };
        let known = |index: usize, feeds: Option<usize>, tagged: Option<usize>| Known {
            name: &names[index],
            arn: (index != 3).then_some(&arns[index]),
            feeds: feeds.map(|feeds| &arns[feeds]),
            tagged: tagged.map(|tagged| &names[tagged]),
        };
        let queues = [
            known(0, Some(1), None),
            known(1, None, Some(4)),
            known(2, None, Some(0)),
            known(3, None, None),
            known(4, Some(3), None),
            known(5, None, None),
            known(6, None, None),
        ];
        let found = pair(&rules, &queues);
        let said = |index: usize| found[index].as_ref().map(|found| (found.known_by, found.sources.clone()));
        assert_eq!(said(0), None);
        assert_eq!(said(1), Some((KnownBy::RedrivePolicy, vec![names[0].clone()])), "a policy outweighs a tag");
        assert_eq!(said(2), Some((KnownBy::Tag, vec![names[0].clone()])));
        assert_eq!(said(3), Some((KnownBy::RedrivePolicy, vec![names[4].clone()])), "its own settings were denied");
        assert_eq!(said(5), Some((KnownBy::Pattern, vec![names[4].clone()])));
        assert_eq!(said(6), Some((KnownBy::Name, vec![])));
    }
}
