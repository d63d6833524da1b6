//! Where a value lies, or what it points to, as far as that can be said without running anything.
//!
//! Two locks are the same instance for sure if their paths are equal and every step on them stays
//! what it was. An element is a step that says nothing about which.

use std::rc::Rc;

use super::names::Name;

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Root {
    /// A parameter, from 1; a closure's first is what it captured.
    Parameter(u32),
    /// A static.
    Static(Name),
    /// A variable of the function that is being looked at.
    Local(u32),
    /// What the call at the end of this block returned.
    Call(u32),
}

/// A step on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    /// What a reference or smart pointer points to.
    Deref,
    /// A field of this type.
    Field(Name, u32),
    /// Some element.
    Index,
    /// What this method of it hands out.
    Asked(Name),
    /// The element of this number.
    Element(u64),
    /// The element whose number or key is at this place, which stays what it is as long as the function runs.
    Chosen(Name),
    /// What belongs to a key of a map; if it is known which, the place where the key is.
    Key(Option<Name>),
    /// What a lock protects.
    Data,
    /// What a lazy value holds.
    Lazy,
}

/// A place, from where it begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Path {
    /// Where it begins.
    pub root: Root,
    /// From there on.
    pub steps: Vec<Step>,
}

/// Longer paths are not followed: recursive data would make endless ones.
pub(crate) const STEPS_MAX: usize = 10;

impl Path {
    /// The root alone.
    pub(crate) fn at(root: Root) -> Path {
        Path {
            root,
            steps: Vec::new(),
        }
    }

    /// One step further, if that is not too far.
    pub(crate) fn then(&self, step: Step) -> Option<Path> {
        if self.steps.len() >= STEPS_MAX {
            return None;
        }
        let mut steps = Vec::with_capacity(self.steps.len() + 1);
        steps.extend_from_slice(&self.steps);
        steps.push(step);
        Some(Path {
            root: self.root,
            steps,
        })
    }

    /// Whether it is a place inside the other, or the other itself.
    pub(crate) fn begins_with(&self, other: &Path) -> bool {
        self.root == other.root && self.steps.starts_with(&other.steps)
    }

    /// Whether it begins at what a call returned.
    pub(crate) fn is_returned(&self) -> bool {
        matches!(self.root, Root::Call(_))
    }

    /// Whether it leads to a parameter, or to what a closure captured, and not deep into data.
    pub(crate) fn is_near(&self) -> bool {
        let fields = self
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Field(..)));
        self.steps.len() <= 6 && fields.count() <= 2
    }

    /// Whether two equal paths of this shape are the same place for sure.
    pub(crate) fn names_one(&self) -> bool {
        // What a lock protects can be replaced while the lock is free; what lies in it cannot be
        // while something inside is held, but what it points to can.
        let after_data = self.steps.iter().skip_while(|step| **step != Step::Data);
        let is_some = |step: &Step| matches!(step, Step::Index | Step::Key(None));
        !self.steps.iter().any(is_some) && !after_data.skip(1).any(|step| *step == Step::Deref)
    }

    /// Whether this is what belongs to some key of the map at the other path.
    pub(crate) fn is_of_key_in(&self, map: &Path) -> bool {
        match &self.steps[..] {
            [steps @ .., Step::Key(_)] => {
                self.root == map.root && steps == map.steps && map.names_one()
            }
            _ => false,
        }
    }

    /// The numbers of the two elements of one list in which the paths part.
    pub(crate) fn part_at(&self, other: &Path) -> Option<(u64, u64)> {
        let mut both = self.steps.iter().zip(&other.steps);
        match both.find(|(a, b)| a != b)? {
            (Step::Element(a), Step::Element(b)) if self.root == other.root => Some((*a, *b)),
            _ => None,
        }
    }

    /// Whether a method was asked for it, which may hand out another next time.
    pub(crate) fn is_asked(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Asked(_)))
    }

    /// Whether both are places in one object, and different ones.
    pub(crate) fn differs_for_sure(&self, other: &Path) -> bool {
        if self.root != other.root {
            return matches!((self.root, other.root), (Root::Static(_), Root::Static(_)))
                && !self.steps.contains(&Step::Deref)
                && !other.steps.contains(&Step::Deref);
        }
        let same = self
            .steps
            .iter()
            .zip(&other.steps)
            .take_while(|(a, b)| a == b);
        let same = same.count();
        let (mine, others) = (&self.steps[same..], &other.steps[same..]);
        // A lock is not in what it protects.
        if let ([Step::Data | Step::Lazy, inner @ ..], [])
        | ([], [Step::Data | Step::Lazy, inner @ ..]) = (mine, others)
            && !inner.contains(&Step::Deref)
        {
            return true;
        }
        let differ = match (mine.first(), others.first()) {
            (Some(Step::Field(_, a)), Some(Step::Field(_, b))) => a != b,
            (Some(Step::Element(a)), Some(Step::Element(b))) => a != b,
            _ => false,
        };
        differ && !mine.contains(&Step::Deref) && !others.contains(&Step::Deref)
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// Nothing is known.
    Unknown,
    /// What lies at this place.
    At(Path),
    /// A pointer to this place.
    To(Path),
    /// Something made of these; of a closure, also which.
    Parts(Option<Name>, Rc<[Value]>),
    /// A guard of the lock at this place.
    Guard(Path),
    /// A function.
    Function(Name),
}

