//! Methods of the program's own that functions of other crates call.

use super::{Argument, Call, type_of_place};
use crate::code::flow::record::Point;
use crate::code::flow::{Flow, State};
use crate::code::ir::{Callee, Terminator};
use crate::code::known;
use crate::code::names::Name;
use crate::code::program::{How, ImpliedCall};
use crate::code::text::last;
use crate::code::trust::Trust;
use crate::code::value::{Root, Value};

/// What of std formats at once.
const PRINTS: [&str; 5] = ["_print", "_eprint", "format", "write_fmt", "to_string"];
/// So many steps further formatting is looked for: each argument takes one or two.
const FORMATTED_MAX: usize = 40;
/// So many adaptors of an iterator are looked through.
const ADAPTORS_MAX: usize = 8;

/// The trait whose `fmt` runs when what this function makes ready is formatted.
pub(crate) fn formatting(path: &str) -> Option<&'static str> {
    if !path.contains("::rt::Argument::new_") {
        return None;
    }
    let name = last(path);
    Some(if name == "new_debug" {
        "Debug"
    } else {
        "Display"
    })
}

impl Flow<'_> {
    /// What a function of another crate calls of the program's own.
    pub(super) fn implied(&mut self, call: &Call<'_>, state: &State) {
        let Some(method) = call.method.filter(|_| self.records) else {
            return;
        };
        let program = self.frame.program;
        let types: Vec<Option<Name>> = call.arguments.iter().map(|argument| argument.of).collect();
        let result = type_of_place(self.frame, call.result);
        for called in program.implied(method, &types, result).iter() {
            let itself = self.receiver(called, call);
            let point = Point::at(call.site, state).trusted(called.trust);
            self.apply(called.body, &[itself], point);
        }
        let how = formatting(&program.text(method));
        let Some((how, Some(of))) = how.zip(types.first().copied()) else {
            return;
        };
        for called in program.formats(of, how) {
            let itself = self.receiver(&called, call);
            let trust = Trust::only_if(self.is_printed(call));
            let point = Point::at(call.site, state).trusted(trust);
            self.apply(called.body, &[itself], point);
        }
    }

    /// What a method is called on.
    fn receiver(&self, called: &ImpliedCall, call: &Call<'_>) -> Argument {
        let nothing = || Argument::of(Value::Unknown);
        let Some(on) = called.on else {
            return nothing();
        };
        let Some(argument) = call.arguments.get(on.argument) else {
            return nothing();
        };
        let mut value = argument.value.clone();
        for _ in 1..on.pointers {
            value = match value.target() {
                Some(path) => self.frame.load(&path),
                None => Value::Unknown,
            };
        }
        if on.how == How::Adapted {
            value = self.behind_adaptors(value);
        }
        if on.how != How::Given
            && on.pointers == 0
            && let Value::At(path) = value
        {
            value = Value::To(path);
        }
        Argument {
            moved: argument.moved.clone(),
            ..Argument::of(value)
        }
    }

    /// The iterator that adaptors stand around.
    fn behind_adaptors(&self, mut value: Value) -> Value {
        for _ in 0..ADAPTORS_MAX {
            let path = match &value {
                Value::At(path) => path.clone(),
                Value::To(path) => match self.frame.load(path) {
                    Value::At(path) => path,
                    value => return value,
                },
                _ => break,
            };
            let (Root::Call(block), []) = (path.root, &path.steps[..]) else {
                break;
            };
            let Some((callee, arguments, _)) = self.frame.call_at(block) else {
                break;
            };
            let resolved = self.frame.resolved(callee);
            let method = resolved
                .method
                .map(|method| self.frame.program.text(method));
            let is_adaptor = method.is_some_and(|method| {
                let on = method.rsplit("::").nth(1).unwrap_or_default();
                matches!(on, "Iterator" | "DoubleEndedIterator" | "IntoIterator")
            });
            let Some(inner) = arguments
                .first()
                .filter(|_| is_adaptor && resolved.bodies.is_empty())
            else {
                break;
            };
            value = self.frame.operand(inner);
        }
        value
    }

    /// Whether what is made ready for formatting goes straight on to a function of std that formats it. A
    /// logger may not want it.
    fn is_printed(&self, call: &Call<'_>) -> bool {
        let blocks = &self.frame.body.blocks;
        let mut at = blocks.get(call.block as usize);
        for _ in 0..FORMATTED_MAX {
            let next = match at.map(|block| &block.end) {
                Some(Terminator::Goto(next)) => *next,
                Some(Terminator::Call {
                    callee: callee @ Callee::Path(_),
                    target: Some(next),
                    ..
                }) => {
                    let method = self.frame.resolved(callee).method;
                    let name = method.map(|method| self.frame.program.text(method));
                    if name.is_some_and(|name| {
                        PRINTS.contains(&last(&name)) && known::is_of_std(&name)
                    }) {
                        return true;
                    }
                    *next
                }
                _ => return false,
            };
            at = blocks.get(next as usize);
        }
        false
    }
}
