//! Which guards live where: one pass over a function, along all ways through it.
//!
//! A guard is a *token* with the lock that it holds; the state at a point says in which variables
//! tokens may be. Moves carry them, drops end them, and where it is asked whether an option or result is
//! there, they are only on the side where it is. The state is *may-held*: a token is there if it is on
//! some way to that point.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::frame::{Fact, Frame, Kind, Storage};
use super::ir::{BlockId, Local, Operand, Place, Rvalue, Statement, Terminator};
use super::names::Name;
use super::program::BodyId;
use super::summary::{Held, LockAt, Order, Summary};
use super::text::is_exclusive_reference;
use super::value::{Path, Root, Value};

mod aliases;
mod calls;
mod choices;
mod facts;
mod functions;
mod places;
mod record;
mod ways;

pub(crate) use calls::formatting;
pub(crate) use functions::{KeptCall, KeptFunction};
pub(crate) use record::{Await, Blocked, KeptHandle};

/// A token at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    token: usize,
    at: Local,
    /// The field of the variable, from 1; 0 if it is the variable itself or unknown.
    field: u32,
    /// The path of its lock may mean another lock by now.
    is_stale: bool,
    /// Whether it is still there.
    is_there: There,
    /// What variables can be on the ways on which it is held.
    values: ways::Values,
}

/// Whether a guard is still where it was put. Where ways meet the later one of these counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum There {
    /// It is.
    Sure,
    /// It is one of several, of which one has gone, or something may have happened to it.
    Perhaps,
    /// Elements were let go of one by one, of which it is one.
    Gone,
}

impl Cell {
    /// What tells it from others.
    fn key(&self) -> (usize, Local, u32, bool) {
        (self.token, self.at, self.field, self.is_stale)
    }

    /// Whether it is in a part of a variable, as far as is known.
    fn lies_in(&self, place: Storage) -> bool {
        self.at == place.owner && (place.field == 0 || self.field == 0 || self.field == place.field)
    }
}

type State = Vec<Cell>;

/// What is captured by a closure as a borrow of guards is counted like parameters from this number on.
const CAPTURED: u32 = 32;

/// The number of what is captured in a field.
fn captured(field: u32) -> u32 {
    (CAPTURED + field).min(63)
}

/// Where guards are that are forgotten: no variable, so that nothing drops them.
const FORGOTTEN: Local = Local::MAX;

/// What holds a lock.
#[derive(Debug, Clone)]
enum Token {
    /// The guard in a parameter, from 1.
    Parameter(u32),
    /// A lock that was taken here, or by what was called from here.
    Taken {
        held: Held,
        /// Whether it may not be there: the result of a try.
        is_maybe: bool,
    },
}

/// What came out for one function.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// For its callers.
    pub summary: Summary,
    /// Where one lock is wanted under another.
    pub orders: Vec<Order>,
    /// Where something else is waited for under a lock.
    pub blocked: Vec<Blocked>,
    /// Where a guard lives across an `.await`.
    pub awaits: Vec<Await>,
    /// Threads whose handles are kept.
    pub kept: Vec<KeptHandle>,
    /// What threads run that begin here, and the locks that it takes.
    pub begun: Vec<(BodyId, LockAt)>,
    /// Functions that are kept in data.
    pub kept_functions: Vec<KeptFunction>,
    /// Where such are called under locks.
    pub kept_calls: Vec<KeptCall>,
    /// Locks that others write who know them under another name.
    pub watched: Vec<LockAt>,
    /// Classes that are one.
    pub aliases: Vec<(Name, Name)>,
    /// Variables that closures captured, and the classes of what they lead to.
    pub captured: Vec<(Name, Name)>,
}

