//! The macros of `lockwise`. Use them through that crate.
//!
//! `parse` (what the user wrote) → `mistake` (what is wrong with it) → `expand` (what it becomes),
//! with the help of `text` (the source text of an expression) and `hygiene` (who wrote it). What
//! the expansion calls is `lockwise::acquire`.
//!
//! This crate is of edition 2021 on purpose: its expansions are blocks, and temporaries in the tail
//! of a block of edition 2024 die at its end. In an older one they live to the end of the user's
//! statement, as those in the arguments of a function do, so that `acquire!(self.lock()).0.len()`
//! works. The edition that counts is that of the crate whose macro wrote the block.
#![forbid(unsafe_code)]

mod expand;
mod hygiene;
mod mistake;
mod parse;
mod text;

use proc_macro::TokenStream;

use expand::Promise;

/// Acquires several locks at once, in the one order of all locks: see `lockwise::acquire!`.
#[proc_macro]
pub fn acquire(input: TokenStream) -> TokenStream {
    expand::expand(input.into(), Promise::All).into()
}

/// Acquires several locks at once, or none: see `lockwise::try_acquire!`.
#[proc_macro]
pub fn try_acquire(input: TokenStream) -> TokenStream {
    expand::expand(input.into(), Promise::AllOrNothing).into()
}
