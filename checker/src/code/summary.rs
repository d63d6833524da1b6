//! What a function does to locks, as far as its callers need to know.
//!
//! Paths begin at parameters and statics, so that each caller puts its own arguments in. How a call
//! leads to a lock is not kept here: each effect only names the call through which it was found first,
//! and the chain is put together when something is reported. So summaries stop changing.

use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::collections::hash_map::Entry;

use lockwise::watch::Mode;

use super::frame::Fact;
use super::ir::Site;
use super::known::{Resource, Waits};
use super::names::Name;
use super::program::BodyId;
use super::trust::Trust;
use super::value::{Path, STEPS_MAX, Value};

/// A lock, as it is held or wanted somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LockAt {
    /// Which instance, if that can be said.
    pub path: Option<Path>,
    /// Which class.
    pub class: Name,
    /// The class as it is called there, if that is another name of the same.
    pub alias: Option<Name>,
    /// How.
    pub mode: Mode,
    /// Where it is taken.
    pub site: Site,
    /// Where the class is that of a parameter: the caller knows better.
    pub is_open: bool,
    /// Whether it lies in a value of the function that takes it, so that no caller of that holds it.
    pub is_made: bool,
}

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    /// Which.
    pub lock: LockAt,
    /// Whether waiting for it stops a thread, and not only a task.
    pub blocks_threads: bool,
    /// Whether it is held there, on some path through the code.
    pub trust: Trust,
    /// Where the call stands through which it was taken, in the function that holds it.
    pub through: Option<Site>,
}

/// What keeps a function value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Keeper {
    /// A field or static, by class.
    Place(Name),
    /// Something of which only the type is known, as far as it tells functions apart: `Fn(u32)`.
    Type(Name),
}

/// What happens in a function or in what it calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// A lock is wanted.
    Wants(LockAt, Waits),
    /// Something else is waited for; which, by class.
    Blocks(Resource, Name),
    /// A parameter is called, or something in it, while these are held, and given this.
    Calls(Path, Vec<Held>, Given),
    /// A function is called that is kept in data.
    CallsKept(Keeper),
    /// A condition variable, by class, is notified.
    Notifies(Name),
    /// A message is sent to a channel, by class.
    Sends(Name),
    /// A thread begins that takes a lock, and whose end the scope around it waits for.
    Begins(BodyId, LockAt),
    /// A thread begins that takes a lock, and its handle is returned.
    HandsOut(BodyId, LockAt),
    /// The end of a thread is waited for that takes a lock.
    Joins(BodyId, LockAt),
    /// The end of a thread is waited for whose handle is at this place, of which callers know more.
    JoinsAt(Path),
}

/// What a function is given that is a parameter, or kept in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Given {
    /// The locks whose guards it gets, by the numbers of its arguments.
    pub guards: Vec<(u32, Held)>,
    /// Its arguments, as far as callers know them; none where nothing is held.
    pub values: Vec<Value>,
}

/// An effect.
#[derive(Debug, Clone)]
pub(crate) struct Effect {
    /// What happens.
    pub what: What,
    /// Where: the very call.
    pub site: Site,
    /// The call through which it is reached, and the callee; none if it is done right here.
    pub through: Option<(Site, BodyId)>,
    /// Whether it happens on some path through the code.
    pub trust: Trust,
    /// What must be so of the parameters.
    pub when: Vec<Fact>,
    /// The guards among the parameters that are still held then, one bit each.
    pub guards: u64,
    /// In how many of the functions on the way something decides whether it happens.
    pub decided: u8,
    /// The shared pointers, of what callers gave, that must be the last of their kind.
    pub last: Vec<Path>,
}

/// An order of two locks, seen where one is wanted while the other is held.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// What is held.
    pub held: Held,
    /// What is wanted.
    pub wanted: LockAt,
    /// Whether and how it waits.
    pub waits: Waits,
    /// Whether that happens on some path.
    pub trust: Trust,
    /// The rest of what is held.
    pub others: Vec<LockAt>,
    /// The function in which both meet.
    pub body: BodyId,
    /// The calls from there to the acquisition, outermost first.
    pub calls: Vec<Site>,
    /// The function kept in data that must be the one that is called on the way.
    pub kept: Option<BodyId>,
    /// In how many of the functions that are called on the way something decides whether it happens.
    pub decided: u8,
}

