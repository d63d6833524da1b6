//! The models can fail: without any one of the fences of `wait_for` one of them does.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::silence::circles_with_one_that_unwinds;
use crate::watch::slot::Slot;

/// A fence of `wait_for`, by what it stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fence {
    /// The wait is published, then others are looked at.
    BeforeSearch,
    /// The wait has ended, then the held set changes.
    AfterWait,
    /// Others have been read, then their turns are looked at again.
    BeforeSecondLook,
}

thread_local! {
    static LEFT_OUT: Cell<Option<Fence>> = const { Cell::new(None) };
}

/// Whether the model that runs goes without this fence.
pub(crate) fn is_left_out(fence: Fence) -> bool {
    LEFT_OUT.get() == Some(fence)
}

/// Whether `model` fails without this fence.
fn fails_without(fence: Fence, model: fn()) -> bool {
    LEFT_OUT.set(Some(fence));
    let outcome = catch_unwind(AssertUnwindSafe(model));
    LEFT_OUT.set(None);
    outcome.is_err()
}

#[test]
fn without_the_fence_before_the_search_a_deadlock_is_missed() {
    assert!(fails_without(
        Fence::BeforeSearch,
        crate::circles::two_at_once
    ));
}

#[test]
fn without_the_fence_after_a_wait_a_false_one_is_told() {
    assert!(fails_without(
        Fence::AfterWait,
        crate::silence::one_wait_after_the_other
    ));
}

#[test]
fn without_the_fence_before_the_second_look_a_false_one_is_told() {
    assert!(fails_without(
        Fence::BeforeSecondLook,
        crate::silence::one_wait_after_the_other
    ));
}

#[test]
fn if_who_unwinds_still_counts_as_waiting_a_false_one_is_told() {
    let model = || circles_with_one_that_unwinds(Slot::closes);
    assert!(catch_unwind(AssertUnwindSafe(model)).is_err());
}

#[test]
fn without_the_fences_around_a_second_attempt_a_false_one_is_told() {
    assert!(fails_without(
        Fence::BeforeSearch,
        crate::silence::behind_a_writer_that_may_give_up
    ));
}
