//! What the numbers of a packed trace stand for.

use std::collections::HashMap;

/// What a number stands for: small numbers in a vector, others in a map.
#[derive(Debug)]
pub(super) struct Table<T> {
    small: Vec<Option<T>>,
    others: HashMap<u64, T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table {
            small: Vec::new(),
            others: HashMap::new(),
        }
    }
}

impl<T: Copy> Table<T> {
    /// Numbers below this are small.
    const SMALL: u64 = 1 << 20;

    /// What the small numbers stand for, in their order.
    pub(super) fn small(&self) -> &[Option<T>] {
        &self.small
    }

    /// What the number stands for.
    pub(super) fn get(&self, number: u64) -> Option<T> {
        if number < Self::SMALL {
            let at = usize::try_from(number).expect("it is small");
            return self.small.get(at).copied().flatten();
        }
        self.others.get(&number).copied()
    }

    /// Has the number stand for this.
    pub(super) fn set(&mut self, number: u64, to: T) -> T {
        if number < Self::SMALL {
            let at = usize::try_from(number).expect("it is small");
            if self.small.len() <= at {
                self.small.resize(at + 1, None);
            }
            self.small[at] = Some(to);
        } else {
            self.others.insert(number, to);
        }
        to
    }
}
