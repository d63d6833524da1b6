//! Which nodes of a large graph lie on cycles.
//!
//! Tarjan's algorithm (SIAM Journal on Computing 1, 1972) without recursion, over edges that lie row
//! after row in one vector: some ten bytes an edge, where petgraph's lists need more and are slower.
//! Where they are bits already ([`Bits`]), those to nodes that are done with are left out 64 at a time.

/// A node whose number was not given yet.
const NEW: u32 = u32::MAX;

/// What edges there are.
pub(super) trait Graph {
    /// Nodes are less than this.
    fn nodes(&self) -> usize;

    /// Where the edges of a node start.
    fn start(&self, node: usize) -> usize;

    /// The target of the next edge of a node that is not `done` with, at a place or behind it, and the
    /// place behind that.
    fn next(&self, node: usize, place: usize, done: &Done) -> Option<(u32, usize)>;
}

/// Edges one by one.
pub(super) struct Rows {
    /// Where the targets of each node start, and where those of the last one end.
    starts: Vec<usize>,
    targets: Vec<u32>,
}

impl Rows {
    /// `edges` is gone through twice; nodes are less than `nodes`.
    pub(super) fn new(nodes: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0_usize; nodes + 1];
        for (from, _) in edges.clone() {
            starts[from as usize + 1] += 1;
        }
        for at in 0..nodes {
            starts[at + 1] += starts[at];
        }
        let mut free = starts.clone();
        let mut targets = vec![0; starts[nodes]];
        for (from, to) in edges {
            targets[free[from as usize]] = to;
            free[from as usize] += 1;
        }
        Rows { starts, targets }
    }
}

impl Graph for Rows {
    fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    fn start(&self, node: usize) -> usize {
        self.starts[node]
    }

    fn next(&self, node: usize, place: usize, done: &Done) -> Option<(u32, usize)> {
        let mut targets = self.targets[place..self.starts[node + 1]].iter();
        let at = targets.position(|&target| !done.contains(target as usize))?;
        Some((self.targets[place + at], place + at + 1))
    }
}

/// Edges as bits, row after row, each of whole words.
pub(super) struct Bits<'b> {
    bits: &'b [u64],
    /// Words in a row.
    width: usize,
}

impl<'b> Bits<'b> {
    /// As many rows as a row has bits.
    pub(super) fn new(bits: &'b [u64], width: usize) -> Self {
        assert_eq!(bits.len(), width * width * 64, "a square");
        Bits { bits, width }
    }
}

impl Graph for Bits<'_> {
    fn nodes(&self) -> usize {
        self.width * 64
    }

    fn start(&self, _: usize) -> usize {
        0
    }

    fn next(&self, node: usize, place: usize, done: &Done) -> Option<(u32, usize)> {
        let row = &self.bits[node * self.width..][..self.width];
        let mut behind = u64::MAX << (place % 64);
        for (at, (word, done)) in row.iter().zip(&done.0).enumerate().skip(place / 64) {
            let left = word & !done & behind;
            if left != 0 {
                let target = at * 64 + left.trailing_zeros() as usize;
                let number = u32::try_from(target).expect("nodes have 32-bit numbers");
                return Some((number, target + 1));
            }
            behind = u64::MAX;
        }
        None
    }
}

/// The nodes whose component is complete.
pub(super) struct Done(Vec<u64>);

impl Done {
    fn contains(&self, node: usize) -> bool {
        self.0[node / 64] >> (node % 64) & 1 != 0
    }

    fn insert(&mut self, node: usize) {
        self.0[node / 64] |= 1 << (node % 64);
    }
}

/// Per node, whether it lies on a cycle.
pub(super) fn on_cycle(graph: &impl Graph) -> Vec<bool> {
    let nodes = graph.nodes();
    let mut on_cycle = vec![false; nodes];
    // When a node was met, and the least such number that it leads to within its component.
    let mut low = vec![NEW; nodes];
    let mut done = Done(vec![0; nodes.div_ceil(64)]);
    let mut met = 0;
    let mut open: Vec<u32> = Vec::new();
    // The way to the node that is looked at, each with its number and the place of its next edge.
    let mut way: Vec<(u32, u32, usize)> = Vec::new();
    for root in 0..nodes {
        if low[root] != NEW {
            continue;
        }
        let mut next = Some(u32::try_from(root).expect("nodes have 32-bit numbers"));
        loop {
            if let Some(node) = next.take() {
                low[node as usize] = met;
                open.push(node);
                way.push((node, met, graph.start(node as usize)));
                met += 1;
            }
            let Some((node, number, place)) = way.last_mut() else {
                break;
            };
            let at = *node as usize;
            if let Some((target, behind)) = graph.next(at, *place, &done) {
                *place = behind;
                on_cycle[at] |= target == *node;
                match low[target as usize] {
                    NEW => next = Some(target),
                    lower => low[at] = low[at].min(lower),
                }
                continue;
            }
            let (node, number) = (*node, *number);
            way.pop();
            let least = low[at];
            if least < number {
                // Whoever led here is of the same component.
                let above = way.last().map(|&(above, ..)| above as usize);
                let above = above.expect("the first node of a way leads to none before it");
                low[above] = low[above].min(least);
                continue;
            }
            let first = open.iter().rposition(|&other| other == node).unwrap_or(0);
            let several = open.len() - first > 1;
            for other in open.drain(first..) {
                on_cycle[other as usize] |= several;
                done.insert(other as usize);
            }
        }
    }
    on_cycle
}

#[cfg(test)]
mod tests {
    use petgraph::algo::kosaraju_scc;
    use petgraph::graph::DiGraph;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_way_does_not_overflow_the_stack() {
        let nodes = 300_000;
        let way = (0..nodes - 1).map(|node| (node, node + 1));
        let count = nodes as usize;
        assert!(!on_cycle(&Rows::new(count, way.clone())).contains(&true));
        let round = Rows::new(count, way.chain([(nodes - 1, 0)]));
        assert!(!on_cycle(&round).contains(&false));
    }

    proptest! {
        #[test]
        fn it_agrees_with_petgraph(
            edges in prop::collection::vec((0_u32..12, 0_u32..12), 0..30)
        ) {
            let mut graph: DiGraph<(), (), u32> = DiGraph::from_edges(edges.iter().copied());
            while graph.node_count() < 12 {
                graph.add_node(());
            }
            let mut slow = [false; 12];
            for component in kosaraju_scc(&graph) {
                let alone = component.len() == 1;
                for node in component {
                    slow[node.index()] = !alone || graph.contains_edge(node, node);
                }
            }
            prop_assert_eq!(on_cycle(&Rows::new(12, edges.iter().copied())), slow);
        }

        #[test]
        fn bits_are_edges_like_others(
            edges in prop::collection::vec((0_u32..128, 0_u32..128), 0..200)
        ) {
            let mut bits = vec![0; 128 * 2];
            for &(from, to) in &edges {
                bits[from as usize * 2 + to as usize / 64] |= 1 << (to % 64);
            }
            prop_assert_eq!(
                on_cycle(&Bits::new(&bits, 2)),
                on_cycle(&Rows::new(128, edges.iter().copied()))
            );
        }
    }
}
