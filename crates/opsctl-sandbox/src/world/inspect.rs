//! The way in for fixtures, actors and tests: create, put, take, remove, look, all without a protocol.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    ApiError, Attribute, Caller, Counts, Id, Place, SequenceNumber, State, Totals, Went, World,
    call::Call,
    sqs::message::{Extras, Message},
};

/// A message to put right into a queue, whatever its past.
#[derive(Debug, Clone, Default)]
pub struct PutMessage {
    pub body: String,
    pub attributes: Vec<Attribute>,
    /// Message group; FIFO queues need one.
    pub group: Option<String>,
    /// Deduplication id. Unlike a send, a put is never dropped as a duplicate.
    pub deduplication_id: Option<String>,
    pub trace_header: Option<String>,
    /// When it was sent; none: now.
    pub sent_at: Option<Timestamp>,
    pub receive_count: u32,
    /// ARN of the queue that SQS moved it from.
    pub dead_letter_source: Option<String>,
}

impl PutMessage {
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }
}

#[derive(Debug, Clone)]
pub struct Taken {
    pub id: Id,
    pub receipt_handle: String,
    pub body: Box<str>,
    pub attributes: Vec<Attribute>,
    /// How often it was received, this time included.
    pub receive_count: u32,
    pub group: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    pub id: Id,
    pub body: &'a str,
    pub attributes: &'a [Attribute],
    pub group: Option<&'a str>,
    pub deduplication_id: Option<&'a str>,
    pub trace_header: Option<&'a str>,
    /// ARN of the queue that SQS moved it from.
    pub dead_letter_source: Option<&'a str>,
    /// Visible, in flight or delayed.
    pub state: State,
    /// How often it was received; spans queues.
    pub receive_count: u32,
    pub sent_at: Timestamp,
    pub sequence: SequenceNumber,
}

#[derive(Debug, Clone)]
pub struct QueueView<'a> {
    pub name: &'a str,
    pub arn: &'a str,
    pub counts: Counts,
    pub totals: Totals,
    pub tags: &'a BTreeMap<String, String>,
    pub is_fifo: bool,
}

impl World {
    /// Creates a queue; finds it where it exists with these attributes. Answers its ARN.
    pub fn create(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        name: &str,
        attributes: &[(&str, &str)],
    ) -> Result<String, ApiError> {
        let now = self.advance(now);
        let call = Call { caller, access_key: "", action: "CreateQueue", now, poll_until: None };
        let queue = self.create_or_find(call, name, attributes.iter().copied(), BTreeMap::new())?;
        Ok(self.queue(queue).arn.to_string())
    }

