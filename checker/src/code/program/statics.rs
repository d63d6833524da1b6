//! Statics, lazy ones among them, and thread-locals.

use rustc_hash::FxHashMap;

use super::{BodyId, Program, in_crate};
use crate::code::names::Name;

impl Program {
    /// Gives statics the name that their own crate has for them: others may see them under another path.
    pub(super) fn name_statics(&mut self) {
        let mut own: FxHashMap<String, Vec<Name>> = FxHashMap::default();
        for name in self.initials.keys() {
            let path = self.names.text(*name);
            own.entry(in_crate(&path)).or_default().push(*name);
        }
        for name in self.statics.values_mut() {
            if self.initials.contains_key(name) {
                continue;
            }
            if let Some([one]) = own
                .get(&in_crate(&self.names.text(*name)))
                .map(Vec::as_slice)
            {
                *name = *one;
            }
        }
    }

    /// Remembers the thread-locals of which what is in them belongs to the thread alone.
    pub(super) fn note_thread_locals(&mut self, all: &[Name]) {
        for of in all {
            let class = self.names.of(&format!("static {}", self.text(*of)));
            self.thread_locals.insert(class);
        }
    }

    /// The static at an allocation.
    pub(crate) fn static_at(&self, krate: Name, allocation: u32) -> Option<Name> {
        self.statics.get(&(krate, allocation)).copied()
    }

    /// The body that makes the initial value of a static.
    pub(crate) fn initial(&self, of: Name) -> Option<BodyId> {
        self.initials.get(&of).copied()
    }

    /// Whether each thread has its own lock of a class.
    pub(crate) fn is_of_thread(&self, class: Name) -> bool {
        self.thread_locals.contains(&class)
    }

    /// The statics that are made by functions or closures, and those.
    pub(crate) fn lazies(&self) -> impl Iterator<Item = (Name, Vec<BodyId>)> {
        let all = self.initials.iter();
        let all = all.map(|(of, initial)| (*of, self.makers(*initial)));
        all.filter(|(_, makers)| !makers.is_empty())
    }
}
