//! What conditions ask about, as long as it stays what it is: the same question has the same answer wherever
//! it is asked, also in a function that is given the answer.
//!
//! Followed are parameters, what a shared reference leads to, and variables that get their value once, outside of
//! loops. What a lock protects and what may be changed by others meanwhile is not.

use super::{Definition, Frame};
use crate::code::ir::{Kind, Local, Operand, Place, Projection, Rvalue, Statement};
use crate::code::known::Known;
use crate::code::text::{is_exclusive_reference, last};
use crate::code::value::{Path, Root, Step, Value};

/// What is asked about: a boolean or number, or which variant an enum is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    /// Where it lies.
    pub path: Path,
    /// Whether its variant is asked for.
    pub is_variant: bool,
}

/// A condition: what it asks, and which answer makes it true.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// About what.
    subject: Subject,
    /// Whether that is this number; none where it is itself the condition.
    equals: Option<u64>,
    /// Whether it is the opposite.
    is_not: bool,
}

impl Condition {
    fn of(subject: Subject) -> Condition {
        Condition {
            subject,
            equals: None,
            is_not: false,
        }
    }

    /// What is so where the condition is this number, or is not.
    pub(crate) fn fact(&self, number: u64, is_so: bool) -> Fact {
        let truth = (number != 0) != self.is_not;
        let (value, is_so) = match self.equals {
            Some(value) => (value, truth == is_so),
            // The opposite is asked of booleans only.
            None if self.is_not => (u64::from(truth), is_so),
            None => (number, is_so),
        };
        Fact {
            subject: self.subject.clone(),
            value,
            is_so,
        }
    }
}

/// Something that is known where a condition has been asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Fact {
    /// Of what.
    pub subject: Subject,
    /// It is this number or variant, …
    pub value: u64,
    /// … or it is another.
    pub is_so: bool,
}

impl Fact {
    /// Whether both cannot be.
    pub(crate) fn excludes(&self, other: &Fact) -> bool {
        self.subject == other.subject
            && match (self.is_so, other.is_so) {
                (true, true) => self.value != other.value,
                (false, false) => false,
                _ => self.value == other.value,
            }
    }

    /// Whether it is so if its subject is this.
    pub(crate) fn holds_of(&self, value: u64) -> bool {
        (self.value == value) == self.is_so
    }
}

/// Whether any of these cannot be together with any of the others.
pub(crate) fn exclude(these: &[Fact], others: &[Fact]) -> bool {
    let is_excluded = |fact: &Fact| others.iter().any(|other| fact.excludes(other));
    these.iter().any(is_excluded)
}

/// Longer ways of copies are not followed.
const DEPTH_MAX: u32 = 8;

