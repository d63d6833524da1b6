//! Of which type a trait object is that was made of a value in the same function: `self as &dyn Task`.

use std::rc::Rc;

use super::{Definition, Frame};
use crate::code::ir::{Callee, Local, Operand, Place, Projection, Rvalue, Statement};
use crate::code::known::Known;
use crate::code::names::Name;
use crate::code::program::Resolved;
use crate::code::text::{behind_references, head, last};
use crate::code::value::{Path, Root};

/// Longer ways of copies are not followed.
const DEPTH_MAX: u32 = 8;

/// Pointers that a trait object lies behind.
const POINTERS: [&str; 4] = ["Box", "Arc", "Rc", "Pin"];

impl Frame<'_> {
    /// What a call leads to. A method of a trait object is that of its type, where that is known.
    pub(crate) fn called(&self, callee: &Callee, arguments: &[Operand]) -> Rc<Resolved> {
        self.of_its_type(callee, arguments)
            .map_or_else(|| self.resolved(callee), |name| self.program.resolve(name))
    }

    fn of_its_type(&self, callee: &Callee, arguments: &[Operand]) -> Option<Name> {
        let Callee::Path(name) = callee else {
            return None;
        };
        let text = self.program.text(*name);
        if !text.starts_with("<dyn ") && !text.starts_with("<(dyn ") {
            return None;
        }
        let receiver = arguments.first()?.place()?;
        let of = self.made_of(receiver)?;
        self.program.method_on(&text, &of)
    }

    /// The type that a trait object at a place was made of.
    fn made_of(&self, place: &Place) -> Option<String> {
        let mut local = self.plain_variable(place)?;
        for _ in 0..DEPTH_MAX {
            let of = self.program.text(self.type_of(local));
            if !of.contains("dyn ") {
                return concrete(&of);
            }
            let from = match *self.definitions.get(local as usize)? {
                Definition::Statement(block, at) => {
                    let statement = &self.body.blocks[block as usize].statements[at];
                    match statement {
                        Statement::Assign(_, Rvalue::Use(operand)) => operand.place()?,
                        Statement::Assign(_, Rvalue::Borrow(place)) => place,
                        _ => return None,
                    }
                }
                Definition::Call(block) => {
                    let (callee, arguments, _) = self.call_at(block)?;
                    match self.resolved(callee).known? {
                        Known::Deref | Known::Clone | Known::Same => arguments.first()?.place()?,
                        _ => return None,
                    }
                }
                _ => return None,
            };
            local = self.plain_variable(from)?;
            // What is behind it can have been replaced.
            if self.is_changed(&Path::at(Root::Local(local))) {
                return None;
            }
        }
        None
    }

    /// The variable of a place that is one, or what it points to. What a box points to lies in fields of it.
    fn plain_variable(&self, place: &Place) -> Option<Local> {
        let of = self.program.type_of(self.type_of(place.local));
        let is_box = last(&of.head) == "Box" && of.references == 0;
        let is_plain = match place.steps[..] {
            [] | [Projection::Deref] => true,
            _ => {
                is_box
                    && place
                        .steps
                        .iter()
                        .all(|step| matches!(step, Projection::Field(0, _)))
            }
        };
        is_plain.then_some(place.local)
    }
}

/// A type without the pointers to it, unless it is a parameter's.
fn concrete(of: &str) -> Option<String> {
    let (mut of, _) = behind_references(of);
    loop {
        let (path, arguments) = head(of);
        if !POINTERS.contains(&last(path)) {
            break;
        }
        of = behind_references(arguments.first()?).0;
    }
    let (path, _) = head(of);
    let is_known = path.contains("::") && !path.starts_with(['<', '{', '(', '[']);
    is_known.then(|| of.to_owned())
}
