//! [`Ledger`]: what became of each piece of work: told apart by content, wherever its messages lie and however often they are sent.
//!
//! A consumer of the world's own works a message off; whoever else deletes one has to have sent a copy of it, or the work is lost.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{World, hash, sqs::queue::Queue};
use crate::domain::environment::glob;

/// What tells the messages of a queue apart: a JSON pointer into their bodies, or else the whole body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity(pub Option<String>);

/// Why a message is no longer in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Went {
    /// A consumer of the world worked it off.
    Done,
    Deleted,
    Purged,
    Expired,
}

/// A message came into the world, or went.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Move {
    pub(in crate::world) content: u64,
    /// None: it came.
    pub(in crate::world) went: Option<Went>,
}

/// Which messages account is kept of.
#[derive(Debug, Clone, Default)]
pub struct Accountable {
    pub account: String,
    /// Names of queues, as globs.
    pub queues: Vec<String>,
    /// By which JSON pointer the messages of queues (globs) are told apart; where none fits, by the whole body.
    pub identities: Vec<(String, String)>,
}

#[derive(Debug, Default)]
pub struct Ledger {
    of: Accountable,
    works: HashMap<u64, Work>,
}

/// A piece of work: all messages with the same content.
#[derive(Debug, Clone, Copy, Default)]
struct Work {
    /// Messages that lie in queues.
    lying: i64,
    done: u32,
    went: Option<Went>,
}

/// How work stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Pieces of work that there ever were.
    pub known: u64,
    pub done: u64,
    /// Worked off more than once: how often too much.
    pub doubled: u64,
    /// Deleted by somebody, and nowhere now.
    pub deleted: u64,
    pub purged: u64,
    pub expired: u64,
}

impl Ledger {
    /// Takes in what came and went in a queue.
    pub(super) fn enter(&mut self, queue: &mut Queue) {
        let Some(moves) = queue.moves.as_mut().filter(|moves| !moves.is_empty()) else { return };
        for Move { content, went } in moves.drain(..) {
            let work = self.works.entry(content).or_default();
            match went {
                None => work.lying += 1,
                Some(went) => {
                    work.lying -= 1;
                    work.done += u32::from(went == Went::Done);
                    work.went = Some(went);
                }
            }
        }
    }

    /// How all of it stands.
    pub fn account(&self) -> Account {
        let mut counts = Account::default();
        for work in self.works.values() {
            counts.known += 1;
            counts.done += u64::from(work.done > 0);
            counts.doubled += u64::from(work.done.saturating_sub(1));
            match work.lost() {
                Some(Went::Deleted) => counts.deleted += 1,
                Some(Went::Purged) => counts.purged += 1,
                Some(Went::Expired) => counts.expired += 1,
                Some(Went::Done) | None => {}
            }
        }
        counts
    }

    /// What tells such a message's work apart, and why it is lost; none: it is done, lies somewhere, or was never known.
    pub fn lost(&self, queue: &str, body: &str) -> Option<(u64, Went)> {
        let content = content_of(&self.identity(queue), body);
        self.works.get(&content)?.lost().map(|went| (content, went))
    }

    /// None: no account is kept of this queue.
    fn identity_in(&self, account: &str, queue: &str) -> Option<Identity> {
        let is_kept = self.of.account == account && self.of.queues.iter().any(|pattern| glob(pattern, queue));
        is_kept.then(|| self.identity(queue))
    }

    fn identity(&self, queue: &str) -> Identity {
        let found = self.of.identities.iter().find(|(pattern, _)| glob(pattern, queue));
        Identity(found.map(|(_, pointer)| pointer.clone()))
    }
}

impl Work {
    fn lost(self) -> Option<Went> {
        self.went.filter(|_| self.done == 0 && self.lying <= 0)
    }
}

/// What tells a message's content apart.
pub(in crate::world) fn content_of(Identity(pointer): &Identity, body: &str) -> u64 {
    let value =
        pointer.as_ref().and_then(|pointer| serde_json::from_str::<Value>(body).ok()?.pointer(pointer).cloned());
    match value {
        Some(value) => hash(value.to_string().bytes()),
        None => hash(body.bytes()),
    }
}

