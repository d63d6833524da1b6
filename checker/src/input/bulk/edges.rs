//! The first pass: which locks were wanted while which were held, and so which lie on cycles.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::Threads;
use crate::input::quick::QuickSet;
use crate::trace::{Ask, Event, LockId, Op, Run};

/// Locks with smaller numbers than this have their pairs in bits: eight megabytes at most.
const NEAR: u32 = 8_192;

/// Sets the bit of a pair.
fn note(near: &mut Vec<Vec<u64>>, held: LockId, want: LockId) {
    if near.len() <= held.at() {
        near.resize_with(held.at() + 1, Vec::new);
    }
    let row = &mut near[held.at()];
    let word = want.at() / 64;
    if row.len() <= word {
        row.resize(word + 1, 0);
    }
    row[word] |= 1 << (want.0 % 64);
}

/// Whether a row has the bit of a lock.
fn has(row: &[u64], lock: u32) -> bool {
    let word = row.get(lock as usize / 64);
    word.is_some_and(|word| word >> (lock % 64) & 1 == 1)
}

/// All edges of a trace.
pub(super) struct Edges {
    threads: Threads,
    /// Per lock with a small number that was held, a bit for each such lock that was wanted then.
    near: Vec<Vec<u64>>,
    /// The pairs with a greater number.
    far: QuickSet<u64>,
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
            near: Vec::new(),
            far: QuickSet::default(),
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
                    if held.lock.0.max(lock.0) < NEAR {
                        note(&mut self.near, held.lock, lock);
                        continue;
                    }
                    let edge = u64::from(held.lock.0) << 32 | u64::from(lock.0);
                    if self.far.len() < self.most {
                        self.far.insert(edge);
                    } else if !self.far.contains(&edge) {
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
        let lock = |number: u64| LockId(u32::try_from(number).expect("half of a word"));
        let far = self.far.iter();
        let far = far.map(|edge| (lock(edge >> 32), lock(edge & 0xffff_ffff)));
        let near = self.near.iter().enumerate().flat_map(|(held, row)| {
            let wanted = (0..NEAR).filter(|&lock| has(row, lock));
            wanted.map(move |lock| (LockId::from(held), LockId(lock)))
        });
        let ends = near
            .chain(far)
            .map(|(held, want)| (class(held), class(want)));
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
