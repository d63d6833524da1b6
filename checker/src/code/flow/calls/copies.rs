//! Copies of shared pointers: one is not the last where its original is borrowed all the time.

use crate::code::flow::Flow;
use crate::code::names::Name;
use crate::code::program::{Dropping, Lies};
use crate::code::value::{Path, Root, Step, Value};

/// Of the shared pointer that leads to what is dropped.
pub(super) enum MustBeLast {
    /// It is not the last.
    Never,
    /// The one at this place must be, of which callers know more.
    Known(Path),
    /// There is none, or nothing is known of it.
    Unknown,
}

impl Flow<'_> {
    /// What must be so of the shared pointer in a value of this type through which something is dropped. A copy stands
    /// for its original, and lies where that lies.
    pub(super) fn must_be_last(&self, drop: &Dropping, of: Name, value: &Value) -> MustBeLast {
        if !drop.is_shared {
            return MustBeLast::Unknown;
        }
        let value = match value {
            Value::At(path) => self.frame.load(path),
            value => value.clone(),
        };
        let owner = self.frame.program.type_of(of).owner;
        let pointer = match drop.lies {
            Lies::There => value,
            Lies::At(field) | Lies::In(field) => value.step(Step::Field(owner, field)),
            Lies::Somewhere => Value::Unknown,
        };
        match pointer {
            Value::At(path) => self.last_at(path),
            _ => MustBeLast::Unknown,
        }
    }

    fn last_at(&self, path: Path) -> MustBeLast {
        if self.frame.is_lent(&path) {
            MustBeLast::Never
        } else if matches!(path.root, Root::Parameter(_)) && !path.steps.contains(&Step::Deref) {
            MustBeLast::Known(path)
        } else {
            MustBeLast::Unknown
        }
    }

    /// Which shared pointers of a callee's must be the last, as this function sees them, beside `others`; nothing if
    /// one of them is not.
    pub(super) fn last_here(
        &self,
        last: &[Path],
        values: &[Value],
        others: &[Path],
    ) -> Option<Vec<Path>> {
        let mut found = others.to_vec();
        for path in last {
            let Value::At(path) = Value::At(path.clone()).in_caller(values) else {
                continue;
            };
            let path = match self.frame.load(&path) {
                Value::At(path) => path,
                _ => path,
            };
            match self.last_at(path) {
                MustBeLast::Never => return None,
                MustBeLast::Known(path) if !found.contains(&path) => found.push(path),
                _ => {}
            }
        }
        Some(found)
    }
}
