//! Variables that have one value: the numbers of elements.

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
        self.body.blocks.iter().any(|block| {
            block.statements.iter().any(|statement| match statement {
                Statement::Assign(place, _) if place.local == local && !place.is_whole() => true,
                Statement::Assign(place, Rvalue::Borrow(of)) => {
                    of.local == local
                        && crate::code::text::is_exclusive_reference(
                            &self.program.text(self.type_of(place.local)),
                        )
                }
                _ => false,
            })
        })
    }

    /// Whether a block lies in a loop.
    pub(super) fn runs_again(&self, block: BlockId) -> bool {
        let mut seen = vec![false; self.body.blocks.len()];
        let mut open = self.body.next_of(block);
        while let Some(at) = open.pop() {
            if at == block {
                return true;
            }
            if let Some(seen) = seen.get_mut(at as usize)
                && !std::mem::replace(seen, true)
            {
                open.extend(self.body.next_of(at));
            }
        }
        false
    }
}
