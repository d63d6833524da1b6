//! Which types trait objects are made of: `self.devices.push(Arc::new(Mutex::new(disk)))`, where the list is one of
//! `Arc<Mutex<dyn Device>>`. A method that is called on such an object is that of one of these types, and not of others
//! that implement the trait too.
//!
//! Nothing is said of a trait of which an object is made of what is not known: a parameter's type, or another object.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::resolve::head_text;
use super::{FEW, Program};
use crate::code::ir::{Rvalue, Statement};
use crate::code::names::Name;
use crate::code::text::{find_outside, last};

/// The heads of the types that objects of a trait are made of, by the trait's path; nothing where one is not known.
pub(super) type Objects = FxHashMap<String, Option<FxHashSet<String>>>;

impl Program {
    pub(super) fn find_objects(&self) -> Objects {
        let mut objects = Objects::default();
        let mut seen: FxHashSet<(Name, Name)> = FxHashSet::default();
        for body in &self.bodies {
            for statement in body.statements() {
                let Statement::Assign(to, Rvalue::Use(operand)) = statement else {
                    continue;
                };
                let from = operand.place().and_then(|from| self.type_at(body, from));
                let (Some(to), Some(from)) = (self.type_at(body, to), from) else {
                    continue;
                };
                if to == from || !seen.insert((to, from)) {
                    continue;
                }
                if let Some((object, made_of)) = made_of(&self.text(to), &self.text(from)) {
                    let all = objects
                        .entry(object)
                        .or_insert_with(|| Some(FxHashSet::default()));
                    match (made_of, &mut *all) {
                        (Some(made_of), Some(all)) => {
                            all.insert(made_of);
                        }
                        _ => *all = None,
                    }
                }
            }
        }
        objects
    }

    /// The types that an object of this type can be of, if they are few.
    pub(super) fn few_objects(&self, of: &str) -> Vec<String> {
        match self.objects.get(&head_text(of)) {
            Some(Some(all)) if all.len() <= FEW => {
                let mut all: Vec<String> = all.iter().cloned().collect();
                all.sort_unstable();
                all
            }
            _ => Vec::new(),
        }
    }

    /// The last names of the types that objects of the trait of this last name are made of, where that is one trait, and
    /// they are known.
    pub(crate) fn objects_of(&self, of: &str) -> Option<BTreeSet<String>> {
        let mut all = self.objects.iter().filter(|(path, _)| last(path) == of);
        let ((_, objects), None) = (all.next()?, all.next()) else {
            return None;
        };
        let names = objects.as_ref()?.iter();
        Some(names.map(|of| last(of).to_owned()).collect())
    }

    /// Whether an object of a trait can be of a type, by the paths of both.
    pub(super) fn can_be(&self, object: &str, of: &str) -> bool {
        match self.objects.get(object) {
            // Crates see some types under several paths.
            Some(Some(all)) => of.is_empty() || all.iter().any(|one| last(one) == last(of)),
            _ => true,
        }
    }
}

/// The trait of an object in a type, and the head of the type that stands in its place in another; of that nothing where
/// it is not known.
fn made_of(to: &str, from: &str) -> Option<(String, Option<String>)> {
    let at = to.find("dyn ")?;
    let object = head_text(&to[at..end_of(to, at)]);
    // `(dyn Task + Send)`
    let before = to[..at].strip_suffix('(').unwrap_or(&to[..at]);
    if let Some(at) = from.find("dyn ") {
        // The same object, perhaps under another lifetime, is not made anew.
        let is_same = head_text(&from[at..end_of(from, at)]) == object;
        return (!is_same).then_some((object, None));
    }
    let made_of = from.strip_prefix(before).map(|rest| {
        let of = &rest[..end_of(rest, 0)];
        head_text(of)
    });
    let made_of = made_of.filter(|of| of.contains("::") && !of.starts_with(['<', '{', '(', '[']));
    Some((object, made_of))
}

/// Where the type ends that begins at a place in a text.
fn end_of(text: &str, at: usize) -> usize {
    let end = find_outside(text, at, |bytes, at| {
        matches!(bytes[at], b'>' | b')' | b',')
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_that_an_object_is_made_of_stands_in_its_place() {
        let made =
            |to, from| made_of(to, from).map(|(object, of)| (object, of.unwrap_or_default()));
        let told = |object: &str, of: &str| Some((object.to_owned(), of.to_owned()));
        assert_eq!(
            made("&dyn app::Task", "&app::Job<u8, u16>"),
            told("app::Task", "app::Job")
        );
        assert_eq!(
            made(
                "std::sync::Arc<std::sync::Mutex<(dyn app::Task + Send + 'static)>>",
                "std::sync::Arc<std::sync::Mutex<app::Job>>"
            ),
            told("app::Task", "app::Job")
        );
        assert_eq!(
            made("std::boxed::Box<dyn app::Task>", "std::boxed::Box<T>"),
            told("app::Task", "")
        );
        assert_eq!(
            made("&dyn app::Task", "&dyn app::Sub"),
            told("app::Task", "")
        );
        assert_eq!(made("&dyn app::Task", "&(dyn app::Task + 'static)"), None);
        assert_eq!(made("&app::Job", "&app::Job"), None);
    }
}
