//! Memory for the watcher: a vector, a table and a map, on pages of the system where these can be had, else on the
//! system allocator.
//!
//! The program's own global allocator may take watched locks, so nothing that runs inside a hook
//! may call it while it holds a lock of ours: the allocator's lock could be held by a thread that
//! waits for that very lock. Both types hold plain data only, never panic, and report a refusal
//! of the system by a return value, which the caller counts.

#[cfg(all(target_os = "linux", not(miri)))]
#[path = "memory/pages.rs"]
mod pages;

use std::alloc::{GlobalAlloc, Layout};
use std::ptr::NonNull;
use std::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

#[cfg(all(target_os = "linux", not(miri)))]
pub(super) use self::pages::Pages;
#[cfg(not(all(target_os = "linux", not(miri))))]
pub(super) use std::alloc::System as Pages;

/// A growing array of plain data.
pub(super) struct SysVec<T: Copy> {
    /// Of the allocation; dangling as long as the capacity is 0.
    data: NonNull<T>,
    len: usize,
    capacity: usize,
}

// SAFETY: the vector owns its data like `Vec`, and `T: Copy + Send` has no tie to a thread.
unsafe impl<T: Copy + Send> Send for SysVec<T> {}

impl<T: Copy> SysVec<T> {
    /// An empty vector, which owns no memory.
    pub(super) const fn new() -> Self {
        SysVec {
            data: NonNull::dangling(),
            len: 0,
            capacity: 0,
        }
    }

    /// Adds a value at the end; false if the system gives no memory.
    #[must_use]
    pub(super) fn push(&mut self, value: T) -> bool {
        if self.len == self.capacity && !self.grow() {
            return false;
        }
        // SAFETY: `len < capacity`, so the place lies inside the allocation.
        let place = unsafe { self.data.add(self.len) };
        // SAFETY: `place` is valid for writes and aligned, as part of an allocation of `[T]`.
        unsafe { place.write(value) };
        self.len += 1;
        true
    }

    #[cold]
    fn grow(&mut self) -> bool {
        let capacity = (self.capacity * 2).max(16);
        let (Ok(new), Ok(old)) = (
            Layout::array::<T>(capacity),
            Layout::array::<T>(self.capacity),
        ) else {
            return false;
        };
        if new.size() == 0 {
            return false;
        }
        let raw = match self.capacity {
            // SAFETY: `new` has a non-zero size, checked above.
            0 => unsafe { Pages.alloc(new) },
            // SAFETY: `data` came from `Pages` with layout `old`, as the capacity is not 0, and the new size is not
            // zero and, being a valid layout's, does not overflow.
            _ => unsafe { Pages.realloc(self.data.as_ptr().cast(), old, new.size()) },
        };
        let Some(data) = NonNull::new(raw.cast::<T>()) else {
            return false;
        };
        self.data = data;
        self.capacity = capacity;
        true
    }

    /// Forgets all values and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Forgets all values but the first `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Takes the last value away.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = *self.last()?;
        self.len -= 1;
        Some(last)
    }
}

