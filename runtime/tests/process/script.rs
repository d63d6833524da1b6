//! A long row of acquisitions and releases in all orders, for a process to do and for its log to tell.

use std::collections::HashMap;
use std::time::Duration;

use lockwise::{Condvar, Mutex, MutexGuard};

/// One thing that a thread does.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Takes this lock, at one of a few places in the code.
    Take(usize, usize),
    /// Gives back what it holds at this place, from the oldest.
    GiveBack(usize),
    /// Waits in vain for a notification with the lock that it took last.
    Wait,
}

/// More than stand in a row in the slot of a thread.
const LOCKS: usize = 40;
/// Enough for several blocks of a log.
const STEPS: usize = 100_000;

/// The steps. Locks are taken in one order: it is their releases that come in any.
fn steps() -> impl Iterator<Item = Step> {
    let mut random = 1_u64;
    let mut draw = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).expect("it is less than a number of that type")
    };
    let mut held: Vec<usize> = Vec::new();
    (0..STEPS).map(move |at| {
        // Now and then nearly all are held, else a few.
        let most = if at / 1_000 % 10 == 9 {
            LOCKS
        } else {
            1 + at / 1_000 % 6
        };
        let next = held.last().map_or(0, |youngest| youngest + 1);
        let free = LOCKS - next;
        if held.is_empty() || held.len() < most && free > 0 && draw(2) == 0 {
            // Mostly one of the next, so that the same is done again.
            let most = if draw(4) == 0 { free } else { free.min(3) };
            let lock = next + draw(most);
            held.push(lock);
            Step::Take(lock, draw(20) / 8)
        } else if draw(100) == 0 {
            Step::Wait
        } else {
            let place = match draw(12) {
                0 => draw(held.len()),
                _ => held.len() - 1,
            };
            held.remove(place);
            Step::GiveBack(place)
        }
    })
}

/// Does all of it.
pub(super) fn run() {
    static ALL: [Mutex<()>; LOCKS] = [const { Mutex::new(()) }; LOCKS];
    let places: [fn(usize) -> MutexGuard<'static, ()>; 3] = [
        |lock| ALL[lock].lock(),
        |lock| ALL[lock].lock(),
        |lock| ALL[lock].try_lock().expect("it is free"),
    ];
    let never = Condvar::new();
    let mut guards = Vec::new();
    for step in steps() {
        match step {
            Step::Take(lock, place) => guards.push(places[place](lock)),
            Step::GiveBack(place) => drop(guards.remove(place)),
            Step::Wait => {
                let guard = guards.last_mut().expect("it holds one");
                never.wait_for(guard, Duration::from_nanos(1));
            }
        }
    }
}

/// What the log has to say: each lock by a number that it has when it is first met, and whether it is taken.
pub(super) fn expected() -> Vec<(usize, bool)> {
    let mut names = Names::default();
    let mut told = Vec::new();
    let mut held = Vec::new();
    for step in steps() {
        match step {
            Step::Take(lock, _) => {
                held.push(lock);
                told.push((names.of(lock as u64), true));
            }
            Step::GiveBack(place) => told.push((names.of(held.remove(place) as u64), false)),
            Step::Wait => {}
        }
    }
    // What is left goes with the row of guards.
    told.extend(held.iter().map(|&lock| (names.of(lock as u64), false)));
    told
}

/// Numbers for locks, in the order in which they are met.
#[derive(Default)]
pub(super) struct Names(HashMap<u64, usize>);

impl Names {
    pub(super) fn of(&mut self, lock: u64) -> usize {
        let next = self.0.len();
        *self.0.entry(lock).or_insert(next)
    }
}
