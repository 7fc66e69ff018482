//! What tests share.

pub(crate) mod stage;
