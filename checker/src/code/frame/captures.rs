//! What a closure captured, where the compiler's text does not say all of it.
//!
//! A closure captures the fields that it uses, not the whole variable, but is printed with one operand
//! for each variable. The others are known by the names that the closure's own body has for
//! them: `self__state` is the field `state` of what `self` points to.

use std::collections::BTreeMap;

use super::Frame;
use crate::code::ir::{Body, Operand, Projection};
use crate::code::names::Name;
use crate::code::text::{behind_references, head, last};
use crate::code::value::{Path, Step, Value};

/// What the variables that a closure captured are called in its body, and whether they are references, by number.
pub(crate) fn captured_names(body: &Body) -> BTreeMap<usize, (Name, bool)> {
    let mut names = BTreeMap::new();
    for (name, place) in &body.named {
        let at = place
            .steps
            .iter()
            .position(|step| matches!(step, Projection::Field(..)));
        if let (1, Some(at)) = (place.local, at)
            && let Projection::Field(index, _) = place.steps[at]
        {
            let by_reference = place.steps[at + 1..].contains(&Projection::Deref);
            names.entry(index as usize).or_insert((*name, by_reference));
        }
    }
    names
}

impl Frame<'_> {
    /// The values that a closure or coroutine captured, of which `printed` are told.
    pub(super) fn captured(&self, closure: Name, printed: &[Operand]) -> Vec<Value> {
        let mut values: Vec<Value> = printed.iter().map(|part| self.operand(part)).collect();
        let Some(body) = self.program.closure(closure, self.body) else {
            return values;
        };
        let names = captured_names(&self.program.bodies[body]);
        let Some((&most, _)) = names.last_key_value() else {
            return values;
        };
        for index in values.len()..=most {
            let value = names.get(&index).and_then(|(name, by_reference)| {
                let path = self.field_called(&self.program.text(*name))?;
                Some(if *by_reference {
                    Value::To(path)
                } else {
                    self.load(&path)
                })
            });
            values.push(value.unwrap_or(Value::Unknown));
        }
        values
    }

    /// The place that is called `variable__field__field` in the body of a closure.
    fn field_called(&self, name: &str) -> Option<Path> {
        let parts: Vec<&str> = name.split("__").collect();
        (1..parts.len()).rev().find_map(|split| {
            let variable = self.program.names.of(&parts[..split].join("__"));
            let (_, place) = self
                .body
                .named
                .iter()
                .find(|(name, place)| *name == variable && self.place(place).is_some())?;
            let of = match place.steps.last() {
                None => self.type_of(place.local),
                Some(Projection::Field(_, of)) => *of,
                Some(Projection::Deref) => match place.steps.iter().rev().nth(1) {
                    None => self.program.pointee(self.type_of(place.local)),
                    Some(Projection::Field(_, of)) => self.program.pointee(*of),
                    _ => return None,
                },
                _ => return None,
            };
            self.fields(self.place(place)?, of, &parts[split..])
        })
    }

    /// From a place of a type on, along fields by name; references on the way are followed.
    fn fields(&self, mut path: Path, mut of: Name, names: &[&str]) -> Option<Path> {
        for name in names {
            while self.program.type_of(of).references > 0 {
                path = self.load(&path).target()?;
                of = self.program.pointee(of);
            }
            let owner = self.program.type_of(of);
            let path_of = self.program.text(owner.owner);
            let sources = self.program.sources.borrow();
            let (index, next) = match sources.shapes.get(&*path_of) {
                Some(shape) => {
                    let index = shape.fields.iter().position(|field| field.name == *name)?;
                    let written = &shape.fields[index].of;
                    let (bare, _) = behind_references(written);
                    let full = sources.beside(&path_of, last(head(bare).0));
                    let next = match full {
                        Some(full) => written.replacen(head(bare).0, &full, 1),
                        None => written.clone(),
                    };
                    (u32::try_from(index).ok()?, next)
                }
                // A tuple.
                None => (name.parse().ok()?, String::new()),
            };
            drop(sources);
            path = path.then(Step::Field(owner.owner, index))?;
            path = self.normal(path);
            of = self.program.names.of(&next);
        }
        Some(path)
    }
}
