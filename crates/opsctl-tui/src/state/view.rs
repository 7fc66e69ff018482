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

macro_rules! accessors {
    ($($variant:ident: $get:ident, $get_mut:ident -> $view:ty;)*) => {
        impl View {
            $(
                pub fn $get(&self) -> Option<&$view> {
                    if let Self::$variant(view) = self { Some(view) } else { None }
                }

                pub fn $get_mut(&mut self) -> Option<&mut $view> {
                    if let Self::$variant(view) = self { Some(view) } else { None }
                }
            )*
        }
    };
}

accessors! {
    List: list, list_mut -> ListView;
    Letters: letters, letters_mut -> LettersView;
    Run: run, run_mut -> RunView;
    Activity: activity, activity_mut -> ActivityView;
}
