//! Names, each kept once.
//!
//! The text of a program repeats its paths and types thousands of times. Everything after the parser
//! compares numbers.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// A name: equal numbers, equal texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Name(u32);

impl Name {
    /// Where its text stands among those of [`Names::texts`].
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All names of one analysis.
#[derive(Debug, Default)]
pub(crate) struct Names {
    inner: RefCell<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    texts: Vec<Rc<str>>,
    numbers: FxHashMap<Rc<str>, u32>,
}

impl Names {
    /// The number of this text.
    pub(crate) fn of(&self, text: &str) -> Name {
        let mut inner = self.inner.borrow_mut();
        if let Some(&number) = inner.numbers.get(text) {
            return Name(number);
        }
        let number = u32::try_from(inner.texts.len()).expect("fewer than 2^32 names fit in memory");
        let text: Rc<str> = text.into();
        inner.texts.push(Rc::clone(&text));
        inner.numbers.insert(text, number);
        Name(number)
    }

    /// The text of this number.
    pub(crate) fn text(&self, name: Name) -> Rc<str> {
        Rc::clone(&self.inner.borrow().texts[name.0 as usize])
    }

    /// All texts, by number.
    pub(crate) fn texts(&self) -> Vec<String> {
        let inner = self.inner.borrow();
        inner.texts.iter().map(ToString::to_string).collect()
    }
}
