//! [`Look`]: which colours and signs are shown. [`Role`]: what a style means; the widgets know how it looks.

/// How the console looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub theme: Theme,
    pub symbols: Symbols,
}

/// Colours by meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Theme {
    /// For dark backgrounds
    #[default]
    Dark,
    /// For light backgrounds
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
    /// Plain text.
    Text,
    /// Less important.
    Dim,
    /// More important.
    Strong,
    /// Column titles and headings.
    Heading,
    /// The row under the cursor.
    Cursor,
    /// Something is being lost.
    Critical,
    /// Something is wrong.
    Warning,
    /// All is well.
    Good,
    /// Names and numbers to look at.
    Accent,
    /// Names of keys.
    Key,
    /// Frames and rules.
    Line,
    /// Characters that a search found.
    Match,
    /// Old figures.
    Stale,
}
