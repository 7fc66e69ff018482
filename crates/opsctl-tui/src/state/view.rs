//! [`View`]: a whole screen. [`Overlay`]: what lies over it.

use crate::state::{
    cursor::Cursor,
    flow::Flow,
    home::{Asking, HomeView},
    letters::{Diff, LettersView, Picker},
    list::{ListView, Sheet, SortPicker},
    message::MessageView,
    palette::Palette,
    run::{ActivityView, RunView},
};

#[derive(Debug, Clone)]
pub enum View {
    Home(HomeView),
    /// Queues, services, databases, alarms or consumers.
    List(Box<ListView>),
    Letters(Box<LettersView>),
    Message(Box<MessageView>),
    Activity(ActivityView),
    Run(RunView),
}

/// What lies over a view and takes the keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    Help(Help),
    Palette(Palette),
    Sheet(Box<Sheet>),
    Sort(SortPicker),
    Columns(Box<Picker>),
    Diff(Box<Diff>),
    Flow(Box<Flow>),
    Acknowledge(Box<Asking>),
    Quitting(Quitting),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Help {
    pub scroll: Cursor,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quitting {
    /// Whether "leave" has the focus; "stay" has it at first.
    pub leave: bool,
}

impl View {
    pub fn list(&self) -> Option<&ListView> {
        if let Self::List(view) = self { Some(view) } else { None }
    }

    pub fn list_mut(&mut self) -> Option<&mut ListView> {
        if let Self::List(view) = self { Some(view) } else { None }
    }

    pub fn letters(&self) -> Option<&LettersView> {
        if let Self::Letters(view) = self { Some(view) } else { None }
    }

    pub fn letters_mut(&mut self) -> Option<&mut LettersView> {
        if let Self::Letters(view) = self { Some(view) } else { None }
    }

    pub fn run(&self) -> Option<&RunView> {
        if let Self::Run(view) = self { Some(view) } else { None }
    }

    pub fn run_mut(&mut self) -> Option<&mut RunView> {
        if let Self::Run(view) = self { Some(view) } else { None }
    }

    pub fn activity_mut(&mut self) -> Option<&mut ActivityView> {
        if let Self::Activity(view) = self { Some(view) } else { None }
    }
}
