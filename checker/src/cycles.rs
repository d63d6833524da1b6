//! Cycles of a lock-order graph.
//!
//! Strongly connected components first (petgraph's, which does not recurse); within each, the
//! shortest cycle through each edge. That is at most one cycle an edge, where the number of all
//! cycles can be exponential, and it leaves no edge of any cycle unexplained.
//!
//! Modes count: a cycle is *strong* if each lock in it, as it is held by one side, can block the
//! side before. A recursive read waits only for an exclusive holder, so the search runs over states
//! (lock, arrived by a recursive read). Both states of a lock are visited in their own right, and
//! only after the mode filter; lockdep 6.1 visits each lock once and misses deadlocks.
//!
//! A shortest strong walk may pass a lock twice, once in each state. It is no cycle and is left out;
//! a cycle may still exist there, which the exhaustive search of [`crate::judge`] can find.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use lockwise::watch::Mode;
use petgraph::algo::kosaraju_scc;
use petgraph::visit::{EdgeFiltered, EdgeRef};

use crate::graph::{Edge, Modes, OrderGraph};

/// How far the search goes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Cycles that are kept.
    pub cycles_max: usize,
    /// Edges looked at, over all searches.
    pub steps_max: u64,
    /// Edges looked at to tell whether components have more cycles than those found.
    pub counted_max: u64,
}

/// What was found.
#[derive(Debug)]
pub struct Cycles<N> {
    /// Strong cycles, each once, its smallest node first; short ones first.
    pub cycles: Vec<Vec<N>>,
    /// The components of the edges that can be sides of cycles between different threads, nodes
    /// ascending.
    pub between: Vec<Vec<N>>,
    /// The components of all edges, nodes ascending.
    pub components: Vec<Vec<N>>,
    /// Edges of these components whose shortest cycle was not looked for, or not kept.
    pub left_out: u64,
    /// Components that have, or may have, more cycles than those found, whatever the modes are.
    pub more: u64,
}

/// Finds the shortest strong cycle through each edge.
///
/// Twice: first over the edges alone that can be sides of cycles between different threads. In the
/// whole graph a shortest cycle may run along the nested locks of one thread and say nothing, and
/// there may be so many of these that no search gets to the others.
pub fn cycles<N: Copy + Ord + Hash>(graph: &OrderGraph<N>, bounds: Bounds) -> Cycles<N> {
    let mut found = BTreeSet::new();
    let mut steps = bounds.steps_max;
    let between = components(graph, |edge| edge.apart);
    for component in &between {
        component.shortest(bounds.cycles_max, &mut steps, &mut found);
    }
    let components = components(graph, |_| true);
    let mut left_out = 0;
    for component in &components {
        left_out += component.shortest(bounds.cycles_max, &mut steps, &mut found);
    }
    let mut steps = bounds.counted_max;
    let more = components.iter().filter(|component| {
        let within = |cycle: &&Vec<N>| component.nodes.binary_search(&cycle[0]).is_ok();
        !component.is_ring()
            && component.has_more_than(found.iter().filter(within).count(), &mut steps)
    });
    let more = more.count() as u64;
    let mut cycles: Vec<Vec<N>> = found.into_iter().collect();
    cycles.sort_by_key(Vec::len);
    let nodes = |of: Vec<Component<N>>| of.into_iter().map(|c| c.nodes).collect();
    Cycles {
        cycles,
        between: nodes(between),
        components: nodes(components),
        left_out,
        more,
    }
}

/// The strongly connected components that such edges make, in the order of their nodes.
fn components<N: Copy + Ord + Hash>(
    graph: &OrderGraph<N>,
    such: fn(&Edge) -> bool,
) -> Vec<Component<N>> {
    let filtered = EdgeFiltered::from_fn(&graph.graph, |edge| such(edge.weight()));
    let mut components: Vec<Component<N>> = kosaraju_scc(&filtered)
        .into_iter()
        .filter_map(|nodes| Component::of(graph, such, nodes))
        .collect();
    components.sort_by(|a, b| a.nodes.cmp(&b.nodes));
    components
}

