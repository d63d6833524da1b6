//! Reads what the compiler prints of a crate's functions.
//!
//! The text is that of `rustc --emit=mir` with source places, before optimisation and after drop
//! elaboration: guards end exactly where the program ends them. It is meant for people and changes
//! every now and then by a word, so the reader is tolerant: what it does not understand it counts and
//! steps over. Blocks for unwinding are left out.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::ir::{
    Block, BlockId, Body, Kind, Operand, Place, Projection, Rvalue, Site, Statement, Terminator,
};
use super::names::{Name, Names};
use super::text::{closing, find_outside, split_commas};

mod constants;
mod coroutine;
mod ends;
mod home;
mod locals;
mod lowered;
mod operand;
mod rewrite;
mod thin;

use constants::Constants;
use locals::ThreadLocals;
pub(crate) use lowered::{Lowered, Read};
use thin::Thin;

/// What was not understood.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Unknown {
    /// How many statements.
    pub count: u64,
    /// The first of them.
    pub first: Option<String>,
}

impl Unknown {
    fn note(&mut self, text: &str) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(text.chars().take(120).collect());
        }
    }
}

/// A statement of a kind that is not known.
struct NotUnderstood;

/// A body that is being read.
#[derive(Debug)]
struct Open {
    body: Body,
    /// Which blocks were there, in the order of the text.
    current: Option<BlockId>,
    /// Set behind a call: the next note of a place is that of the method's name.
    awaits_place: bool,
}

/// Reads the text of one crate, line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// As they stand in the text.
    names: Names,
    bodies: Vec<Body>,
    statics: FxHashMap<u32, Name>,
    unknown: Unknown,
    thin: Thin,
    locals: ThreadLocals,
    constants: Constants,
    body: Option<Open>,
    block: Option<Block>,
}

impl Reader {
    /// Reads the next line.
    pub(crate) fn line(&mut self, line: &str) {
        if self.thin.keeps(line) {
            self.kept(line);
        }
    }

    /// What was read, when there are no more lines.
    pub(crate) fn lowered(mut self) -> Lowered {
        self.finish();
        let thread_locals = self.locals.settle(&mut self.bodies, &self.names);
        self.constants.settle(&mut self.bodies, &self.names);
        Lowered {
            texts: self.names.texts(),
            bodies: self.bodies,
            thread_locals,
            statics: self.statics.into_iter().collect(),
            unknown: self.unknown,
        }
    }

    fn kept(&mut self, line: &str) {
        if !line.starts_with(' ') {
            return self.outermost(line);
        }
        let text = line.trim_start();
        if self.body.is_none() {
            return self.locals.line(without_note(text).0, &self.names);
        }
        if text.starts_with("//") {
            return self.comment(text);
        }
        if text.starts_with("Storage") {
            return self.storage(text);
        }
        if self.block.is_some() {
            if text == "}" {
                return self.end_block();
            }
            return self.in_block(text);
        }
        if let Some(rest) = text.strip_prefix("let ") {
            self.variable(rest);
        } else if let Some(rest) = text.strip_prefix("debug ") {
            self.named(rest);
        } else if text.starts_with("bb") && text.ends_with('{') {
            self.begin_block(text);
        }
    }

