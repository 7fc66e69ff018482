//! The views, and what lies over them: each takes keys and draws. [`View::screen`] is the one place that knows them all.

pub mod flow;
pub mod home;
pub mod letters;
pub mod list;
pub mod message;
pub mod runs;
pub mod screen;

use self::screen::Screen;
use crate::state::view::View;

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
        }
    };
}

impl View {
    pub fn screen(&self) -> &dyn Screen {
        of_view!(self, as_ref)
    }

    pub fn screen_mut(&mut self) -> &mut dyn Screen {
        of_view!(self, as_mut)
    }
}
