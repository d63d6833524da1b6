//! An event that is set, beside one that takes its mutex to see that.

use std::hint::black_box;

use lockwise::sync::{Backend, Event, Raw, Tracked};
use parking_lot::{Condvar, Mutex};

use crate::measure::{Bench, Cost, measure, peer, raw, tracked};

const WAITS: u32 = 500_000;

/// An event as one writes it with a mutex and a condition variable.
struct MutexFirst {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl MutexFirst {
    fn wait(&self) {
        let mut is_set = self.is_set.lock();
        while !*is_set {
            self.changed.wait(&mut is_set);
        }
    }
}

fn mutex_first() -> Cost {
    let event = MutexFirst {
        is_set: Mutex::new(true),
        changed: Condvar::new(),
    };
    measure(WAITS, || {
        (0..WAITS).for_each(|_| black_box(&event).wait());
    })
}

fn ours<B: Backend>() -> Cost {
    let event = Event::<B>::new_in();
    event.set();
    measure(WAITS, || {
        (0..WAITS).for_each(|_| black_box(&event).wait());
    })
}

pub(crate) fn compare(bench: &mut Bench) {
    bench.compare(
        "event: wait for one that is set",
        vec![
            peer("mutex first", mutex_first),
            raw(&[("mutex first", 0.15)], ours::<Raw>),
            tracked(ours::<Tracked>),
        ],
    );
}
