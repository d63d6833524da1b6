//! The checker of lockwise: reads what was recorded, judges it, and reports.
//!
//! Evidence flows one way, and each module uses those before it:
//! [`trace`] (what was seen) → [`input`] (from files) → [`finding`] (what is said) → [`policy`] (what
//! is shown, what fails) → [`report`] and [`dot`] (how it looks) → [`command`] (who asked).
//! Beside it stand [`build`], which runs programs under watch, and [`explain`].

pub mod baseline;
pub mod build;
pub mod cli;
pub mod command;
pub mod dot;
pub mod exit;
pub mod explain;
pub mod finding;
pub mod input;
pub mod policy;
pub mod report;
pub mod settings;
pub mod trace;
pub mod wiring;
