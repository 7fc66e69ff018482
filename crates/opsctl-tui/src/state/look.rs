//! [`Look`]: which colours and signs are shown. [`Role`]: what a style means; the widgets know how it looks.

use std::sync::Arc;

use crate::domain::Text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub theme: Theme,
    pub symbols: Symbols,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Theme {
    #[default]
    Dark,
    Light,
    /// Blue and orange instead of green and red
    ColourBlind,
    /// No colours: weight, reversal and underlines only
    None,
}

/// Signs: a terminal that can't show Unicode has plain ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbols {
    /// Box drawing, blocks, arrows.
    Unicode,
    Ascii,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Text,
    Dim,
    Strong,
    Heading,
    Cursor,
    /// Something is being lost.
    Critical,
    Warning,
    Good,
    Accent,
    Key,
    Line,
    Match,
    Stale,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub role: Role,
    pub words: String,
    /// Whether something is being asked for that is not there yet.
    pub busy: bool,
    /// Whether nobody can be asked before somebody has done something.
    pub needs: Needs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// Credentials: this is what to do.
    Credentials(Text),
    /// It is not reached: this is what to try.
    Reaching(Text),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub role: Role,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub(crate) lines: Vec<Vec<Part>>,
    pub(crate) columns: usize,
    /// What stands below them, shared: it may be long, and is not made again with what is above.
    pub(crate) tail: Option<Arc<Page>>,
}
