//! Methods of the program's own that functions of other crates call: a key's `hash` where a map is asked for
//! it, `next` where an iterator is summed up, `fmt` in `to_string`.
//!
//! Known are those of std. What a collection of another crate calls of its elements is not followed.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{BodyId, Program};
use crate::code::known::{self, Implied, Whose};
use crate::code::names::Name;
use crate::code::text::{behind_references, head, last, split_commas};
use crate::code::trust::Trust;

/// A method of the program's own that is called, and on what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImpliedCall {
    /// Its body.
    pub body: BodyId,
    /// What it is called on, if that can be said.
    pub on: Option<Receiver>,
    /// How far it can be trusted that it is called.
    pub trust: Trust,
}

/// What a method is called on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receiver {
    /// The number of the argument that it is or points to.
    pub argument: usize,
    /// How many pointers stand around it there.
    pub pointers: u32,
    /// What is between: nothing, adaptors of iterators, or a method that takes the value itself.
    pub how: How,
}

/// How a method gets what it is called on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// As a reference.
    Lent,
    /// As a reference; adaptors stand around it.
    Adapted,
    /// As a value.
    Given,
}

/// Types of std that have what they hold do whatever they are asked to do.
const CONTAINERS: [&str; 14] = [
    "Option",
    "Result",
    "Box",
    "Vec",
    "VecDeque",
    "LinkedList",
    "HashMap",
    "BTreeMap",
    "HashSet",
    "BTreeSet",
    "BinaryHeap",
    "Cow",
    "Reverse",
    "Wrapping",
];

/// Pointers that are shared, so that a copy of one copies nothing else.
const SHARED: [&str; 2] = ["Arc", "Rc"];

/// Types in types are followed so far.
const DEPTH_MAX: u32 = 6;

/// A type of the program's own, inside another.
struct Own<'a> {
    text: &'a str,
    /// How many pointers lead there, if nothing else does.
    pointers: Option<u32>,
}

/// A call, as far as types tell it: the function, those of the arguments and that of the result.
type Asked = (Name, Vec<Option<Name>>, Option<Name>);

/// What such calls lead to.
pub(super) type Calls = FxHashMap<Asked, Rc<[ImpliedCall]>>;

impl Program {
    /// What a function of another crate that is called with arguments of these types calls of the program's own.
    pub(crate) fn implied(
        &self,
        method: Name,
        arguments: &[Option<Name>],
        result: Option<Name>,
    ) -> Rc<[ImpliedCall]> {
        let asked = (method, arguments.to_vec(), result);
        if let Some(found) = self.implied.borrow().get(&asked) {
            return Rc::clone(found);
        }
        let found: Rc<[ImpliedCall]> = self.find_implied(method, arguments, result).into();
        self.implied.borrow_mut().insert(asked, Rc::clone(&found));
        found
    }

