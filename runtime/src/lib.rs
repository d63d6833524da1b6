//! Locks that know their order.

#[cfg_attr(not(feature = "checks"), path = "stdsync/off.rs")]
pub mod stdsync;
#[cfg_attr(not(feature = "checks"), path = "thread/off.rs")]
pub mod thread;
pub mod watch;
