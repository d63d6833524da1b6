//! Takes over what a callee does, with the caller's arguments in place of its parameters.

use std::borrow::Cow;

use super::Argument;
use crate::code::class::{self, Class};
use crate::code::flow::record::{Point, exported};
use crate::code::flow::{Cell, Flow, NESTED_MAX, TAKEN_MAX, insert};
use crate::code::frame::Fact;
use crate::code::ir::Kind;
use crate::code::program::BodyId;
use crate::code::summary::{Effect, Given, Held, LockAt, What};
use crate::code::value::{Path, Root, Value, place_in_caller};

impl Flow<'_> {
    /// A lock of the callee's as this function sees it.
    pub(in crate::code::flow) fn in_caller(&self, lock: &LockAt, arguments: &[Value]) -> LockAt {
        let path = lock
            .path
            .as_ref()
            .and_then(|path| place_in_caller(path, arguments))
            .map(|path| match self.frame.load(&path) {
                Value::At(path) => path,
                _ => path,
            });
        let class = match &path {
            Some(path) => class::of_path(self.frame, path),
            None => Class::nameless(self.frame.program),
        };
        // Where nothing better is known the callee's class stands, unless it only names a parameter.
        let class = if class.is_nameless(self.frame.program) && !lock.is_open {
            Class {
                name: lock.class,
                is_open: false,
            }
        } else {
            class
        };
        LockAt {
            path,
            class: class.name,
            is_open: class.is_open,
            ..lock.clone()
        }
    }

    /// Runs a closure or function with these arguments. What a closure captured is its first parameter,
    /// and its guards stay with it, unless it is run once and for all.
    pub(in crate::code::flow) fn run(
        &mut self,
        body: BodyId,
        environment: Argument,
        arguments: &[Argument],
        point: Point<'_>,
    ) {
        if !self.records {
            return;
        }
        let program = self.frame.program;
        if program.bodies[body].kind != Kind::Closure {
            return self.apply(body, arguments, point);
        }
        let of = program.bodies[body].types.get(1);
        let is_borrowed = of.is_none_or(|of| program.type_of(*of).references > 0);
        let mut state = Cow::Borrowed(point.state);
        if is_borrowed {
            for cell in &environment.moved {
                insert(state.to_mut(), *cell);
            }
        }
        let lent = self.lent_to(body, &state);
        if !lent.is_empty() {
            let is_lent = |cell: &Cell| lent.iter().any(|(_, other)| other.key() == cell.key());
            state.to_mut().retain(|cell| !is_lent(cell));
        }
        // What it captured is no function for having the closure's type.
        let own = Argument {
            of: None,
            function: None,
            lent,
            ..environment
        };
        let all: Vec<Argument> = std::iter::once(own)
            .chain(arguments.iter().cloned())
            .collect();
        let state = &*state;
        self.apply(body, &all, Point { state, ..point });
    }

    /// Takes over what a callee does.
    pub(in crate::code::flow) fn apply(
        &mut self,
        body: BodyId,
        arguments: &[Argument],
        point: Point<'_>,
    ) {
        if !self.records {
            return;
        }
        let summaries = self.frame.summaries;
        let summary = &summaries[body];
        let values: Vec<Value> = arguments
            .iter()
            .map(|argument| argument.value.clone())
            .collect();
        for effect in &summary.effects {
            // Hardly any callee is given a guard.
            let mut state = Cow::Borrowed(point.state);
            let mut more = Cow::Borrowed(point.more);
            for (number, argument) in (1..64).zip(arguments) {
                if effect.guards & (1 << number) != 0 {
                    for cell in &argument.moved {
                        insert(state.to_mut(), *cell);
                    }
                    if !argument.held.is_empty() {
                        more.to_mut().extend_from_slice(&argument.held);
                    }
                }
            }
            for (number, cell) in arguments.iter().flat_map(|argument| &argument.lent) {
                if effect.guards & (1 << number) != 0 {
                    insert(state.to_mut(), *cell);
                }
            }
            let at = Point {
                state: &state,
                more: &more,
                ..point
            };
            self.take_over(body, effect, arguments, &values, at);
        }
        self.take_over_open(summary, &values, point.site);
        self.take_over_aliases(summary, &values);
        self.take_over_kept(summary, arguments, &values);
    }

    /// Takes over one effect of a callee that is called at a point.
    fn take_over(
        &mut self,
        body: BodyId,
        effect: &Effect,
        arguments: &[Argument],
        values: &[Value],
        point: Point<'_>,
    ) {
        let Some(when) = self.conditions(&effect.when, arguments, values) else {
            return;
        };
        let Some(last) = self.last_here(&effect.last, values, point.last) else {
            return;
        };
        let mut state = Cow::Borrowed(point.state);
        if !when.is_empty() {
            state.to_mut().retain(|cell| !self.is_excluded(cell, &when));
        }
        let when: Vec<Fact> = point.when.iter().cloned().chain(when).collect();
        let point = Point {
            state: &state,
            when: &when,
            last: &last,
            ..point
        };
        let met = point.via(body, effect);
        match &effect.what {
            What::Wants(lock, _) if lock.is_made => {}
            What::Wants(lock, waits) => {
                let lock = self.in_caller(lock, values);
                self.wants(&lock, *waits, met);
            }
            What::Blocks(resource, class) => self.blocks(*resource, *class, &[], met),
            What::Begins(runs, lock) => {
                let lock = self.in_caller(lock, values);
                self.effect(What::Begins(*runs, exported(&lock)), met);
            }
            What::HandsOut(..) => self.hands_on(effect, values, met),
            What::Joins(runs, lock) => {
                let lock = self.in_caller(lock, values);
                self.joins(&[(*runs, lock)], met);
            }
            What::JoinsAt(path) => {
                let value = Value::At(path.clone()).in_caller(values);
                self.joins_at(&value, met);
            }
            What::Notifies(_) | What::Sends(_) => self.effect(effect.what.clone(), met),
            What::CallsKept(from) => self.calls_kept(*from, met),
            What::Calls(path, held, given) => {
                let in_caller = |held: &Held| Held {
                    lock: self.in_caller(&held.lock, values),
                    trust: held.trust.and(met.trust),
                    through: Some(point.site),
                    ..held.clone()
                };
                let mut inner: Vec<Held> = held.iter().map(in_caller).collect();
                inner.extend_from_slice(point.more);
                let guards = given.guards.iter();
                let guards = guards.map(|(number, held)| (*number, in_caller(held)));
                let own = given.values.iter();
                let given = Given {
                    guards: guards.collect(),
                    values: own.map(|value| value.in_caller(values)).collect(),
                };
                self.called_back(path, arguments, values, &given, met.under(&inner));
            }
        }
    }

    /// A parameter of the callee is called, and is given this: here it may be known what it is.
    fn called_back(
        &mut self,
        path: &Path,
        arguments: &[Argument],
        values: &[Value],
        given: &Given,
        met: Point<'_>,
    ) {
        let Root::Parameter(number) = path.root else {
            return;
        };
        let Some(argument) = arguments.get((number as usize).wrapping_sub(1)) else {
            return;
        };
        let value = match Value::At(path.clone()).in_caller(values) {
            Value::At(path) => self.frame.load(&path),
            value => value,
        };
        let seen = Argument {
            value,
            held: Vec::new(),
            ..argument.clone()
        };
        let bodies = self.closures_of(&seen);
        if !bodies.is_empty() && (self.nested >= NESTED_MAX || self.taken >= TAKEN_MAX) {
            self.outcome.summary.left_out += 1;
            return;
        }
        let handed = handed(given);
        self.nested += 1;
        for body in &bodies {
            let environment = Argument {
                value: self.environment(&seen, *body),
                ..seen.clone()
            };
            self.taken += self.frame.summaries[*body].effects.len();
            self.run(*body, environment, &handed, Point { via: None, ..met });
        }
        self.nested -= 1;
        if bodies.is_empty() {
            // Of the type of the argument only a part is called.
            let seen = Argument {
                of: argument.of.filter(|_| path.steps.is_empty()),
                ..seen
            };
            self.calls_value_of(&seen, given, met);
        }
    }

    /// A function value is called whose body is not known here: a parameter, or what is kept in data. It
    /// is given this.
    pub(in crate::code::flow) fn calls_value_of(
        &mut self,
        callable: &Argument,
        given: &Given,
        point: Point<'_>,
    ) {
        if !self.records {
            return;
        }
        self.calls_function_at(callable, point);
        let (Value::At(path) | Value::To(path)) = &callable.value else {
            return;
        };
        if matches!(path.root, Root::Parameter(_)) && path.is_near() {
            let mut held = self.held_at(point);
            let more = held.len().saturating_sub(HELD_MAX);
            held.truncate(HELD_MAX);
            self.outcome.summary.left_out += more as u64;
            // Without a lock nobody asks which instance it is that is given.
            let told = given.values.iter().filter(|_| !held.is_empty());
            let values = told.map(place_told).collect();
            let given = Given {
                guards: given.guards.clone(),
                values,
            };
            self.effect(What::Calls(path.clone(), held, given), point);
        }
    }
}

/// So many locks are told that are held where a parameter is called.
const HELD_MAX: usize = 8;

/// A place, as callers know it, and nothing else.
fn place_told(value: &Value) -> Value {
    match value {
        Value::At(_) | Value::To(_) => value.exported(),
        _ => Value::Unknown,
    }
}

/// The arguments that a function is given, with the locks of the guards that they bring.
fn handed(given: &Given) -> Vec<Argument> {
    let count = given.guards.iter().map(|(number, _)| *number as usize + 1);
    let count = count.max().unwrap_or(0).max(given.values.len());
    (0..count)
        .map(|number| {
            let guards = given.guards.iter();
            let own = guards.filter(|(at, _)| *at as usize == number);
            let value = given.values.get(number);
            Argument {
                held: own.map(|(_, held)| held.clone()).collect(),
                ..Argument::of(value.cloned().unwrap_or(Value::Unknown))
            }
        })
        .collect()
}
