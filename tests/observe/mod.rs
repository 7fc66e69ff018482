//! What is seen of the environments, on the sandbox, under virtual time.

mod support;
mod watch;
