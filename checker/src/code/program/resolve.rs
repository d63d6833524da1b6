//! What a call can lead to: functions, methods, implementations of a trait.

use std::rc::Rc;

use super::{
    BodyId, FEW, IMPLEMENTATIONS_MAX, Only, Program, Resolved, UBIQUITOUS, UNTOLD, in_crate, short,
};
use crate::code::ir::{Operand, Rvalue, Site, Statement, Terminator};
use crate::code::known::{self, Known};
use crate::code::names::Name;
use crate::code::text::{
    behind_references, closing, find_outside, head, is_impl_part, last, without_generics,
};

impl Program {
    /// What the text of a call can lead to, in a crate.
    pub(crate) fn resolve(&self, callee: Name) -> Rc<Resolved> {
        if let Some(resolved) = self.resolved.borrow().get(&callee) {
            return Rc::clone(resolved);
        }
        let text = self.names.text(callee);
        let resolved = Rc::new(self.look_up(&text));
        self.resolved
            .borrow_mut()
            .insert(callee, Rc::clone(&resolved));
        resolved
    }

    /// The text of a method of a trait object as that of a type: `<dyn Task as Task>::run` on `app::Job`.
    pub(crate) fn method_on(&self, callee: &str, of: &str) -> Option<Name> {
        let end = closing(callee, 0)?;
        let inner = &callee[1..end];
        let at = find_outside(inner, 0, |bytes, at| bytes[at..].starts_with(b" as "))?;
        let text = format!("<{of}{}>{}", &inner[at..], &callee[end + 1..]);
        Some(self.names.of(&text))
    }

