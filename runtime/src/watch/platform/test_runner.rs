//! Whether this process is Rust's own test runner, as its executable says.
//!
//! The first thread of a test runner runs no test: it starts a thread for each (`run_test` in `library/test` of the
//! compiler), and waits for one to end until the next has run for a minute, of which it only says so. So that wait
//! has a deadline, and ends nothing. The runner is known by the symbol of the function that such a program's `main`
//! calls: what merely links the `test` crate does not have it, as the linker leaves out what nobody calls.
//!
//! What it cannot see: a runner whose symbols were stripped.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

/// The beginning of the function's name as the older way of mangling has it; a hash follows.
const OLDER: &[u8] = b"\0_ZN4test16test_main_static17h";
/// The end of its name as the newer way has it.
const NEWER: &[u8] = b"4test16test_main_static\0";
/// How much of the names is read at once.
const PART: usize = 1 << 16;

/// Whether it is.
pub(super) fn is_this() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let executable = File::open("/proc/self/exe").ok();
        executable.and_then(|file| names_it(&file)) == Some(true)
    })
}

/// Whether a symbol of this executable is the one; none if it is none that can be read. The numbers are those of the
/// ELF format, 64 bits, in this machine's order of bytes.
fn names_it(executable: &impl Read) -> Option<bool> {
    /// A section's header has 64 bytes.
    const HEADER: u64 = 64;
    /// `SHT_SYMTAB`.
    const SYMBOLS: u32 = 2;
    let head: [u8; 64] = executable.bytes_at(0)?;
    let is_elf = head.starts_with(b"\x7fELF\x02");
    let (sections, count) = (long(&head, 40), short(&head, 60));
    if !is_elf || u64::from(short(&head, 58)) != HEADER {
        return None;
    }
    let section =
        |at: u64| -> Option<[u8; 64]> { executable.bytes_at(sections.checked_add(at * HEADER)?) };
    for at in 0..count {
        let symbols = section(at.into())?;
        if int(&symbols, 4) == SYMBOLS {
            let names = section(int(&symbols, 40).into())?;
            return has_name(executable, long(&names, 24), long(&names, 32));
        }
    }
    Some(false)
}

/// Whether it stands among these names.
fn has_name(executable: &impl Read, start: u64, size: u64) -> Option<bool> {
    let mut part = vec![0; PART];
    let overlap = OLDER.len().max(NEWER.len()) - 1;
    let mut at = 0;
    while at < size {
        let len = (size - at).min(PART as u64) as usize;
        let part = &mut part[..len];
        executable.read(part, start.checked_add(at)?)?;
        if [OLDER, NEWER].iter().any(|name| contains(part, name)) {
            return Some(true);
        }
        if at + len as u64 == size {
            break;
        }
        at += (len - overlap) as u64;
    }
    Some(false)
}

fn contains(bytes: &[u8], name: &[u8]) -> bool {
    bytes.windows(name.len()).any(|window| window == name)
}

fn long(bytes: &[u8; 64], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(word)
}

fn int(bytes: &[u8; 64], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(word)
}

fn short(bytes: &[u8; 64], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

/// What an executable can be read from.
trait Read {
    /// Fills `bytes` with what stands at `at`.
    fn read(&self, bytes: &mut [u8], at: u64) -> Option<()>;

    /// What stands at `at`.
    fn bytes_at(&self, at: u64) -> Option<[u8; 64]> {
        let mut bytes = [0; 64];
        self.read(&mut bytes, at)?;
        Some(bytes)
    }
}

impl Read for File {
    fn read(&self, bytes: &mut [u8], at: u64) -> Option<()> {
        self.read_exact_at(bytes, at).ok()
    }
}

#[cfg(test)]
mod tests;
