use crate::finding::{Certainty, Finding};
use crate::input::bulk::{self, Kind};
use crate::input::std_text;
use crate::judge::judge;
use crate::limits::Limits;

/// What is far apart: more events than are seen together.
fn far() -> String {
    "T9|acq(Z)|90\nT9|rel(Z)|91\n".repeat(30)
}

/// Judges a trace of which twenty events are seen together.
fn judged(text: &str, limits: &Limits) -> (Vec<Finding>, Vec<String>) {
    let limits = Limits {
        kept_events: 0,
        window: 20,
        ..limits.clone()
    };
    let kind = Kind {
        label: "far",
        kept_max: 0,
        is_long: false,
        reentrant: false,
        is_alone: true,
    };
    let evidence = bulk::read(kind, &limits, |to| {
        Some(std_text::stream("far", text.as_bytes(), &limits, to))
    });
    let verdict = judge(&evidence.unwrap(), &limits);
    (verdict.findings, verdict.limits)
}

/// The certainty of the one cycle in these parts, which lie far apart.
fn certainty(parts: &[&str]) -> Certainty {
    let (findings, _) = judged(&parts.join(&far()), &Limits::default());
    let cycles = findings.iter();
    let mut cycles = cycles.filter(|finding| finding.message.contains("cycle"));
    let first = cycles.next().expect("the orders close a cycle");
    assert!(cycles.next().is_none(), "{findings:?}");
    first.certainty
}

const AB: &str = "T1|acq(A)|1\nT1|acq(B)|2\nT1|rel(B)|3\nT1|rel(A)|4\n";
const BA: &str = "T2|acq(B)|5\nT2|acq(A)|6\nT2|rel(A)|7\nT2|rel(B)|8\n";

#[test]
fn sides_of_a_deadlock_may_lie_at_any_distance() {
    assert_eq!(certainty(&[AB, BA]), Certainty::Certain);
    let ring = |thread: u8, first: &str, second: &str| {
        format!(
            "T{thread}|acq({first})|1\nT{thread}|acq({second})|2\n\
             T{thread}|rel({second})|3\nT{thread}|rel({first})|4\n"
        )
    };
    let ring = [ring(1, "A", "B"), ring(2, "B", "C"), ring(3, "C", "A")];
    let ring: Vec<&str> = ring.iter().map(String::as_str).collect();
    assert_eq!(certainty(&ring), Certainty::Certain);
}

#[test]
fn the_schedule_says_what_is_left_out_of_the_trace() {
    let (findings, _) = judged(&[AB, BA].join(&far()), &Limits::default());
    let reasons = findings[0].reasons.join("\n");
    assert!(
        reasons.contains(
            "begins after the first 65 events, which come in the order seen, but for those of T1 from \
             event 2 on and T2 from event 66 on"
        ),
        "{reasons}"
    );
}

#[test]
fn a_later_time_counts_where_the_first_does_not_do() {
    // What T2 reads first comes behind the first time, and before the second.
    let first = format!("{AB}T1|w(X)|9\n");
    let last = format!("T2|r(X)|9\n{}", far() + BA);
    assert_eq!(certainty(&[&first, AB, &last]), Certainty::Certain);
}

#[test]
fn what_one_side_needs_of_the_other_keeps_them_apart() {
    for (after, before) in [
        ("T1|w(X)|9\n", "T2|r(X)|9\n"),
        ("T1|post(S)|9\n", "T2|pend(S)|9\n"),
        ("T1|fork(T2)|9\n", ""),
        ("", "T2|join(T1)|9\n"),
        ("T1|barrier(M,2)|9\n", "T2|barrier(M,2)|9\n"),
        // By way of a third.
        ("T1|w(X)|9\n", "T3|r(X)|9\nT3|w(Y)|9\nT2|r(Y)|9\n"),
    ] {
        let (first, last) = (format!("{AB}{after}"), format!("{before}{BA}"));
        let certainty = certainty(&[&first, &last]);
        assert!(certainty < Certainty::Certain, "{after}{before}");
    }
}

#[test]
fn a_thread_that_passes_under_a_lock_held_aside_stands_too() {
    // T2 takes the lock that T1 holds on its way to its own half.
    let first = format!("T1|acq(G)|0\n{AB}T1|rel(G)|0\n");
    let last = format!("T2|acq(G)|0\nT2|rel(G)|0\n{BA}");
    assert!(certainty(&[&first, &last]) < Certainty::Certain);
}

#[test]
fn requests_beyond_the_limit_are_counted() {
    let limits = Limits {
        asides: 0,
        ..Limits::default()
    };
    let (findings, limits) = judged(&[AB, BA].join(&far()), &limits);
    assert_eq!(findings[0].certainty, Certainty::Possible);
    let told = "2 times a request on a cycle was not looked at for a proof at a distance";
    assert!(
        limits.iter().any(|limit| limit.contains(told)),
        "{limits:?}"
    );
}

#[test]
fn sides_that_come_close_and_cannot_meet_hide_none_that_are_far_apart() {
    // The first two times each waits for what the other has done, right beside it; the last time nobody waits.
    let told = |by: &str, to: &str, variable: &str| {
        format!("{by}|w({variable})|10\n{to}|r({variable})|11\n")
    };
    let beside = [
        AB,
        &told("T1", "T2", "X"),
        BA,
        &told("T2", "T1", "Y"),
        AB,
        &told("T1", "T2", "V"),
        BA,
        &told("T2", "T1", "W"),
        AB,
    ]
    .concat();
    assert_eq!(certainty(&[&beside, BA]), Certainty::Certain);
    let told_too = [&beside, told("T1", "T2", "U").as_str()].concat();
    assert_ne!(certainty(&[&told_too, BA]), Certainty::Certain);
}

#[test]
fn sides_at_any_distance_about_that_which_is_seen_together_are_proved() {
    for distance in 0..60 {
        let between = "T9|acq(Z)|90\nT9|rel(Z)|91\n".repeat(distance / 2)
            + if distance % 2 == 1 {
                "T9|w(V)|92\n"
            } else {
                ""
            };
        let (findings, limits) = judged(&[AB, &between, BA].concat(), &Limits::default());
        assert_eq!(
            findings[0].certainty,
            Certainty::Certain,
            "{distance}: {limits:?}"
        );
    }
}
