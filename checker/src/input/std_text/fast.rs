//! The lines that a long trace is made of, taken in straight from the bytes.
//!
//! Here are no names and no errors: a line counts only if it is an access to data, or an exclusive
//! acquisition, request or release whose names are known from earlier lines, byte for byte. Whatever
//! else comes is left to the [`Builder`](super::builder::Builder), and its names are learned from it.

use std::hint::select_unpredictable;

use super::bytes;
use crate::input::bulk::Survey;
use crate::trace::{LockId, ThreadId};

/// The longest name that is known here, in bytes.
const NAME_MAX: usize = 16;

/// Names that were met, as they stand in the lines.
#[derive(Debug, Default)]
pub(super) struct Known {
    threads: Names,
    locks: Names,
}

/// How much was taken in.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Taken {
    pub(super) bytes: usize,
    pub(super) lines: u64,
}

impl Known {
    /// Learns that a thread is called so.
    pub(super) fn thread(&mut self, name: &[u8], thread: ThreadId) {
        self.threads.learn(name, thread.0);
    }

    /// Learns that a lock is called so, until its life ends.
    pub(super) fn lock(&mut self, name: &[u8], lock: LockId) {
        self.locks.learn(name, lock.0);
    }

    /// Forgets all locks: a name may stand for another from now on.
    pub(super) fn forget_locks(&mut self) {
        self.locks = Names::default();
    }

    /// Takes in lines as long as they are known, at most up to the last few of `text`.
    ///
    /// Which lines are accesses to data cannot be foreseen by a processor: some lines are first taken
    /// apart without a branch on that, then the others among them are taken in.
    pub(super) fn lines(&self, text: &[u8], survey: &mut Survey) -> Taken {
        let mut taken = Taken::default();
        let mut rest = [Line::default(); TOGETHER];
        loop {
            let (mut count, mut lines) = (0, 0);
            let mut at = taken.bytes;
            while lines < TOGETHER
                && let Some(room) = text.get(at..)
                && let Some(block) = room.first_chunk::<BLOCK>()
                && let Some((line, length)) = Line::parse(block, room)
            {
                rest[count % TOGETHER] = Line {
                    start: at,
                    number: lines,
                    ..line
                };
                count += usize::from(!line.is_data);
                lines += 1;
                at += length + 1;
            }
            for line in &rest[..count] {
                if !self.take(line, survey) {
                    (lines, at) = (line.number, line.start);
                    break;
                }
            }
            taken.lines += lines as u64;
            taken.bytes = at;
            if lines < TOGETHER {
                survey.count(taken.lines);
                return taken;
            }
        }
    }

    /// Takes in a line; whether it is known.
    #[inline]
    fn take(&self, line: &Line, survey: &mut Survey) -> bool {
        let thread = self.threads.get(&line.thread);
        let lock = self.locks.get(&line.argument);
        let (Some(thread), Some(lock)) = (thread, lock) else {
            return false;
        };
        let (thread, lock) = (ThreadId(thread), LockId(lock));
        let takes = line.operation & 0xff == ACQUIRE & 0xff;
        if line.operation == select_unpredictable(takes, ACQUIRE, RELEASE) {
            survey.step(thread, lock, takes);
            return true;
        }
        let requests = line.operation == REQUEST;
        if requests {
            survey.request(thread, lock);
        }
        requests
    }
}

/// How many lines are taken apart together.
const TOGETHER: usize = 64;

/// A line, taken apart.
#[derive(Debug, Default, Clone, Copy)]
struct Line {
    /// Where it starts in the text, and the how-manieth it is of those taken apart together.
    start: usize,
    number: usize,
    thread: Key,
    /// The operation and what follows it, four bytes in all.
    operation: u32,
    is_data: bool,
    argument: Key,
}

impl Line {
    /// The line that `room` starts with, and its length. `None` if its end is not there, or it is not
    /// made as most lines are.
    #[inline]
    fn parse(block: &[u8; BLOCK], room: &[u8]) -> Option<(Line, usize)> {
        let length = line_length(block, room)?;
        let bar = position(block, 0, b'|')?;
        let operation = u32::from_le_bytes(word(block, bar + 1));
        // An operation of one letter is an access to data; all others here have three.
        let short = u32::from(operation >> 8 & 0xff == PARENTHESIS);
        let letter = operation & 0xff;
        let strange = (letter ^ u32::from(b'r')) * (letter ^ u32::from(b'w')) * short;
        let opens = operation >> (24 - 16 * short) & 0xff == PARENTHESIS;
        let name = bar + 5 - 2 * usize::try_from(short).expect("it is 0 or 1");
        let close = position(block, name, b')')?;
        let after = name + close + 1;
        let ends = after == length || after < length && block[after] == b'|';
        (strange == 0 && opens && ends).then(|| {
            let line = Line {
                start: 0,
                number: 0,
                thread: key(block, 0, bar),
                operation,
                is_data: short == 1,
                argument: key(block, name, close),
            };
            (line, length)
        })
    }
}

/// The operations, as they stand in the lines.
const ACQUIRE: u32 = u32::from_le_bytes(*b"acq(");
const RELEASE: u32 = u32::from_le_bytes(*b"rel(");
const REQUEST: u32 = u32::from_le_bytes(*b"req(");
const PARENTHESIS: u32 = b'(' as u32;

/// How much of a line's start is looked at: two names of any length, and an operation between them.
const BLOCK: usize = 64;