impl World {
    /// From now on keeps account of what becomes of these messages.
    pub fn keep_ledger(&mut self, of: Accountable) {
        let mut ledger = Ledger { of, ..Ledger::default() };
        for queue in self.queues.iter_mut().flatten() {
            if let Some(identity) = ledger.identity_in(&queue.account, &queue.name) {
                queue.keep_account(identity);
                ledger.enter(queue);
            }
        }
        self.ledger = Some(Box::new(ledger));
    }

    /// None: nobody keeps account.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_deref()
    }

    pub(super) fn identity_of(&self, account: &str, queue: &str) -> Option<Identity> {
        self.ledger.as_ref().and_then(|ledger| ledger.identity_in(account, queue))
    }
}

impl Queue {
    /// Keeps account from now on; what is there has come.
    pub(super) fn keep_account(&mut self, identity: Identity) {
        let came = self.store.iter().map(|message| Move { content: content_of(&identity, &message.body), went: None });
        self.moves = Some(came.collect());
        self.identity = identity;
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::world::{Caller, PutMessage};

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn caller() -> Caller {
        Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() }
    }

    fn world() -> World {
        let mut world = World::new(7, START);
        for name in ["orders", "orders-dlq"] {
            world.create(START, &caller(), name, &[("MessageRetentionPeriod", "60")]).expect("created");
        }
        world.put(START, &caller(), "orders", PutMessage::new(r#"{"id":1}"#)).expect("put");
        world.keep_ledger(Accountable {
            account: caller().account,
            queues: vec!["orders*".to_owned()],
            identities: vec![("orders*".to_owned(), "/id".to_owned())],
        });
        world
    }

    fn account(world: &World) -> Account {
        world.ledger().expect("kept").account()
    }

    /// Takes all that is there, and deletes it as a caller or works it off as a consumer.
    fn take(world: &mut World, queue: &str, is_consumer: bool) {
        for taken in world.take(START, &caller(), queue, 10, None).expect("taken") {
            match is_consumer {
                true => world.finish(START, &caller(), queue, &taken.receipt_handle).expect("done"),
                false => world.remove(START, &caller(), queue, &taken.receipt_handle).expect("removed"),
            }
        }
    }

    #[test]
    fn work_is_lost_only_where_nothing_of_it_is_left() {
        let mut world = world();
        world.put(START, &caller(), "orders-dlq", PutMessage::new(r#"{"id":1,"edited":true}"#)).expect("a copy");
        take(&mut world, "orders", false);
        assert_eq!(account(&world), Account { known: 1, ..Account::default() }, "its copy lies in the DLQ");
        take(&mut world, "orders-dlq", false);
        assert_eq!(account(&world), Account { known: 1, deleted: 1, ..Account::default() });
        let lost = world.ledger().expect("kept").lost("orders", r#"{"id":1}"#);
        assert_eq!(lost.map(|(_, went)| went), Some(Went::Deleted));
        world.put(START, &caller(), "orders", PutMessage::new(r#"{"id":1}"#)).expect("put back");
        assert_eq!(account(&world).deleted, 0, "it is back");
    }

    #[test]
    fn work_that_is_done_twice_is_doubled() {
        let mut world = world();
        take(&mut world, "orders", true);
        assert_eq!(account(&world), Account { known: 1, done: 1, ..Account::default() });
        world.put(START, &caller(), "orders", PutMessage::new(r#"{"id":1}"#)).expect("again");
        take(&mut world, "orders", true);
        assert_eq!(account(&world), Account { known: 1, done: 1, doubled: 1, ..Account::default() });
        take(&mut world, "orders", false);
        assert_eq!(account(&world).deleted, 0, "what is done is not lost");
    }

    #[test]
    fn what_expires_or_is_purged_is_told_apart() {
        let mut world = world();
        world.advance(START + SignedDuration::from_secs(61));
        assert_eq!(account(&world), Account { known: 1, expired: 1, ..Account::default() });
        let at = START + SignedDuration::from_secs(62);
        world.put(at, &caller(), "orders", PutMessage::new(r#"{"id":2}"#)).expect("put");
        let url = serde_json::json!({ "QueueUrl": "http://localhost/111111111111/orders" });
        world.ask(at, &caller(), ("sqs", "PurgeQueue"), url).expect("purged");
        assert_eq!(account(&world), Account { known: 2, expired: 1, purged: 1, ..Account::default() });
    }
}