/// A guard that is returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Returned {
    /// Of which lock.
    pub held: Held,
    /// In which field, from 1.
    pub field: u32,
    /// What must be so of the parameters.
    pub when: Vec<Fact>,
}

/// What callers need to know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    /// What happens.
    pub effects: Vec<Effect>,
    /// Which of them are there.
    index: FxHashMap<(What, u64), usize>,
    /// What is returned.
    pub result: Option<Value>,
    /// What is returned where it is one of several places, and what must be so of the parameters.
    pub choices: Vec<(Value, Vec<Fact>)>,
    /// The locks whose guards are returned.
    pub returned: Vec<Returned>,
    /// The locks whose guards are left behind a parameter, by its number, and in which field there.
    pub puts: Vec<(Held, u32, u32)>,
    /// Parameters whose guards are left behind others, by their numbers, and in which field there.
    pub passes: Vec<(u32, u32, u32)>,
    /// The parameters whose guards are returned, one bit each.
    pub returns_guards: u64,
    /// The parameters by exclusive reference whose guards have gone when it returns, one bit each.
    pub lets_go: u64,
    /// Orders of locks that the callers know better.
    pub open: Vec<Order>,
    /// Parameters that go into fields, by class.
    pub keeps: Vec<(Path, Name)>,
    /// Parameters that are functions and are kept.
    pub keeps_functions: Vec<(Path, Keeper)>,
    /// Whether it lets go of a lock that no guard stands for.
    pub frees: bool,
    /// How many effects were left out.
    pub left_out: u64,
}

/// More effects than this are not kept for one function.
const EFFECTS_MAX: usize = 600;
/// More effects than this are too many for one of several functions that call each other.
const EFFECTS_MANY: usize = 128;
/// Ways of so many steps are followed in any case.
const REACH_MIN: usize = 3;
/// More open orders than this are not kept for one function.
const OPEN_MAX: usize = 32;
/// More guards that are returned, and more parameters that are kept, are not told for one function.
const TOLD_MAX: usize = 16;

impl Summary {
    /// Adds an effect unless it is there.
    pub(crate) fn add(&mut self, effect: Effect) {
        // Where it is done first decides; other places of the same are no other effect.
        let mut key = effect.what.clone();
        if let What::Wants(lock, _) = &mut key {
            lock.site = Site {
                line: 0,
                column: 0,
                ..lock.site
            };
            lock.site.file = lock.class;
        }
        match self.index.entry((key, effect.guards)) {
            Entry::Occupied(entry) => {
                let old = &mut self.effects[*entry.get()];
                match effect.trust.cmp(&old.trust) {
                    Ordering::Greater => *old = effect,
                    // On another way it may need less.
                    Ordering::Equal => {
                        old.when.retain(|fact| effect.when.contains(fact));
                        old.last.retain(|path| effect.last.contains(path));
                        old.decided = old.decided.min(effect.decided);
                    }
                    Ordering::Less => {}
                }
            }
            Entry::Vacant(_) if self.effects.len() >= EFFECTS_MAX => self.left_out += 1,
            Entry::Vacant(entry) => {
                entry.insert(self.effects.len());
                self.effects.push(effect);
            }
        }
    }

    /// Forgets which instances locks are that are reached through these functions, which call each other, by ways
    /// of more than `reach` steps. Where that leaves many effects a shorter reach is taken, and returned: layers that
    /// are put around each other in any order make a way of each such order, and each round makes them longer.
    pub(crate) fn shorten(&mut self, recursive: &[BodyId], mut reach: usize) -> usize {
        self.forget_ways(recursive, reach);
        while self.effects.len() > EFFECTS_MANY && reach > REACH_MIN {
            reach = reach.min(STEPS_MAX) - 1;
            self.forget_ways(recursive, reach);
        }
        reach
    }

