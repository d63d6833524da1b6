//! Threads and tasks: what they run, who keeps their handles, and who waits for their ends.

use super::{Argument, Call, type_of_place};
use crate::code::class;
use crate::code::flow::record::{Point, exported};
use crate::code::flow::{Flow, KeptHandle, State};
use crate::code::ir::{BlockId, Callee, Operand, Place, Rvalue, Statement, Terminator};
use crate::code::known::{self, Known, Resource};
use crate::code::names::Name;
use crate::code::program::BodyId;
use crate::code::summary::{Effect, LockAt, What};
use crate::code::text::last;
use crate::code::value::{Path, Root, Step, Value};

/// Methods that take a handle out of what keeps it, or lead to it.
const TAKES_OUT: [&str; 11] = [
    "take",
    "replace",
    "pop",
    "pop_front",
    "pop_back",
    "remove",
    "swap_remove",
    "drain",
    "into_iter",
    "iter_mut",
    "next",
];

/// So many calls a handle is followed back through.
const BACK_MAX: u32 = 8;

impl Flow<'_> {
    /// A thread or task begins: nothing is held there, but it may order what it was given.
    pub(in crate::code::flow) fn spawned(&mut self, call: &Call<'_>, state: &State) {
        if !self.records {
            return;
        }
        let mut taken = Vec::new();
        for argument in &call.arguments {
            for body in self.closures_of(argument) {
                let environment = self.environment(argument, body);
                let summary = &self.frame.summaries[body];
                self.take_over_open(summary, std::slice::from_ref(&environment), call.site);
                taken.extend(self.locks_of(body, &environment));
            }
        }
        if taken.is_empty() {
            return;
        }
        let itself = Value::At(Path::at(Root::Call(call.block)));
        if self.frame.value_of(0) == itself {
            let begun = Point::at(call.site, state);
            for (body, lock) in &taken {
                self.effect(What::HandsOut(*body, exported(lock)), begun);
            }
        }
        if self.is_scoped(call) {
            // Whoever opened the scope waits for it.
            let begun = Point::at(call.site, state);
            for (body, lock) in &taken {
                self.effect(What::Begins(*body, exported(lock)), begun);
            }
        }
        self.outcome
            .begun
            .extend(taken.iter().map(|(body, lock)| (*body, exported(lock))));
        for class in self.keepers(call.block) {
            for (runs, lock) in &taken {
                self.outcome.kept.push(KeptHandle {
                    class,
                    runs: *runs,
                    lock: lock.clone(),
                });
            }
        }
    }

    /// The locks that a body takes, as this function sees them.
    fn locks_of(&self, body: BodyId, environment: &Value) -> Vec<(BodyId, LockAt)> {
        let effects = self.frame.summaries[body].effects.iter();
        effects
            .filter_map(|effect| match &effect.what {
                What::Wants(lock, waits) if waits.is_endless() => {
                    let lock = self.in_caller(lock, std::slice::from_ref(environment));
                    Some((body, lock))
                }
                _ => None,
            })
            .collect()
    }

    fn is_scoped(&self, call: &Call<'_>) -> bool {
        call.method.is_some_and(|method| {
            let text = self.frame.program.text(method);
            let (on, name) = text.rsplit_once("::").unwrap_or(("", &text));
            last(on).starts_with("Scope") || name == "spawn_scoped"
        })
    }

    /// A scope ends when all threads in it have ended.
    pub(in crate::code::flow) fn scope(&mut self, call: &Call<'_>, state: &State) {
        if !self.records {
            return;
        }
        let mut runs = Vec::new();
        for argument in &call.arguments {
            for body in self.closures_of(argument) {
                let environment = self.environment(argument, body);
                for effect in &self.frame.summaries[body].effects {
                    if let What::Begins(runs_there, lock) = &effect.what {
                        let lock = self.in_caller(lock, std::slice::from_ref(&environment));
                        runs.push((*runs_there, lock));
                    }
                }
            }
        }
        self.joins(&runs, Point::at(call.site, state));
    }

    /// A task is waited for by who runs futures: `block_on(handle)`.
    pub(in crate::code::flow) fn waits_for_tasks(&mut self, call: &Call<'_>, state: &State) {
        let program = self.frame.program;
        for argument in &call.arguments {
            let is_handle = argument.of.is_some_and(|of| {
                let of = program.type_of(of);
                of.references == 0 && last(&of.head) == "JoinHandle"
            });
            if is_handle && self.polls(call) {
                let class = program.names.of("task");
                let mut runs = Vec::new();
                self.run_by(&argument.value, &mut runs, 0);
                self.blocks(Resource::Join, class, &runs, Point::at(call.site, state));
            }
        }
    }

    /// The end of a thread is waited for, whose handle a caller gave.
    pub(in crate::code::flow) fn joins_what_callers_know(
        &mut self,
        call: &Call<'_>,
        at: Point<'_>,
    ) {
        let handle = call.arguments.first().map(|argument| &argument.value);
        let handle = match handle {
            Some(Value::To(path)) => self.frame.load(path),
            Some(value) => value.clone(),
            None => return,
        };
        if let Value::At(path) = handle
            && matches!(path.root, Root::Parameter(_))
            && path.is_near()
        {
            self.effect(What::JoinsAt(path), at);
        }
    }

    /// The end of the thread is waited for whose handle this is.
    pub(in crate::code::flow) fn joins_at(&mut self, handle: &Value, met: Point<'_>) {
        if !self.records {
            return;
        }
        let handle = match handle {
            Value::At(path) => self.frame.load(path),
            value => value.clone(),
        };
        let mut runs = Vec::new();
        self.run_by(&handle, &mut runs, 0);
        if !runs.is_empty() {
            return self.joins(&runs, met);
        }
        let Value::At(path) = handle else { return };
        if let Some(class) = self.class_of_keeper(&path) {
            self.note_blocked(Resource::Join, class, &[], met);
        }
        if matches!(path.root, Root::Parameter(_)) && path.is_near() {
            self.effect(What::JoinsAt(path), met);
        }
    }

    /// What the thread runs whose handle is the first argument, and the locks that it takes.
    pub(in crate::code::flow) fn runs(&self, arguments: &[Argument]) -> Vec<(BodyId, LockAt)> {
        let mut found = Vec::new();
        if let Some(handle) = arguments.first() {
            self.run_by(&handle.value, &mut found, 0);
        }
        found
    }

    /// Adds what the thread of a handle runs, or what those do whose handles are in a collection made here.
    fn run_by(&self, handle: &Value, found: &mut Vec<(BodyId, LockAt)>, depth: u32) {
        // A task's handle is polled through a pointer.
        let handle = match handle {
            Value::To(path) => self.frame.load(path),
            value => value.clone(),
        };
        let Value::At(mut path) = handle else { return };
        // One of those in a collection that is made here.
        while path.steps.last() == Some(&Step::Index) {
            path.steps.pop();
        }
        if depth > BACK_MAX || !path.steps.is_empty() {
            return;
        }
        if let Root::Call(block) = path.root
            && let Some((callee, operands, _)) = self.frame.call_at(block)
        {
            let resolved = self.frame.resolved(callee);
            let method = resolved
                .method
                .map(|method| self.frame.program.text(method));
            let takes_out = method.is_some_and(|method| TAKES_OUT.contains(&last(&method)));
            if resolved.known == Some(Known::Spawn) {
                for operand in operands {
                    let argument = self.argument(operand, Vec::new());
                    for body in self.closures_of(&argument) {
                        let environment = self.environment(&argument, body);
                        found.extend(self.locks_of(body, &environment));
                    }
                }
            } else if takes_out && let Some(first) = operands.first() {
                return self.run_by(&self.frame.operand(first), found, depth + 1);
            } else {
                let values: Vec<Value> = operands
                    .iter()
                    .map(|operand| self.frame.operand(operand))
                    .collect();
                for body in &resolved.bodies {
                    self.handed_out(*body, &values, found);
                }
                // Closures that begin threads, one for each element.
                for operand in operands {
                    let argument = self.argument(operand, Vec::new());
                    for body in self.closures_of(&argument) {
                        let environment = self.environment(&argument, body);
                        self.handed_out(body, &[environment], found);
                    }
                }
            }
        }
        for operand in self.put_into(&path) {
            self.run_by(&self.frame.operand(operand), found, depth + 1);
        }
        self.begun_in(&path, found);
    }

    /// What those tasks run that begin in the set at this place, in this function.
    fn begun_in(&self, set: &Path, found: &mut Vec<(BodyId, LockAt)>) {
        for block in &self.frame.body.blocks {
            if let Terminator::Call {
                callee, arguments, ..
            } = &block.end
                && self.frame.resolved(callee).known == Some(Known::Spawn)
                && let [to, runs @ ..] = &arguments[..]
                && let Value::To(to) = self.frame.operand(to)
                && self.frame.load(&to) == Value::At(set.clone())
            {
                for operand in runs {
                    let argument = self.argument(operand, Vec::new());
                    for body in self.closures_of(&argument) {
                        let environment = self.environment(&argument, body);
                        found.extend(self.locks_of(body, &environment));
                    }
                }
            }
        }
    }

    /// What threads run whose handles a callee returns.
    fn handed_out(&self, body: BodyId, values: &[Value], found: &mut Vec<(BodyId, LockAt)>) {
        for effect in &self.frame.summaries[body].effects {
            if let What::HandsOut(runs, lock) = &effect.what {
                found.push((*runs, self.in_caller(lock, values)));
            }
        }
    }

    /// The handle that a callee returns is returned once more.
    pub(super) fn hands_on(&mut self, effect: &Effect, values: &[Value], met: Point<'_>) {
        let What::HandsOut(runs, lock) = &effect.what else {
            return;
        };
        let Value::At(path) = self.frame.value_of(0) else {
            return;
        };
        let is_it = matches!(path.root, Root::Call(block)
            if self.frame.body.blocks.get(block as usize).is_some_and(|one| one.site == met.site));
        if is_it && path.steps.is_empty() {
            let lock = self.in_caller(lock, values);
            self.effect(What::HandsOut(*runs, exported(&lock)), met);
        }
    }

    /// What is put into the collection at this place, in this function.
    fn put_into(&self, collection: &Path) -> Vec<&Operand> {
        let mut found = Vec::new();
        for block in &self.frame.body.blocks {
            if let Terminator::Call {
                callee, arguments, ..
            } = &block.end
                && let [to, rest @ ..] = &arguments[..]
                && self.puts_in(callee)
                && let Value::To(to) = self.frame.operand(to)
                && self.frame.load(&to) == Value::At(collection.clone())
            {
                found.extend(rest);
            }
        }
        found
    }

    fn puts_in(&self, callee: &Callee) -> bool {
        let method = self.frame.resolved(callee).method;
        method.is_some_and(|method| {
            let method = self.frame.program.text(method);
            known::puts_in(&method) || last(&method) == "send"
        })
    }

    /// The fields and statics that a handle goes into which the call in this block returns.
    fn keepers(&self, block: BlockId) -> Vec<Name> {
        let is_it = |operand: &Operand| self.unwrapped(operand) == Some((block, false));
        let is_in_it = |operand: &Operand| self.unwrapped(operand) == Some((block, true));
        let mut found = Vec::new();
        for block in &self.frame.body.blocks {
            for statement in &block.statements {
                let Statement::Assign(place, rvalue) = statement else {
                    continue;
                };
                match rvalue {
                    Rvalue::Use(operand) if is_it(operand) && !place.is_whole() => {
                        found.extend(self.keeper(place));
                    }
                    Rvalue::Aggregate(parts) => {
                        for (index, part) in (0..).zip(parts) {
                            if is_it(part) {
                                found.extend(self.field_class(place, index));
                            } else if is_in_it(part) {
                                let class = self.field_class(place, index);
                                let program = self.frame.program;
                                found.extend(class.map(|class| class::inside(program, class)));
                            }
                        }
                    }
                    _ => {}
                }
            }
            if let Terminator::Call {
                callee,
                arguments: operands,
                ..
            } = &block.end
                && self.puts_in(callee)
                && operands.iter().skip(1).any(is_it)
                && let Some(path) = operands
                    .first()
                    .and_then(|first| self.frame.operand(first).target())
            {
                found.extend(self.class_of_keeper(&path));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The call whose result an operand is, and whether a lock is made around that: `Mutex::new(Some(handle))`.
    fn unwrapped(&self, operand: &Operand) -> Option<(BlockId, bool)> {
        let mut is_wrapped = false;
        let mut value = self.frame.operand(operand);
        for _ in 0..BACK_MAX {
            let Value::At(path) = value else { return None };
            let (Root::Call(block), []) = (path.root, &path.steps[..]) else {
                return None;
            };
            let (callee, operands, _) = self.frame.call_at(block)?;
            let resolved = self.frame.resolved(callee);
            let method = resolved
                .method
                .map(|method| self.frame.program.text(method));
            let wraps = resolved.bodies.is_empty()
                && resolved.known.is_none()
                && method.is_some_and(|method| last(&method) == "new");
            match operands.first() {
                Some(inner) if wraps => {
                    is_wrapped = true;
                    value = self.frame.operand(inner);
                }
                _ => return Some((block, is_wrapped)),
            }
        }
        None
    }

    fn keeper(&self, place: &Place) -> Option<Name> {
        self.class_of_keeper(&self.frame.place(place)?)
    }

    /// The class of a field of what is made at this place.
    fn field_class(&self, place: &Place, index: u32) -> Option<Name> {
        let program = self.frame.program;
        let of = program.type_of(type_of_place(self.frame, place)?);
        if !program.is_own(&of.head) {
            // An option or the like, on its way.
            return (!place.is_whole()).then(|| self.keeper(place))?;
        }
        class::of_field(program, &of.head, index)
    }

    fn class_of_keeper(&self, path: &Path) -> Option<Name> {
        let class = class::of_path(self.frame, path).name;
        class::is_place(self.frame.program, class).then_some(class)
    }

    /// The class of what keeps the handle that is waited for.
    pub(in crate::code::flow) fn class_of_handle(&self, call: &Call<'_>) -> Option<Name> {
        let mut value = call.arguments.first()?.value.clone();
        for _ in 0..8 {
            let path = match &value {
                Value::At(path) | Value::To(path) => path.clone(),
                _ => return None,
            };
            let Root::Call(block) = path.root else {
                return self.class_of_keeper(&path);
            };
            let (callee, operands, _) = self.frame.call_at(block)?;
            let method = self.frame.program.text(self.frame.resolved(callee).method?);
            if !TAKES_OUT.contains(&last(&method)) {
                return None;
            }
            value = self.frame.operand(operands.first()?);
            if let Value::To(inner) = &value {
                value = self.frame.load(inner);
            }
        }
        None
    }

    /// Whether a function opens a scope whose threads it waits for.
    pub(in crate::code::flow) fn opens_scope(&self, call: &Call<'_>) -> bool {
        call.method.is_some_and(|method| {
            let text = self.frame.program.text(method);
            let (on, name) = text.rsplit_once("::").unwrap_or(("", &text));
            name == "scope"
                && (last(on) == "thread"
                    || matches!(on, "rayon" | "rayon_core" | "crossbeam" | "crossbeam_utils"))
        })
    }
}
