//! Closures, futures and functions that are given to others: who runs them, and when.

use super::{Argument, Call, type_of_place};
use crate::code::flow::{Cell, Flow, State, insert};
use crate::code::ir::Terminator;
use crate::code::names::Name;
use crate::code::program::{BodyId, Type};
use crate::code::summary::{Held, What};
use crate::code::text::behind_references;
use crate::code::value::{Root, Value};

impl Flow<'_> {
    /// The bodies of the closures and functions that an argument is made of.
    pub(in crate::code::flow) fn closures_of(&self, argument: &Argument) -> Vec<BodyId> {
        let program = self.frame.program;
        let mut bodies: Vec<BodyId> = Vec::new();
        let mut of_type = |of: Name| {
            let of = program.type_of(of);
            bodies.extend(of.bodies.iter().filter_map(|key| program.closure(*key)));
            for function in &of.functions {
                let resolved = program.resolve(*function);
                if resolved.is_sure {
                    bodies.extend(&resolved.bodies);
                }
            }
        };
        if let Some(of) = argument.of {
            of_type(of);
        }
        if let Value::At(path) | Value::To(path) = &argument.value {
            match path.root {
                Root::Local(local) if path.steps.is_empty() => of_type(self.frame.type_of(local)),
                Root::Call(block) => {
                    if let Some(block) = self.frame.body.blocks.get(block as usize)
                        && let Terminator::Call { result, .. } = &block.end
                    {
                        of_type(self.frame.type_of(result.local));
                    }
                }
                _ => {}
            }
        }
        // Also one that is reached through a pointer, as a boxed future is.
        let loaded = match &argument.value {
            Value::To(path) => self.frame.load(path),
            value => value.clone(),
        };
        if let Value::Parts(Some(key), _) = loaded {
            bodies.extend(program.closure(key));
        }
        if let Some(function) = argument.function {
            let resolved = program.resolve(function);
            if resolved.is_sure {
                bodies.extend(&resolved.bodies);
            }
        }
        bodies.sort_unstable();
        bodies.dedup();
        bodies
    }

    /// Runs the closures and futures that a function of another crate is given and does not give back.
    pub(in crate::code::flow) fn closures(
        &mut self,
        call: &Call<'_>,
        more: &[Held],
        state: &State,
    ) {
        let program = self.frame.program;
        let result = type_of_place(self.frame, call.result).map(|of| program.type_of(of));
        for argument in &call.arguments {
            for body in self.closures_of(argument) {
                let key = program.bodies[body].types.get(1).copied();
                let given_back = key.is_some_and(|key| {
                    let keys = &program.type_of(key).bodies;
                    result
                        .as_ref()
                        .is_some_and(|result| keys.iter().any(|key| result.bodies.contains(key)))
                });
                if given_back || is_kept(argument, result.as_deref()) {
                    continue;
                }
                let environment = self.environment(argument, body);
                let is_sure = !more.is_empty() || self.runs_at_once(call);
                self.run(body, &environment, &[], call.site, is_sure, state, more);
            }
        }
    }

    /// Whether the function is known to run what it is given before it returns.
    pub(in crate::code::flow) fn runs_at_once(&self, call: &Call<'_>) -> bool {
        call.method.is_some_and(|method| {
            let text = self.frame.program.text(method);
            let krate = text.split("::").next().unwrap_or_default();
            matches!(krate, "std" | "core" | "alloc")
        })
    }

    /// What a closure captured.
    pub(in crate::code::flow) fn environment(&self, argument: &Argument, body: BodyId) -> Value {
        let loaded = match &argument.value {
            Value::To(path) => self.frame.load(path),
            value => value.clone(),
        };
        if matches!(loaded, Value::Parts(..)) {
            return loaded;
        }
        // Inside an adaptor: what it captured where it was made.
        let Some(of) = self.frame.program.bodies[body].types.get(1) else {
            return Value::Unknown;
        };
        let keys = self.frame.program.type_of(*of).bodies.clone();
        for (local, of) in (0..).zip(&self.frame.body.types) {
            let of = self.frame.program.type_of(*of);
            if of.references == 0
                && of.bodies.len() == 1
                && keys.first() == of.bodies.first()
                && of.head.starts_with('{')
                && let value @ Value::Parts(..) = self.frame.value_of(local)
            {
                return value;
            }
        }
        loaded
    }

    /// `format!` and its kin: the value's own `fmt` runs.
    pub(in crate::code::flow) fn formatted(&mut self, call: &Call<'_>, state: &State) {
        let Some(method) = call.method else { return };
        let program = self.frame.program;
        let text = program.text(method);
        if !text.contains("::rt::Argument::new_") {
            return;
        }
        let of = if text.ends_with("new_debug") {
            "Debug"
        } else {
            "Display"
        };
        let Some(argument) = call.arguments.first() else {
            return;
        };
        let Some(on) = argument.of else { return };
        let on = program.text(on);
        let (on, references) = behind_references(&on);
        let callee = program.names.of(&format!("<{on} as std::fmt::{of}>::fmt"));
        let resolved = program.resolve(callee);
        if let ([body], true) = (&resolved.bodies[..], resolved.is_sure) {
            // The argument is a reference to the value, perhaps through more of them.
            let mut value = argument.value.clone();
            for _ in 1..references {
                value = match value.target() {
                    Some(path) => self.frame.load(&path),
                    None => Value::Unknown,
                };
            }
            let itself = Argument {
                value,
                of: None,
                function: None,
                moved: Vec::new(),
            };
            self.apply(*body, &[itself], call.site, false, state, &[]);
        }
    }

    /// A call of a closure, function pointer or parameter.
    pub(in crate::code::flow) fn function_value(
        &mut self,
        call: &Call<'_>,
        state: &mut State,
    ) -> Vec<Cell> {
        let Some(callable) = call.arguments.first() else {
            return Vec::new();
        };
        let mut arguments = Vec::new();
        if let Some(Value::Parts(_, parts)) = call.arguments.get(1).map(|argument| &argument.value)
        {
            arguments = parts.to_vec();
        }
        let bodies = self.closures_of(callable);
        let moved: Vec<Cell> = call
            .arguments
            .iter()
            .flat_map(|argument| argument.moved.clone())
            .collect();
        let mut all = state.clone();
        for cell in &moved {
            insert(&mut all, *cell);
        }
        for body in &bodies {
            self.run(
                *body,
                &callable.value,
                &arguments,
                call.site,
                true,
                &all,
                &[],
            );
        }
        if bodies.is_empty() {
            self.calls_unknown_value(call, &all);
        }
        if bodies.is_empty()
            && let Value::At(path) | Value::To(path) = &callable.value
            && matches!(path.root, Root::Parameter(_))
            && path.is_near()
        {
            let held = self.held(&all);
            let guards = self.parameters(&all);
            self.effect(What::Calls(path.clone(), held), call.site, true, guards);
        }
        if self.result_holds_guards(call) {
            moved
        } else {
            Vec::new()
        }
    }
}

/// A function that goes into the result's type as a pointer is kept.
fn is_kept(argument: &Argument, result: Option<&Type>) -> bool {
    argument.function.is_some() && result.is_some_and(|result| !result.functions.is_empty())
}
