//! Writing one record: fields and check first, the tag last.

use std::sync::atomic::{AtomicU8, Ordering};

use super::super::mode::Ask;
use super::super::mode::Mode;
use super::{Op, TEXT_MAX};

/// The most bytes that a record without text can take: tag, check, and eight varints.
pub(crate) const PLAIN_MAX: usize = 2 + 8 * 10;

/// A record being written into memory that was reserved for it.
///
/// Dropping it without [`Record::commit`] leaves no record.
pub(crate) struct Record {
    /// Where the record starts.
    start: *mut u8,
    /// How many bytes are written, tag included.
    len: usize,
    /// How many bytes may be written, check included.
    room: usize,
    /// The sum of the bytes so far.
    sum: u8,
    tag: u8,
}

impl Record {
    /// Begins a record at `start`.
    ///
    /// # Safety
    ///
    /// `room` bytes from `start` must be valid for writes, zero, and nobody else's until the record
    /// is committed or dropped.
    pub(super) unsafe fn begin(start: *mut u8, room: usize, op: Op) -> Self {
        Record {
            start,
            len: 1,
            room,
            sum: op as u8,
            tag: op as u8,
        }
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        if self.len + 1 >= self.room {
            debug_assert!(false, "callers reserve enough");
            return;
        }
        // SAFETY: `len < room`, so the place lies inside what `begin` was promised.
        let place = unsafe { self.start.add(self.len) };
        // SAFETY: as above: valid for writes and nobody else's.
        unsafe { place.write(byte) };
        self.len += 1;
        self.sum = self.sum.wrapping_add(byte);
    }

    /// Adds one byte.
    #[inline]
    pub(crate) fn small(mut self, byte: u8) -> Self {
        self.byte(byte);
        self
    }

    /// Adds a varint.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the seven lowest bits are meant"
    )]
    pub(crate) fn number(mut self, number: impl Into<u64>) -> Self {
        let mut rest = number.into();
        while rest >= 0x80 {
            self.byte(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8);
        self
    }

    /// Adds a mode and how it asked.
    #[inline]
    pub(crate) fn how(self, mode: Mode, ask: Ask) -> Self {
        self.small(mode as u8 + 8 * ask as u8)
    }

    /// Adds a text, cut at a character if it is too long.
    pub(crate) fn text(mut self, text: &str) -> Self {
        let mut cut = text.len().min(TEXT_MAX);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        self = self.number(cut as u64);
        for &byte in &text.as_bytes()[..cut] {
            self.byte(byte);
        }
        self
    }

    /// Completes the record and returns its length.
    #[inline]
    pub(super) fn commit(self) -> usize {
        // SAFETY: `byte` leaves one place free for the check.
        let place = unsafe { self.start.add(self.len) };
        // SAFETY: as above: valid for writes and nobody else's.
        unsafe { place.write(!self.sum) };
        // SAFETY: `start` is valid for writes for as long as this record is; a byte is aligned
        // anywhere; in this process nobody else refers to it, and other processes only read.
        let tag = unsafe { AtomicU8::from_ptr(self.start) };
        tag.store(self.tag, Ordering::Release);
        self.len + 1
    }
}
