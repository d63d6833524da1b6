//! How blocks end: jumps, drops and calls.

use super::{BlockId, Operand, Place, Reader, Terminator, closing, find_outside, split_commas};

impl Reader {
    fn end(&mut self, end: Terminator) -> bool {
        if let Some(block) = &mut self.block {
            block.end = end;
        }
        true
    }

    /// Whether the text ends a block.
    pub(super) fn terminator(&mut self, text: &str) -> bool {
        match text {
            "return" | "coroutine_drop" => return self.end(Terminator::Return),
            "resume" | "unreachable" | "abort" | "terminate(cleanup)" => {
                return self.end(Terminator::End);
            }
            _ => {}
        }
        let Some(arrow) = text.rfind(" -> ") else {
            return false;
        };
        let (what, to) = (&text[..arrow], &text[arrow + 4..]);
        let is_block = to
            .strip_prefix("bb")
            .is_some_and(|number| number.starts_with(|first: char| first.is_ascii_digit()));
        // The arrow may be that of a type: `&((*_1).0: impl Fn(T) -> [U; 3] + 'static)`.
        let is_list = to.starts_with('[') && to.ends_with(']');
        if !(is_block || is_list || to.starts_with("unwind")) {
            return false;
        }
        let targets = Targets::of(to);
        if what == "goto" {
            return match targets.first() {
                Some(block) => self.end(Terminator::Goto(block)),
                None => false,
            };
        }
        if let Some(rest) = what.strip_prefix("switchInt(") {
            let on = self.operand(rest.strip_suffix(')').unwrap_or(rest));
            return self.end(Terminator::Switch {
                on: on.unwrap_or(Operand::Constant),
                cases: targets.cases(),
                otherwise: targets.named("otherwise"),
            });
        }
        if let Some(rest) = what.strip_prefix("drop(") {
            let place = rest.strip_suffix(')').and_then(|rest| self.place(rest));
            return match (place, targets.first()) {
                (Some(place), Some(target)) => self.end(Terminator::Drop(place, target)),
                (_, None) => self.end(Terminator::End),
                (None, Some(target)) => {
                    self.unknown.note(text);
                    self.end(Terminator::Goto(target))
                }
            };
        }
        if what.starts_with("assert(")
            || what.starts_with("falseUnwind")
            || what.starts_with("falseEdge")
        {
            return match targets.first() {
                Some(block) => self.end(Terminator::Goto(block)),
                None => self.end(Terminator::End),
            };
        }
        if what.starts_with("asm!") {
            return self.end(Terminator::Branch(targets.all()));
        }
        if what.contains("yield(") {
            return match targets.named("resume") {
                Some(block) => self.end(Terminator::Suspend(block)),
                None => false,
            };
        }
        self.call(what, &targets, text)
    }

    /// `_5 = path::<T>(move _6)` and where it returns to.
    fn call(&mut self, what: &str, targets: &Targets<'_>, text: &str) -> bool {
        let equals = find_outside(what, 0, |bytes, at| bytes[at..].starts_with(b" = "));
        let (result, called) = match equals {
            Some(at) => (self.place(&what[..at]), &what[at + 3..]),
            None => (Some(Place::whole(0)), what),
        };
        // A call of what never returns may have no result at all.
        let diverges = equals.is_none();
        let open = open_of_arguments(called);
        let (Some(result), Some(open)) = (result, open) else {
            self.unknown.note(text);
            return self.end(Terminator::Branch(targets.all()));
        };
        let end = closing(called, open).unwrap_or(called.len());
        let mut arguments = Vec::new();
        for part in split_commas(&called[open + 1..end]) {
            // Of an array its type is part of the path: `<[fn(); 2] as IntoIterator>::into_iter(const STEPS)`.
            let constant = self
                .constants
                .operand(part.trim(), &called[..open], &self.names);
            let operand = constant.or_else(|| self.operand(part));
            if operand.is_none() {
                self.unknown.note(text);
            }
            arguments.push(operand.unwrap_or(Operand::Constant));
        }
        let function = self.called(called[..open].trim());
        let target = targets.named("return").or_else(|| targets.plain());
        if let Some(open) = &mut self.body {
            open.awaits_place = true;
        }
        let target = if diverges { None } else { target };
        self.end(Terminator::Call {
            callee: function,
            arguments,
            result,
            target,
        })
    }
}

/// Where the arguments of a call begin.
fn open_of_arguments(called: &str) -> Option<usize> {
    // The last bracket at depth 0: a path may have some, `<impl Fn(u32) as Fn<(u32,)>>::call(…)`.
    let mut from = 0;
    let mut last = None;
    while let Some(at) = find_outside(called, from, |bytes, at| bytes[at] == b'(') {
        last = Some(at);
        from = closing(called, at)? + 1;
    }
    last
}

/// The blocks that stand behind `->`.
struct Targets<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Targets<'a> {
    fn of(text: &'a str) -> Targets<'a> {
        let inner = text
            .strip_prefix('[')
            .map_or(text, |inner| inner.strip_suffix(']').unwrap_or(inner));
        Targets(
            split_commas(inner)
                .into_iter()
                .map(|part| part.split_once(": ").unwrap_or(("", part)))
                .collect(),
        )
    }

    fn block(text: &str) -> Option<BlockId> {
        text.strip_prefix("bb")?.parse().ok()
    }

    fn named(&self, name: &str) -> Option<BlockId> {
        let found = self.0.iter().find(|(key, _)| *key == name)?;
        Targets::block(found.1)
    }

    fn plain(&self) -> Option<BlockId> {
        self.0
            .iter()
            .find(|(key, _)| key.is_empty())
            .and_then(|(_, to)| Targets::block(to))
    }

    fn first(&self) -> Option<BlockId> {
        self.0
            .iter()
            .filter(|(key, _)| !key.starts_with("unwind") && *key != "imaginary")
            .find_map(|(_, to)| Targets::block(to))
    }

    fn all(&self) -> Vec<BlockId> {
        self.0
            .iter()
            .filter(|(key, _)| !key.starts_with("unwind"))
            .filter_map(|(_, to)| Targets::block(to))
            .collect()
    }

    fn cases(&self) -> Vec<(u64, BlockId)> {
        self.0
            .iter()
            // A value beyond that is no number of a variant.
            .filter_map(|(key, to)| Some((key.parse().ok()?, Targets::block(to)?)))
            .collect()
    }
}
