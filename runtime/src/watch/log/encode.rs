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

/// At most eight bytes of a record, kept in a register until they are all known.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// The first byte is the lowest.
    bits: u64,
    /// How many bytes.
    len: usize,
}

impl Part {
    /// Nothing yet.
    pub(crate) const EMPTY: Part = Part { bits: 0, len: 0 };

    /// Whether [`Part::number`] takes this one: at most four bytes. It takes all whose bits are in one that
    /// it takes.
    #[inline]
    pub(crate) fn takes(number: u64) -> bool {
        number < 1 << 28
    }

    /// Adds one byte.
    #[inline]
    pub(crate) fn small(self, byte: u8) -> Part {
        debug_assert!(self.len < 8, "a part has eight bytes");
        Part {
            bits: self.bits | u64::from(byte) << (8 * self.len),
            len: self.len + 1,
        }
    }

    /// Adds a number that [`Part::takes`] as a varint.
    #[inline]
    pub(crate) fn number(self, number: u64) -> Part {
        debug_assert!(Part::takes(number), "the caller has looked");
        let mut part = self;
        let mut rest = number;
        while rest >= 0x80 {
            part = part.small(rest as u8 | 0x80);
            rest >>= 7;
        }
        part.small(rest as u8)
    }

    /// Adds a mode and how it asked.
    #[inline]
    pub(crate) fn how(self, mode: Mode, ask: Ask) -> Part {
        self.small(mode as u8 + 8 * ask as u8)
    }

    /// The sum of the bytes.
    #[inline]
    fn sum(self) -> u8 {
        const EVERY_OTHER: u64 = 0x00ff_00ff_00ff_00ff;
        let pairs = (self.bits & EVERY_OTHER) + (self.bits >> 8 & EVERY_OTHER);
        (pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48) as u8
    }

    /// Writes a record of two parts, the second of at most seven bytes, and returns its length. The tag
    /// comes last, as for every record.
    ///
    /// # Safety
    ///
    /// [`PLAIN_MAX`] bytes from `start` must be valid for writes, zero, and nobody else's.
    #[inline]
    pub(super) unsafe fn write(start: *mut u8, op: Op, first: Part, second: Part) -> usize {
        let sum = (op as u8)
            .wrapping_add(first.sum())
            .wrapping_add(second.sum());
        let second = second.small(!sum);
        // SAFETY: the tag is one byte of what the caller promises.
        let place = unsafe { start.add(1) };
        // SAFETY: nine bytes are less than `PLAIN_MAX`; those behind the part stay zero.
        unsafe { place.cast::<u64>().write_unaligned(first.bits.to_le()) };
        // SAFETY: a part has at most eight bytes.
        let place = unsafe { place.add(first.len) };
        // SAFETY: and 17 bytes are less than `PLAIN_MAX`.
        unsafe { place.cast::<u64>().write_unaligned(second.bits.to_le()) };
        // SAFETY: the byte is valid for writes for as long as the caller's chunk is; a byte is aligned
        // anywhere; in this process nobody else refers to it, and other processes only read.
        let tag = unsafe { AtomicU8::from_ptr(start) };
        tag.store(op as u8, Ordering::Release);
        1 + first.len + second.len
    }
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

    /// Adds what a part holds.
    pub(crate) fn part(mut self, part: Part) -> Self {
        for &byte in &part.bits.to_le_bytes()[..part.len] {
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
