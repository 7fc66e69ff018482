//! What tests share.

pub(crate) mod console;
pub(crate) mod estate;
pub(crate) mod follow;
pub(crate) mod letters;
pub(crate) mod picture;
pub(crate) mod stage;
pub(crate) mod terminal;
pub(crate) mod transfers;