/// Turns a cycle so that its smallest node stands first.
pub fn canonical<N: Copy + Ord>(mut cycle: Vec<N>) -> Vec<N> {
    let first = (0..cycle.len()).min_by_key(|&at| cycle[at]).unwrap_or(0);
    cycle.rotate_left(first);
    cycle
}

/// The modes of an edge, as far as the search tells them apart: a bit per (held exclusively or not,
/// wanted by a recursive read or not).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kinds(u8);

impl Kinds {
    fn bit(exclusive: bool, recursive: bool) -> u8 {
        1 << (u8::from(exclusive) * 2 + u8::from(recursive))
    }

    fn of(modes: Modes) -> Self {
        Kinds(modes.pairs().fold(0, |bits, (held, want)| {
            bits | Self::bit(held.is_exclusive(), want == Mode::RecursiveShared)
        }))
    }

    /// Whether there is a way over this edge, from a lock that was reached by a recursive read or
    /// not, into such a lock.
    fn leads(self, from_recursive: bool, to_recursive: bool) -> bool {
        let exclusive = self.0 & Self::bit(true, to_recursive) != 0;
        let shared = self.0 & Self::bit(false, to_recursive) != 0;
        exclusive || (shared && !from_recursive)
    }
}

/// A strongly connected component with a cycle in it.
struct Component<N> {
    /// Ascending.
    nodes: Vec<N>,
    /// Per node, its edges within the component.
    out: Vec<Vec<(usize, Kinds)>>,
    /// Per node, the edges into it.
    into: Vec<Vec<(usize, Kinds)>>,
}

impl<N: Copy + Ord + Hash> Component<N> {
    fn of(
        graph: &OrderGraph<N>,
        such: fn(&Edge) -> bool,
        indices: Vec<petgraph::graph::NodeIndex>,
    ) -> Option<Self> {
        let mut indices = indices;
        indices.sort_by_key(|&index| graph.graph[index]);
        let at: HashMap<_, _> = indices.iter().copied().zip(0..).collect();
        let mut out = vec![Vec::new(); indices.len()];
        let mut into = vec![Vec::new(); indices.len()];
        for (from, &index) in indices.iter().enumerate() {
            for edge in graph.graph.edges(index).filter(|edge| such(edge.weight())) {
                if let Some(&to) = at.get(&edge.target()) {
                    let kinds = Kinds::of(edge.weight().modes);
                    out[from].push((to, kinds));
                    into[to].push((from, kinds));
                }
            }
        }
        if out.iter().all(Vec::is_empty) {
            return None;
        }
        for edges in out.iter_mut().chain(&mut into) {
            edges.sort_by_key(|&(node, _)| node);
        }
        Some(Component {
            nodes: indices.iter().map(|&index| graph.graph[index]).collect(),
            out,
            into,
        })
    }

    /// Whether it is one cycle and nothing else.
    fn is_ring(&self) -> bool {
        self.out.iter().map(Vec::len).sum::<usize>() == self.nodes.len()
    }

    /// Whether it has more than so many cycles; also if the steps are not enough to tell.
    fn has_more_than(&self, known: usize, steps: &mut u64) -> bool {
        let mut count = 0;
        for start in 0..self.nodes.len() {
            // Each cycle is met from its smallest node.
            let mut way = vec![(start, 0)];
            let mut on_way = HashSet::from([start]);
            while let Some((node, edge)) = way.last_mut() {
                let Some(&(to, _)) = self.out[*node].get(*edge) else {
                    on_way.remove(node);
                    way.pop();
                    continue;
                };
                *edge += 1;
                if *steps == 0 {
                    return true;
                }
                *steps -= 1;
                if to == start {
                    count += 1;
                    if count > known {
                        return true;
                    }
                } else if to > start && on_way.insert(to) {
                    way.push((to, 0));
                }
            }
        }
        false
    }

