//! The functions of one crate, with names as the compiler prints them there; and the same with names that
//! mean the same in all crates.
//!
//! The first hangs on that crate alone, so it is made when the crate is compiled and kept until it is
//! compiled again.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Unknown;
use crate::code::ir::{
    Body, Callee, Operand, Place, Projection, Rvalue, Site, Statement, Terminator,
};
use crate::code::names::{Name, Names};
use crate::code::paths::Crate;

/// What was read of one crate, for itself.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lowered {
    /// The texts of the names, by number.
    pub texts: Vec<String>,
    /// The bodies, in order.
    pub bodies: Vec<Body>,
    /// Statics by the number of their allocation.
    pub statics: Vec<(u32, Name)>,
    /// Lines that were not understood, and the first of them.
    pub unknown: Unknown,
}

/// What was read of one crate, as one of several.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// The bodies, in order.
    pub bodies: Vec<Body>,
    /// Statics by the number of their allocation.
    pub statics: FxHashMap<u32, Name>,
    /// Lines that were not understood, and the first of them.
    pub unknown: Unknown,
}

impl Lowered {
    /// The same with names that mean the same in all crates.
    pub(crate) fn read(self, krate: &Crate, names: &Names) -> Read {
        let mut renaming = Renaming {
            krate,
            names,
            texts: &self.texts,
            plain: vec![None; self.texts.len()],
            paths: vec![None; self.texts.len()],
            types: vec![None; self.texts.len()],
        };
        let mut bodies = self.bodies;
        for body in &mut bodies {
            renaming.body(body);
        }
        let statics = self.statics.into_iter();
        Read {
            bodies,
            statics: statics
                .map(|(number, name)| (number, renaming.path(name)))
                .collect(),
            unknown: self.unknown,
        }
    }
}

/// Gives names their meaning outside of the crate, by what they stand for.
struct Renaming<'a> {
    krate: &'a Crate,
    names: &'a Names,
    texts: &'a [String],
    plain: Vec<Option<Name>>,
    paths: Vec<Option<Name>>,
    types: Vec<Option<Name>>,
}

impl Renaming<'_> {
    /// A file, a variable or a variant: it stays as it is.
    fn plain(&mut self, name: Name) -> Name {
        let at = name.index();
        *self.plain[at].get_or_insert_with(|| self.names.of(&self.texts[at]))
    }

    /// The path of an item.
    fn path(&mut self, name: Name) -> Name {
        let at = name.index();
        *self.paths[at].get_or_insert_with(|| self.names.of(&self.krate.path(&self.texts[at])))
    }

    /// A type, or what is called.
    fn of_type(&mut self, name: Name) -> Name {
        let at = name.index();
        *self.types[at].get_or_insert_with(|| self.names.of(&self.krate.text(&self.texts[at])))
    }

    fn body(&mut self, body: &mut Body) {
        body.name = self.path(body.name);
        body.krate = self.krate.name(self.names);
        if let Some(site) = &mut body.implementation {
            self.site(site);
        }
        self.site(&mut body.site);
        for of in &mut body.types {
            *of = self.of_type(*of);
        }
        for (name, place) in &mut body.named {
            *name = self.plain(*name);
            self.place(place);
        }
        for block in &mut body.blocks {
            self.site(&mut block.site);
            for statement in &mut block.statements {
                if let Statement::Assign(place, value) = statement {
                    self.place(place);
                    self.rvalue(value);
                }
            }
            self.end(&mut block.end);
        }
    }

    fn site(&mut self, site: &mut Site) {
        site.file = self.plain(site.file);
    }

    fn place(&mut self, place: &mut Place) {
        for step in &mut place.steps {
            match step {
                Projection::Field(_, of) => *of = self.of_type(*of),
                Projection::Variant(name) => *name = self.plain(*name),
                Projection::Deref
                | Projection::Index(_)
                | Projection::Element(_)
                | Projection::Elements => {}
            }
        }
    }

    fn operand(&mut self, operand: &mut Operand) {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => self.place(place),
            Operand::Static(name) => *name = self.path(*name),
            Operand::Function(name) => *name = self.of_type(*name),
            Operand::Allocation(_) | Operand::Number(_) | Operand::Constant => {}
        }
    }

    fn rvalue(&mut self, value: &mut Rvalue) {
        match value {
            Rvalue::Use(operand) | Rvalue::Not(operand) | Rvalue::Equals(operand, ..) => {
                self.operand(operand);
            }
            Rvalue::Borrow(place) | Rvalue::Discriminant(place) => self.place(place),
            Rvalue::Compare(a, b) => {
                self.operand(a);
                self.operand(b);
            }
            Rvalue::Unit(name) => *name = self.path(*name),
            Rvalue::Aggregate(parts) => {
                for part in parts {
                    self.operand(part);
                }
            }
        }
    }

    fn end(&mut self, end: &mut Terminator) {
        match end {
            Terminator::Switch { on, .. } => self.operand(on),
            Terminator::Drop(place, _) => self.place(place),
            Terminator::Call {
                callee,
                arguments,
                result,
                ..
            } => {
                match callee {
                    Callee::Path(name) => *name = self.of_type(*name),
                    Callee::Pointer(place) => self.place(place),
                }
                for argument in arguments {
                    self.operand(argument);
                }
                self.place(result);
            }
            Terminator::Goto(_)
            | Terminator::Branch(_)
            | Terminator::Suspend(_)
            | Terminator::Return
            | Terminator::End => {}
        }
    }
}
