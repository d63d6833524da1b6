//! The first pass: which locks were wanted while which were held, and so which lie on cycles.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::Threads;
use crate::trace::{Ask, Event, LockId, Op, Run};

/// A hash of one number: keys are pairs of small numbers, and there may be hundreds of millions of
/// look-ups. Whoever wants to make them slow has written the trace.
#[derive(Debug, Default, Clone, Copy)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, number: u64) {
        let product = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}

/// All edges of a trace.
pub(super) struct Edges {
    threads: Threads,
    known: HashSet<u64, BuildHasherDefault<Spread>>,
    most: usize,
    /// Forks and joins, in order.
    pub(super) forks: Vec<Event>,
    /// Whether there was nothing but operations on locks, threads and data.
    pub(super) is_plain: bool,
    /// All events.
    pub(super) events: u64,
    /// Requests that made an edge too many.
    pub(super) left_out: u64,
}

impl Edges {
    pub(super) fn new(edges_max: usize) -> Self {
        Edges {
            threads: Threads::default(),
            known: HashSet::default(),
            most: edges_max,
            forks: Vec::new(),
            is_plain: true,
            events: 0,
            left_out: 0,
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        self.events += 1;
        match event.op {
            Op::Read { .. } | Op::Write { .. } => return,
            Op::Acquire {
                lock,
                ask: Ask::Wait,
                ..
            } => {
                for held in &self.threads.of(event.thread).held {
                    let edge = u64::from(held.lock.0) << 32 | u64::from(lock.0);
                    if self.known.len() < self.most {
                        self.known.insert(edge);
                    } else if !self.known.contains(&edge) {
                        self.left_out += 1;
                    }
                }
            }
            Op::Fork { .. } | Op::Join { .. } => self.forks.push(event.clone()),
            Op::Acquire { .. } | Op::Release { .. } | Op::Request { .. } | Op::End => {}
            _ => self.is_plain = false,
        }
        self.threads.follow(event);
    }

    /// Per lock, whether it lies on a cycle, or its class does.
    pub(super) fn suspects(&self, run: &Run) -> Vec<bool> {
        let class = |lock: LockId| run.locks[lock.at()].class.0;
        let ends = self.known.iter().map(|edge| {
            let lock = |number: u64| LockId(u32::try_from(number).expect("half of a word"));
            (class(lock(edge >> 32)), class(lock(edge & 0xffff_ffff)))
        });
        let graph: DiGraph<(), (), u32> = DiGraph::from_edges(ends);
        let mut on_cycle = vec![false; graph.node_count()];
        for component in kosaraju_scc(&graph) {
            let alone = component.len() == 1;
            for node in component {
                on_cycle[node.index()] = !alone || graph.contains_edge(node, node);
            }
        }
        let locks = run.locks.iter();
        locks
            .map(|lock| on_cycle.get(lock.class.at()).copied().unwrap_or(false))
            .collect()
    }
}
