//! [`Look`]: which colours and signs are shown. [`Role`]: what a style means; the widgets know how it looks.

/// How the console looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub theme: Theme,
    pub symbols: Symbols,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
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

/// What a style means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Text,
    Dim,
    Strong,
    /// Column titles and headings.
    Heading,
    /// The row under the cursor.
    Cursor,
    /// Something is being lost.
    Critical,
    Warning,
    Good,
    /// Names and numbers to look at.
    Accent,
    Key,
    Line,
    /// Characters that a search found.
    Match,
    Stale,
}
