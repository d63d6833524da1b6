//! Lazy statics whose initialisers ask for each other, so that whoever asks first waits for itself.
//!
//! None of them can have its value before all others have theirs, and none can get it: it happens whenever one of
//! them is asked for.

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashMap;

use super::Order;
use crate::code::known::Waits;
use crate::code::names::Name;
use crate::code::program::Program;
use crate::code::solve::Solved;
use crate::code::summary::What;
use crate::code::trust::Trust;
use crate::code::value::Root;

/// The lazy statics that lie in such rings, and the first of each ring.
#[derive(Debug, Default)]
pub(super) struct Rings {
    of: FxHashMap<Name, Name>,
}

impl Rings {
    pub(super) fn of(program: &Program, solved: &Solved) -> Rings {
        let mut asks: DiGraph<Name, ()> = DiGraph::new();
        let lazies: Vec<(Name, Vec<Name>)> = program
            .lazies()
            .map(|(of, makers)| {
                let effects = makers.iter();
                let effects = effects.flat_map(|body| &solved.summaries[*body].effects);
                let asked = effects.filter_map(|effect| match &effect.what {
                    What::Wants(lock, Waits::First) if effect.trust == Trust::Sure => {
                        match lock.path.as_ref()?.root {
                            Root::Static(of) => Some(of),
                            _ => None,
                        }
                    }
                    _ => None,
                });
                (of, asked.collect())
            })
            .collect();
        let nodes: FxHashMap<Name, NodeIndex> = lazies
            .iter()
            .map(|(of, _)| (*of, asks.add_node(*of)))
            .collect();
        for (of, asked) in &lazies {
            for other in asked.iter().filter_map(|other| nodes.get(other)) {
                asks.update_edge(nodes[of], *other, ());
            }
        }
        let mut rings = Rings::default();
        for ring in tarjan_scc(&asks).into_iter().filter(|ring| ring.len() > 1) {
            let first = ring.iter().map(|node| asks[*node]);
            let Some(first) = first.min_by_key(|of| program.text(*of)) else {
                continue;
            };
            rings
                .of
                .extend(ring.iter().map(|node| (asks[*node], first)));
        }
        rings
    }

    /// The ring that an order leads round, by its first lazy static.
    pub(super) fn around(&self, order: &Order) -> Option<Name> {
        match order.held.lock.path.as_ref()?.root {
            Root::Static(of) if order.waits != Waits::Never => self.of.get(&of).copied(),
            _ => None,
        }
    }
}
