//! An AWS underneath the SDK: a pure in-memory [`world`] behind one handler that speaks AWS's protocols ([`wire`]).

pub mod wire;
pub mod world;