/// Goes through a function.
pub(crate) fn analyse(frame: &Frame<'_>, id: BodyId) -> Outcome {
    let mut flow = Flow {
        frame,
        id,
        is_coroutine: frame.body.is_coroutine(&frame.program.names),
        tokens: Vec::new(),
        known: FxHashMap::default(),
        made_at: FxHashMap::default(),
        picked: FxHashMap::default(),
        facts: facts::facts(frame),
        ways: OnceCell::new(),
        at: 0,
        decided: FxHashMap::default(),
        lent: 0,
        kept: 0,
        outcome: Outcome::default(),
        records: false,
        nested: 0,
        taken: 0,
    };
    let entries = flow.fixpoint();
    flow.records = true;
    for (block, state) in entries {
        flow.block(block, state);
    }
    flow.note_aliases();
    flow.note_captures();
    flow.note_kept_functions();
    flow.note_choices();
    flow.outcome.summary.lets_go = flow.lent & !flow.kept;
    let result = frame.result().exported();
    flow.outcome.summary.result = (result != Value::Unknown).then_some(result);
    flow.outcome
}

struct Flow<'a> {
    frame: &'a Frame<'a>,
    id: BodyId,
    /// Whether it is the body of a future.
    is_coroutine: bool,
    tokens: Vec<Token>,
    /// Tokens by the block that makes them, and their number there.
    known: FxHashMap<(BlockId, usize), usize>,
    /// The blocks in which they are made, and what must be so of those that callees make.
    made_at: FxHashMap<usize, (BlockId, Vec<Fact>)>,
    /// Of guards whose lock was picked out of several, where.
    picked: FxHashMap<usize, choices::PickedIn>,
    /// What is known at each block; nothing if no condition says anything.
    facts: Vec<Vec<Fact>>,
    /// The variables that later branches ask about, once a guard is held.
    ways: OnceCell<ways::Ways>,
    /// The block that is looked at.
    at: BlockId,
    /// Whether something decides that a block is reached, for blocks of which that was asked.
    decided: FxHashMap<BlockId, bool>,
    /// The parameters that borrow guards, one bit each; and those whose guards are still there where the
    /// function returns.
    lent: u64,
    kept: u64,
    outcome: Outcome,
    /// Whether what is met is noted, or the states are still being found.
    records: bool,
    /// Calls of functions that were given to a callee, one in the other; and the effects that were taken over
    /// through such calls, in all.
    nested: u32,
    taken: usize,
}

/// Functions given to functions given to functions are followed so far.
const NESTED_MAX: u32 = 8;
/// More effects than this are not taken over through them in one function: each level can multiply them.
const TAKEN_MAX: usize = 50_000;

