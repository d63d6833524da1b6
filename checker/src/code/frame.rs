//! What the variables of one function stand for.
//!
//! The compiler's temporaries are assigned once, so a variable stands for what its one assignment
//! says. One that is assigned at several places stands for itself.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::ir::{
    BlockId, Body, Callee, Local, Operand, Place, Projection, Rvalue, Statement, Terminator,
};
use super::known::Known;
use super::names::Name;
use super::program::{Program, Resolved};
use super::summary::Summary;
use super::text::last;
use super::value::{Path, Root, Step, Value};

mod captures;
mod choices;
mod concrete;
mod handed;
mod numbers;
mod origins;
mod outcome;
mod parts;
mod questions;
mod storage;
mod subjects;
mod upgraded;

pub(crate) use captures::captured_names;
pub(crate) use questions::Kind;
pub(crate) use storage::Storage;
pub(crate) use subjects::{Fact, exclude};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Definition {
    None,
    Parameter,
    Statement(BlockId, usize),
    Call(BlockId),
    Many,
}

#[derive(Debug, Clone)]
enum Slot {
    Open,
    Busy,
    Done(Value),
}

/// One function, and what is known of its callees.
pub(crate) struct Frame<'a> {
    /// The program.
    pub program: &'a Program,
    /// The function.
    pub body: &'a Body,
    /// What the callees do.
    pub summaries: &'a [Summary],
    definitions: Vec<Definition>,
    slots: RefCell<Vec<Slot>>,
    /// The fields of structs that are made here, by what is put into them.
    kept: OnceCell<HashMap<Root, Option<(Name, u32)>>>,
    /// The variables that are borrowed for themselves alone, or of which a part is assigned.
    changed: OnceCell<Vec<bool>>,
    /// The blocks that lie in loops.
    again: OnceCell<Vec<bool>>,
}

/// Types whose only content is the pointer in them, or whose payload is what matters.
const TRANSPARENT: [&str; 14] = [
    "AssertUnwindSafe",
    "Box",
    "BoxRaw",
    "Unique",
    "NonNull",
    "Pin",
    "ManuallyDrop",
    "MaybeUninit",
    "MaybeDangling",
    "Option",
    "Result",
    "Poll",
    "ControlFlow",
    "UnsafePinned",
];

