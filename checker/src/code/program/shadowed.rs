//! Functions that have several variables of one name.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Program;
use crate::code::class;
use crate::code::ir::{Kind, Place};
use crate::code::names::Name;

impl Program {
    /// Whether a function, its closures among it, has several variables of a name, by the class that locks in them
    /// have.
    pub(crate) fn is_shadowed(&self, class: Name) -> bool {
        self.shadowed
            .get_or_init(|| self.find_shadowed())
            .contains(&class)
    }

    fn find_shadowed(&self) -> FxHashSet<Name> {
        let mut places: FxHashMap<Name, (usize, &Place)> = FxHashMap::default();
        let mut found = FxHashSet::default();
        for (id, body) in self.bodies.iter().enumerate() {
            for (name, place) in &body.named {
                // What was captured is the variable of the function around.
                if body.kind == Kind::Closure && place.local == 1 {
                    continue;
                }
                let class = class::of_variable(self, body.name, *name);
                let first = *places.entry(class).or_insert((id, place));
                if first != (id, place) {
                    found.insert(class);
                }
            }
        }
        found
    }
}
