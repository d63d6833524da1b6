//! Names for addresses, from the files that a process was made of.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::time::UNIX_EPOCH;

use addr2line::{Loader, demangle_auto};

/// A function on a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// Its name, with its path.
    pub(super) function: String,
    /// The source file; empty where the program has names only.
    pub(super) file: String,
    /// The line that was executed, or 0.
    pub(super) line: u32,
}

/// Files, read as far as they were needed.
#[derive(Default)]
pub(super) struct Files {
    binaries: HashMap<Identity, Option<Binary>>,
}

/// A file as a process had it: its path, its length in bytes, and when it was changed, in nanoseconds since 1970.
type Identity = (String, u64, u64);

/// A program or library.
struct Binary {
    names: Loader,
    /// It stands in memory where it says; others, anywhere.
    is_fixed: bool,
    /// What was looked up, by address.
    known: HashMap<u64, Vec<Frame>>,
}

impl Files {
    /// The frames of a stack as a log has it, innermost first, without those that have no name.
    pub(super) fn frames(&mut self, by_files: &str) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut lines = by_files.lines();
        while let (Some(path), Some(numbers)) = (lines.next(), lines.next()) {
            let mut numbers = numbers
                .split(' ')
                .map_while(|text| u64::from_str_radix(text, 16).ok());
            let (Some(base), Some(length), Some(changed)) =
                (numbers.next(), numbers.next(), numbers.next())
            else {
                continue;
            };
            let identity = (path.to_owned(), length, changed);
            let binary = self.binaries.entry(identity);
            let binary = binary.or_insert_with_key(Binary::read).as_mut();
            let Some(binary) = binary else { continue };
            for offset in numbers {
                frames.extend_from_slice(binary.at(base, offset));
            }
        }
        frames
    }
}

impl Binary {
    /// The file, if it is still the one that the process had.
    fn read((path, length, changed): &Identity) -> Option<Binary> {
        let data = fs::metadata(path).ok()?;
        let now = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        if data.len() != *length || now.as_nanos() != u128::from(*changed) {
            return None;
        }
        let mut head = [0; 18];
        File::open(path).ok()?.read_exact(&mut head).ok()?;
        Some(Binary {
            names: Loader::new(path).ok()?,
            // `ET_EXEC`.
            is_fixed: head.starts_with(b"\x7fELF") && head[16..18] == [2, 0],
            known: HashMap::new(),
        })
    }

    /// The function so far behind the beginning of the file in memory, and those inlined there, innermost first.
    fn at(&mut self, base: u64, offset: u64) -> &[Frame] {
        let address = if self.is_fixed {
            base.wrapping_add(offset)
        } else {
            offset
        };
        let names = &self.names;
        // It is that of the next instruction: one back lies in the call.
        let look_up = || named(names, address.saturating_sub(1));
        self.known.entry(address).or_insert_with(look_up)
    }
}

/// The name of a function that was made part of another, and has no path, without the types that it was made for.
fn without_types(mut function: String) -> String {
    if let Some(at) = function.find('<')
        && at > 0
        && !function[..at].contains("::")
    {
        function.truncate(at);
    }
    function
}

/// What stands at an address, innermost first. Little debug information has names without their paths, or none, and the
/// table of symbols has that of the function around all that is inlined in it.
fn named(names: &Loader, address: u64) -> Vec<Frame> {
    let mut frames = Vec::new();
    if let Ok(mut found) = names.find_frames(address) {
        while let Ok(Some(frame)) = found.next() {
            let Some((file, line)) = frame
                .location
                .and_then(|place| Some((place.file?.to_owned(), place.line.unwrap_or(0))))
            else {
                continue;
            };
            let function = frame
                .function
                .and_then(|name| Some(name.demangle().ok()?.into_owned()));
            frames.push(Frame {
                function: function.map(without_types).unwrap_or_default(),
                file,
                line,
            });
        }
    }
    let whole = names
        .find_symbol(address)
        .map(|symbol| demangle_auto(symbol.into(), None).into_owned());
    match (frames.last_mut(), whole) {
        (Some(outer), Some(whole)) if !outer.function.contains("::") => outer.function = whole,
        (None, Some(function)) => frames.push(Frame {
            function,
            file: String::new(),
            line: 0,
        }),
        _ => {}
    }
    frames.retain(|frame| !frame.function.is_empty());
    frames
}

#[cfg(test)]
mod tests {
    use super::without_types;

    #[test]
    fn types_stand_behind_names_without_a_path_only() {
        for (told, short) in [
            ("pay<bank::Account, fn() -> u32>", "pay"),
            ("{closure#0}<u32>", "{closure#0}"),
            ("bank::pay<u32>", "bank::pay<u32>"),
            (
                "<bank::Account as bank::Pay>::pay",
                "<bank::Account as bank::Pay>::pay",
            ),
            ("pay", "pay"),
        ] {
            assert_eq!(without_types(told.to_owned()), short);
        }
    }
}
