//! Whose storage a place lies in, or a pointer leads into: the variable that owns what is there, and drops it
//! when it ends.
//!
//! Followed are borrows, boxes, and what functions hand out that are given a pointer: by its type that can
//! only lead to where the pointer leads. Where a pointer came out of another struct nothing is said.

use super::{Definition, Frame};
use crate::code::ir::{Kind, Local, Operand, Place, Projection, Rvalue, Statement, Terminator};
use crate::code::known::{self, Known};
use crate::code::names::Name;
use crate::code::text::last;

/// Part of a variable, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Storage {
    /// The variable; a parameter that is a reference stands for what it points to.
    pub owner: Local,
    /// The field of it, from 1; 0 if it is the variable itself or unknown.
    pub field: u32,
    /// Whether it is all that the variable holds, through boxes and what may be absent.
    is_whole: bool,
    /// Whether it is just that, and not some element of it.
    pub is_exact: bool,
}

impl Storage {
    /// A whole variable.
    pub(crate) fn of(owner: Local) -> Storage {
        Storage {
            owner,
            field: 0,
            is_whole: true,
            is_exact: true,
        }
    }

    /// A field of a variable, from 1, or with 0 all of it.
    pub(crate) fn at(owner: Local, field: u32, is_exact: bool) -> Storage {
        Storage {
            owner,
            field,
            is_whole: field == 0 && is_exact,
            is_exact,
        }
    }

    /// Something inside of it.
    fn somewhere(self) -> Storage {
        Storage {
            is_whole: false,
            is_exact: false,
            ..self
        }
    }

    /// A field of it. Only the outermost is told apart.
    fn field(self, index: u32) -> Storage {
        Storage {
            field: if self.is_whole { index + 1 } else { self.field },
            is_whole: false,
            ..self
        }
    }
}

/// Longer ways of borrows are not followed.
const DEPTH_MAX: u32 = 24;

