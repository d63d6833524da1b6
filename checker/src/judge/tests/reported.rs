//! What the runtime reported, as it comes out.

use super::evidence::chains;
use super::*;
use crate::limits::Limits;
use crate::trace::{Asked, Part, Reported, Resource, ResourceId, ThreadId};
use lockwise::watch::Kind;

#[test]
fn what_the_runtime_reported_comes_out_as_it_was() {
    let mut evidence = chains();
    let holds = evidence.runs[0].chains[1].want;
    let want = evidence.runs[0].held[0].held;
    evidence.runs[0].reported.push(Reported {
        code: "LW0005".to_owned(),
        nobody_runs: false,
        sides: vec![Part {
            thread: ThreadId(0),
            holds: Some(holds),
            wants: Asked::Lock(want),
        }],
        message: "rank 1 is not above rank 2".to_owned(),
    });
    let verdict = judge(&evidence, &Limits::default());
    let violation = &verdict.findings[0];
    assert_eq!(violation.code, Code::OrderViolation);
    assert_eq!(violation.certainty, Certainty::Actual);
    assert_eq!(
        violation.message,
        "T0 asks for a while holding b: rank 1 is not above rank 2"
    );
}

/// All threads of the process wait: one for a channel with a lock, one for that lock, and so many for the next
/// job.
fn all_wait(idle: usize) -> Evidence {
    let mut evidence = chains();
    let run = &mut evidence.runs[0];
    run.chains.clear();
    let channel = |label: &str| Resource {
        label: label.to_owned(),
        kind: Kind::Channel,
        units: 0,
        tells_end: false,
    };
    run.resources = vec![channel("answers"), channel("jobs")];
    let held = run.held[0].held;
    let at = |resource, thread| Part {
        thread: ThreadId(thread),
        holds: None,
        wants: Asked::Resource(ResourceId(resource), held.site),
    };
    let wants_lock = Part {
        wants: Asked::Lock(held),
        ..at(0, 1)
    };
    let with_lock = Part {
        holds: Some(held),
        ..at(0, 0)
    };
    let mut sides = vec![with_lock, wants_lock];
    sides.extend(std::iter::repeat_n(at(1, 1), idle));
    run.reported.push(Reported {
        code: "LW0001".to_owned(),
        nobody_runs: true,
        message: vec!["one waits"; sides.len()].join("; "),
        sides,
    });
    evidence
}

#[test]
fn where_all_wait_each_that_has_a_part_in_it_is_told() {
    let verdict = judge(&all_wait(0), &Limits::default());
    let [deadlock] = &verdict.findings[..] else {
        panic!("{verdict:?}");
    };
    assert_eq!(
        deadlock.message,
        "all threads wait for ever, and nobody is left to wake one: T0 waits for channel answers; \
         T1 waits for a, which T0 holds"
    );
    assert_eq!(deadlock.cycle.len(), 2);
    assert_eq!(
        deadlock.advice,
        ["let go of a before this wait: whoever would end it needs that"]
    );
    assert_eq!(
        deadlock.reasons,
        ["the program itself noticed it while it ran"]
    );
}

#[test]
fn who_waits_beside_those_is_no_side_of_it() {
    let alone = judge(&all_wait(0), &Limits::default());
    for idle in [1, 3] {
        let verdict = judge(&all_wait(idle), &Limits::default());
        let deadlock = &verdict.findings[0];
        assert_eq!(deadlock.fingerprint, alone.findings[0].fingerprint);
        assert_eq!(deadlock.cycle, alone.findings[0].cycle);
        // That they wait too is said all the same.
        assert!(deadlock.reasons[0].ends_with("one waits"), "{deadlock:?}");
    }
}

#[test]
fn where_nobody_holds_anything_all_are_told_once_for_each_place() {
    let mut evidence = all_wait(3);
    evidence.runs[0].reported[0].sides.drain(..2);
    let verdict = judge(&evidence, &Limits::default());
    assert_eq!(verdict.findings[0].cycle.len(), 1, "{verdict:?}");
    // Who waits for the end of one that has no other part.
    let wants = Asked::End(ThreadId(1), evidence.runs[0].held[0].held.site);
    let joins = Part {
        thread: ThreadId(0),
        holds: None,
        wants,
    };
    evidence.runs[0].reported[0].sides.push(joins);
    let verdict = judge(&evidence, &Limits::default());
    let threads = verdict.findings[0].cycle.iter();
    let threads: Vec<&str> = threads.map(|side| side.thread.as_str()).collect();
    assert_eq!(threads, ["T1", "T0"], "{verdict:?}");
}

#[test]
fn a_deadlock_of_which_one_side_is_known_is_not_left_to_the_dependencies() {
    let mut evidence = chains();
    evidence.runs[0].chains.clear();
    for site in &mut evidence.sites {
        site.file = "/home/me/.cargo/registry/src/index.crates.io-1/a-1.0.0/src/lib.rs".to_owned();
    }
    let reported = |code: &str| Reported {
        code: code.to_owned(),
        nobody_runs: true,
        sides: vec![Part {
            thread: ThreadId(0),
            holds: None,
            wants: Asked::Lock(evidence.runs[0].held[0].held),
        }],
        message: String::from("all wait"),
    };
    let of_the_process = reported("LW0001");
    let of_one_thread = reported("LW0005");
    for (reported, inside) in [(of_the_process, false), (of_one_thread, true)] {
        evidence.runs[0].reported = vec![reported];
        let verdict = judge(&evidence, &Limits::default());
        assert_eq!(verdict.findings[0].in_dependencies, inside, "{verdict:?}");
    }
}
