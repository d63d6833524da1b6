//! What a method of an option or result returns that hands its payload to a closure: what the closure does.

use super::Frame;
use crate::code::ir::Operand;
use crate::code::program::Resolved;
use crate::code::text::last;
use crate::code::value::Value;

impl Frame<'_> {
    /// What `map` or `and_then` of an option or result returns, if it is such a call.
    pub(super) fn handed_on(&self, resolved: &Resolved, arguments: &[Operand]) -> Value {
        let (Some(method), [on, function]) = (resolved.method, arguments) else {
            return Value::Unknown;
        };
        let method = self.program.text(method);
        let of = method.rsplit("::").nth(1).unwrap_or_default();
        if !matches!(of, "Option" | "Result") || !matches!(last(&method), "map" | "and_then") {
            return Value::Unknown;
        }
        let (body, captured) = match function {
            Operand::Function(name) => {
                let named = self.program.resolve(*name);
                match (&named.bodies[..], named.is_sure) {
                    ([body], true) => (*body, None),
                    _ => return Value::Unknown,
                }
            }
            function => {
                let of = function
                    .place()
                    .and_then(|place| self.program.type_at(self.body, place))
                    .map(|of| self.program.type_of(of));
                let key = of.filter(|of| of.head.starts_with('{'));
                let key = key.and_then(|of| of.bodies.first().copied());
                match key.and_then(|key| self.program.closure(key, self.body)) {
                    Some(body) => (body, Some(self.operand(function))),
                    None => return Value::Unknown,
                }
            }
        };
        let values: Vec<Value> = captured.into_iter().chain([self.operand(on)]).collect();
        let result = self.summaries[body].result.as_ref();
        match result.map(|result| result.in_caller(&values)) {
            Some(Value::At(path)) => self.load(&path),
            Some(Value::To(path)) => Value::To(self.normal(path)),
            Some(Value::Guard(path)) => Value::Guard(self.normal(path)),
            Some(value) => value,
            None => Value::Unknown,
        }
    }
}
