//! The views, and what lies over them: each takes keys and draws. [`View::screen`] is the one place that knows them all.

pub mod flow;
pub mod home;
pub mod letters;
pub mod list;
pub mod message;
pub mod pane;
pub mod runs;
pub mod screen;

use self::screen::Screen;
use crate::state::view::View;

impl View {
    pub fn screen(&self) -> &dyn Screen {
        match self {
            Self::Home(view) => view,
            Self::List(view) => view.as_ref(),
            Self::Letters(view) => view.as_ref(),
            Self::Message(view) => view.as_ref(),
            Self::Activity(view) => view,
            Self::Run(view) => view,
        }
    }

    pub fn screen_mut(&mut self) -> &mut dyn Screen {
        match self {
            Self::Home(view) => view,
            Self::List(view) => view.as_mut(),
            Self::Letters(view) => view.as_mut(),
            Self::Message(view) => view.as_mut(),
            Self::Activity(view) => view,
            Self::Run(view) => view,
        }
    }
}