/// The length of the line that `room` starts with, if its end is there.
#[inline]
fn line_length(block: &[u8; BLOCK], room: &[u8]) -> Option<usize> {
    let end = |at| bytes::place(u64::from_le_bytes(word(block, at)), b'\n');
    // Nearly all lines end in the second or third eight bytes: these are looked at without a branch.
    let (second, third) = (end(8), end(16));
    let length = 8 + second + if second == 8 { third } else { 0 };
    if length < 24 && end(0) == 8 {
        return Some(length);
    }
    bytes::first(room, b'\n')
}

/// How far behind `at` a byte stands, if that is at most the length of a name.
#[inline]
fn position(block: &[u8; BLOCK], at: usize, byte: u8) -> Option<usize> {
    let near = bytes::place(u64::from_le_bytes(word(block, at)), byte);
    if near < 8 {
        return Some(near);
    }
    let far = bytes::place(u64::from_le_bytes(word(block, at + 8)), byte);
    if far < 8 {
        return Some(8 + far);
    }
    (block[at + NAME_MAX] == byte).then_some(NAME_MAX)
}

/// Some bytes from `at` on, which is less than 32 where there is a line.
#[inline]
fn word<const N: usize>(block: &[u8; BLOCK], at: usize) -> [u8; N] {
    block[at % 32..at % 32 + N]
        .try_into()
        .expect("so many bytes")
}

/// A name of at most [`NAME_MAX`] bytes.
type Key = [u64; 2];

/// The `length` bytes from `at` on, at most [`NAME_MAX`].
#[inline]
fn key(block: &[u8; BLOCK], at: usize, length: usize) -> Key {
    let first = u64::from_le_bytes(word(block, at));
    if length <= 8 {
        return [first & mask(length), 0];
    }
    let second = u64::from_le_bytes(word(block, at + 8));
    [first, second & mask(length - 8)]
}

/// The lowest so many bytes, of eight.
#[inline]
fn mask(bytes: usize) -> u64 {
    if bytes == 0 {
        return 0;
    }
    u64::MAX >> (64 - 8 * bytes)
}

/// Numbers by name. Those of at most eight bytes have a table of their own, which is smaller.
#[derive(Debug, Default)]
struct Names {
    short: Table<1>,
    long: Table<2>,
}

impl Names {
    #[inline]
    fn get(&self, &[first, second]: &Key) -> Option<u32> {
        if second == 0 {
            return self.short.get([first]);
        }
        self.long.get([first, second])
    }

    /// Adds a name if it is plain and short enough.
    fn learn(&mut self, name: &[u8], number: u32) {
        let plain = |byte: &u8| byte.is_ascii_graphic() && !b"|(),=".contains(byte);
        if name.is_empty() || name.len() > NAME_MAX || !name.iter().all(plain) {
            return;
        }
        let mut block = [0; BLOCK];
        block[..name.len()].copy_from_slice(name);
        let [first, second] = key(&block, 0, name.len());
        if second == 0 {
            self.short.add([first], number);
        } else {
            self.long.add([first, second], number);
        }
    }
}

/// Numbers by keys of so many words: a table with open addresses, sparse as long as it is small, so that
/// most are found at once.
#[derive(Debug)]
struct Table<const N: usize> {
    /// A key that begins with zero is an empty place.
    places: Vec<([u64; N], u32)>,
    used: usize,
    /// How far a hash is moved right to be a place.
    shift: u32,
}

/// Two to this power is the least number of places.
const PLACES_MIN: u32 = 8;

/// A table with more places than two to this power is filled up to its half.
const SPARSE_MAX: u32 = 14;

impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self::of_bits(PLACES_MIN)
    }
}

impl<const N: usize> Table<N> {
    fn of_bits(bits: u32) -> Self {
        Table {
            places: vec![([0; N], 0); 1 << bits],
            used: 0,
            shift: 64 - bits,
        }
    }

    #[inline]
    fn get(&self, key: [u64; N]) -> Option<u32> {
        let mask = self.places.len() - 1;
        let mut at = self.place(key);
        loop {
            let (known, number) = &self.places[at & mask];
            if *known == key {
                return (key[0] != 0).then_some(*number);
            }
            if known[0] == 0 {
                return None;
            }
            at += 1;
        }
    }

    /// Where the search for a key begins. Fibonacci hashing: Knuth, volume 3, section 6.4.
    #[inline]
    fn place(&self, key: [u64; N]) -> usize {
        let mixed = key
            .iter()
            .fold(0, |mixed: u64, word| mixed.rotate_left(29) ^ word);
        let hash = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift;
        usize::try_from(hash).expect("it has no more bits than there are places")
    }

    fn add(&mut self, key: [u64; N], number: u32) {
        if self.get(key).is_some() {
            return;
        }
        let bits = 64 - self.shift;
        let share = if bits <= SPARSE_MAX { 4 } else { 2 };
        if self.used * share >= self.places.len() {
            let old = std::mem::replace(self, Self::of_bits(bits + 1));
            for (key, number) in old.places.into_iter().filter(|(key, _)| key[0] != 0) {
                self.put(key, number);
            }
        }
        self.put(key, number);
    }

    fn put(&mut self, key: [u64; N], number: u32) {
        let mask = self.places.len() - 1;
        let mut at = self.place(key);
        while self.places[at & mask].0[0] != 0 {
            at += 1;
        }
        self.places[at & mask] = (key, number);
        self.used += 1;
    }
}
