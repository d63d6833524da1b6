use lockwise::watch::{Kind, Mode};

use super::Graph;
use crate::trace::{
    AcquireClass, Ask, Chain, Class, ClassId, Event, Evidence, Held, HeldId, HeldNode, Lock,
    LockId, Op, Run, Side, Site, SiteId, ThreadId,
};

/// Evidence with one lock for each class.
fn evidence(classes: &[&str]) -> Evidence {
    let locks = classes.iter().enumerate().map(|(at, label)| Lock {
        label: (*label).to_owned(),
        class: ClassId::from(at),
        kind: Kind::Mutex,
        rank: None,
        sendable: false,
        former: None,
    });
    Evidence {
        runs: vec![Run {
            locks: locks.collect(),
            ..Run::default()
        }],
        classes: classes
            .iter()
            .map(|label| Class {
                label: (*label).to_owned(),
                type_name: None,
                trusted: true,
            })
            .collect(),
        sites: vec![Site {
            file: "src/lib.rs".to_owned(),
            line: 3,
            column: 7,
            note: None,
        }],
        limits: Vec::new(),
        excerpts: Vec::new(),
    }
}

fn dot(evidence: &Evidence) -> String {
    let mut out = Vec::new();
    Graph::of(evidence).write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn event(thread: u32, op: Op) -> Event {
    Event {
        thread: ThreadId(thread),
        op,
        site: SiteId(0),
    }
}

fn acquire(thread: u32, lock: u32, ask: Ask) -> Event {
    let op = Op::Acquire {
        lock: LockId(lock),
        mode: Mode::Exclusive,
        ask,
        class: AcquireClass::default(),
    };
    event(thread, op)
}

fn release(thread: u32, lock: u32) -> Event {
    let op = Op::Release {
        lock: LockId(lock),
        side: Side::Held,
    };
    event(thread, op)
}

#[test]
fn a_cycle_is_red_and_what_leads_to_it_is_not() {
    let mut evidence = evidence(&["B", "A", "C \"quoted\\\""]);
    evidence.runs[0].events = vec![
        acquire(0, 2, Ask::Wait),
        acquire(0, 0, Ask::Wait),
        acquire(0, 1, Ask::Wait),
        release(0, 0),
        release(0, 1),
        release(0, 2),
        acquire(1, 1, Ask::Wait),
        acquire(1, 0, Ask::Wait),
    ];
    insta::assert_snapshot!(dot(&evidence));
}

#[test]
fn a_try_is_where_edges_start_and_never_where_they_end() {
    let mut evidence = evidence(&["A", "B", "C"]);
    evidence.runs[0].events = vec![
        acquire(0, 0, Ask::Wait),
        acquire(0, 1, Ask::Try),
        acquire(0, 2, Ask::Wait),
    ];
    let graph = Graph::of(&evidence);
    let ends: Vec<_> = graph
        .edges
        .iter()
        .map(|edge| (edge.from, edge.to))
        .collect();
    assert_eq!(ends, [(0, 2), (1, 2)]);
}

#[test]
fn chains_are_drawn_too_and_shared_orders_are_dashed() {
    let mut evidence = evidence(&["A", "B"]);
    let held = |lock| Held {
        lock: LockId(lock),
        mode: Mode::Shared,
        site: SiteId(0),
    };
    evidence.runs[0].held = vec![HeldNode {
        below: None,
        held: held(0),
    }];
    evidence.runs[0].chains = vec![Chain {
        thread: ThreadId(0),
        stretch: 0,
        held: Some(HeldId(0)),
        want: held(1),
        ask: Ask::Wait,
    }];
    assert!(dot(&evidence).contains("n0 -> n1 [label=\"src/lib.rs:3:7\", style=dashed];"));
}
