//! What closures are given by those of std that run them: what an option holds, or the elements of an
//! iterator.

use super::{Argument, Call, type_of_place};
use crate::code::flow::Flow;
use crate::code::frame::{Fact, exclude};
use crate::code::ir::{Callee, Operand, Terminator};
use crate::code::program::BodyId;
use crate::code::text::last;
use crate::code::value::{Step, Value};

/// Methods of iterators that give the closure each element.
const EACH: [&str; 14] = [
    "map",
    "for_each",
    "try_for_each",
    "filter_map",
    "flat_map",
    "map_while",
    "find_map",
    "any",
    "all",
    "position",
    "fold",
    "try_fold",
    "scan",
    "partition_map",
];

/// Methods of options and results that give the closure what is in them.
const PAYLOAD: [&str; 7] = [
    "map",
    "and_then",
    "map_or",
    "map_or_else",
    "is_some_and",
    "is_ok_and",
    "is_none_or",
];

/// Methods of options and results that run a closure where there is nothing, or an error.
const ABSENT: [&str; 5] = [
    "unwrap_or_else",
    "or_else",
    "ok_or_else",
    "get_or_insert_with",
    "map_err",
];

impl Flow<'_> {
    /// What must be so of an option or result that its method runs this closure; nothing if it is not so.
    pub(super) fn asked(&self, call: &Call<'_>, closure: &Argument) -> Option<Vec<Fact>> {
        let (Some(method), [on, given, ..]) = (call.method, &call.arguments[..]) else {
            return Some(Vec::new());
        };
        let method = self.frame.program.text(method);
        let of = method.rsplit("::").nth(1).unwrap_or_default();
        let is_there = match last(&method) {
            name if ABSENT.contains(&name) => false,
            // The other one is run where nothing is there.
            "map_or_else" => !std::ptr::eq(given, closure),
            name if PAYLOAD.contains(&name) => true,
            _ => return Some(Vec::new()),
        };
        let variant = match of {
            "Option" => u64::from(is_there),
            "Result" => u64::from(!is_there),
            _ => return Some(Vec::new()),
        };
        if on.settled.is_some_and(|settled| settled != variant) {
            return None;
        }
        let fact = (!on.is_of_variant)
            .then(|| self.frame.is_variant(&on.value, variant))
            .flatten();
        let facts: Vec<Fact> = fact.into_iter().collect();
        (!exclude(self.facts_at(self.at), &facts)).then_some(facts)
    }

    /// What the parameters of a closure are, where it is given to an adaptor in this function.
    pub(super) fn given(&self, body: BodyId) -> Vec<Value> {
        let program = self.frame.program;
        let parameters = program.bodies[body].parameters;
        let Some(key) = program.bodies[body].types.get(1).filter(|_| parameters > 1) else {
            return Vec::new();
        };
        let keys = &program.type_of(*key).bodies;
        let is_it = |operand: &Operand| {
            operand
                .place()
                .and_then(|place| type_of_place(self.frame, place))
                .is_some_and(|of| {
                    let of = program.type_of(of);
                    of.head.starts_with('{') && of.bodies.first() == keys.first()
                })
        };
        for block in &self.frame.body.blocks {
            let Terminator::Call {
                callee: callee @ Callee::Path(_),
                arguments,
                ..
            } = &block.end
            else {
                continue;
            };
            let [receiver, rest @ ..] = &arguments[..] else {
                continue;
            };
            if !rest.iter().any(is_it) {
                continue;
            }
            let resolved = self.frame.resolved(callee);
            let Some(method) = resolved.method.map(|method| program.text(method)) else {
                continue;
            };
            let on = method.rsplit("::").nth(1).unwrap_or_default();
            let value = self.frame.operand(receiver);
            let value = match (on, last(&method)) {
                ("Iterator", name) if EACH.contains(&name) => element(value),
                ("Option" | "Result", name) if PAYLOAD.contains(&name) => value,
                ("LocalKey", "with" | "try_with") => value,
                ("LocalKey", "with_borrow" | "with_borrow_mut") => match value {
                    Value::To(path) => path.then(Step::Data).map_or(Value::Unknown, Value::To),
                    _ => Value::Unknown,
                },
                _ => Value::Unknown,
            };
            // What has been gathered so far comes first.
            let is_second = matches!(last(&method), "fold" | "try_fold" | "scan");
            let before = is_second.then_some(Value::Unknown);
            return before.into_iter().chain([value]).collect();
        }
        Vec::new()
    }
}

/// An element of what an iterator goes over.
fn element(iterator: Value) -> Value {
    match iterator {
        Value::To(path) => path.then(Step::Index).map_or(Value::Unknown, Value::To),
        Value::At(path) if !path.is_returned() => {
            path.then(Step::Index).map_or(Value::Unknown, Value::At)
        }
        _ => Value::Unknown,
    }
}
