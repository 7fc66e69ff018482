//! [`Page`]: text of many lines, made once for a width, of which a window is drawn.

use std::sync::Arc;

use super::look::Role;

/// Text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub role: Role,
}

/// Lines, made for a width.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub(crate) lines: Vec<Vec<Part>>,
    pub(crate) columns: usize,
    /// What stands below them, shared: it may be long, and is not made again with what is above.
    pub(crate) tail: Option<Arc<Page>>,
}
