//! What text traces cannot say: runs without events, threads that were running before, and limits.

use super::case::SHARE_MIN;
use super::*;
use crate::limits::Limits;
use crate::trace::{
    Ask, Asked, Chain, Class, ClassId, Held, HeldId, HeldNode, Lock, LockId, Op, Part, Reported,
    Run, Site, SiteId, Thread, ThreadId,
};
use lockwise::watch::{Kind, Mode};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const INVERSION: &str = "
    T1: acq(A) acq(B) rel(B) rel(A)
    T2: acq(B) acq(A) rel(A) rel(B)";

#[test]
fn a_thread_whose_start_was_not_seen_is_never_certain() {
    let mut evidence = evidence_of(&[INVERSION]);
    evidence.runs[0].threads[0].start_seen = false;
    let verdict = judge(&evidence, &Limits::default());
    assert_eq!(strongest(&verdict), Some(Certainty::Possible));
    assert!(
        verdict.findings[0]
            .reasons
            .iter()
            .any(|r| r.contains("start of thread T1"))
    );
}

/// A run of level `order`: thread 0 holds lock 0 and wants 1, thread 1 the other way round.
pub(super) fn chains() -> Evidence {
    let held = |lock| Held {
        lock: LockId(lock),
        mode: Mode::Exclusive,
        site: SiteId(0),
    };
    let chain = |thread, holds: Option<u32>, want| Chain {
        thread: ThreadId(thread),
        stretch: 0,
        held: holds.map(HeldId),
        want: held(want),
        ask: Ask::Wait,
    };
    let thread = |label: &str| Thread {
        label: label.to_owned(),
        name: None,
        started_in: None,
        start_seen: true,
        end_seen: true,
    };
    let lock = |label: &str, class| Lock {
        label: label.to_owned(),
        class: ClassId(class),
        kind: Kind::Mutex,
        rank: None,
        sendable: false,
        former: None,
    };
    let class = |label: &str, trusted| Class {
        label: label.to_owned(),
        type_name: None,
        trusted,
    };
    Evidence {
        runs: vec![Run {
            label: "order".to_owned(),
            threads: vec![thread("T0"), thread("T1")],
            locks: vec![lock("a", 0), lock("b", 1)],
            chains: vec![
                chain(0, None, 0),
                chain(0, Some(0), 1),
                chain(1, None, 1),
                chain(1, Some(1), 0),
            ],
            held: [0, 1]
                .map(|lock| HeldNode {
                    below: None,
                    held: held(lock),
                })
                .to_vec(),
            ..Run::default()
        }],
        classes: vec![class("A", true), class("B", true)],
        sites: vec![Site {
            file: "src/x.rs".to_owned(),
            line: 3,
            column: 7,
            note: None,
        }],
        limits: Vec::new(),
        excerpts: Vec::new(),
    }
}

#[test]
fn a_run_without_events_is_at_most_possible() {
    let verdict = judge(&chains(), &Limits::default());
    let [finding] = verdict.findings.as_slice() else {
        panic!("{verdict:?}");
    };
    assert_eq!(finding.certainty, Certainty::Possible);
    let site = finding.cycle[0]
        .holds
        .as_ref()
        .map(|held| held.site.as_str());
    assert_eq!(site, Some("src/x.rs:3:7"));
    assert!(finding.reasons.iter().any(|r| r.contains("level `trace`")));
}

#[test]
fn classes_that_lie_are_judged_by_instance_alone() {
    let mut evidence = chains();
    // Halves on different instances of classes that mean nothing.
    for class in &mut evidence.classes {
        class.trusted = false;
    }
    let again = evidence.runs[0].locks.clone();
    evidence.runs[0].locks.extend(again);
    evidence.runs[0].held[1].held.lock = LockId(3);
    evidence.runs[0].chains[3].want.lock = LockId(2);
    let verdict = judge(&evidence, &Limits::default());
    assert!(verdict.findings.is_empty(), "{verdict:?}");
}

