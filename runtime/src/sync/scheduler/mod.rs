//! Tasks that take turns on one thread: [`Scheduler`].

mod tasks;
mod turns;

pub use tasks::{ScheduledTask, Scheduler, Stuck};
pub use turns::{Sleep, YieldNow, block_on, yield_now};
