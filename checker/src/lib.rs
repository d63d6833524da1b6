//! The checker of lockwise: reads what was recorded, judges it, and reports.
//!
//! Evidence flows one way, and each module uses those before it:
//! [`input`] (reads) → [`trace`] (what was seen) → [`stretch`] (what came before what) →
//! [`history`] (who held what) → [`graph`] → [`cycles`] → [`judge`] → [`finding`] (what is said).

pub mod cycles;
pub mod finding;
pub mod graph;
pub mod history;
pub mod input;
pub mod judge;
pub mod stretch;
pub mod trace;