/// Two inversions of four locks that std made, at other lines, as `numbers` of first use call them:
/// where the first side waits, with the fingerprint.
fn fingerprints_of_locks_made_in_std(numbers: [u32; 4]) -> BTreeMap<String, String> {
    let mut evidence = chains();
    evidence.classes = vec![Class {
        label: "Mutex<u8>".to_owned(),
        type_name: Some("u8".to_owned()),
        trusted: false,
    }];
    let run = &mut evidence.runs[0];
    run.locks = numbers
        .map(|number| Lock {
            label: format!("Mutex<u8>#{number}"),
            class: ClassId(0),
            ..run.locks[0].clone()
        })
        .to_vec();
    evidence.sites = [3, 4, 13, 14]
        .map(|line| Site {
            line,
            ..evidence.sites[0].clone()
        })
        .to_vec();
    let mut more = run.chains.clone();
    for chain in &mut more {
        chain.thread = ThreadId(chain.thread.0 + 2);
        chain.want.lock = LockId(chain.want.lock.0 + 2);
        chain.held = chain.held.map(|held| HeldId(held.0 + 2));
    }
    run.chains.extend(more);
    let held = run.held.clone();
    run.held.extend(held);
    for (at, node) in (0..).zip(&mut run.held) {
        node.held.lock = LockId(at);
        node.held.site = SiteId(at);
    }
    for chain in &mut run.chains {
        chain.want.site = SiteId(chain.want.lock.0);
    }
    let threads = run.threads.clone();
    run.threads.extend(threads);
    let verdict = judge(&evidence, &Limits::default());
    let findings = verdict.findings.iter().map(|finding| {
        let held = finding.cycle[0].holds.as_ref().unwrap();
        let Some(Wants::Lock(want)) = &finding.cycle[0].wants else {
            panic!("{finding:?}");
        };
        let places = BTreeSet::from([&held.site, &want.site]);
        (format!("{places:?}"), finding.fingerprint.clone())
    });
    findings.collect()
}

#[test]
fn fingerprints_do_not_depend_on_which_lock_made_in_std_is_used_first() {
    let seen = fingerprints_of_locks_made_in_std([1, 2, 3, 4]);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen.values().collect::<BTreeSet<_>>().len(), 2);
    for numbers in [[2, 1, 3, 4], [3, 4, 1, 2], [4, 3, 2, 1], [7, 2, 9, 1]] {
        assert_eq!(fingerprints_of_locks_made_in_std(numbers), seen);
    }
}

#[test]
fn locks_made_in_std_that_are_nested_at_one_place_are_one_problem() {
    // Each of eight shards is taken inside each other one, at the same two lines.
    let mut evidence = chains();
    evidence.classes[0].trusted = false;
    let run = &mut evidence.runs[0];
    let lock = run.locks[0].clone();
    run.locks = (0..8)
        .map(|number| Lock {
            label: format!("A#{number}"),
            ..lock.clone()
        })
        .collect();
    let chain = run.chains[1].clone();
    let held = run.held[0];
    run.chains.clear();
    run.held.clear();
    for outer in 0..8 {
        run.held.push(HeldNode {
            held: Held {
                lock: LockId(outer),
                ..held.held
            },
            ..held
        });
        for inner in (0..8).filter(|inner| *inner != outer) {
            run.chains.push(Chain {
                thread: ThreadId(outer % 2),
                held: Some(HeldId(outer)),
                want: Held {
                    lock: LockId(inner),
                    ..chain.want
                },
                ..chain
            });
        }
    }
    let verdict = judge(&evidence, &Limits::default());
    assert_eq!(verdict.findings.len(), 1, "{verdict:?}");
    let told = verdict.findings[0].reasons.iter();
    let told: Vec<_> = told.filter(|r| r.contains("the same was found")).collect();
    assert_eq!(told.len(), 1);
}

