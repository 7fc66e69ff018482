//! The views, and what lies over them: each takes keys and draws. [`View::screen`] is the one place that knows them all.

pub mod flow;
pub mod home;
pub mod letters;
pub mod list;
pub mod message;
pub mod runbooks;
pub mod runs;
pub mod screen;

use self::{
    list::{listed::Listed, topics::LISTS},
    screen::Screen,
};
use crate::{
    keymap::Command,
    state::{ActivityView, HomeView, ListView, RunbooksView, Topic, View},
};

/// Lists with tabs before Activity's: a digit that a key has keeps its meaning when more lists come.
const BEFORE_ACTIVITY: usize = 4;

/// The screen of a view, whether it is lent to be drawn or to be changed: one match for both.
macro_rules! of_view {
    ($view:expr, $unboxed:ident) => {
        match $view {
            View::Home(view) => view,
            View::List(view) => view.$unboxed(),
            View::Letters(view) => view.$unboxed(),
            View::Message(view) => view.$unboxed(),
            View::Activity(view) => view,
            View::Run(view) => view,
            View::Runbooks(view) => view,
            View::Runbook(view) => view.$unboxed(),
            View::RunbookRun(view) => view.$unboxed(),
        }
    };
}

impl View {
    /// The views that stand for themselves, as they are at first, in the order of their tabs.
    pub fn standing() -> Vec<Self> {
        let list = |list: &&dyn Listed| {
            Self::List(Box::new(ListView { topic: Topic(list.head().scope), ..ListView::default() }))
        };
        let mut all: Vec<Self> = LISTS.iter().map(list).collect();
        all.insert(BEFORE_ACTIVITY, Self::Activity(ActivityView::default()));
        all.push(Self::Runbooks(RunbooksView::default()));
        all.insert(0, Self::Home(HomeView::default()));
        all
    }

    pub fn screen(&self) -> &dyn Screen {
        of_view!(self, as_ref)
    }

    pub fn screen_mut(&mut self) -> &mut dyn Screen {
        of_view!(self, as_mut)
    }
}

/// Whether a command goes to a view that stands for itself.
pub(crate) fn opens_tab(command: Command) -> bool {
    matches!(command, Command::Home | Command::Activity | Command::Runbooks)
        || LISTS.iter().any(|list| list.head().tab.command == command)
}