impl Value {
    /// The value one step further.
    pub(crate) fn step(&self, step: Step) -> Value {
        match (self, step) {
            (Value::At(path), step) => path.then(step).map_or(Value::Unknown, Value::At),
            (Value::To(path), Step::Deref) => Value::At(path.clone()),
            (Value::Guard(lock), Step::Deref) => {
                lock.then(Step::Data).map_or(Value::Unknown, Value::At)
            }
            // What was captured is reached through a reference to the closure, or without one.
            (Value::Parts(..), Step::Deref) => self.clone(),
            (Value::Parts(_, parts), Step::Field(_, index)) => {
                parts.get(index as usize).cloned().unwrap_or(Value::Unknown)
            }
            _ => Value::Unknown,
        }
    }

    /// The place it points to.
    pub(crate) fn target(&self) -> Option<Path> {
        match self {
            Value::To(path) => Some(path.clone()),
            Value::At(path) => path.then(Step::Deref),
            _ => None,
        }
    }

    /// The same in the caller, whose `arguments` stand for the parameters.
    pub(crate) fn in_caller(&self, arguments: &[Value]) -> Value {
        match self {
            Value::Unknown | Value::Function(_) => self.clone(),
            Value::At(path) => follow(path, arguments),
            Value::To(path) => match follow(path, arguments) {
                Value::At(path) => Value::To(path),
                _ => Value::Unknown,
            },
            Value::Guard(path) => match follow(path, arguments) {
                Value::At(path) => Value::Guard(path),
                _ => Value::Unknown,
            },
            Value::Parts(of, parts) => Value::Parts(
                *of,
                parts.iter().map(|part| part.in_caller(arguments)).collect(),
            ),
        }
    }

    /// Whether it means the same outside of the function.
    pub(crate) fn is_portable(&self) -> bool {
        match self {
            Value::Unknown | Value::Function(_) => true,
            Value::At(path) | Value::To(path) | Value::Guard(path) => {
                matches!(path.root, Root::Parameter(_) | Root::Static(_))
            }
            Value::Parts(_, parts) => parts.iter().all(Value::is_portable),
        }
    }

    /// The same without what means nothing outside of the function.
    pub(crate) fn exported(&self) -> Value {
        match self {
            Value::Parts(of, parts) => {
                Value::Parts(*of, parts.iter().map(Value::exported).collect())
            }
            value if value.is_portable() => value.clone(),
            _ => Value::Unknown,
        }
    }
}

/// What lies at a path of the callee, in the caller.
fn follow(path: &Path, arguments: &[Value]) -> Value {
    let start = match path.root {
        Root::Static(_) => return Value::At(path.clone()),
        Root::Parameter(number) => arguments
            .get((number as usize).wrapping_sub(1))
            .cloned()
            .unwrap_or(Value::Unknown),
        Root::Local(_) | Root::Call(_) => Value::Unknown,
    };
    path.steps.iter().fold(start, |value, step| match step {
        // The key is one of the callee's.
        Step::Key(_) => value.step(Step::Key(None)),
        // So is its number.
        Step::Chosen(_) => value.step(Step::Index),
        step => value.step(*step),
    })
}

/// The place of a path of the callee, in the caller.
pub(crate) fn place_in_caller(path: &Path, arguments: &[Value]) -> Option<Path> {
    match follow(path, arguments) {
        Value::At(path) => Some(path),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
