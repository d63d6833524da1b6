//! The checker of lockwise: reads what was recorded, judges it, and reports.
//!
//! Evidence flows one way, and each module uses those before it:
//! [`limits`] (how far all of it goes) → [`trace`] (what was seen) → [`holders`] (who holds what) → [`input`] (from files) → [`stretch`] (what came before what) →
//! [`history`] (who held what when it asked) → [`graph`] → [`cycles`] → [`judge`] → [`finding`] (what is said) → [`callers`] (by whom) →
//! [`policy`] (what is shown, what fails) → [`report`] and [`dot`] (how it looks) → [`command`] (who
//! asked). Beside it stand [`build`], which runs programs under watch, [`explain`], and [`nearest`], which
//! understands slips.

pub mod baseline;
pub mod build;
pub mod callers;
pub mod cli;
pub mod code;
pub mod command;
pub mod cycles;
pub mod dot;
pub mod exit;
pub mod explain;
pub mod finding;
pub mod graph;
pub mod history;
pub mod holders;
pub mod input;
pub mod judge;
pub mod limits;
pub mod nearest;
pub mod origin;
pub mod policy;
pub mod report;
pub mod settings;
pub mod stretch;
pub mod trace;
pub mod wiring;
