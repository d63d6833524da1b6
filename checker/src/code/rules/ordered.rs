//! Locks of one class that are taken in an order of the instances: sorted before, or compared.
//!
//! Recognised is a function that sorts, or walks through a sorted map of, what the locks lie in, and one
//! that compares two of them by a field or by address. Whether the order is the same everywhere is not
//! looked at.

use super::{Name, Order, Rules};
use crate::code::frame::Frame;
use crate::code::ir::{Callee, Operand, Rvalue, Statement, Terminator};
use crate::code::text::last;
use crate::code::value::{Path, Root, Step, Value};

impl Rules<'_> {
    /// Whether the function in which both locks meet orders their instances.
    pub(super) fn is_ordered(&self, order: &Order) -> bool {
        let class = self.program.text(order.wanted.class);
        let Some((owner, _)) = class.rsplit_once('.') else {
            return false;
        };
        let body = &self.program.bodies[order.body];
        let frame = Frame::new(self.program, body, &self.solved.summaries);
        let ordered = Ordered { frame, owner };
        ordered.walks_sorted() || ordered.sorts() || ordered.compares()
    }
}

struct Ordered<'a> {
    frame: Frame<'a>,
    /// The type that the locks lie in.
    owner: &'a str,
}

impl Ordered<'_> {
    /// Whether a type is of the owner, a pointer to it, or a collection of such.
    fn is_of_owner(&self, of: Name) -> bool {
        let text = self.frame.program.text(of);
        text.match_indices(self.owner).any(|(at, _)| {
            let end = text[at + self.owner.len()..].chars().next();
            !end.is_some_and(|next| next.is_alphanumeric() || next == '_' || next == ':')
        })
    }

    fn walks_sorted(&self) -> bool {
        self.frame.body.types.iter().any(|of| {
            let text = self.frame.program.text(*of);
            (text.contains("::BTreeMap<") || text.contains("::BTreeSet<")) && self.is_of_owner(*of)
        })
    }

    fn sorts(&self) -> bool {
        self.calls(|name| name.starts_with("sort"))
            .any(|arguments| self.names_owner(arguments.first()))
    }

    fn compares(&self) -> bool {
        let statements = self.frame.body.statements();
        let mut operations = statements.filter_map(|statement| match statement {
            Statement::Assign(_, Rvalue::Compare(a, b)) => Some((a, b)),
            _ => None,
        });
        let by_method = |name: &str| {
            matches!(
                name,
                "lt" | "le" | "gt" | "ge" | "cmp" | "partial_cmp" | "min" | "max"
            )
        };
        operations.any(|(a, b)| self.are_two_owners(a, b))
            || self.calls(by_method).any(|arguments| match arguments {
                [a, b] => self.are_two_owners(a, b),
                _ => false,
            })
    }

    /// The arguments of the calls of methods with such a name.
    fn calls<'b>(
        &'b self,
        is_meant: impl Fn(&str) -> bool + 'b,
    ) -> impl Iterator<Item = &'b [Operand]> + 'b {
        let ends = self.frame.body.blocks.iter().map(|block| &block.end);
        ends.filter_map(move |end| match end {
            Terminator::Call {
                callee: callee @ Callee::Path(_),
                arguments,
                ..
            } => {
                let method = self.frame.resolved(callee).method?;
                let text = self.frame.program.text(method);
                is_meant(last(&text)).then_some(&arguments[..])
            }
            _ => None,
        })
    }

    fn names_owner(&self, operand: Option<&Operand>) -> bool {
        let place = operand.and_then(Operand::place);
        place.is_some_and(|place| self.is_of_owner(self.frame.type_of(place.local)))
    }

    /// Whether two operands are the same part of two owners, or their addresses.
    fn are_two_owners(&self, a: &Operand, b: &Operand) -> bool {
        let (Some(a), Some(b)) = (self.place(a), self.place(b)) else {
            return false;
        };
        (a != b || !a.names_one()) && self.begins_at_owner(&a) && self.begins_at_owner(&b)
    }

    fn place(&self, operand: &Operand) -> Option<Path> {
        match self.frame.operand(operand) {
            Value::At(path) | Value::To(path) => Some(path),
            _ => None,
        }
    }

    /// Whether a path begins at an owner, or leads through one.
    fn begins_at_owner(&self, path: &Path) -> bool {
        let is_owner = |step: &Step| matches!(step, Step::Field(of, _) if *self.frame.program.text(*of) == *self.owner);
        if path.steps.iter().any(is_owner) {
            return true;
        }
        match path.root {
            Root::Parameter(local) | Root::Local(local) => {
                self.is_of_owner(self.frame.type_of(local))
            }
            Root::Call(block) => self
                .frame
                .call_at(block)
                .is_some_and(|(_, arguments, result)| {
                    self.is_of_owner(self.frame.type_of(result.local))
                        || arguments.len() == 1 && self.names_owner(arguments.first())
                }),
            Root::Static(_) => false,
        }
    }
}
