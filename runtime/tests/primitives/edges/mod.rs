//! Ends of what the documentation promises: no time, no room, closed while somebody waits, closed twice, panics in
//! what is called, the last handle.

mod actors;
mod adverse;
mod asked;
mod comes_back;
mod exchanges;
mod lazy;
mod passing;
mod pools;
mod queues;
mod results;
mod unusual;
mod waiting;
