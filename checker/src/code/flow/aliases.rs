//! Locks that get a second name: a shared pointer or reference to one goes into a field.

use super::Flow;
use super::calls::type_of_place;
use crate::code::class;
use crate::code::frame::captured_names;
use crate::code::ir::{BlockId, Callee, Operand, Rvalue, Statement, Terminator};
use crate::code::known;
use crate::code::names::Name;
use crate::code::summary::Summary;
use crate::code::text::{last, split_commas};
use crate::code::value::{Path, Root, Value, place_in_caller};

/// So many calls what is made is followed back through.
const MADE_MAX: usize = 4;

impl Flow<'_> {
    /// Notes the fields that locks of this function go into, and the collections in fields.
    pub(super) fn note_aliases(&mut self) {
        let body = self.frame.body;
        for statement in body.statements() {
            if let Statement::Assign(place, Rvalue::Use(operand)) = statement
                && !place.is_whole()
                && let Some(to) = self.frame.place(place)
            {
                // What is in a lock that a parameter leads to is not known by a name.
                let to = class::of_path(self.frame, &to);
                if !to.is_open {
                    self.alias_shared(operand, to.name);
                }
            }
        }
        for part in self.frame.parts() {
            if let Some(to) = class::of_field(self.frame.program, &part.of.head, part.index) {
                self.alias_shared(part.operand, to);
                let (paths, is_inside) = self.gathered(part.operand);
                let program = self.frame.program;
                let to = if is_inside {
                    class::inside(program, to)
                } else {
                    to
                };
                for path in paths {
                    self.alias(&path, to);
                }
            }
        }
        for block in &body.blocks {
            if let Terminator::Call {
                callee, arguments, ..
            } = &block.end
                && let [into, rest @ ..] = &arguments[..]
                && self.puts_into_collection(callee)
                && let Some(to) = self.keeper_of(into)
            {
                for operand in rest {
                    self.alias_shared(operand, to);
                }
            }
        }
    }

    /// Notes which locks the shared pointers lead to that closures and futures capture. One that is kept or sent away
    /// runs where nobody sees what it captured.
    pub(super) fn note_captures(&mut self) {
        let program = self.frame.program;
        for statement in self.frame.body.statements() {
            let Statement::Assign(place, Rvalue::Aggregate(parts)) = statement else {
                continue;
            };
            let of = program.type_at(self.frame.body, place);
            let keys = of.map(|of| program.type_of(of).bodies.clone());
            let Some(&[key]) = keys.as_deref() else {
                continue;
            };
            let Some(closure) = program.closure(key, self.frame.body) else {
                continue;
            };
            let closure = &program.bodies[closure];
            let names = captured_names(closure);
            for (index, part) in parts.iter().enumerate() {
                let of = part
                    .place()
                    .and_then(|part| type_of_place(self.frame, part));
                let (Some((name, _)), Some(of)) = (names.get(&index), of) else {
                    continue;
                };
                if !self.is_shared_pointer(of) {
                    continue;
                }
                let inside = class::of_captured(program, closure.name, *name);
                let outside = match self.frame.operand(part) {
                    Value::At(path) | Value::To(path) => class::of_path(self.frame, &path).name,
                    _ => class::Class::nameless(program).name,
                };
                // Captured again by a closure in a closure.
                if outside != inside {
                    self.outcome.captured.push((inside, outside));
                }
            }
        }
    }

    /// Whether what is called is std's, and puts its arguments into a collection or cell.
    fn puts_into_collection(&self, callee: &Callee) -> bool {
        let resolved = self.frame.resolved(callee);
        resolved.bodies.is_empty()
            && resolved.method.is_some_and(|method| {
                let method = self.frame.program.text(method);
                known::is_of_std(&method) && known::puts_in(&method)
            })
    }

    /// Notes that what is shared by an operand goes to what is named so.
    fn alias_shared(&mut self, operand: &Operand, to: Name) {
        for path in self.shared(operand) {
            self.alias(&path, to);
        }
    }

    /// The same for what a callee puts into fields.
    pub(super) fn take_over_aliases(&mut self, summary: &Summary, values: &[Value]) {
        for (path, to) in &summary.keeps {
            if let Some(path) = place_in_caller(path, values) {
                self.alias(&path, *to);
            }
        }
    }

    /// The places of the pointers to locks that an operand is: one, or those in a tuple.
    fn shared(&self, operand: &Operand) -> Vec<Path> {
        let of = operand
            .place()
            .and_then(|place| type_of_place(self.frame, place));
        let Some(of) = of else { return Vec::new() };
        let program = self.frame.program;
        let text = program.text(of);
        if !(text.contains("Mutex<") || text.contains("RwLock<")) || program.type_of(of).guards {
            return Vec::new();
        }
        let place_of = |value: &Value| match value {
            Value::At(path) | Value::To(path) => Some(path.clone()),
            _ => None,
        };
        let value = self.frame.operand(operand);
        match (&value, text.strip_prefix('(')) {
            (Value::Parts(_, parts), Some(types)) => {
                let types = split_commas(types.trim_end_matches(')'));
                let parts = parts.iter().zip(types);
                let parts = parts.filter(|(_, of)| self.is_shared_pointer(program.names.of(of)));
                parts.filter_map(|(part, _)| place_of(part)).collect()
            }
            _ if self.is_shared_pointer(of) => place_of(&value).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The places of the pointers to locks in a list that is made of them, and whether a lock is made around that:
    /// `Mutex::new(vec![a.clone(), b])`.
    fn gathered(&self, operand: &Operand) -> (Vec<Path>, bool) {
        let mut is_inside = false;
        let mut operand = operand;
        for _ in 0..MADE_MAX {
            let block = match self.frame.operand(operand) {
                Value::Parts(None, parts) => return (self.elements(operand, &parts), is_inside),
                Value::At(Path {
                    root: Root::Call(block),
                    steps,
                }) if steps.is_empty() => block,
                _ => break,
            };
            let Some((callee, arguments, _)) = self.frame.call_at(block) else {
                break;
            };
            let resolved = self.frame.resolved(callee);
            let method = resolved.method.filter(|_| resolved.bodies.is_empty());
            let Some(method) = method.map(|method| self.frame.program.text(method)) else {
                break;
            };
            match (last(&method), arguments.first()) {
                // `vec![…]`: the list is written into a box.
                ("new_uninit", _) => return (self.written_to(block), is_inside),
                ("new", Some(inner)) => {
                    is_inside = true;
                    operand = inner;
                }
                ("from" | "into_vec" | "box_assume_init_into_vec_unsafe", Some(inner)) => {
                    operand = inner;
                }
                _ => break,
            }
        }
        (Vec::new(), false)
    }

    /// The places of the pointers to locks in an array of these.
    fn elements(&self, array: &Operand, parts: &[Value]) -> Vec<Path> {
        let program = self.frame.program;
        let of = array
            .place()
            .and_then(|place| type_of_place(self.frame, place));
        let of = of.map(|of| program.text(of)).unwrap_or_default();
        let element = of.strip_prefix('[').and_then(|of| of.rsplit_once("; "));
        if !element.is_some_and(|(of, _)| self.is_shared_pointer(program.names.of(of))) {
            return Vec::new();
        }
        let paths = parts.iter().filter_map(|part| match part {
            Value::At(path) | Value::To(path) => Some(path.clone()),
            _ => None,
        });
        paths.collect()
    }

    /// The same of what is written into the box that this call makes.
    fn written_to(&self, block: BlockId) -> Vec<Path> {
        let statements = self.frame.body.statements();
        let parts = statements.filter_map(|statement| match statement {
            Statement::Assign(place, Rvalue::Aggregate(parts)) if !place.is_whole() => {
                let to = self.frame.place(place)?;
                (to.root == Root::Call(block)).then_some(parts)
            }
            _ => None,
        });
        parts
            .flatten()
            .flat_map(|operand| self.shared(operand))
            .collect()
    }

    /// Whether a type is a pointer that shares a lock, or may be one.
    fn is_shared_pointer(&self, of: Name) -> bool {
        let program = self.frame.program;
        let text = program.text(of);
        let of = program.type_of(of);
        let is_lock = text.contains("Mutex<") || text.contains("RwLock<");
        match (of.references, last(&of.head)) {
            (0, "Option") => {
                let inner = of.arguments.first();
                inner.is_some_and(|inner| self.is_shared_pointer(*inner))
            }
            (0, "Arc" | "Rc") => is_lock,
            (0, _) => false,
            _ => is_lock,
        }
    }

    fn alias(&mut self, path: &Path, to: Name) {
        let program = self.frame.program;
        let from = class::of_path(self.frame, path);
        if !class::is_place(program, to) || from.name == to {
            return;
        }
        let is_parameter = matches!(path.root, Root::Parameter(_)) && from.is_open;
        if is_parameter {
            self.outcome.summary.add_kept(path.clone(), to);
        } else if !from.is_nameless(program) {
            self.outcome.aliases.push((from.name, to));
        }
    }
}
