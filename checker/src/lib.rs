//! The checker of lockwise: reads what was recorded, judges it, and reports.
//!
//! Evidence flows one way, and each module uses those before it:
//! [`trace`] (what was seen) → [`finding`] (what is said) → [`policy`] (what is shown, what fails) →
//! [`report`] (how it looks).

pub mod baseline;
pub mod exit;
pub mod finding;
pub mod policy;
pub mod report;
pub mod trace;
