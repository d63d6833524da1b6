//! Shared pointers that were made of weak ones: all others may be gone by the time such a one goes.

use super::{Definition, Frame};
use crate::code::ir::{Callee, Local, Operand, Rvalue, Statement};
use crate::code::known::Known;
use crate::code::text::last;

/// So many steps a variable is followed back.
const BACK_MAX: usize = 8;

impl Frame<'_> {
    /// Whether a variable is what a weak pointer was upgraded to.
    pub(crate) fn is_upgraded(&self, mut local: Local) -> bool {
        for _ in 0..BACK_MAX {
            let from = match self.definitions.get(local as usize) {
                Some(&Definition::Statement(block, at)) => {
                    match &self.body.blocks[block as usize].statements[at] {
                        Statement::Assign(_, Rvalue::Use(operand)) => operand.moved(),
                        _ => None,
                    }
                }
                Some(&Definition::Call(block)) => {
                    let Some((callee, arguments, _)) = self.call_at(block) else {
                        return false;
                    };
                    if self.upgrades(callee, arguments) {
                        return true;
                    }
                    let hands_on = self.resolved(callee).known == Some(Known::Same);
                    let first = arguments.first().filter(|_| hands_on);
                    first.and_then(Operand::moved)
                }
                _ => None,
            };
            match from {
                Some(from) => local = from.local,
                None => return false,
            }
        }
        false
    }

    /// Whether a call is that method, or takes the next of what an iterator makes of weak pointers.
    fn upgrades(&self, callee: &Callee, arguments: &[Operand]) -> bool {
        let resolved = self.resolved(callee);
        let Some(method) = resolved.method.map(|method| self.program.text(method)) else {
            return false;
        };
        if resolved.known == Some(Known::Next) {
            let iterator = arguments.first().and_then(Operand::place);
            let iterator = iterator.and_then(|place| self.program.type_at(self.body, place));
            return iterator.is_some_and(|of| self.program.text(of).contains("::Weak<"));
        }
        last(&method) == "upgrade" && method.rsplit("::").nth(1) == Some("Weak")
    }
}
