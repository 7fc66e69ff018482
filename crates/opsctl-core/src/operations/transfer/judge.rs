//! Decides what becomes of a received message: selected or not, where to, and its faithful copy.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{
    need::Need,
    step::{Judgement, Origin},
    tally::Kept,
};
use crate::{
    clock::Clock,
    domain::{
        AttributeValue, Message, MessageId, MessageKeys, Outgoing, Payload, Queue, QueueArn, QueueKind, Text,
        message::hex,
    },
    messages::{edit::Editor, filter::Filter, origin::Origin as DeadLetterOrigin},
};

/// Attributes that a message may have (SQS quotas).
const ATTRIBUTES_MAX: usize = 10;
/// Largest message that any queue can be set to take, in bytes (SQS quotas, 2026).
const MESSAGE_BYTES_MAX: u64 = 1_048_576;
/// Longest group or deduplication id (SQS quotas).
const ID_CHARACTERS_MAX: usize = 128;
/// Deduplication ids from bodies that are remembered, to tell apart what SQS would silently drop.
const IDS_REMEMBERED_MAX: usize = 200_000;

#[derive(Debug, Clone)]
pub enum Route {
    To(usize),
    BySource {
        sources: HashMap<QueueArn, usize>,
        /// Destination of messages that somebody put into the DLQ directly, where it has one source only.
        direct: Option<usize>,
        /// Sources of messages that do not name theirs, by id: an earlier run put them into the DLQ.
        known: Arc<HashMap<MessageId, QueueArn>>,
    },
    /// Nowhere: they are deleted, after a snapshot.
    Nowhere,
}

#[derive(Debug)]
pub struct Judge {
    /// Destinations, by the index that [`Route`] names; the parking queue is one of them.
    pub destinations: Vec<Destination>,
    pub route: Route,
    pub park: Park,
    pub filter: Option<Filter>,
    pub ids: Option<HashSet<MessageId>>,
    /// Those of the ids whose messages were met.
    pub met: Arc<Mutex<HashSet<MessageId>>>,
    pub editor: Option<Editor>,
    /// Whether messages are edited: a plan knows that without the editor.
    pub is_edited: bool,
    /// Text of the attribute `opsctl.run`, where messages are marked.
    pub mark: Option<String>,
    /// Deduplication ids come from the run: the same when it is resumed, new in every other one.
    pub run: String,
    /// Time, for the age that filters see.
    pub clock: Clock,
    /// Deduplication ids from bodies that this run has used.
    pub used: Mutex<HashMap<String, MessageId>>,
}

#[derive(Debug, Clone)]
pub struct Destination {
    pub queue: Queue,
    /// Where group and deduplication ids are found, for a FIFO queue.
    pub keys: Option<MessageKeys>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Park {
    Leave,
    Queue(usize),
    /// Into the snapshot alone.
    File,
}

impl Judge {
    /// Sends all that the filter selects, as it is; the run adds its name.
    pub(crate) fn new(route: Route, destinations: Vec<Destination>, filter: Option<Filter>, clock: Clock) -> Self {
        Self {
            destinations,
            route,
            park: Park::Leave,
            filter,
            ids: None,
            met: Arc::default(),
            editor: None,
            is_edited: false,
            mark: None,
            run: String::new(),
            clock,
            used: Mutex::default(),
        }
    }

    pub async fn judge(self: Arc<Self>, messages: Vec<(Arc<Message>, Origin)>) -> Vec<Judgement> {
        let selected = Arc::clone(&self).select(&messages).await;
        let mut judgements = Vec::with_capacity(messages.len());
        for ((message, origin), selected) in messages.iter().zip(selected) {
            judgements.push(match (origin, selected) {
                (Origin::Bounced, _) => self.park(message),
                (Origin::DeadLetter, Err(why)) => Judgement::Keep(why),
                (Origin::DeadLetter, Ok(())) => self.send(message).await.unwrap_or_else(Judgement::Keep),
            });
        }
        judgements
    }

    async fn select(self: Arc<Self>, messages: &[(Arc<Message>, Origin)]) -> Vec<Result<(), Kept>> {
        let listed = |message: &Message| self.ids.as_ref().is_none_or(|ids| ids.contains(&message.id));
        if self.ids.is_some() {
            let met = messages
                .iter()
                .map(|(message, _)| &message.id)
                .filter(|id| self.ids.as_ref().is_some_and(|ids| ids.contains(id)));
            self.met.lock().unwrap_or_else(PoisonError::into_inner).extend(met.cloned());
        }
        let mut verdicts: Vec<Result<(), Kept>> =
            messages.iter().map(|(message, _)| if listed(message) { Ok(()) } else { Err(Kept::NotSelected) }).collect();
        let Some(filter) = self.filter.clone() else { return verdicts };
        let plain: Vec<_> = messages.iter().map(|(message, _)| Message::clone(message)).collect();
        let now = self.clock.now();
        // The filter runs on a thread of its own and blocks its caller: the lanes' threads have better things to do.
        let matched = tokio::task::spawn_blocking(move || filter.matches_all(&plain, now)).await;
        let Ok(matched) = matched else {
            return messages.iter().map(|_| Err(unfit("the filter broke off", Need::OtherFilter))).collect();
        };
        for (verdict, matched) in verdicts.iter_mut().zip(matched) {
            match matched {
                Ok(true) => {}
                Ok(false) => *verdict = Err(Kept::NotSelected),
                // What jq says quotes the message, and the reason goes into the journal: it stays general.
                Err(error) if error.is_final() => {
                    *verdict = Err(unfit("the filter took too long and was stopped", Need::OtherFilter));
                }
                Err(error) => {
                    let because = format!("the filter failed on it: {}", error.in_general());
                    *verdict = Err(unfit(&because, Need::OtherFilter));
                }
            }
        }
        verdicts
    }

