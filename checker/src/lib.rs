//! The checker of lockwise: reads what was recorded, judges it, and reports.
//!
//! Evidence flows one way, and each module uses those before it:
//! [`trace`] (what was seen) → [`finding`] (what is said).

pub mod finding;
pub mod trace;
