//! What `lazy_static!` makes: a type for each static, whose `Deref` asks a hidden one for the value.

use rustc_hash::FxHashMap;

use super::{BodyId, Program};
use crate::code::ir::{Operand, Terminator};
use crate::code::names::Name;

/// What makes the values of such statics, by the path of their types.
pub(super) type Lazies = FxHashMap<String, BodyId>;

/// The function in which the hidden static lies, and the one that makes its value, in the method around both.
const ASKS: &str = "::deref::__stability";
const MAKES: &str = "::deref::__static_ref_initialize";

impl Program {
    pub(super) fn find_lazies(&self) -> Lazies {
        let mut makers: FxHashMap<Name, Vec<BodyId>> = FxHashMap::default();
        for (id, body) in self.bodies.iter().enumerate() {
            if self.names.text(body.name).ends_with(MAKES) {
                makers.entry(body.name).or_default().push(id);
            }
        }
        let mut found = Lazies::default();
        let mut seen: FxHashMap<Name, usize> = FxHashMap::default();
        for body in &self.bodies {
            let name = self.names.text(body.name);
            let Some(method) = name.strip_suffix(ASKS) else {
                continue;
            };
            // All that one module has stand at the same place: they come in one order.
            let number = seen.entry(body.name).or_default();
            let maker = self.names.of(&format!("{method}{MAKES}"));
            let maker = makers.get(&maker).and_then(|all| all.get(*number));
            *number += 1;
            let Some(&maker) = maker else { continue };
            let given = body.blocks.iter().flat_map(|block| match &block.end {
                Terminator::Call { arguments, .. } => &arguments[..],
                _ => &[],
            });
            for operand in given {
                if let Operand::Function(function) = operand
                    && let text = self.names.text(*function)
                    && text.ends_with(MAKES)
                    && let Some((of, _)) = text.split_once(" as ")
                {
                    found.insert(of.trim_start_matches('<').to_owned(), maker);
                }
            }
        }
        found
    }

    /// Whether a type, by its path, is that of a static that `lazy_static!` makes.
    pub(super) fn is_lazy(&self, of: &str) -> bool {
        self.lazies.contains_key(of)
    }

    /// What makes the value of the static of this type.
    pub(super) fn maker_of_lazy(&self, of: Name) -> Option<BodyId> {
        self.lazies.get(&*self.names.text(of)).copied()
    }
}
