//! The stack of an acquisition, captured only when a chain is new.
//!
//! Capturing walks the stack and keeps instruction addresses; names are looked up when a stack is
//! formatted, here or by whoever reads the log. Capturing takes no watched lock and does not allocate.

mod files;
#[cfg_attr(
    all(feature = "checks", not(any(lockwise_overlay, miri))),
    path = "stack/unwound.rs"
)]
#[cfg_attr(
    all(
        lockwise_overlay,
        target_os = "linux",
        not(any(target_arch = "arm", miri))
    ),
    path = "stack/unwinder.rs"
)]
#[cfg_attr(
    any(
        miri,
        not(any(feature = "checks", lockwise_overlay)),
        all(lockwise_overlay, any(not(target_os = "linux"), target_arch = "arm"))
    ),
    path = "stack/without.rs"
)]
mod walking;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use walking::{resolve, walk};

/// The most frames that are kept.
pub const FRAMES_MAX: usize = 32;

/// A stack: instruction addresses, innermost first, resolved to names when it is formatted.
#[derive(Clone, Copy)]
pub struct Stack {
    frames: [usize; FRAMES_MAX],
    len: usize,
}

impl Stack {
    /// No stack.
    pub const EMPTY: Stack = Stack {
        frames: [0; FRAMES_MAX],
        len: 0,
    };

    /// The stack of the caller.
    pub(super) fn capture() -> Stack {
        let mut stack = Stack::EMPTY;
        walk(&mut |address| {
            stack.frames[stack.len] = address;
            stack.len += 1;
            stack.len < FRAMES_MAX
        });
        stack
    }

    /// The instruction addresses, innermost first.
    pub fn frames(&self) -> &[usize] {
        &self.frames[..self.len]
    }

    /// Whether no stack was captured.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The frames by the files in which they lie, to be named when the process is gone: see [`files::of`].
    pub(super) fn by_files(&self) -> String {
        files::of(self.frames())
    }

    /// The frames by name, innermost first, one text each: `function at file:line`. Frames of the
    /// watcher and of the lock types at the inner end, and those that start a thread at the outer
    /// end, are left out.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for &address in self.frames() {
            resolve(address, &mut |line| lines.push(line));
        }
        let outer = lines
            .iter()
            .position(|line| line.contains("__rust_begin_short_backtrace"));
        lines.truncate(outer.unwrap_or(lines.len()));
        let inner = lines.iter().take_while(|line| is_own(line)).count();
        lines.split_off(inner)
    }
}

/// Whether a frame belongs to the watcher or to what stands between it and the program, by its
/// file.
fn is_own(line: &str) -> bool {
    let root = file!().trim_end_matches("watch/stack.rs");
    [root, "/backtrace-", "/lock_api-"]
        .iter()
        .any(|own| line.contains(own))
}

/// A stack that other threads may read while it is written; what they get fits together only if
/// nobody wrote meanwhile.
pub(super) struct SharedStack {
    frames: [AtomicUsize; FRAMES_MAX],
    len: AtomicUsize,
}

impl SharedStack {
    /// No stack.
    pub(super) const fn new() -> SharedStack {
        SharedStack {
            frames: [const { AtomicUsize::new(0) }; FRAMES_MAX],
            len: AtomicUsize::new(0),
        }
    }

    /// Puts `stack` in place of what was there.
    pub(super) fn store(&self, stack: &Stack) {
        for (place, frame) in self.frames.iter().zip(stack.frames()) {
            place.store(*frame, Relaxed);
        }
        self.len.store(stack.len, Relaxed);
    }

    /// What is there.
    pub(super) fn load(&self) -> Stack {
        let mut stack = Stack::EMPTY;
        stack.len = self.len.load(Relaxed).min(FRAMES_MAX);
        for (frame, place) in stack.frames.iter_mut().zip(&self.frames).take(stack.len) {
            *frame = place.load(Relaxed);
        }
        stack
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.lines() {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lines()).finish()
    }
}
