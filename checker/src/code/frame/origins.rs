//! Locks that have no field on their way: those made here for a struct, and those a method hands out.

use std::collections::HashMap;

use super::Frame;
use crate::code::ir::{BlockId, Callee, Place};
use crate::code::known::Known;
use crate::code::names::Name;
use crate::code::program::BodyId;
use crate::code::text::{is_exclusive_reference, last};
use crate::code::value::{Path, Root, Step, Value};

/// What the names of methods begin with that hand out another lock each time, or that pointers and
/// containers of all kinds have.
const ANOTHER: [&str; 16] = [
    "new", "next", "pop", "take", "create", "make", "alloc", "acquire", "register", "spawn",
    "deref", "as_", "borrow", "clone", "index", "to_owned",
];

impl Frame<'_> {
    /// The field, with its type, of a struct made here that what begins at `root` is put into, if it is
    /// one only.
    pub(crate) fn kept_in(&self, root: Root) -> Option<(Name, u32)> {
        *self.kept.get_or_init(|| self.keeps()).get(&root)?
    }

    /// Where what a call returns was kept, if it is taken out of a collection that is known.
    pub(crate) fn taken_out_of(&self, block: BlockId) -> Option<Path> {
        let (callee, arguments, _) = self.call_at(block)?;
        if self.resolved(callee).known != Some(Known::TakeOne) {
            return None;
        }
        let from = self.operand(arguments.first()?).target()?;
        let is_known = matches!(from.root, Root::Parameter(_) | Root::Static(_));
        from.then(Step::Index).filter(|_| is_known)
    }

    fn keeps(&self) -> HashMap<Root, Option<(Name, u32)>> {
        let mut kept: HashMap<Root, Option<(Name, u32)>> = HashMap::new();
        for part in self.parts() {
            let field = (self.program.names.of(&part.of.head), part.index);
            if let Value::At(Path { root, steps }) = self.operand(part.operand)
                && steps.is_empty()
            {
                kept.entry(root)
                    .and_modify(|other| {
                        if *other != Some(field) {
                            *other = None;
                        }
                    })
                    .or_insert(Some(field));
            }
        }
        kept
    }

    /// What a method hands out that only looks at its object, if that can hold a lock: asked again, the
    /// same object very likely hands out the same.
    pub(super) fn asked(
        &self,
        callee: &Callee,
        body: BodyId,
        values: &[Value],
        result: &Place,
    ) -> Option<Path> {
        let [object] = values else { return None };
        let program = self.program;
        // `get::<T>()` of what keeps one value of each type.
        let Callee::Path(path) = callee else {
            return None;
        };
        if program.text(*path).ends_with('>') {
            return None;
        }
        let of = program.text(self.type_of(result.local));
        let holds_lock = of.contains("Mutex") || of.contains("RwLock");
        if !result.is_whole() || !holds_lock || of.contains(['{', '(']) {
            return None;
        }
        if program.type_of(self.type_of(result.local)).guards {
            return None;
        }
        let found = &program.bodies[body];
        let receiver = program.text(*found.types.get(1)?);
        let looks = receiver.starts_with('&') && !is_exclusive_reference(&receiver);
        let name = program.text(found.name);
        let method = last(&name);
        if !looks || ANOTHER.iter().any(|word| method.starts_with(word)) {
            return None;
        }
        let owner = program.text(program.owner_of(body)?);
        let asked = program.names.of(&format!("{owner}.{method}()"));
        object.target()?.then(Step::Asked(asked))
    }
}
