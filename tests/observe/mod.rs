//! What is seen of the environments, on the sandbox, under virtual time.

mod estate;
mod support;
mod watch;
