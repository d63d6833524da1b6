//! Something with locks in it.

use std::sync::Arc;

use lockwise::{Mutex, RwLock, acquire};

pub(crate) struct Account {
    pub(crate) balance: Mutex<i64>,
    shared: Arc<Mutex<i64>>,
    boxed: Box<RwLock<i64>>,
    parts: Vec<Mutex<i64>>,
}

impl Account {
    pub(crate) fn new() -> Self {
        Account {
            balance: Mutex::new(1),
            shared: Arc::new(Mutex::new(2)),
            boxed: Box::new(RwLock::new(3)),
            parts: vec![Mutex::new(4), Mutex::new(5)],
        }
    }

    pub(crate) fn balance(&self) -> &Mutex<i64> {
        &self.balance
    }

    pub(crate) fn sum(&self) -> i64 {
        let (a, b, c, d) = acquire!(self.balance, self.shared, write self.boxed, self.parts[1]);
        *a + *b + *c + *d
    }

    pub(crate) fn part(&self, index: usize) -> Option<i64> {
        let (part, _balance) = acquire!(self.parts.get(index)?, self.balance());
        Some(*part)
    }
}
