//! [`Known`]: how a part of what is seen stands, whatever it is of.

use jiff::Timestamp;

use crate::{
    cloud::CloudError,
    observe::{Part, Unknown},
};

/// How a part of what is seen stands.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What it is of, in words.
    pub what: &'static str,
    pub at: Option<Timestamp>,
    /// When the oldest of it was seen.
    pub oldest: Option<Timestamp>,
    pub busy: bool,
    pub error: Option<&'a CloudError>,
    pub unknown: &'a [Unknown],
}

impl<'a> Known<'a> {
    pub(crate) fn of<T>(what: &'static str, part: &'a Part<T>) -> Self {
        let Part { at, busy, error, unknown, .. } = part;
        Self { what, at: *at, oldest: *at, busy: *busy, error: error.as_ref(), unknown }
    }
}