impl Flow<'_> {
    /// The states at the beginning of all blocks that can be reached.
    fn fixpoint(&mut self) -> BTreeMap<BlockId, State> {
        let mut entries: BTreeMap<BlockId, State> = BTreeMap::new();
        let mut first = State::new();
        for parameter in 1..=self.frame.body.parameters {
            let of = self.frame.program.type_of(self.frame.type_of(parameter));
            // Who borrows a guard for itself alone can let go of it.
            let text = self.frame.program.text(self.frame.type_of(parameter));
            let is_lent = of.references == 1 && is_exclusive_reference(&text);
            if of.guards && (of.references == 0 || is_lent) && parameter < CAPTURED {
                if is_lent {
                    self.lent |= 1 << parameter;
                }
                first.push(Cell {
                    at: parameter,
                    ..fresh(self.tokens.len())
                });
                self.tokens.push(Token::Parameter(parameter));
            }
        }
        let borrows = self.captured_borrows().into_iter();
        let borrows = borrows.map(|field| (field, captured(field)));
        let owned = self.captured_guards().into_iter();
        for (field, number) in owned.map(|field| (field, 1)).chain(borrows) {
            first.push(Cell {
                at: 1,
                field: field + 1,
                ..fresh(self.tokens.len())
            });
            self.tokens.push(Token::Parameter(number));
            if number > 1 {
                self.lent |= 1 << number;
            }
        }
        if self.frame.body.blocks.is_empty() {
            return entries;
        }
        entries.insert(0, first);
        let mut open = vec![0];
        while let Some(block) = open.pop() {
            let state = entries[&block].clone();
            for (next, state) in self.block(block, state) {
                let is_new = match entries.get_mut(&next) {
                    Some(old) => join(old, state),
                    None => entries.insert(next, state).is_none(),
                };
                if is_new && !open.contains(&next) {
                    open.push(next);
                }
            }
        }
        entries
    }

    fn ways(&self) -> &ways::Ways {
        self.ways.get_or_init(|| ways::Ways::of(self.frame))
    }

    /// Goes through a block and returns where it leads, with which states.
    fn block(&mut self, number: BlockId, mut state: State) -> Vec<(BlockId, State)> {
        let Some(block) = self.frame.body.blocks.get(number as usize) else {
            return Vec::new();
        };
        self.at = number;
        for statement in &block.statements {
            match statement {
                Statement::Assign(place, rvalue) => {
                    self.assign(place, rvalue, &mut state);
                    if !state.is_empty() {
                        self.ways().assign(self.frame, place, rvalue, &mut state);
                    }
                }
                Statement::Dead(local) => state.retain(|cell| cell.at != *local),
                Statement::State(_) => {}
            }
        }
        let site = block.site;
        match &block.end {
            Terminator::Goto(next) => vec![(*next, state)],
            Terminator::Branch(all) => all.iter().map(|next| (*next, state.clone())).collect(),
            Terminator::Switch {
                on,
                cases,
                otherwise,
            } => {
                let mut next = self.switch(on, cases, *otherwise, &state);
                if !state.is_empty() {
                    self.ways().branch(on, cases, &mut next);
                }
                self.feasible(on, number, next)
            }
            Terminator::Return => {
                self.returns(&state);
                Vec::new()
            }
            Terminator::Drop(place, next) => {
                self.dropped(place, site, &mut state);
                vec![(*next, state)]
            }
            Terminator::Call {
                callee,
                arguments,
                result,
                target,
            } => {
                self.call(number, callee, arguments, result, site, &mut state);
                if !state.is_empty() {
                    self.ways().called(result, &mut state);
                }
                target.iter().map(|next| (*next, state.clone())).collect()
            }
            Terminator::Suspend(next) => {
                self.suspends(&state, site);
                vec![(*next, state)]
            }
            Terminator::End => Vec::new(),
        }
    }

    fn assign(&mut self, place: &Place, rvalue: &Rvalue, state: &mut State) {
        let mut moved = Vec::new();
        match rvalue {
            Rvalue::Use(operand) => moved = self.take(state, operand),
            Rvalue::Aggregate(parts) => {
                for (number, part) in (1..).zip(parts) {
                    let mut cells = self.take(state, part);
                    if self.is_dropped_by_hand(part) {
                        continue;
                    }
                    if parts.len() > 1 || !self.frame.stands_for_its_part(place.local) {
                        for cell in &mut cells {
                            cell.field = number;
                        }
                    }
                    moved.extend(cells);
                }
            }
            Rvalue::Borrow(_)
            | Rvalue::Discriminant(_)
            | Rvalue::Not(_)
            | Rvalue::Compare(..)
            | Rvalue::Equals(..)
            | Rvalue::Unit(_) => {}
        }
        self.redefine(place, None, state);
        if moved.is_empty() {
            return;
        }
        let at = self.storage(place);
        let at = at.unwrap_or_else(|| Storage::at(place.local, self.field_of(place), false));
        Self::put(at, moved, state);
    }

    /// What begins at this place is something else from now on.
    fn redefine(&self, place: &Place, block: Option<BlockId>, state: &mut State) {
        // Another field than that of the lock leaves the lock what it is.
        let inside = (!place.is_whole())
            .then(|| self.frame.place(place))
            .flatten();
        let changed = |path: &Path| match path.root {
            Root::Local(local) if local == place.local => inside
                .as_ref()
                .is_none_or(|inside| inside.root != path.root || path.begins_with(inside)),
            Root::Call(call) => Some(call) == block,
            Root::Parameter(parameter) => parameter == place.local && place.is_whole(),
            Root::Local(_) | Root::Static(_) => false,
        };
        let is_stale = |token: &Token| match token {
            Token::Taken { held, .. } => held.lock.path.as_ref().is_some_and(changed),
            Token::Parameter(_) => false,
        };
        if !state.iter().any(|cell| is_stale(&self.tokens[cell.token])) {
            return;
        }
        for cell in state.iter_mut() {
            cell.is_stale |= is_stale(&self.tokens[cell.token]);
        }
        tidy(state);
    }

    /// A branch: where an option or result is asked about, its tokens are only where it is there.
    fn switch(
        &self,
        on: &Operand,
        cases: &[(u64, BlockId)],
        otherwise: Option<BlockId>,
        state: &State,
    ) -> Vec<(BlockId, State)> {
        let question = on
            .place()
            .filter(|place| place.is_whole())
            .and_then(|place| self.frame.question(place.local, 0));
        let mut next = Vec::new();
        let without = |variable: Local| -> State {
            let mut state = state.clone();
            state.retain(|cell| cell.at != variable || !self.may_be_absent(cell, variable));
            state
        };
        let absent: Option<(Local, u64)> = question.and_then(|question| {
            let number = match question.kind {
                Kind::Variant => self.absent_variant(question.variable)?,
                // The answer that says that nothing is there.
                Kind::Is(there) => u64::from(!there),
            };
            Some((question.variable, number))
        });
        // Of an enum of the program's own, the variants in which nothing can be held.
        let free = question
            .filter(|question| question.kind == Kind::Variant)
            .and_then(|question| {
                let of = self.frame.type_of(question.variable);
                let program = self.frame.program;
                (program.type_of(of).references == 0)
                    .then(|| (question.variable, program.variants_without_guards(of)))
            });
        let without_any = |variable: Local| -> State {
            let mut state = state.clone();
            state.retain(|cell| cell.at != variable);
            state
        };
        let without = |variable: Local| {
            let mut state = without(variable);
            self.exhausted(variable, &mut state);
            state
        };
        for (value, block) in cases {
            let state = match (absent, &free) {
                (Some((variable, number)), _) if number == *value => without(variable),
                (_, Some((variable, free))) if free.has(*value) => without_any(*variable),
                _ => state.clone(),
            };
            next.push((*block, state));
        }
        if let Some(block) = otherwise {
            // What is left over if all other values are named.
            let rest = absent.filter(|(_, number)| {
                cases.iter().all(|(value, _)| value != number) && cases.len() == 1
            });
            let is_named = |number: &u64| cases.iter().any(|(value, _)| value == number);
            let state = match (rest, &free) {
                (Some((variable, _)), _) => without(variable),
                (_, Some((variable, free))) if free.are_all_but(is_named) => without_any(*variable),
                _ => state.clone(),
            };
            next.push((block, state));
        }
        if let [(0, skip)] = cases[..]
            && let Some(block) = otherwise
            && let Some(local) = self.flagged(on, block)
        {
            // A drop flag: where it says that the value has moved on, it is not here.
            if let Some(entry) = next.iter_mut().find(|(to, _)| *to == skip) {
                entry.1.retain(|cell| cell.at != local);
            }
        }
        next
    }

    /// The variable that is dropped only if the boolean is true.
    fn flagged(&self, on: &Operand, then: BlockId) -> Option<Local> {
        let flag = on.place().filter(|place| place.is_whole())?.local;
        let program = self.frame.program;
        if flag <= self.frame.body.parameters || &*program.text(self.frame.type_of(flag)) != "bool"
        {
            return None;
        }
        let is_flag = !self.frame.body.blocks.iter().any(|block| {
            block.statements.iter().any(
                |statement| matches!(statement, Statement::Assign(place, _) if place.local == flag),
            ) || matches!(&block.end, Terminator::Call { result, .. } if result.local == flag)
        });
        match &self.frame.body.blocks.get(then as usize)?.end {
            Terminator::Drop(place, _) if is_flag && place.is_whole() => Some(place.local),
            _ => None,
        }
    }

    /// The number of the variant that holds nothing.
    fn absent_variant(&self, variable: Local) -> Option<u64> {
        let of = self.frame.program.type_of(self.frame.type_of(variable));
        if of.references > 0 {
            return None;
        }
        match super::text::last(&of.head) {
            "Option" => Some(0),
            "Result" | "ControlFlow" | "Poll" => Some(1),
            _ => None,
        }
    }

    /// Whether a token can be missing where its option or result says so. `lock()` of std holds the lock
    /// in an error too.
    fn may_be_absent(&self, cell: &Cell, variable: Local) -> bool {
        match &self.tokens[cell.token] {
            Token::Taken { is_maybe: true, .. } | Token::Parameter(_) => true,
            Token::Taken { .. } => {
                let of = self.frame.program.type_of(self.frame.type_of(variable));
                matches!(super::text::last(&of.head), "Option" | "Poll")
            }
        }
    }

    fn token(&mut self, block: BlockId, number: usize, token: Token) -> usize {
        if let Some(&at) = self.known.get(&(block, number)) {
            return at;
        }
        let at = self.tokens.len();
        self.tokens.push(token);
        self.known.insert((block, number), at);
        self.made_at.insert(at, (block, Vec::new()));
        at
    }

    /// Notes what a return hands to the caller.
    fn returns(&mut self, state: &State) {
        if !self.records {
            return;
        }
        let stays = |cell: &&Cell| cell.at != 0 && cell.is_there != There::Gone;
        for cell in state.iter().filter(stays) {
            if let Token::Parameter(number) = self.tokens[cell.token] {
                self.kept |= 1 << number;
            }
        }
        self.puts(state);
        for cell in state.iter().filter(|cell| cell.at == 0) {
            match &self.tokens[cell.token] {
                Token::Parameter(number) => {
                    self.outcome.summary.returns_guards |= 1 << number;
                }
                Token::Taken { held, .. } => {
                    let mut held = held.clone();
                    held.lock = record::exported(&held.lock);
                    if cell.is_stale {
                        held.lock.path = None;
                    }
                    let when = facts::told(self.facts_of(cell.token));
                    self.outcome.summary.add_returned(held, cell.field, when);
                }
            }
        }
    }
}

