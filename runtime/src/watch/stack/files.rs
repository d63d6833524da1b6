//! Where the addresses of a stack lie in the files that the process was made of, as Linux tells it: that can be
//! named later, when the process is gone.

use std::fmt::Write;
use std::fs;
use std::time::UNIX_EPOCH;

use super::super::log::TEXT_MAX;

/// A piece of a file in memory.
struct Piece<'a> {
    start: usize,
    end: usize,
    /// Where the file begins, if it were in memory as a whole.
    base: usize,
    file: &'a str,
}

/// The addresses by files: the path of a file on a line of its own, then, on the next, hexadecimal numbers: where it
/// begins in memory, its length and the time of its last change, both as [`state`] has them, and how far behind the
/// beginning the addresses lie; innermost first. Addresses in no file, in one that is gone, and those for which a
/// record has no room are left out; empty where the system does not tell.
pub(super) fn of(addresses: &[usize]) -> String {
    if addresses.is_empty() {
        return String::new();
    }
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    written(addresses, &pieces(&maps), state)
}

/// The length of a file in bytes, and the time of its last change in nanoseconds since 1970: another with its path
/// differs.
pub(super) fn state(path: &str) -> Option<(u64, u64)> {
    let data = fs::metadata(path).ok()?;
    let changed = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((data.len(), u64::try_from(changed.as_nanos()).ok()?))
}

fn written(
    addresses: &[usize],
    pieces: &[Piece<'_>],
    state: impl Fn(&str) -> Option<(u64, u64)>,
) -> String {
    let mut text = String::new();
    let mut latest = "";
    for &address in addresses {
        let mut all = pieces.iter();
        let Some(piece) = all.find(|piece| (piece.start..piece.end).contains(&address)) else {
            continue;
        };
        let whole = text.len();
        if piece.file != latest {
            let Some((length, changed)) = state(piece.file) else {
                continue;
            };
            let line = if latest.is_empty() { "" } else { "\n" };
            let (file, base) = (piece.file, piece.base);
            let _ = write!(text, "{line}{file}\n{base:x} {length:x} {changed:x}");
            latest = piece.file;
        }
        let _ = write!(text, " {:x}", address - piece.base);
        if text.len() > TEXT_MAX {
            text.truncate(whole);
            break;
        }
    }
    text
}

/// What `/proc/self/maps` says of files, in order of addresses.
fn pieces(maps: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for line in maps.lines() {
        if let Some(mut piece) = piece(line) {
            // The first piece of a file is its beginning, as linkers have it.
            let mut before = pieces.iter().rev();
            if let Some(known) = before.find(|known| known.file == piece.file) {
                piece.base = known.base;
            }
            pieces.push(piece);
        }
    }
    pieces
}

/// `START-END PERMISSIONS OFFSET DEVICE INODE PATH`, with a path.
fn piece(line: &str) -> Option<Piece<'_>> {
    let file = &line[line.find('/')?..];
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let start = number(start)?;
    Some(Piece {
        start,
        end: number(end)?,
        base: start,
        file,
    })
}

#[cfg(test)]
mod tests;
