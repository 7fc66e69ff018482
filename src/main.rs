//! The thin binary: parse, install hooks, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    opsctl::cli::main()
}
