//! Places, operands and what is computed of them.

use super::{Operand, Place, Projection, Reader, Rvalue, closing, find_outside, split_commas};
use crate::code::ir::Callee;
use crate::code::text::without_generics;

/// Whether a variable stands at the beginning: `_3`, but not `_::visit` nor `__private::get`.
fn is_variable(text: &str) -> bool {
    text.strip_prefix('_')
        .is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// `3_u32`
fn whole_number(text: &str) -> Option<u64> {
    let (digits, of) = text.split_once('_')?;
    let is_number = matches!(
        of.strip_prefix(['u', 'i']),
        Some("8" | "16" | "32" | "64" | "size")
    );
    digits.parse().ok().filter(|_| is_number)
}

impl Reader {
    /// `((*_1).0: T)`, `(_5 as Some)`, `_3[_4]`
    pub(super) fn place(&mut self, text: &str) -> Option<Place> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix('_')
            && let Ok(local) = digits.parse()
        {
            return Some(Place::whole(local));
        }
        if let Some(inner) = text.strip_suffix(']') {
            // The bracket that belongs to the last one.
            let mut depth = 1;
            let open = inner.bytes().rposition(|byte| {
                depth += match byte {
                    b']' => 1,
                    b'[' => -1,
                    _ => 0,
                };
                depth == 0
            })?;
            let mut place = self.place(&inner[..open])?;
            // `[_4]`, `[1 of 2]`, or a part: `[-1 of 2]`, `[1:]`.
            let inside = &inner[open + 1..];
            let variable = inside
                .strip_prefix('_')
                .and_then(|digits| digits.parse().ok());
            let number = inside
                .split_once(" of ")
                .and_then(|(digits, _)| digits.parse().ok());
            place.steps.push(match (variable, number) {
                (Some(variable), _) => Projection::Index(variable),
                (None, Some(number)) => Projection::Element(number),
                (None, None) => Projection::Elements,
            });
            return Some(place);
        }
        let inner = text.strip_prefix('(')?.strip_suffix(')')?;
        if let Some(behind) = inner.strip_prefix('*') {
            let mut place = self.place(behind)?;
            place.steps.push(Projection::Deref);
            return Some(place);
        }
        if let Some(at) = find_outside(inner, 0, |bytes, at| bytes[at..].starts_with(b": ")) {
            let dot = inner[..at].rfind('.')?;
            let index = inner[dot + 1..at].parse().ok()?;
            let mut place = self.place(&inner[..dot])?;
            let of = self.names.of(&inner[at + 2..]);
            place.steps.push(Projection::Field(index, of));
            return Some(place);
        }
        if let Some(at) = find_outside(inner, 0, |bytes, at| bytes[at..].starts_with(b" as ")) {
            let mut place = self.place(&inner[..at])?;
            let variant = self.names.of(inner[at + 4..].trim());
            place.steps.push(Projection::Variant(variant));
            return Some(place);
        }
        self.place(inner)
    }

    /// `move _3`, `copy ((*_1).0: T)`, `const {alloc4: &T}`, `path::of::function`
    pub(super) fn operand(&mut self, text: &str) -> Option<Operand> {
        let text = text.trim();
        let text = text.strip_prefix("no_retag ").unwrap_or(text);
        if let Some(rest) = text.strip_prefix("move ") {
            return Some(Operand::Move(self.place(rest)?));
        }
        if let Some(rest) = text.strip_prefix("copy ") {
            return Some(Operand::Copy(self.place(rest)?));
        }
        if let Some(rest) = text.strip_prefix("const ") {
            let allocation = rest.strip_prefix("{alloc").and_then(|rest| {
                let digits = &rest[..rest.find([':', '<', '+', '}'])?];
                digits.parse().ok()
            });
            return Some(match allocation {
                Some(number) => Operand::Allocation(number),
                None if rest == "true" => Operand::Number(1),
                None if rest == "false" => Operand::Number(0),
                None => whole_number(rest).map_or(Operand::Constant, Operand::Number),
            });
        }
        if is_variable(text) || text.starts_with('(') || text.ends_with(']') {
            // Before `copy` was printed.
            return self.place(text).map(Operand::Copy);
        }
        let is_path =
            text.starts_with(|first: char| first.is_alphabetic() || matches!(first, '<' | '_'));
        is_path.then(|| Operand::Function(self.names.of(text)))
    }

    /// What is called: a path, or what a variable points to.
    pub(super) fn called(&mut self, text: &str) -> Callee {
        let place = text
            .strip_prefix("move ")
            .or_else(|| text.strip_prefix("copy "))
            .unwrap_or(text);
        if (is_variable(place) || place.starts_with('('))
            && let Some(place) = self.place(place)
        {
            return Callee::Pointer(place);
        }
        Callee::Path(self.names.of(text))
    }

    pub(super) fn rvalue(&mut self, text: &str) -> Option<Rvalue> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix('&') {
            return self.borrowed(rest);
        }
        let text = text.strip_prefix("no_retag ").unwrap_or(text);
        if text.starts_with("move ") || text.starts_with("copy ") || text.starts_with("const ") {
            let end = find_outside(text, 0, |bytes, at| bytes[at..].starts_with(b" as "));
            // `const 1_u32 as …` has nothing of interest.
            return Some(Rvalue::Use(
                self.operand(&text[..end.unwrap_or(text.len())])
                    .unwrap_or(Operand::Constant),
            ));
        }
        if let Some(rest) = text.strip_prefix("discriminant(") {
            return Some(Rvalue::Discriminant(self.place(rest.strip_suffix(')')?)?));
        }
        if let Some(rest) = text.strip_prefix("deref_copy ") {
            return Some(Rvalue::Use(Operand::Copy(self.place(rest)?)));
        }
        if let Some(rest) = text.strip_prefix("CopyForDeref(") {
            return Some(Rvalue::Use(Operand::Copy(
                self.place(rest.strip_suffix(')')?)?,
            )));
        }
        if let Some(rest) = text.strip_prefix("Not(") {
            return Some(Rvalue::Not(self.operand(rest.strip_suffix(')')?)?));
        }
        if is_variable(text) {
            return self
                .place(text)
                .map(|place| Rvalue::Use(Operand::Copy(place)));
        }
        let compared = ["Lt(", "Le(", "Gt(", "Ge(", "Cmp("]
            .iter()
            .find_map(|name| text.strip_prefix(name)?.strip_suffix(')'));
        if let Some(both) = compared
            && let [a, b] = split_commas(both)[..]
        {
            let mut operand = |text| self.operand(text).unwrap_or(Operand::Constant);
            return Some(Rvalue::Compare(operand(a), operand(b)));
        }
        for (name, is_so) in [("Eq(", true), ("Ne(", false)] {
            if let Some(both) = text.strip_prefix(name)
                && let [a, b] = split_commas(both.strip_suffix(')')?)[..]
                && let Some(number) = b.strip_prefix("const ").and_then(whole_number)
            {
                let asked = self.operand(a).unwrap_or(Operand::Constant);
                return Some(Rvalue::Equals(asked, number, is_so));
            }
        }
        // Also of a type in an unnamed constant: `_::Flags(move _3)`.
        self.composed(text)
    }

    fn borrowed(&mut self, text: &str) -> Option<Rvalue> {
        if let Some(path) = text
            .strip_prefix("/*tls*/ ")
            .or_else(|| text.strip_prefix("/*tls*/"))
        {
            let name = self.names.of(path.trim_start_matches("mut "));
            return Some(Rvalue::Use(Operand::Static(name)));
        }
        let mut rest = text;
        for word in [
            "raw ",
            "const ",
            "mut ",
            "(fake) ",
            "fake ",
            "shallow ",
            "(two-phase) ",
        ] {
            rest = rest.strip_prefix(word).unwrap_or(rest);
        }
        self.place(rest).map(Rvalue::Borrow)
    }

    /// `S { a: move _5 }`, `(move _1, copy _2)`, `[move _1; 3]`, `Some(move _3)`, `Add(copy _1, …)`
    fn composed(&mut self, text: &str) -> Option<Rvalue> {
        if let Some(end) = find_outside(text, 0, |bytes, at| bytes[at..].starts_with(b" as ")) {
            // A cast of a function.
            let operand = self.operand(&text[..end])?;
            return Some(Rvalue::Use(operand));
        }
        let open = if text.starts_with('(') || text.starts_with('[') {
            0
        } else {
            let mut from = 0;
            let mut last = None;
            while let Some(at) =
                find_outside(text, from, |bytes, at| matches!(bytes[at], b'(' | b'{'))
            {
                let end = closing(text, at)?;
                // `{closure@…}` is a name, and its captures stand in the braces after it.
                last = Some(at);
                from = end + 1;
            }
            match last {
                Some(at) if at > 0 && closing(text, at) == Some(text.len() - 1) => at,
                // A closure without captures.
                _ if text.starts_with('{') => return Some(Rvalue::Aggregate(Vec::new())),
                _ => {
                    let path = without_generics(text);
                    return Some(Rvalue::Unit(self.names.of(&path)));
                }
            }
        };
        let inner = &text[open + 1..closing(text, open)?];
        let mut parts = Vec::new();
        for part in split_commas(inner) {
            let value = match text.as_bytes()[open] {
                b'{' => match find_outside(part, 0, |bytes, at| bytes[at..].starts_with(b": ")) {
                    Some(at) => &part[at + 2..],
                    None => part,
                },
                _ => part.split("; ").next().unwrap_or(part),
            };
            parts.push(self.operand(value).unwrap_or(Operand::Constant));
        }
        Some(Rvalue::Aggregate(parts))
    }
}
