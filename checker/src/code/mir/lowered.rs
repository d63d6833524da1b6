//! The functions of one crate, with names as the compiler prints them there; and the same with names that
//! mean the same in all crates.
//!
//! The first hangs on that crate alone, so it is made when the crate is compiled and kept until it is
//! compiled again.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Unknown;
use super::rewrite::Rewrite;
use crate::code::ir::{Body, Place, Projection, Site};
use crate::code::names::{Name, Names};
use crate::code::paths::Crate;

/// What was read of one crate, for itself.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lowered {
    /// The texts of the names, by number.
    pub texts: Vec<String>,
    /// The bodies, in order.
    pub bodies: Vec<Body>,
    /// The thread-locals of which what is in them belongs to the thread alone.
    pub thread_locals: Vec<Name>,
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
    /// The thread-locals of which what is in them belongs to the thread alone.
    pub thread_locals: Vec<Name>,
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
        let thread_locals = self.thread_locals.into_iter();
        Read {
            bodies,
            thread_locals: thread_locals.map(|name| renaming.item(name)).collect(),
            statics: statics
                .map(|(number, name)| (number, renaming.item(name)))
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
    fn item(&mut self, name: Name) -> Name {
        let at = name.index();
        *self.paths[at].get_or_insert_with(|| self.names.of(&self.krate.path(&self.texts[at])))
    }

    /// A type, or what is called.
    fn of_type(&mut self, name: Name) -> Name {
        let at = name.index();
        *self.types[at].get_or_insert_with(|| self.names.of(&self.krate.text(&self.texts[at])))
    }

    fn body(&mut self, body: &mut Body) {
        body.name = self.item(body.name);
        body.krate = self.krate.name(self.names);
        if let Some(site) = &mut body.implementation {
            self.site(site);
        }
        self.site(&mut body.site);
        for of in &mut body.types {
            *of = self.of_type(*of);
        }
        for (name, _) in &mut body.named {
            *name = self.plain(*name);
        }
        for block in &mut body.blocks {
            self.site(&mut block.site);
        }
        self.blocks(body);
    }

    fn site(&mut self, site: &mut Site) {
        site.file = self.plain(site.file);
    }
}

impl Rewrite for Renaming<'_> {
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

    fn path(&mut self, path: &mut Name) {
        *path = self.item(*path);
    }

    fn function(&mut self, function: &mut Name) {
        *function = self.of_type(*function);
    }
}
