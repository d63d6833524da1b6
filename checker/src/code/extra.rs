//! What the user has looked at beyond the tables: cells, callbacks, and lock types of other crates.

use lockwise::watch::Mode;
use serde::{Deserialize, Serialize};

use super::known::{Known, Waits};
use super::text::last;

/// What is looked at beyond the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// Borrows of a `RefCell`: a second one panics where a lock would hang.
    pub ref_cell: bool,
    /// Functions that are not known and run under a lock.
    pub callbacks: bool,
    /// Lock types that are in no table.
    pub locks: Vec<LockType>,
}

/// A lock type of another crate, as the configuration describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockType {
    /// Its path: `their_crate::Guarded`.
    pub path: String,
    /// The path of its guards. Without any, a method holds the lock while it runs the closure that it
    /// is given.
    pub guards: Vec<String>,
    /// Methods that take it alone.
    pub exclusive: Vec<String>,
    /// Methods that share it.
    pub shared: Vec<String>,
    /// Methods that share it and can be upgraded.
    pub upgradable: Vec<String>,
    /// Methods that its holder can call again.
    pub reentrant: Vec<String>,
}

impl LockType {
    /// Its methods, by mode.
    fn methods(&self) -> [(&[String], Mode); 4] {
        [
            (&self.exclusive, Mode::Exclusive),
            (&self.shared, Mode::Shared),
            (&self.upgradable, Mode::Upgradable),
            (&self.reentrant, Mode::Reentrant),
        ]
    }

    /// Whether no method is named.
    pub fn has_no_methods(&self) -> bool {
        self.methods().iter().all(|(names, _)| names.is_empty())
    }
}

impl Extra {
    /// What a method of the type at this path does, where only the user says so.
    pub(super) fn function(&self, on: &str, method: &str) -> Option<Known> {
        let user = self.locks.iter().filter(|lock| is_same(&lock.path, on));
        for lock in user {
            for (names, mode) in lock.methods() {
                if names.iter().any(|name| name == method) {
                    let waits = if method.starts_with("try_") {
                        Waits::Never
                    } else {
                        Waits::Thread
                    };
                    return Some(Known::Acquire(mode, waits));
                }
            }
        }
        if self.ref_cell && last(on) == "RefCell" {
            return match method {
                "borrow" => Some(Known::Acquire(Mode::RecursiveShared, Waits::Panics)),
                "borrow_mut" => Some(Known::Acquire(Mode::Exclusive, Waits::Panics)),
                "try_borrow" => Some(Known::Acquire(Mode::RecursiveShared, Waits::Never)),
                "try_borrow_mut" => Some(Known::Acquire(Mode::Exclusive, Waits::Never)),
                _ => None,
            };
        }
        if self.ref_cell && last(on) == "LocalKey" {
            // Of a cell in a thread-local.
            return match method {
                "with_borrow" => Some(Known::Acquire(Mode::RecursiveShared, Waits::Panics)),
                "with_borrow_mut" | "set" | "take" | "replace" => {
                    Some(Known::Acquire(Mode::Exclusive, Waits::Panics))
                }
                _ => None,
            };
        }
        None
    }

    /// Whether a type that is written so can be a guard that only the user knows.
    pub(super) fn names_guard(&self, word: &str) -> bool {
        let mut guards = self.locks.iter().flat_map(|lock| &lock.guards);
        guards.any(|guard| last(guard) == word) || self.ref_cell && matches!(word, "Ref" | "RefMut")
    }

    /// Whether a value of the type at this path holds a lock, and whether it stops threads.
    pub(super) fn guard(&self, path: &str) -> Option<bool> {
        let mut guards = self.locks.iter().flat_map(|lock| &lock.guards);
        if guards.any(|guard| is_same(guard, path)) {
            return Some(true);
        }
        let is_cells = matches!(last(path), "Ref" | "RefMut")
            && (path.starts_with("std::cell::") || path.starts_with("core::cell::"));
        (self.ref_cell && is_cells).then_some(false)
    }
}

/// Whether two paths can name one type: the compiler names it by the shortest path that leads to it.
fn is_same(written: &str, path: &str) -> bool {
    let krate = |path: &str| path.split("::").next().map(str::to_owned);
    last(written) == last(path) && (written == path || krate(written) == krate(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_the_users_is_known_under_each_path_of_its_crate() {
        let extra = Extra {
            locks: vec![LockType {
                path: "their::sync::Guarded".into(),
                guards: vec!["their::sync::Held".into()],
                exclusive: vec!["enter".into(), "try_enter".into()],
                shared: vec!["look".into()],
                ..LockType::default()
            }],
            ..Extra::default()
        };
        let known = |on, method| extra.function(on, method);
        let acquires = |mode, waits| Some(Known::Acquire(mode, waits));
        assert_eq!(
            known("their::Guarded", "enter"),
            acquires(Mode::Exclusive, Waits::Thread)
        );
        assert_eq!(
            known("their::Guarded", "try_enter"),
            acquires(Mode::Exclusive, Waits::Never)
        );
        assert_eq!(
            known("their::sync::Guarded", "look"),
            acquires(Mode::Shared, Waits::Thread)
        );
        assert_eq!(known("their::Guarded", "name"), None);
        assert_eq!(known("other::Guarded", "enter"), None);
        assert_eq!(extra.guard("their::Held"), Some(true));
        assert_eq!(extra.guard("other::Held"), None);
    }

    #[test]
    fn cells_are_looked_at_only_when_asked_for() {
        let off = Extra::default();
        assert_eq!(off.function("std::cell::RefCell", "borrow"), None);
        assert_eq!(off.guard("std::cell::Ref"), None);
        let on = Extra {
            ref_cell: true,
            ..Extra::default()
        };
        assert_eq!(
            on.function("std::cell::RefCell", "borrow_mut"),
            Some(Known::Acquire(Mode::Exclusive, Waits::Panics))
        );
        let in_thread_local =
            |extra: &Extra| extra.function("std::thread::LocalKey", "with_borrow");
        assert_eq!(
            in_thread_local(&on),
            Some(Known::Acquire(Mode::RecursiveShared, Waits::Panics))
        );
        assert_eq!(in_thread_local(&off), None);
        assert_eq!(on.guard("std::cell::Ref"), Some(false));
        assert_eq!(on.guard("dashmap::mapref::one::Ref"), None);
    }
}
