//! Futures: what becomes of them after they are made.

use super::{Argument, Call};
use crate::code::flow::Flow;
use crate::code::ir::{Callee, Operand, Place, Rvalue, Statement, Terminator};
use crate::code::known::{self, Future};
use crate::code::program::BodyId;
use crate::code::text::{closing, split_commas};
use crate::code::trust::Trust;
use crate::code::value::{Root, Value};

/// So many variables a future is followed through.
const MOVES_MAX: u32 = 6;

impl Flow<'_> {
    /// What becomes of the future in a place, as far as this function says it.
    pub(super) fn fate(&self, place: &Place) -> Future {
        let mut local = place.local;
        for _ in 0..MOVES_MAX {
            let is_it = |operand: &Operand| {
                operand
                    .moved()
                    .is_some_and(|place| place.is_whole() && place.local == local)
            };
            let mut moved = None;
            for block in &self.frame.body.blocks {
                for statement in &block.statements {
                    if let Statement::Assign(to, Rvalue::Use(operand)) = statement
                        && is_it(operand)
                        && to.is_whole()
                    {
                        moved = Some(to.local);
                    }
                }
                if let Terminator::Call {
                    callee: callee @ Callee::Path(_),
                    arguments,
                    ..
                } = &block.end
                    && arguments.iter().any(is_it)
                {
                    let method = self.frame.resolved(callee).method;
                    return method.map_or(Future::Kept, |method| {
                        known::future(&self.frame.program.text(method))
                    });
                }
            }
            match moved {
                Some(next) => local = next,
                None => return Future::Kept,
            }
        }
        Future::Kept
    }

    /// Whether futures among the arguments run meanwhile.
    pub(super) fn polls(&self, call: &Call<'_>) -> bool {
        call.method
            .is_some_and(|method| known::polls(&self.frame.program.text(method)))
    }

    /// Whether this function polls several futures until one of them is ready: what `select!` makes. Another
    /// may be the one that ends it.
    pub(super) fn races(&self) -> bool {
        let result = self.frame.program.text(self.frame.type_of(0));
        let of = ["__tokio_select_util::Out<", "__PrivResult<"];
        let arms = of.iter().find_map(|of| {
            let open = result.find(of)? + of.len() - 1;
            let end = closing(&result, open)?;
            Some(split_commas(&result[open + 1..end]).len())
        });
        arms.is_some_and(|arms| arms > 1)
    }

    /// Whether a future ends by itself after some time.
    pub(super) fn is_timed(&self, argument: &Argument) -> bool {
        argument
            .of
            .is_some_and(|of| self.frame.program.text(of).contains("::Timeout<"))
    }

    /// The boxed futures that an argument can be, where they come from a method that several types have:
    /// body, what it captured, and how far it can be trusted that it is that one.
    pub(super) fn boxed_futures(&self, argument: &Argument) -> Vec<(BodyId, Value, Trust)> {
        let loaded = match &argument.value {
            Value::To(path) => self.frame.load(path),
            value => value.clone(),
        };
        let Value::At(path) = loaded else {
            return Vec::new();
        };
        let Root::Call(block) = path.root else {
            return Vec::new();
        };
        let Some((callee, arguments, _)) = self.frame.call_at(block) else {
            return Vec::new();
        };
        let values: Vec<Value> = arguments
            .iter()
            .map(|operand| self.frame.operand(operand))
            .collect();
        let resolved = self.frame.resolved(callee);
        let results = resolved
            .bodies
            .iter()
            .filter_map(|body| self.frame.summaries[*body].result.as_ref());
        results
            .filter_map(|result| {
                let value = result.in_caller(&values);
                let Value::Parts(Some(key), _) = value else {
                    return None;
                };
                let body = self.frame.program.closure(key, self.frame.body)?;
                Some((body, value, resolved.trust()))
            })
            .collect()
    }
}
