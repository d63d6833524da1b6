//! Variables that have one value: the numbers of elements.

use super::{Definition, Frame};
use crate::code::ir::{Local, Operand, Rvalue, Statement};

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
}
