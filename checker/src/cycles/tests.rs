use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::graph::{self, OrderGraph};
use crate::history::History;
use crate::input::std_text;
use crate::limits::Limits;
use crate::trace::{LockId, RunId};

/// The graph of a text trace.
fn graph_of(text: &str) -> OrderGraph<LockId> {
    let evidence = std_text::read("t", text.as_bytes(), &Limits::default()).unwrap();
    let history = History::of(&evidence.runs[0]);
    graph::instances(
        RunId(0),
        &history,
        graph::Bounds {
            arcs_max: 10_000,
            far_steps_max: 1_000_000,
        },
    )
}

/// One request per thread: `ac` holds `a` exclusively and wants `c` so; `a>c`, `aRc` and so on say
/// otherwise. Locks are numbered by their letters.
fn trace(edges: &[(usize, usize, &str, &str)]) -> String {
    let mut text = String::new();
    for lock in 0..8 {
        writeln!(text, "T|acq(L{lock})|0\nT|rel(L{lock})|0").unwrap();
    }
    for (thread, (from, to, hold, want)) in edges.iter().enumerate() {
        writeln!(
            text,
            "T{thread}|{hold}(L{from})|1\nT{thread}|{want}(L{to})|2"
        )
        .unwrap();
        for (lock, way) in [(to, want), (from, hold)] {
            let release = if *way == "acq" { "rel" } else { "rrel" };
            writeln!(text, "T{thread}|{release}(L{lock})|3").unwrap();
        }
    }
    text
}

fn found(edges: &[(usize, usize, &str, &str)]) -> Vec<Vec<u32>> {
    let bounds = Bounds {
        cycles_max: 1_000,
        steps_max: 1_000_000,
        counted_max: 200_000,
    };
    let found = cycles(&graph_of(&trace(edges)), bounds);
    let cycles = found.cycles.into_iter();
    cycles
        .map(|c| c.into_iter().map(|lock| lock.0).collect())
        .collect()
}

#[test]
fn the_shortest_cycle_through_each_edge_is_found_once() {
    let w = "acq";
    let edges = [(0, 1, w, w), (1, 0, w, w), (1, 2, w, w), (2, 0, w, w)];
    assert_eq!(found(&edges), [vec![0, 1], vec![0, 1, 2]]);
}

#[test]
fn components_with_more_cycles_than_are_found_are_counted() {
    let w = "acq";
    let bounds = Bounds {
        cycles_max: 1_000,
        steps_max: 1_000_000,
        counted_max: 200_000,
    };
    let more = |edges: &[(usize, usize, &str, &str)]| cycles(&graph_of(&trace(edges)), bounds).more;
    // Two rings of two, a ring of three with a short cut: all that there is.
    assert_eq!(
        more(&[(0, 1, w, w), (1, 0, w, w), (2, 3, w, w), (3, 2, w, w)]),
        0
    );
    assert_eq!(
        more(&[(0, 1, w, w), (1, 0, w, w), (1, 2, w, w), (2, 0, w, w)]),
        0
    );
    // Of three locks in all orders the two long ways round are left out.
    let all: Vec<(usize, usize, &str, &str)> = (0..3)
        .flat_map(|from| (0..3).map(move |to| (from, to, "acq", "acq")))
        .filter(|(from, to, ..)| from != to)
        .collect();
    assert_eq!(found(&all).len(), 3);
    assert_eq!(more(&all), 1);
}

#[test]
fn an_order_has_no_cycle() {
    let w = "acq";
    assert!(found(&[(0, 1, w, w), (1, 2, w, w), (0, 2, w, w)]).is_empty());
}

#[test]
fn a_recursive_read_into_a_read_hold_does_not_block() {
    let (w, r, rr) = ("acq", "racq", "rracq");
    assert!(found(&[(0, 1, w, rr), (1, 0, r, w)]).is_empty());
    assert_eq!(found(&[(0, 1, w, rr), (1, 0, w, w)]), [vec![0, 1]]);
    assert_eq!(found(&[(0, 1, w, r), (1, 0, r, w)]), [vec![0, 1]]);
}

#[test]
fn a_weak_arrival_does_not_hide_a_strong_one() {
    let (w, r, rr) = ("acq", "racq", "rracq");
    // 1 is reached from 0 by a recursive read at once, and by a write over 3.
    let edges = [(0, 1, w, rr), (0, 3, w, w), (3, 1, w, w), (1, 0, r, w)];
    assert_eq!(found(&edges), [vec![0, 3, 1]]);
}

#[test]
fn what_is_left_out_is_counted() {
    let w = "acq";
    let edges = [(0, 1, w, w), (1, 0, w, w), (1, 2, w, w), (2, 1, w, w)];
    let graph = graph_of(&trace(&edges));
    let none = Bounds {
        cycles_max: 1_000,
        steps_max: 0,
        counted_max: 200_000,
    };
    assert_eq!(cycles(&graph, none).left_out, 4);
    let one = Bounds {
        cycles_max: 1,
        steps_max: 1_000,
        counted_max: 200_000,
    };
    let found = cycles(&graph, one);
    assert_eq!((found.cycles.len(), found.left_out > 0), (1, true));
}

/// All simple strong cycles, by trying all paths.
fn all_simple(edges: &[(usize, usize, &str, &str)]) -> BTreeSet<Vec<usize>> {
    fn walk(
        edges: &[(usize, usize, &str, &str)],
        path: &mut Vec<(usize, usize, String, String)>,
        found: &mut BTreeSet<Vec<usize>>,
    ) {
        let strong = |want: &str, hold: &str| want != "rracq" || hold == "acq";
        let last = path[path.len() - 1].clone();
        if last.1 == path[0].0 && strong(&last.3, &path[0].2) {
            found.insert(canonical(path.iter().map(|edge| edge.0).collect()));
        }
        for &(from, to, hold, want) in edges {
            let fresh = path.iter().all(|edge| edge.0 != from);
            if from == last.1 && fresh && strong(&last.3, hold) {
                path.push((from, to, hold.to_owned(), want.to_owned()));
                walk(edges, path, found);
                path.pop();
            }
        }
    }
    let mut found = BTreeSet::new();
    for &(from, to, hold, want) in edges {
        let mut path = vec![(from, to, hold.to_owned(), want.to_owned())];
        walk(edges, &mut path, &mut found);
    }
    found
}

proptest! {
    #[test]
    fn every_found_cycle_exists_and_with_writers_alone_every_cyclic_edge_has_one(
        edges in proptest::collection::vec(
            (0..5_usize, 0..5_usize, 0..2_usize, 0..3_usize), 1..14),
    ) {
        let edges: Vec<_> = edges
            .into_iter()
            .filter(|edge| edge.0 != edge.1)
            .map(|(a, b, hold, want)| (a, b, ["acq", "racq"][hold], ["acq", "racq", "rracq"][want]))
            .collect();
        let all = all_simple(&edges);
        let cycles: BTreeSet<Vec<usize>> = found(&edges)
            .into_iter()
            .map(|cycle| cycle.into_iter().map(|lock| lock as usize).collect())
            .collect();
        prop_assert!(cycles.is_subset(&all), "{cycles:?} {all:?}");
        if edges.iter().all(|edge| edge.3 != "rracq") {
            let on = |cycles: &BTreeSet<Vec<usize>>| -> BTreeSet<(usize, usize)> {
                cycles
                    .iter()
                    .flat_map(|c| c.iter().copied().zip(c.iter().copied().cycle().skip(1)))
                    .collect()
            };
            prop_assert_eq!(on(&cycles), on(&all));
        }
    }
}