    fn forget_ways(&mut self, recursive: &[BodyId], reach: usize) {
        self.index.clear();
        for mut effect in std::mem::take(&mut self.effects) {
            let is_within = effect
                .through
                .is_some_and(|(_, callee)| recursive.binary_search(&callee).is_ok());
            if let What::Wants(lock, _)
            | What::Begins(_, lock)
            | What::HandsOut(_, lock)
            | What::Joins(_, lock) = &mut effect.what
                && is_within
            {
                let is_far = |path: &Path| path.steps.len() > reach;
                lock.path.take_if(|path| is_far(path));
            }
            self.add(effect);
        }
    }

    /// Adds an order that the callers know better, unless there are too many.
    pub(crate) fn add_open(&mut self, order: Order) {
        if self.open.len() < OPEN_MAX {
            self.open.push(order);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds a guard that is returned in a field, unless it is there.
    pub(crate) fn add_returned(&mut self, held: Held, field: u32, when: Vec<Fact>) {
        let same = |old: &&mut Returned| {
            let lock = &old.held.lock;
            old.field == field && lock.class == held.lock.class && lock.path == held.lock.path
        };
        match self.returned.iter_mut().find(same) {
            Some(old) => old.when.retain(|fact| when.contains(fact)),
            None => self.left_out += told(&mut self.returned, Returned { held, field, when }),
        }
    }

    /// Adds a guard that is left behind a parameter, unless it is there.
    pub(crate) fn add_put(&mut self, held: Held, into: u32, field: u32) {
        let same = |(old, parameter, at): &(Held, u32, u32)| {
            (*parameter, *at) == (into, field)
                && old.lock.class == held.lock.class
                && old.lock.path == held.lock.path
        };
        if !self.puts.iter().any(same) {
            self.left_out += told(&mut self.puts, (held, into, field));
        }
    }

    /// Adds a parameter whose guards are left behind another.
    pub(crate) fn add_passed(&mut self, from: u32, into: u32, field: u32) {
        self.left_out += told(&mut self.passes, (from, into, field));
    }

    /// Adds a parameter that goes into a field.
    pub(crate) fn add_kept(&mut self, path: Path, class: Name) {
        self.left_out += told(&mut self.keeps, (path, class));
    }

    /// Adds a parameter that is a function and is kept.
    pub(crate) fn add_kept_function(&mut self, path: Path, keeper: Keeper) {
        self.left_out += told(&mut self.keeps_functions, (path, keeper));
    }

    /// How much the effects are trusted, as one number that only grows.
    fn trusted(&self) -> usize {
        let each = self.effects.iter().map(|effect| effect.trust as usize);
        each.sum()
    }

    /// How many conditions there are, as a number that only shrinks.
    fn conditions(&self) -> usize {
        let of_effects = self
            .effects
            .iter()
            .map(|effect| effect.when.len() + effect.last.len());
        let returned = self.returned.iter().map(|returned| returned.when.len());
        of_effects.chain(returned).sum()
    }

    /// Whether callers would see a difference.
    pub(crate) fn differs(&self, other: &Summary) -> bool {
        self.effects.len() != other.effects.len()
            || self.trusted() != other.trusted()
            || self.conditions() != other.conditions()
            || self.result != other.result
            || self.choices.len() != other.choices.len()
            || self.returned.len() != other.returned.len()
            || self.puts.len() != other.puts.len()
            || self.passes.len() != other.passes.len()
            || self.returns_guards != other.returns_guards
            || self.lets_go != other.lets_go
            || self.open.len() != other.open.len()
            || self.keeps.len() != other.keeps.len()
            || self.keeps_functions.len() != other.keeps_functions.len()
            || self.frees != other.frees
    }
}

/// Adds what is not there yet, and says how much was left out: there can be too many.
fn told<T: PartialEq>(all: &mut Vec<T>, new: T) -> u64 {
    if all.contains(&new) {
        return 0;
    }
    if all.len() >= TOLD_MAX {
        return 1;
    }
    all.push(new);
    0
}
