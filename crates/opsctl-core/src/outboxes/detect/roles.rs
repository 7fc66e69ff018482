//! What a column is there for, by its name and its type.

use super::{
    catalog::{Column, Sort, Table},
    words::{Sense, Words},
};

/// What a column is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Payload,
    Headers,
    /// Type of the event.
    Kind,
    /// Where it goes.
    Topic,
    /// What keeps events in order with each other.
    Group,
    AggregateType,
    EventId,
    Sequence,
    Status,
    /// A time that is set when a relay has sent the row.
    SentAt,
    /// A time that is set when any worker is done.
    DoneAt,
    /// True when sent.
    SentFlag,
    /// True when any worker is done.
    DoneFlag,
    /// True until sent.
    PendingFlag,
    FailedAt,
    DeadFlag,
    Attempts,
    AttemptsMax,
    LastAttempt,
    Error,
    Due,
    LeaseUntil,
    LeaseSince,
    LeaseOwner,
    /// A claim without a time or a name.
    LeaseFlag,
    Expiry,
    Created,
    /// Created, as events alone are.
    Occurred,
    Updated,
    DeletedAt,
    DeletedFlag,
    Direction,
    Tenant,
    Version,
    /// Says nothing for or against an outbox.
    Plain,
    Received,
    Consumer,
    Actor,
    Money,
    Person,
    Chat,
    Mail,
    Editorial,
    Audit,
    Freight,
    Work,
    Saga,
    Answer,
    Session,
    Watermark,
    Migration,
    Unknown,
}

/// A column, and what it is there for.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    pub(super) column: &'a Column,
    pub(super) role: Role,
    pub(super) words: Words,
}

/// The columns of a table with their roles. Of several that could hold the payload one does.
pub(super) fn parts(table: &Table) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = table
        .columns
        .iter()
        .map(|column| {
            let words = Words::of(&column.name);
            Part { column, role: role(column, &words), words }
        })
        .collect();
    one_payload(&mut parts);
    one_kind(&mut parts);
    parts
}

fn role(column: &Column, words: &Words) -> Role {
    if column.sort.is_time() {
        return time(column, words);
    }
    if let Some(role) = epoch(column, words).or_else(|| switch(column, words)).or_else(|| number(column, words)) {
        return role;
    }
    if let Some(role) = status(column, words).or_else(|| lease_owner(column, words)) {
        return role;
    }
    text(column, words).unwrap_or_else(|| mark(words))
}

fn time(column: &Column, words: &Words) -> Role {
    use Sense::{
        Attempt, Create, Dead, Delete, Doing, Done, Due, Error, Expire, Fail, Last, Lock, Next, Occur, Receive, Send,
        Sent, Start, Until, Update,
    };
    let has = |sense| words.has(sense);
    if has(Last) || words.word(&["attempted", "tried"]) {
        return if has(Update) { Role::Updated } else { Role::LastAttempt };
    }
    if has(Lock) {
        let until = words.any(&[Until, Expire]) || words.word(&["visibility", "invisible", "timeout"]);
        return if until { Role::LeaseUntil } else { Role::LeaseSince };
    }
    if has(Next) || (has(Due) && !has(Sent)) || has(Attempt) || words.is(&["notbefore"]) {
        return Role::Due;
    }
    if has(Until) && words.any(&[Doing, Send]) {
        return Role::LeaseUntil;
    }
    if has(Expire) || words.word(&["valid"]) {
        return Role::Expiry;
    }
    if has(Start) {
        return Role::LeaseSince;
    }
    if has(Receive) && !has(Sent) {
        return Role::Received;
    }
    if words.any(&[Dead, Fail]) {
        return Role::FailedAt;
    }
    if has(Sent) {
        return if column.nullable { Role::SentAt } else { Role::Created };
    }
    if has(Done) {
        return if column.nullable { Role::DoneAt } else { Role::Created };
    }
    if has(Send) || has(Doing) {
        return planned(column, words);
    }
    if has(Error) {
        return Role::LastAttempt;
    }
    for (sense, role) in [(Delete, Role::DeletedAt), (Occur, Role::Occurred), (Update, Role::Updated)] {
        if has(sense) {
            return role;
        }
    }
    if has(Create) || words.only(&[Sense::Time, Sense::Event, Sense::Message]) {
        return Role::Created;
    }
    mark(words)
}

