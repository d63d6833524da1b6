//! Functions that are kept in data: where they are put, and where such are called.
//!
//! Of a field or static it is known which functions are put into it anywhere in the program. Where a
//! function comes from elsewhere, as from a channel, it can be any of its type that is boxed somewhere.

use super::Flow;
use super::calls::{Argument, type_of_place};
use super::record::{Point, chain};
use crate::code::class;
use crate::code::ir::{Kind, Operand, Place, Rvalue, Site, Statement, Terminator};
use crate::code::known::{self, Waits};
use crate::code::names::Name;
use crate::code::program::BodyId;
use crate::code::summary::{Held, Keeper, LockAt, Summary, What};
use crate::code::text::function_type;
use crate::code::trust::Trust;
use crate::code::value::{Path, Root, Value};

/// A function is put into data.
#[derive(Debug, Clone)]
pub(crate) struct KeptFunction {
    /// Where to.
    pub keeper: Keeper,
    /// The function.
    pub runs: BodyId,
    /// The locks that it takes.
    pub takes: Vec<Taken>,
}

/// A lock that a function takes.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// Which.
    pub lock: LockAt,
    /// Whether and how it waits.
    pub waits: Waits,
    /// Whether that happens on some path through the function.
    pub trust: Trust,
    /// The calls that lead there, outermost first.
    pub calls: Vec<Site>,
}

/// A function that is kept in data is called under locks.
#[derive(Debug, Clone)]
pub(crate) struct KeptCall {
    /// Where it is kept.
    pub keeper: Keeper,
    /// What is held.
    pub held: Vec<Held>,
    /// The function in which the locks are held.
    pub body: BodyId,
    /// The calls that lead from there to the function, the call of that itself the last of them.
    pub calls: Vec<Site>,
    /// Whether that happens on some path.
    pub trust: Trust,
}

/// So many calls a value is followed back through to where it lies.
const BACK_MAX: usize = 8;