#[test]
fn what_a_sent_guard_may_release_is_at_most_possible() {
    let again = "
        T1: acq(A) acq(A)";
    let mut evidence = evidence_of(&[again]);
    assert!(strongest(&judge(&evidence, &Limits::default())) > Some(Certainty::Possible));
    evidence.runs[0].locks[0].sendable = true;
    let verdict = judge(&evidence, &Limits::default());
    assert_eq!(strongest(&verdict), Some(Certainty::Possible));
    assert!(
        verdict
            .findings
            .iter()
            .all(|found| found.witness.is_empty())
    );
    // What the runtime reported and stopped is no surer.
    let mut evidence = chains();
    evidence.runs[0].chains.clear();
    let held = evidence.runs[0].held[0].held;
    evidence.runs[0].reported.push(Reported {
        code: "LW0002".to_owned(),
        nobody_runs: false,
        sides: vec![Part {
            thread: ThreadId(0),
            holds: Some(held),
            wants: Asked::Lock(held),
        }],
        message: "it waits for itself".to_owned(),
    });
    let verdict = judge(&evidence, &Limits::default());
    assert_eq!(strongest(&verdict), Some(Certainty::Certain));
    evidence.runs[0].locks[0].sendable = true;
    let verdict = judge(&evidence, &Limits::default());
    assert_eq!(strongest(&verdict), Some(Certainty::Possible));
}

#[test]
fn who_went_on_when_all_were_through_joins_them_under_any_lock() {
    let certainty = |of_first: &str| {
        let counted = format!(
            "
        T1: fork(T2) fork(T3)
        T2: {of_first}
        T1: acq(M) rel(M) wait(M)
        T3: acq(M) notify(M) rel(M)
        T1: acq(M) rel(M) acq(H) join(T2) rel(H)"
        );
        let mut evidence = evidence_of(&[&counted]);
        evidence.runs[0].complete = false;
        strongest(&judge(&evidence, &Limits::default()))
    };
    // The count under M is what T1 waits for, and T2 counts when it is through with H.
    assert_eq!(
        certainty("acq(H) rel(H) acq(M) rel(M)"),
        Some(Certainty::Possible)
    );
    // T1 may be told so before T2 asks for H.
    assert_eq!(
        certainty("acq(M) rel(M) acq(H) rel(H)"),
        Some(Certainty::Certain)
    );
    assert_eq!(certainty("acq(H) rel(H)"), Some(Certainty::Certain));
}

#[test]
fn a_recorded_wait_is_not_moved_behind_its_wake_up() {
    let lost = "
        T1: acq(M) rel(M) wait(M)
        T2: acq(M) notify(M) rel(M)
        T1: acq(M) rel(M)";
    let mut evidence = evidence_of(&[lost]);
    assert_eq!(judge(&evidence, &Limits::default()).findings.len(), 1);
    // In a recorded program T1 waited because T2 had not been there: data decides, and is not seen.
    evidence.runs[0].complete = false;
    let verdict = judge(&evidence, &Limits::default());
    assert!(verdict.findings.is_empty(), "{verdict:?}");
}

#[test]
fn the_clock_ends_a_wait_only_where_it_did() {
    let judged = |trace| {
        let mut evidence = evidence_of(&[trace]);
        evidence.runs[0].complete = false;
        for event in &mut evidence.runs[0].events {
            if let Op::WaitBegin { timed, .. } = &mut event.op {
                *timed = true;
            }
        }
        judge(&evidence, &Limits::default())
    };
    // T1 was woken, and goes on as T2 has said under the lock that it is through.
    let woken = "
        T1: fork(T2) acq(M) rel(M) wait(M)
        T2: acq(M) notify(M) rel(M)
        T1: acq(M) join(T2) rel(M)";
    let verdict = judged(woken);
    assert_ne!(
        strongest(&verdict),
        Some(Certainty::Certain),
        "{verdict:#?}"
    );
    // T1 goes on because its time is over.
    let ran_out = "
        T1: fork(T2) acq(M) rel(M) wait(M)
        T2: acq(M) rel(M)
        T1: acq(M) join(T2) rel(M)";
    assert_eq!(strongest(&judged(ran_out)), Some(Certainty::Certain));
}

