//! Runbooks on the sandbox.

mod evidence;
mod things;
