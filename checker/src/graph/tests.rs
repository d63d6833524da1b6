use std::ops::Range;

use super::*;
use crate::input::std_text;
use crate::limits::Limits;

/// The edges of a text trace as `AB`, in order.
fn edges(text: &str, arcs_max: usize) -> (Vec<String>, u64) {
    let evidence = std_text::read("t", text.as_bytes(), &Limits::default()).unwrap();
    let run = &evidence.runs[0];
    let graph = instances(RunId(0), &History::of(run), bounds(arcs_max));
    let name = |node| run.locks[LockId::at(graph.graph[node])].label.clone();
    let mut edges: Vec<String> = graph
        .graph
        .edge_references()
        .map(|edge| name(edge.source()) + &name(edge.target()))
        .collect();
    edges.sort();
    (edges, graph.left_out)
}

fn bounds(arcs_max: usize) -> Bounds {
    Bounds {
        arcs_max,
        far_steps_max: 1_000_000,
    }
}

/// One acquisition of each of these locks.
fn each(locks: Range<u32>, op: &str) -> String {
    let lines = locks.map(|lock| format!("T1|{op}(L{lock})|1\n"));
    lines.collect::<Vec<_>>().concat()
}

#[test]
fn there_is_an_edge_from_every_held_lock() {
    let text = "T1|acq(A)|1\nT1|acq(B)|2\nT1|acq(C)|3\n";
    assert_eq!(
        edges(text, 100),
        (["AB", "AC", "BC"].map(String::from).to_vec(), 0)
    );
}

#[test]
fn no_edge_leads_into_a_try() {
    let text = "T1|acq(A)|1\nT1|tryacq(B)|2\nT1|acq(C)|3\n";
    assert_eq!(edges(text, 100).0, ["AC", "BC"]);
}

#[test]
fn a_deep_nest_keeps_its_nearest_edges_and_counts_the_rest() {
    let deep = each(0..100, "acq");
    let (kept, left_out) = edges(&deep, 1_000);
    // Eight for each of a hundred requests, less what the first have not got.
    assert_eq!(kept.len(), 8 * 100 - 36);
    assert_eq!(kept.len() as u64 + left_out, 100 * 99 / 2);
}

#[test]
fn a_deep_nest_is_not_cut_where_nothing_leads_through() {
    // Tries have no edge into them, and recursive reads pass no wait on: the far lock stays paired.
    let tries = each(0..50, "tryacq");
    let reads = each(50..90, "rracq");
    let (kept, _) = edges(&format!("T1|acq(A)|1\n{tries}{reads}T1|acq(Z)|2\n"), 100);
    assert!(kept.contains(&"AZ".to_owned()), "{kept:?}");
}

#[test]
fn of_a_deep_nest_only_what_another_thread_takes_the_other_way_round_can_meet() {
    // The other threads take all of the locks one by one, and two of them nested.
    let singly = (0..100).map(|lock| format!("T0|acq(L{lock})|1\nT0|rel(L{lock})|1\n"));
    let singly = singly.collect::<Vec<_>>().concat();
    let across = "T2|acq(L90)|1\nT2|acq(L7)|1\nT2|rel(L7)|1\nT2|rel(L90)|1\n";
    let text = singly + &each(0..100, "acq") + &each(0..100, "rel") + across;
    let evidence = std_text::read("t", text.as_bytes(), &Limits::default()).unwrap();
    let run = &evidence.runs[0];
    let history = History::of(run);
    let graph = instances(RunId(0), &history, bounds(1_000));
    let mut apart: Vec<String> = graph
        .graph
        .edge_references()
        .filter(|edge| edge.weight().apart)
        .map(|edge| {
            let name = |node| &run.locks[LockId::at(graph.graph[node])].label;
            format!("{} {}", name(edge.source()), name(edge.target()))
        })
        .collect();
    apart.sort();
    assert_eq!(apart, ["L7 L90", "L90 L7"]);
}