impl<'a> Frame<'a> {
    /// Nothing computed yet.
    pub(crate) fn new(program: &'a Program, body: &'a Body, summaries: &'a [Summary]) -> Frame<'a> {
        let mut definitions = vec![Definition::None; body.types.len()];
        for parameter in 1..=body.parameters {
            if let Some(definition) = definitions.get_mut(parameter as usize) {
                *definition = Definition::Parameter;
            }
        }
        let mut define = |local: Local, new: Definition| {
            if let Some(definition) = definitions.get_mut(local as usize) {
                *definition = match *definition {
                    Definition::None => new,
                    _ => Definition::Many,
                };
            }
        };
        for (number, block) in (0..).zip(&body.blocks) {
            for (index, statement) in block.statements.iter().enumerate() {
                match statement {
                    Statement::Assign(place, _) if place.is_whole() => {
                        define(place.local, Definition::Statement(number, index));
                    }
                    _ => {}
                }
            }
            if let Terminator::Call { result, target, .. } = &block.end
                && result.is_whole()
                && target.is_some()
            {
                define(result.local, Definition::Call(number));
            }
        }
        let slots = vec![Slot::Open; body.types.len()];
        Frame {
            program,
            body,
            summaries,
            definitions,
            slots: RefCell::new(slots),
            kept: OnceCell::new(),
            changed: OnceCell::new(),
            again: OnceCell::new(),
        }
    }

    /// The type of a variable.
    pub(crate) fn type_of(&self, local: Local) -> Name {
        self.body
            .types
            .get(local as usize)
            .copied()
            .unwrap_or_else(|| self.program.names.of(""))
    }

    /// What a variable stands for.
    pub(crate) fn value_of(&self, local: Local) -> Value {
        let itself = || Value::At(Path::at(Root::Local(local)));
        let index = local as usize;
        match self.slots.borrow().get(index) {
            Some(Slot::Open) => {}
            Some(Slot::Done(value)) => return value.clone(),
            Some(Slot::Busy) | None => return itself(),
        }
        self.slots.borrow_mut()[index] = Slot::Busy;
        let value = match self.definitions[index] {
            Definition::Parameter => Value::At(Path::at(Root::Parameter(local))),
            Definition::Statement(block, at) => {
                match &self.body.blocks[block as usize].statements[at] {
                    Statement::Assign(_, rvalue) => self.rvalue(local, rvalue),
                    _ => Value::Unknown,
                }
            }
            Definition::Call(block) => self.returned(block),
            // Constants are left out.
            Definition::None => self.constant(local),
            Definition::Many => itself(),
        };
        let value = match value {
            Value::Unknown => itself(),
            value => value,
        };
        self.slots.borrow_mut()[index] = Slot::Done(value.clone());
        value
    }

    fn rvalue(&self, local: Local, rvalue: &Rvalue) -> Value {
        match rvalue {
            Rvalue::Use(operand) => self.operand(operand),
            Rvalue::Borrow(place) => match self.place(place) {
                Some(path) => Value::To(path),
                None => self.borrowed_anew(place),
            },
            Rvalue::Aggregate(parts) => {
                let of = self.program.type_of(self.type_of(local));
                match &parts[..] {
                    [one] if of.references == 0 && self.is_transparent(&of.head) => {
                        self.operand(one)
                    }
                    _ => {
                        let closure = of.bodies.first().copied();
                        let closure = closure.filter(|_| of.head.starts_with('{'));
                        let values = match closure {
                            Some(closure) => self.captured(closure, parts),
                            None => parts.iter().map(|part| self.operand(part)).collect(),
                        };
                        Value::Parts(closure, values.into())
                    }
                }
            }
            Rvalue::Unit(_) => Value::Parts(None, Rc::new([])),
            Rvalue::Discriminant(_) | Rvalue::Not(_) | Rvalue::Compare(..) | Rvalue::Equals(..) => {
                Value::Unknown
            }
        }
    }

    /// A constant, if it is a reference to a closure that captured nothing.
    fn constant(&self, local: Local) -> Value {
        let of = self.program.type_of(self.type_of(local));
        match of.bodies.first() {
            Some(closure) if of.references > 0 && of.head.starts_with('{') => {
                Value::Parts(Some(*closure), Rc::new([]))
            }
            _ => Value::Unknown,
        }
    }

    /// What a reference refers to that is borrowed anew, where that is a constant closure.
    fn borrowed_anew(&self, place: &Place) -> Value {
        match (&place.steps[..], self.value_of(place.local)) {
            ([Projection::Deref], value @ Value::Parts(Some(_), _)) => value,
            _ => Value::Unknown,
        }
    }

    /// What an operand is.
    pub(crate) fn operand(&self, operand: &Operand) -> Value {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => self
                .place(place)
                .map_or(Value::Unknown, |path| self.load(&path)),
            Operand::Static(name) => Value::To(Path::at(Root::Static(*name))),
            Operand::Allocation(number) => self
                .program
                .static_at(self.body.krate, *number)
                .map_or(Value::Unknown, |name| {
                    Value::To(Path::at(Root::Static(name)))
                }),
            Operand::Function(name) => Value::Function(*name),
            Operand::Number(_) | Operand::Constant => Value::Unknown,
        }
    }

    /// What lies at a path.
    pub(crate) fn load(&self, path: &Path) -> Value {
        let Root::Local(local) = path.root else {
            return Value::At(path.clone());
        };
        let value = self.value_of(local);
        if value == Value::At(Path::at(path.root)) {
            return Value::At(path.clone());
        }
        path.steps
            .iter()
            .fold(value, |value, step| match value.step(*step) {
                // A variable that is borrowed and then reached through the borrow.
                Value::At(path) if matches!(path.root, Root::Local(_)) && path.steps.is_empty() => {
                    self.load(&path)
                }
                value => value,
            })
    }

    /// A path to the same place that begins as far outside as possible.
    fn normal(&self, path: Path) -> Path {
        match self.load(&path) {
            Value::At(outer) => outer,
            _ => path,
        }
    }

    /// The path of a place.
    pub(crate) fn place(&self, place: &Place) -> Option<Path> {
        let names = &self.program.names;
        let mut path = Path::at(Root::Local(place.local));
        let mut of = self.type_of(place.local);
        let mut variant: Option<Name> = None;
        for step in &place.steps {
            match step {
                Projection::Deref => {
                    path = self.load(&path).target()?;
                    of = self.program.pointee(of);
                }
                Projection::Field(index, inner) => {
                    let owner = self.program.type_of(of);
                    if !(owner.references == 0 && self.is_transparent(&owner.head)) {
                        let owner = match variant {
                            Some(variant) => {
                                let owner = names.text(owner.owner);
                                names.of(&format!("{owner}::{}", names.text(variant)))
                            }
                            None => owner.owner,
                        };
                        path = path.then(Step::Field(owner, *index))?;
                    }
                    variant = None;
                    of = *inner;
                }
                Projection::Variant(name) => variant = Some(*name),
                Projection::Index(_) | Projection::Element(_) | Projection::Elements => {
                    path = path.then(match step {
                        Projection::Index(variable) => self.element_at(*variable),
                        Projection::Element(number) => Step::Element(*number),
                        _ => Step::Index,
                    })?;
                    variant = None;
                    of = self.element(of);
                }
            }
            path = self.normal(path);
        }
        Some(self.normal(path))
    }

