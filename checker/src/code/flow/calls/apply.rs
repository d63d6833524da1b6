//! Takes over what a callee does, with the caller's arguments in place of its parameters.

use std::borrow::Cow;

use super::Argument;
use crate::code::class::{self, Class};
use crate::code::flow::record::exported;
use crate::code::flow::{Flow, State, insert};
use crate::code::ir::{Kind, Site};
use crate::code::program::BodyId;
use crate::code::summary::{Effect, Held, LockAt, What};
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

    /// Runs a closure: what it captured is its first parameter.
    #[expect(clippy::too_many_arguments, reason = "one call, seen from all sides")]
    pub(in crate::code::flow) fn run(
        &mut self,
        body: BodyId,
        environment: &Value,
        arguments: &[Argument],
        site: Site,
        is_sure: bool,
        state: &State,
        more: &[Held],
    ) {
        let is_closure = self.frame.program.bodies[body].kind == Kind::Closure;
        let own = is_closure.then(|| Argument::of(environment.clone()));
        let arguments: Vec<Argument> = own.into_iter().chain(arguments.iter().cloned()).collect();
        self.apply(body, &arguments, site, is_sure, state, more);
    }

    /// Takes over what a callee does.
    pub(in crate::code::flow) fn apply(
        &mut self,
        body: BodyId,
        arguments: &[Argument],
        site: Site,
        is_sure: bool,
        state: &State,
        more: &[Held],
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
            let mut at = Cow::Borrowed(state);
            for (number, argument) in (1..64).zip(arguments) {
                if effect.guards & (1 << number) != 0 {
                    for cell in &argument.moved {
                        insert(at.to_mut(), *cell);
                    }
                }
            }
            let is_sure = is_sure && effect.is_sure;
            match &effect.what {
                What::Wants(lock, waits) => {
                    let lock = self.in_caller(lock, &values);
                    self.reached(&lock, *waits, (site, body), effect, is_sure, &at, more);
                }
                What::Blocks(resource, class) => {
                    self.blocks_through(
                        *resource,
                        *class,
                        (site, body),
                        effect,
                        is_sure,
                        &at,
                        more,
                    );
                }
                What::Begins(runs, lock) => {
                    let lock = self.in_caller(lock, &values);
                    let begins = What::Begins(*runs, exported(&lock));
                    self.effect_through(begins, (site, body), effect.site, is_sure, 0);
                }
                What::Joins(runs, lock) => {
                    let lock = self.in_caller(lock, &values);
                    self.joins_through(*runs, &lock, (site, body), effect, is_sure, &at, more);
                }
                What::Notifies(_) | What::Sends(_) => {
                    self.effect_through(effect.what.clone(), (site, body), effect.site, is_sure, 0);
                }
                What::Calls(path, held) => {
                    let mut inner: Vec<Held> = held
                        .iter()
                        .map(|held| Held {
                            lock: self.in_caller(&held.lock, &values),
                            is_sure: held.is_sure && is_sure,
                            through: Some(site),
                            ..held.clone()
                        })
                        .collect();
                    inner.extend_from_slice(more);
                    self.called_back(
                        path,
                        arguments,
                        &values,
                        (site, body),
                        effect,
                        is_sure,
                        &at,
                        &inner,
                    );
                }
            }
        }
        self.take_over_open(summary, &values, site);
        self.take_over_aliases(summary, &values);
    }

    /// A parameter of the callee is called: here it may be known what it is.
    #[expect(clippy::too_many_arguments, reason = "one call, seen from all sides")]
    pub(in crate::code::flow) fn called_back(
        &mut self,
        path: &Path,
        arguments: &[Argument],
        values: &[Value],
        through: (Site, BodyId),
        effect: &Effect,
        is_sure: bool,
        state: &State,
        inner: &[Held],
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
            value: value.clone(),
            of: argument.of,
            function: argument.function,
            moved: Vec::new(),
        };
        let bodies = self.closures_of(&seen);
        for body in &bodies {
            let environment = self.environment(&seen, *body);
            self.run(*body, &environment, &[], through.0, is_sure, state, inner);
        }
        if bodies.is_empty()
            && let Value::At(path) | Value::To(path) = value
            && matches!(path.root, Root::Parameter(_))
            && path.is_near()
        {
            let mut held = self.held(state);
            held.extend_from_slice(inner);
            held.truncate(8);
            let guards = self.parameters(state);
            self.effect_through(
                What::Calls(path, held),
                through,
                effect.site,
                is_sure,
                guards,
            );
        }
    }
}
