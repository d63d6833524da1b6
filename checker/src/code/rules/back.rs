//! Whether the one guess on the way from a lock to another of its class leads back to what holds the first.
//!
//! An observer that is told of a change under the subject's lock asks the subject for it again; a job that goes
//! with the pool locked hands its number back to the pool. Of a tree, whose nodes are asked one by one, that
//! cannot be said: there it is another node's lock.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Order, Rules, Site};
use crate::code::ir::{Block, Callee, Terminator};
use crate::code::known::Known;
use crate::code::program::{BodyId, Program};
use crate::code::trust::Trust;

/// Where calls and drops stand.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The bodies that they are in.
    bodies: FxHashMap<Site, BodyId>,
    /// Those of which it is a guess what runs there.
    guesses: FxHashSet<Site>,
}

impl Places {
    pub(super) fn of(program: &Program) -> Places {
        let mut places = Places::default();
        for (id, body) in program.bodies.iter().enumerate() {
            for block in &body.blocks {
                if matches!(block.end, Terminator::Call { .. } | Terminator::Drop(..)) {
                    places.bodies.entry(block.site).or_insert(id);
                }
                if is_guess(program, block) {
                    places.guesses.insert(block.site);
                }
            }
        }
        places
    }
}

/// Whether it is a guess what runs at the end of this block.
fn is_guess(program: &Program, block: &Block) -> bool {
    match &block.end {
        Terminator::Drop(..) => true,
        Terminator::Call {
            callee: Callee::Path(name),
            ..
        } => {
            let resolved = program.resolve(*name);
            let drops = matches!(
                resolved.known,
                Some(Known::Drop | Known::Empty | Known::Thin | Known::PutInstead)
            );
            resolved.is_one_of_few || drops
        }
        _ => false,
    }
}

impl Rules<'_> {
    /// Whether an order rests on one guess, and what is guessed to run is of another type than what the lock
    /// lies in.
    pub(super) fn leads_back(&self, order: &Order) -> bool {
        if order.trust != Trust::OneOf || order.kept.is_some() {
            return false;
        }
        // Where the lock has several names, that under which it is held.
        let held = &order.held.lock;
        let class = self.program.text(held.alias.unwrap_or(held.class));
        let Some((owner, _)) = class.rsplit_once('.') else {
            return class.starts_with("static ");
        };
        let places = self.places.get_or_init(|| Places::of(self.program));
        let way = order
            .calls
            .iter()
            .zip(order.calls.iter().skip(1).chain([&order.wanted.site]));
        let mut guessed = way.filter(|(at, _)| places.guesses.contains(at));
        let runs = guessed.next().and_then(|(_, next)| places.bodies.get(next));
        let of = runs.and_then(|runs| self.program.owner_of(*runs));
        of.is_some_and(|of| *self.program.text(of) != *owner)
    }
}
