//! Calls: what they take, hand on, run and give back.

use super::places::now;
use super::record::Point;
use super::{Cell, Flow, State, There, Token, fresh};
use crate::code::frame::{Frame, Storage};
use crate::code::ir::{BlockId, Callee, Kind, Operand, Place, Site};
use crate::code::known::{self, Known, Resource};
use crate::code::names::Name;
use crate::code::program::{BodyId, Resolved};
use crate::code::summary::{Held, What};
use crate::code::text::last;
use crate::code::trust::Trust;
use crate::code::value::Value;

mod adaptors;
mod apply;
mod closures;
mod copies;
mod drops;
mod futures;
mod implied;
mod lent;
mod locks;
mod moves;
mod shards;
mod threads;
mod unknown;

pub(crate) use implied::formatting;

/// An argument, as a callee sees it.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) value: Value,
    /// The type of the variable that it was.
    pub(super) of: Option<Name>,
    /// A function that was named.
    pub(super) function: Option<Name>,
    /// The guards that were moved with it.
    pub(super) moved: Vec<Cell>,
    /// The locks of guards that a callee moves with it.
    pub(super) held: Vec<Held>,
    /// The number that it always is, or the variant of an option.
    pub(super) settled: Option<u64>,
    /// Whether it was taken out of one of the variants of an enum, whose value stands for it.
    pub(super) is_of_variant: bool,
    /// The guards that a closure captured as borrows, by the numbers that it counts them by.
    pub(super) lent: Vec<(u32, Cell)>,
}

impl Argument {
    /// Of which only the value is known.
    fn of(value: Value) -> Argument {
        Argument {
            value,
            of: None,
            function: None,
            moved: Vec::new(),
            held: Vec::new(),
            settled: None,
            is_of_variant: false,
            lent: Vec::new(),
        }
    }

    /// Whether a guard was moved with it.
    fn has(&self, token: usize) -> bool {
        self.moved.iter().any(|cell| cell.token == token)
    }
}

/// A call, while it is being looked at.
pub(super) struct Call<'a> {
    pub(super) block: BlockId,
    pub(super) site: Site,
    pub(super) operands: &'a [Operand],
    pub(super) arguments: Vec<Argument>,
    pub(super) result: &'a Place,
    /// The method, for what depends on its name alone.
    pub(super) method: Option<Name>,
}