#[test]
fn a_search_that_is_cut_short_says_so() {
    let none = Limits {
        proof_steps: 0,
        search_events: 0,
        searches: 0,
        ..Limits::default()
    };
    let verdict = judge(&evidence_of(&[INVERSION]), &none);
    assert_eq!(strongest(&verdict), Some(Certainty::Possible));
    assert_eq!(verdict.limits.len(), 1);
    assert!(verdict.limits[0].contains("not searched exhaustively"));
}

#[test]
fn ten_thousand_locks_held_at_once_in_two_orders_are_still_judged() {
    let mut text = String::new();
    for (thread, up) in [("T1", true), ("T2", false)] {
        let order: Vec<u32> = if up {
            (0..10_000).collect()
        } else {
            (0..10_000).rev().collect()
        };
        for lock in &order {
            writeln!(text, "{thread}|acq(L{lock})|in").unwrap();
        }
        for lock in &order {
            writeln!(text, "{thread}|rel(L{lock})|out").unwrap();
        }
    }
    let evidence = std_text::read("deep", text.as_bytes(), &Limits::default()).unwrap();
    let small = Limits {
        arcs: 200_000,
        cycles: 50,
        ..Limits::default()
    };
    let verdict = judge(&evidence, &small);
    assert_eq!(strongest(&verdict), Some(Certainty::Certain));
    assert!(!verdict.limits.is_empty());
}

#[test]
fn a_request_that_had_to_wait_hides_no_proof() {
    // As in a recorded program: T2 has to wait for B before it gets it.
    let waited = "
        T1: acq(A) acq(B)
        T2: req(B)
        T1: rel(B) rel(A)
        T2: acq(B) acq(A) rel(A) rel(B)";
    let no_search = Limits {
        search_events: 0,
        searches: 0,
        ..Limits::default()
    };
    let verdict = judge(&evidence_of(&[waited]), &no_search);
    assert_eq!(strongest(&verdict), Some(Certainty::Certain), "{verdict:?}");
}

#[test]
fn a_cycle_between_threads_is_not_lost_among_ten_thousand_locks_that_one_thread_holds() {
    // Every lock is used by two threads, and the two that matter are far apart in the middle.
    let lines = |thread: u32, op: &str, locks: &[u32]| -> String {
        let lines = locks.iter().map(|l| format!("T{thread}|{op}(L{l})|x\n"));
        lines.collect::<Vec<_>>().concat()
    };
    let all: Vec<u32> = (0..10_000).collect();
    let mut text = String::new();
    for lock in all.iter().rev() {
        writeln!(text, "T0|acq(L{lock})|1\nT0|rel(L{lock})|1").unwrap();
    }
    text += &(lines(1, "acq", &all) + &lines(1, "rel", &all));
    text += &(lines(2, "acq", &[5_000, 400]) + &lines(2, "rel", &[400, 5_000]));
    let evidence = std_text::read("far", text.as_bytes(), &Limits::default()).unwrap();
    let small = Limits {
        arcs: 100_000,
        ..Limits::default()
    };
    let verdict = judge(&evidence, &small);
    assert_eq!(strongest(&verdict), Some(Certainty::Certain));
    assert_eq!(verdict.findings[0].cycle.len(), 2);
}

