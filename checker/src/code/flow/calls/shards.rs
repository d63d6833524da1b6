//! Maps in shards: a method takes the lock of the shard that its key belongs to, or of all shards one after
//! the other.

use super::Call;
use crate::code::flow::Flow;
use crate::code::ir::Operand;
use crate::code::names::Name;
use crate::code::text::last;
use crate::code::value::{Path, Root, Step, Value};

/// Methods that go through all shards.
const ALL: [&str; 8] = [
    "len",
    "is_empty",
    "clear",
    "retain",
    "alter_all",
    "shrink_to_fit",
    "iter",
    "iter_mut",
];

/// Calls whose result is the same key.
const SAME_KEY: [&str; 10] = [
    "clone",
    "to_owned",
    "to_string",
    "into",
    "from",
    "as_str",
    "as_ref",
    "borrow",
    "deref",
    "to_vec",
];

/// What a method asks for.
enum Key {
    /// What is at this place.
    At(Name),
    /// The key of what is held.
    Own,
    /// Another, or the same.
    Some,
}

impl Flow<'_> {
    /// The lock that a method of the map at `path` takes; of any other lock the path is that of the lock.
    pub(super) fn shard(&self, call: &Call<'_>, path: Path) -> Option<Path> {
        let Some(method) = call.method else {
            return Some(path);
        };
        let method = self.frame.program.text(method);
        if !method.starts_with("dashmap::") || ALL.contains(&last(&method)) {
            return Some(path);
        }
        match call.operands.get(1).map(|key| self.key(key, 0)) {
            Some(Key::At(key)) => path.then(Step::Key(Some(key))),
            Some(Key::Own) => Some(path),
            Some(Key::Some) | None => path.then(Step::Key(None)),
        }
    }

    fn key(&self, operand: &Operand, depth: u32) -> Key {
        let (Value::At(path) | Value::To(path)) = self.frame.operand(operand) else {
            return Key::Some;
        };
        let block = match path.root {
            Root::Call(block) if depth < 4 => block,
            Root::Call(_) => return Key::Some,
            Root::Local(local) if !self.frame.is_assigned_once(local) => return Key::Some,
            _ if !path.names_one() => return Key::Some,
            _ => {
                let mut path = path;
                while path.steps.last() == Some(&Step::Deref) {
                    path.steps.pop();
                }
                return Key::At(self.frame.program.names.of(&format!("{path:?}")));
            }
        };
        let Some((callee, arguments, _)) = self.frame.call_at(block) else {
            return Key::Some;
        };
        let Some(method) = self.frame.resolved(callee).method else {
            return Key::Some;
        };
        let method = self.frame.program.text(method);
        match (last(&method), arguments.first()) {
            ("key" | "pair", _) if method.starts_with("dashmap::") => Key::Own,
            (name, Some(first)) if SAME_KEY.contains(&name) => self.key(first, depth + 1),
            _ => Key::Some,
        }
    }
}