impl Flow<'_> {
    pub(super) fn call(
        &mut self,
        block: BlockId,
        callee: &Callee,
        operands: &[Operand],
        result: &Place,
        site: Site,
        state: &mut State,
    ) {
        let frame = self.frame;
        let resolved = frame.called(callee, operands);
        let arguments = operands
            .iter()
            .map(|operand| self.argument(operand, self.take(state, operand)))
            .collect();
        let call = Call {
            block,
            site,
            operands,
            arguments,
            result,
            method: resolved.method,
        };
        self.lets_go_in(&resolved, &call, state);
        let given = match resolved.known {
            Some(known) => self.known(known, &call, state),
            None if resolved.is_function_call => self.function_value(&call, state),
            None if !resolved.bodies.is_empty() => self.bodies(&resolved, &call, state),
            None => match callee {
                Callee::Pointer(pointer) => self.pointer(pointer, &call, state),
                Callee::Path(_) => {
                    self.wakes_unknown(&call, state);
                    self.foreign(&call, state)
                }
            },
        };
        self.after_closures(&resolved, &call, state);
        self.redefine(result, Some(block), state);
        if !given.is_empty() {
            Self::put(self.goes_to(result), given, state);
        }
    }

    /// Where what a call returns is kept: what only leads to where it was put is put there.
    fn goes_to(&self, result: &Place) -> Storage {
        let is_view = result.is_whole() && self.frame.is_view(result.local);
        let behind = is_view.then(|| self.frame.storage_behind(result.local));
        behind
            .flatten()
            .or_else(|| self.storage(result))
            .unwrap_or_else(|| Storage::at(result.local, self.field_of(result), false))
    }

    pub(super) fn argument(&self, operand: &Operand, moved: Vec<Cell>) -> Argument {
        Argument {
            value: self.frame.operand(operand),
            of: operand
                .place()
                .and_then(|place| type_of_place(self.frame, place)),
            function: match operand {
                Operand::Function(name) => Some(*name),
                _ => None,
            },
            moved,
            held: Vec::new(),
            settled: self.frame.settled(operand),
            is_of_variant: operand
                .place()
                .is_some_and(|place| self.frame.is_of_variant(place)),
            lent: Vec::new(),
        }
    }

    fn result_holds_guards(&self, call: &Call<'_>) -> bool {
        type_of_place(self.frame, call.result)
            .is_some_and(|of| self.frame.program.type_of(of).guards)
    }

    /// Whether the result only leads to what another owns.
    fn result_is_view(&self, call: &Call<'_>) -> bool {
        type_of_place(self.frame, call.result)
            .is_some_and(|of| self.frame.program.type_of(of).is_view)
    }

    /// A function of another crate that is in the tables. Returns what its result holds.
    fn known(&mut self, known: Known, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        match known {
            Known::Acquire(mode, waits) => self.acquire(mode, waits, call, state),
            Known::AcquireAll(waits) => self.acquire_all(waits, call, state),
            Known::Initialise => {
                self.initialise(call, state);
                Vec::new()
            }
            Known::Drop => {
                if let Some(argument) = call.arguments.first() {
                    let value = argument.value.clone();
                    let (value, if_last) = match call.operands.first().and_then(Operand::place) {
                        Some(place) => self.how_it_goes(place, value),
                        None => (value, Trust::Guess),
                    };
                    let at = Point::at(call.site, state);
                    self.drop_value(argument.of, &value, &argument.moved, at, if_last);
                    if argument.of.is_some_and(|of| self.frees_when_dropped(of)) {
                        self.frees(state);
                    }
                }
                Vec::new()
            }
            Known::Spawn => {
                self.spawned(call, state);
                Vec::new()
            }
            Known::Forget
            | Known::Frees
            | Known::Take
            | Known::TakeOne
            | Known::Swap
            | Known::Empty
            | Known::PutInstead
            | Known::Thin => self.moves(known, call, state),
            Known::Unlocked => {
                let guards = self.guard_of(call, 0).or_else(|| self.guard_of(call, 1));
                let mut without = state.clone();
                without.retain(|cell| Some(cell.at) != guards);
                self.closures(call, Point::at(call.site, &without));
                self.moved_on(call, state)
            }
            Known::Convert(mode) => self.convert(mode, call, state),
            Known::Wait => self.wait(true, call, state),
            Known::WaitFor => self.wait(false, call, state),
            Known::Notify => {
                if let Some(class) = self.class_of_target(call) {
                    self.effect(What::Notifies(class), Point::at(call.site, state));
                }
                Vec::new()
            }
            Known::Sends => {
                self.sends(call, state);
                Vec::new()
            }
            Known::Blocks(resource) => {
                let class = match resource {
                    // Of what is not known at all nobody can say who ends the wait.
                    Resource::Receive | Resource::Send => match self.class_of_channel(call) {
                        None => return self.moved_on(call, state),
                        class => class,
                    },
                    Resource::Join => self.class_of_handle(call),
                    Resource::Condvar | Resource::Barrier | Resource::Callback => {
                        self.class_of_target(call)
                    }
                };
                let class = class.unwrap_or_else(|| self.frame.program.names.of(resource.text()));
                let runs = self.runs(&call.arguments);
                let at = Point::at(call.site, state);
                self.blocks(resource, class, &runs, at);
                if resource == Resource::Join && runs.is_empty() {
                    self.joins_what_callers_know(call, at);
                }
                self.moved_on(call, state)
            }
            Known::Force => {
                self.forced(call, state);
                self.foreign(call, state)
            }
            Known::Elsewhere => {
                self.calls_unknown_method(call, state);
                self.foreign(call, state)
            }
            Known::Next if !self.result_is_view(call) => self.one_taken_out(call, state),
            Known::Same
            | Known::Deref
            | Known::Clone
            | Known::Element
            | Known::Next
            | Known::Asks(_) => self.foreign(call, state),
        }
    }

    /// A call of functions whose bodies are known.
    fn bodies(&mut self, resolved: &Resolved, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        let mut given = Vec::new();
        let mut number = 0;
        for &body in &resolved.bodies {
            if (!resolved.is_sure || resolved.only.is_some()) && self.decorates(body) {
                continue;
            }
            let lent = self.lent(body, call, state);
            if lent.is_empty() {
                let point = Point::at(call.site, state).trusted(resolved.trust());
                self.apply(body, &call.arguments, point);
            } else {
                let mut arguments = call.arguments.clone();
                let mut without = state.clone();
                for (number, cell) in &lent {
                    arguments[*number].moved.push(*cell);
                    without.retain(|other| other != cell);
                }
                let point = Point::at(call.site, &without).trusted(resolved.trust());
                self.apply(body, &arguments, point);
                let lets_go = self.frame.summaries[body].lets_go;
                for (number, cell) in &lent {
                    // Taken out and handed back.
                    if self.frame.summaries[body].returns_guards & (1 << (number + 1)) != 0 {
                        given.push(Cell { field: 0, ..*cell });
                    }
                    if lets_go & (1 << (number + 1)) == 0 {
                        continue;
                    }
                    if resolved.is_sure {
                        state.retain(|other| other.key() != cell.key());
                    } else {
                        now(state, There::Perhaps, |other| other.key() == cell.key());
                    }
                }
            }
            self.put_by(body, resolved.trust(), call, state);
            let summary = &self.frame.summaries[body];
            let values: Vec<Value> = call
                .arguments
                .iter()
                .map(|argument| argument.value.clone())
                .collect();
            let given_to = (&call.arguments[..], &values[..]);
            let cells = self.handed_back(body, given_to, resolved.trust(), call, number);
            number += cells.len();
            given.extend(cells);
            for (index, argument) in call.arguments.iter().enumerate().take(63) {
                if summary.returns_guards & (1 << (index + 1)) != 0 {
                    given.extend(argument.moved.iter().copied());
                }
            }
        }
        given
    }

    /// The guards of a callee's own that it returns, which was given these arguments, as far as they are known, and
    /// their values. Of what was made at this call before there are `number`.
    fn handed_back(
        &mut self,
        body: BodyId,
        (arguments, values): (&[Argument], &[Value]),
        trust: Trust,
        call: &Call<'_>,
        number: usize,
    ) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (number, returned) in (number..).zip(&self.frame.summaries[body].returned) {
            let Some(when) = self.conditions(&returned.when, arguments, values) else {
                continue;
            };
            let mut held = returned.held.clone();
            held.lock = self.in_caller(&held.lock, values);
            held.trust = held.trust.and(trust);
            held.through = Some(call.site);
            let is_maybe = held.trust.is_guess() || self.may_be_nothing(call);
            let token = self.token(call.block, number, Token::Taken { held, is_maybe });
            self.made_at.insert(token, (call.block, when));
            cells.push(Cell {
                field: returned.field,
                ..fresh(token)
            });
        }
        cells
    }

    /// Whether the call could only mean the type that it stands in: what wraps another of its kind
    /// calls that other, and not itself.
    fn decorates(&self, callee: BodyId) -> bool {
        let program = self.frame.program;
        let owner = program.owner_of(self.id);
        owner.is_some() && owner == program.owner_of(callee)
    }

    /// Whether the result is an option or result whose guard can be missing.
    fn may_be_nothing(&self, call: &Call<'_>) -> bool {
        type_of_place(self.frame, call.result).is_some_and(|of| {
            let of = self.frame.program.type_of(of);
            matches!(last(&of.head), "Option" | "Result")
        })
    }

    /// Any other function: runs what it is given, and hands guards on if its result can hold them.
    fn foreign(&mut self, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        self.waits_for_tasks(call, state);
        let mut given = self.closures(call, Point::at(call.site, state));
        if self.opens_scope(call) {
            self.scope(call, state);
        }
        self.implied(call, state);
        given.extend(self.moved_on(call, state));
        given
    }

    /// Where the guards go that were moved into a function of another crate.
    fn moved_on(&mut self, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        let moved: Vec<Cell> = call
            .arguments
            .iter()
            .flat_map(|argument| argument.moved.iter().copied())
            .collect();
        let program = self.frame.program;
        let of = type_of_place(self.frame, call.result).map(|of| program.type_of(of));
        let name = call.method.map(|method| program.text(method));
        let is_question_mark = name
            .as_ref()
            .is_some_and(|name| last(name) == "from_residual");
        let guards = of.as_ref().is_some_and(|of| {
            match last(&of.head) {
                // What `?` hands on is the error, or that nothing is there.
                "Result" if is_question_mark => of
                    .arguments
                    .last()
                    .is_some_and(|error| program.type_of(*error).guards),
                "Option" if is_question_mark => false,
                _ => of.guards,
            }
        });
        if moved.is_empty() {
            let is_poll = call
                .method
                .is_some_and(|method| last(&program.text(method)) == "poll");
            if !(guards && is_poll) {
                return Vec::new();
            }
            // What was awaited is ready, and still there until it is dropped.
            let awaited = call.operands.first().and_then(Operand::place);
            let awaited = awaited.and_then(|place| self.frame.borrowed(place.local, 0));
            let here = state.iter().filter(|cell| Some(cell.at) == awaited);
            let here: Vec<Cell> = here.copied().collect();
            if !here.is_empty() {
                return here;
            }
            // One of several that a closure captured together.
            let inside = self.pointed_at(call, 0);
            let inside = inside.filter(|_| self.frame.body.kind == Kind::Closure);
            let cells = state
                .iter()
                .filter(|cell| inside.is_some_and(|inside| cell.lies_in(inside)));
            return cells.map(|cell| Cell { field: 0, ..*cell }).collect();
        }
        let closures_go_on = of.as_ref().is_some_and(|of| {
            call.arguments.iter().any(|argument| {
                !argument.moved.is_empty()
                    && argument.of.is_some_and(|argument| {
                        let argument = program.type_of(argument);
                        argument.bodies.iter().any(|body| of.bodies.contains(body))
                    })
            })
        });
        let kept_in = name
            .filter(|name| known::puts_in(name))
            .and_then(|_| self.pointed_at(call, 0));
        if (guards || closures_go_on) && kept_in.is_none() {
            return moved;
        }
        if let Some(at) = kept_in {
            let moved = moved.into_iter().map(|cell| Cell { field: 0, ..cell });
            Self::put(at, moved, state);
        }
        Vec::new()
    }
}

/// The type of a place.
pub(super) fn type_of_place(frame: &Frame<'_>, place: &Place) -> Option<Name> {
    frame.program.type_at(frame.body, place)
}
