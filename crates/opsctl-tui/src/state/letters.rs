//! [`LettersView`]: a queue's dead letters: failure groups first, then messages.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use crate::{
    domain::{EnvironmentName, Message, MessageId, QueueName, Text},
    messages::Groups,
    operations::Redrive,
    state::{
        cursor::Cursor,
        digest::{Digest, Path, Place},
        field::Field,
        ticket::{Load, Ticket},
    },
};

/// Messages looked at, and after each wish for more.
pub(crate) const LOOKS: [usize; 3] = [200, 500, 1_000];

/// The view of a queue's dead letters.
#[derive(Debug, Clone)]
pub struct LettersView {
    pub environment: EnvironmentName,
    pub queue: QueueName,
    /// What a look brought.
    pub letters: Load<Letters>,
    /// Messages that the last look asked for at most.
    pub asked: usize,
    pub level: Level,
    /// Where one is among the groups: the first row stands for all messages.
    pub group_cursor: Cursor,
    /// The group whose messages are listed; none: all messages.
    pub group: Option<usize>,
    /// Where one is among the messages.
    pub cursor: Cursor,
    /// Messages listed: places in the look.
    pub rows: Vec<usize>,
    /// Messages that were selected; some may not be among those looked at.
    pub selected: BTreeSet<MessageId>,
    /// Whether a look found the last of the selected gone, and no redrive was refused for it yet.
    pub lost_selection: bool,
    /// How many of each group are selected.
    pub selected_of: Vec<usize>,
    /// How many of those looked at are selected.
    pub selected_here: usize,
    /// Columns that somebody chose; none: the telling ones.
    pub chosen: Option<Vec<Path>>,
    /// Columns, with their values.
    pub columns: Vec<Place>,
    /// The order of the messages.
    pub order: Order,
    /// Whether it is turned round.
    pub reverse: bool,
    /// The filter, applied or just tried.
    pub filter: Option<Narrow>,
    /// The filter being typed.
    pub typing: Option<Field>,
    /// Whether all is said of what is under the cursor.
    pub details: bool,
    /// The message that is being edited.
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
    /// How long the queue keeps a message.
    pub retention_seconds: u64,
    /// Messages, in the order of arrival.
    pub messages: Arc<[Message]>,
    /// Whether these are all that lie in the queue, as far as SQS tells.
    pub is_whole: bool,
    pub groups: Groups,
    /// The group of each message, an index into `groups.groups`; none for those in groups that are not shown.
    pub group_of: Vec<Option<usize>>,
    /// What lists show of them.
    pub digest: Arc<Digest>,
}

/// The order of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Arrival,
    Age,
    /// Received most often first.
    Receives,
    /// By failure group, largest first.
    Group,
    /// By a column's values.
    Column(usize),
}

/// A filter on the messages that were looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Narrow {
    pub text: String,
    pub code: String,
    /// For each message whether it fits; none where the filter failed on it.
    pub answers: Load<Vec<Option<bool>>>,
    /// Whether the line closes once it works.
    pub is_whole: bool,
}

/// A redrive that waits for its files.
#[derive(Debug, Clone, PartialEq)]
pub struct Saving {
    pub(crate) ticket: Ticket,
    pub(crate) environment: EnvironmentName,
    pub(crate) redrive: Redrive,
    /// What each file is.
    pub(crate) files: Vec<File>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    Ids,
    Filter,
    Edit,
}

/// Which columns messages have.
#[derive(Debug, Clone)]
pub struct Picker {
    pub field: Field,
    /// What can be a column.
    pub(crate) offers: Vec<Offer>,
    /// Those that are listed.
    pub(crate) listed: Vec<usize>,
    /// Columns chosen, in order.
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
