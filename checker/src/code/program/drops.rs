//! What runs when a value is dropped.

use rustc_hash::FxHashSet;
use std::rc::Rc;

use super::{BodyId, DropGlue, Program, words};
use crate::code::names::Name;
use crate::code::text::{head, last, split_commas};

/// Types that drop what they hold. Only of a box is it sure that there is something.
const CONTAINERS: [&str; 10] = [
    "Option", "Box", "Vec", "VecDeque", "Arc", "Rc", "HashMap", "BTreeMap", "Result", "Mutex",
];

impl Program {
    /// The `Drop` implementations that run when a value of this type goes, outermost first, and whether
    /// each of them does for sure: what is behind a shared pointer goes only with the last one.
    ///
    /// Fields are known as the source writes their types, so that one with the name of another type of
    /// its crate can be missed.
    pub(crate) fn dropped(&self, of: Name) -> DropGlue {
        if let Some(found) = self.drop_glue.borrow().get(&of) {
            return Rc::clone(found);
        }
        let found: DropGlue = self.drops_of(of).into();
        self.drop_glue.borrow_mut().insert(of, Rc::clone(&found));
        found
    }

    fn drops_of(&self, of: Name) -> Vec<(BodyId, bool)> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        let mut open = vec![(self.names.text(of).to_string(), true)];
        while let Some((text, is_sure)) = open.pop() {
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
                        .map(|part| (part.to_owned(), is_sure)),
                );
                continue;
            }
            let (path, arguments) = head(&text);
            if !seen.insert(path.to_owned()) {
                continue;
            }
            if let Some(&id) = self.drops.get(path) {
                found.push((id, is_sure));
            }
            if CONTAINERS.contains(&last(path)) {
                let is_sure = is_sure && last(path) == "Box";
                open.extend(arguments.into_iter().map(|of| (of.to_owned(), is_sure)));
            } else {
                open.extend(self.fields(path, is_sure));
            }
        }
        found
    }

    /// The types of a struct's fields that are the program's own.
    fn fields(&self, path: &str, is_sure: bool) -> Vec<(String, bool)> {
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
            for word in words(&field.of) {
                if let Some(of) = sources.beside(path, word) {
                    found.push((of, is_sure && is_direct));
                }
            }
        }
        found
    }
}