    fn find_implied(
        &self,
        method: Name,
        arguments: &[Option<Name>],
        result: Option<Name>,
    ) -> Vec<ImpliedCall> {
        let text = self.text(method);
        if !known::is_of_std(&text) && !text.starts_with("std::") {
            return Vec::new();
        }
        let mut found = Vec::new();
        for Implied { of, method, whose } in known::implied(&text) {
            let trust = if known::asks_elements(&text, method) {
                Trust::Filled
            } else {
                Trust::Sure
            };
            let add = |found: &mut Vec<ImpliedCall>, own: &str, on| {
                let callee = self.names.of(&format!("<{own} as {of}>::{method}"));
                let resolved = self.resolve(callee);
                if let ([body], true) = (&resolved.bodies[..], resolved.is_sure) {
                    found.push(ImpliedCall {
                        body: *body,
                        on,
                        trust,
                    });
                }
            };
            let argument = |number: usize| {
                let of = arguments.get(number).copied().flatten();
                of.map(|of| self.text(of))
            };
            match whose {
                Whose::Argument(number) => {
                    let Some(of) = argument(*number) else {
                        continue;
                    };
                    for own in self.own_within(&of, *method != "clone") {
                        let on = own.pointers.map(|pointers| Receiver {
                            argument: *number,
                            pointers,
                            how: How::Lent,
                        });
                        add(&mut found, own.text, on);
                    }
                }
                Whose::First(number) => {
                    let Some(of) = argument(*number) else {
                        continue;
                    };
                    let (_, arguments) = head(behind_references(&of).0);
                    for own in arguments
                        .iter()
                        .take(1)
                        .flat_map(|of| self.own_within(of, true))
                    {
                        add(&mut found, own.text, None);
                    }
                }
                Whose::Result => {
                    let Some(of) = result else { continue };
                    let of = self.text(of);
                    let (bare, _) = behind_references(&of);
                    let (path, arguments) = head(bare);
                    let own = if self.is_own(path) {
                        Some(bare)
                    } else {
                        arguments
                            .first()
                            .copied()
                            .filter(|_| CONTAINERS.contains(&last(path)))
                    };
                    if let Some(own) = own.filter(|own| self.is_own(head(own).0)) {
                        add(&mut found, own, None);
                    }
                }
            }
        }
        self.converted(&text, arguments, result, &mut found);
        self.iterated(&text, arguments, result, &mut found);
        found
    }

    /// `into` and `?` lead to a `from`: the one that takes a value of this type.
    fn converted(
        &self,
        method: &str,
        arguments: &[Option<Name>],
        result: Option<Name>,
        found: &mut Vec<ImpliedCall>,
    ) {
        let (Some(Some(from)), Some(to)) = (arguments.first(), result) else {
            return;
        };
        let (from, to) = (self.text(*from), self.text(to));
        // The error of a result.
        let error = |of: &str| -> Option<String> {
            let (path, arguments) = head(of);
            let is_result = last(path) == "Result";
            is_result.then(|| arguments.last().map(|of| (*of).to_owned()))?
        };
        let (from, to, of, name) = match method.rsplit("::").next() {
            Some("into") => (from.to_string(), to.to_string(), "From", "from"),
            Some("try_into") => {
                let (path, arguments) = head(&to);
                let Some(to) = arguments.first().filter(|_| last(path) == "Result") else {
                    return;
                };
                (from.to_string(), (*to).to_owned(), "TryFrom", "try_from")
            }
            Some("from_residual") => match (error(&from), error(&to)) {
                (Some(from), Some(to)) => (from, to, "From", "from"),
                _ => return,
            },
            _ => return,
        };
        let Some(all) = self.methods.get(&(of.to_owned(), name.to_owned())) else {
            return;
        };
        let same = |a: &str, b: &str| {
            let (a, b) = (behind_references(a), behind_references(b));
            head(a.0).0 == head(b.0).0 && a.1 == b.1
        };
        let mut fitting = all.iter().filter(|(on, body)| {
            let takes = self.bodies[*body].types.get(1);
            // A type of another crate has no path in the `impl`.
            let is_on = on == head(&to).0 || !self.is_own(&to) && last(on) == last(head(&to).0);
            is_on && takes.is_some_and(|takes| same(&self.text(*takes), &from))
        });
        if let (Some((_, body)), None) = (fitting.next(), fitting.next()) {
            let on = (name == "from" && !method.ends_with("from_residual")).then_some(Receiver {
                argument: 0,
                pointers: 0,
                how: How::Given,
            });
            found.push(ImpliedCall {
                body: *body,
                on,
                trust: Trust::Sure,
            });
        }
    }

