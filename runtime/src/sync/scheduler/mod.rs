//! Tasks that take turns on one thread: [`Scheduler`].

mod tasks;
mod turns;

pub use tasks::{Scheduler, Stuck, Task as ScheduledTask};
pub use turns::{Sleep, YieldNow, block_on, yield_now};
