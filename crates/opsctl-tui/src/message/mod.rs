//! One message: what became of it, attributes, body.

mod decode;
mod document;
mod draw;

use std::sync::Arc;

use self::document::Document;
pub(super) use self::draw::draw;
use super::{
    able::{Able, able_to_change},
    effect::Effect,
    event::{Mouse, MouseWhat},
    letters::{self, LettersView},
    list::Cursor,
    model::{Model, View},
    update,
};
use crate::{
    domain::{EnvironmentName, Invocation, Message, MessageId, QueueName, Text, invocation::option},
    keymap::Command,
};

/// Columns that one step to the side goes.
const SIDE_COLUMNS: usize = 16;

/// The view of one message: that of the letters below it.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageView {
    /// Where.
    pub environment: EnvironmentName,
    /// Queue.
    pub queue: QueueName,
    /// Which.
    pub id: MessageId,
    /// The message as it was received.
    pub message: Arc<Message>,
    /// What was made of its body by hand.
    pub edited: Option<String>,
    /// First line shown.
    pub scroll: Cursor,
    /// Columns left out at the left.
    pub left: usize,
    /// Whether long lines are broken.
    pub wrap: bool,
    /// Whether what is encoded is shown decoded.
    pub decode: bool,
    /// The lines, ready to be drawn.
    document: Document,
}

/// Opens the message under the letters' cursor.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(message) = letters::near(model).and_then(under) else { return Vec::new() };
    let Some(letters) = letters::near(model) else { return Vec::new() };
    let view = MessageView {
        environment: letters.environment.clone(),
        queue: letters.queue.clone(),
        id: message.id.clone(),
        message: Arc::new(message),
        edited: None,
        scroll: Cursor::default(),
        left: 0,
        wrap: true,
        decode: false,
        document: Document::default(),
    };
    update::open(model, View::Message(Box::new(view)))
}

fn under(letters: &LettersView) -> Option<Message> {
    letters.letters.shown()?.messages.get(letters.under()?).cloned()
}

/// Lays the lines out anew where something changed: the message, an edit, how it is shown, the width.
pub(super) fn settle(model: &Model, view: &mut MessageView) {
    let edited = model.edits.of(&view.environment, &view.queue, &view.id);
    if edited != view.edited.as_deref() {
        view.edited = edited.map(str::to_owned);
        view.document = Document::default();
    }
    let how = document::How { decode: view.decode, wrap: view.wrap, columns: draw::columns(model.size) };
    if !view.document.is_of(&view.message, how) {
        view.document = Document::of(&view.message, view.edited.as_deref(), how);
    }
    let height = draw::height(model.size);
    view.scroll.top = view.scroll.top.min(view.document.rows().saturating_sub(height));
    view.left = view.left.min(view.document.widest().saturating_sub(1));
}

pub(super) fn able(model: &Model, view: &MessageView, command: Command) -> Able {
    let letters = letters::near(model);
    let at = letters.map_or(0, |letters| letters.cursor.at);
    let rows = letters.map_or(0, |letters| letters.rows.len());
    let change = || model.site(&view.environment).map_or(Able::NotHere, |site| able_to_change(&site.environment));
    match command {
        Command::Down | Command::Up | Command::PageDown | Command::PageUp | Command::HalfPageDown => Able::Yes,
        Command::HalfPageUp | Command::First | Command::Last => Able::Yes,
        Command::Left | Command::Right => Able::when(!view.wrap, "long lines are broken: wrap shows them whole"),
        Command::Next => Able::when(at + 1 < rows, "this is the last message listed"),
        Command::Previous => Able::when(at > 0, "this is the first message listed"),
        Command::Decode => Able::when(view.decode || view.document.encoded() > 0, "nothing in it seems encoded"),
        Command::Copy | Command::CopyCommand | Command::Wrap => Able::Yes,
        Command::Edit | Command::Redrive => change(),
        _ => Able::NotHere,
    }
}

pub(super) fn command(model: &mut Model, command: Command) -> Vec<Effect> {
    let height = draw::height(model.size);
    let invocation = model.invocation();
    let View::Message(view) = model.view_mut() else { return Vec::new() };
    let rows = view.document.rows();
    if view.scroll.glide(command, rows, height) {
        return Vec::new();
    }
    match command {
        Command::Left => view.left = view.left.saturating_sub(SIDE_COLUMNS),
        Command::Right => view.left += SIDE_COLUMNS,
        Command::Wrap => {
            view.wrap = !view.wrap;
            view.left = 0;
        }
        Command::Decode => view.decode = !view.decode,
        Command::Next | Command::Previous => go(model, command),
        Command::Copy => {
            let body = view.edited.as_ref().unwrap_or(&view.message.body);
            return vec![Effect::Copy(Text::capped(body, body.len()).to_string())];
        }
        Command::CopyCommand => return copy_command(view, &invocation),
        Command::Edit => {
            let id = view.id.clone();
            return letters::begin_edit(model, &id);
        }
        Command::Redrive => {
            let id = view.id.clone();
            return letters::begin_with(model, vec![id]);
        }
        _ => {}
    }
    super::observed::settle(model);
    Vec::new()
}

fn copy_command(view: &MessageView, invocation: &Invocation) -> Vec<Effect> {
    let id = view.id.0.replace(['\'', '"', '\\'], "");
    let (queue, filter) = (option("queue", view.queue.as_str()), option("where", &format!(".id == \"{id}\"")));
    let line = invocation.command_in(&view.environment, &format!("peek {queue} --limit 200 {filter} --full"));
    vec![Effect::Copy(Text::line(&line).to_string())]
}

/// Goes to the next message that is listed below, or to the one before.
fn go(model: &mut Model, command: Command) {
    let size = model.size;
    let Some(letters) = letters::near_mut(model) else { return };
    let step = if command == Command::Next { Command::Down } else { Command::Up };
    letters::step_rows(letters, step, size);
    let Some(message) = under(letters) else { return };
    if let View::Message(view) = model.view_mut() {
        view.id = message.id.clone();
        view.message = Arc::new(message);
        view.document = Document::default();
        view.scroll = Cursor::default();
        view.left = 0;
    }
}

pub(super) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let height = draw::height(model.size);
    let View::Message(view) = model.view_mut() else { return Vec::new() };
    if let MouseWhat::Scroll(lines) = mouse.what {
        let last = view.document.rows().saturating_sub(height);
        view.scroll.top = view.scroll.top.saturating_add_signed(isize::from(lines)).min(last);
    }
    Vec::new()
}
