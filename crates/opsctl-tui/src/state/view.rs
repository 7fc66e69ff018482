//! [`View`]: a whole screen. [`Overlay`]: what lies over it.

use std::sync::Arc;

use crate::{
    keymap::{
        Command,
        palette::{Entry, Found},
    },
    state::{
        cursor::Cursor,
        field::Field,
        flow::Flow,
        home::{Asking, HomeView},
        letters::{Diff, LettersView, Picker},
        list::{ListView, Sheet, SortPicker, Topic},
        message::MessageView,
        run::{ActivityView, RunView},
        runbook::{Deciding, RunbookRunView, RunbookView, RunbooksView, ValuesForm},
    },
};

#[derive(Debug, Clone)]
pub enum View {
    Home(HomeView),
    List(Box<ListView>),
    Letters(Box<LettersView>),
    Message(Box<MessageView>),
    Activity(ActivityView),
    Run(RunView),
    Runbooks(RunbooksView),
    Runbook(Box<RunbookView>),
    RunbookRun(Box<RunbookRunView>),
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
    Values(Box<ValuesForm>),
    Decide(Box<Deciding>),
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
    RunbookRun: runbook_run, runbook_run_mut -> RunbookRunView;
    Activity: activity, activity_mut -> ActivityView;
}

#[derive(Debug, Clone, Default)]
pub struct Palette {
    pub field: Field,
    pub cursor: Cursor,
    /// Everything that can be found; none: it was opened just now.
    pub offers: Option<Arc<Offers>>,
    /// What was found, best first.
    pub found: Vec<Found>,
}

impl Palette {
    pub fn with(text: &str) -> Self {
        Self { field: Field::with(text), ..Self::default() }
    }
}

/// Everything that can be found; made when the palette opens.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offers {
    pub entries: Vec<Entry>,
    pub whats: Vec<Choice>,
    /// What things of some are known by.
    pub ids: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Command(Command),
    /// An environment: its index among the model's sites.
    Environment(usize),
    /// A thing of a list, of an environment: what it is known by, among [`Offers::ids`].
    Thing(usize, Topic, usize),
    /// A group of services of an environment, to wake or to put to sleep, or a migration of it: its name, among
    /// [`Offers::ids`].
    Group(usize, Command, usize),
}