    /// Whoever is given an iterator of the program's own and does not give it back asks it for its elements.
    fn iterated(
        &self,
        method: &str,
        arguments: &[Option<Name>],
        result: Option<Name>,
        found: &mut Vec<ImpliedCall>,
    ) {
        if !known::asks_iterators(method) {
            return;
        }
        let result = result.map(|of| self.text(of));
        for (number, of) in arguments.iter().enumerate() {
            let Some(of) = of else { continue };
            let of = self.text(*of);
            let (text, pointers) = behind_references(&of);
            for own in self.behind_adaptors(text, 0) {
                if result.as_ref().is_some_and(|result| result.contains(own)) {
                    continue;
                }
                let callee = self
                    .names
                    .of(&format!("<{own} as std::iter::Iterator>::next"));
                let resolved = self.resolve(callee);
                if let ([body], true) = (&resolved.bodies[..], resolved.is_sure) {
                    let on = Some(Receiver {
                        argument: number,
                        pointers,
                        how: How::Adapted,
                    });
                    found.push(ImpliedCall {
                        body: *body,
                        on,
                        trust: Trust::Sure,
                    });
                }
            }
        }
    }

    /// The types of the program's own that the adaptors of std in a type go over.
    fn behind_adaptors<'a>(&self, text: &'a str, depth: u32) -> Vec<&'a str> {
        let (text, _) = behind_references(text);
        let (path, arguments) = head(text);
        if self.is_own(path) {
            return vec![text];
        }
        if depth > DEPTH_MAX || !(path.starts_with("std::iter::") || path.starts_with("core::iter"))
        {
            return Vec::new();
        }
        let count = if matches!(last(path), "Zip" | "Chain") {
            2
        } else {
            1
        };
        let inner = arguments
            .into_iter()
            .filter(|of| !of.starts_with('\''))
            .take(count);
        inner
            .flat_map(|of| self.behind_adaptors(of, depth + 1))
            .collect()
    }

    /// The types of the program's own that are in what a type holds. `deep`: also behind pointers that others
    /// share.
    fn own_within<'a>(&self, text: &'a str, deep: bool) -> Vec<Own<'a>> {
        let (text, references) = behind_references(text);
        let mut open = vec![(text, Some(references), 0)];
        let mut found = Vec::new();
        while let Some((text, pointers, depth)) = open.pop() {
            if depth > DEPTH_MAX {
                continue;
            }
            let depth = depth + 1;
            if let Some(inner) = text
                .strip_prefix('(')
                .and_then(|text| text.strip_suffix(')'))
            {
                open.extend(split_commas(inner).into_iter().map(|of| (of, None, depth)));
                continue;
            }
            if let Some(inner) = text
                .strip_prefix('[')
                .and_then(|text| text.strip_suffix(']'))
            {
                let of = inner.rsplit_once("; ").map_or(inner, |(of, _)| of);
                open.push((of, None, depth));
                continue;
            }
            let (bare, more) = behind_references(text);
            if more > 0 {
                if deep {
                    open.push((bare, pointers.map(|count| count + more), depth));
                }
                continue;
            }
            let (path, arguments) = head(text);
            let is_shared = SHARED.contains(&last(path));
            if self.is_own(path) {
                found.push(Own { text, pointers });
            } else if is_shared && deep || last(path) == "Box" {
                let inner = arguments.into_iter().take(1);
                open.extend(inner.map(|of| (of, pointers.map(|count| count + 1), depth)));
            } else if CONTAINERS.contains(&last(path)) {
                open.extend(arguments.into_iter().map(|of| (of, None, depth)));
            }
        }
        found
    }

    /// The `fmt` that formatting a value of this type leads to.
    pub(crate) fn formats(&self, of: Name, how: &str) -> Vec<ImpliedCall> {
        let text = self.text(of);
        let mut found = Vec::new();
        for own in self.own_within(&text, true) {
            let callee = self
                .names
                .of(&format!("<{} as std::fmt::{how}>::fmt", own.text));
            let resolved = self.resolve(callee);
            if let ([body], true) = (&resolved.bodies[..], resolved.is_sure) {
                let on = own.pointers.map(|pointers| Receiver {
                    argument: 0,
                    pointers,
                    how: How::Lent,
                });
                found.push(ImpliedCall {
                    body: *body,
                    on,
                    trust: Trust::Sure,
                });
            }
        }
        found
    }
}
