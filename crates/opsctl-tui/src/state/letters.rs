//! [`LettersView`]: a queue's dead letters: failure groups first, then messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    domain::{Envelope, EnvironmentName, Message, MessageId, QueueName, Text},
    messages::Groups,
    operations::Redrive,
    state::{
        cursor::Cursor,
        field::Field,
        ticket::{Load, Ticket},
    },
};

/// Messages looked at, and after each wish for more.
pub(crate) const LOOKS: [usize; 3] = [200, 500, 1_000];

#[derive(Debug, Clone)]
pub struct LettersView {
    pub environment: EnvironmentName,
    pub queue: QueueName,
    pub letters: Load<Letters>,
    /// Messages that the last look asked for at most.
    pub asked: usize,
    pub level: Level,
    /// Where one is among the groups: the first row stands for all messages.
    pub group_cursor: Cursor,
    /// The group whose messages are listed; none: all messages.
    pub group: Option<usize>,
    pub cursor: Cursor,
    /// Messages listed: places in the look.
    pub rows: Vec<usize>,
    /// Messages that were selected; some may not be among those looked at.
    pub selected: BTreeSet<MessageId>,
    /// Whether a look found the last of the selected gone, and no redrive was refused for it yet.
    pub lost_selection: bool,
    pub selected_of: Vec<usize>,
    pub selected_here: usize,
    /// Columns that somebody chose; none: the telling ones.
    pub chosen: Option<Vec<Path>>,
    pub columns: Vec<Place>,
    pub order: Order,
    pub reverse: bool,
    pub filter: Option<Narrow>,
    pub typing: Option<Field>,
    /// Whether all is said of what is under the cursor.
    pub details: bool,
    pub editing: Option<(Ticket, MessageId)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Groups,
    Messages,
}

impl LettersView {
    pub(crate) fn new(environment: &EnvironmentName, queue: &QueueName) -> Self {
        Self {
            environment: environment.clone(),
            queue: queue.clone(),
            letters: Load::Idle,
            asked: LOOKS[0],
            level: Level::Groups,
            group_cursor: Cursor::default(),
            group: None,
            cursor: Cursor::default(),
            rows: Vec::new(),
            selected: BTreeSet::new(),
            lost_selection: false,
            selected_of: Vec::new(),
            selected_here: 0,
            chosen: None,
            columns: Vec::new(),
            order: Order::Arrival,
            reverse: false,
            filter: None,
            typing: None,
            details: false,
            editing: None,
        }
    }

    /// The message under the cursor: its place in the look.
    pub(crate) fn under(&self) -> Option<usize> {
        self.rows.get(self.cursor.at).copied()
    }

    pub(crate) fn more(&self) -> Option<usize> {
        LOOKS.into_iter().find(|messages| *messages > self.asked)
    }
}

/// Messages of a queue that were looked at and put back.
#[derive(Debug, Clone, PartialEq)]
pub struct Letters {
    pub environment: EnvironmentName,
    pub queue: QueueName,
    pub at: Timestamp,
    pub retention_seconds: u64,
    /// Messages, in the order of arrival.
    pub messages: Arc<[Message]>,
    /// Whether these are all that lie in the queue, as far as SQS tells.
    pub is_whole: bool,
    /// What the environment's teams wrap their messages in.
    pub envelopes: Arc<[Envelope]>,
    pub groups: Groups,
    /// The group of each message, an index into `groups.groups`; none for those in groups that are not shown.
    pub group_of: Vec<Option<usize>>,
    pub digest: Arc<Digest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Arrival,
    Age,
    /// Received most often first.
    Receives,
    Group,
    Column(usize),
}

/// What a filter answered on messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tried {
    /// For each message whether it fits; none where the filter failed on it.
    pub fits: Vec<Option<bool>>,
    /// Why it failed on the first of those.
    pub why: Option<String>,
}

impl From<Vec<Option<bool>>> for Tried {
    fn from(fits: Vec<Option<bool>>) -> Self {
        Self { fits, why: None }
    }
}

/// A filter on the messages that were looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Narrow {
    pub text: String,
    pub code: String,
    pub answers: Load<Tried>,
    /// Whether the line closes once it works.
    pub is_whole: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Saving {
    pub(crate) ticket: Ticket,
    pub(crate) environment: EnvironmentName,
    pub(crate) redrive: Redrive,
    pub(crate) files: Vec<File>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    Ids,
    Filter,
    Edit,
}

#[derive(Debug, Clone)]
pub struct Picker {
    pub field: Field,
    pub(crate) offers: Vec<Offer>,
    pub(crate) listed: Vec<usize>,
    pub(crate) chosen: Vec<Path>,
    pub(crate) cursor: Cursor,
}

#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) path: Path,
    pub(crate) title: Text,
    /// Messages that have it, and different values.
    pub(crate) spread: (usize, usize),
    pub(crate) example: Text,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    pub(crate) id: MessageId,
    pub(crate) body: String,
    pub(crate) lines: Vec<Changed>,
    /// What is to be known about the new text.
    pub(crate) warnings: Vec<Text>,
    pub(crate) scroll: Cursor,
    pub(crate) is_keep: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Changed {
    pub(crate) what: What,
    pub(crate) text: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Old,
    New,
    Same,
    /// Lines that are alike and not shown.
    Gap,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Digest {
    /// Each message's line, in the order of the messages.
    pub lines: Vec<Line>,
    /// What can be a column, in the order in which it was found.
    pub places: Vec<Place>,
    /// Whether they come from more than one place.
    pub sources_differ: bool,
    pub has_message_groups: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Body, without what looks like a secret.
    pub preview: Text,
    /// The queue that it died in, or whatever else is known of where it comes from.
    pub source: Text,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    Attribute(String),
    /// A JSON pointer into the body.
    Body(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub path: Path,
    pub title: Text,
    /// Each message's value, in the order of the messages; those at the end may be left out.
    pub values: Vec<Option<Text>>,
    pub look: ValuesLook,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ValuesLook {
    /// Columns of the screen that the longest takes.
    pub longest: usize,
    pub numbers: bool,
    /// Whether any has several words.
    pub words: bool,
}

/// Bodies that were edited, and not yet sent: the new texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits(pub(crate) BTreeMap<(EnvironmentName, QueueName), BTreeMap<MessageId, String>>);

impl Edits {
    pub fn of(&self, environment: &EnvironmentName, queue: &QueueName, id: &MessageId) -> Option<&str> {
        let queue = self.0.get(&(environment.clone(), queue.clone()))?;
        queue.get(id).map(String::as_str)
    }

    pub fn count(&self, environment: &EnvironmentName, queue: &QueueName) -> usize {
        self.0.get(&(environment.clone(), queue.clone())).map_or(0, BTreeMap::len)
    }

    pub(crate) fn ids(&self, environment: &EnvironmentName, queue: &QueueName) -> impl Iterator<Item = &MessageId> {
        self.0.get(&(environment.clone(), queue.clone())).into_iter().flat_map(BTreeMap::keys)
    }

    pub(crate) fn keep(&mut self, environment: &EnvironmentName, queue: &QueueName, id: &MessageId, text: String) {
        self.0.entry((environment.clone(), queue.clone())).or_default().insert(id.clone(), text);
    }

    pub(crate) fn discard(&mut self, environment: &EnvironmentName, queue: &QueueName, id: &MessageId) {
        let place = (environment.clone(), queue.clone());
        if let Some(queue) = self.0.get_mut(&place) {
            queue.remove(id);
            if queue.is_empty() {
                self.0.remove(&place);
            }
        }
    }
}