    fn park(&self, message: &Message) -> Judgement {
        match self.park {
            Park::Leave => Judgement::Keep(Kept::Bounced),
            Park::File => Judgement::Remove,
            Park::Queue(to) => self.to_send(message, to, self.copy(message)).unwrap_or_else(Judgement::Keep),
        }
    }

    fn to_send(&self, message: &Message, to: usize, mut outgoing: Outgoing) -> Result<Judgement, Kept> {
        self.address(message, to, &mut outgoing)?;
        self.check(message, &outgoing, to)?;
        Ok(Judgement::Send { to, outgoing: Box::new(outgoing) })
    }

    async fn send(&self, message: &Message) -> Result<Judgement, Kept> {
        let Some(to) = self.destination(message)? else { return Ok(Judgement::Remove) };
        let mut outgoing = self.copy(message);
        if let Some(editor) = &self.editor {
            // What the editor says may quote the body, and the reason goes into the journal: it stays general.
            outgoing = editor.edit(message, outgoing).await.map_err(|_| Kept::Unedited)?;
        }
        self.to_send(message, to, outgoing)
    }

    /// Where a message belongs; none: nowhere.
    fn destination(&self, message: &Message) -> Result<Option<usize>, Kept> {
        let (sources, direct, known) = match &self.route {
            Route::Nowhere => return Ok(None),
            Route::To(to) => return Ok(Some(*to)),
            Route::BySource { sources, direct, known } => (sources, direct, known),
        };
        if let Some(source) = message.system.dead_letter_source.as_ref().or_else(|| known.get(&message.id)) {
            let source_of = |name| Need::Destination { source: Some(name), target: None };
            return sources.get(source).map(|to| Some(*to)).ok_or_else(|| {
                let why = format!("its source {} does not use this DLQ (any more)", source.name());
                unfit(&why, source_of(source.name()))
            });
        }
        let put_here = |by: &str, target| {
            Err(unfit(&format!("{by} put it here, not a queue"), Need::Destination { source: None, target }))
        };
        match DeadLetterOrigin::of(message) {
            DeadLetterOrigin::Lambda { .. } => put_here("Lambda", None),
            DeadLetterOrigin::EventBridge { target, .. } => put_here("EventBridge", self.near(target, sources)),
            DeadLetterOrigin::Sns { .. } => put_here("SNS", None),
            DeadLetterOrigin::Queue { .. } | DeadLetterOrigin::Unknown => direct.map(Some).ok_or_else(|| {
                let need = Need::Destination { source: None, target: None };
                unfit("nothing says which queue it came from", need)
            }),
        }
    }

    /// The target of a rule, where it is a queue beside the sources.
    fn near(&self, target: Option<Text>, sources: &HashMap<QueueArn, usize>) -> Option<QueueArn> {
        let target = QueueArn(target?.as_str().to_owned());
        let place = |arn: &QueueArn| (arn.account().map(str::to_owned), arn.region().map(str::to_owned));
        let is_near = target.is_sqs() && sources.keys().any(|source| place(source) == place(&target));
        is_near.then_some(target)
    }

    /// What would keep a message where it is, as far as that is known before it is sent. What an edit makes of it is not.
    pub(crate) fn foresee(&self, message: &Message) -> Option<Kept> {
        let to = match self.destination(message) {
            Ok(to) => to?,
            Err(kept) => return Some(kept),
        };
        if self.is_edited {
            return None;
        }
        self.to_send(message, to, self.copy(message)).err()
    }

    /// A copy with all that can be copied: body, attributes with their full type labels, group, trace header.
    fn copy(&self, message: &Message) -> Outgoing {
        let mut attributes = message.attributes.clone();
        if let Some(mark) = &self.mark {
            let payload = Payload::Text(mark.clone());
            attributes.insert("opsctl.run".to_owned(), AttributeValue { data_type: "String".to_owned(), payload });
        }
        Outgoing {
            body: message.body.clone(),
            attributes,
            group: message.system.group.clone(),
            deduplication_id: None,
            trace_header: message.system.trace_header.clone(),
        }
    }