/// `send_at` is when it is to be sent; `send_date` that may be NULL is when it was.
fn planned(column: &Column, words: &Words) -> Role {
    if words.word(&["at", "after", "before"]) && !words.word(&["publication", "delivery", "completion", "execution"]) {
        return Role::Due;
    }
    match (column.nullable, words.has(Sense::Send)) {
        (true, true) => Role::SentAt,
        (true, false) => Role::DoneAt,
        (false, _) => Role::Created,
    }
}

/// A number that is a time: `sent_at_ms`.
fn epoch(column: &Column, words: &Words) -> Option<Role> {
    let names_a_time = words.word(&["at", "time", "timestamp", "ts", "date", "until", "am", "zeit", "le", "em", "en"])
        || words.has(Sense::Epoch);
    let is_number = column.sort == Sort::Integer && !words.any(&[Sense::Count, Sense::Id]);
    let could_be_text =
        column.sort == Sort::Long || matches!(column.sort, Sort::Short(most) if (19..=40).contains(&most));
    let is_text = could_be_text && words.word(&["at", "am", "le", "em", "en"]);
    if !names_a_time || !(is_number || is_text) {
        return None;
    }
    let role = time(column, words);
    (role != Role::Unknown).then_some(role)
}

/// A flag: a boolean, a small number, or one letter, by its name.
fn switch(column: &Column, words: &Words) -> Option<Role> {
    let is_boolean = column.sort == Sort::Boolean;
    let could_be = is_boolean || column.sort.is_integer() || matches!(column.sort, Sort::Short(1..=5));
    let other = [
        Sense::Count,
        Sense::Attempt,
        Sense::Id,
        Sense::Status,
        Sense::Max,
        Sense::By,
        Sense::Version,
        Sense::Sequence,
    ];
    if !could_be || words.any(&other) {
        return None;
    }
    let is_negated = words.word(&["not", "nicht", "non", "nao", "un", "to", "needs", "zu", "a"]);
    if words.has(Sense::Pending) || (is_negated && words.any(&[Sense::Sent, Sense::Send, Sense::Done])) {
        return Some(Role::PendingFlag);
    }
    let found = [
        (Sense::Delete, Role::DeletedFlag),
        (Sense::Fail, Role::DeadFlag),
        (Sense::Dead, Role::DeadFlag),
        (Sense::Sent, Role::SentFlag),
        (Sense::Done, Role::DoneFlag),
        (Sense::Lock, Role::LeaseFlag),
    ];
    let role = found.into_iter().find(|(sense, _)| words.has(*sense)).map(|(_, role)| role);
    let role = role.filter(|role| *role != Role::DeadFlag || column.sort != Sort::Integer);
    role.or_else(|| (is_boolean && words.has(Sense::Doing)).then_some(Role::LeaseFlag))
}

fn number(column: &Column, words: &Words) -> Option<Role> {
    if !column.sort.is_integer() {
        return (column.sort == Sort::Decimal).then_some(if words.has(Sense::Sequence) {
            Role::Sequence
        } else {
            Role::Money
        });
    }
    let counts =
        words.has(Sense::Count) && words.any(&[Sense::Fail, Sense::Error, Sense::Send, Sense::Sent, Sense::Doing]);
    let failures = words.list.len() == 1 && words.word(&["failures", "failure", "errors"]);
    if words.has(Sense::Due) && words.has(Sense::Attempt) {
        return Some(Role::Plain);
    }
    let counts = counts || (words.has(Sense::Count) && words.word(&["read"]));
    if words.has(Sense::Attempt) || counts || failures {
        return Some(if words.has(Sense::Max) { Role::AttemptsMax } else { Role::Attempts });
    }
    if words.is(&["retries"]) {
        return Some(Role::Attempts);
    }
    if words.has(Sense::Version) {
        return Some(Role::Version);
    }
    if words.has(Sense::Sequence) && !words.word(&["order"]) {
        return Some(Role::Sequence);
    }
    None
}