impl Frame<'_> {
    /// Where a place lies.
    pub(crate) fn storage(&self, place: &Place) -> Option<Storage> {
        self.storage_at(place, DEPTH_MAX)
    }

    /// Where a pointer, or what stands for one, leads.
    pub(crate) fn storage_behind(&self, pointer: Local) -> Option<Storage> {
        self.behind(pointer, DEPTH_MAX)
    }

    fn storage_at(&self, place: &Place, depth: u32) -> Option<Storage> {
        let last_deref = place
            .steps
            .iter()
            .rposition(|step| *step == Projection::Deref);
        let (start, rest) = match last_deref {
            None => match self.copied_box(place.local) {
                Some(boxed) => (
                    self.storage_at(boxed, depth.checked_sub(1)?)?,
                    &place.steps[..],
                ),
                None => (Storage::of(place.local), &place.steps[..]),
            },
            Some(at) => {
                let pointer = self.pointed(place, &place.steps[..at], depth)?;
                (pointer, &place.steps[at + 1..])
            }
        };
        Some(within(start, rest))
    }

    /// Where the pointer leads that lies at the end of these steps.
    fn pointed(&self, place: &Place, steps: &[Projection], depth: u32) -> Option<Storage> {
        let depth = depth.checked_sub(1)?;
        if steps.is_empty() {
            return self.behind(place.local, depth);
        }
        // What a closure captured by reference.
        let is_captured = self.body.kind == Kind::Closure && place.local == 1;
        let field = steps.iter().find_map(|step| match step {
            Projection::Field(index, _) => Some(*index),
            _ => None,
        });
        if is_captured && let Some(field) = field {
            let pointers = steps.iter().filter(|step| **step == Projection::Deref);
            let outer = u32::from(self.program.type_of(self.type_of(1)).references > 0);
            let is_direct = u32::try_from(pointers.count()).is_ok_and(|count| count <= outer);
            return is_direct.then(|| Storage::of(1).field(field));
        }
        // A reference in an option or tuple.
        let is_inside = |step: &Projection| *step != Projection::Deref;
        if steps.iter().all(is_inside) && self.is_view(place.local) {
            return Some(self.behind(place.local, depth)?.somewhere());
        }
        None
    }

    /// Whether a variable only leads to what another owns.
    pub(crate) fn is_view(&self, local: Local) -> bool {
        self.program.type_of(self.type_of(local)).is_view
    }

    fn behind(&self, pointer: Local, depth: u32) -> Option<Storage> {
        let depth = depth.checked_sub(1)?;
        match *self.definitions.get(pointer as usize)? {
            Definition::Parameter => self.is_view(pointer).then(|| {
                let of = self.program.type_of(self.type_of(pointer));
                match of.references {
                    0 => Storage::of(pointer).somewhere(),
                    _ => Storage::of(pointer),
                }
            }),
            Definition::Statement(block, at) => {
                let Statement::Assign(_, rvalue) = &self.body.blocks[block as usize].statements[at]
                else {
                    return None;
                };
                match rvalue {
                    Rvalue::Borrow(place) => self.storage_at(place, depth),
                    Rvalue::Use(operand) => self.behind_operand(operand, depth),
                    Rvalue::Aggregate(parts) => match &parts[..] {
                        [one] => self.behind_operand(one, depth),
                        _ => None,
                    },
                    _ => None,
                }
            }
            Definition::Call(block) => {
                let Terminator::Call {
                    callee, arguments, ..
                } = &self.body.blocks[block as usize].end
                else {
                    return None;
                };
                if !self.is_view(pointer) {
                    return None;
                }
                let first = arguments.first()?.place()?;
                let resolved = self.resolved(callee);
                let known = resolved.known;
                if !resolved.bodies.is_empty() {
                    // Where a function of the program's own leads its summary knows better.
                    return None;
                }
                let given = self.program.type_at(self.body, first)?;
                let inner = self.program.type_of(self.program.pointee(given));
                let is_lock = known == Some(Known::Deref) && known::is_guard(&inner.head);
                if is_lock || !self.program.type_of(given).guards {
                    // What a lock protects is not in its guard.
                    return None;
                }
                let found = self.behind_operand(&arguments[0], depth)?;
                // `&mut` of what itself stands for a pointer.
                let found = match self.definitions.get(found.owner as usize) {
                    Some(Definition::Parameter) => found,
                    _ if found.is_whole && self.is_view(found.owner) => {
                        self.behind(found.owner, depth)?
                    }
                    _ => found,
                };
                Some(match known {
                    Some(Known::Same | Known::Deref) => found,
                    _ => found.somewhere(),
                })
            }
            Definition::None | Definition::Many => None,
        }
    }

    fn behind_operand(&self, operand: &Operand, depth: u32) -> Option<Storage> {
        let place = operand.place()?;
        if place.is_whole() {
            return self.behind(place.local, depth);
        }
        match self.box_around(place) {
            Some(boxed) => self.storage_at(&boxed, depth),
            None => self.pointed(place, &place.steps, depth),
        }
    }

    /// The box that a variable is a copy of: the compiler makes one to reach what is in a box behind a pointer.
    fn copied_box(&self, local: Local) -> Option<&Place> {
        let Definition::Statement(block, at) = *self.definitions.get(local as usize)? else {
            return None;
        };
        let of = self.program.type_of(self.type_of(local));
        match &self.body.blocks[block as usize].statements[at] {
            Statement::Assign(_, Rvalue::Use(Operand::Copy(place)))
                if of.references == 0 && last(&of.head) == "Box" =>
            {
                Some(place)
            }
            _ => None,
        }
    }

    /// The box whose inner pointer lies at a place: that is how the compiler reaches what is in a box.
    fn box_around(&self, place: &Place) -> Option<Place> {
        let steps = match &place.steps[..] {
            // Older compilers take the pointer out of that.
            [steps @ .., Projection::Field(0, of)] if self.program.text(*of).starts_with('*') => {
                steps
            }
            steps => steps,
        };
        let is = |of: &Name, name: &str| last(&self.program.type_of(*of).head) == name;
        // From Rust 1.99 on the inner type is taken for a pointer as it is; later it has another name.
        let holds_pointer = |of: &Name| is(of, "Unique") || is(of, "BoxRaw");
        let before = match steps {
            [before @ .., Projection::Field(0, inner)] if holds_pointer(inner) => before,
            [
                before @ ..,
                Projection::Field(0, inner),
                Projection::Field(0, pointer),
            ] if holds_pointer(inner) && is(pointer, "NonNull") => before,
            _ => return None,
        };
        Some(Place {
            local: place.local,
            steps: before.to_vec(),
        })
    }
}

/// From a place on, along steps none of which leads through a pointer.
fn within(start: Storage, steps: &[Projection]) -> Storage {
    let mut found = start;
    let mut is_variant = false;
    for step in steps {
        match step {
            Projection::Variant(_) => is_variant = true,
            // The payload of an option stands for the whole.
            Projection::Field(0, _) if is_variant => is_variant = false,
            Projection::Field(index, _) => found = found.field(*index),
            Projection::Index(_) | Projection::Element(_) | Projection::Elements => {
                found = found.somewhere();
            }
            Projection::Deref => {}
        }
    }
    found
}
