//! Structs of the program's own that a function puts together, field by field.

use std::rc::Rc;

use super::Frame;
use crate::code::ir::{Operand, Rvalue, Statement};
use crate::code::program::Type;

/// What is put into a field of such a struct.
pub(crate) struct Part<'a> {
    /// The struct, or the enum of which it is a variant.
    pub of: Rc<Type>,
    /// The field.
    pub index: u32,
    /// What goes in.
    pub operand: &'a Operand,
}

impl<'a> Frame<'a> {
    /// All of them, in the order of the text.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'a>> {
        let statements = self.body.statements();
        statements.flat_map(|statement| {
            let built = match statement {
                Statement::Assign(place, Rvalue::Aggregate(parts)) => {
                    let of = self.program.type_at(self.body, place);
                    let of = of.map(|of| self.program.type_of(of));
                    of.map(|of| (of, parts.as_slice()))
                }
                _ => None,
            };
            let own = built.filter(|(of, _)| of.references == 0 && self.program.is_own(&of.head));
            own.into_iter().flat_map(|(of, parts)| {
                (0..).zip(parts).map(move |(index, operand)| Part {
                    of: Rc::clone(&of),
                    index,
                    operand,
                })
            })
        })
    }
}