    /// Whether a variable is of such a type.
    pub(crate) fn stands_for_its_part(&self, local: Local) -> bool {
        self.is_transparent(&self.program.type_of(self.type_of(local)).head)
    }

    /// Whether the payload of such a type stands for the whole.
    fn is_transparent(&self, head: &str) -> bool {
        TRANSPARENT.contains(&last(head)) && !self.program.is_own(head)
    }

    fn element(&self, of: Name) -> Name {
        let text = self.program.names.text(of);
        let inner = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        inner.map_or(of, |inner| {
            self.program
                .names
                .of(inner.rsplit_once("; ").map_or(inner, |(of, _)| of))
        })
    }

    /// What is called at the end of a block.
    pub(crate) fn resolved(&self, callee: &Callee) -> Rc<Resolved> {
        match callee {
            Callee::Path(name) => self.program.resolve(*name),
            Callee::Pointer(_) => Rc::default(),
        }
    }

    /// The call at the end of a block: what is called, with what, and where the result goes.
    pub(crate) fn call_at(&self, block: BlockId) -> Option<(&'a Callee, &'a [Operand], &'a Place)> {
        match &self.body.blocks.get(block as usize)?.end {
            Terminator::Call {
                callee,
                arguments,
                result,
                ..
            } => Some((callee, arguments, result)),
            _ => None,
        }
    }

    /// The call whose result a variable always is.
    pub(crate) fn call_that_makes(
        &self,
        local: Local,
    ) -> Option<(&'a Callee, &'a [Operand], &'a Place)> {
        match *self.definitions.get(local as usize)? {
            Definition::Call(block) => self.call_at(block),
            _ => None,
        }
    }

    /// What the call at the end of `block` returns.
    fn returned(&self, block: BlockId) -> Value {
        let Some((callee, arguments, place)) = self.call_at(block) else {
            return Value::Unknown;
        };
        let itself = Value::At(Path::at(Root::Call(block)));
        let resolved = self.called(callee, arguments);
        if let Some(known) = resolved.known {
            let first = || {
                arguments
                    .first()
                    .map_or(Value::Unknown, |first| self.operand(first))
            };
            let value = match known {
                Known::Acquire(..) => self
                    .lock_place(arguments)
                    .map_or(Value::Unknown, Value::Guard),
                Known::Same | Known::PutInstead | Known::Convert(_) | Known::AcquireAll(_) => {
                    first()
                }
                Known::Wait => arguments
                    .get(1)
                    .map_or(Value::Unknown, |guard| self.operand(guard)),
                Known::Deref => self.smart(&first(), Step::Deref),
                Known::Force | Known::Initialise => self.smart(&first(), Step::Lazy),
                Known::Clone => match first().target() {
                    Some(path) => self.load(&path),
                    None => Value::Unknown,
                },
                Known::Element => {
                    let step = match arguments.get(1) {
                        Some(Operand::Number(number)) => Step::Element(*number),
                        Some(Operand::Copy(key) | Operand::Move(key)) if key.is_whole() => {
                            self.element_at(key.local)
                        }
                        _ => Step::Index,
                    };
                    match first().target().and_then(|path| path.then(step)) {
                        Some(path) => Value::To(path),
                        None => Value::Unknown,
                    }
                }
                Known::Next => match first().target().map(|path| self.load(&path)) {
                    Some(Value::To(path)) => {
                        path.then(Step::Index).map_or(Value::Unknown, Value::To)
                    }
                    Some(Value::At(path)) if !matches!(path.root, Root::Call(_)) => {
                        path.then(Step::Index).map_or(Value::Unknown, Value::At)
                    }
                    _ => Value::Unknown,
                },
                _ => Value::Unknown,
            };
            return if value == Value::Unknown {
                itself
            } else {
                value
            };
        }
        let is_itself = |body: usize| {
            resolved.only.is_some()
                && self.program.bodies[body].implementation == self.body.implementation
        };
        if let ([body], true) = (&resolved.bodies[..], resolved.is_sure)
            && !is_itself(*body)
        {
            let values: Vec<Value> = arguments
                .iter()
                .map(|operand| self.operand(operand))
                .collect();
            let result = self.summaries[*body].result.as_ref();
            let value = result.map_or(Value::Unknown, |result| result.in_caller(&values));
            if value != Value::Unknown {
                return value;
            }
            if let Some(path) = self.asked(callee, *body, &values, place) {
                return Value::At(path);
            }
        }
        match self.handed_on(&resolved, arguments) {
            Value::Unknown => itself,
            value => value,
        }
    }

