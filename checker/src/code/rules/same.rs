//! Whether a lock with two names can be one: what it protects is of one type.
//!
//! A list of `Arc<Mutex<dyn Device>>` shares locks with a field that keeps a `Mutex<Disk>`, and with another that keeps
//! a `Mutex<Net>`: all three are one class, but those two fields never keep one lock.

use std::collections::BTreeSet;

use super::Rules;
use crate::code::names::Name;
use crate::code::program::Program;
use crate::code::summary::LockAt;
use crate::code::text::{closing, find_outside, head, last};

/// Locks of std and `parking_lot`.
const LOCKS: [&str; 2] = ["Mutex<", "RwLock<"];

impl Rules<'_> {
    /// Whether locks of one class can be one lock, by the names that they have where they are taken.
    pub(super) fn can_be_one(&self, a: &LockAt, b: &LockAt) -> bool {
        let name = |lock: &LockAt| lock.alias.unwrap_or(lock.class);
        if name(a) == name(b) {
            return true;
        }
        match (
            protected(self.program, name(a)),
            protected(self.program, name(b)),
        ) {
            (Some(a), Some(b)) => !a.is_disjoint(&b),
            _ => true,
        }
    }
}

/// The last names of the types that a lock of a class protects, where that is a field of one lock, and they are known.
fn protected(program: &Program, class: Name) -> Option<BTreeSet<String>> {
    let text = program.text(class);
    let (owner, name) = text.rsplit_once('.')?;
    let sources = program.sources.borrow();
    let shape = sources.shapes.get(owner)?;
    let field = shape.fields.iter().find(|field| field.name == name)?;
    let of = inside(&field.of)?;
    if let Some(object) = of.strip_prefix("dyn ") {
        return program.objects_of(object_name(object));
    }
    // A variant stands beside its enum's others, and the enum beside the type.
    let named = sources.named_beside(owner, head(of).0);
    let of = named.or_else(|| {
        let (outer, _) = owner.rsplit_once("::")?;
        sources.named_beside(outer, head(of).0)
    })?;
    Some(BTreeSet::from([last(&of).to_owned()]))
}

/// What the one lock protects that a type speaks of.
fn inside(of: &str) -> Option<&str> {
    let mut all = LOCKS
        .iter()
        .flat_map(|lock| of.match_indices(lock).map(|(at, lock)| at + lock.len()));
    let from = all.next().filter(|_| all.next().is_none())?;
    let end = closing(of, from - 1)?;
    let inner = of[from..end].trim();
    let bare = inner
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'));
    Some(bare.unwrap_or(inner))
}

/// The last name of the trait of an object.
fn object_name(object: &str) -> &str {
    let end = find_outside(object, 0, |bytes, at| bytes[at] == b'+');
    last(head(end.map_or(object, |end| object[..end].trim())).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lock_protects_is_read_where_there_is_one() {
        assert_eq!(inside("Arc<Mutex<Disk<T>>>"), Some("Disk<T>"));
        assert_eq!(
            inside("HashMap<u32, Arc<std::sync::RwLock<(dyn Device + Send)>>>"),
            Some("dyn Device + Send")
        );
        assert_eq!(inside("Mutex<Vec<Arc<Mutex<Disk>>>>"), None);
        assert_eq!(inside("Vec<u32>"), None);
        assert_eq!(object_name("bus::Device<u8> + Send"), "Device");
    }
}