#[test]
fn a_deadlock_behind_shorter_cycles_of_one_thread_each_is_found_too() {
    // The shortest cycle through each edge of X, Y and Z is closed by one thread alone, while X and
    // W show a deadlock in the same component.
    let verdict = verdict_of(&["
        T1: acq(X) acq(Y) rel(Y) rel(X) acq(Y) acq(X) rel(X) rel(Y)
        T2: acq(Y) acq(Z) rel(Z) rel(Y) acq(Z) acq(Y) rel(Y) rel(Z)
        T3: acq(Z) acq(X) rel(X) rel(Z) acq(X) acq(Z) rel(Z) rel(X)
        T4: acq(X) acq(W) rel(W) rel(X)
        T5: acq(W) acq(X) rel(X) rel(W)"]);
    let certain = verdict.findings.iter();
    let mut certain: Vec<usize> = certain
        .filter(|finding| finding.certainty == Certainty::Certain)
        .map(|finding| finding.cycle.len())
        .collect();
    certain.sort_unstable();
    assert_eq!(certain, [2, 3, 3], "{verdict:?}");
}

#[test]
fn a_chain_of_two_thousand_threads_is_one_cycle() {
    let count = 2_000;
    let mut text = String::new();
    for at in 0..count {
        let next = (at + 1) % count;
        writeln!(
            text,
            "T{at}|acq(L{at})|1\nT{at}|acq(L{next})|2\nT{at}|rel(L{next})|3\nT{at}|rel(L{at})|4"
        )
        .unwrap();
    }
    let evidence = std_text::read("ring", text.as_bytes(), &Limits::default()).unwrap();
    let verdict = judge(&evidence, &Limits::default());
    assert_eq!(verdict.findings.len(), 1);
    assert_eq!(strongest(&verdict), Some(Certainty::Certain));
    assert_eq!(verdict.findings[0].cycle.len(), count);
}

#[test]
fn a_search_of_waits_that_stops_at_its_share_is_told() {
    let waits = "
        T2: post(S) acq(L) rel(L)
        T1: pend(S) acq(L) rel(L)";
    let locks = "
        T2: acq(L) acq(M) rel(M) rel(L)
        T1: acq(L) rel(L)";
    let told = |traces: &[&str], bounds: &Limits| -> Vec<String> {
        let mut evidence = evidence_of(traces);
        for run in &mut evidence.runs {
            run.complete = false;
        }
        let limits = judge(&evidence, bounds).limits;
        let of_waits = limits
            .into_iter()
            .filter(|limit| limit.contains("wait-words"));
        of_waits.collect()
    };
    let all = Limits::default();
    assert_eq!(told(&[waits, locks], &all), [""; 0], "it came to its end");
    let few = Limits {
        search_words: 10,
        ..Limits::default()
    };
    let limits = told(&[waits, waits, locks], &few);
    assert_eq!(limits.len(), 1);
    assert!(limits[0].starts_with("all runs: 2 programs"), "{limits:?}");
    let short = Limits {
        search_events: 3,
        ..Limits::default()
    };
    let limits = told(&[waits, locks], &short);
    assert!(limits[0].starts_with("all runs: 1 programs"), "{limits:?}");
    assert_eq!(told(&[locks; 2], &few), [""; 0], "nobody waits");
}

#[test]
fn recorded_programs_share_what_searches_cost_and_those_that_merely_wait_have_less() {
    let waits = "
        T2: post(S)
        T1: pend(S)";
    let under_lock = "
        T2: post(S)
        T1: acq(L) pend(S) rel(L)";
    let words = |traces: &[&str], complete| -> Vec<u64> {
        let mut evidence = evidence_of(traces);
        for run in &mut evidence.runs {
            run.complete = complete;
        }
        let all = Limits::default();
        let case = Case::new(&evidence, &all);
        case.runs.iter().map(|run| run.search_words).collect()
    };
    let all = Limits::default();
    let few = all.wait_words;
    assert_eq!(words(&[waits; 2], true), [all.search_words; 2]);
    assert_eq!(
        words(&[waits, under_lock, waits], false),
        [few / 2, all.search_words, few / 2]
    );
    assert_eq!(
        words(&[under_lock; 8], false),
        [all.search_words_all / 8; 8]
    );
    // Of many each has some.
    assert_eq!(words(&[waits; 26], false), [SHARE_MIN; 26]);
}
