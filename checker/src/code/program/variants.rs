//! Which variants of an enum cannot hold a guard.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::Program;
use crate::code::known;
use crate::code::names::Name;
use crate::code::text::words;

/// Types of std that hold what stands in their brackets, or nothing.
const PLAIN: [&str; 22] = [
    "Arc",
    "BTreeMap",
    "BTreeSet",
    "Box",
    "Cell",
    "Duration",
    "HashMap",
    "HashSet",
    "Instant",
    "Option",
    "PathBuf",
    "PhantomData",
    "Rc",
    "RefCell",
    "Result",
    "Self",
    "String",
    "SystemTime",
    "ThreadId",
    "Vec",
    "VecDeque",
    "Weak",
];

/// The variants of an enum that cannot hold a guard, by number.
#[derive(Debug, Default)]
pub(crate) struct Free {
    numbers: Vec<u64>,
    /// How many variants there are.
    all: u64,
}

impl Free {
    /// Whether this variant is one of them.
    pub(crate) fn has(&self, number: u64) -> bool {
        self.numbers.contains(&number)
    }

    /// Whether all variants are, apart from those named; of an enum that is known.
    pub(crate) fn are_all_but(&self, is_named: impl Fn(&u64) -> bool) -> bool {
        self.all > 0 && (0..self.all).all(|number| is_named(&number) || self.has(number))
    }
}

impl Program {
    /// The variants of an enum in which no guard can be, as far as the tables or, of one of the program, the source
    /// say so: a name that is not known may be that of a guard.
    pub(crate) fn variants_without_guards(&self, of: Name) -> Rc<Free> {
        if let Some(found) = self.free_variants.borrow().get(&of) {
            return Rc::clone(found);
        }
        let found = self.find_free_variants(of);
        self.free_variants
            .borrow_mut()
            .insert(of, Rc::clone(&found));
        found
    }

    fn find_free_variants(&self, of: Name) -> Rc<Free> {
        let of = self.type_of(of);
        let owner = self.text(of.owner);
        if let Some(known) = known::variants_without_guards(&of.head) {
            return Rc::new(Free {
                numbers: known.numbers.to_vec(),
                all: known.all,
            });
        }
        let sources = self.sources.borrow();
        let Some(found) = sources.enums.get(&*owner) else {
            return Rc::default();
        };
        let is_given = |argument: &Name| {
            let argument = self.type_of(*argument);
            argument.guards || !argument.bodies.is_empty()
        };
        // What a parameter stands for, where it is not what it stands for by default.
        let is_given = !of.arguments.is_empty()
            && (of.arguments.len() < found.parameters.len() || of.arguments.iter().any(is_given));
        let is_parameter = |word: &str| found.parameters.iter().find(|one| one.name == word);
        let numbers = (0..)
            .zip(&found.variants)
            .filter(|(_, variant)| {
                let path = format!("{owner}::{variant}");
                let shape = sources.shapes.get(&path);
                shape.is_some_and(|shape| {
                    shape.fields.iter().all(|field| {
                        let parameter = words(&field.of).find_map(is_parameter);
                        let text = match parameter {
                            None => &field.of,
                            Some(_) if is_given => return false,
                            Some(_) if !of.arguments.is_empty() => return true,
                            Some(parameter) => match &parameter.default {
                                Some(default) => default,
                                None => return false,
                            },
                        };
                        self.is_free(&owner, text, &mut FxHashSet::default())
                    })
                })
            })
            .map(|(number, _)| number);
        Rc::new(Free {
            numbers: numbers.collect(),
            all: found.variants.len() as u64,
        })
    }

    /// Whether no guard can be in a field of this type, of a type that was found under `of`.
    fn is_free(&self, of: &str, field: &str, seen: &mut FxHashSet<String>) -> bool {
        // What is behind a reference is another's.
        if field.starts_with('&') {
            return true;
        }
        let is_open = |word: &str| matches!(word, "dyn" | "impl" | "fn");
        if words(field).any(is_open) {
            return false;
        }
        words(field).all(|word| {
            let is_type = word.starts_with(|first: char| first.is_uppercase());
            if !is_type
                || PLAIN.contains(&word)
                || word.starts_with("NonZero")
                || word.starts_with("Atomic")
            {
                return true;
            }
            let sources = self.sources.borrow();
            let Some(path) = sources.beside(of, word) else {
                return false;
            };
            if self.holders.contains(&path) {
                return false;
            }
            let Some(shape) = sources.shapes.get(&path) else {
                return false;
            };
            !seen.insert(path.clone())
                || shape
                    .fields
                    .iter()
                    .all(|field| self.is_free(&path, &field.of, seen))
        })
    }
}
