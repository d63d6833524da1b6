//! Which nodes of a large graph lie on cycles.
//!
//! Tarjan's algorithm (SIAM Journal on Computing 1, 1972) without recursion, over edges that lie row
//! after row in one vector: some ten bytes an edge, where petgraph's lists need more and are slower.

/// A node that was not visited yet.
const NEW: u32 = u32::MAX;

/// A node whose component is complete.
const DONE: u32 = u32::MAX - 1;

/// Per node, whether it lies on a cycle. `edges` is gone through twice; nodes are less than `nodes`.
pub(super) fn on_cycle(nodes: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Vec<bool> {
    let (starts, targets) = rows(nodes, edges);
    let mut on_cycle = vec![false; nodes];
    // When a node was met, and the least such number that it leads to within its component.
    let mut low = vec![NEW; nodes];
    let mut met = 0;
    let mut open: Vec<u32> = Vec::new();
    // The way to the node that is looked at, each with its number and the next edge to follow.
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
                way.push((node, met, starts[node as usize]));
                met += 1;
            }
            let Some((node, number, edge)) = way.last_mut() else {
                break;
            };
            let at = *node as usize;
            if *edge < starts[at + 1] {
                let target = targets[*edge] as usize;
                *edge += 1;
                on_cycle[at] |= target == at;
                match low[target] {
                    NEW => next = Some(targets[*edge - 1]),
                    DONE => {}
                    lower => low[at] = low[at].min(lower),
                }
                continue;
            }
            let (node, number) = (*node, *number);
            way.pop();
            let least = low[at];
            if let Some(&(above, ..)) = way.last() {
                let above = above as usize;
                // A component that is complete is below nobody.
                low[above] = low[above].min(if least == number { low[above] } else { least });
            }
            if least == number {
                let first = open.iter().rposition(|&other| other == node).unwrap_or(0);
                let several = open.len() - first > 1;
                for other in open.drain(first..) {
                    on_cycle[other as usize] |= several;
                    low[other as usize] = DONE;
                }
            }
        }
    }
    on_cycle
}

/// Where the targets of each node start, and all targets.
fn rows(nodes: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> (Vec<usize>, Vec<u32>) {
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
    (starts, targets)
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
        assert!(!on_cycle(count, way.clone()).contains(&true));
        assert!(!on_cycle(count, way.chain([(nodes - 1, 0)])).contains(&false));
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
            prop_assert_eq!(on_cycle(12, edges.iter().copied()), slow);
        }
    }
}
