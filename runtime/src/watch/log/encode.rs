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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// The first byte is the lowest.
    bits: u64,
    /// How many bits that are.
    len: u32,
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

    /// A number that [`Part::takes`], as a varint.
    #[inline]
    pub(crate) fn number(number: u64) -> Part {
        debug_assert!(Part::takes(number), "the caller has looked");
        if number < 1 << 7 {
            return Part {
                bits: number,
                len: 8,
            };
        }
        let low = number & 0x7f | (number & 0x3f80) << 1;
        if number < 1 << 14 {
            return Part {
                bits: low | 0x80,
                len: 16,
            };
        }
        let all = low | (number & 0x1f_c000) << 2 | (number & 0xfe0_0000) << 3;
        if number < 1 << 21 {
            return Part {
                bits: all | 0x8080,
                len: 24,
            };
        }
        Part {
            bits: all | 0x0080_8080,
            len: 32,
        }
    }

    /// Adds one byte.
    #[inline]
    pub(crate) fn small(self, byte: u8) -> Part {
        self.then(Part {
            bits: u64::from(byte),
            len: 8,
        })
    }

    /// Adds another part.
    #[inline]
    pub(crate) fn then(self, next: Part) -> Part {
        debug_assert!(self.len + next.len <= 64, "a part has eight bytes");
        Part {
            bits: self.bits | next.bits << (self.len & 63),
            len: self.len + next.len,
        }
    }

    /// The number of a part that is one.
    pub(crate) fn read(self) -> u32 {
        let low = |number: u32, byte: u8| number << 7 | u32::from(byte & 0x7f);
        let bytes = self.bits.to_le_bytes();
        bytes[..self.len as usize / 8]
            .iter()
            .rev()
            .fold(0, |number, &byte| low(number, byte))
    }

    /// In one word, for a part of at most four bytes.
    pub(crate) fn pack(self) -> u64 {
        debug_assert!(self.len <= 32, "there is room for four bytes");
        self.bits | u64::from(self.len) << 32
    }

    /// Undoes [`Part::pack`].
    #[inline]
    pub(crate) fn unpack(word: u64) -> Part {
        Part {
            bits: word & 0xffff_ffff,
            len: (word >> 32) as u32,
        }
    }

    /// The sum of the bytes of both.
    #[inline]
    fn sum(self, other: Part) -> u8 {
        const EVERY_OTHER: u64 = 0x00ff_00ff_00ff_00ff;
        let pairs = |bits: u64| (bits & EVERY_OTHER) + (bits >> 8 & EVERY_OTHER);
        let four = pairs(self.bits) + pairs(other.bits);
        (four.wrapping_mul(0x0001_0001_0001_0001) >> 48) as u8
    }

    /// Writes a record of two parts, the second of at most seven bytes, and returns its length. The tag
    /// comes last, as for every record.
    ///
    /// # Safety
    ///
    /// [`PLAIN_MAX`] bytes from `start` must be valid for writes, zero, and nobody else's.
    #[inline]
    pub(super) unsafe fn write(start: *mut u8, tag: u8, first: Part, second: Part) -> usize {
        let sum = tag.wrapping_add(first.sum(second));
        let second = second.small(!sum);
        let split = 1 + first.len as usize / 8;
        // SAFETY: the tag is one byte of what the caller promises.
        let place = unsafe { start.add(1) };
        // SAFETY: nine bytes are less than `PLAIN_MAX`; those behind the part stay zero.
        unsafe { place.cast::<u64>().write_unaligned(first.bits.to_le()) };
        // SAFETY: a part has at most eight bytes.
        let place = unsafe { start.add(split) };
        // SAFETY: and 17 bytes are less than `PLAIN_MAX`.
        unsafe { place.cast::<u64>().write_unaligned(second.bits.to_le()) };
        // SAFETY: the byte is valid for writes for as long as the caller's chunk is; a byte is aligned
        // anywhere; in this process nobody else refers to it, and other processes only read.
        let place = unsafe { AtomicU8::from_ptr(start) };
        place.store(tag, Ordering::Release);
        split + second.len as usize / 8
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

#[cfg(test)]
mod tests;
