//! What runs when a value is dropped.

use rustc_hash::FxHashSet;
use std::rc::Rc;

use super::{BodyId, DropGlue, Program};
use crate::code::ir::Site;
use crate::code::known;
use crate::code::names::Name;
use crate::code::text::{head, last, paths, split_commas, words};
use crate::code::trust::Trust;

/// Types that drop what they hold. Only of a box is it sure that there is something.
const CONTAINERS: [&str; 11] = [
    "Option", "Box", "Vec", "VecDeque", "Arc", "Rc", "HashMap", "BTreeMap", "Result", "Mutex",
    "Drain",
];

/// Those that may not be the last that leads there.
const SHARED: [&str; 2] = ["Arc", "Rc"];

/// Where what is dropped lies in the value that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lies {
    /// It is the value itself, or what that owns.
    There,
    /// It is this field of the struct or tuple.
    At(u32),
    /// Somewhere in this field.
    In(u32),
    /// Somewhere.
    Somewhere,
}

/// A `Drop` implementation that runs when a value goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropping {
    /// Its body.
    pub body: BodyId,
    /// How far it can be trusted that it runs.
    pub trust: Trust,
    /// Of which part of the value.
    pub lies: Lies,
    /// Whether a shared pointer leads to it, which must be the last.
    pub is_shared: bool,
}

/// A value that goes.
struct Dropped {
    /// Its type.
    of: String,
    /// How far it can be trusted that it goes.
    trust: Trust,
    /// How many shared pointers lead to it.
    shared: u32,
    /// Where it lies in the whole.
    lies: Lies,
}

impl Dropped {
    /// A part of it.
    fn part(&self, of: String, trust: Trust, is_shared: bool) -> Dropped {
        Dropped {
            of,
            trust,
            shared: self.shared + u32::from(is_shared),
            lies: self.lies,
        }
    }

    /// It lies in a field of what holds it; `is_all` of it.
    fn at(self, field: u32, is_all: bool) -> Dropped {
        let lies = match self.lies {
            Lies::There if is_all => Lies::At(field),
            Lies::There => Lies::In(field),
            Lies::At(outer) | Lies::In(outer) => Lies::In(outer),
            Lies::Somewhere => Lies::Somewhere,
        };
        Dropped { lies, ..self }
    }
}

impl Program {
    /// The `Drop` implementations that run when a value of this type goes, outermost first, and how
    /// far that can be trusted of each: what is behind a shared pointer goes only with the last one.
    ///
    /// Not followed is what is behind two shared pointers: that both are the last would be a guess on
    /// a guess. A trait object is of one of the types that such are made of, if those are few. Fields are known as the source writes their types, so that one with the name of another
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

    /// The fields of a type of the program's own that can hold guards.
    pub(crate) fn fields_with_guards(&self, of: Name) -> Vec<u32> {
        let text = self.names.text(of);
        let sources = self.sources.borrow();
        let path = sources.known_path(head(&text).0);
        let Some(shape) = sources.shapes.get(&*path) else {
            return Vec::new();
        };
        let is_one = |word: &str| {
            known::is_guard(word)
                || self.extra.names_guard(word)
                || self.holders.iter().any(|holder| last(holder) == word)
        };
        let fields = (0..).zip(&shape.fields);
        let with = fields.filter(|(_, field)| words(&field.of).any(is_one));
        with.map(|(index, _)| index).collect()
    }

    fn drops_of(&self, of: Name) -> Vec<Dropping> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        let whole = self.names.text(of).to_string();
        let mut open = vec![Dropped {
            of: whole.clone(),
            trust: Trust::Sure,
            shared: 0,
            lies: Lies::There,
        }];
        while let Some(dropped) = open.pop() {
            let text = &dropped.of;
            if dropped.shared > 1 {
                continue;
            }
            if text.starts_with(['&', '*']) || text.starts_with("fn(") {
                continue;
            }
            if text.starts_with("dyn ") || text.starts_with("(dyn ") {
                let trust = dropped.trust.and(Trust::OneOf);
                let all = self.few_objects(text).into_iter();
                open.extend(all.map(|of| dropped.part(of, trust, false)));
                continue;
            }
            if let Some(inner) = text
                .strip_prefix('(')
                .and_then(|text| text.strip_suffix(')'))
            {
                let parts = split_commas(inner);
                let parts = (0..).zip(parts).map(|(number, part)| {
                    dropped
                        .part(part.to_owned(), dropped.trust, false)
                        .at(number, true)
                });
                // The last that is put there is looked at first.
                let parts: Vec<Dropped> = parts.collect();
                open.extend(parts.into_iter().rev());
                continue;
            }
            let (path, arguments) = head(text);
            if !seen.insert(path.to_owned()) {
                continue;
            }
            if let Some(&id) = self.drops.get(path) {
                found.push(Dropping {
                    body: id,
                    trust: dropped.trust,
                    lies: dropped.lies,
                    is_shared: dropped.shared > 0,
                });
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
                open.extend(self.fields(path, &dropped).into_iter().rev());
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
        for (index, field) in (0..).zip(&shape.fields) {
            let outer = last(head(&field.of).0).to_owned();
            if field.of.starts_with('&') || matches!(&*outer, "Weak" | "PhantomData") {
                continue;
            }
            let is_direct = !CONTAINERS.contains(&&*outer) || outer == "Box";
            let is_shared = words(&field.of).any(|word| SHARED.contains(&word));
            for written in paths(&field.of) {
                if let Some(of) = sources.named_beside(path, written) {
                    let trust = if is_direct { whole.trust } else { Trust::Guess };
                    let is_all = head(&field.of).0 == written;
                    let part = whole.part(of, trust, is_shared);
                    found.push(if shape.is_enum {
                        Dropped {
                            lies: Lies::Somewhere,
                            ..part
                        }
                    } else {
                        part.at(index, is_all)
                    });
                }
            }
        }
        found
    }
}
