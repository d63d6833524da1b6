//! Closures, futures and functions that are given to others: who runs them, and when.

use super::{Argument, Call, type_of_place};
use crate::code::flow::record::Point;
use crate::code::flow::{Cell, Flow, State, Token, insert};
use crate::code::ir::{Kind, Local, Operand, Place, Site};
use crate::code::known::{self, Known, Waits};
use crate::code::names::Name;
use crate::code::program::{BodyId, Type};
use crate::code::summary::{Given, Held};
use crate::code::text::last;
use crate::code::trust::Trust;
use crate::code::value::{Root, Value};

/// Fewer guards than this are moved into a call: those that closures return are numbered after them.
const MOVED_MAX: usize = 64;

impl Flow<'_> {
    /// The bodies of the closures and functions that an argument is made of.
    pub(in crate::code::flow) fn closures_of(&self, argument: &Argument) -> Vec<BodyId> {
        let program = self.frame.program;
        let mut bodies: Vec<BodyId> = Vec::new();
        let mut of_type = |of: Name| {
            let of = program.type_of(of);
            bodies.extend(
                of.bodies
                    .iter()
                    .filter_map(|key| program.closure(*key, self.frame.body)),
            );
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
                // What a thread or a task was given is not in its handle: only an error gives it back.
                Root::Call(block) => {
                    if let Some((callee, _, result)) = self.frame.call_at(block)
                        && self.frame.resolved(callee).known != Some(Known::Spawn)
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
            bodies.extend(program.closure(key, self.frame.body));
        }
        let named = match argument.value {
            Value::Function(name) => Some(name),
            _ => argument.function,
        };
        if let Some(function) = named {
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
        point: Point<'_>,
    ) -> Vec<Cell> {
        let program = self.frame.program;
        let mut handed_back = Vec::new();
        let holds_guards = self.result_holds_guards(call);
        let result = type_of_place(self.frame, call.result).map(|of| program.type_of(of));
        let polls = self.polls(call);
        if self.only_keeps(call) {
            return handed_back;
        }
        let point = if polls && self.races() {
            point.trusted(Trust::Guess)
        } else {
            point
        };
        for argument in &call.arguments {
            // What may be given up after a while cannot hang.
            if polls && self.is_timed(argument) {
                continue;
            }
            let bodies = self.closures_of(argument);
            if polls && bodies.is_empty() {
                for (body, environment, trust) in self.boxed_futures(argument) {
                    let environment = Argument::of(environment);
                    self.run(body, environment, &[], point.trusted(trust));
                }
            }
            for body in bodies {
                // A future runs when it is polled, and what is boxed is given to be kept.
                let waits = program.bodies[body].is_coroutine(&program.names);
                if !polls && (waits || self.is_boxed(argument)) {
                    continue;
                }
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
                if self.is_handed_over(call, body) {
                    continue;
                }
                let mut environment = Argument {
                    value: self.environment(argument, body),
                    ..argument.clone()
                };
                let trust = Trust::only_if(!point.more.is_empty() || self.runs_at_once(call));
                let (given, mut at) = self.with_moved(call, argument, body, point.state);
                if waits && let Some(future) = self.awaited(call) {
                    // The guards in a future are its own, and it may let go of them.
                    let own = at.iter().filter(|cell| cell.at == future).copied();
                    environment.moved.extend(own);
                    at.retain(|cell| cell.at != future);
                }
                let Some(asked) = self.asked(call, argument) else {
                    continue;
                };
                at.retain(|cell| !self.is_excluded(cell, &asked));
                let here = Point {
                    state: &at,
                    when: &asked,
                    ..point.trusted(trust)
                };
                self.run(body, environment.clone(), &given, here);
                // One that is polled until it is ready returns its guards, an adaptor's closure all of them.
                if holds_guards {
                    let values = self.values(body, &environment.value, &given);
                    let number = MOVED_MAX + handed_back.len();
                    let cells = self.handed_back(body, (&[], &values), trust, call, number);
                    if !program.bodies[body].is_coroutine(&program.names) {
                        self.all_at_once(call, &cells, point.state);
                    }
                    handed_back.extend(cells);
                    handed_back.extend(self.returned_of_lent(body, point.state));
                }
            }
        }
        handed_back
    }

    /// The variable of the future that is polled.
    fn awaited(&self, call: &Call<'_>) -> Option<Local> {
        let place = call.operands.first()?.place()?;
        self.frame.borrowed(place.local, 0)
    }

    /// Whether a function of another crate puts what it is given into a collection, keeps it for what will happen later,
    /// or gives it up for what is kept beside it, and does not run it.
    fn only_keeps(&self, call: &Call<'_>) -> bool {
        call.method.is_some_and(|method| {
            let name = self.frame.program.text(method);
            let puts_in = known::puts_in(&name) && last(&name) != "extend";
            let gives_up = last(&name) == "into_inner";
            puts_in && known::is_of_std(&name) || known::keeps_handler(&name) || gives_up
        })
    }

    /// Whether a closure seems to be given away for good, to a crate that is not read: nothing comes back, and it owns
    /// all that it captured. It runs some day, on whatever thread.
    fn is_handed_over(&self, call: &Call<'_>, body: BodyId) -> bool {
        let program = self.frame.program;
        let of = type_of_place(self.frame, call.result).map(|of| program.text(of));
        let captures = self.captures(body).unwrap_or_default();
        of.as_deref() == Some("()")
            && !self.runs_at_once(call)
            && !captures.is_empty()
            && captures.iter().all(|part| {
                let of = part
                    .place()
                    .and_then(|place| type_of_place(self.frame, place));
                of.is_some_and(|of| !program.type_of(of).is_view)
            })
    }

    /// Guards that are collected are held together, each while the next is taken.
    fn all_at_once(&mut self, call: &Call<'_>, cells: &[Cell], state: &State) {
        let collects = call.method.is_some_and(|method| {
            let name = self.frame.program.text(method);
            matches!(last(&name), "collect" | "from_iter" | "extend")
        });
        if !collects {
            return;
        }
        for cell in cells {
            if let Token::Taken { held, .. } = &self.tokens[cell.token] {
                let (lock, held) = (held.lock.clone(), held.clone());
                let waits = if held.blocks_threads {
                    Waits::Thread
                } else {
                    Waits::Task
                };
                let (site, trust, held) = (lock.site, held.trust, [held]);
                let next = Point::at(site, state).trusted(trust).under(&held);
                self.wants(&lock, waits, next);
            }
        }
    }

    /// What a closure is given, and what is held while it runs, where guards are moved into the call
    /// that runs it: it gets them itself, or they are kept meanwhile. Only of an option or result are
    /// they not there where the closure does not ask for them. What the closure captured itself is not
    /// among them.
    fn with_moved(
        &self,
        call: &Call<'_>,
        itself: &Argument,
        body: BodyId,
        state: &State,
    ) -> (Vec<Argument>, State) {
        let program = self.frame.program;
        let mut given: Vec<Argument> = self.given(body).into_iter().map(Argument::of).collect();
        let mut at = state.clone();
        let others = call.arguments.iter();
        let others = others.filter(|argument| !std::ptr::eq(*argument, itself));
        let moved = others.flat_map(|argument| {
            let of = argument.of.map(|of| program.type_of(of));
            let may_miss = of.is_some_and(|of| {
                of.references == 0 && matches!(last(&of.head), "Option" | "Result")
            });
            argument.moved.iter().map(move |cell| (*cell, may_miss))
        });
        let asks = program.bodies[body]
            .types
            .get(2)
            .filter(|_| program.bodies[body].parameters > 1)
            .is_some_and(|of| {
                let of = program.type_of(*of);
                of.guards && of.references == 0
            });
        for (cell, may_miss) in moved {
            if asks {
                if given.is_empty() {
                    given.push(Argument::of(Value::Unknown));
                }
                given[0].moved.push(cell);
            } else if !may_miss {
                insert(&mut at, cell);
            }
        }
        (given, at)
    }

    /// Whether the function is known to run what it is given before it returns.
    pub(in crate::code::flow) fn runs_at_once(&self, call: &Call<'_>) -> bool {
        call.method.is_some_and(|method| {
            let name = self.frame.program.text(method);
            known::is_of_std(&name)
                || name.starts_with("dashmap::")
                || last(&name).starts_with("block_on")
        })
    }

    /// What a closure's parameters are, the one for what it captured among them.
    fn values(&self, body: BodyId, environment: &Value, arguments: &[Argument]) -> Vec<Value> {
        let is_closure = self.frame.program.bodies[body].kind == Kind::Closure;
        let own = is_closure.then(|| environment.clone());
        let values = arguments.iter().map(|argument| argument.value.clone());
        own.into_iter().chain(values).collect()
    }

    /// Whether the type of an argument says no more of a closure than that it is behind a box.
    fn is_boxed(&self, argument: &Argument) -> bool {
        argument.of.is_some_and(|of| {
            let of = self.frame.program.type_of(of);
            of.references == 0
                && of.bodies.is_empty()
                && of.functions.is_empty()
                && matches!(last(&of.head), "Box" | "Arc" | "Rc" | "Pin")
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
        self.made_by_closure(argument, body).unwrap_or(loaded)
    }

    /// What a future captured that is made by a closure of this function.
    fn made_by_closure(&self, argument: &Argument, body: BodyId) -> Option<Value> {
        let program = self.frame.program;
        if !program.bodies[body].is_coroutine(&program.names) {
            return None;
        }
        let name = program.text(program.bodies[body].name);
        let (maker, _) = name.rsplit_once("::{closure#")?;
        let keys = self.frame.body.types.iter();
        let keys = keys.flat_map(|of| program.type_of(*of).bodies.clone());
        let mut makers = keys.filter_map(|key| program.closure(key, self.frame.body));
        let maker = makers.find(|id| &*program.text(program.bodies[*id].name) == maker);
        maker.and_then(|maker| {
            let result = self.frame.summaries[maker].result.as_ref()?;
            let environment = self.environment(argument, maker);
            let given: Vec<Argument> = self.given(maker).into_iter().map(Argument::of).collect();
            let value = result.in_caller(&self.values(maker, &environment, &given));
            match value {
                Value::Parts(Some(key), _)
                    if program.closure(key, self.frame.body) == Some(body) =>
                {
                    Some(value)
                }
                _ => None,
            }
        })
    }

    /// A call of a function pointer.
    pub(in crate::code::flow) fn pointer(
        &mut self,
        pointer: &Place,
        call: &Call<'_>,
        state: &State,
    ) -> Vec<Cell> {
        let callable = self.argument(&Operand::Copy(pointer.clone()), Vec::new());
        self.calls_value(&callable, &call.arguments, call, state)
    }

    /// A call of a closure or parameter.
    pub(in crate::code::flow) fn function_value(
        &mut self,
        call: &Call<'_>,
        state: &State,
    ) -> Vec<Cell> {
        let Some(callable) = call.arguments.first() else {
            return Vec::new();
        };
        let mut arguments: Vec<Argument> = Vec::new();
        if let Some(tuple) = call.arguments.get(1) {
            if let Value::Parts(_, parts) = &tuple.value {
                arguments.extend(parts.iter().cloned().map(Argument::of));
            }
            let is_one = arguments.len() == 1;
            for (number, argument) in (1..).zip(&mut arguments) {
                let own = tuple
                    .moved
                    .iter()
                    .filter(|cell| is_one || cell.field == number);
                argument
                    .moved
                    .extend(own.map(|cell| Cell { field: 0, ..*cell }));
            }
        }
        self.calls_value(callable, &arguments, call, state)
    }

    fn calls_value(
        &mut self,
        callable: &Argument,
        arguments: &[Argument],
        call: &Call<'_>,
        state: &State,
    ) -> Vec<Cell> {
        let bodies = self.closures_of(callable);
        let moved: Vec<Cell> = call
            .arguments
            .iter()
            .flat_map(|argument| argument.moved.clone())
            .collect();
        // What is neither given to it nor its own is kept meanwhile.
        let mut all = state.clone();
        let is_its = |cell: &Cell| {
            let mut given = arguments.iter().chain([callable]);
            given.any(|argument| argument.has(cell.token))
        };
        for cell in moved.iter().filter(|cell| !is_its(cell)) {
            insert(&mut all, *cell);
        }
        let point = Point::at(call.site, &all);
        let mut handed_back = Vec::new();
        for body in &bodies {
            let environment = Argument {
                value: self.environment(callable, *body),
                ..callable.clone()
            };
            self.run(*body, environment.clone(), arguments, point);
            let values = self.values(*body, &environment.value, arguments);
            handed_back.extend(self.handed_back(
                *body,
                (&[], &values),
                Trust::only_if(bodies.len() == 1),
                call,
                handed_back.len(),
            ));
            let returns = self.frame.summaries[*body].returns_guards;
            let parameters = self.frame.program.bodies[*body].parameters as usize;
            let first = (parameters + 1).saturating_sub(arguments.len());
            for (number, argument) in (first..64).zip(arguments) {
                if returns & (1 << number) != 0 {
                    handed_back.extend(&argument.moved);
                }
            }
        }
        if bodies.is_empty() {
            self.calls_unknown(callable, arguments, &all, call.site);
        }
        if !self.result_holds_guards(call) {
            return Vec::new();
        }
        if bodies.is_empty() {
            return moved;
        }
        handed_back
    }

    /// A function value is called whose body is not known here.
    fn calls_unknown(
        &mut self,
        callable: &Argument,
        arguments: &[Argument],
        state: &State,
        site: Site,
    ) {
        let mut all = state.clone();
        for cell in &callable.moved {
            insert(&mut all, *cell);
        }
        let given: Vec<(u32, Held)> = (0..)
            .zip(arguments)
            .flat_map(|(number, argument)| argument.moved.iter().map(move |cell| (number, *cell)))
            .filter_map(|(number, cell)| Some((number, self.held_by(cell)?)))
            .collect();
        let values = arguments.iter().map(|argument| argument.value.clone());
        let given = Given {
            guards: given,
            values: values.collect(),
        };
        self.calls_value_of(callable, &given, Point::at(site, &all));
        for argument in arguments {
            for cell in &argument.moved {
                insert(&mut all, *cell);
            }
        }
        self.calls_unknown_value(&callable.value, site, &all);
    }
}

/// A function that goes into the result's type as a pointer is kept.
fn is_kept(argument: &Argument, result: Option<&Type>) -> bool {
    argument.function.is_some() && result.is_some_and(|result| !result.functions.is_empty())
}
