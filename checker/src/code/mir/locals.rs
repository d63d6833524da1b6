//! Thread-locals. To the compiler they are constants, to which functions have references that it keeps apart:
//! `const enter::promoted[0]: &LocalKey<…> = { _1 = const SPANS; _0 = &_1; }`.

use rustc_hash::FxHashMap;

use super::{Operand, Rvalue, Statement};
use crate::code::ir::Body;
use crate::code::names::{Name, Names};
use crate::code::text::words;

/// What the name of a reference that is kept apart has in it.
const KEPT_APART: &str = "::promoted[";

/// The thread-locals that are referred to.
#[derive(Debug, Default)]
pub(super) struct ThreadLocals {
    /// The one that is being read, and whether what is in it belongs to its thread alone.
    open: Option<(Name, bool)>,
    /// By the name of the reference.
    found: FxHashMap<Name, Name>,
    /// Those of which what is in them belongs to the thread alone.
    own: Vec<Name>,
    /// Whether a function names one.
    is_used: bool,
}

impl ThreadLocals {
    /// `const enter::promoted[0]: &LocalKey<std::sync::Mutex<u32>> = {`
    pub(super) fn begin(&mut self, line: &str, names: &Names) {
        self.open = line
            .strip_prefix("const ")
            .and_then(|rest| rest.split_once(": "))
            .filter(|(name, of)| name.contains(KEPT_APART) && of.contains("LocalKey<"))
            .map(|(name, of)| {
                let of = of.trim_start_matches('&');
                let is_shared =
                    of.contains('&') || words(of).any(|word| matches!(word, "Arc" | "Rc"));
                (names.of(name), !is_shared)
            });
    }

    /// `_1 = const SPANS;`
    pub(super) fn line(&mut self, text: &str, names: &Names) {
        if let Some((name, is_own)) = self.open
            && let Some((_, value)) = text.split_once(" = const ")
        {
            let key = names.of(value.trim_end().trim_end_matches(';'));
            self.found.insert(name, key);
            if is_own && !self.own.contains(&key) {
                self.own.push(key);
            }
            self.open = None;
        }
    }

    /// What a function's `const enter::promoted[0]` is if its type is this.
    pub(super) fn operand(&mut self, text: &str, of: &str, names: &Names) -> Option<Operand> {
        let name = text.strip_prefix("const ")?;
        let is_one = name.contains(KEPT_APART) && of.contains("LocalKey<");
        self.is_used |= is_one;
        is_one.then(|| Operand::Static(names.of(name)))
    }

    /// Puts the thread-locals where functions refer to them, and hands out those of which what is in them belongs to
    /// the thread alone.
    pub(super) fn settle(self, bodies: &mut [Body], names: &Names) -> Vec<Name> {
        let bodies = bodies.iter_mut().filter(|_| self.is_used);
        for block in bodies.flat_map(|body| &mut body.blocks) {
            block.statements.retain_mut(|statement| match statement {
                Statement::Assign(_, Rvalue::Use(Operand::Static(name)))
                    if names.text(*name).contains(KEPT_APART) =>
                {
                    let found = self.found.get(name);
                    found.map(|key| *name = *key).is_some()
                }
                _ => true,
            });
        }
        self.own
    }
}
