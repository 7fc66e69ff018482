//! [`Field`]: a line of text being typed.

use tui_input::{Input, InputRequest};

use crate::{domain::Text, keymap::Key};

const CHARACTERS_MAX: usize = 1_000;

/// A line of text being typed. What is pasted loses line feeds and control characters: it passes [`Text`].
#[derive(Debug, Clone, Default)]
pub struct Field(pub(crate) Input);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    Changed,
    Enter,
    Escape,
    /// Nothing: the key is not for typing.
    Nothing,
}

impl Field {
    pub fn with(text: &str) -> Self {
        Self(Input::new(text.to_owned()))
    }

    pub fn text(&self) -> &str {
        self.0.value()
    }

    pub fn key(&mut self, key: &Key) -> Typed {
        if let Some(character) = key.character() {
            if self.text().chars().count() < CHARACTERS_MAX {
                self.0.handle(InputRequest::InsertChar(character));
            }
            return Typed::Changed;
        }
        let request = match key.to_string().as_str() {
            "enter" => return Typed::Enter,
            "esc" | "ctrl-c" | "ctrl-g" => return Typed::Escape,
            "backspace" | "ctrl-h" => InputRequest::DeletePrevChar,
            "delete" | "ctrl-d" => InputRequest::DeleteNextChar,
            "ctrl-w" | "alt-backspace" => InputRequest::DeletePrevWord,
            "ctrl-u" => InputRequest::DeleteLine,
            "ctrl-k" => InputRequest::DeleteTillEnd,
            "left" | "ctrl-b" => InputRequest::GoToPrevChar,
            "right" | "ctrl-f" => InputRequest::GoToNextChar,
            "ctrl-left" | "alt-b" => InputRequest::GoToPrevWord,
            "ctrl-right" | "alt-f" => InputRequest::GoToNextWord,
            "home" | "ctrl-a" => InputRequest::GoToStart,
            "end" | "ctrl-e" => InputRequest::GoToEnd,
            _ => return Typed::Nothing,
        };
        self.0.handle(request);
        Typed::Changed
    }

    pub fn paste(&mut self, text: &str) {
        for character in Text::line(text.trim_end_matches(['\r', '\n'])).as_str().chars() {
            if self.text().chars().count() >= CHARACTERS_MAX {
                break;
            }
            self.0.handle(InputRequest::InsertChar(character));
        }
    }
}
