//! The end of a batch: what was sent is deleted, what was not is held back or put back.

use jiff::Timestamp;

use super::{ATTEMPTS_MAX, ItemState, Out, Work, after_attempt, attempts_max};
use crate::{
    cloud::{
        CloudError,
        sqs::{BATCH_MAX, Entry},
    },
    domain::ReceiptHandle,
    journal::Record,
    operations::transfer::{
        engine::Shared,
        step::{LaneId, Step},
        tally::Stop,
    },
};

impl Work {
    pub(super) fn delete(&mut self, lane: LaneId, now: Timestamp, shared: &Shared) -> Option<Step> {
        let mut sent = self.indices(&ItemState::Sent);
        sent.truncate(BATCH_MAX);
        if sent.is_empty() {
            return None;
        }
        for index in &sent {
            let key = self.items[*index].key;
            assert!(shared.may_delete(key), "only what was sent, or stands in a file, is deleted");
        }
        let receipts: Vec<ReceiptHandle> =
            sent.iter().map(|index| shared.newest_receipt(&self.items[*index])).collect();
        if self.must_extend(now, shared) && now < self.hidden_until && self.attempts > 0 {
            // Deleting takes long: nobody else shall get what was sent meanwhile.
            self.out = Out::Extending(sent, now);
            return Some(Step::Hide { lane, receipts, seconds: shared.settings.visibility_seconds });
        }
        self.out = Out::Deleting(sent);
        Some(Step::Delete { lane, receipts })
    }

    pub(in super::super) fn on_deleted(
        &mut self,
        now: Timestamp,
        result: Result<Vec<Entry<()>>, CloudError>,
        shared: &mut Shared,
    ) {
        let Out::Deleting(chunk) = std::mem::replace(&mut self.out, Out::Nothing) else {
            unreachable!("an answer to a delete that was not made")
        };
        let entries = match result {
            Ok(entries) => entries,
            Err(error) if error.is_passing() && self.attempts + 1 < attempts_max(&error) => {
                return self.back_off(now, &error, shared);
            }
            Err(error) => {
                // What was sent stays known as such: when it shows again it is deleted, not sent.
                chunk.iter().for_each(|index| self.items[*index].state = ItemState::Finished);
                return shared.stop_because(Stop::Failed(error));
            }
        };
        assert_eq!(entries.len(), chunk.len(), "every entry is accounted for");
        let mut deleted = Vec::with_capacity(chunk.len());
        for (index, entry) in chunk.into_iter().zip(entries) {
            let item = &mut self.items[index];
            match entry {
                Entry::Done(()) => {
                    item.state = ItemState::Finished;
                    shared.deleted(item.key);
                    deleted.push(item.message.id.clone());
                }
                Entry::Failed { .. } => {
                    item.attempts += 1;
                    let lapsed = matches!(&entry, Entry::Failed { sender_fault: true, .. });
                    if lapsed || item.attempts >= ATTEMPTS_MAX {
                        item.state = ItemState::Finished;
                    } else {
                        self.not_before = Some(after_attempt(now, item.attempts));
                    }
                }
            }
        }
        self.attempts = 0;
        if !deleted.is_empty() {
            self.records.push(Record::Deleted { ids: deleted });
        }
    }

    pub(super) fn hold(&mut self, lane: LaneId, shared: &mut Shared) -> Option<Step> {
        let put_back = self.indices(&ItemState::PutBack);
        let (indices, seconds) = match put_back.is_empty() {
            false => (put_back, 0),
            true => (self.indices(&ItemState::Hold), shared.settings.hold_seconds()),
        };
        if indices.is_empty() {
            return None;
        }
        let receipts = indices.iter().map(|index| shared.newest_receipt(&self.items[*index])).collect();
        for index in indices {
            let item = &mut self.items[index];
            if item.state == ItemState::Hold {
                shared.leave(item.key, &item.message);
            }
            item.state = ItemState::Finished;
        }
        self.out = Out::Holding;
        Some(Step::Hide { lane, receipts, seconds })
    }
}
