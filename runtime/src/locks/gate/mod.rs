//! The gate before a one-time initialisation: who runs the initialiser holds it exclusively.
//!
//! `Once`, `OnceCell` and `Lazy` go through their gate only while they are not initialised yet, so
//! that the finished ones cost nothing. Behind the gate stand the real `parking_lot` and
//! `once_cell` types, which keep their own promises (poisoning, errors, panics); so the gate need
//! not know how an initialisation ends, only that it did.
//!
//! A gate knows who stands in it: an initialiser that asks for its own object would wait for itself
//! for ever. It is reported, and panics with both sites.

#[cfg(not(feature = "checks"))]
mod disabled;
#[cfg(feature = "checks")]
mod enabled;

#[cfg(not(feature = "checks"))]
pub(crate) use disabled::Gate;
#[cfg(feature = "checks")]
pub(crate) use enabled::Gate;
