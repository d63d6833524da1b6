//! Classes that are one: a lock that is shared under several names.
//!
//! A shared pointer that is put into a field leads to the same lock as the variable or field that it was
//! copied from. Which classes belong together is found function by function, and put together at the end.

use rustc_hash::FxHashMap;

use super::class;
use super::names::Name;
use super::program::Program;
use super::solve::Solved;
use super::summary::{Effect, LockAt, Summary, What};

/// Sets of classes that are one (a disjoint-set forest).
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    parents: FxHashMap<Name, Name>,
}

impl Aliases {
    /// Both are one from now on; the better name stands for all: that of a field or static, and of
    /// several the first.
    pub(crate) fn join(&mut self, program: &Program, a: Name, b: Name) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let rank = |name: Name| (!class::is_place(program, name), program.text(name));
        let (better, other) = if rank(a) <= rank(b) { (a, b) } else { (b, a) };
        self.parents.insert(other, better);
    }

    /// Variables that closures captured are one with the field or static that they lead to: each with one, since a
    /// function can have several variables of one name.
    pub(crate) fn join_captured(&mut self, program: &Program, captured: &[(Name, Name)]) {
        let mut found: FxHashMap<Name, Option<Name>> = FxHashMap::default();
        for (variable, of) in captured {
            let of = Some(self.find(*of)).filter(|of| class::is_place(program, *of));
            let known = found.entry(*variable).or_insert(of);
            if *known != of {
                *known = None;
            }
        }
        for (variable, of) in found {
            if let Some(of) = of {
                self.join(program, variable, of);
            }
        }
    }

    /// The name that stands for a class.
    pub(crate) fn find(&self, mut name: Name) -> Name {
        while let Some(parent) = self.parents.get(&name) {
            name = *parent;
        }
        name
    }

    /// Puts that name everywhere.
    pub(crate) fn apply(&self, solved: &mut Solved) {
        if self.parents.is_empty() {
            return;
        }
        let lock = |lock: &mut LockAt| self.in_lock(lock);
        for order in &mut solved.orders {
            lock(&mut order.held.lock);
            lock(&mut order.wanted);
            order.others.iter_mut().for_each(lock);
        }
        for blocked in &mut solved.blocked {
            lock(&mut blocked.held.lock);
            blocked.class = self.find(blocked.class);
            blocked.runs.iter_mut().for_each(|(_, taken)| lock(taken));
        }
        for awaited in &mut solved.awaits {
            lock(&mut awaited.held.lock);
        }
        for kept in &mut solved.kept {
            lock(&mut kept.lock);
            kept.class = self.find(kept.class);
        }
        solved.begun.values_mut().flatten().for_each(lock);
        solved.watched.iter_mut().for_each(lock);
        for summary in &mut solved.summaries {
            self.in_summary(summary);
        }
    }

    fn in_lock(&self, lock: &mut LockAt) {
        let class = self.find(lock.class);
        if class != lock.class {
            lock.alias = Some(lock.class);
            lock.class = class;
        }
    }

    fn in_summary(&self, summary: &mut Summary) {
        let class = |name: &mut Name| *name = self.find(*name);
        for Effect { what, .. } in &mut summary.effects {
            match what {
                What::Wants(lock, _)
                | What::Begins(_, lock)
                | What::HandsOut(_, lock)
                | What::Joins(_, lock) => self.in_lock(lock),
                What::Blocks(_, name) | What::Notifies(name) | What::Sends(name) => class(name),
                What::Calls(_, held, given) => {
                    let given = given.guards.iter_mut().map(|(_, held)| held);
                    for held in held.iter_mut().chain(given) {
                        self.in_lock(&mut held.lock);
                    }
                }
                What::CallsKept(_) | What::JoinsAt(_) => {}
            }
        }
    }
}
