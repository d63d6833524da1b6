//! `select!`: which of several arms is done first.

use std::task::Poll;
use std::time::Duration;

use super::arms::Arm;
use super::waits::Waits;
use crate::sync::deadline::Deadline;
use crate::sync::threads::OsThreads;
use crate::watch::Site;

/// How long is waited for an arm.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// Until there is one.
    Never,
    /// For this long.
    After(Duration),
}

/// Does one of the arms, and no other. False if none could be done in time.
///
/// Between two looks the arms are watched, and one put without capacity is offered: only such an offer can
/// meet another select that wants to get. It is taken back before anything else is done, so
/// that never two arms are done; and it is made after the watching, so that it does not meet the other end of
/// its queue in the same select.
#[track_caller]
pub fn choose(arms: &mut [&mut dyn Arm], limit: Limit) -> bool {
    let count = arms.len();
    let waits = arms.first().map(|arm| arm.waits());
    let waits = waits.unwrap_or_else(Waits::of::<OsThreads>);
    let first = (waits.turn)();
    let order = move || (0..count).map(move |at| first.wrapping_add(at) % count);
    let attempt = |arms: &mut [&mut dyn Arm]| order().any(|at| arms[at].attempt());
    if attempt(arms) {
        return true;
    }
    let deadline = match limit {
        Limit::Never => Deadline::Never,
        Limit::After(Duration::ZERO) => return false,
        Limit::After(timeout) => (waits.after)(timeout),
    };
    let mut offered: Option<usize> = None;
    let mut turn = 0;
    let done = (waits.until)(deadline, Site::caller(), &mut |waker| {
        loop {
            if let Some(at) = offered.take()
                && arms[at].withdraw()
            {
                return Poll::Ready(0);
            }
            if attempt(arms) {
                return Poll::Ready(0);
            }
            if order().any(|at| arms[at].watch(waker)) {
                continue;
            }
            let offers = order().filter(|&at| arms[at].can_be_offered());
            let offers: Vec<usize> = offers.collect();
            if let Some(&at) = offers.get(turn % offers.len().max(1)) {
                turn += 1;
                if arms[at].offer(waker) {
                    return Poll::Ready(0);
                }
                offered = Some(at);
            }
            return Poll::Pending;
        }
    });
    let mut done = done.is_some();
    if let Some(at) = offered {
        done |= arms[at].withdraw();
    }
    for arm in &mut *arms {
        arm.unwatch();
    }
    // What is ready by now beats the deadline.
    done || attempt(arms)
}