impl Flow<'_> {
    /// Notes the functions that are put into data here.
    pub(super) fn note_kept_functions(&mut self) {
        for part in self.frame.parts() {
            let to = class::of_field(self.frame.program, &part.of.head, part.index);
            self.keep(part.operand, to);
        }
        let body = self.frame.body;
        for block in &body.blocks {
            for statement in &block.statements {
                let Statement::Assign(place, rvalue) = statement else {
                    continue;
                };
                match rvalue {
                    Rvalue::Use(operand) if place.is_whole() => self.note_boxed(place, operand),
                    Rvalue::Use(operand) => {
                        if let Some(path) = self.frame.place(place) {
                            self.keep(operand, self.keeper_at(&path));
                        }
                    }
                    _ => {}
                }
            }
            if let Terminator::Call {
                callee, arguments, ..
            } = &block.end
                && let [to, rest @ ..] = &arguments[..]
            {
                let method = self.frame.resolved(callee).method;
                let puts =
                    method.is_some_and(|method| known::puts_in(&self.frame.program.text(method)));
                if puts && rest.iter().any(|operand| self.can_be_function(operand)) {
                    let to = self.keeper_of(to);
                    for operand in rest {
                        self.keep(operand, to);
                    }
                }
            }
        }
    }

    /// Whether a value of this type can be a function.
    fn can_be_function(&self, operand: &Operand) -> bool {
        let Some(place) = operand.place() else {
            return matches!(operand, Operand::Function(_));
        };
        let Some(of) = type_of_place(self.frame, place) else {
            return false;
        };
        let text = self.frame.program.text(of);
        let found = self.frame.program.type_of(of);
        !found.bodies.is_empty()
            || !found.functions.is_empty()
            || function_type(&text).is_some()
            || is_parameter(&text)
    }

    /// A function becomes one of a type that does not say which.
    fn note_boxed(&mut self, place: &Place, operand: &Operand) {
        let program = self.frame.program;
        let text = program.text(self.frame.type_of(place.local));
        if text.starts_with('&') {
            return;
        }
        let Some(of) = function_type(&text) else {
            return;
        };
        let already = operand
            .place()
            .and_then(|place| type_of_place(self.frame, place))
            .is_some_and(|of| function_type(&program.text(of)).is_some());
        if !already {
            let of = program.names.of(&of);
            self.keep_at(operand, Keeper::Type(of));
            for keeper in self.initialises() {
                self.keep_at(operand, keeper);
            }
        }
    }

    /// The static or constant that this body makes the initial value of, or part of it that the compiler keeps
    /// apart: `STEPS::promoted[0]`.
    fn initialises(&self) -> Vec<Keeper> {
        let body = self.frame.body;
        if !matches!(body.kind, Kind::Static | Kind::Constant) {
            return Vec::new();
        }
        let program = self.frame.program;
        let text = program.text(body.name);
        let around = text.split_once("::promoted[").map(|(around, _)| around);
        let all = around.into_iter().chain([&*text]);
        all.map(|name| Keeper::Place(program.names.of(&format!("static {name}"))))
            .collect()
    }

    /// The field or static that what an operand points to lies in.
    pub(super) fn keeper_of(&self, operand: &Operand) -> Option<Name> {
        let path = self.lies_at(&self.frame.operand(operand))?;
        self.keeper_at(&path)
    }

    /// The field or static that a place lies in.
    fn keeper_at(&self, path: &Path) -> Option<Name> {
        let class = class::of_path(self.frame, path);
        let is_place = class::is_place(self.frame.program, class.name);
        (is_place && !class.is_open).then_some(class.name)
    }

    fn keep(&mut self, operand: &Operand, to: Option<Name>) {
        if let Some(to) = to
            && self.can_be_function(operand)
        {
            self.keep_at(operand, Keeper::Place(to));
        }
    }

    fn keep_at(&mut self, operand: &Operand, keeper: Keeper) {
        let argument = self.argument(operand, Vec::new());
        self.keep_value(&argument, keeper);
    }

    fn keep_value(&mut self, argument: &Argument, keeper: Keeper) {
        let bodies = self.closures_of(argument);
        for runs in &bodies {
            let environment = self.environment(argument, *runs);
            let takes = self.taken_by(*runs, &environment);
            if !takes.is_empty() {
                self.outcome.kept_functions.push(KeptFunction {
                    keeper,
                    runs: *runs,
                    takes,
                });
            }
        }
        if bodies.is_empty()
            && let Value::At(path) | Value::To(path) = &argument.value
            && matches!(path.root, Root::Parameter(_))
            && path.is_near()
        {
            let summary = &mut self.outcome.summary;
            summary.add_kept_function(path.clone(), keeper);
        }
    }

    /// The same for what a callee keeps.
    pub(super) fn take_over_kept(
        &mut self,
        summary: &Summary,
        arguments: &[Argument],
        values: &[Value],
    ) {
        for (path, keeper) in &summary.keeps_functions {
            let Root::Parameter(number) = path.root else {
                continue;
            };
            let Some(argument) = arguments.get((number as usize).wrapping_sub(1)) else {
                continue;
            };
            let value = match Value::At(path.clone()).in_caller(values) {
                Value::At(path) => self.frame.load(&path),
                value => value,
            };
            let seen = Argument {
                value,
                ..argument.clone()
            };
            self.keep_value(&seen, *keeper);
        }
    }

    /// The locks that a body takes, as this function sees them.
    fn taken_by(&self, body: BodyId, environment: &Value) -> Vec<Taken> {
        let summaries = self.frame.summaries;
        let effects = summaries[body].effects.iter();
        let taken = effects.filter_map(|effect| match &effect.what {
            What::Wants(lock, waits) => {
                let lock = self.in_caller(lock, std::slice::from_ref(environment));
                let mut calls = Vec::new();
                chain(summaries, effect, &mut calls);
                Some(Taken {
                    lock: super::record::exported(&lock),
                    waits: *waits,
                    trust: effect.trust,
                    calls,
                })
            }
            _ => None,
        });
        taken.collect()
    }

    /// A function is called of which only its place or type is known.
    pub(super) fn calls_function_at(&mut self, callable: &Argument, point: Point<'_>) {
        if !self.records {
            return;
        }
        let program = self.frame.program;
        let class = self
            .lies_at(&callable.value)
            .and_then(|path| self.keeper_at(&path));
        let of = callable.of.and_then(|of| function_type(&program.text(of)));
        // What a parameter is, the callers know.
        let is_parameter = matches!(&callable.value, Value::At(path) | Value::To(path)
            if matches!(path.root, Root::Parameter(_)));
        let keeper = match (class, of) {
            (Some(class), _) => Keeper::Place(class),
            (None, Some(of)) if !is_parameter => Keeper::Type(program.names.of(&of)),
            _ => return,
        };
        self.calls_kept(keeper, point);
    }

    /// A function that is kept in data is called, here or in a callee.
    pub(super) fn calls_kept(&mut self, keeper: Keeper, point: Point<'_>) {
        if !self.records {
            return;
        }
        self.effect(What::CallsKept(keeper), point);
        let held = self.held_at(point);
        if held.is_empty() {
            return;
        }
        let mut calls = self.calls(point);
        calls.push(point.end());
        self.outcome.kept_calls.push(KeptCall {
            keeper,
            held,
            body: self.id,
            calls,
            trust: point.trust,
        });
    }

    /// Where a value lies that may have come through methods of what keeps it: `map.entry(k).or_default()`.
    fn lies_at(&self, value: &Value) -> Option<Path> {
        let mut value = value.clone();
        for _ in 0..BACK_MAX {
            let (Value::At(path) | Value::To(path)) = value else {
                return None;
            };
            let Root::Call(block) = path.root else {
                return Some(path);
            };
            if self.keeper_at(&path).is_some() {
                return Some(path);
            }
            let (callee, arguments, _) = self.frame.call_at(block)?;
            if !self.frame.resolved(callee).bodies.is_empty() {
                return None;
            }
            value = self.frame.operand(arguments.first()?);
            if let Value::To(inner) = &value {
                value = match self.frame.load(inner) {
                    value @ (Value::At(_) | Value::To(_)) => value,
                    _ => return Some(inner.clone()),
                };
            }
        }
        None
    }
}

/// Whether the text of a type is that of a parameter.
fn is_parameter(text: &str) -> bool {
    text.starts_with("impl ")
        || text.len() < 24
            && text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
