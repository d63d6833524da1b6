//! Deadlocks from the code alone: what `cargo lockwise check` looks for.
//!
//! `mir` reads the compiler's text into `ir`, `source` what that text leaves out, where `conditions` let it be;
//! what both make of a crate is kept in a file (`printed`) until the crate is compiled anew. `program` knows who
//! calls whom; `frame` says what a variable stands for, `flow` which guards live where, `summary` what
//! callers need to know of that, `aliases` which locks have several names, `callbacks` what functions do
//! that are kept in data; `solve` goes through all of it, and `rules` makes findings. What the source
//! silences (`allow`) or a change has nothing to do with (`changed`) is taken out. `probe` tells
//! whether the compiler's text is understood at all, `joined` puts what was read beside what a run
//! showed, and `kept` answers again what was asked before.
//!
//! # What it cannot see
//!
//! Unwinding after a panic; what other crates do inside, unless `known` says it; which of the functions
//! that are kept in one place is called; guards behind references that are kept in another struct; conditions on
//! data that may change, where they exclude one another; how many handles of a shared value are left; assembly and
//! raw locks. `docs/code.md` has a case of each that is seen to stay silent.

mod aliases;
mod allow;
pub mod analysis;
mod callbacks;
pub mod changed;
mod class;
pub(crate) mod conditions;
pub mod extra;
mod flow;
mod frame;
mod ir;
pub mod joined;
pub mod kept;
mod known;
pub(crate) mod mir;
mod names;
mod paths;
pub mod printed;
pub(crate) mod probe;
mod program;
mod rules;
mod solve;
mod source;
mod summary;
mod text;
mod trust;
mod value;
