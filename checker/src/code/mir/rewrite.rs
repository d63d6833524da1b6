//! Goes through a body and changes what is in it.

use super::{Body, Operand, Place, Rvalue, Statement, Terminator};
use crate::code::ir::Callee;
use crate::code::names::Name;

/// What is changed. Whatever is not said stays as it is.
pub(super) trait Rewrite {
    /// Changes a place.
    fn place(&mut self, place: &mut Place);

    /// Changes the path of a static, or of a variant without content.
    fn path(&mut self, _path: &mut Name) {}

    /// Changes the name of a function, or of what is called.
    fn function(&mut self, _function: &mut Name) {}

    /// Goes through the blocks of a body, and what its variables are called.
    fn blocks(&mut self, body: &mut Body) {
        for block in &mut body.blocks {
            for statement in &mut block.statements {
                if let Statement::Assign(place, value) = statement {
                    self.place(place);
                    self.rvalue(value);
                }
            }
            self.end(&mut block.end);
        }
        for (_, place) in &mut body.named {
            self.place(place);
        }
    }

    /// Goes through what is read.
    fn operand(&mut self, operand: &mut Operand) {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => self.place(place),
            Operand::Static(path) => self.path(path),
            Operand::Function(function) => self.function(function),
            Operand::Allocation(_) | Operand::Number(_) | Operand::Constant => {}
        }
    }

    /// Goes through what is computed.
    fn rvalue(&mut self, value: &mut Rvalue) {
        match value {
            Rvalue::Use(operand) | Rvalue::Not(operand) | Rvalue::Equals(operand, ..) => {
                self.operand(operand);
            }
            Rvalue::Borrow(place) | Rvalue::Discriminant(place) => self.place(place),
            Rvalue::Compare(a, b) => {
                self.operand(a);
                self.operand(b);
            }
            Rvalue::Unit(path) => self.path(path),
            Rvalue::Aggregate(parts) => {
                for part in parts {
                    self.operand(part);
                }
            }
        }
    }

    /// Goes through the end of a block.
    fn end(&mut self, end: &mut Terminator) {
        match end {
            Terminator::Switch { on, .. } => self.operand(on),
            Terminator::Drop(place, _) => self.place(place),
            Terminator::Call {
                callee,
                arguments,
                result,
                ..
            } => {
                match callee {
                    Callee::Path(function) => self.function(function),
                    Callee::Pointer(place) => self.place(place),
                }
                self.place(result);
                for argument in arguments {
                    self.operand(argument);
                }
            }
            Terminator::Goto(_)
            | Terminator::Branch(_)
            | Terminator::Suspend(_)
            | Terminator::Return
            | Terminator::End => {}
        }
    }
}
