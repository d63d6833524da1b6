//! The lock-order graph as DOT, the language of Graphviz.
//!
//! A node is a lock class, an edge `a -> b` says that a `b` was requested while an `a` was held. Edges
//! that lie on a cycle are red. Only order is drawn: whether a cycle can deadlock is what reports say.
//!
//! ```text
//! T1: acq A, acq B      A --> B
//! T2: acq B, acq A      A <-- B      both red
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use lockwise::watch::Mode;
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use crate::trace::{Ask, ClassId, Evidence, Held, LockId, Op, Run, SiteId, ThreadId};

/// A lock-order graph, ready to be drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// The classes, by label.
    pub nodes: Vec<Node>,
    /// The edges between them, each once.
    pub edges: Vec<Edge>,
}

/// A lock class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its label.
    pub label: String,
    /// The protected type, where known.
    pub type_name: Option<String>,
}

/// An order that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The class held, in [`Graph::nodes`].
    pub from: usize,
    /// The class requested, in [`Graph::nodes`].
    pub to: usize,
    /// Where it was requested first.
    pub site: String,
    /// Whether all of it happened in shared modes.
    pub shared: bool,
    /// Whether the edge lies on a cycle.
    pub on_cycle: bool,
}

/// What is collected of one edge.
struct Seen {
    site: SiteId,
    shared: bool,
}

/// All edges between classes.
#[derive(Default)]
struct Edges(BTreeMap<(ClassId, ClassId), Seen>);

impl Graph {
    /// The graph of everything that was seen, at class level.
    pub fn of(evidence: &Evidence) -> Graph {
        let mut edges = Edges::default();
        for run in &evidence.runs {
            edges.add_chains(run);
            edges.add_events(run);
        }
        let mut used: Vec<ClassId> = evidence
            .runs
            .iter()
            .flat_map(|run| run.locks.iter().map(|lock| lock.class))
            .collect();
        used.sort_unstable_by_key(|class| (&evidence.classes[class.at()].label, *class));
        used.dedup();
        let place: BTreeMap<ClassId, usize> = used.iter().copied().zip(0..).collect();
        let mut graph = Graph {
            nodes: used
                .iter()
                .map(|class| &evidence.classes[class.at()])
                .map(|class| Node {
                    label: class.label.clone(),
                    type_name: class.type_name.clone(),
                })
                .collect(),
            edges: edges
                .0
                .iter()
                .map(|((from, to), seen)| Edge {
                    from: place[from],
                    to: place[to],
                    site: site(evidence, seen.site),
                    shared: seen.shared,
                    on_cycle: false,
                })
                .collect(),
        };
        graph.edges.sort_by_key(|edge| (edge.from, edge.to));
        graph.mark_cycles();
        graph
    }

    /// Marks the edges inside strongly connected components.
    fn mark_cycles(&mut self) {
        let mut order = DiGraph::<(), ()>::new();
        let nodes: Vec<_> = self.nodes.iter().map(|_| order.add_node(())).collect();
        for edge in &self.edges {
            order.add_edge(nodes[edge.from], nodes[edge.to], ());
        }
        let mut component = vec![0; self.nodes.len()];
        for (number, members) in tarjan_scc(&order).into_iter().enumerate() {
            for member in members {
                component[member.index()] = number;
            }
        }
        for edge in &mut self.edges {
            edge.on_cycle = component[edge.from] == component[edge.to];
        }
    }

    /// Writes the graph.
    ///
    /// # Errors
    ///
    /// Whatever `out` returns.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "digraph lock_order {{")?;
        writeln!(out, "  rankdir=LR;")?;
        writeln!(out, "  node [shape=box, fontname=\"monospace\"];")?;
        writeln!(out, "  edge [fontname=\"monospace\", fontsize=10];")?;
        for (number, node) in self.nodes.iter().enumerate() {
            let label = match &node.type_name {
                Some(name) => format!("{}\\n{}", escaped(&node.label), escaped(name)),
                None => escaped(&node.label),
            };
            writeln!(out, "  n{number} [label=\"{label}\"];")?;
        }
        for edge in &self.edges {
            let mut attributes = format!("label=\"{}\"", escaped(&edge.site));
            if edge.shared {
                attributes.push_str(", style=dashed");
            }
            if edge.on_cycle {
                attributes.push_str(", color=red, penwidth=2");
            }
            writeln!(out, "  n{} -> n{} [{attributes}];", edge.from, edge.to)?;
        }
        writeln!(out, "}}")
    }
}

impl Edges {
    fn add(&mut self, run: &Run, held: Held, want: Held) {
        // Taking the very same lock again is no order between two locks.
        if held.lock == want.lock {
            return;
        }
        let class = |lock: LockId| run.locks[lock.at()].class;
        let shared = held.mode.is_shared() && want.mode.is_shared();
        self.0
            .entry((class(held.lock), class(want.lock)))
            .and_modify(|seen| seen.shared &= shared)
            .or_insert(Seen {
                site: want.site,
                shared,
            });
    }

    fn add_chains(&mut self, run: &Run) {
        for chain in run.chains.iter().filter(|chain| chain.ask == Ask::Wait) {
            for held in run.held_in(chain) {
                self.add(run, held, chain.want);
            }
        }
    }

    /// Replays the events with what each thread holds.
    fn add_events(&mut self, run: &Run) {
        let mut all_held: BTreeMap<ThreadId, Vec<Held>> = BTreeMap::new();
        for event in &run.events {
            let held = all_held.entry(event.thread).or_default();
            let (lock, mode, ask) = match event.op {
                Op::Acquire {
                    lock, mode, ask, ..
                } => (lock, mode, ask),
                Op::WaitEnd { lock, .. } => (lock, Mode::Exclusive, Ask::Wait),
                Op::Release { lock, .. } | Op::WaitBegin { lock, .. } => {
                    if let Some(at) = held.iter().rposition(|held| held.lock == lock) {
                        held.remove(at);
                    }
                    continue;
                }
                _ => continue,
            };
            let want = Held {
                lock,
                mode,
                site: event.site,
            };
            if ask == Ask::Wait {
                for held in held.iter() {
                    self.add(run, *held, want);
                }
            }
            held.push(want);
        }
    }
}

/// A site as text.
fn site(evidence: &Evidence, site: SiteId) -> String {
    let site = &evidence.sites[site.at()];
    match (site.line, site.column) {
        (0, _) => site.file.clone(),
        (line, 0) => format!("{}:{line}", site.file),
        (line, column) => format!("{}:{line}:{column}", site.file),
    }
}

/// The text inside a quoted DOT string; control characters would break the line or the reader.
fn escaped(text: &str) -> String {
    crate::report::printable(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}

#[cfg(test)]
mod tests;