    fn outermost(&mut self, line: &str) {
        if line.starts_with("fn ")
            || line.starts_with("unsafe fn ")
            || line.contains(" fn ") && line.ends_with('{') && line.starts_with("extern")
        {
            self.finish();
            self.function(line);
        } else if let Some(rest) = line.strip_prefix("static ") {
            self.finish();
            self.initial(rest, Kind::Static);
        } else if let Some(rest) = line.strip_prefix("const ") {
            self.locals.begin(line, &self.names);
            if Constants::reads(rest) {
                self.finish();
                self.initial(rest, Kind::Constant);
            }
        } else if line.starts_with("alloc") {
            self.finish();
            self.allocation(line);
        } else if line == "}" {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.block = None;
        if let Some(open) = self.body.take() {
            let mut body = open.body;
            coroutine::flatten(&mut body, &self.names);
            home::bring(&mut body, &self.names);
            self.bodies.push(body);
        }
    }

    /// `alloc4 (static: REG, size: 32, align: 8) {`
    fn allocation(&mut self, line: &str) {
        let Some((number, rest)) = line["alloc".len()..].split_once(" (static: ") else {
            return;
        };
        let (Ok(number), Some(end)) = (number.parse(), rest.find([',', ')'])) else {
            return;
        };
        self.statics.insert(number, self.names.of(&rest[..end]));
    }

    fn begin(&mut self, name: &str, kind: Kind, parameters: Vec<Name>, result: Name) {
        let (name, implementation) = self.header(name);
        let mut types = vec![result];
        let count = u32::try_from(parameters.len()).unwrap_or(0);
        types.extend(parameters);
        self.body = Some(Open {
            body: Body {
                name,
                krate: self.names.of(""),
                kind,
                implementation,
                parameters: count,
                types,
                named: Vec::new(),
                blocks: Vec::new(),
                site: self.nowhere(),
                copy: 0,
            },
            current: None,
            awaits_place: false,
        });
    }

    /// `fn m::<impl at src/a.rs:4:1: 4:19>::put(_1: &File, _2: u32) -> () {`
    fn function(&mut self, line: &str) {
        let Some(at) = line.find("fn ") else { return };
        let rest = &line[at + 3..];
        let Some(open) = find_outside(rest, 0, |bytes, at| bytes[at] == b'(') else {
            return self.unknown.note(line);
        };
        let Some(end) = closing(rest, open) else {
            return self.unknown.note(line);
        };
        let mut parameters = Vec::new();
        for parameter in split_commas(&rest[open + 1..end]) {
            let Some((_, of)) = parameter.split_once(": ") else {
                return self.unknown.note(line);
            };
            parameters.push(self.names.of(of));
        }
        let result = rest[end + 1..]
            .trim_start()
            .strip_prefix("-> ")
            .map_or("()", |result| {
                result.trim_end().trim_end_matches('{').trim_end()
            });
        let result = self.names.of(result);
        let name = &rest[..open];
        let kind = if name.ends_with('}') {
            Kind::Closure
        } else {
            Kind::Function
        };
        self.begin(name, kind, parameters, result);
    }

    /// `REG: std::sync::Mutex<u32> = {`
    fn initial(&mut self, text: &str, kind: Kind) {
        let rest = text.trim_start_matches("mut ");
        // Not the one in `<impl at src/a.rs:4:1: 4:7>::STEPS`.
        let colon = find_outside(rest, 0, |bytes, at| bytes[at..].starts_with(b": "));
        let Some(colon) = colon else {
            return self.unknown.note(text);
        };
        let of = rest[colon + 2..].trim_end_matches(" = {");
        let of = self.names.of(of);
        self.begin(&rest[..colon], kind, Vec::new(), of);
    }

    /// The name of a body and where its `impl` stands.
    fn header(&self, name: &str) -> (Name, Option<Site>) {
        let implementation = name.find("<impl at ").and_then(|at| {
            let rest = &name[at + "<impl at ".len()..];
            self.place_of(&rest[..rest.find('>')?])
        });
        (self.names.of(name), implementation)
    }

    fn nowhere(&self) -> Site {
        Site {
            file: self.names.of(""),
            line: 0,
            column: 0,
        }
    }

    /// `src/a.rs:4:1: 4:19`
    fn place_of(&self, text: &str) -> Option<Site> {
        let (start, _) = text.trim_end().rsplit_once(": ")?;
        let (rest, column) = start.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        Some(Site {
            file: self.names.of(file),
            line: line.parse().ok()?,
            column: column.parse().ok()?,
        })
    }

    /// `mut _5: T; // in scope 0 at …`
    fn variable(&mut self, text: &str) {
        let text = text.strip_prefix("mut ").unwrap_or(text);
        let (statement, note) = without_note(text);
        let parsed = statement.split_once(": ").and_then(|(local, of)| {
            let local: u32 = local.strip_prefix('_')?.parse().ok()?;
            Some((local, of))
        });
        let Some((local, of)) = parsed else {
            return self.unknown.note(text);
        };
        let site = (local == 0)
            .then(|| {
                let note = note?;
                self.place_of(&note[note.find(" at ")? + 4..])
            })
            .flatten();
        let of = self.names.of(of);
        let empty = self.names.of("");
        let Some(open) = &mut self.body else { return };
        let types = &mut open.body.types;
        let index = local as usize;
        // A number beyond all sense is no number of a variable.
        if index > types.len() + 1_000_000 {
            return self.unknown.note(text);
        }
        if types.len() <= index {
            types.resize(index + 1, empty);
        }
        types[index] = of;
        if let Some(site) = site {
            open.body.site = site;
        }
    }

    /// `self => _1; // in scope …`
    fn named(&mut self, text: &str) {
        let Some((name, rest)) = text.split_once(" => ") else {
            return;
        };
        if let Some(place) = self.place(without_note(rest).0)
            && let Some(open) = &mut self.body
        {
            open.body.named.push((self.names.of(name), place));
        }
    }

    /// `bb3 (cleanup): {`
    fn begin_block(&mut self, text: &str) {
        let digits: String = text[2..].chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse::<u32>() else {
            return self.unknown.note(text);
        };
        let empty = Block {
            statements: Vec::new(),
            end: Terminator::End,
            site: self.nowhere(),
        };
        let Some(open) = &mut self.body else { return };
        let index = number as usize;
        if index > open.body.blocks.len() + 1_000_000 {
            return self.unknown.note(text);
        }
        if open.body.blocks.len() <= index {
            open.body.blocks.resize(index + 1, empty.clone());
        }
        open.current = (!text.contains("(cleanup)")).then_some(number);
        self.block = Some(empty);
    }

    fn end_block(&mut self) {
        let block = self.block.take();
        if let Some(open) = &mut self.body {
            open.awaits_place = false;
            if let (Some(block), Some(number)) = (block, open.current) {
                open.body.blocks[number as usize] = block;
            }
        }
    }

    fn skips(&self) -> bool {
        self.body.as_ref().is_none_or(|open| open.current.is_none())
    }

    /// `// + span: src/a.rs:6:60: 6:64`
    fn comment(&mut self, text: &str) {
        let waits = self.body.as_ref().is_some_and(|open| open.awaits_place);
        if !waits {
            return;
        }
        if let Some(place) = text.strip_prefix("// + span: ") {
            let site = self.place_of(place);
            if let (Some(site), Some(block)) = (site, &mut self.block) {
                block.site = site;
            }
            if let Some(open) = &mut self.body {
                open.awaits_place = false;
            }
        }
    }

    fn storage(&mut self, text: &str) {
        let local = text
            .strip_prefix("StorageDead(_")
            .and_then(|rest| rest[..rest.find(')')?].parse().ok());
        if let (Some(local), Some(block), false) = (local, self.block.as_mut(), self.body.is_none())
        {
            block.statements.push(Statement::Dead(local));
        }
    }

    fn in_block(&mut self, line: &str) {
        if self.skips() {
            return;
        }
        let (text, note) = without_note(line);
        let site = note
            .and_then(|note| note.find(" at ").map(|at| &note[at + 4..]))
            .and_then(|place| self.place_of(place));
        if let Some(site) = site
            && let Some(block) = &mut self.block
        {
            block.site = site;
        }
        if self.terminator(text) {
            return;
        }
        match self.statement(text) {
            Ok(Some(statement)) => {
                if let Some(block) = &mut self.block {
                    block.statements.push(statement);
                }
            }
            Ok(None) => {}
            Err(NotUnderstood) => self.unknown.note(text),
        }
    }

    /// A statement. The error is one that is not understood; none is one that means nothing here.
    fn statement(&mut self, text: &str) -> Result<Option<Statement>, NotUnderstood> {
        const NOTHING: [&str; 12] = [
            "nop",
            "ConstEvalCounter",
            "FakeRead",
            "AscribeUserType",
            "Retag",
            "PlaceMention",
            "Coverage",
            "assume",
            "copy_nonoverlapping",
            "Deinit",
            "BackwardIncompatibleDropHint",
            "intrinsic",
        ];
        if let Some(rest) = text.strip_prefix("discriminant(") {
            let (_, value) = rest.rsplit_once(" = ").ok_or(NotUnderstood)?;
            return Ok(value.parse().ok().map(Statement::State));
        }
        if NOTHING.iter().any(|word| text.starts_with(word)) {
            return Ok(None);
        }
        let equals = find_outside(text, 0, |bytes, at| bytes[at..].starts_with(b" = "));
        let at = equals.ok_or(NotUnderstood)?;
        let place = self.place(&text[..at]).ok_or(NotUnderstood)?;
        if let Some(kept) = self.kept_apart(&place, &text[at + 3..]) {
            return Ok(Some(Statement::Assign(place, Rvalue::Use(kept))));
        }
        let value = self.rvalue(&text[at + 3..]).ok_or(NotUnderstood)?;
        Ok(match value {
            Rvalue::Use(Operand::Constant) if !self.may_decide(&place) => None,
            value => Some(Statement::Assign(place, value)),
        })
    }
}

impl Reader {
    /// Whether a constant that is put there matters: it moves nothing and points to nothing, but branches ask about
    /// flags and options.
    fn may_decide(&self, place: &Place) -> bool {
        let types = self.body.as_ref().map(|body| &body.body.types);
        let of = types.and_then(|types| types.get(place.local as usize));
        !place.is_whole() || of.is_some_and(|of| constants::may_decide(&self.names.text(*of)))
    }

    /// The thread-local or constant that is put into this place.
    fn kept_apart(&mut self, place: &Place, value: &str) -> Option<Operand> {
        let types = &self.body.as_ref()?.body.types;
        let of = types
            .get(place.local as usize)
            .filter(|_| place.is_whole())?;
        let is_constant = value.starts_with("const ");
        let of = is_constant.then(|| self.names.text(*of))?;
        self.locals
            .operand(value, &of, &self.names)
            .or_else(|| self.constants.operand(value, &of, &self.names))
    }
}

/// A statement without the note behind it, and the note: `_3 = &_4;   // scope 0 at …`.
fn without_note(line: &str) -> (&str, Option<&str>) {
    // The last one: text in quotes may look like a note.
    let note = line
        .rfind("// scope ")
        .or_else(|| line.rfind("// in scope "))
        .or_else(|| line.rfind("// return place"));
    let (text, note) = match note {
        Some(at) => (&line[..at], Some(&line[at..])),
        None => (line, None),
    };
    let text = text.trim_end();
    (text.strip_suffix(';').unwrap_or(text), note)
}

#[cfg(test)]
mod tests;