fn status(column: &Column, words: &Words) -> Option<Role> {
    use Sense::{Answer, Error, Id, Message, Name, Payload, Saga, Status, Type};
    let could_be = column.sort.is_integer()
        || matches!(column.sort, Sort::Enum | Sort::Short(_) | Sort::Long | Sort::Other)
        || (column.sort == Sort::Boolean);
    if !could_be || !words.has(Status) || words.has(Id) {
        return None;
    }
    if words.any(&[Answer]) || (words.word(&["code"]) && column.sort.is_integer()) {
        return Some(Role::Answer);
    }
    if words.any(&[Error]) || (words.any(&[Message, Payload]) && !words.any(&[Type, Name]) && column.sort == Sort::Long)
    {
        return Some(Role::Error);
    }
    if words.has(Saga) || words.word(&["current"]) {
        return Some(Role::Saga);
    }
    Some(Role::Status)
}

fn lease_owner(column: &Column, words: &Words) -> Option<Role> {
    let could_be = column.sort.is_text() || column.sort.is_integer() || column.sort == Sort::Uuid;
    let names_holder = words.has(Sense::Lock) && (words.any(&[Sense::By, Sense::Id]) || words.list.len() == 1);
    let names_worker = words.any(&[Sense::By, Sense::Doing])
        && words.word(&["worker", "instance", "processor", "node", "relay", "pod", "processing"])
        && words.any(&[Sense::Id, Sense::By]);
    (could_be && (names_holder || names_worker)).then_some(Role::LeaseOwner)
}

fn text(column: &Column, words: &Words) -> Option<Role> {
    use Sense::{Aggregate, Error, Event, Group, Header, Id, Key, Message, Name, Payload, Stream, Topic, Type};
    let has = |sense| words.has(sense);
    let is_text = column.sort.is_text() || matches!(column.sort, Sort::Enum | Sort::Other);
    let is_document = column.sort.holds_documents();
    if (has(Error) || (has(Sense::Fail) && !column.sort.is_integer())) && (is_text || is_document) {
        return Some(Role::Error);
    }
    if has(Header) && !has(Id) {
        return Some(Role::Headers);
    }
    if has(Sense::Direction) {
        return Some(Role::Direction);
    }
    if has(Sense::Tenant) {
        return Some(Role::Tenant);
    }
    if has(Aggregate) || (has(Stream) && !has(Sense::Version)) {
        return Some(if words.any(&[Type, Name]) && !has(Id) { Role::AggregateType } else { Role::Group });
    }
    if words.word(&["content", "mime", "media", "contenttype"]) && has(Type) {
        return Some(Role::Plain);
    }
    let of_event = words.only(&[Type, Name, Event, Message, Topic, Payload])
        || (has(Type) && words.any(&[Sense::Outbox, Event, Message]))
        || (has(Type) && words.word(&["record", "entry", "item"]));
    if words.any(&[Type, Name]) && of_event && (is_text || (column.sort.is_integer() && words.any(&[Event, Message]))) {
        return Some(Role::Kind);
    }
    if words.is(&["subject", "subjects"]) {
        return Some(Role::Topic);
    }
    if has(Topic) && (is_text || words.has(Type)) && !has(Sense::Actor) {
        return Some(Role::Topic);
    }
    if words.only(&[Event, Message, Id, Sense::Outbox]) && has(Id) && words.any(&[Event, Message]) {
        return Some(Role::EventId);
    }
    if (has(Group) && words.any(&[Key, Id]))
        || words.is(&["key", "schluessel", "cle", "chave", "clave", "chiave", "sleutel", "bucket", "partition"])
        || (has(Key) && words.any(&[Message, Event, Group, Topic, Sense::Plain, Sense::Sequence]))
        || (has(Sense::Sequence) && has(Key))
    {
        return Some(if words.word(&["idempotency", "dedup", "deduplication"]) { Role::Plain } else { Role::Group });
    }
    if is_document
        && words.any(&[Payload, Event, Message])
        && !words.any(&[Sense::Answer, Sense::Audit, Sense::Session])
    {
        return Some(Role::Payload);
    }
    if words.only(&[Event, Message]) && is_text {
        return Some(Role::Kind);
    }
    if column.sort == Sort::Json && !words.is_known() {
        return Some(Role::Payload);
    }
    None
}

