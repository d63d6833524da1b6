//! What a type tells of itself.

use std::rc::Rc;

use super::super::ir::{Body, Place, Projection};
use super::super::known;
use super::super::names::Name;
use super::super::text::{behind_references, find_outside, head, last, split_commas};
use super::Program;

/// Types of std that lead to what another owns, besides references.
const VIEWS: [&str; 14] = [
    "ChunksMut",
    "Entry",
    "Iter",
    "IterMut",
    "OccupiedEntry",
    "OccupiedError",
    "PeekMut",
    "RangeMut",
    "Ref",
    "RefMut",
    "VacantEntry",
    "Values",
    "ValuesMut",
    "Windows",
];

/// A type, looked at once.
#[derive(Debug, Clone)]
pub(crate) struct Type {
    /// How many references and pointers stand around it.
    pub references: u32,
    /// The path at its head, behind those.
    pub head: String,
    /// That path as the crate says it that declares the type, whichever way it was named by.
    pub owner: Name,
    /// Its generic arguments.
    pub arguments: Vec<Name>,
    /// Whether a value of it can hold a guard.
    pub guards: bool,
    /// Whether one of those guards stops threads.
    pub blocks_threads: bool,
    /// Whether a value of it only leads to what another owns: a reference, an iterator over one, an entry.
    pub is_view: bool,
    /// The closures and async bodies it is made of, by their types.
    pub bodies: Vec<Name>,
    /// Functions it is made of, by their paths.
    pub functions: Vec<Name>,
}

impl Program {
    /// What is known of a type.
    pub(crate) fn type_of(&self, of: Name) -> Rc<Type> {
        if let Some(found) = self.types.borrow().get(&of) {
            return Rc::clone(found);
        }
        let text = self.names.text(of);
        let (bare, references) = behind_references(&text);
        let (path, arguments) = head(bare);
        let (guards, blocks_threads) = self.guards_in(&text);
        let found = Rc::new(Type {
            references,
            head: path.to_owned(),
            owner: self.names.of(&self.sources.borrow().known_path(path)),
            arguments: arguments
                .into_iter()
                .filter(|argument| !argument.starts_with('\''))
                .map(|argument| self.names.of(argument))
                .collect(),
            guards,
            blocks_threads,
            is_view: self.is_view(&text),
            bodies: bodies_in(&text).map(|text| self.names.of(&text)).collect(),
            functions: functions_in(&text)
                .map(|text| self.names.of(text))
                .collect(),
        });
        self.types.borrow_mut().insert(of, Rc::clone(&found));
        found
    }

    /// Whether a value of this type only leads to what another owns.
    fn is_view(&self, text: &str) -> bool {
        let (bare, references) = behind_references(text);
        if references > 0 {
            return true;
        }
        let parts = bare
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'));
        if let Some(parts) = parts {
            return split_commas(parts).iter().any(|part| self.is_view(part));
        }
        let (path, arguments) = head(bare);
        if path.starts_with('{') || known::is_guard(path) || self.is_own(path) {
            return false;
        }
        let mut arguments = arguments.iter().filter(|of| !of.starts_with('\''));
        VIEWS.contains(&last(path)) || arguments.any(|of| self.is_view(of))
    }

    /// The type of what a pointer of this type points to.
    pub(crate) fn pointee(&self, of: Name) -> Name {
        let text = self.names.text(of);
        let found = self.type_of(of);
        if found.references == 0 {
            return found.arguments.first().copied().unwrap_or(of);
        }
        let rest = text
            .strip_prefix("*const ")
            .or_else(|| text.strip_prefix("*mut "))
            .or_else(|| {
                let rest = text.strip_prefix('&')?;
                let rest = match rest.strip_prefix('\'') {
                    Some(rest) => rest.split_once(' ')?.1,
                    None => rest,
                };
                Some(rest.strip_prefix("mut ").unwrap_or(rest))
            });
        rest.map_or(of, |rest| self.names.of(rest))
    }

