//! [`MessageView`]: one message: what became of it, attributes, body.

use std::sync::Arc;

use crate::{
    domain::{EnvironmentName, Message, MessageId, QueueName},
    state::cursor::Cursor,
};

/// The view of one message: that of the letters below it.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageView {
    pub environment: EnvironmentName,
    pub queue: QueueName,
    pub id: MessageId,
    pub message: Arc<Message>,
    pub edited: Option<String>,
    pub scroll: Cursor,
    /// Columns left out at the left.
    pub left: usize,
    pub wrap: bool,
    pub decode: bool,
    pub(crate) document: Document,
}

impl MessageView {
    /// As it is at first: lines are laid out when it is shown.
    pub(crate) fn of(environment: &EnvironmentName, queue: &QueueName, message: Message) -> Self {
        Self {
            environment: environment.clone(),
            queue: queue.clone(),
            id: message.id.clone(),
            message: Arc::new(message),
            edited: None,
            scroll: Cursor::default(),
            left: 0,
            wrap: true,
            decode: false,
            document: Document::default(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) how: How,
    pub(crate) lines: Vec<Line>,
    pub(crate) rows: Vec<Row>,
    pub(crate) encoded: usize,
    /// Columns of the longest line.
    pub(crate) widest: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct How {
    pub(crate) decode: bool,
    pub(crate) wrap: bool,
    pub(crate) columns: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Heading,
    Label,
    Note,
    Key,
    String,
    Number,
    Sign,
}

/// A line: safe text, and where pieces of a kind end in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) pieces: Vec<(Kind, usize)>,
    pub(crate) indent: usize,
}

/// A row of the screen: part of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) indent: usize,
}
