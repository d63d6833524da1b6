//! `Barrier`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use lockwise::Barrier;

static MEETING: Barrier = Barrier::named("meeting", 4);

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn all_pass_together_again_and_again_with_one_leader() {
    const ROUNDS: usize = 200;
    let (arrived, leaders) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    arrived.fetch_add(1, Ordering::Relaxed);
                    if MEETING.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::Relaxed);
                    }
                    assert!(arrived.load(Ordering::Relaxed) >= 4 * round);
                    MEETING.wait();
                }
            });
        }
    });
    assert_eq!(leaders.load(Ordering::Relaxed), ROUNDS);
}

#[test]
fn one_party_or_none_never_waits() {
    assert!(Barrier::new(1).wait().is_leader());
    assert!(Barrier::new(0).wait().is_leader());
    assert_eq!(format!("{:?}", Barrier::new(1)), "Barrier { .. }");
}
