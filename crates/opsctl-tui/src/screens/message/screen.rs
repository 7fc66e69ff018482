//! One message: what became of it, attributes, body.

use std::sync::Arc;

use ratatui::{Frame, layout::Rect};

use crate::{
    domain::{EnvironmentName, Invocation, Message, Text, invocation::option},
    keymap::{Command, Scope},
    observe::Focus,
    operations::OperationKind,
    screens::{
        letters::{
            choose::{Take, begin_taking},
            edits::edit_below,
            rows::step_rows,
        },
        message::draw,
        screen::{Able, Screen, able_to_change, moves},
    },
    state::{
        Cursor, Effect, LettersView, MessageView, Model, Mouse, MouseWhat,
        message::{Document, How},
    },
};

const SIDE_COLUMNS: usize = 16;

impl Screen for MessageView {
    fn scope(&self) -> Scope {
        Scope::Message
    }

    fn wanted(&self) -> &'static [Command] {
        &[
            Command::Next,
            Command::Previous,
            Command::Edit,
            Command::Copy,
            Command::Wrap,
            Command::Operate(OperationKind::Redrive),
        ]
    }

    /// Lays the lines out anew where something changed: the message, an edit, how it is shown, the width.
    fn settle(&mut self, model: &Model) {
        let edited = model.edits.of(&self.environment, &self.queue, &self.id);
        if edited != self.edited.as_deref() {
            self.edited = edited.map(str::to_owned);
            self.document = Document::default();
        }
        let how = How { decode: self.decode, wrap: self.wrap, columns: draw::columns(model.size) };
        if !self.document.is_of(&self.message, how) {
            self.document = Document::of(&self.message, self.edited.as_deref(), how);
        }
        let height = draw::height(model.size);
        self.scroll.top = self.scroll.top.min(self.document.rows.len().saturating_sub(height));
        self.left = self.left.min(self.document.widest.saturating_sub(1));
    }

    fn focus(&self, _: &Model) -> Focus {
        Focus { queues: vec![(self.environment.clone(), self.queue.clone())], ..Focus::default() }
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        let letters = model.letters();
        let at = letters.map_or(0, |letters| letters.cursor.at);
        let rows = letters.map_or(0, |letters| letters.rows.len());
        match command {
            command if moves(command) => Able::Yes,
            Command::Left | Command::Right => Able::when(!self.wrap, "long lines are broken: wrap shows them whole"),
            Command::Next => Able::when(at + 1 < rows, "this is the last message listed"),
            Command::Previous => Able::when(at > 0, "this is the first message listed"),
            Command::Decode => Able::when(self.decode || self.document.encoded > 0, "nothing in it seems encoded"),
            Command::Copy | Command::CopyCommand | Command::Wrap => Able::Yes,
            Command::Edit | Command::Operate(OperationKind::Redrive) => {
                model.site(&self.environment).map_or(Able::NotHere, |site| able_to_change(&site.environment))
            }
            _ => Able::NotHere,
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        if self.scroll.glide(command, self.document.rows.len(), draw::height(model.size)) {
            return Vec::new();
        }
        match command {
            Command::Left => self.left = self.left.saturating_sub(SIDE_COLUMNS),
            Command::Right => self.left += SIDE_COLUMNS,
            Command::Wrap => {
                self.wrap = !self.wrap;
                self.left = 0;
            }
            Command::Decode => self.decode = !self.decode,
            Command::Next | Command::Previous => self.turn(model, command),
            Command::Copy => {
                let body = self.edited.as_ref().unwrap_or(&self.message.body);
                return vec![Effect::Copy(Text::capped(body, body.len()).to_string())];
            }
            Command::CopyCommand => return vec![Effect::Copy(self.line(&model.invocation()))],
            Command::Edit => return edit_below(model, &self.id),
            Command::Operate(OperationKind::Redrive) => {
                return begin_taking(model, &self.environment, &self.queue, Take::Ids(vec![self.id.clone()]));
            }
            _ => {}
        }
        model.settle();
        Vec::new()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        if let MouseWhat::Scroll(lines) = mouse.what {
            let last = self.document.rows.len().saturating_sub(draw::height(model.size));
            self.scroll.top = self.scroll.top.saturating_add_signed(isize::from(lines)).min(last);
        }
        Vec::new()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        draw::draw(model, self, frame, area);
    }

    fn place(&self, _: &Model) -> Option<EnvironmentName> {
        Some(self.environment.clone())
    }
}

impl MessageView {
    /// Goes to the next message that is listed below, or to the one before.
    fn turn(&mut self, model: &mut Model, command: Command) {
        let size = model.size;
        let Some(letters) = model.letters_mut() else { return };
        let step = if command == Command::Next { Command::Down } else { Command::Up };
        step_rows(letters, step, size);
        let Some(message) = under(letters) else { return };
        self.id = message.id.clone();
        self.message = Arc::new(message);
        self.document = Document::default();
        self.scroll = Cursor::default();
        self.left = 0;
    }

    fn line(&self, invocation: &Invocation) -> String {
        let id = self.id.0.replace(['\'', '"', '\\'], "");
        let (queue, filter) = (option("queue", self.queue.as_str()), option("where", &format!(".id == \"{id}\"")));
        let words = format!("peek {queue} --limit 200 {filter} --full");
        Text::line(&invocation.command_in(&self.environment, &words)).to_string()
    }
}

fn under(letters: &LettersView) -> Option<Message> {
    letters.letters.shown()?.messages.get(letters.under()?).cloned()
}
