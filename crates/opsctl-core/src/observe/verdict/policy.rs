//! The verdict on a queue's redrive policy.

use super::{Finding, Kind, Scene, Severity, Subject, Verdict};
use crate::{domain::QueueArn, observe::snapshot::Seen};

/// A policy that names a queue that does not exist: SQS takes it for none, and what fails is delivered again and again.
pub(super) fn verdict(scene: &Scene<'_>, seen: &Seen) -> Option<Verdict> {
    let queue = seen.queue.as_ref()?;
    let dead_letter = &queue.redrive.as_ref()?.dead_letter;
    if !is_missing(scene, &queue.arn, dead_letter) {
        return None;
    }
    let name = dead_letter.name();
    let reason = format!(
        "its dead-letter queue {name} does not exist: what fails stays here and is delivered again until it expires; make {name} again, \
         or set another RedrivePolicy"
    );
    let finding = Finding(Kind::NoDeadLetterQueue, Severity::Warning, reason);
    Some(Verdict {
        messages: seen.messages().unwrap_or(0),
        ..scene.said_of(Subject::Queue(seen.name.clone()), finding, seen.at)
    })
}

/// Whether a queue would have been listed, and was not.
fn is_missing(scene: &Scene<'_>, beside: &QueueArn, wanted: &QueueArn) -> bool {
    let (listing, name) = (&scene.snapshot.listing, wanted.name());
    let is_listed = listing.at.is_some() && listing.error.is_none();
    let is_here = wanted.account() == beside.account() && wanted.region() == beside.region();
    let is_in_scope = scene.environment.queues.admits(name.as_str());
    // A snapshot holds queues by name.
    let is_found = scene.snapshot.queues.binary_search_by(|other| other.name.cmp(&name)).is_ok();
    is_listed && is_here && is_in_scope && !is_found
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::{Environment, QueueArn, QueueRules, RedrivePolicy, Thresholds},
        observe::{
            Kind, Listing, Seen, Snapshot,
            verdict::{
                tests::{now, prod, queue, snapshot},
                verdicts,
            },
        },
    };

    /// A queue whose policy names a DLQ of this account and region.
    fn failing_into(name: &str, arn: &str) -> Seen {
        let mut seen = queue(name, 0);
        let policy = RedrivePolicy { dead_letter: QueueArn(arn.to_owned()), receives_max: 3 };
        seen.queue.as_mut().expect("described").redrive = Some(policy);
        seen
    }

    fn kinds(environment: &Environment, snapshot: &Snapshot) -> Vec<Kind> {
        let verdicts = verdicts(environment, &Thresholds::default(), snapshot, now());
        verdicts.into_iter().map(|verdict| verdict.kind).collect()
    }

    #[test]
    fn a_policy_to_a_queue_that_would_be_listed_and_is_not_is_a_verdict() {
        let here = "arn:aws:sqs:af-south-1:111111111111:orders-dlq";
        let gone = || snapshot(vec![failing_into("orders", here)]);
        assert_eq!(kinds(&prod(), &gone()), [Kind::NoDeadLetterQueue], "an empty queue's too");
        let said = verdicts(&prod(), &Thresholds::default(), &gone(), now())[0].reason.to_string();
        assert!(said.starts_with("its dead-letter queue orders-dlq does not exist"), "{said}");
        // It is there, elsewhere, not looked for, or not known.
        assert_eq!(kinds(&prod(), &snapshot(vec![failing_into("orders", here), queue("orders-dlq", 0)])), []);
        for elsewhere in ["arn:aws:sqs:af-south-1:222222222222:x-dlq", "arn:aws:sqs:eu-west-1:111111111111:x-dlq"] {
            assert_eq!(kinds(&prod(), &snapshot(vec![failing_into("orders", elsewhere)])), [], "{elsewhere}");
        }
        let queues = QueueRules { exclude: vec!["*-dlq".to_owned()], ..QueueRules::default() };
        assert_eq!(kinds(&Environment { queues, ..prod() }, &gone()), []);
        assert_eq!(kinds(&prod(), &Snapshot { listing: Listing::default(), ..gone() }), []);
    }
}
