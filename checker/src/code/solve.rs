//! Goes through all functions, callees first, until nothing more is found.

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

use super::aliases::Aliases;
use super::callbacks;
use super::flow::{self, Await, Blocked, KeptCall, KeptFunction, KeptHandle, Outcome, formatting};
use super::frame::Frame;
use super::ir::{Body, Callee, Operand, Place, Rvalue, Statement, Terminator};
use super::known::Known;
use super::names::Name;
use super::program::{BodyId, Program};
use super::summary::{LockAt, Order, Summary};

/// What was found in all functions.
#[derive(Debug, Default)]
pub(crate) struct Solved {
    /// By body.
    pub summaries: Vec<Summary>,
    /// Where one lock is wanted under another.
    pub orders: Vec<Order>,
    /// Where something else is waited for under a lock.
    pub blocked: Vec<Blocked>,
    /// Where a guard lives across an `.await`.
    pub awaits: Vec<Await>,
    /// Threads whose handles are kept.
    pub kept: Vec<KeptHandle>,
    /// The locks that threads take, as those see them who begin the threads, by what they run.
    pub begun: FxHashMap<BodyId, Vec<LockAt>>,
    /// Locks that others write who know them under another name.
    pub watched: Vec<LockAt>,
    /// Calls of functions kept in data that could mean too many of them.
    pub capped: u64,
    /// Functions whose summaries were not complete when the rounds were used up.
    pub unfinished: u64,
    /// Effects that were left out, over all functions.
    pub left_out: u64,
}

/// How often functions that call each other are gone through.
const ROUNDS_MAX: u32 = 12;

/// Goes through the program.
pub(crate) fn solve(program: &Program) -> Solved {
    let mut calls: DiGraph<BodyId, ()> = DiGraph::new();
    let nodes: Vec<_> = (0..program.bodies.len())
        .map(|id| calls.add_node(id))
        .collect();
    for id in 0..program.bodies.len() {
        for callee in callees(program, id) {
            calls.update_edge(nodes[id], nodes[callee], ());
        }
    }
    let mut aliases = Aliases::default();
    let mut captured: Vec<(Name, Name)> = Vec::new();
    let mut kept_calls: Vec<KeptCall> = Vec::new();
    let mut kept_functions: Vec<KeptFunction> = Vec::new();
    let mut solved = Solved {
        summaries: vec![Summary::default(); program.bodies.len()],
        ..Solved::default()
    };
    for component in tarjan_scc(&calls) {
        let mut bodies: Vec<BodyId> = component.into_iter().map(|node| calls[node]).collect();
        bodies.sort_unstable();
        let is_alone =
            bodies.len() == 1 && !calls.contains_edge(nodes[bodies[0]], nodes[bodies[0]]);
        let mut round = 0;
        // How far ways into data are followed round this recursion.
        let mut reach = usize::MAX;
        loop {
            round += 1;
            let mut changed = 0;
            let mut outcomes: Vec<Outcome> = Vec::new();
            for &id in &bodies {
                let mut outcome = {
                    let frame = Frame::new(program, &program.bodies[id], &solved.summaries);
                    flow::analyse(&frame, id)
                };
                if !is_alone {
                    reach = outcome.summary.shorten(&bodies, reach);
                }
                changed += u64::from(outcome.summary.differs(&solved.summaries[id]));
                solved.summaries[id] = outcome.summary.clone();
                outcomes.push(outcome);
            }
            let is_last = is_alone || changed == 0 || round >= ROUNDS_MAX;
            if is_last {
                if !is_alone && changed > 0 {
                    solved.unfinished += changed;
                }
                for outcome in outcomes {
                    solved.left_out += outcome.summary.left_out;
                    solved.orders.extend(outcome.orders);
                    solved.blocked.extend(outcome.blocked);
                    solved.awaits.extend(outcome.awaits);
                    solved.kept.extend(outcome.kept);
                    solved.watched.extend(outcome.watched);
                    for (body, lock) in outcome.begun {
                        let all = solved.begun.entry(body).or_default();
                        if !all.contains(&lock) {
                            all.push(lock);
                        }
                    }
                    kept_calls.extend(outcome.kept_calls);
                    kept_functions.extend(outcome.kept_functions);
                    for (a, b) in outcome.aliases {
                        aliases.join(program, a, b);
                    }
                    captured.extend(outcome.captured);
                }
                break;
            }
        }
    }
    aliases.join_captured(program, &captured);
    let (orders, capped) = callbacks::orders(&kept_calls, &kept_functions);
    solved.orders.extend(orders);
    solved.capped = capped;
    aliases.apply(&mut solved);
    solved
}

