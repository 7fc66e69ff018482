//! The thin binary: parse, install hooks, run, exit.

fn main() {}
