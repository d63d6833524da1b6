//! [`Barrier`]: meeting, and who leads.

use lockwise::stdsync::Barrier;
use lockwise::stdsync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use crate::assert_same_as_std;

#[test]
fn each_round_has_one_leader_and_starts_when_all_are_there() {
    const PARTIES: usize = 4;
    const ROUNDS: usize = 50;
    let barrier = Barrier::new(PARTIES);
    let (arrived, leaders) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..PARTIES {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    arrived.fetch_add(1, SeqCst);
                    let result = barrier.wait();
                    assert!(arrived.load(SeqCst) >= round * PARTIES);
                    leaders.fetch_add(usize::from(result.is_leader()), SeqCst);
                }
            });
        }
    });
    assert_eq!(leaders.into_inner(), ROUNDS);
}

#[test]
fn nobody_waits_at_a_barrier_for_one_or_none() {
    static ONE: Barrier = Barrier::new(1);
    assert!(ONE.wait().is_leader());
    assert!(Barrier::new(0).wait().is_leader());
}

#[test]
fn it_looks_as_in_std() {
    assert_same_as_std!({
        let barrier = sync::Barrier::new(1);
        format!("{barrier:?} {:?}", barrier.wait())
    });
}