    /// The type of a place in a body, where the compiler's text says it.
    pub(crate) fn type_at(&self, body: &Body, place: &Place) -> Option<Name> {
        let of_steps = |steps: &[Projection]| match steps.last() {
            None => body.types.get(place.local as usize).copied(),
            Some(Projection::Field(_, of)) => Some(*of),
            Some(_) => None,
        };
        match &place.steps[..] {
            [before @ .., Projection::Deref] => of_steps(before).map(|of| self.pointee(of)),
            steps => of_steps(steps),
        }
    }

    /// Whether a type's text names guards, and such that stop threads.
    fn guards_in(&self, text: &str) -> (bool, bool) {
        let mut found = (false, false);
        for path in paths_in(text) {
            if let Some(stops_threads) = self.extra.guard(path) {
                found.0 = true;
                found.1 |= stops_threads;
            } else if known::is_guard(path) {
                found.0 = true;
                found.1 |= known::blocks_threads(path);
            } else if self.holders.contains(path) {
                found = (true, true);
            }
        }
        // A caller can put one in the place of a parameter.
        found.0 |= parameters_in(text);
        // What is being awaited until it becomes a guard.
        found.0 |= text.contains("{async fn body of tokio::sync::")
            || text.contains("async_lock::")
            || takes_lock(text);
        found
    }
}

/// Whether a type's text begins with the future of a method that takes a lock, of whatever crate.
pub(crate) fn takes_lock(text: &str) -> bool {
    let method = text.strip_prefix("{async fn body of ");
    method
        .and_then(|text| text.split_once("()}"))
        .is_some_and(|(path, _)| {
            let path = bare(path);
            let mut parts = path.rsplit("::");
            let method = parts.next().unwrap_or_default();
            let on = parts.next().unwrap_or_default();
            matches!(on, "Mutex" | "RwLock")
                && known::function(&path[..path.len() - method.len() - 2], method).is_some()
        })
}

/// The paths in a type's text.
fn paths_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .map(|path| path.trim_matches(':'))
        .filter(|path| path.contains("::"))
}

/// Whether a type's text names a parameter: it has no path, as a type has.
fn parameters_in(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '\'');
    let mut words = text.split(|c: char| !is_word(c));
    words.any(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) && !word.contains(':'))
}

/// The closures and async bodies in a type's text. An async function is known by its path without
/// generics.
fn bodies_in(text: &str) -> impl Iterator<Item = String> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find('{')?;
            let from = &rest[at..];
            let end = super::closing(from, 0)?;
            let found = &from[..=end];
            if found.starts_with("{closure@")
                || found.starts_with("{async ")
                || found.starts_with("{coroutine@")
            {
                rest = &from[end + 1..];
                if let Some(path) = found.strip_prefix("{async fn body of ") {
                    let path = bare(path.trim_end_matches('}').trim_end_matches("()"));
                    return Some(format!("{{async fn body of {path}}}"));
                }
                return Some(found.to_owned());
            }
            rest = &from[1..];
        }
    })
}

/// A path without generics; of `<S<T> as Trait>::method` the type and the trait are kept.
fn bare(path: &str) -> String {
    let inner = path.strip_prefix('<').and_then(|rest| {
        let end = super::closing(path, 0)?;
        Some((&rest[..end - 1], &path[end + 1..]))
    });
    let Some((inner, method)) = inner else {
        return super::without_generics(path);
    };
    let at = find_outside(inner, 0, |bytes, at| bytes[at..].starts_with(b" as "));
    let (of, as_trait) = at.map_or((inner, ""), |at| inner.split_at(at));
    format!(
        "<{}{}>{}",
        super::without_generics(of),
        super::without_generics(as_trait),
        super::without_generics(method)
    )
}

/// The functions in a type's text: `fn(u32) -> u32 {a::b}`.
fn functions_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(" {").filter_map(|(at, _)| {
        let from = &text[at + 1..];
        let end = super::closing(from, 0)?;
        let inner = &from[1..end];
        let is_other = inner.starts_with("closure@")
            || inner.starts_with("async ")
            || inner.starts_with("coroutine@");
        (!is_other && text.contains("fn(")).then_some(inner)
    })
}
