//! What a function returns where all goes well: `Ok(…)` or `Some(…)` at one place, and errors at others.

use super::{Definition, Frame};
use crate::code::ir::{Block, BlockId, Operand, Rvalue, Statement, Terminator};
use crate::code::text::last;
use crate::code::value::Value;

impl Frame<'_> {
    /// What the function returns. The payload of an option or result stands for the whole, so that places which
    /// return none say nothing.
    pub(crate) fn result(&self) -> Value {
        if self.definitions.first() != Some(&Definition::Many) {
            return self.value_of(0);
        }
        let of = self.program.type_of(self.type_of(0));
        if of.references > 0 || !matches!(last(&of.head), "Result" | "Option") {
            return self.value_of(0);
        }
        let mut found: Option<Value> = None;
        for (number, block) in (0..).zip(&self.body.blocks) {
            for value in self.returned_in(number, block) {
                if found.as_ref().is_some_and(|found| *found != value) {
                    return self.value_of(0);
                }
                found = Some(value);
            }
        }
        found.unwrap_or_else(|| self.value_of(0))
    }

    /// What a block puts into the result, but for errors and nothing.
    fn returned_in(&self, number: BlockId, block: &Block) -> Vec<Value> {
        let of = self.program.type_of(self.type_of(0));
        let payload = of.arguments.first();
        let mut found = Vec::new();
        for statement in &block.statements {
            match statement {
                Statement::Assign(place, Rvalue::Aggregate(parts)) if place.local == 0 => {
                    let part = parts.first().and_then(Operand::place);
                    let of_part = part.and_then(|part| self.program.type_at(self.body, part));
                    if of_part.is_none() && part.is_some() {
                        found.push(Value::Unknown);
                    } else if of_part.as_ref() == payload {
                        found.extend(parts.first().map(|part| self.operand(part)));
                    }
                }
                Statement::Assign(place, Rvalue::Unit(_)) if place.local == 0 => {}
                Statement::Assign(place, rvalue) if place.local == 0 => {
                    found.push(self.rvalue(0, rvalue));
                }
                _ => {}
            }
        }
        if let Terminator::Call { callee, result, .. } = &block.end
            && result.local == 0
        {
            let method = self.resolved(callee).method;
            let method = method.map(|method| self.program.text(method));
            if method.is_none_or(|method| last(&method) != "from_residual") {
                found.push(self.returned(number));
            }
        }
        found
    }
}