    /// Where a reference to a smart pointer or guard leads.
    fn smart(&self, reference: &Value, step: Step) -> Value {
        let Some(pointer) = reference.target() else {
            return Value::Unknown;
        };
        let target = match self.load(&pointer) {
            Value::Guard(lock) => lock.then(Step::Data),
            Value::At(path) => path.then(step),
            // Put together by what was called here: the pointer lies where it is.
            Value::Parts(..) => pointer.then(step),
            _ => None,
        };
        target.map_or(Value::Unknown, Value::To)
    }

    /// The place of the lock that a call takes: its first argument is a reference or a shared pointer
    /// to it.
    pub(crate) fn lock_place(&self, arguments: &[Operand]) -> Option<Path> {
        let first = arguments.first()?;
        let value = self.operand(first);
        let target = value.target()?;
        // `lock_arc(&Arc<Mutex>)`: one step more.
        let of = first
            .place()
            .map(|place| self.program.type_of(self.type_of(place.local)));
        match of {
            Some(of) if of.references == 1 && matches!(last(&of.head), "Arc" | "Rc") => {
                self.load(&target).target()
            }
            _ => Some(self.normal(target)),
        }
    }

    /// The variable that a place is, seen through borrows of it.
    pub(crate) fn variable(&self, place: &Place) -> Option<Local> {
        match place.steps[..] {
            [] => Some(place.local),
            [Projection::Deref] => self.borrowed(place.local, 0),
            _ => None,
        }
    }

    /// The variable that a variable is a borrow of.
    pub(crate) fn borrowed(&self, local: Local, depth: u32) -> Option<Local> {
        if depth > 16 {
            return None;
        }
        let (block, at) = match self.definitions.get(local as usize)? {
            Definition::Statement(block, at) => (*block, *at),
            Definition::Call(block) => {
                let Terminator::Call {
                    callee, arguments, ..
                } = &self.body.blocks[*block as usize].end
                else {
                    return None;
                };
                return match self.resolved(callee).known {
                    Some(Known::Same) => {
                        self.borrowed(arguments.first()?.place()?.local, depth + 1)
                    }
                    _ => None,
                };
            }
            _ => return None,
        };
        let Statement::Assign(_, rvalue) = &self.body.blocks[block as usize].statements[at] else {
            return None;
        };
        match rvalue {
            Rvalue::Borrow(place) => match place.steps[..] {
                [] => Some(place.local),
                [Projection::Deref] => self.borrowed(place.local, depth + 1),
                _ => None,
            },
            Rvalue::Use(Operand::Copy(place) | Operand::Move(place)) if place.is_whole() => {
                self.borrowed(place.local, depth + 1)
            }
            // `Pin { pointer: move _17 }`
            Rvalue::Aggregate(parts) => match &parts[..] {
                [one] => self.borrowed(
                    one.place().filter(|place| place.is_whole())?.local,
                    depth + 1,
                ),
                _ => None,
            },
            _ => None,
        }
    }

    /// The name in the source of a variable or of what it stands for.
    pub(crate) fn name_of(&self, path: &Path) -> Option<Name> {
        let local = match path.root {
            Root::Parameter(number) | Root::Local(number) => Some(number),
            _ => None,
        };
        // What was captured has the name that it had outside.
        if let (Root::Parameter(1), Some(Step::Field(_, index))) = (
            path.root,
            path.steps
                .iter()
                .find(|step| matches!(step, Step::Field(..))),
        ) {
            let captured = self.body.named.iter().find(|(_, place)| {
                place.local == 1
                    && place
                        .steps
                        .iter()
                        .any(|step| matches!(step, Projection::Field(at, _) if at == index))
            });
            if let Some((name, _)) = captured {
                return Some(*name);
            }
        }
        let direct = self
            .body
            .named
            .iter()
            .find(|(_, place)| place.is_whole() && Some(place.local) == local);
        let through = || {
            self.body.named.iter().find(|(_, place)| {
                place.is_whole() && {
                    let value = self.value_of(place.local);
                    matches!(&value, Value::At(at) | Value::To(at) if at.root == path.root && at.steps.len() <= path.steps.len())
                }
            })
        };
        direct.or_else(through).map(|(name, _)| *name)
    }
}
