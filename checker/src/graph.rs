//! The lock-order graph: `a -> b` stands where `b` was requested while `a` was held.
//!
//! There is one graph per run over lock instances, and one over all runs over lock classes. An edge
//! keeps every [`Arc`] that made it, so a rule can look at each thread, mode, site and gate lock.
//!
//! A request under `n` held locks is `n` edges. Where that would be too many in all ([`Bounds`]),
//! each request keeps the edges from the locks that it took last, down to the first that was taken
//! exclusively: older locks reach the wanted one through that, because they were held when it was
//! taken; of the older ones only those stay that can lie on a cycle between different threads
//! ([`apart`]). Try-acquired locks have no edge into them and recursive reads pass on no wait, so these
//! are never where it stops. (lockdep stops at them too and misses deadlocks.)

mod apart;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use lockwise::watch::Mode;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use self::apart::Apart;
use crate::history::{ChainId, Dependency, History, Link, Subclass, blocks_itself};
use crate::trace::{Evidence, LockId, RunId};

/// How much the graph may hold.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Arcs in all; beyond that, each request keeps the shortest sufficient part of its arcs.
    pub arcs_max: usize,
    /// Held locks looked at beyond these, over all requests of a run.
    pub far_steps_max: u64,
}

/// One reason for an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arc {
    /// In which run.
    pub run: RunId,
    /// The request, in [`History::dependencies`].
    pub dependency: u32,
    /// The held lock, in [`History::links`].
    pub link: ChainId,
}

/// The modes of an edge's arcs: which pairs of (held, wanted) there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modes(u32);

impl Modes {
    fn bit(held: Mode, want: Mode) -> u32 {
        1 << (held as u32 * 5 + want as u32)
    }

    fn add(&mut self, held: Mode, want: Mode) {
        self.0 |= Self::bit(held, want);
    }

    /// The pairs, in the order of the modes' numbers.
    pub fn pairs(self) -> impl Iterator<Item = (Mode, Mode)> {
        Mode::ALL
            .into_iter()
            .flat_map(|held| Mode::ALL.map(|want| (held, want)))
            .filter(move |&(held, want)| self.0 & Self::bit(held, want) != 0)
    }
}

/// An edge of the graph.
#[derive(Debug, Default, Clone)]
pub struct Edge {
    /// Why it is there, in the order seen; never empty.
    pub arcs: Vec<Arc>,
    /// The modes of all arcs.
    pub modes: Modes,
    /// Whether some arc of it can be a side of a cycle between different threads.
    pub apart: bool,
}

/// A lock-order graph over instances ([`LockId`]) or classes ([`Subclass`]).
#[derive(Debug)]
pub struct OrderGraph<N> {
    /// The graph itself.
    pub graph: DiGraph<N, Edge>,
    node_of: HashMap<N, NodeIndex>,
    edge_of: HashMap<(NodeIndex, NodeIndex), EdgeIndex>,
    /// Arcs that were left out to stay within [`Bounds`].
    pub left_out: u64,
    /// Arcs that there are.
    arcs: usize,
}

impl<N> Default for OrderGraph<N> {
    fn default() -> Self {
        OrderGraph {
            graph: DiGraph::default(),
            node_of: HashMap::new(),
            edge_of: HashMap::new(),
            left_out: 0,
            arcs: 0,
        }
    }
}

impl<N: Copy + Ord + Hash> OrderGraph<N> {
    /// All arcs out of a node into nodes that are `inside`, the greatest node first.
    pub fn arcs_from(&self, from: N, inside: impl Fn(N) -> bool) -> Vec<(N, Arc)> {
        let Some(&from) = self.node_of.get(&from) else {
            return Vec::new();
        };
        let edges = self.graph.edges(from);
        let mut arcs: Vec<(N, Arc)> = edges
            .map(|edge| (self.graph[edge.target()], edge))
            .filter(|&(to, _)| inside(to))
            .flat_map(|(to, edge)| edge.weight().arcs.iter().map(move |&arc| (to, arc)))
            .collect();
        arcs.sort_by_key(|&arc| std::cmp::Reverse(arc));
        arcs
    }

    /// The edge between two nodes.
    pub fn edge(&self, from: N, to: N) -> Option<&Edge> {
        let ends = (*self.node_of.get(&from)?, *self.node_of.get(&to)?);
        self.edge_of.get(&ends).map(|&edge| &self.graph[edge])
    }

    fn add(&mut self, from: N, to: N, arc: Arc, (held, want): (Mode, Mode), apart: bool) {
        self.arcs += 1;
        let (from, to) = (self.node(from), self.node(to));
        let edge = *self
            .edge_of
            .entry((from, to))
            .or_insert_with(|| self.graph.add_edge(from, to, Edge::default()));
        let edge = &mut self.graph[edge];
        edge.arcs.push(arc);
        edge.modes.add(held, want);
        edge.apart |= apart;
    }