    /// Adds the shortest cycle through each edge; returns how many edges were left out.
    fn shortest(&self, cycles_max: usize, steps: &mut u64, found: &mut BTreeSet<Vec<N>>) -> u64 {
        if self.is_ring() {
            // One cycle, for which one search will do.
            return self.shortest_into(0, cycles_max, steps, found);
        }
        (0..self.nodes.len())
            .map(|to| self.shortest_into(to, cycles_max, steps, found))
            .sum()
    }

    /// The same for the edges into one node.
    fn shortest_into(
        &self,
        to: usize,
        cycles_max: usize,
        steps: &mut u64,
        found: &mut BTreeSet<Vec<N>>,
    ) -> u64 {
        let mut left_out = 0;
        if *steps == 0 || found.len() >= cycles_max {
            return self.into[to].len() as u64;
        }
        // From each of the two ways of arriving at `to`, if there is an edge that does.
        let searches = [false, true].map(|recursive| {
            self.into[to]
                .iter()
                .any(|&(_, kinds)| kinds.leads(false, recursive))
                .then(|| self.search(to, recursive, steps))
        });
        for &(from, kinds) in &self.into[to] {
            let Some(cycle) = self.close(from, kinds, &searches) else {
                continue;
            };
            if found.len() < cycles_max {
                found.insert(canonical(cycle));
            } else if !found.contains(&canonical(cycle)) {
                left_out += 1;
            }
        }
        left_out
    }

    /// Breadth-first from a state; per state, the state before it.
    fn search(&self, start: usize, recursive: bool, steps: &mut u64) -> Search {
        let mut before = HashMap::new();
        let start = State {
            node: start,
            recursive,
        };
        before.insert(start, start);
        let mut row = vec![start];
        while !row.is_empty() && *steps > 0 {
            let mut next_row = Vec::new();
            for state in row {
                for &(to, kinds) in &self.out[state.node] {
                    *steps = steps.saturating_sub(1);
                    for recursive in [false, true] {
                        let next = State {
                            node: to,
                            recursive,
                        };
                        // Arriving by another request allows all that a recursive read allows.
                        let weaker = recursive && kinds.leads(state.recursive, false);
                        if weaker || !kinds.leads(state.recursive, recursive) {
                            continue;
                        }
                        before.entry(next).or_insert_with(|| {
                            next_row.push(next);
                            state
                        });
                    }
                }
            }
            row = next_row;
        }
        Search { start, before }
    }

    /// The shortest cycle that an edge out of `from` into the start of `searches` closes.
    fn close(&self, from: usize, kinds: Kinds, searches: &[Option<Search>; 2]) -> Option<Vec<N>> {
        let mut best: Option<Vec<usize>> = None;
        for (arrives, leaves) in [(false, false), (false, true), (true, false), (true, true)] {
            if !kinds.leads(arrives, leaves) {
                continue;
            }
            let end = State {
                node: from,
                recursive: arrives,
            };
            let path = searches[usize::from(leaves)]
                .as_ref()
                .and_then(|search| search.path(end))
                .filter(|path| path.iter().collect::<HashSet<_>>().len() == path.len());
            if let Some(path) = path
                && best.as_ref().is_none_or(|best| path.len() < best.len())
            {
                best = Some(path);
            }
        }
        best.map(|path| path.iter().map(|&at| self.nodes[at]).collect())
    }
}

/// A lock, and how it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    node: usize,
    /// By a recursive read and nothing else.
    recursive: bool,
}

/// A finished breadth-first search.
struct Search {
    start: State,
    before: HashMap<State, State>,
}

impl Search {
    /// The nodes from the start to `end`.
    fn path(&self, end: State) -> Option<Vec<usize>> {
        let mut path = Vec::new();
        let mut here = end;
        while here != self.start {
            path.push(here.node);
            here = *self.before.get(&here)?;
        }
        path.push(self.start.node);
        path.reverse();
        Some(path)
    }
}

#[cfg(test)]
mod tests;
