//! Where logs stand: paths, built without an allocator.

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;

use super::super::super::memory::{hash_bytes, mix};
use super::super::super::platform;
use super::HEADER;

/// The most bytes of a path that the systems at hand take, its zero included.
const PATH_MAX: usize = 4096;

/// A path, or a part of one, built without an allocator. Behind it all bytes are zero.
#[derive(Clone, Copy)]
pub(super) struct Path {
    bytes: [u8; PATH_MAX],
    pub(super) len: usize,
}

impl Path {
    pub(super) const EMPTY: Path = Path {
        bytes: [0; PATH_MAX],
        len: 0,
    };

    fn push(&mut self, part: &[u8]) -> Option<()> {
        // One place is left for the zero.
        self.bytes[..PATH_MAX - 1]
            .get_mut(self.len..self.len + part.len())?
            .copy_from_slice(part);
        self.len += part.len();
        Some(())
    }

    fn push_number(&mut self, number: u64, base: u64) -> Option<()> {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdef"[(rest % base) as usize];
            rest /= base;
            if rest == 0 {
                return self.push(&digits[at..]);
            }
        }
    }

    /// The directory that `LOCKWISE_LOG` names, from the root.
    pub(super) fn of_logs() -> Option<Path> {
        let named = platform::env(c"LOCKWISE_LOG")?;
        let mut path = Path::EMPTY;
        if !named.starts_with(b"/") {
            path.len = platform::current_dir(&mut path.bytes[..PATH_MAX - 1])?;
            path.push(b"/")?;
        }
        path.push(named)?;
        Some(path)
    }

    /// The file that counts the blocks of all logs in this directory.
    pub(super) fn total(&self) -> Option<Path> {
        let mut path = *self;
        path.push(b"/")?;
        path.push(super::super::TOTAL.as_bytes())?;
        Some(path)
    }

    /// A fresh `DIR/PROGRAM.PID.NONCE.lwlog` in this directory, and the nonce.
    pub(super) fn log(&self, parent: u64) -> Option<(Path, u64)> {
        let mut buffer = [0; 256];
        let program = platform::program_name(&mut buffer);
        let process = std::process::id();
        // Unlike for two processes, two copies of this runtime in one, and two lives of one number.
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos() as u64);
        let here = HEADER.as_ptr().expose_provenance() as u64;
        let nonce = mix(
            mix(now, u64::from(process)),
            hash_bytes(here, program) ^ parent,
        );
        Some((self.log_of(nonce)?, nonce))
    }

    /// The log of this process with this nonce.
    pub(super) fn log_of(&self, nonce: u64) -> Option<Path> {
        let mut path = *self;
        path.push(b"/")?;
        let mut buffer = [0; 256];
        let program = platform::program_name(&mut buffer);
        path.push(&program[..program.len().min(100)])?;
        path.push(b".")?;
        path.push_number(u64::from(std::process::id()), 10)?;
        path.push(b".")?;
        path.push_number(nonce, 16)?;
        path.push(b".lwlog")?;
        Some(path)
    }

    /// The names of what lies in this directory.
    pub(super) fn names(&self) -> impl Iterator<Item = OsString> {
        let dir = self.c_str().and_then(|dir| dir.to_str().ok());
        let all = dir.and_then(|dir| std::fs::read_dir(dir).ok());
        all.into_iter()
            .flatten()
            .filter_map(|one| Some(one.ok()?.file_name()))
    }

    /// Creates the file, and the directories that it stands in where they are missing.
    pub(super) fn create(&self) -> Option<File> {
        platform::create_new(self.c_str()?).or_else(|| {
            let slashes = (1..self.len).filter(|&at| self.bytes[at] == b'/');
            for slash in slashes {
                let mut above = *self;
                above.bytes[slash..].fill(0);
                above.len = slash;
                platform::make_dir(above.c_str()?);
            }
            platform::create_new(self.c_str()?)
        })
    }

    pub(super) fn c_str(&self) -> Option<&CStr> {
        CStr::from_bytes_with_nul(&self.bytes[..=self.len]).ok()
    }
}

/// Whether this is the name of a log of this process.
pub(super) fn is_log_of(name: &OsStr, process: u32) -> bool {
    let mut parts = name.as_encoded_bytes().rsplit(|&byte| byte == b'.');
    let (ending, _nonce, number) = (parts.next(), parts.next(), parts.next());
    let number = number.and_then(|number| std::str::from_utf8(number).ok());
    ending == Some(b"lwlog") && number.and_then(|number| number.parse().ok()) == Some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_known_by_the_number_before_the_last_dot_but_one() {
        for (name, is) in [
            ("bank.17.5e16f6551dbe549.lwlog", true),
            ("bank.v2.17.5e16.lwlog", true),
            ("bank.117.5e16.lwlog", false),
            ("bank.17.5e16.lwlog.part", false),
            ("17.lwlog", false),
            ("total", false),
        ] {
            assert_eq!(is_log_of(OsStr::new(name), 17), is, "{name}");
        }
    }
}
