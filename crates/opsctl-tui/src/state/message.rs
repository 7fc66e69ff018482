//! [`MessageView`]: one message: what became of it, attributes, body.

use std::sync::Arc;

use crate::{
    domain::{EnvironmentName, Message, MessageId, QueueName},
    state::{cursor::Cursor, document::Document},
};

/// The view of one message: that of the letters below it.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageView {
    pub environment: EnvironmentName,
    pub queue: QueueName,
    pub id: MessageId,
    /// The message as it was received.
    pub message: Arc<Message>,
    /// What was made of its body by hand.
    pub edited: Option<String>,
    pub scroll: Cursor,
    /// Columns left out at the left.
    pub left: usize,
    /// Whether long lines are broken.
    pub wrap: bool,
    /// Whether what is encoded is shown decoded.
    pub decode: bool,
    /// The lines, ready to be drawn.
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
