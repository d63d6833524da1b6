//! Events, barriers and values of threads.

use std::cell::Cell;
use std::sync::Arc;

use lockwise::sync::{Barrier, Event, ThreadLocal};
use shuttle::future::block_on;
use shuttle::thread;

use super::{Model, SOME_TIME, assert_nothing_held, model};

/// A value that counts its drop.
struct Counted(Arc<std::sync::atomic::AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        assert_nothing_held();
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

#[test]
fn an_event_wakes_all_who_wait_also_if_it_is_cleared_at_once() {
    model(|| {
        let event = Event::<Model>::new_in();
        thread::scope(|scope| {
            let waits = [(); 2].map(|()| scope.spawn(|| event.wait()));
            let awaits = scope.spawn(|| block_on(event.wait_async()));
            assert!(event.set());
            event.clear();
            // Those who came too late for the first one pass by the second.
            event.set();
            for waits in waits {
                waits.join().unwrap();
            }
            awaits.join().unwrap();
        });
        assert!(event.is_set());
    });
}

#[test]
fn a_wait_for_an_event_ends_when_it_is_set_or_when_its_time_has_come() {
    model(|| {
        let event = Event::<Model>::new_in();
        thread::scope(|scope| {
            let waits = scope.spawn(|| event.wait_timeout(SOME_TIME));
            let sets = scope.spawn(|| event.set());
            // Whichever comes first, a wait after the setting passes.
            waits.join().unwrap();
            assert!(sets.join().unwrap());
            assert!(event.wait_timeout(SOME_TIME));
        });
        event.clear();
        assert!(!event.wait_timeout(SOME_TIME));
    });
}

#[test]
fn rounds_of_a_barrier_have_one_leader_each_and_do_not_mix() {
    model(|| {
        let barrier = Barrier::<Model>::new_in(2);
        let led = thread::scope(|scope| {
            let parties = [(); 2]
                .map(|()| scope.spawn(|| (0..2).filter(|_| barrier.wait().unwrap()).count()));
            parties.map(|party| party.join().unwrap())
        });
        assert_eq!(led.iter().sum::<usize>(), 2);
    });
}

#[test]
fn a_barrier_that_is_broken_by_time_or_by_hand_lets_all_go() {
    model(|| {
        let barrier = Barrier::<Model>::new_in(2);
        thread::scope(|scope| {
            let hurries = scope.spawn(|| barrier.wait_timeout(SOME_TIME));
            let waits = scope.spawn(|| barrier.wait());
            let (in_time, waited) = (hurries.join().unwrap(), waits.join().unwrap());
            // Both met, or neither did.
            assert_eq!(in_time.is_ok(), waited.is_ok());
            assert_eq!(barrier.is_broken(), waited.is_err());
        });
        barrier.reset();
        thread::scope(|scope| {
            let waits = scope.spawn(|| barrier.wait());
            scope.spawn(|| barrier.abort());
            assert!(waits.join().unwrap().is_err());
        });
    });
}

#[test]
fn a_value_of_a_thread_is_dropped_once_whoever_goes_first() {
    model(|| {
        let drops = Arc::default();
        let object = Arc::new(ThreadLocal::<(Cell<u32>, Counted), Model>::new_in());
        let threads = [1, 2].map(|number| {
            let (object, drops) = (Arc::clone(&object), Arc::clone(&drops));
            thread::spawn(move || {
                let make = || (Cell::new(number), Counted(Arc::clone(&drops)));
                object.with(make, |(value, _)| value.set(value.get() + 10));
                object.with(
                    || unreachable!(),
                    |(value, _)| assert_eq!(value.get(), number + 10),
                );
            })
        });
        drop(object);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(drops.load(std::sync::atomic::Ordering::SeqCst), 2);
    });
}
