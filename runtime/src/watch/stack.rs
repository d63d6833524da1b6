//! The stack of an acquisition, captured only when an edge is new.

use std::fmt;

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

    /// The instruction addresses, innermost first.
    pub fn frames(&self) -> &[usize] {
        &self.frames[..self.len]
    }

    /// Whether no stack was captured.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.frames()).finish()
    }
}