fn insert(state: &mut State, cell: Cell) {
    match state.binary_search_by_key(&cell.key(), Cell::key) {
        Ok(at) => {
            state[at].is_there = cell.is_there;
            state[at].values |= cell.values;
        }
        Err(at) => state.insert(at, cell),
    }
}

/// A token at no place yet.
fn fresh(token: usize) -> Cell {
    Cell {
        token,
        at: 0,
        field: 0,
        is_stale: false,
        is_there: There::Sure,
        values: ways::ANY,
    }
}

/// Puts cells in order that were changed, and leaves one of each.
fn tidy(state: &mut State) {
    state.sort_unstable_by_key(|cell| (cell.key(), cell.is_there));
    state.dedup_by(|next, kept| {
        let is_same = next.key() == kept.key();
        if is_same {
            kept.values |= next.values;
        }
        is_same
    });
}

/// Adds what is new, and says whether there was something.
fn join(old: &mut State, new: State) -> bool {
    let mut changed = false;
    for cell in new {
        match old.binary_search_by_key(&cell.key(), Cell::key) {
            Ok(at) => {
                let there = old[at].is_there.max(cell.is_there);
                let values = old[at].values | cell.values;
                changed |= there != old[at].is_there || values != old[at].values;
                old[at].is_there = there;
                old[at].values = values;
            }
            Err(at) => {
                old.insert(at, cell);
                changed = true;
            }
        }
    }
    changed
}
