//! The thin binary: everything else is in the library, where it is compiled once for binary and tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    opsctl::cli::main()
}
