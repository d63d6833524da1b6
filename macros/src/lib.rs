//! The macros of `lockwise`. Use them through that crate.
#![forbid(unsafe_code)]
