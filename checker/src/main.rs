//! `cargo lockwise`.

fn main() {}
