//! Runbooks on the sandbox.

mod built_in;
mod evidence;
mod things;