    /// Group and deduplication id for a FIFO queue. The id is always given, and new for every run: with an id that the queue has
    /// seen in the last five minutes SQS accepts the message and drops it.
    fn address(&self, message: &Message, to: usize, outgoing: &mut Outgoing) -> Result<(), Kept> {
        let destination = &self.destinations[to];
        if let Some(group) = outgoing.group.take() {
            outgoing.group = Some(valid_id(group, "group")?);
        }
        if destination.queue.kind == QueueKind::Standard {
            outgoing.deduplication_id = None;
            return Ok(());
        }
        let keys = destination.keys.as_ref();
        if outgoing.group.is_none() {
            let key = keys.map(|keys| keys.group_id.as_str());
            let key = key.ok_or_else(|| self.unkeyed("the destination is FIFO and the message has no group id", to))?;
            let missing = || self.unkeyed(&format!("it has no group id at {key}"), to);
            let group = find(message, key).ok_or_else(missing)?;
            outgoing.group = Some(valid_id(group, "group")?);
        }
        let key = keys.and_then(|keys| keys.deduplication_id.as_deref());
        // An editor's id counts as a key's: it is made new for this run, and no other message may have it.
        let chosen = match (outgoing.deduplication_id.take(), key) {
            (Some(id), _) => Some((id, "deduplication id")),
            (None, Some(key)) => {
                let missing = || self.unkeyed(&format!("it has no deduplication id at {key}"), to);
                let id = find(message, key).ok_or_else(missing)?;
                Some((id, key))
            }
            (None, None) => None,
        };
        outgoing.deduplication_id = Some(match chosen {
            // In a FIFO DLQ the producer's id is gone; the message's own id tells it apart as well.
            None => hex(&Sha256::digest(format!("{}/{}", self.run, message.id.0))),
            Some((id, key)) => {
                let id = valid_id(format!("{id}.{}", self.run), "deduplication")?;
                // It stands in the journal, where a message's text must not.
                let id = hex(&Sha256::digest(id));
                self.claim(&id, &message.id, key)?;
                id
            }
        });
        Ok(())
    }

    /// SQS accepts a second message with the same deduplication id and drops it: it would be deleted here and exist nowhere.
    fn claim(&self, id: &str, message: &MessageId, key: &str) -> Result<(), Kept> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= IDS_REMEMBERED_MAX {
            return Err(unfit("too many deduplication ids for one run", Need::OtherRun));
        }
        match used.entry(id.to_owned()).or_insert_with(|| message.clone()) {
            owner if owner == message => Ok(()),
            _ => {
                let why = format!("another message of this run has the same {key}: SQS would drop this one");
                Err(unfit(&why, Need::OtherRun))
            }
        }
    }

    /// What would be refused or dropped is left where it is.
    fn check(&self, message: &Message, outgoing: &Outgoing, to: usize) -> Result<(), Kept> {
        if outgoing.attributes.len() > ATTRIBUTES_MAX {
            return Err(match message.attributes.len() {
                ATTRIBUTES_MAX if !self.is_edited => {
                    unfit("it has ten attributes already: there is no room for the mark", Need::NoMark)
                }
                _ => unfit("it has more than ten attributes", Need::OtherEdit),
            });
        }
        let queue = &self.destinations[to].queue;
        let (size, bytes_max) = (outgoing.size_bytes(), queue.message_bytes_max);
        if size > bytes_max {
            let why = format!("it has {size} bytes, and {} takes {bytes_max}", queue.name);
            let need = match (self.is_edited, &self.mark) {
                _ if size <= MESSAGE_BYTES_MAX => Need::Room { queue: queue.name.clone(), bytes: size },
                (false, Some(_)) => Need::NoMark,
                (true, _) | (false, None) => Need::OtherEdit,
            };
            return Err(unfit(&why, need));
        }
        if outgoing.body.is_empty() {
            return Err(unfit("its body is empty", Need::OtherEdit));
        }
        Ok(())
    }

    fn unkeyed(&self, why: &str, to: usize) -> Kept {
        unfit(why, Need::Keys { queue: self.destinations[to].queue.name.clone() })
    }
}

fn unfit(why: &str, need: Need) -> Kept {
    Kept::Unfit { why: Text::line(why), need }
}

/// A value by JSON pointer into the body, or by attribute name.
fn find(message: &Message, key: &str) -> Option<String> {
    if key.starts_with('/') {
        let body: serde_json::Value = serde_json::from_str(&message.body).ok()?;
        return match body.pointer(key)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
    }
    match &message.attributes.get(key)?.payload {
        Payload::Text(text) => Some(text.clone()),
        Payload::Binary(_) => None,
    }
}

/// Group and deduplication ids: at most 128 letters, digits and punctuation marks, no spaces (SendMessage, API reference).
fn valid_id(id: String, what: &str) -> Result<String, Kept> {
    let plain = id.bytes().all(|byte| byte.is_ascii_graphic());
    if !id.is_empty() && id.len() <= ID_CHARACTERS_MAX && plain {
        return Ok(id);
    }
    let why = format!("its {what} id is empty, longer than 128 characters or has a character that SQS does not take");
    Err(unfit(&why, Need::OtherEdit))
}
