//! One situation a test, as a user would see it. As many for silence as for alarms.

use insta::assert_snapshot;

use super::*;

/// Nothing at all, or nothing that is shown without being asked for.
fn silent(trace: &str) {
    let verdict = verdict_of(&[trace]);
    let loud = verdict.findings.iter();
    let loud: Vec<_> = loud
        .filter(|finding| finding.certainty != Certainty::Excluded)
        .collect();
    assert!(loud.is_empty(), "{loud:?}");
}

#[test]
fn opposite_orders_in_two_threads_are_certain() {
    assert_snapshot!(report(&["
        T1: acq(A) acq(B) rel(B) rel(A)
        T2: acq(B) acq(A) rel(A) rel(B)"]));
}

#[test]
fn the_same_order_everywhere_is_silent() {
    silent(
        "T1: acq(A) acq(B) rel(B) rel(A)
         T2: acq(A) acq(B) rel(B) rel(A)",
    );
}

#[test]
fn a_lock_that_its_holder_enters_again_is_waited_for_by_nobody() {
    let trace = "
        T1: req(A) acq(A) req(B) acq(B) req(A) acq(A) rel(A) rel(B) rel(A)
        T2: req(A) acq(A) req(B) acq(B) req(A) acq(A) rel(A) rel(B) rel(A)";
    assert_eq!(verdict_of(&[trace]).findings.len(), 0);
}

#[test]
fn a_lock_that_is_entered_again_still_shuts_others_out() {
    let trace = "
        T1: req(A) acq(A) req(A) acq(A) req(B) acq(B) rel(B) rel(A) rel(A)
        T2: req(B) acq(B) req(A) acq(A) rel(A) rel(B)";
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Certain));
}

#[test]
fn the_order_that_most_of_the_program_uses_is_advised() {
    assert_snapshot!(report(&["
        T1: acq(A) acq(B) rel(B) rel(A)
        T2: acq(A) acq(B) rel(B) rel(A)
        T3: acq(A) acq(B) rel(B) rel(A)
        T4: acq(B) acq(A) rel(A) rel(B)"]));
}

#[test]
fn opposite_orders_under_a_gate_lock_are_excluded() {
    assert_snapshot!(report(&["
        T1: acq(G) acq(A) acq(B) rel(B) rel(A) rel(G)
        T2: acq(G) acq(B) acq(A) rel(A) rel(B) rel(G)"]));
}

#[test]
fn a_gate_that_both_sides_only_read_keeps_nothing_apart() {
    let trace = "
        T1: racq(G) acq(A) acq(B) rel(B) rel(A) rrel(G)
        T2: racq(G) acq(B) acq(A) rel(A) rel(B) rrel(G)";
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Certain));
}

#[test]
fn opposite_orders_before_and_after_a_join_are_excluded() {
    assert_snapshot!(report(&["
        T0: fork(T1)
        T1: acq(A) acq(B) rel(B) rel(A)
        T0: join(T1) acq(B) acq(A) rel(A) rel(B)"]));
}

#[test]
fn opposite_orders_on_both_sides_of_a_barrier_are_excluded() {
    assert_snapshot!(report(&["
        T1: acq(A) acq(B) rel(B) rel(A) barrier(G,2)
        T2: barrier(G,2) acq(B) acq(A) rel(A) rel(B)"]));
}

#[test]
fn opposite_orders_in_one_thread_are_a_note() {
    assert_snapshot!(report(&["
        T1: acq(A) acq(B) rel(B) rel(A) acq(B) acq(A) rel(A) rel(B)"]));
}

#[test]
fn a_semaphore_between_the_sides_leaves_it_possible() {
    assert_snapshot!(report(&["
        T1: acq(A) acq(B) rel(B) rel(A) post(S)
        T2: pend(S) acq(B) acq(A) rel(A) rel(B)"]));
}

#[test]
fn readers_that_nobody_writes_between_are_excluded() {
    assert_snapshot!(report(&["
        T1: racq(A) racq(B) rrel(B) rrel(A)
        T2: racq(B) racq(A) rrel(A) rrel(B)"]));
}

#[test]
fn readers_with_a_writer_of_each_lock_are_certain() {
    let trace = "
        T1: racq(A) racq(B) rrel(B) rrel(A)
        T2: racq(B) racq(A) rrel(A) rrel(B)
        T3: acq(A) rel(A)
        T4: acq(B) rel(B)";
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Certain));
}

#[test]
fn a_cycle_over_recursive_readers_is_no_finding_at_all() {
    let trace = "
        T1: rracq(A) rracq(B) rrel(B) rrel(A)
        T2: rracq(B) rracq(A) rrel(A) rrel(B)
        T3: acq(A) rel(A)
        T4: acq(B) rel(B)";
    assert_snapshot!(report(&[trace]));
}

#[test]
fn a_recursive_read_between_two_writers_does_not_hide_their_edge() {
    // lockdep stops at B, and its edge out of a recursive read is weak.
    let trace = "
        T1: acq(A) rracq(B) acq(C) rel(C) rrel(B) rel(A)
        T2: acq(C) acq(A) rel(A) rel(C)";
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Certain));
}

#[test]
fn a_lock_taken_again_by_its_holder_is_certain() {
    assert_snapshot!(report(&["T1: acq(A) acq(A)"]));
}

#[test]
fn a_reentrant_lock_taken_again_is_silent() {
    silent("T1: reacq(A) reacq(A) rel(A) rel(A)");
}

#[test]
fn a_try_by_the_holder_is_silent() {
    silent("T1: acq(A) tryacq(A)");
}

#[test]
fn a_read_under_a_read_is_possible_without_a_writer() {
    assert_snapshot!(report(&["T1: racq(A) racq(A) rrel(A) rrel(A)"]));
}

#[test]
fn a_read_under_a_read_with_a_writer_is_certain() {
    assert_snapshot!(report(&["
        T1: racq(A) racq(A) rrel(A) rrel(A)
        T2: acq(A) rel(A)"]));
}

#[test]
fn a_recursive_read_under_a_read_is_silent() {
    silent(
        "T1: racq(A) rracq(A) rrel(A) rrel(A)
         T2: acq(A) rel(A)",
    );
}

#[test]
fn a_successful_try_is_held_but_never_waited_for() {
    silent(
        "T1: acq(A) tryacq(B) rel(B) rel(A)
         T2: acq(B) acq(A) rel(A) rel(B)",
    );
    let trace = "
        T1: tryacq(A) acq(B) rel(B) rel(A)
        T2: acq(B) acq(A) rel(A) rel(B)";
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Certain));
}

#[test]
fn a_join_under_a_lock_that_the_thread_needs_is_certain() {
    assert_snapshot!(report(&["
        T0: acq(A) fork(T1)
        T1: acq(A)
        T0: join(T1)"]));
}

#[test]
fn a_wait_under_an_outer_lock_that_the_waker_needs_is_certain() {
    assert_snapshot!(report(&["
        T1: acq(A) acq(M) wait(C,M) rel(M) rel(A)
        T2: acq(A) rel(A) acq(M) notify(C) rel(M)"]));
}

#[test]
fn a_recorded_request_between_a_wait_and_its_end_changes_nothing() {
    let trace = "
        T1: acq(A) acq(M) rel(M) wait(M)
        T2: acq(M) notify(M) rel(M) acq(A) rel(A)
        T1: req(M) acq(M) rel(M) rel(A)";
    let turned = "
        T1: acq(A) acq(M) rel(M) wait(M)
        T2: acq(A) rel(A) acq(M) notify(M) rel(M)
        T1: req(M) acq(M) rel(M) rel(A)";
    assert_eq!(strongest(&verdict_of(&[trace])), None);
    assert_eq!(strongest(&verdict_of(&[turned])), Some(Certainty::Certain));
}

#[test]
fn a_wake_up_that_can_come_too_early_is_a_stall() {
    assert_snapshot!(report(&["
        T1: acq(M) wait(C,M) rel(M)
        T2: acq(M) notify(C) rel(M)"]));
}

#[test]
fn halves_in_two_runs_are_found_by_class() {
    assert_snapshot!(report(&[
        "T1: acq(A) acq(B) rel(B) rel(A)",
        "T1: acq(B) acq(A) rel(A) rel(B)",
    ]));
}

#[test]
fn halves_on_other_instances_are_found_by_class() {
    assert_snapshot!(report(&["
        # class: A1=A A2=A B1=B B2=B
        T1: acq(A1) acq(B1) rel(B1) rel(A1)
        T2: acq(B2) acq(A2) rel(A2) rel(B2)"]));
}

#[test]
fn one_gate_over_other_instances_excludes_them() {
    let trace = "
        # class: A1=A A2=A B1=B B2=B
        T1: acq(G) acq(A1) acq(B1) rel(B1) rel(A1) rel(G)
        T2: acq(G) acq(B2) acq(A2) rel(A2) rel(B2) rel(G)";
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Excluded));
}

#[test]
fn a_class_nested_in_itself_is_a_note_once() {
    assert_snapshot!(report(&["
        # class: A1=A A2=A A3=A
        T1: acq(A1) acq(A2) acq(A3) rel(A3) rel(A2) rel(A1)"]));
}

#[test]
fn a_subclass_is_no_nesting() {
    silent(
        "# class: A1=A A2=A
         T1: acq(A1) acq(A2,sub=1) rel(A2) rel(A1)",
    );
}

#[test]
fn a_class_ordered_by_a_lock_may_be_nested_under_it() {
    silent(
        "# class: A1=A A2=A
         T1: acq(G) acq(A1,nest=G) acq(A2,nest=G) rel(A2) rel(A1) rel(G)",
    );
}

#[test]
fn orders_of_two_lives_of_a_lock_close_no_cycle() {
    silent(
        "T1: init(A) acq(A) acq(B) rel(B) rel(A) destroy(A) init(A) acq(B) acq(A) rel(A) rel(B)",
    );
}

#[test]
fn a_wrong_release_is_a_note_and_no_deadlock() {
    assert_snapshot!(report(&["T1: rel(A)"]));
}

#[test]
fn a_run_that_ended_in_a_deadlock_is_actual_and_told_once() {
    assert_snapshot!(report(&["
        T1: req(A) acq(A)
        T2: req(B) acq(B)
        T1: req(B)
        T2: req(A)"]));
}

#[test]
fn a_read_that_must_see_a_write_keeps_the_sides_apart() {
    silent(
        "T1: acq(A) acq(B) rel(B) rel(A)
         T0: fork(T2)
         T2: acq(C) rel(C)",
    );
    let trace = "
        T1: acq(A) acq(B) rel(B) rel(A) w(X)
        T2: r(X) acq(B) acq(A) rel(A) rel(B)";
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Excluded));
}

#[test]
fn a_deadlock_that_needs_two_sections_turned_round_is_found() {
    // No order that keeps the acquisitions of M in place shows it.
    let trace = "
        T2: acq(M) rel(M)
        T1: acq(M) acq(A) acq(B) rel(B) rel(A) rel(M)
        T2: acq(B) acq(A) rel(A) rel(B)";
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Certain));
}

#[test]
fn the_verdict_is_the_same_each_time() {
    let trace = "
        # class: A1=A A2=A
        T1: acq(A1) acq(B) acq(C) rel(C) rel(B) rel(A1)
        T2: acq(C) acq(B) acq(A1) rel(A1) rel(B) rel(C)
        T3: acq(B) acq(A2) acq(C) rel(C) rel(A2) rel(B)";
    let first = report(&[trace]);
    for _ in 0..5 {
        assert_eq!(report(&[trace]), first);
    }
}

/// T1 keeps T0 from starting T2, which T1 waits for: nobody goes on, and no circle of threads is to be seen.
#[test]
fn whoever_is_never_started_ends_no_wait() {
    for (post, pend) in [("post(S)", "pend(S)"), ("barrier(M,2)", "barrier(M,2)")] {
        let trace = format!(
            "T0: fork(T1) acq(A) fork(T2) rel(A)
             T2: {post}
             T1: acq(A) {pend} rel(A)
             T0: join(T1) join(T2)"
        );
        let verdict = verdict_of(&[&trace]);
        let codes: Vec<Code> = verdict.findings.iter().map(|found| found.code).collect();
        assert_eq!(codes, [Code::Stall], "{trace}");
    }
}

#[test]
fn a_barrier_to_which_too_few_come_is_a_stall() {
    assert_snapshot!(report(&["
        T0: fork(T1)
        T1: barrier(G,2)
        T0: join(T1)"]));
}

#[test]
fn a_semaphore_to_which_nobody_posts_is_a_stall() {
    assert_snapshot!(report(&["
        T0: fork(T1)
        T1: pend(S)
        T0: join(T1)"]));
}

#[test]
fn threads_that_are_waited_for_at_one_place_are_one_problem() {
    let trace = "
        T0|fork(T1)|1
        T0|fork(T2)|1
        T0|acq(A)|2
        T1|acq(A)|3
        T1|rel(A)|4
        T2|acq(A)|3
        T2|rel(A)|4
        T0|join(T1)|5
        T0|join(T2)|5
        T0|rel(A)|6";
    let verdict = verdict_of(&[trace]);
    let [finding] = verdict.findings.as_slice() else {
        panic!("one finding: {:?}", verdict.findings);
    };
    assert_eq!(finding.certainty, Certainty::Certain);
    assert!(
        finding
            .reasons
            .iter()
            .any(|reason| reason.contains("the same was found"))
    );
}
