use super::*;
use crate::sync::backend::Raw;
use crate::sync::promise::{Host, Kept, Planned};
use crate::watch::Site;

struct Nobody;

impl Host for Nobody {
    fn almost_free(&self) {}

    fn still_busy(&self) {}
}

/// What is left of a job that gives `value`, and whose future is kept until it is done, or not.
fn done<T: Send + 'static>(value: T, keeps_future: bool) -> Option<Spent> {
    let at = Site::caller();
    let (job, future) = Planned::new::<_, T, Raw>(at, Kept::ByCrew(1), move || value);
    let future = keeps_future.then_some(future);
    let spent = job.run(&Nobody, at);
    drop(future);
    spent
}

#[test]
fn only_what_is_little_and_nobody_has_comes_back() {
    assert!(done(1_u8, false).is_some());
    assert!(done(1_u8, true).is_none());
    assert!(done([1_u8; 1_000], false).is_none());
}

#[test]
fn what_comes_back_and_nobody_wants_is_bounded() {
    let returns = Returns::default();
    let waiting = || returns.0.lock().len();
    let mut batch = returns.batch();
    for _ in 1..BATCH {
        batch.add(done(1_u8, false));
    }
    assert_eq!(waiting(), 0);
    for _ in 0..10 * MOST {
        batch.add(done(1_u8, false));
    }
    assert!((MOST..MOST + BATCH).contains(&waiting()), "{}", waiting());
    let before = waiting();
    returns.drop_one();
    assert_eq!(waiting(), before - 1);
    (0..before).for_each(|_| returns.drop_one());
    assert_eq!(waiting(), 0);
    assert!(batch.row.len() < BATCH);
}

#[test]
fn nobody_waits_to_hand_back_or_to_take() {
    let returns = Returns::default();
    let mut batch = returns.batch();
    let held = returns.0.lock();
    for _ in 0..BATCH {
        batch.add(done(1_u8, false));
    }
    returns.drop_one();
    assert!(batch.row.is_empty() && held.is_empty());
}
