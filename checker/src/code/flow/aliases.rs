//! Locks that get a second name: a shared pointer or reference to one goes into a field.

use super::Flow;
use super::calls::type_of_place;
use crate::code::class;
use crate::code::ir::{Operand, Rvalue, Statement};
use crate::code::names::Name;
use crate::code::summary::Summary;
use crate::code::text::last;
use crate::code::value::{Path, Root, Value, place_in_caller};

impl Flow<'_> {
    /// Notes the fields that locks of this function go into.
    pub(super) fn note_aliases(&mut self) {
        let body = self.frame.body;
        for statement in body.blocks.iter().flat_map(|block| &block.statements) {
            if let Statement::Assign(place, Rvalue::Use(operand)) = statement
                && !place.is_whole()
                && let Some(path) = self.shared(operand)
                && let Some(to) = self.frame.place(place)
            {
                // What is in a lock that a parameter leads to is not known by a name.
                let to = class::of_path(self.frame, &to);
                if !to.is_open {
                    self.alias(&path, to.name);
                }
            }
        }
        for part in self.frame.parts() {
            if let Some(path) = self.shared(part.operand)
                && let Some(to) = class::of_field(self.frame.program, &part.of.head, part.index)
            {
                self.alias(&path, to);
            }
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

    /// The place of a pointer that shares a lock.
    fn shared(&self, operand: &Operand) -> Option<Path> {
        let program = self.frame.program;
        let of = type_of_place(self.frame, operand.place()?)?;
        let text = program.text(of);
        let of = program.type_of(of);
        let is_pointer = of.references > 0 || matches!(last(&of.head), "Arc" | "Rc");
        if !is_pointer || !(text.contains("Mutex<") || text.contains("RwLock<")) || of.guards {
            return None;
        }
        match self.frame.operand(operand) {
            Value::At(path) | Value::To(path) => Some(path),
            _ => None,
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
