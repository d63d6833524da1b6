//! What runs when a value is dropped.

use rustc_hash::FxHashSet;
use std::rc::Rc;

use super::{BodyId, DropGlue, Program};
use crate::code::ir::Site;
use crate::code::names::Name;
use crate::code::text::{head, last, split_commas, words};
use crate::code::trust::Trust;

/// Types that drop what they hold. Only of a box is it sure that there is something.
const CONTAINERS: [&str; 10] = [
    "Option", "Box", "Vec", "VecDeque", "Arc", "Rc", "HashMap", "BTreeMap", "Result", "Mutex",
];

/// Those that may not be the last that leads there.
const SHARED: [&str; 2] = ["Arc", "Rc"];

/// A value that goes.
struct Dropped {
    /// Its type.
    of: String,
    /// How far it can be trusted that it goes.
    trust: Trust,
    /// How many shared pointers lead to it.
    shared: u32,
}

impl Dropped {
    /// A part of it.
    fn part(&self, of: String, trust: Trust, is_shared: bool) -> Dropped {
        Dropped {
            of,
            trust,
            shared: self.shared + u32::from(is_shared),
        }
    }
}

impl Program {
    /// The `Drop` implementations that run when a value of this type goes, outermost first, and how
    /// far that can be trusted of each: what is behind a shared pointer goes only with the last one.
    ///
    /// Not followed is what is behind two shared pointers: that both are the last would be a guess on
    /// a guess. Fields are known as the source writes their types, so that one with the name of another
    /// type of its crate can be missed.
    pub(crate) fn dropped(&self, of: Name) -> DropGlue {
        if let Some(found) = self.drop_glue.borrow().get(&of) {
            return Rc::clone(found);
        }
        let found: DropGlue = self.drops_of(of).into();
        self.drop_glue.borrow_mut().insert(of, Rc::clone(&found));
        found
    }

    /// Where something is called in the `Drop` implementations.
    pub(crate) fn sites_in_drops(&self) -> FxHashSet<Site> {
        let bodies = self.drops.values().map(|id| &self.bodies[*id]);
        bodies
            .flat_map(|body| body.blocks.iter().map(|block| block.site))
            .collect()
    }

    fn drops_of(&self, of: Name) -> Vec<(BodyId, Trust)> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        let whole = self.names.text(of).to_string();
        let mut open = vec![Dropped {
            of: whole.clone(),
            trust: Trust::Sure,
            shared: 0,
        }];
        while let Some(dropped) = open.pop() {
            let text = &dropped.of;
            if dropped.shared > 1 {
                continue;
            }
            let is_pointer = text.starts_with(['&', '*']);
            if is_pointer || text.starts_with("dyn ") || text.starts_with("fn(") {
                continue;
            }
            if let Some(inner) = text
                .strip_prefix('(')
                .and_then(|text| text.strip_suffix(')'))
            {
                open.extend(
                    split_commas(inner)
                        .into_iter()
                        .map(|part| dropped.part(part.to_owned(), dropped.trust, false)),
                );
                continue;
            }
            let (path, arguments) = head(text);
            if !seen.insert(path.to_owned()) {
                continue;
            }
            if let Some(&id) = self.drops.get(path) {
                found.push((id, dropped.trust));
            }
            if CONTAINERS.contains(&last(path)) {
                let trust = match last(path) {
                    "Box" => dropped.trust,
                    // What was asked for, and may be there.
                    "Option" if *text == whole => Trust::Filled,
                    _ => Trust::Guess,
                };
                let is_shared = SHARED.contains(&last(path));
                open.extend(
                    arguments
                        .into_iter()
                        .map(|of| dropped.part(of.to_owned(), trust, is_shared)),
                );
            } else {
                open.extend(self.fields(path, &dropped));
            }
        }
        found
    }

    /// The types of a struct's fields that are the program's own.
    fn fields(&self, path: &str, whole: &Dropped) -> Vec<Dropped> {
        let sources = self.sources.borrow();
        let Some(shape) = sources.shapes.get(path) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for field in &shape.fields {
            let outer = last(head(&field.of).0).to_owned();
            if field.of.starts_with('&') || matches!(&*outer, "Weak" | "PhantomData") {
                continue;
            }
            let is_direct = !CONTAINERS.contains(&&*outer) || outer == "Box";
            let is_shared = words(&field.of).any(|word| SHARED.contains(&word));
            for word in words(&field.of) {
                if let Some(of) = sources.beside(path, word) {
                    let trust = if is_direct { whole.trust } else { Trust::Guess };
                    found.push(whole.part(of, trust, is_shared));
                }
            }
        }
        found
    }
}