/// The bodies that one body may run.
fn callees(program: &Program, id: BodyId) -> Vec<BodyId> {
    let body = &program.bodies[id];
    let mut found: Vec<BodyId> = Vec::new();
    let of_type = |of: Name, found: &mut Vec<BodyId>| {
        let of = program.type_of(of);
        found.extend(
            of.bodies
                .iter()
                .filter_map(|key| program.closure(*key, body)),
        );
        for function in &of.functions {
            found.extend(&program.resolve(*function).bodies);
        }
    };
    for &of in &body.types {
        of_type(of, &mut found);
    }
    initialisers(program, body, &mut found);
    for block in &body.blocks {
        for statement in &block.statements {
            if let Statement::Assign(_, Rvalue::Use(Operand::Function(name))) = statement {
                found.extend(&program.resolve(*name).bodies);
            }
        }
        match &block.end {
            Terminator::Call {
                callee,
                arguments,
                result,
                ..
            } => {
                if let Callee::Path(name) = callee {
                    let resolved = program.resolve(*name);
                    found.extend(&resolved.bodies);
                    let empties = matches!(resolved.known, Some(Known::Empty | Known::Thin));
                    let inside = arguments.first().and_then(Operand::place);
                    let inside = inside.filter(|_| empties);
                    if let Some(of) = inside.and_then(|place| program.type_at(body, place)) {
                        let dropped = program.dropped(program.pointee(of));
                        found.extend(dropped.iter().map(|drop| drop.body));
                    }
                    implied(program, *name, body, arguments, result, &mut found);
                }
                for argument in arguments {
                    match argument {
                        Operand::Function(name) => found.extend(&program.resolve(*name).bodies),
                        Operand::Move(place) => {
                            if let Some(&of) = body.types.get(place.local as usize) {
                                found.extend(program.dropped(of).iter().map(|drop| drop.body));
                            }
                        }
                        _ => {}
                    }
                }
            }
            Terminator::Drop(place, _) => {
                if let Some(of) = program.type_at(body, place) {
                    found.extend(program.dropped(of).iter().map(|drop| drop.body));
                }
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found.retain(|&callee| callee != id || calls_itself(program, id));
    found
}

/// What makes the values of the lazy statics that a body names.
fn initialisers(program: &Program, body: &Body, found: &mut Vec<BodyId>) {
    let statics = body.statements();
    let statics = statics.filter_map(|statement| match statement {
        Statement::Assign(_, Rvalue::Use(operand)) => Some(operand),
        _ => None,
    });
    for operand in statics {
        let of = match operand {
            Operand::Allocation(number) => program.static_at(body.krate, *number),
            Operand::Static(name) => Some(*name),
            _ => None,
        };
        let Some(initial) = of.and_then(|of| program.initial(of)) else {
            continue;
        };
        found.extend(program.makers(initial));
    }
}

/// A body names its own type; that is no call.
fn calls_itself(program: &Program, id: BodyId) -> bool {
    program.bodies[id]
        .blocks
        .iter()
        .any(|block| match &block.end {
            Terminator::Call {
                callee: Callee::Path(name),
                ..
            } => program.resolve(*name).bodies.contains(&id),
            _ => false,
        })
}

/// What a function of another crate calls of the program's own.
fn implied(
    program: &Program,
    callee: Name,
    body: &Body,
    arguments: &[Operand],
    result: &Place,
    found: &mut Vec<BodyId>,
) {
    let resolved = program.resolve(callee);
    let Some(method) = resolved.method.filter(|_| resolved.bodies.is_empty()) else {
        return;
    };
    let of = |operand: &Operand| {
        operand
            .place()
            .and_then(|place| program.type_at(body, place))
    };
    let types: Vec<Option<Name>> = arguments.iter().map(of).collect();
    let calls = program.implied(method, &types, program.type_at(body, result));
    found.extend(calls.iter().map(|call| call.body));
    if let (Some(how), Some(Some(of))) = (formatting(&program.text(method)), types.first()) {
        found.extend(program.formats(*of, how).iter().map(|call| call.body));
    }
}
