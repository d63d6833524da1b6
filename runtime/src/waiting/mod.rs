//! Tasks and threads in a row, and their wakers: what locks and primitives that can be awaited have in common.

mod later;
mod waiters;

pub(crate) use later::{Later, wake};
pub(crate) use waiters::{Left, Ticket, Waiters};