    pub fn tag(&mut self, caller: &Caller, queue: &str, key: &str, value: &str) -> Result<(), ApiError> {
        let number = self.number(caller, queue)?;
        self.queue_mut(number).tags.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Puts a message into a queue, with the past that it says. Not counted by faults, not refused by size or delay.
    pub fn put(&mut self, now: Timestamp, caller: &Caller, queue: &str, message: PutMessage) -> Result<Id, ApiError> {
        let now = self.advance(now);
        let number = self.number(caller, queue)?;
        let PutMessage {
            body,
            attributes,
            group,
            deduplication_id,
            trace_header,
            sent_at,
            receive_count,
            dead_letter_source,
        } = message;
        let is_fifo = self.queue(number).settings.is_fifo;
        if is_fifo && group.is_none() {
            return Err(ApiError::missing_parameter("MessageGroupId"));
        }
        let id = Id::random(&mut self.rng);
        let extras = Extras {
            attributes: attributes.into(),
            group: group.map(Into::into),
            deduplication_id: deduplication_id.map(Into::into).or_else(|| is_fifo.then(|| id.to_string().into())),
            trace_header: trace_header.map(Into::into),
            dead_letter_source: dead_letter_source.map(Into::into),
        };
        let sent_at = sent_at.map_or(now, Timestamp::as_millisecond);
        let sender = self.sender(&caller.account, "");
        let mut message = Message::new(id, body.into(), extras, sender, sent_at);
        message.receive_count = receive_count;
        message.first_received_at = (receive_count > 0).then_some(sent_at);
        let place = self.next_place();
        self.queue_mut(number).put(message, place);
        self.settle(number);
        Ok(id)
    }

    /// Takes messages as a consumer does; hidden for `visibility_seconds`, or as long as the queue says.
    /// Messages received too often go to the dead-letter queue on the way.
    pub fn take(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        queue: &str,
        messages_max: usize,
        visibility_seconds: Option<i64>,
    ) -> Result<Vec<Taken>, ApiError> {
        let now = self.advance(now);
        let number = self.number(caller, queue)?;
        let visibility_seconds = visibility_seconds.unwrap_or(self.queue(number).settings.visibility_seconds);
        let deliveries = self.take_deliveries(now, number, messages_max, visibility_seconds, 20)?;
        Ok(self.taken(number, &deliveries))
    }

    /// Deletes a message that was taken.
    pub fn remove(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        queue: &str,
        receipt_handle: &str,
    ) -> Result<(), ApiError> {
        self.delete_taken(now, (caller, queue), receipt_handle, Went::Deleted)
    }

    /// The same by a consumer that has worked it off.
    pub fn finish(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        queue: &str,
        receipt_handle: &str,
    ) -> Result<(), ApiError> {
        self.delete_taken(now, (caller, queue), receipt_handle, Went::Done)
    }

    fn delete_taken(
        &mut self,
        now: Timestamp,
        (caller, queue): (&Caller, &str),
        receipt_handle: &str,
        went: Went,
    ) -> Result<(), ApiError> {
        self.advance(now);
        let number = self.number(caller, queue)?;
        let handle = self.handle(receipt_handle);
        let result = self.queue_mut(number).delete(receipt_handle, handle, (Place::Call, went));
        self.settle(number);
        result
    }

    /// Sets when a taken message becomes visible again, seconds from now.
    pub fn hide(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        queue: &str,
        receipt_handle: &str,
        seconds: i64,
    ) -> Result<(), ApiError> {
        let now = self.advance(now);
        let number = self.number(caller, queue)?;
        let handle = self.handle(receipt_handle);
        let result = self.queue_mut(number).change_visibility(now, receipt_handle, handle, seconds, Place::Call);
        self.settle(number);
        result
    }

    /// All messages of a queue, in no order; empty where there is no such queue.
    pub fn messages(&self, account: &str, region: &str, queue: &str) -> impl Iterator<Item = MessageView<'_>> {
        let queue = self.find(account, region, queue).map(|number| self.queue(number));
        queue.into_iter().flat_map(|queue| queue.store.iter()).map(view)
    }

    pub fn queue_view(&self, account: &str, region: &str, queue: &str) -> Option<QueueView<'_>> {
        self.find(account, region, queue).map(|number| self.queue(number).view())
    }

    /// All queues of an account in a region, by name.
    pub fn queue_views(&self, account: &str, region: &str) -> impl Iterator<Item = QueueView<'_>> {
        let numbers = self.region(account, region).into_iter().flat_map(|region| region.queues.values());
        numbers.map(|&number| self.queue(number).view())
    }

    /// Accounts and regions in which there ever was a queue.
    pub fn places(&self) -> Vec<(String, String)> {
        let pairs =
            self.regions.iter().flat_map(|(account, regions)| regions.keys().map(move |region| (account, region)));
        let mut places: Vec<_> = pairs.map(|(account, region)| (account.to_string(), region.to_string())).collect();
        places.sort();
        places
    }

    fn number(&self, caller: &Caller, queue: &str) -> Result<u32, ApiError> {
        self.find(&caller.account, &caller.region, queue).ok_or_else(ApiError::no_such_queue)
    }
}

fn view(message: &Message) -> MessageView<'_> {
    MessageView {
        id: message.id,
        body: &message.body,
        attributes: message.attributes(),
        group: message.group(),
        deduplication_id: message.deduplication_id(),
        trace_header: message.trace_header(),
        dead_letter_source: message.dead_letter_source().map(|arn| &**arn),
        state: message.state,
        receive_count: message.receive_count,
        sent_at: Timestamp::from_millisecond(message.sent_at).unwrap_or(Timestamp::MIN),
        sequence: message.sequence,
    }
}
