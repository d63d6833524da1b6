//! All slots, by number, and which of them are taken.
//!
//! Who waits looks through the slots of all threads, and slots are never given back: a program that once had
//! thousands of threads would look at thousands of slots that nobody has, each some pages away from the next. So one
//! bit for each says whether it is taken, 64 of them in a word, and only those that are get looked at.
//!
//! The first 65,536 slots have a number; those behind stand in a list, and are looked at each time.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use super::super::memory::Pages;
use super::Slot;

/// How many blocks there are at most.
const BLOCKS: usize = 1024;
/// How many slots stand in one.
const SLOTS: usize = u64::BITS as usize;

/// Some slots. All zeros is an empty one.
struct Block {
    /// A bit for each slot that is taken, the first the lowest.
    taken: AtomicU64,
    slots: [AtomicPtr<Slot>; SLOTS],
}

static TABLE: [AtomicPtr<Block>; BLOCKS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; BLOCKS];
/// How many slots were made, those behind the table included.
static MADE: AtomicUsize = AtomicUsize::new(0);
/// The youngest slot that is not in the table.
static BEHIND: AtomicPtr<Slot> = AtomicPtr::new(std::ptr::null_mut());

/// Where a slot stands in the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(u32);

impl Number {
    /// It stands behind the table.
    pub(super) const BEHIND: Number = Number(u32::MAX);

    /// The next one for a new slot; [`Number::BEHIND`] also without memory.
    pub(super) fn next() -> Number {
        let number = MADE.fetch_add(1, Relaxed);
        match u32::try_from(number) {
            Ok(short) if number < BLOCKS * SLOTS && make(number / SLOTS).is_some() => Number(short),
            _ => Number::BEHIND,
        }
    }

    fn place(self) -> Option<(&'static Block, usize)> {
        let number = self.0 as usize;
        Some((block(number / SLOTS)?, number % SLOTS))
    }
}

/// Puts a new slot, which is taken, where all see it.
pub(super) fn add(slot: &'static Slot) {
    let raw = std::ptr::from_ref(slot).cast_mut();
    if let Some((block, at)) = slot.number.place() {
        block.slots[at].store(raw, Release);
        block.taken.fetch_or(1 << at, Release);
        return;
    }
    let mut head = BEHIND.load(Relaxed);
    loop {
        slot.next.store(head, Relaxed);
        match BEHIND.compare_exchange_weak(head, raw, Release, Relaxed) {
            Ok(_) => return,
            Err(other) => head = other,
        }
    }
}

/// Takes a slot that nobody has.
pub(super) fn take_free() -> Option<&'static Slot> {
    for block in blocks() {
        let taken = block.taken.load(Relaxed);
        for at in Bits(!taken) {
            // Those behind the last that was made are not there yet.
            let Some(slot) = block.slot(at) else { break };
            if slot.take() {
                block.taken.fetch_or(1 << at, Release);
                return Some(slot);
            }
        }
    }
    behind().find(|slot| slot.take())
}

/// Leaves a slot to whoever takes it next.
pub(super) fn leave(slot: &Slot) {
    // In this order: who takes it next sets the bit again.
    if let Some((block, at)) = slot.number.place() {
        block.taken.fetch_and(!(1 << at), Release);
    }
    slot.taken.store(false, Release);
}

/// The slots that are taken.
pub(super) fn taken() -> impl Iterator<Item = &'static Slot> {
    let in_table = blocks().flat_map(|block| {
        let taken = Bits(block.taken.load(Acquire));
        taken.filter_map(|at| block.slot(at))
    });
    in_table
        .chain(behind())
        .filter(|slot| slot.taken.load(Relaxed))
}

/// The numbers of the bits that are set in a word.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let lowest = self.0.trailing_zeros();
        // The lowest bit goes; of no bit nothing does.
        self.0 &= self.0.wrapping_sub(1);
        (lowest < u64::BITS).then_some(lowest as usize)
    }
}

impl Block {
    fn slot(&self, at: usize) -> Option<&'static Slot> {
        // SAFETY: null, or a slot that `add` was given; slots are never freed.
        unsafe { self.slots[at].load(Acquire).as_ref() }
    }
}

/// The blocks that there are.
fn blocks() -> impl Iterator<Item = &'static Block> {
    let made = MADE.load(Acquire).div_ceil(SLOTS).min(BLOCKS);
    // Of one that is just being made no slot is in use yet.
    (0..made).filter_map(block)
}

fn block(at: usize) -> Option<&'static Block> {
    let raw = TABLE.get(at)?.load(Acquire);
    // SAFETY: null, or a block of zeros or more that `make` has put there; blocks are never freed then.
    unsafe { raw.as_ref() }
}

/// The block with this number, made if need be; none without memory.
fn make(at: usize) -> Option<&'static Block> {
    if let Some(block) = block(at) {
        return Some(block);
    }
    let layout = Layout::new::<Block>();
    // SAFETY: a block has a size.
    let raw = unsafe { Pages.alloc_zeroed(layout) };
    if raw.is_null() {
        return None;
    }
    #[expect(clippy::cast_ptr_alignment, reason = "the layout is that of a block")]
    let fresh = raw.cast::<Block>();
    let before = TABLE[at].compare_exchange(std::ptr::null_mut(), fresh, AcqRel, Acquire);
    if before.is_err() {
        // SAFETY: it was allocated just now with this layout, and nobody else has seen it.
        unsafe { Pages.dealloc(raw, layout) };
    }
    block(at)
}

/// The slots behind the table, whether taken or not.
fn behind() -> impl Iterator<Item = &'static Slot> {
    // SAFETY: null, or a slot that `add` was given; slots are never freed.
    let first = unsafe { BEHIND.load(Acquire).as_ref() };
    std::iter::successors(first, |slot: &&'static Slot| {
        // SAFETY: as above.
        unsafe { slot.next.load(Relaxed).as_ref() }
    })
}

#[cfg(test)]
mod tests;