/// What the words alone tell of a column that no relay needs.
fn mark(words: &Words) -> Role {
    use Sense::{
        Actor, Answer, Audit, Chat, Consumer, Editorial, Freight, Id, Inbox, Mail, Migration, Money, Person, Plain,
        Receive, Saga, Session, Version, Watermark, Work,
    };
    let marks = [
        (Receive, Role::Received),
        (Inbox, Role::Received),
        (Consumer, Role::Consumer),
        (Saga, Role::Saga),
        (Money, Role::Money),
        (Mail, Role::Mail),
        (Chat, Role::Chat),
        (Editorial, Role::Editorial),
        (Answer, Role::Answer),
        (Freight, Role::Freight),
        (Audit, Role::Audit),
        (Actor, Role::Actor),
        (Person, Role::Person),
        (Session, Role::Session),
        (Watermark, Role::Watermark),
        (Migration, Role::Migration),
        (Version, Role::Version),
        (Work, Role::Work),
    ];
    // What is said of the message on its way says nothing about what the table is for.
    if words.has(Plain) && !words.any(&[Receive, Money, Actor]) {
        return Role::Plain;
    }
    if words.is(&["id", "uuid", "guid", "nummer"]) || words.only(&[Id]) {
        return Role::Plain;
    }
    let found = marks.into_iter().find(|(sense, _)| words.has(*sense)).map(|(_, role)| role);
    found.unwrap_or(Role::Unknown)
}

/// The best of several payloads stays one: a document before a text, the plainest name first.
fn one_payload(parts: &mut [Part<'_>]) {
    let rank = |part: &Part<'_>| {
        let sort = if part.column.sort == Sort::Json { 0 } else { 1 };
        let name = if part.words.word(&["payload", "body", "nutzlast", "content"]) { 0 } else { 1 };
        (name, sort)
    };
    let best = parts.iter().enumerate().filter(|(_, part)| part.role == Role::Payload);
    let best = best.min_by_key(|(_, part)| rank(part)).map(|(place, _)| place);
    for (place, part) in parts.iter_mut().enumerate() {
        if part.role == Role::Payload && Some(place) != best {
            part.role = Role::Plain;
        }
    }
}

/// `event_type` before `type` before `name`; the others are plain.
fn one_kind(parts: &mut [Part<'_>]) {
    let rank = |part: &Part<'_>| {
        let of_event = part.words.any(&[Sense::Event, Sense::Message]);
        let is_type = part.words.has(Sense::Type);
        match (of_event, is_type) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        }
    };
    let best = parts.iter().enumerate().filter(|(_, part)| part.role == Role::Kind);
    let best = best.min_by_key(|(_, part)| rank(part)).map(|(place, _)| place);
    for (place, part) in parts.iter_mut().enumerate() {
        if part.role == Role::Kind && Some(place) != best {
            part.role = Role::Plain;
        }
    }
}
