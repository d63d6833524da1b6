//! What happens when functions are called that are kept in data: the orders of locks that follow.
//!
//! A function that is put into a field or static anywhere in the program can be the one that is called
//! there. Where it is not known what a called function was kept in, it can be any of its type that is
//! boxed somewhere and is not known to be kept elsewhere; that it is just that one is no more than a guess,
//! and no guess is made if there are too many.

use rustc_hash::{FxHashMap, FxHashSet};

use super::flow::{KeptCall, KeptFunction};
use super::known::Waits;
use super::program::BodyId;
use super::summary::{Keeper, Order};
use super::trust::Trust;

/// More functions than this in one field or static are not followed from a call of one of them.
const IN_FIELD_MAX: usize = 64;

/// More functions than this of one type are not followed from a call that could mean any.
const OF_TYPE_MAX: usize = 8;

/// The functions that are kept in data.
#[derive(Debug, Default)]
struct Kept<'a> {
    by_keeper: FxHashMap<Keeper, FxHashMap<BodyId, &'a KeptFunction>>,
    /// Those of which it is known where they are kept.
    placed: FxHashSet<BodyId>,
}

impl<'a> Kept<'a> {
    fn new(functions: &'a [KeptFunction]) -> Kept<'a> {
        let mut kept = Kept::default();
        for function in functions {
            let of_keeper = kept.by_keeper.entry(function.keeper).or_default();
            of_keeper.entry(function.runs).or_insert(function);
            if matches!(function.keeper, Keeper::Place(_)) {
                kept.placed.insert(function.runs);
            }
        }
        kept
    }

    /// What a call can lead to, in the order of the bodies, and whether that is known; none if there are
    /// too many.
    fn called(&self, call: &KeptCall) -> Option<(Vec<&'a KeptFunction>, bool)> {
        let all = |keeper: &Keeper| -> Vec<&'a KeptFunction> {
            let all = self.by_keeper.get(keeper).into_iter().flatten();
            let mut all: Vec<_> = all.map(|(_, function)| *function).collect();
            all.sort_by_key(|function| function.runs);
            all
        };
        match call.keeper {
            Keeper::Place(_) => {
                let here = all(&call.keeper);
                (here.len() <= IN_FIELD_MAX).then_some((here, true))
            }
            Keeper::Type(_) => {
                let mut guessed = all(&call.keeper);
                guessed.retain(|function| !self.placed.contains(&function.runs));
                (guessed.len() <= OF_TYPE_MAX).then_some((guessed, false))
            }
        }
    }
}

/// The orders of locks that calls of kept functions bring about, and how many calls could mean too many
/// functions.
pub(crate) fn orders(calls: &[KeptCall], functions: &[KeptFunction]) -> (Vec<Order>, u64) {
    let kept = Kept::new(functions);
    let mut found = Vec::new();
    let mut capped = 0;
    for call in calls {
        let Some((called, is_known)) = kept.called(call) else {
            capped += 1;
            continue;
        };
        for function in called {
            for taken in function
                .takes
                .iter()
                .filter(|taken| taken.waits != Waits::Never)
            {
                let trust = call.trust.and(if is_known {
                    Trust::Likely
                } else {
                    Trust::Guess
                });
                for (number, held) in call.held.iter().enumerate() {
                    let others = call.held.iter().enumerate();
                    let others = others.filter(|(other, _)| *other != number);
                    let mut way = call.calls.clone();
                    way.extend(&taken.calls);
                    found.push(Order {
                        held: held.clone(),
                        wanted: taken.lock.clone(),
                        waits: taken.waits,
                        trust: trust.and(held.trust).and(taken.trust),
                        others: others.map(|(_, held)| held.lock.clone()).collect(),
                        body: call.body,
                        calls: way,
                        kept: Some(function.runs),
                        decided: 0,
                    });
                }
            }
        }
    }
    (found, capped)
}
