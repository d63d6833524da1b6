//! Inputs that are known to be a part of what happened: nothing is proved by what is missing.

use super::*;
use crate::limits::Limits;

fn read_with(text: &str, limits: &Limits) -> Evidence {
    std_text::read("t", text.as_bytes(), limits).unwrap()
}

fn long(trace: &str, window: u64) -> Verdict {
    judge(
        &long_evidence_of(&spread(trace), window),
        &Limits::default(),
    )
}

fn certainty(text: &str) -> Option<Certainty> {
    strongest(&judge(
        &read_with(text, &Limits::default()),
        &Limits::default(),
    ))
}

/// T0 gives B back in the end, so T3 comes to post.
const POSTED_IN_THE_END: &str = "
    T2: acq(A) rel(A) post(S)
    T3: acq(B) rel(B) post(S)
    T1: acq(A) pend(S) rel(A)
    T0: acq(B) w(X) w(X) rel(B)";

/// The same with a barrier.
const MET_IN_THE_END: &str = "
    T0: fork(T1) fork(T2) fork(T3)
    T2: acq(A) rel(A)
    T3: acq(B) rel(B) barrier(M,2)
    T1: acq(A) barrier(M,2) rel(A)
    T0: acq(B) w(X) w(X) rel(B)";

#[test]
fn who_holds_a_lock_where_a_part_ends_goes_on() {
    for trace in [POSTED_IN_THE_END, MET_IN_THE_END] {
        for window in 10..30 {
            let strongest = strongest(&long(trace, window));
            assert!(strongest < Some(Certainty::Certain), "{window}: {trace}");
        }
    }
}

#[test]
fn who_holds_a_lock_where_the_limit_on_events_is_reached_goes_on() {
    for events in 8..13 {
        let limits = Limits {
            events,
            ..Limits::default()
        };
        let evidence = read_with(&spread(POSTED_IN_THE_END), &limits);
        let strongest = strongest(&judge(&evidence, &Limits::default()));
        assert!(strongest < Some(Certainty::Certain), "{events}");
    }
}

#[test]
fn who_holds_a_lock_where_the_text_is_cut_off_goes_on() {
    let text = spread(POSTED_IN_THE_END);
    let cut = &text[..text.rfind("(B)").unwrap()];
    assert!(certainty(cut) < Some(Certainty::Certain));
}

#[test]
fn an_inversion_in_front_of_a_cut_is_still_certain() {
    let text = spread(
        "T1: acq(A) acq(B) rel(B) rel(A)
         T2: acq(B) acq(A) rel(A) rel(B)",
    );
    assert_eq!(certainty(&format!("{text}T1|ac")), Some(Certainty::Certain));
}

#[test]
fn a_line_that_may_have_been_anything_leaves_no_proof() {
    let inversion = |between: &str| {
        format!(
            "T0|fork(T1)|1\nT1|acq(A)|2\nT1|acq(B)|3\n{between}\nT1|rel(B)|4\nT1|rel(A)|5\n\
             T2|acq(B)|6\nT2|acq(A)|7\nT2|rel(A)|8\nT2|rel(B)|9\n"
        )
    };
    assert_eq!(certainty(&inversion("")), Some(Certainty::Certain));
    for between in [
        "T1|r#l(A|3",
        "T2|f@rk(T2)|3",
        "T1|rxl(A)|3",
        "T2|ac",
        "T0|j(1)|3",
    ] {
        let strongest = certainty(&inversion(between));
        assert_eq!(strongest, Some(Certainty::Possible), "{between}");
    }
    // What is on nothing that others are on is of another kind.
    for between in [
        "T1|enter(main)|3",
        "# T1|rxl(A)|3",
        "T1|alloc(40)|7",
        "others' words",
    ] {
        let strongest = certainty(&inversion(between));
        assert_eq!(strongest, Some(Certainty::Certain), "{between}");
    }
}

#[test]
fn a_lock_taken_again_behind_a_release_that_is_not_understood_is_no_proof() {
    let text = "T1|acq(A)|2\nT1|r#l(A|3\nT1|acq(A)|4\nT1|rel(A)|5\n";
    assert_eq!(certainty(text), Some(Certainty::Possible));
}

#[test]
fn a_request_at_the_end_of_a_long_trace_is_an_order() {
    let trace = "
        T1: acq(A) acq(B) rel(B) rel(A)
        T2: acq(B) req(A)";
    assert_eq!(strongest(&long(trace, 20)), Some(Certainty::Certain));
    assert_eq!(strongest(&verdict_of(&[trace])), Some(Certainty::Certain));
}

#[test]
fn a_wait_that_came_back_before_it_was_notified_proves_nothing_in_long_traces() {
    let trace = "
        T0: fork(T1) fork(T2)
        T2: acq(B) acq(A) rel(A) rel(B)
        T1: acq(M) wait(CV,M) rel(M) acq(A) acq(B) rel(B) rel(A)
        T2: acq(M) notify(CV) rel(M)
        T0: join(T1) join(T2)";
    for window in 4..40 {
        let strongest = strongest(&long(trace, window));
        assert!(strongest < Some(Certainty::Certain), "{window}");
    }
}
