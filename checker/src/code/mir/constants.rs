//! Constants that keep functions, and where they are named.
//!
//! A constant is copied wherever it is named; of functions one copy is as good as another, so it is seen as a
//! static. The compiler prints its head under a path that can begin anywhere, and where it is named the shortest
//! one that leads there: they meet by their last names, where these are no other's.

use rustc_hash::FxHashMap;

use super::rewrite::Rewrite;
use super::{Body, Kind, Operand, Place, Rvalue, Statement};
use crate::code::ir::Terminator;
use crate::code::names::{Name, Names};

/// What stands before the path of one that is named.
const NAMED: &str = "const ";

/// Constants that are kept in others are followed through so many of them.
const DEPTH_MAX: usize = 4;

/// The constants that functions name where a function can be wanted.
#[derive(Debug, Default)]
pub(super) struct Constants {
    is_used: bool,
}

impl Constants {
    /// Whether the constant of this head is read: `STEPS: [for<'a> fn(&'a S); 2] = {`, or one of a type that
    /// can keep functions in its fields.
    pub(super) fn reads(text: &str) -> bool {
        text.strip_suffix(" = {")
            .and_then(|head| head.rsplit_once(": "))
            .is_some_and(|(_, of)| {
                !of.contains("LocalKey<")
                    && of.contains(|c: char| c.is_ascii_uppercase() || c == '(')
            })
    }

    /// `const STEPS`, where a value is wanted whose type, or the path of what takes it, is this.
    pub(super) fn operand(&mut self, text: &str, of: &str, names: &Names) -> Option<Operand> {
        let path = text.strip_prefix(NAMED)?;
        let is_one = of.contains("fn(")
            && path.starts_with(|first: char| first.is_alphabetic() || matches!(first, '<' | '_'))
            && !path.contains(' ');
        self.is_used |= is_one;
        is_one.then(|| Operand::Static(names.of(text)))
    }

    /// Leaves out what keeps no functions, and puts the constants where they are named.
    pub(super) fn settle(self, bodies: &mut Vec<Body>, names: &Names) {
        bodies.retain(|body| body.kind != Kind::Constant || keeps_functions(body, names));
        if !self.is_used {
            return;
        }
        let mut found = Found {
            names,
            by_key: FxHashMap::default(),
        };
        for body in bodies.iter().filter(|body| body.kind == Kind::Constant) {
            let leads_to = match &operands(body)[..] {
                [Operand::Static(name)] if names.text(*name).starts_with(NAMED) => *name,
                _ => body.name,
            };
            let of_key = found.by_key.entry(key(&names.text(body.name)));
            of_key
                .and_modify(|other| *other = None)
                .or_insert(Some(leads_to));
        }
        for body in bodies {
            found.blocks(body);
            let types = &body.types;
            let decides = |local| {
                let of = types.get(local as usize);
                of.is_some_and(|of| may_decide(&names.text(*of)))
            };
            for block in &mut body.blocks {
                block.statements.retain(|statement| {
                    !matches!(statement, Statement::Assign(place, Rvalue::Use(Operand::Constant))
                        if place.is_whole() && !decides(place.local))
                });
            }
        }
    }
}

/// Whether branches may ask what a variable of this type is.
pub(super) fn may_decide(of: &str) -> bool {
    of == "bool" || of.starts_with("std::option::Option<")
}

/// The constants by their last names.
struct Found<'a> {
    names: &'a Names,
    by_key: FxHashMap<String, Option<Name>>,
}

impl Rewrite for Found<'_> {
    fn place(&mut self, _place: &mut Place) {}

    fn operand(&mut self, operand: &mut Operand) {
        for _ in 0..DEPTH_MAX {
            let Operand::Static(name) = operand else {
                return;
            };
            let text = self.names.text(*name);
            let Some(path) = text.strip_prefix(NAMED) else {
                return;
            };
            let found = self.by_key.get(&key(path)).copied().flatten();
            *operand = found.map_or(Operand::Constant, Operand::Static);
        }
        *operand = Operand::Constant;
    }
}

/// The last name of a path, and of what a function keeps apart the function's too: `step::promoted[0]`.
fn key(path: &str) -> String {
    let mut parts = path.rsplit("::");
    let last = parts.next().unwrap_or_default();
    match parts.next() {
        Some(owner) if last.starts_with("promoted[") => format!("{owner}::{last}"),
        _ => last.to_owned(),
    }
}

/// The functions and constants that a constant is made of.
fn operands(body: &Body) -> Vec<&Operand> {
    let in_statements = body.statements().flat_map(|statement| match statement {
        Statement::Assign(_, Rvalue::Use(operand)) => std::slice::from_ref(operand),
        Statement::Assign(_, Rvalue::Aggregate(parts)) => parts,
        _ => &[],
    });
    let in_calls = body.blocks.iter().flat_map(|block| match &block.end {
        Terminator::Call { arguments, .. } => &arguments[..],
        _ => &[],
    });
    let all = in_statements.chain(in_calls);
    all.filter(|operand| matches!(operand, Operand::Function(_) | Operand::Static(_)))
        .collect()
}

fn keeps_functions(body: &Body, names: &Names) -> bool {
    let has_closure = |of: &Name| names.text(*of).starts_with("{closure@");
    !operands(body).is_empty() || body.types.iter().any(has_closure)
}
