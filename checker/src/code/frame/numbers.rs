//! Variables that have one value: the numbers of elements.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{Definition, Frame};
use crate::code::ir::{BlockId, Local, Operand, Rvalue, Statement};
use crate::code::value::{Path, Root, Step, Value};

impl Frame<'_> {
    /// Whether a variable gets its value at one place.
    pub(crate) fn is_assigned_once(&self, local: Local) -> bool {
        matches!(
            self.definitions.get(local as usize),
            Some(Definition::Statement(..) | Definition::Call(_))
        )
    }

    /// The number that a variable always has.
    pub(super) fn number(&self, local: Local) -> Option<u64> {
        let Definition::Statement(block, at) = *self.definitions.get(local as usize)? else {
            return None;
        };
        match &self.body.blocks[block as usize].statements[at] {
            Statement::Assign(_, Rvalue::Use(Operand::Number(number))) => Some(*number),
            _ => None,
        }
    }

    /// The step to the element whose number or key is in this variable.
    pub(super) fn element_at(&self, local: Local) -> Step {
        if let Some(number) = self.number(local) {
            return Step::Element(number);
        }
        // A key is asked for by reference.
        let (Value::At(path) | Value::To(path)) = self.value_of(local) else {
            return Step::Index;
        };
        let stays = match (path.root, &path.steps[..]) {
            (Root::Parameter(_), [] | [Step::Deref]) => !self.is_exclusive(&path),
            (Root::Local(variable), []) => match self.definitions.get(variable as usize) {
                Some(Definition::Statement(block, _) | Definition::Call(block)) => {
                    !self.runs_again(*block)
                }
                _ => false,
            },
            (Root::Call(block), []) => !self.runs_again(block),
            _ => false,
        };
        if !stays || self.is_changed(&path) {
            return Step::Index;
        }
        let root = Path::at(path.root);
        Step::Chosen(self.program.names.of(&format!("{root:?}")))
    }

    /// Whether what is behind a parameter can be changed while the function runs.
    fn is_exclusive(&self, path: &Path) -> bool {
        let Root::Parameter(number) = path.root else {
            return false;
        };
        !path.steps.is_empty()
            && crate::code::text::is_exclusive_reference(&self.program.text(self.type_of(number)))
    }

    /// Whether a variable is borrowed for itself alone, or a part of it is assigned.
    pub(super) fn is_changed(&self, path: &Path) -> bool {
        let local = match path.root {
            Root::Parameter(local) | Root::Local(local) => local,
            Root::Call(block) => match self.call_at(block) {
                Some((_, _, result)) => result.local,
                None => return true,
            },
            Root::Static(_) => return true,
        };
        let changed = self.changed.get_or_init(|| self.find_changed());
        changed.get(local as usize).is_none_or(|changed| *changed)
    }

    /// The variables that are borrowed for themselves alone, or of which a part is assigned.
    fn find_changed(&self) -> Vec<bool> {
        let mut changed = vec![false; self.body.types.len()];
        let mut change = |local: Local| {
            if let Some(changed) = changed.get_mut(local as usize) {
                *changed = true;
            }
        };
        let statements = self.body.statements();
        for statement in statements {
            let Statement::Assign(place, rvalue) = statement else {
                continue;
            };
            if !place.is_whole() {
                change(place.local);
            }
            if let Rvalue::Borrow(of) = rvalue
                && crate::code::text::is_exclusive_reference(
                    &self.program.text(self.type_of(place.local)),
                )
            {
                change(of.local);
            }
        }
        changed
    }

    /// Whether a block lies in a loop.
    pub(super) fn runs_again(&self, block: BlockId) -> bool {
        let again = self.again.get_or_init(|| self.find_loops());
        again.get(block as usize).is_none_or(|again| *again)
    }

    /// The blocks that lie in loops.
    fn find_loops(&self) -> Vec<bool> {
        let blocks = &self.body.blocks;
        let mut ways: DiGraph<(), ()> = DiGraph::with_capacity(blocks.len(), blocks.len());
        let nodes: Vec<NodeIndex> = blocks.iter().map(|_| ways.add_node(())).collect();
        for (block, node) in (0..).zip(&nodes) {
            for next in self.body.next_of(block) {
                if let Some(next) = nodes.get(next as usize) {
                    ways.update_edge(*node, *next, ());
                }
            }
        }
        let mut again = vec![false; blocks.len()];
        // Long functions make long ways: this one of petgraph's algorithms does not recurse.
        for loop_of in kosaraju_scc(&ways) {
            let is_loop = loop_of.len() > 1 || ways.contains_edge(loop_of[0], loop_of[0]);
            for node in loop_of.into_iter().filter(|_| is_loop) {
                again[node.index()] = true;
            }
        }
        again
    }
}
