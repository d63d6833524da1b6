//! The primitives under schedules that `shuttle` chooses, at random and by PCT.
//!
//! Each scenario is a few threads that use one primitive, with closing and deadlines; it must end, whatever
//! the schedule, with nothing lost. Each broken twin breaks one of the rules of `lockwise::sync`; the schedules
//! must find that, and the one that did must show it again.
//!
//! `MODEL_SCHEDULES` says how many schedules of each kind a scenario is run with; without it these are as many
//! as take a minute or so in all. 5000 of each are what a change of the primitives has to pass.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario in which something fails that must not is a failure"
)]

mod actors;
mod awaited;
mod backend;
mod dropped;
mod handed;
mod queues;
mod schedules;
mod twins;
mod waits;

use backend::{Model, SOME_TIME, assert_nothing_held};
use schedules::model;
