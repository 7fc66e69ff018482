//! Batch answers: every entry asked for is accounted for, in the order asked.

use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchResultEntry};

use super::{CHECKSUM_MISMATCH, Entry, NO_ANSWER, checksum};
use crate::domain::{MessageId, Outgoing, Text};

/// An entry's id in a batch is its place in the list given.
pub(super) fn id(index: usize) -> String {
    index.to_string()
}

/// Lines up an answer with what was asked. Ids that were not asked for are ignored; an entry reported both done and
/// failed has failed, for it must not count as safe.
pub(super) fn accounts<T>(
    asked: usize,
    done: impl IntoIterator<Item = (String, T)>,
    failed: Vec<BatchResultErrorEntry>,
) -> Vec<Entry<T>> {
    let mut entries: Vec<Entry<T>> = (0..asked).map(|_| no_answer()).collect();
    let index = |id: &str| id.parse::<usize>().ok().filter(|&index| index < asked && self::id(index) == id);
    for (id, value) in done {
        if let Some(index) = index(&id) {
            entries[index] = Entry::Done(value);
        }
    }
    for error in failed {
        if let Some(index) = index(&error.id) {
            entries[index] = Entry::Failed {
                code: Text::line(&error.code).as_str().to_owned(),
                message: Text::line(error.message.as_deref().unwrap_or("AWS gives no words")),
                sender_fault: error.sender_fault,
            };
        }
    }
    entries
}

/// Accounts of a send: a stored message must have the MD5 of what was sent.
pub(super) fn sent(
    messages: &[Outgoing],
    successful: Vec<SendMessageBatchResultEntry>,
    failed: Vec<BatchResultErrorEntry>,
) -> Vec<Entry<MessageId>> {
    let done = successful.into_iter().map(|entry| (entry.id.clone(), entry));
    let entries = accounts(messages.len(), done, failed);
    messages.iter().zip(entries).map(|(message, entry)| checked(message, entry)).collect()
}

fn checked(message: &Outgoing, entry: Entry<SendMessageBatchResultEntry>) -> Entry<MessageId> {
    let stored = match entry {
        Entry::Done(stored) => stored,
        Entry::Failed { code, message, sender_fault } => return Entry::Failed { code, message, sender_fault },
    };
    let attributes = stored.md5_of_message_attributes.as_deref();
    match checksum::differs(&message.body, &message.attributes, Some(&stored.md5_of_message_body), attributes) {
        None => Entry::Done(MessageId(stored.message_id)),
        Some(what) => Entry::Failed {
            code: CHECKSUM_MISMATCH.to_owned(),
            message: Text::line(&format!("SQS stored another {what} than was sent, as message {}", stored.message_id)),
            sender_fault: false,
        },
    }
}

fn no_answer<T>() -> Entry<T> {
    Entry::Failed {
        code: NO_ANSWER.to_owned(),
        message: Text::line("the answer says nothing about this entry"),
        sender_fault: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(id: &str) -> BatchResultErrorEntry {
        let builder = BatchResultErrorEntry::builder().id(id).code("InternalError").sender_fault(false);
        builder.build().expect("all members are set")
    }

    #[test]
    fn every_entry_is_accounted_for_in_order() {
        let done = [("2".to_owned(), 'c'), ("0".to_owned(), 'a')];
        let entries = accounts(4, done, vec![error("1")]);
        assert_eq!(entries[0], Entry::Done('a'));
        assert_eq!(entries[2], Entry::Done('c'));
        assert!(matches!(&entries[1], Entry::Failed { code, .. } if code == "InternalError"));
        assert!(matches!(&entries[3], Entry::Failed { code, .. } if code == NO_ANSWER));
        assert!(entries[1].may_have_been_applied() && entries[3].may_have_been_applied());
        assert!(!entries[0].may_have_been_applied());
    }

    #[test]
    fn foreign_ids_are_ignored_and_a_failure_outweighs() {
        let done = ["7", "+0", "00", "", "0"].map(|id| (id.to_owned(), ()));
        assert_eq!(accounts(1, done, Vec::new()), [Entry::Done(())]);
        let both = accounts(1, [("0".to_owned(), ())], vec![error("0")]);
        assert!(matches!(&both[0], Entry::Failed { .. }));
    }

    #[test]
    fn a_message_stored_otherwise_is_no_success() {
        let message = Outgoing {
            body: "hello".into(),
            attributes: std::collections::BTreeMap::new(),
            group: None,
            deduplication_id: None,
            trace_header: None,
        };
        let stored = |md5: &str| {
            let builder = SendMessageBatchResultEntry::builder().id("0").message_id("m").md5_of_message_body(md5);
            builder.build().expect("all members are set")
        };
        let good = sent(std::slice::from_ref(&message), vec![stored("5d41402abc4b2a76b9719d911017c592")], Vec::new());
        assert_eq!(good, [Entry::Done(MessageId("m".into()))]);
        let bad = sent(&[message], vec![stored("00000000000000000000000000000000")], Vec::new());
        assert!(matches!(&bad[0], Entry::Failed { code, .. } if code == CHECKSUM_MISMATCH));
        assert!(bad[0].may_have_been_applied());
    }
}