impl<T: Copy> std::ops::Deref for SysVec<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` values are initialised, aligned and owned by `self`; where there are none, an aligned
        // pointer will do, as a dangling one is.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

impl<T: Copy> std::ops::DerefMut for SysVec<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

/// How many rows the first part of a [`SysTable`] has; each further one has twice as many.
const FIRST_PART: usize = 64;
/// How many parts a [`SysTable`] has at most: room for two million rows.
const PARTS: usize = 15;

/// A growing table that is read without a lock: its rows are never moved, changed or given back.
pub(super) struct SysTable<T: Copy> {
    /// Null until they are needed.
    parts: [AtomicPtr<T>; PARTS],
    /// How many rows there are; they were written before this says so.
    len: AtomicUsize,
}

impl<T: Copy + Send + Sync> SysTable<T> {
    /// An empty table, which owns no memory.
    pub(super) const fn new() -> Self {
        SysTable {
            parts: [const { AtomicPtr::new(std::ptr::null_mut()) }; PARTS],
            len: AtomicUsize::new(0),
        }
    }

    /// The part and the place in it of a row.
    fn place(row: usize) -> (usize, usize) {
        let part = (row / FIRST_PART + 1).ilog2() as usize;
        (part, row + FIRST_PART - (FIRST_PART << part))
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    /// The row with this number, from 0.
    pub(super) fn get(&self, row: usize) -> Option<T> {
        if row >= self.len() {
            return None;
        }
        let (part, at) = Self::place(row);
        // SAFETY: the row is below `len`, so its part was allocated with room for it.
        let place = unsafe { self.parts[part].load(Acquire).add(at) };
        // SAFETY: and it was written before `len` said so, and is never written again.
        Some(unsafe { *place })
    }

    /// Adds a row; false if the system gives no memory or the table is full.
    ///
    /// # Safety
    ///
    /// No other thread may be adding one.
    #[must_use]
    pub(super) unsafe fn push(&self, value: T) -> bool {
        let row = self.len.load(Relaxed);
        let (part, at) = Self::place(row);
        let Some(start) = self.parts.get(part) else {
            return false;
        };
        if start.load(Relaxed).is_null() {
            let layout = Layout::array::<T>(FIRST_PART << part);
            let Some(layout) = layout.ok().filter(|layout| layout.size() > 0) else {
                return false;
            };
            // SAFETY: the layout's size is not zero.
            let fresh = unsafe { Pages.alloc(layout) };
            if fresh.is_null() {
                return false;
            }
            start.store(fresh.cast(), Release);
        }
        // SAFETY: the part was allocated with room for this row.
        let place = unsafe { start.load(Relaxed).add(at) };
        // SAFETY: as above; nobody reads it before `len` says that it is there, and the caller
        // promises that nobody else adds a row.
        unsafe { place.write(value) };
        self.len.store(row + 1, Release);
        true
    }
}

/// A map from non-zero 64-bit keys to 32-bit values; open addressing with linear probing.
pub(super) struct SysMap {
    /// Pairs of key and value; key 0 marks a free place. The length is a power of two.
    places: SysVec<(u64, u32)>,
    used: usize,
}

impl SysMap {
    /// An empty map, which owns no memory.
    pub(super) const fn new() -> Self {
        SysMap {
            places: SysVec::new(),
            used: 0,
        }
    }

    /// The value under `key`.
    pub(super) fn get(&self, key: u64) -> Option<u32> {
        debug_assert_ne!(key, 0, "0 marks a free place");
        if self.places.is_empty() {
            return None;
        }
        let mask = self.places.len() - 1;
        let mut at = spread(key) & mask;
        loop {
            match self.places[at] {
                (0, _) => return None,
                (found, value) if found == key => return Some(value),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Puts `value` under `key`, over an older one; false if the system gives no memory.
    #[must_use]
    pub(super) fn insert(&mut self, key: u64, value: u32) -> bool {
        if (self.used + 1) * 2 > self.places.len() && !self.grow() {
            return false;
        }
        let mask = self.places.len() - 1;
        let mut at = spread(key) & mask;
        while self.places[at].0 != 0 && self.places[at].0 != key {
            at = (at + 1) & mask;
        }
        self.used += usize::from(self.places[at].0 == 0);
        self.places[at] = (key, value);
        true
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Forgets all keys and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.places.fill((0, 0));
        self.used = 0;
    }

    fn grow(&mut self) -> bool {
        let Some(mut bigger) = free_places((self.places.len() * 2).max(64)) else {
            return false;
        };
        let mask = bigger.len() - 1;
        for &(key, value) in self.places.iter().filter(|place| place.0 != 0) {
            // It has room for all, and no key comes twice.
            let mut at = spread(key) & mask;
            while bigger[at].0 != 0 {
                at = (at + 1) & mask;
            }
            bigger[at] = (key, value);
        }
        self.places = bigger;
        true
    }
}

/// So many free places, at least one. Mostly they cost nothing before they are used: the system gives pages of
/// zeros anyway.
fn free_places(count: usize) -> Option<SysVec<(u64, u32)>> {
    let layout = Layout::array::<(u64, u32)>(count).ok()?;
    // SAFETY: the layout's size is not zero, as there is a place at least.
    let raw = unsafe { Pages.alloc_zeroed(layout) };
    Some(SysVec {
        data: NonNull::new(raw.cast())?,
        // All zeros are a value of a pair of numbers, that of a free place.
        len: count,
        capacity: count,
    })
}

impl<T: Copy> Drop for SysVec<T> {
    fn drop(&mut self) {
        if self.capacity > 0
            && let Ok(layout) = Layout::array::<T>(self.capacity)
        {
            // SAFETY: `data` came from `Pages` with this layout, as the capacity is not 0, and is not used any more.
            unsafe { Pages.dealloc(self.data.as_ptr().cast(), layout) };
        }
    }
}

/// Mixes a key so that keys do not cluster, but for those that differ in the last bits only: numbers in a row
/// come to stand in a row of places, so that those asked for one after the other share cache lines.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low bits of a hash are a hash"
)]
#[inline]
fn spread(key: u64) -> usize {
    (fold(key >> NEAR_BITS, 0) << NEAR_BITS | key & ((1 << NEAR_BITS) - 1)) as usize
}

/// How many last bits of a key tell neighbours apart: four places are a cache line. More of them would make
/// long rows of places in use, since neighbours are pushed aside together.
const NEAR_BITS: u32 = 2;

/// A key for maps of these two, such that the keys of one `a` with numbers `b` in a row are neighbours there.
#[inline]
pub(super) const fn near(a: u64, b: u64) -> u64 {
    let key = fold(a, b >> NEAR_BITS) << NEAR_BITS | b & ((1 << NEAR_BITS) - 1);
    // 0 marks a free place.
    if key == 0 { 1 << NEAR_BITS } else { key }
}

/// Mixes two words with one multiplication, less well than [`mix`] and in a third of the time: both halves
/// of a product, so that each bit of either factor has a part in all bits.
#[inline]
pub(super) const fn fold(a: u64, b: u64) -> u64 {
    let product = (a ^ 0x9e37_79b9_7f4a_7c15) as u128 * (b ^ 0xbf58_476d_1ce4_e5b9) as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Mixes two words into one well-distributed word (the finaliser of `SplitMix64`).
#[inline]
pub(super) const fn mix(a: u64, b: u64) -> u64 {
    let mut x = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Hashes bytes into a word (FNV-1a), going on from `seed`.
pub(super) fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

/// Copies `bytes` into `room` as text, with U+FFFD in place of what is none, and cut at a
/// character if it is too long.
pub(super) fn copy_text<'a>(bytes: &[u8], room: &'a mut [u8]) -> &'a str {
    let mut len = 0;
    'copied: for chunk in bytes.utf8_chunks() {
        let replaced = if chunk.invalid().is_empty() {
            None
        } else {
            Some(char::REPLACEMENT_CHARACTER)
        };
        for character in chunk.valid().chars().chain(replaced) {
            let Some(place) = room.get_mut(len..len + character.len_utf8()) else {
                break 'copied;
            };
            len += character.encode_utf8(place).len();
        }
    }
    std::str::from_utf8(&room[..len]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_replaced_and_what_is_too_long_is_cut_at_a_character() {
        assert_eq!(copy_text(b"caf\xe9s", &mut [0; 16]), "caf\u{fffd}s");
        assert_eq!(copy_text("café".as_bytes(), &mut [0; 4]), "caf");
        assert_eq!(copy_text(b"caf\xe9", &mut [0; 5]), "caf");
    }

    #[test]
    fn a_table_holds_what_was_added_in_order() {
        static TABLE: SysTable<usize> = SysTable::new();
        assert_eq!(TABLE.get(0), None);
        for row in 0..1_000 {
            // SAFETY: this test alone knows the table.
            assert!(unsafe { TABLE.push(row * 3) });
        }
        for row in 0..1_000 {
            assert_eq!(TABLE.get(row), Some(row * 3));
        }
        assert_eq!((TABLE.len(), TABLE.get(1_000)), (1_000, None));
    }

    #[test]
    fn a_map_holds_what_a_standard_map_holds() {
        let mut ours = SysMap::new();
        let mut theirs = std::collections::HashMap::new();
        let mut key = 1_u64;
        for value in 0..5_000 {
            key = mix(key, 7) % 3_000 + 1;
            assert!(ours.insert(key, value));
            theirs.insert(key, value);
        }
        for key in 1..=3_000 {
            assert_eq!(ours.get(key), theirs.get(&key).copied());
        }
        assert_eq!(ours.len(), theirs.len());
        ours.clear();
        assert_eq!(ours.get(1), None);
    }
}
