//! Threads whose start was not seen, as those of a test harness: what can be proved of them.

use super::*;
use crate::trace::ThreadId;

/// The strongest certainty where the starts of these threads were not seen.
fn with_unseen(trace: &str, unseen: &[&str]) -> Option<Certainty> {
    let mut evidence = evidence_of(&[trace]);
    for thread in &mut evidence.runs[0].threads {
        thread.start_seen &= !unseen.contains(&thread.label.as_str());
    }
    strongest(&judge(&evidence, &Limits::default()))
}

#[test]
fn a_thread_and_one_that_it_starts_are_proved() {
    let trace = "
        T1: fork(T2)
        T1: acq(A) acq(B) rel(B) rel(A)
        T2: acq(B) acq(A) rel(A) rel(B)
        T1: join(T2)";
    assert_eq!(with_unseen(trace, &["T1"]), Some(Certainty::Certain));
}

#[test]
fn two_threads_that_one_starts_are_proved() {
    let trace = "
        T1: fork(T2) fork(T3)
        T2: acq(A) acq(B) rel(B) rel(A)
        T3: acq(B) acq(A) rel(A) rel(B)";
    assert_eq!(with_unseen(trace, &["T1"]), Some(Certainty::Certain));
}

#[test]
fn threads_of_two_tests_are_not_proved_however_they_were_started() {
    let trace = "
        T1: fork(T2)
        T2: acq(A) acq(B) rel(B) rel(A)
        T1: join(T2)
        T3: fork(T4)
        T4: acq(B) acq(A) rel(A) rel(B)
        T3: join(T4)";
    assert_eq!(with_unseen(trace, &["T1", "T3"]), Some(Certainty::Possible));
    assert_eq!(with_unseen(trace, &["T3"]), Some(Certainty::Possible));
    assert_eq!(with_unseen(trace, &[]), Some(Certainty::Certain));
}

#[test]
fn who_holds_a_lock_for_a_moment_does_not_matter_and_who_waits_then_does() {
    let trace = |other: &str| {
        format!(
            "
        T9: {other}
        T1: fork(T2)
        T1: acq(G) rel(G) acq(A) acq(B) rel(B) rel(A)
        T2: acq(B) acq(A) rel(A) rel(B)
        T9: {other}"
        )
    };
    let moment = trace("acq(G) rel(G)");
    assert_eq!(
        with_unseen(&moment, &["T1", "T9"]),
        Some(Certainty::Certain)
    );
    let waits = trace("acq(G) acq(H) rel(H) rel(G)");
    assert_eq!(
        with_unseen(&waits, &["T1", "T9"]),
        Some(Certainty::Possible)
    );
    assert_eq!(with_unseen(&waits, &[]), Some(Certainty::Certain));
}

#[test]
fn what_others_must_do_after_the_first_start_is_no_proof() {
    // T1 goes on only when T9 has posted, and T9 only when T1 has.
    let trace = "
        T1: fork(T2) post(S)
        T9: pend(S) post(R)
        T1: pend(R) acq(A) acq(B) rel(B) rel(A)
        T2: acq(B) acq(A) rel(A) rel(B)";
    assert_eq!(with_unseen(trace, &["T1"]), Some(Certainty::Possible));
    assert_eq!(with_unseen(trace, &[]), Some(Certainty::Certain));
}

#[test]
fn a_recursive_read_is_proved_with_a_writer_that_the_reader_started() {
    let trace = "
        T1: fork(T2) racq(L) racq(L) rrel(L) rrel(L)
        T2: acq(L) rel(L)";
    assert_eq!(with_unseen(trace, &["T1"]), Some(Certainty::Certain));
}

#[test]
fn a_join_under_a_lock_that_the_joined_thread_wants_is_proved() {
    let trace = "
        T1: fork(T2)
        T2: acq(L) rel(L)
        T1: acq(L) join(T2) rel(L)";
    assert_eq!(with_unseen(trace, &["T1"]), Some(Certainty::Certain));
}

#[test]
fn what_a_thread_does_after_it_was_woken_unseen_is_not_proved() {
    let trace = "
        T1: acq(A) acq(B) rel(B) rel(A)
        T2: acq(C) rel(C) acq(B) acq(A) rel(A) rel(B)";
    let woken = |before: usize| {
        let mut evidence = evidence_of(&[trace]);
        evidence.runs[0].woken_unseen.push((ThreadId(1), before));
        judge(&evidence, &Limits::default())
    };
    // Before the sections: its return may be what keeps them apart.
    for before in [4, 6, 7] {
        let verdict = woken(before);
        assert_eq!(strongest(&verdict), Some(Certainty::Possible), "{before}");
        let reasons = &verdict.findings[0].reasons;
        assert!(reasons.iter().any(|why| why.contains("T2 was parked")));
    }
    // After them it is no reason for anything.
    assert_eq!(strongest(&woken(8)), Some(Certainty::Certain));
}