impl Frame<'_> {
    /// What a condition in a variable asks.
    pub(crate) fn condition(&self, variable: Local) -> Option<Condition> {
        self.condition_in(variable, DEPTH_MAX)
    }

    fn condition_in(&self, local: Local, depth: u32) -> Option<Condition> {
        let depth = depth.checked_sub(1)?;
        let variable = || self.subject_at(Path::at(Root::Local(local)), false);
        match *self.definitions.get(local as usize)? {
            Definition::Parameter => self.subject_at(Path::at(Root::Parameter(local)), false),
            Definition::Statement(block, at) => {
                let Statement::Assign(_, rvalue) = &self.body.blocks[block as usize].statements[at]
                else {
                    return None;
                };
                match rvalue {
                    Rvalue::Use(operand) => {
                        let place = operand.place()?;
                        if place.is_whole() {
                            return self.condition_in(place.local, depth).or_else(|| {
                                self.subject_at(Path::at(Root::Local(place.local)), false)
                            });
                        }
                        self.subject_at(self.plain(place)?, false)
                    }
                    Rvalue::Not(operand) => {
                        let inner = self.condition_in(operand.place()?.local, depth)?;
                        Some(Condition {
                            is_not: !inner.is_not,
                            ..inner
                        })
                    }
                    Rvalue::Equals(operand, value, is_so) => {
                        let place = operand.place()?;
                        let asked = if place.is_whole() {
                            self.condition_in(place.local, depth)?
                        } else {
                            self.subject_at(self.plain(place)?, false)?
                        };
                        let is_plain = asked.equals.is_none() && !asked.is_not;
                        is_plain.then_some(Condition {
                            equals: Some(*value),
                            is_not: !is_so,
                            ..asked
                        })
                    }
                    Rvalue::Discriminant(place) => self.subject_at(self.plain(place)?, true),
                    _ => variable(),
                }
            }
            Definition::Call(block) => {
                let (callee, arguments, _) = self.call_at(block)?;
                if let Some(Known::Asks(is_there)) = self.resolved(callee).known {
                    let place = arguments.first()?.place()?;
                    let of = self
                        .program
                        .pointee(self.program.type_at(self.body, place)?);
                    let is_option = last(&self.program.type_of(of).head) == "Option";
                    let path = self.operand(&arguments[0]).target();
                    if let Some(path) = path.filter(|_| is_option && !self.is_of_variant(place)) {
                        return Some(Condition {
                            is_not: !is_there,
                            ..self.subject_at(path, true)?
                        });
                    }
                }
                variable()
            }
            Definition::None | Definition::Many => None,
        }
    }

    /// The path of a place that does not lie in one of the variants of an enum: those stand for the whole.
    fn plain(&self, place: &Place) -> Option<Path> {
        if self.is_of_variant(place) {
            return None;
        }
        self.place(place)
    }

    /// Whether a place lies in one of the variants of an enum, or in a variable that was taken out of one, or
    /// leads into one.
    pub(crate) fn is_of_variant(&self, place: &Place) -> bool {
        let is_variant = |step: &Projection| matches!(step, Projection::Variant(_));
        let mut place = place;
        for _ in 0..DEPTH_MAX {
            if place.steps.iter().any(is_variant) {
                return true;
            }
            let (block, at) = match self.definitions.get(place.local as usize) {
                Some(Definition::Statement(block, at)) => (*block, *at),
                // `unwrap`, `?` and the like.
                Some(Definition::Call(block)) => {
                    let itself = Value::At(Path::at(Root::Call(*block)));
                    return self.value_of(place.local) != itself;
                }
                _ => return false,
            };
            let Statement::Assign(_, rvalue) = &self.body.blocks[block as usize].statements[at]
            else {
                return false;
            };
            let from = match rvalue {
                Rvalue::Use(operand) => operand.place(),
                Rvalue::Borrow(place) => Some(place),
                // What is put into one stands for it too.
                Rvalue::Aggregate(parts) if parts.len() == 1 => return true,
                _ => None,
            };
            let Some(from) = from else { return false };
            place = from;
        }
        true
    }

    fn subject_at(&self, path: Path, is_variant: bool) -> Option<Condition> {
        self.stays(&path)
            .then_some(Condition::of(Subject { path, is_variant }))
    }

    /// Whether what lies at a path stays what it is while the function runs.
    pub(crate) fn stays(&self, path: &Path) -> bool {
        let is_plain = |steps: &[Step]| {
            steps
                .iter()
                .all(|step| matches!(step, Step::Field(..) | Step::Element(_)))
        };
        match (path.root, &path.steps[..]) {
            (Root::Parameter(number), steps) => {
                let is_one = self.definitions.get(number as usize) == Some(&Definition::Parameter);
                let of = self.program.text(self.type_of(number));
                let is_closure = self.body.kind == Kind::Closure && number == 1;
                let inside = match steps {
                    [Step::Deref, inside @ ..] if is_closure || !is_exclusive_reference(&of) => {
                        inside
                    }
                    inside => inside,
                };
                let inside = match inside {
                    // What was captured by reference.
                    [field @ Step::Field(..), Step::Deref] if is_closure => {
                        std::slice::from_ref(field)
                    }
                    inside => inside,
                };
                let is_reference = of.starts_with(['&', '*']);
                is_one
                    && is_plain(inside)
                    && (steps.is_empty() || !of.starts_with('*'))
                    && (is_reference && !steps.is_empty() || !self.is_changed(path))
            }
            (Root::Local(local), steps) => {
                let block = match self.definitions.get(local as usize) {
                    Some(Definition::Statement(block, _) | Definition::Call(block)) => *block,
                    _ => return false,
                };
                is_plain(steps) && !self.runs_again(block) && !self.is_changed(path)
            }
            (Root::Call(block), steps) => {
                is_plain(steps) && !self.runs_again(block) && !self.is_changed(path)
            }
            (Root::Static(_), _) => false,
        }
    }

    /// Whether what lies at a path is there as long as the function runs, since its caller lent it: nobody can put
    /// anything else there. What a lock or a cell protects can be replaced.
    pub(crate) fn is_lent(&self, path: &Path) -> bool {
        let (Root::Parameter(number), [Step::Deref, inside @ ..]) = (path.root, &path.steps[..])
        else {
            return false;
        };
        let of = self.program.text(self.type_of(number));
        let is_followed = |step: &Step| {
            matches!(
                step,
                Step::Deref | Step::Field(..) | Step::Index | Step::Element(_) | Step::Chosen(_)
            )
        };
        of.starts_with('&') && !is_exclusive_reference(&of) && inside.iter().all(is_followed)
    }

    /// The number that an operand always is, or the variant of an option.
    pub(crate) fn settled(&self, operand: &Operand) -> Option<u64> {
        let place = match operand {
            Operand::Number(number) => return Some(*number),
            operand => operand.place().filter(|place| place.is_whole())?,
        };
        let mut local = place.local;
        for _ in 0..DEPTH_MAX {
            let Definition::Statement(block, at) = *self.definitions.get(local as usize)? else {
                return None;
            };
            let Statement::Assign(_, rvalue) = &self.body.blocks[block as usize].statements[at]
            else {
                return None;
            };
            match rvalue {
                Rvalue::Use(Operand::Number(number)) => return Some(*number),
                Rvalue::Use(operand) => local = operand.place().filter(|of| of.is_whole())?.local,
                Rvalue::Unit(path) => {
                    let path = self.program.text(*path);
                    let (owner, name) = path.rsplit_once("::")?;
                    if last(owner) == "Option" {
                        return (name == "None").then_some(0);
                    }
                    let sources = self.program.sources.borrow();
                    let variants = &sources.enums.get(owner)?.variants;
                    let number = variants.iter().position(|variant| variant == name)?;
                    return u64::try_from(number).ok();
                }
                Rvalue::Aggregate(parts) => {
                    let of = self.program.type_of(self.type_of(local));
                    let is_option = of.references == 0 && last(&of.head) == "Option";
                    let changed = self.is_changed(&Path::at(Root::Local(local)));
                    return (is_option && !changed).then_some(parts.len() as u64);
                }
                _ => return None,
            }
        }
        None
    }

    /// That a value is this variant of an option or result.
    pub(crate) fn is_variant(&self, value: &Value, number: u64) -> Option<Fact> {
        let Value::At(path) = value else { return None };
        let condition = self.subject_at(path.clone(), true)?;
        Some(condition.fact(number, true))
    }

    /// A fact of a callee's as this function sees it; nothing if it means nothing here.
    pub(crate) fn fact_here(&self, fact: &Fact, values: &[Value]) -> Option<Fact> {
        let path = crate::code::value::place_in_caller(&fact.subject.path, values)?;
        let subject = Subject {
            path,
            is_variant: fact.subject.is_variant,
        };
        self.stays(&subject.path).then(|| Fact {
            subject,
            ..fact.clone()
        })
    }
}