    fn node(&mut self, node: N) -> NodeIndex {
        *self
            .node_of
            .entry(node)
            .or_insert_with(|| self.graph.add_node(node))
    }

    /// Adds an edge for each held lock of each request that `ends` finds to make one.
    fn fill(
        &mut self,
        run: RunId,
        history: &History,
        apart: &Apart,
        bounds: Bounds,
        ends: impl Fn(&Dependency, &Link) -> Option<(N, N)>,
    ) {
        let depths = depths(history);
        let total: u64 = history
            .dependencies
            .iter()
            .map(|d| u64::from(depths[d.chain.at()]))
            .sum();
        let deepest = match usize::try_from(total) {
            Ok(total) if total <= bounds.arcs_max => u64::MAX,
            _ => (bounds.arcs_max / 4 / history.dependencies.len().max(1)).max(8) as u64,
        };
        // Which lock was asked for under which chain: there are edges into it from all below.
        let asked: HashSet<(ChainId, LockId)> = history
            .dependencies
            .iter()
            .map(|d| (d.chain, d.want.lock))
            .collect();
        let mut far_steps = 0_u64;
        for (at, dependency) in history.dependencies.iter().enumerate() {
            let number = u32::try_from(at).expect("a dependency has a 32-bit number");
            let add = |graph: &mut Self, chain, link: &Link| {
                if let Some((from, to)) = ends(dependency, link) {
                    let arc = Arc {
                        run,
                        dependency: number,
                        link: chain,
                    };
                    let modes = (link.held.mode, dependency.want.mode);
                    let meets = apart.meets(dependency, link.held.lock);
                    graph.add(from, to, arc, modes, meets);
                }
            };
            let mut sufficient = false;
            let mut kept = 0;
            let mut here = dependency.chain;
            while here != ChainId::EMPTY && (kept < deepest || !sufficient) {
                let link = &history.links[here.at()];
                sufficient |=
                    link.held.mode.is_exclusive() && asked.contains(&(link.below, link.held.lock));
                add(self, here, link);
                kept += 1;
                here = link.below;
            }
            // Where not all pairs fit, those that can be part of a cycle between threads are kept
            // at any distance.
            self.left_out += u64::from(depths[here.at()]);
            while here != ChainId::EMPTY && apart.wants(dependency) {
                here = apart.nearest(here);
                if here == ChainId::EMPTY
                    || far_steps >= bounds.far_steps_max
                    || self.arcs >= bounds.arcs_max
                {
                    break;
                }
                far_steps += 1;
                let link = &history.links[here.at()];
                if apart.meets(dependency, link.held.lock) {
                    self.left_out -= 1;
                    add(self, here, link);
                }
                here = link.below;
            }
        }
    }
}

/// The graph of one run over its lock instances.
pub fn instances(run: RunId, history: &History, bounds: Bounds) -> OrderGraph<LockId> {
    let mut graph = OrderGraph::default();
    let apart = Apart::of(history, bounds.far_steps_max);
    graph.fill(run, history, &apart, bounds, |dependency, link| {
        let ends = (link.held.lock, dependency.want.lock);
        (ends.0 != ends.1).then_some(ends)
    });
    graph
}

/// The graph over the classes of all runs.
///
/// A class whose locks are not known to be of one kind is left out. An edge from a class to itself
/// stands only where two instances can block each other and no lock orders them (`nest`).
pub fn classes(evidence: &Evidence, histories: &[History], bounds: Bounds) -> OrderGraph<Subclass> {
    let mut graph = OrderGraph::default();
    let trusted = |class: Subclass| evidence.classes[class.class.at()].trusted;
    for (at, history) in histories.iter().enumerate() {
        let shared = Apart::shared(history);
        graph.fill(
            RunId::from(at),
            history,
            &shared,
            bounds,
            |dependency, link| {
                if !trusted(link.class) || !trusted(dependency.class) {
                    return None;
                }
                let (held, want) = (link.held, dependency.want);
                if held.lock == want.lock {
                    // The instance rules have this, unless the classes differ by a `sub` mark.
                    let other =
                        link.class != dependency.class && blocks_itself(held.mode, want.mode);
                    return other.then_some((link.class, dependency.class));
                }
                let in_order = link.class == dependency.class
                    && (dependency.nested_in_order || !held.mode.may_block(want.mode));
                (!in_order).then_some((link.class, dependency.class))
            },
        );
    }
    graph
}

/// Per chain, its length.
fn depths(history: &History) -> Vec<u32> {
    let mut depths = vec![0_u32; history.links.len()];
    // A chain has a greater number than the one below it.
    for at in 1..depths.len() {
        depths[at] = depths[history.links[at].below.at()] + 1;
    }
    depths
}

#[cfg(test)]
mod tests;
