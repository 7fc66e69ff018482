//! Speed and memory, printed as a table.

fn main() {}
