//! What a branch asks of a variable.

use super::{Definition, Frame};
use crate::code::ir::{Local, Rvalue, Statement, Terminator};
use crate::code::known::Known;

/// What is asked of an enum, most often an option or result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    /// The variable.
    pub variable: Local,
    /// How the answer is to be read.
    pub kind: Kind,
}

/// How an answer is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is the number of the variant.
    Variant,
    /// It is true if something is there, or if nothing is.
    Is(bool),
}

impl Frame<'_> {
    /// What a boolean or discriminant tells: the variable asked about, and how.
    pub(crate) fn question(&self, local: Local, depth: u32) -> Option<Question> {
        if depth > 8 {
            return None;
        }
        match *self.definitions.get(local as usize)? {
            Definition::Statement(block, at) => {
                let Statement::Assign(_, rvalue) = &self.body.blocks[block as usize].statements[at]
                else {
                    return None;
                };
                match rvalue {
                    Rvalue::Discriminant(place) => {
                        // Also of the payload's own variants: `_1.0` of a whole.
                        let variable = self.variable(place)?;
                        Some(Question {
                            variable,
                            kind: Kind::Variant,
                        })
                    }
                    Rvalue::Not(operand) => {
                        let mut inner = self.question(operand.place()?.local, depth + 1)?;
                        inner.kind = match inner.kind {
                            Kind::Is(there) => Kind::Is(!there),
                            Kind::Variant => return None,
                        };
                        Some(inner)
                    }
                    Rvalue::Use(operand) => self.question(
                        operand.place().filter(|place| place.is_whole())?.local,
                        depth + 1,
                    ),
                    _ => None,
                }
            }
            Definition::Call(block) => {
                let Terminator::Call {
                    callee, arguments, ..
                } = &self.body.blocks[block as usize].end
                else {
                    return None;
                };
                let Some(Known::Asks(there)) = self.resolved(callee).known else {
                    return None;
                };
                let variable = self.borrowed(arguments.first()?.place()?.local, 0)?;
                Some(Question {
                    variable,
                    kind: Kind::Is(there),
                })
            }
            _ => None,
        }
    }
}
