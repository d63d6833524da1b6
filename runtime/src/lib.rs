//! Locks that know their order.

pub mod watch;
