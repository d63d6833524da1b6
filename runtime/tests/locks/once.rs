//! `Once`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use lockwise::{Once, OnceState};

static START: Once = Once::named("start");

#[test]
fn the_closure_runs_once_and_all_see_it_done() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    assert_eq!(START.state(), OnceState::New);
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                START.call_once(|| {
                    assert_eq!(START.state(), OnceState::InProgress);
                    RUNS.fetch_add(1, Ordering::Relaxed);
                });
                assert_eq!(RUNS.load(Ordering::Relaxed), 1);
            });
        }
    });
    assert!(START.state().done());
    START.call_once_force(|_| unreachable!());
    assert_eq!(format!("{START:?}"), "Once { state: Done }");
}

#[test]
fn a_panic_poisons_until_forced() {
    let once = Once::default();
    let call = |panics: bool| {
        catch_unwind(AssertUnwindSafe(|| {
            once.call_once(|| assert!(!panics, "on purpose"));
        }))
    };
    assert!(call(true).is_err());
    assert!(once.state().poisoned());
    assert!(call(false).is_err());
    once.call_once_force(|state| assert_eq!(state, OnceState::Poisoned));
    assert!(once.state().done());
    assert!(call(true).is_ok());
}
