//! Where something was acquired or created: a place in the source, known at compile time.
//!
//! Two kinds of places exist. `#[track_caller]` gives a [`Location`] for nothing; `acquire!` knows
//! more (the module and the text of the lock expression) and leaves a [`Note`]. Locations are
//! compared by content, never by pointer: each crate has its own copy of the same one.

use std::fmt;
use std::panic::Location;

/// What a macro knows about an acquisition site beyond its location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Note {
    /// The source file, as the compiler names it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The module path of the enclosing module.
    pub module: &'static str,
    /// The source text of the lock expression, such as `self.from`.
    pub expression: &'static str,
}

/// A place in the source.
#[derive(Clone, Copy)]
pub enum Site {
    /// Found by `#[track_caller]`.
    At(&'static Location<'static>),
    /// Left by a macro.
    Noted(&'static Note),
}

impl Site {
    /// A site that is none, of what is made where nobody can say where: [`Class::trusted`](super::Class::trusted) does
    /// not trust it.
    pub const NOWHERE: Site = Site::Noted(&Note {
        file: "",
        line: 0,
        column: 0,
        module: "",
        expression: "",
    });

    /// The place from which the caller was called.
    #[track_caller]
    #[inline]
    pub const fn caller() -> Site {
        Site::At(Location::caller())
    }

    /// The source file, as the compiler names it.
    pub fn file(self) -> &'static str {
        match self {
            Site::At(location) => location.file(),
            Site::Noted(note) => note.file,
        }
    }

    /// The line, from 1.
    pub fn line(self) -> u32 {
        match self {
            Site::At(location) => location.line(),
            Site::Noted(note) => note.line,
        }
    }

    /// The column in characters, from 1.
    pub fn column(self) -> u32 {
        match self {
            Site::At(location) => location.column(),
            Site::Noted(note) => note.column,
        }
    }

    /// What a macro left there, if one did.
    pub fn note(self) -> Option<&'static Note> {
        match self {
            Site::At(_) => None,
            Site::Noted(note) => Some(note),
        }
    }

    /// The site as one word, for the held set: the address of the location or note, whose lowest
    /// bit tells them apart (both are aligned to at least four bytes).
    pub(super) fn pack(self) -> u64 {
        match self {
            Site::At(location) => std::ptr::from_ref(location).expose_provenance() as u64,
            Site::Noted(note) => std::ptr::from_ref(note).expose_provenance() as u64 | 1,
        }
    }

    /// Undoes [`Site::pack`].
    ///
    /// # Safety
    ///
    /// `word` must come from [`Site::pack`] in this process.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it was an address of this machine"
    )]
    pub(super) unsafe fn unpack(word: u64) -> Site {
        let address = (word & !1) as usize;
        if word & 1 == 0 {
            let location = std::ptr::with_exposed_provenance::<Location<'static>>(address);
            // SAFETY: the caller promises that `word` was packed from a `&'static Location`, whose
            // provenance `pack` exposed.
            Site::At(unsafe { &*location })
        } else {
            let note = std::ptr::with_exposed_provenance::<Note>(address);
            // SAFETY: as above, for a `&'static Note`.
            Site::Noted(unsafe { &*note })
        }
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Self) -> bool {
        (self.line(), self.column(), self.file()) == (other.line(), other.column(), other.file())
    }
}

impl Eq for Site {}

impl PartialOrd for Site {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Site {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.file(), self.line(), self.column()).cmp(&(other.file(), other.line(), other.column()))
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line(), self.column())
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
