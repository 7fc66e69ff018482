//! Whether a table is an outbox, or only looks like one.

use super::{
    Confidence,
    catalog::Sort,
    facts::Facts,
    roles::{Part, Role},
    shape::{Shape, Shaped},
    words::Sense,
};

pub(super) enum Judgement {
    Outbox {
        confidence: Confidence,
        evidence: Vec<String>,
        /// Why it may be something else.
        doubts: Vec<String>,
    },
    Not {
        because: String,
        /// Whether it comes close enough to be worth a line.
        is_close: bool,
    },
}

fn not(because: &str) -> Option<Judgement> {
    Some(Judgement::Not { because: because.to_owned(), is_close: true })
}

/// Points for what a table that is published from has, and for what a relay needs in it.
struct Points {
    publishing: u32,
    relay: u32,
    evidence: Vec<String>,
}

pub(super) fn judge(facts: &Facts<'_>, shaped: Option<&Shaped>) -> Judgement {
    let has_body = facts.has(Role::Payload) || body_elsewhere(facts).is_some();
    if !has_body && !facts.is_named_outbox() && !is_a_pointer(facts, shaped) {
        let because = "it has no payload: no column holds a document, bytes or a long text".to_owned();
        return Judgement::Not { because, is_close: false };
    }
    let is_event = facts.count(&[Role::Kind, Role::Topic, Role::Group]) > 0;
    if !has_body && !is_event {
        let because = "it has no payload, and nothing names an event or what it is about".to_owned();
        return Judgement::Not { because, is_close: true };
    }
    if let Some(judgement) = something_else(facts, shaped) {
        return judgement;
    }
    let Some(shaped) = shaped else {
        let because = "no column says whether a row was published, and nothing shows that a relay claims rows";
        return Judgement::Not { because: because.to_owned(), is_close: true };
    };
    let mut doubts = doubts(facts, shaped);
    if !has_body {
        doubts.push("it has no payload".to_owned());
    }
    let points = points(facts, shaped);
    let (publishing, relay) = (points.publishing, points.relay);
    if doubts.is_empty() {
        doubts.extend(unsure(facts, shaped).map(str::to_owned));
    }
    let is_likely = publishing >= 5 || (publishing >= 4 && relay >= 1) || (publishing >= 3 && relay >= 2);
    let confidence = if !doubts.is_empty() || !is_likely {
        if publishing + relay < 2 || (relay == 0 && !is_of_events(facts)) {
            let because = "it has a payload and a state, and nothing of an event or of a relay".to_owned();
            return Judgement::Not { because, is_close: true };
        }
        Confidence::Doubtful
    } else if publishing >= 6 && relay >= 2 && shaped.open.is_empty() && shaped.questions.is_empty() {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    if confidence == Confidence::Doubtful && doubts.is_empty() {
        doubts.push("little in it is of an event or of a relay: an inbox or a queue of jobs looks the same".to_owned());
    }
    Judgement::Outbox { confidence, evidence: points.evidence, doubts }
}

/// Whether anything but the payload and the state is of an event.
fn is_of_events(facts: &Facts<'_>) -> bool {
    let typed =
        facts.first(Role::Kind).is_some_and(|part| part.words.any(&[Sense::Event, Sense::Message, Sense::Type]));
    let roles = [Role::Topic, Role::Group, Role::AggregateType, Role::Headers, Role::Occurred];
    typed || facts.count(&roles) > 0 || facts.is_named_outbox() || facts.name.any(&[Sense::Event, Sense::Message])
}

/// Whether a name says that events go out of here.
fn is_named_for_events(facts: &Facts<'_>) -> bool {
    let of_domain = facts.name.word(&["domain", "integration", "unpublished"]);
    facts.is_named_outbox() || (of_domain && facts.name.any(&[Sense::Event, Sense::Message]))
}

/// What looks the same in an outbox and in something else.
fn unsure(facts: &Facts<'_>, shaped: &Shaped) -> Option<&'static str> {
    let named = is_named_for_events(facts);
    let is_present = shaped.shape == Shape::Present;
    if is_present && !shaped.open.is_empty() {
        return Some("no column says whether a row was published: a plain log of events looks the same");
    }
    let goes_out = facts.first(Role::Kind).is_some_and(|part| part.words.any(&[Sense::Event, Sense::Message]))
        || facts.first(Role::Topic).is_some_and(|part| {
            part.words.word(&["exchange", "routing", "topic", "destination", "topico", "thema", "ziel", "bestemming"])
        });
    if is_present && !named && !goes_out {
        return Some("a queue of jobs looks the same");
    }
    if !is_present && !shaped.is_sent && !named {
        return Some("its state says done, not sent: an inbox or a queue of jobs looks the same");
    }
    if !named && !is_of_events(facts) {
        return Some("nothing in it is of an event");
    }
    None
}

/// A row that only points to an aggregate and is published when it is looked at.
fn is_a_pointer(facts: &Facts<'_>, shaped: Option<&Shaped>) -> bool {
    shaped.is_some_and(|shaped| shaped.is_sent) && facts.has(Role::Kind) && facts.has(Role::Group)
}

/// A table that holds the payload: what one foreign key points to, where the payload is not in this one.
pub(super) fn body_elsewhere<'a>(facts: &'a Facts<'_>) -> Option<&'a super::catalog::ForeignKey> {
    if facts.has(Role::Payload) {
        return None;
    }
    let is_of_event = |key: &&super::catalog::ForeignKey| {
        let words = key.columns.first().map(|column| super::words::Words::of(column));
        key.columns.len() == 1 && words.is_some_and(|words| words.any(&[Sense::Event, Sense::Message]))
    };
    facts.table.foreign_keys.iter().find(is_of_event)
}

/// Tables that only look alike. None: it may be an outbox.
fn something_else(facts: &Facts<'_>, shaped: Option<&Shaped>) -> Option<Judgement> {
    let named = facts.is_named_outbox();
    let count = |role| facts.count(&[role]);
    let waits = shaped.is_some_and(|shaped| shaped.shape != Shape::Present);
    if facts.name.has(Sense::Dead) && !(named && waits) {
        return not("by its name it holds what was given up");
    }
    if facts.first(Role::FailedAt).is_some_and(|part| !part.column.nullable) {
        return not("each of its rows has failed: dead letters");
    }
    if let Some(because) = inbox(facts, shaped) {
        return not(because);
    }
    if facts.name.has(Sense::Saga) || count(Role::Saga) > 0 {
        return not("it is the state of a saga or a workflow");
    }
    if shaped.is_none() && is_event_store(facts) {
        return not("it is an event store: each event has a version of its stream, and none a publish state");
    }
    if named {
        return None;
    }
    if count(Role::Money) > 0 {
        return not("it holds amounts: a business table with a status");
    }
    if shaped.is_some_and(|shaped| shaped.has_business) {
        return not("its states are those of a business table");
    }
    let relay = is_relayed(facts);
    if count(Role::Editorial) >= 2 || (count(Role::Editorial) == 1 && !relay) {
        return not("it holds what people write and publish themselves");
    }
    if count(Role::Chat) >= 2 || (count(Role::Chat) == 1 && !relay) {
        return not("it holds messages between people");
    }
    let is_sent = shaped.is_some_and(|shaped| shaped.is_sent);
    let audited = count(Role::Audit) >= 2 || (count(Role::Audit) >= 1 && count(Role::Actor) >= 1);
    if (audited || (facts.name.has(Sense::Log) && !relay)) && !(is_sent && relay) {
        return not("it is a record of who did what");
    }
    if count(Role::Session) >= 1 || count(Role::Migration) >= 2 {
        return not("it holds sessions, or what was migrated");
    }
    if count(Role::Answer) >= 1 && !(shaped.is_some() && relay) {
        return not("it keeps answers to requests, and nothing that is still to be sent");
    }
    if count(Role::Person) + count(Role::Freight) >= 3 || facts.foreign_keys() >= 2 {
        return not("it is a business table: it points to others, or describes people or goods");
    }
    if facts.name.has(Sense::Archive) && shaped.is_none() {
        return not("it is an archive");
    }
    let (own, foreign) = (core(facts), facts.count(&[Role::Unknown, Role::Person, Role::Freight, Role::Work]));
    if foreign >= 4 && foreign * 2 > own {
        return not("most of its columns are about something else than an event");
    }
    None
}

/// Whether a relay or another worker leaves traces in it.
fn is_relayed(facts: &Facts<'_>) -> bool {
    let traces = [
        Role::Attempts,
        Role::Due,
        Role::LeaseUntil,
        Role::LeaseSince,
        Role::LeaseOwner,
        Role::Error,
        Role::LastAttempt,
    ];
    facts.count(&traces) > 0
}

fn inbox(facts: &Facts<'_>, shaped: Option<&Shaped>) -> Option<&'static str> {
    let name = &facts.name;
    if name.has(Sense::Outbox) {
        return None;
    }
    if name.any(&[Sense::Inbox, Sense::Receive]) {
        return Some("by its name it is an inbox: events that came in");
    }
    let by_name = name.any(&[Sense::Done]) && name.any(&[Sense::Event, Sense::Message]);
    let is_sent = shaped.is_some_and(|shaped| shaped.is_sent);
    if by_name && !is_sent {
        return Some("by its name it keeps which messages were handled");
    }
    if facts.has(Role::Received) && !is_sent {
        return Some("it keeps when a message came in: an inbox");
    }
    let consumer =
        |name: &String| facts.parts.iter().any(|part| part.role == Role::Consumer && part.column.name == *name);
    if facts.table.unique().any(|columns| columns.iter().any(consumer)) || (facts.has(Role::Consumer) && !is_sent) {
        return Some("each row is one consumer's: an inbox");
    }
    None
}

fn is_event_store(facts: &Facts<'_>) -> bool {
    let role = |name: &String| facts.parts.iter().find(|part| part.column.name == *name).map(|part| part.role);
    let is_numbered = |columns: &[String]| {
        let roles: Vec<Role> = columns.iter().filter_map(role).collect();
        roles.iter().any(|role| matches!(role, Role::Group | Role::AggregateType | Role::Plain))
            && roles.iter().any(|role| matches!(role, Role::Version | Role::Sequence))
    };
    facts.table.unique().any(is_numbered) || (facts.has(Role::Group) && facts.has(Role::Version))
}

fn doubts(facts: &Facts<'_>, shaped: &Shaped) -> Vec<String> {
    let mut doubts = Vec::new();
    let named = facts.is_named_outbox();
    let count = |role| facts.count(&[role]);
    if is_event_store(facts) && !named {
        doubts.push("it is unique by stream and version, as an event store is".to_owned());
    }
    if facts.name.has(Sense::Dead) {
        doubts.push("by its name it holds what was given up".to_owned());
    }
    if count(Role::Person) > 0 && !named {
        doubts.push("it is about people".to_owned());
    }
    if count(Role::Mail) > 0 || (facts.name.has(Sense::Mail) && !named) {
        doubts.push("it looks like a queue of emails or notifications".to_owned());
    }
    if count(Role::Answer) > 0 {
        doubts.push("it keeps answers to requests, as deliveries of webhooks do".to_owned());
    }
    if (facts.name.has(Sense::Work) || count(Role::Work) > 0) && !named {
        doubts.push("it looks like a queue of jobs".to_owned());
    }
    if (count(Role::Money) > 0 || shaped.has_business) && named {
        doubts.push("it holds amounts or business states".to_owned());
    }
    if count(Role::Consumer) > 0 {
        doubts.push("it names consumers, as an inbox does".to_owned());
    }
    if count(Role::Received) > 0 {
        doubts.push("it keeps when something came in, as an inbox does".to_owned());
    }
    if count(Role::Actor) > 0 && !named && !facts.has(Role::Group) {
        doubts.push("it is about what users do".to_owned());
    }
    let keys = facts.foreign_keys();
    if keys > 0 && !named && body_elsewhere(facts).is_none() {
        doubts.push("a foreign key points to another table".to_owned());
    }
    if facts.name.any(&[Sense::Archive]) {
        doubts.push("by its name it is an archive".to_owned());
    }
    if count(Role::Editorial) + count(Role::Chat) > 0 && !named {
        doubts.push("it may hold what people write to each other".to_owned());
    }
    doubts
}

fn points(facts: &Facts<'_>, shaped: &Shaped) -> Points {
    let mut points = Points { publishing: 0, relay: 0, evidence: shaped.evidence.clone() };
    let mut add = |more: u32, words: String| {
        points.publishing += more;
        points.evidence.push(words);
    };
    if facts.is_named_outbox() {
        add(3, "its name or its comment says that it is an outbox".to_owned());
    } else if facts.name.any(&[Sense::Event, Sense::Message]) {
        let of_domain = facts.name.word(&["domain", "integration", "outgoing", "unpublished"]);
        add(if of_domain { 2 } else { 1 }, "it is named after events or messages".to_owned());
    }
    let name = |part: &Part<'_>| part.column.name.clone();
    if let Some(part) = facts.first(Role::Payload) {
        let is_plain =
            part.words.word(&["payload", "body", "event", "message", "envelope", "value", "content", "nutzlast"])
                || matches!(part.column.sort, Sort::Json | Sort::Bytes);
        add(u32::from(is_plain), format!("{} ({}) holds the event", name(part), part.column.sql_type));
    }
    if let Some(part) = facts.first(Role::Kind) {
        let of_event = part.words.any(&[Sense::Event, Sense::Message]);
        let is_type = part.words.has(Sense::Type);
        add(if of_event { 2 } else { u32::from(is_type) }, format!("{} is the type of the event", name(part)));
    }
    for (role, more, words) in [
        (Role::Topic, 2, "says where it goes"),
        (Role::Group, 1, "keeps events in order"),
        (Role::AggregateType, 1, "is the type of an aggregate"),
        (Role::Headers, 1, "holds headers"),
        (Role::Occurred, 2, "says when the event happened"),
    ] {
        if let Some(part) = facts.first(role) {
            add(more, format!("{} {words}", name(part)));
        }
    }
    points.publishing += if shaped.is_sent { 2 } else { 0 };
    relay_points(facts, shaped, &mut points);
    points
}

fn relay_points(facts: &Facts<'_>, shaped: &Shaped, points: &mut Points) {
    for (roles, words) in [
        (&[Role::Attempts][..], "counts attempts"),
        (&[Role::Error], "holds the last error"),
        (&[Role::Due], "says when a row is due"),
        (&[Role::LeaseUntil, Role::LeaseSince, Role::LeaseOwner, Role::LeaseFlag], "says who has claimed a row"),
        (&[Role::FailedAt, Role::DeadFlag], "says that a row was given up"),
    ] {
        let found = facts.parts.iter().find(|part| roles.contains(&part.role));
        if let Some(part) = found {
            points.relay += 1;
            points.evidence.push(format!("{} {words}", part.column.name));
        }
    }
    points.relay += if shaped.is_indexed { 2 } else { 0 };
}

/// Columns that an outbox has.
fn core(facts: &Facts<'_>) -> usize {
    let roles = [
        Role::Payload,
        Role::Headers,
        Role::Kind,
        Role::Topic,
        Role::Group,
        Role::AggregateType,
        Role::EventId,
        Role::Status,
        Role::SentAt,
        Role::DoneAt,
        Role::SentFlag,
        Role::DoneFlag,
        Role::PendingFlag,
        Role::Attempts,
        Role::Error,
        Role::Due,
        Role::LeaseUntil,
        Role::LeaseSince,
        Role::LeaseOwner,
        Role::Created,
        Role::Occurred,
        Role::FailedAt,
        Role::DeadFlag,
        Role::AttemptsMax,
    ];
    facts.count(&roles)
}

/// Rows that are gone once they are sent: nothing in a row says so, but a relay claims rows or tries them.
pub(super) fn present(facts: &Facts<'_>) -> Option<Shaped> {
    let kinds = [
        &[Role::LeaseUntil, Role::LeaseSince, Role::LeaseOwner, Role::LeaseFlag][..],
        &[Role::Attempts],
        &[Role::Due],
        &[Role::Error],
        &[Role::FailedAt, Role::DeadFlag],
    ];
    let traces = kinds.iter().filter(|roles| facts.count(roles) > 0).count();
    let is_claimed = kinds.iter().take(3).any(|roles| facts.count(roles) > 0);
    let is_event = facts.has(Role::Kind) || facts.has(Role::Topic) || facts.has(Role::Group);
    let named = facts.is_named_outbox();
    if !facts.has(Role::Payload) || !(is_event || named) || ((traces < 2 || !is_claimed) && !named) {
        return None;
    }
    let mut shaped = Shaped {
        shape: Shape::Present,
        evidence: vec!["no column says that a row was published".to_owned()],
        open: Vec::new(),
        questions: Vec::new(),
        is_sent: false,
        is_indexed: false,
        published_at: None,
        has_business: false,
    };
    let question = "are rows deleted once they are sent?";
    if traces == 0 {
        let other = "does a relay delete rows once they are sent (present = true), or is it read from the database's log (cdc = {})?";
        shaped.open.push(other.to_owned());
    } else {
        shaped.questions.push(question.to_owned());
    }
    Some(shaped)
}
