//! Random operations, one after the other, against models that are slow and obvious.
//!
//! Waiting is in them too: futures are polled by hand, so that a test sees who is woken, and when. The priority
//! queue has its model beside its other tests.

mod delay;
mod event;
mod exchange;
mod poller;
mod promise;
mod queue;
