//! Async bodies, made to look like functions again.
//!
//! The compiler prints them as state machines: variables that live across an `.await` are fields of
//! the coroutine, a suspension is a state and a `return`, and the first block jumps to where the state
//! says. Here such fields become variables, and a suspension leads to where it goes on.

use rustc_hash::FxHashMap;

use super::rewrite::Rewrite;
use super::{Body, Operand, Place, Projection, Rvalue, Statement, Terminator};
use crate::code::ir::{BlockId, Local};
use crate::code::names::{Name, Names};

/// States that the compiler keeps for itself: not begun, returned, panicked.
const RESERVED: u64 = 3;

/// Rewrites `body` if it is a coroutine.
pub(super) fn flatten(body: &mut Body, names: &Names) {
    if !body.is_coroutine(names) {
        return;
    }
    let Some(states) = states(body) else { return };
    for number in 0..body.blocks.len() {
        let block = &body.blocks[number];
        let state = block
            .statements
            .iter()
            .find_map(|statement| match statement {
                Statement::State(state) => Some(u64::from(*state)),
                _ => None,
            });
        if block.end == Terminator::Return
            && let Some(state) = state.filter(|state| *state >= RESERVED)
            && let Some(&resumed) = states.get(&state)
        {
            body.blocks[number].end = Terminator::Suspend(resumed);
        }
    }
    if let Some(&begin) = states.get(&0) {
        body.blocks[0].end = Terminator::Goto(begin);
    }
    let itself = pointers(body);
    let mut fields = Fields {
        itself,
        variables: FxHashMap::default(),
        types: std::mem::take(&mut body.types),
    };
    fields.blocks(body);
    body.types = fields.types;
}

/// Where each state goes on.
fn states(body: &Body) -> Option<FxHashMap<u64, BlockId>> {
    let first = body.blocks.first()?;
    match &first.end {
        Terminator::Switch { cases, .. } => Some(cases.iter().copied().collect()),
        _ => None,
    }
}

/// The variables that point to the coroutine itself: copies of what the pin holds.
fn pointers(body: &Body) -> Vec<Local> {
    body.statements()
        .filter_map(|statement| match statement {
            Statement::Assign(to, Rvalue::Use(Operand::Copy(from) | Operand::Move(from)))
                if to.is_whole()
                    && from.local == 1
                    && matches!(from.steps[..], [Projection::Field(0, _)]) =>
            {
                Some(to.local)
            }
            _ => None,
        })
        .collect()
}

struct Fields {
    itself: Vec<Local>,
    /// By variant and field.
    variables: FxHashMap<(Name, u32), Local>,
    types: Vec<Name>,
}

impl Rewrite for Fields {
    fn place(&mut self, place: &mut Place) {
        if !self.itself.contains(&place.local) {
            return;
        }
        match place.steps[..] {
            [
                Projection::Deref,
                Projection::Variant(variant),
                Projection::Field(index, of),
                ..,
            ] => {
                let next = u32::try_from(self.types.len()).unwrap_or(u32::MAX);
                let local = *self.variables.entry((variant, index)).or_insert(next);
                if local == next {
                    self.types.push(of);
                }
                place.local = local;
                place.steps.drain(..3);
            }
            // What was captured.
            [Projection::Deref, ..] => place.local = 1,
            _ => {}
        }
    }
}