    /// The closures and functions that the initial value of a lazy static is made of, by the body that puts it
    /// together.
    pub(crate) fn makers(&self, initial: BodyId) -> Vec<BodyId> {
        let body = &self.bodies[initial];
        let closures = body.types.iter().flat_map(|of| {
            let keys = self.type_of(*of).bodies.clone().into_iter();
            keys.filter_map(|key| self.closure(key, body))
        });
        let mut found: Vec<BodyId> = closures.collect();
        let operands = body.blocks.iter().flat_map(|block| {
            let assigned = block
                .statements
                .iter()
                .filter_map(|statement| match statement {
                    Statement::Assign(_, Rvalue::Use(operand)) => Some(operand),
                    _ => None,
                });
            let given = match &block.end {
                Terminator::Call { arguments, .. } => &arguments[..],
                _ => &[],
            };
            assigned.chain(given)
        });
        for operand in operands {
            if let Operand::Function(name) = operand {
                let resolved = self.resolve(*name);
                if resolved.is_sure {
                    found.extend(&resolved.bodies);
                }
            }
        }
        found.extend(body.types.first().and_then(|of| self.maker_of_lazy(*of)));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Notes a function that stands inside a method, by what that is called from the type on.
    pub(super) fn register_inside(&mut self, id: BodyId, site: Site, inside: &str) {
        let owner = self.owner(id, site);
        if owner.on.is_empty() || owner.on == UNTOLD {
            return;
        }
        if owner.of.is_some() {
            for key in owner.keys {
                let all = self.methods.entry((key, inside.to_owned())).or_default();
                all.push((owner.on.clone(), id));
            }
        } else {
            let path = format!("{}::{inside}", owner.on);
            self.functions.entry(path).or_default().push(id);
        }
    }

    fn look_up(&self, text: &str) -> Resolved {
        if text.starts_with('<')
            && let Some(end) = closing(text, 0)
        {
            let inner = &text[1..end];
            let method = without_generics(text[end + 1..].trim_start_matches("::"));
            let split = find_outside(inner, 0, |bytes, at| bytes[at..].starts_with(b" as "));
            return match split {
                Some(at) => self.of_trait(&inner[..at], &inner[at + 4..], &method),
                None => self.inherent(&format!("{}::{method}", head_text(inner))),
            };
        }
        if let Some(at) = text
            .find("::<impl ")
            .filter(|at| is_impl_part(text, at + 2))
        {
            // An `impl` that stands in another module than the type.
            let from = at + "::<impl ".len();
            let end = closing(text, at + 2).unwrap_or(text.len() - 1);
            let on = head_text(&text[from..end]);
            let method = without_generics(text[end + 1..].trim_start_matches("::"));
            let on = if on.starts_with('[') {
                "core::slice".to_owned()
            } else {
                on
            };
            return self.inherent(&format!("{on}::{method}"));
        }
        self.inherent(&without_generics(text))
    }

    fn inherent(&self, path: &str) -> Resolved {
        let method = Some(self.names.of(path));
        let parts = path.rsplit_once("::");
        // What the user says of a lock outranks its code.
        if let Some(known) = parts.and_then(|(on, name)| self.extra.function(on, name)) {
            return Resolved {
                known: Some(known),
                method,
                ..Resolved::default()
            };
        }
        let bodies = self.functions.get(path).cloned().unwrap_or_else(|| {
            // Other crates see a type under the path that it is re-exported as.
            let found = self.short.get(&short(path)).cloned().unwrap_or_default();
            let on = path.rsplit("::").nth(1).unwrap_or_default();
            if found.len() == 1 {
                found
            } else if found.is_empty() && on.starts_with(char::is_lowercase) && self.is_own(path) {
                // And a function under that of another module.
                let free = self.free.get(&in_crate(path)).cloned().unwrap_or_default();
                if free.len() == 1 { free } else { Vec::new() }
            } else {
                Vec::new()
            }
        });
        let known = if bodies.is_empty() {
            parts.and_then(|(on, method)| known::function(on, method))
        } else {
            None
        };
        Resolved {
            is_sure: bodies.len() == 1,
            bodies,
            known,
            method,
            ..Resolved::default()
        }
    }

    fn of_trait(&self, on: &str, of: &str, method: &str) -> Resolved {
        let of = &*known::own_path(head(of).0);
        let (bare, references) = behind_references(on);
        let on_head = head_text(on);
        let name = Some(self.names.of(&format!("{of}::{method}")));
        let foreign_trait = !self.is_own(of);
        if foreign_trait
            && matches!(
                last(of),
                "Fn" | "FnMut" | "FnOnce" | "AsyncFn" | "AsyncFnMut" | "AsyncFnOnce"
            )
        {
            return Resolved {
                method: name,
                is_function_call: true,
                ..Resolved::default()
            };
        }
        let krate = of.split("::").next().unwrap_or_default();
        let keys = self.trait_keys(of, krate).into_iter();
        let keys: Vec<(String, String)> = keys.map(|key| (key, method.to_owned())).collect();
        let is_dyn =
            bare.starts_with("dyn ") || on_head == "std::boxed::Box" && bare.contains("<dyn ");
        // `<A as App>::Store`: the type that the trait of a parameter has.
        let is_open = is_dyn
            || bare.starts_with("impl ")
            || bare.starts_with('<')
            || !on_head.contains("::") && on_head.starts_with(char::is_uppercase);
        if !is_open || references > 1 {
            return self.of_type(on, of, method, &keys);
        }
        if foreign_trait {
            let known = known::of_trait(of, method, &on_head);
            if known.is_some() || UBIQUITOUS.contains(&last(of)) {
                return Resolved {
                    known,
                    method: name,
                    ..Resolved::default()
                };
            }
        }
        let all = self.methods_of(&keys);
        let mut bodies: Vec<BodyId> = all.iter().map(|(_, id)| *id).collect();
        bodies.extend(self.defaults_of(&keys));
        let is_elsewhere = bodies.is_empty() && !foreign_trait;
        let is_alone = bodies.len() == 1;
        let no_object = all
            .iter()
            .filter(|(of, _)| is_dyn && !self.can_be(&on_head, of));
        let no_object: Vec<BodyId> = no_object.map(|(_, id)| *id).collect();
        if no_object.len() < bodies.len() {
            bodies.retain(|id| !no_object.contains(id));
        }
        if bodies.len() > IMPLEMENTATIONS_MAX {
            *self.capped.borrow_mut() += 1;
            bodies.clear();
        }
        // What the project declares has all its implementations in the project, but for those of others
        // who use it as a library.
        let is_only = is_alone && !foreign_trait;
        let only = is_only.then(|| {
            let sources = self.sources.borrow();
            if keys.iter().any(|(of, _)| sources.traits.is_public(of)) {
                Only::SoFar
            } else {
                Only::Ever
            }
        });
        Resolved {
            is_sure: is_only,
            is_one_of_few: !foreign_trait && !is_only && (1..=FEW).contains(&bodies.len()),
            bodies,
            method: name,
            known: is_elsewhere.then_some(Known::Elsewhere),
            only,
            ..Resolved::default()
        }
    }

    /// A method of a trait that is called on a type that is known.
    fn of_type(&self, on: &str, of: &str, method: &str, keys: &[(String, String)]) -> Resolved {
        let name = Some(self.names.of(&format!("{of}::{method}")));
        let on_head = head_text(on);
        let foreign_trait = !self.is_own(of);
        if foreign_trait && method == "deref" && self.is_lazy(&on_head) {
            return Resolved {
                known: Some(Known::Force),
                method: name,
                ..Resolved::default()
            };
        }
        let all = self.methods_of(keys);
        let on_it = |all: &[&(String, BodyId)]| -> Vec<BodyId> {
            let on_it = all.iter().filter(|(head, _)| *head == on_head);
            on_it.map(|(_, id)| *id).collect()
        };
        let mut exact = on_it(&all);
        if exact.len() > 1 {
            // Each is of the type with other arguments.
            let (bare, _) = behind_references(on);
            let same = exact.iter().filter(|id| self.is_on(**id, bare)).copied();
            if let [same] = same.collect::<Vec<BodyId>>()[..] {
                exact = vec![same];
            }
        }
        if exact.is_empty() {
            // A macro that was given the trait made it.
            exact = on_it(&self.methods_of(&[(UNTOLD.to_owned(), method.to_owned())]));
        }
        let known = if exact.is_empty() && foreign_trait {
            known::of_trait(of, method, &on_head)
        } else {
            None
        };
        if exact.len() == 1 || known.is_some() {
            return Resolved {
                is_sure: exact.len() == 1,
                bodies: exact,
                known,
                method: name,
                ..Resolved::default()
            };
        }
        let bodies: Vec<BodyId> = if exact.is_empty() {
            // Of another crate's trait a macro or a derive makes what is of the program's own types.
            let may_be_made = !foreign_trait || self.is_own(&on_head);
            all.iter()
                .filter(|(head, _)| {
                    if head.is_empty() {
                        may_be_made
                    } else {
                        last(head) == last(&on_head) && same_crate(head, &on_head)
                    }
                })
                .map(|(_, id)| *id)
                .collect()
        } else {
            exact
        };
        let bodies = if bodies.is_empty() && !foreign_trait {
            self.defaults_of(keys)
        } else {
            bodies
        };
        Resolved {
            is_sure: bodies.len() == 1,
            bodies,
            method: name,
            ..Resolved::default()
        }
    }

    /// Whether a method's receiver is of just this type.
    fn is_on(&self, id: BodyId, of: &str) -> bool {
        let body = &self.bodies[id];
        let receiver = body.types.get(1).filter(|_| body.parameters > 0);
        receiver.is_some_and(|receiver| behind_references(&self.names.text(*receiver)).0 == of)
    }

    /// The methods of traits that are found by these, with the types that they are of.
    fn methods_of(&self, keys: &[(String, String)]) -> Vec<&(String, BodyId)> {
        let all = keys.iter().filter_map(|key| self.methods.get(key));
        all.flatten().collect()
    }

    /// The methods that these traits bring along.
    fn defaults_of(&self, keys: &[(String, String)]) -> Vec<BodyId> {
        let all = keys.iter().filter_map(|key| self.defaults.get(key));
        all.flatten().copied().collect()
    }
}

/// The head of a type, without references; of `(dyn Shape + 'static)` the trait.
pub(super) fn head_text(text: &str) -> String {
    let (text, _) = behind_references(text);
    let inner = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
        .filter(|inner| inner.starts_with("dyn "));
    let Some(object) = inner.unwrap_or(text).strip_prefix("dyn ") else {
        return head(text).0.to_owned();
    };
    let end = find_outside(object, 0, |bytes, at| bytes[at..].starts_with(b" + "));
    head(end.map_or(object, |end| &object[..end])).0.to_owned()
}

/// Whether two paths can be the same type, one as it is re-exported.
fn same_crate(a: &str, b: &str) -> bool {
    a.split("::").next() == b.split("::").next()
}
