//! Writing the log: one file, opened at the first record, and a chunk of it for each thread.
//!
//! A thread writes into its own chunk and shares nothing; only taking a new chunk takes a lock.
//! Everything here may be lost, nothing may fail: a log that cannot be written is given up with one
//! line on standard error, and the program goes on.

mod path;

use std::cell::Cell;
use std::fs::File;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64};

use self::path::Path;
use super::super::memory::{SysVec, copy_text};
use super::super::own_lock::Guarded;
use super::super::{platform, settings};
use super::brief::{self, Again, Shown};
use super::encode::{PLAIN_MAX, Part, Record};
use super::{
    CHUNK_HEADER, CHUNK_LEN, CHUNK_MAGIC, HEADER_LEN, MAGIC, Op, TEXT_MAX, VERSION, counter,
    mapping,
};

/// Room for a record with texts.
const TEXT_ROOM: usize = PLAIN_MAX + 3 * (TEXT_MAX + 2);

/// Counts forks: what was mapped before one belongs to the parent.
static GENERATION: AtomicU32 = AtomicU32::new(1);
/// The first block, mapped, for the counters; null without a log.
static HEADER: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

static OPEN: Guarded<OpenLog> = Guarded::new(OpenLog {
    file: None,
    blocks: 0,
    nonce: 0,
    dir: Path::EMPTY,
    total: None,
    spare: SysVec::new(),
});

/// The log file of this process.
struct OpenLog {
    file: Option<File>,
    /// How many blocks the file has, header included.
    blocks: u64,
    nonce: u64,
    /// Where the logs of this process and of those that it forks stand, from the root: the program
    /// may change its directory at any time. Empty until the first log is opened.
    dir: Path,
    /// Has one byte for each block of all logs in the directory, if somebody has put it there.
    total: Option<File>,
    /// Chunks that threads left when they ended: address, and where their records end.
    spare: SysVec<(usize, usize)>,
}

/// Where a thread writes.
pub(crate) struct Cursor {
    base: Cell<*mut u8>,
    /// Where the next record begins; in the upper half the tag that the last one takes if the lock of whose
    /// acquisition it tells is released next, 0 if it tells of none or has no such tag.
    at: Cell<u64>,
    segment: Cell<u32>,
    generation: Cell<u32>,
    shown: Shown,
}

/// Who writes: what a [`Op::Thread`] record says.
#[derive(Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) thread: u32,
    pub(crate) flags: u8,
    /// Text.
    pub(crate) name: &'a [u8],
}

impl Cursor {
    pub(crate) const fn new() -> Self {
        Cursor {
            base: Cell::new(std::ptr::null_mut()),
            at: Cell::new(CHUNK_LEN as u64),
            segment: Cell::new(0),
            generation: Cell::new(0),
            shown: Shown::new(),
        }
    }

    /// Writes a record without texts. Nothing happens if there is no log.
    #[inline]
    pub(crate) fn plain(&self, who: Writer<'_>, op: Op, fill: impl FnOnce(Record) -> Record) {
        self.write(who, op, PLAIN_MAX, fill);
    }

    /// Writes a record with texts.
    pub(crate) fn texts(&self, who: Writer<'_>, op: Op, fill: impl FnOnce(Record) -> Record) {
        self.write(who, op, TEXT_ROOM, fill);
    }

    #[inline]
    fn write(&self, who: Writer<'_>, op: Op, room: usize, fill: impl FnOnce(Record) -> Record) {
        let stale = self.generation.get() != GENERATION.load(Relaxed);
        if (stale || self.at() + room > CHUNK_LEN) && !self.renew(who, room) {
            return;
        }
        let at = self.at();
        // SAFETY: `at + room <= CHUNK_LEN`, so the place lies inside the block.
        let start = unsafe { self.base.get().add(at) };
        // SAFETY: the block is mapped, zero from `at` on (it was written as zeros and is filled
        // from the front), and belongs to this thread until `leave`.
        let record = unsafe { Record::begin(start, room, op) };
        self.go_on_at(at + fill(record).commit());
    }

    /// Where the next record begins.
    #[inline]
    fn at(&self) -> usize {
        self.at.get() as u32 as usize
    }

    /// The next record begins here, behind one that a release does not change.
    #[inline]
    fn go_on_at(&self, at: usize) {
        self.at.set(at as u64);
    }

    /// Writes a record of two parts; false if there is no room in this chunk. The caller knows that no fork
    /// has left it to the parent, see [`Cursor::leave_the_parents`].
    #[inline]
    pub(crate) fn short(&self, op: Op, first: Part, second: Part) -> bool {
        self.tagged(op as u8, first, second)
    }

    #[inline]
    fn tagged(&self, tag: u8, first: Part, second: Part) -> bool {
        let at = self.at();
        if at > CHUNK_LEN - PLAIN_MAX {
            return false;
        }
        // SAFETY: `at + PLAIN_MAX <= CHUNK_LEN`, so the place lies inside the block.
        let start = unsafe { self.base.get().add(at) };
        // SAFETY: the block is mapped, zero from `at` on (it was written as zeros and is filled
        // from the front), and belongs to this thread until `leave`.
        let len = unsafe { Part::write(start, tag, first, second) };
        self.go_on_at(at + len);
        true
    }

    /// Writes a record of one byte, which a release next turns into the other one, if that is not 0; false if there
    /// is no room in this chunk.
    #[inline]
    fn byte(&self, (tag, released): (u8, u8)) -> bool {
        let at = self.at();
        if at >= CHUNK_LEN {
            return false;
        }
        // SAFETY: `at < CHUNK_LEN`, so the place lies inside the block.
        let start = unsafe { self.base.get().add(at) };
        // SAFETY: the byte is mapped and belongs to this thread until `leave`; a byte is aligned anywhere; in
        // this process nobody else refers to it, and other processes only read.
        let place = unsafe { AtomicU8::from_ptr(start) };
        place.store(tag, Release);
        self.at
            .set((at + 1) as u64 | u64::from(released) << u32::BITS);
        true
    }

    /// Has the last record tell that the lock of whose acquisition it tells was released too; false if it tells of
    /// none, or cannot.
    #[inline]
    fn last_is_released(&self) -> bool {
        let tag = (self.at.get() >> u32::BITS) as u8;
        if tag == 0 {
            return false;
        }
        let at = self.at();
        // SAFETY: a record of one byte ends at `at`, so the place before lies inside the block.
        let last = unsafe { self.base.get().add(at - 1) };
        // SAFETY: as for `byte`.
        let place = unsafe { AtomicU8::from_ptr(last) };
        place.store(tag, Release);
        self.go_on_at(at);
        true
    }

    /// Records the acquisition of the lock that the thread holds as its youngest now, above `below` others: its
    /// word, where and how it was taken, and its turn. Only if the same was recorded just before this turn; false
    /// if it was not, or there is no room in this chunk: then [`Cursor::acquired`] is to be told of it.
    #[inline]
    pub(crate) fn acquired_next(&self, below: usize, what: (u64, u64, u32)) -> bool {
        let tags = self.shown.next(below, what);
        tags.is_some_and(|tags| self.byte(tags))
    }

    /// The same for any other. `parts` says of one that was not met lately what is to be written of it: the
    /// number of the lock, how, and the site. False if nothing was written, since it says nothing, or there is
    /// no room in this chunk.
    pub(crate) fn acquired(
        &self,
        below: usize,
        what: (u64, u64, u32),
        parts: impl FnOnce() -> Option<Part>,
    ) -> bool {
        let turn = what.2;
        let (number, written) = match self.shown.otherwise(below, what) {
            Again::Later(number, since) if Part::takes(since.into()) => {
                let place = Part::EMPTY.small(number);
                let written = self.tagged(brief::LATER, place, Part::number(since.into()));
                (number, written)
            }
            Again::Anew(number) if Part::takes(turn.into()) => {
                let second = Part::EMPTY.small(number).then(Part::number(turn.into()));
                let written =
                    parts().is_some_and(|parts| self.short(Op::AcquiredAs, parts, second));
                (number, written)
            }
            Again::Later(number, _) | Again::Anew(number) => (number, false),
        };
        if !written {
            self.shown.forget(number);
        }
        written
    }

    /// Records the first acquisition of a lock, which is not defined in the log, that the thread holds as its
    /// youngest now, above `below` others: its word, and where and how it was taken. `parts` says of one unlike the one before what is to be written: as for
    /// [`Cursor::acquired`], and its class. False as there.
    pub(crate) fn acquired_first(
        &self,
        below: usize,
        what: (u64, u64),
        parts: impl FnOnce() -> Option<(Part, Part)>,
    ) -> bool {
        let written = if self.shown.is_next_first(below, what) {
            self.byte(brief::FIRST_OR_PASSED)
        } else {
            parts().is_some_and(|(what, class)| self.short(Op::AcquiredFirst, what, class))
        };
        if !written {
            self.shown.forget_first();
        }
        written
    }

    /// Records the release of the lock that the thread held as its youngest, above `below` others; false if it must
    /// be named, or there is no room in this chunk.
    #[inline]
    pub(crate) fn youngest_released(&self, below: usize) -> bool {
        self.shown.released(below) && (self.last_is_released() || self.byte((brief::RELEASED, 0)))
    }

    /// What the thread holds has changed in another way than at its young end, or without a record.
    #[inline]
    pub(crate) fn lose_track(&self) {
        self.shown.lose_track();
    }

    /// Leaves the chunk alone if it is that of the process from which this one was forked.
    pub(crate) fn leave_the_parents(&self) {
        if self.generation.get() != GENERATION.load(Relaxed) {
            self.base.set(std::ptr::null_mut());
            self.go_on_at(CHUNK_LEN);
        }
    }

    /// Takes a chunk with room for `room` bytes.
    #[cold]
    fn renew(&self, who: Writer<'_>, room: usize) -> bool {
        let generation = GENERATION.load(Relaxed);
        if self.generation.get() != generation {
            // The old chunk, if any, is the parent's: leave it alone.
            self.generation.set(generation);
            self.segment.set(0);
        } else if !self.base.get().is_null() {
            let full = self.base.replace(std::ptr::null_mut());
            // SAFETY: the block was mapped by `take_chunk` and nothing refers to it any more.
            unsafe { mapping::unmap(full) };
        }
        self.base.set(std::ptr::null_mut());
        self.go_on_at(CHUNK_LEN);
        self.shown.clear();
        let taken = OPEN.with(|open| open.take_chunk(room + TEXT_ROOM));
        let Some((base, at)) = taken.flatten() else {
            count_lost();
            return false;
        };
        self.base.set(base);
        // SAFETY: `take_chunk` gives a mapped block with that much room.
        let start = unsafe { base.add(at) };
        // SAFETY: the block is mapped, zero from `at` on, and belongs to this thread now.
        let record = unsafe { Record::begin(start, TEXT_ROOM, Op::Thread) };
        let record = record
            .number(who.thread)
            .number(self.segment.get())
            .small(who.flags)
            .text(std::str::from_utf8(who.name).unwrap_or_default());
        self.go_on_at(at + record.commit());
        self.segment.set(self.segment.get() + 1);
        true
    }

    /// Leaves the rest of the chunk to other threads. The next record starts a new segment.
    pub(crate) fn leave(&self) {
        let base = self.base.replace(std::ptr::null_mut());
        let at = self.at();
        self.go_on_at(CHUNK_LEN);
        if base.is_null() || self.generation.get() != GENERATION.load(Relaxed) {
            return;
        }
        let kept = at + 2 * TEXT_ROOM < CHUNK_LEN
            && OPEN.with(|open| open.spare.push((base.expose_provenance(), at))) == Some(true);
        if !kept {
            // SAFETY: the block was mapped by `take_chunk` and nothing refers to it any more.
            unsafe { mapping::unmap(base) };
        }
    }

    /// Makes the cursor that of a new thread.
    pub(crate) fn restart(&self) {
        self.segment.set(0);
    }
}

impl OpenLog {
    /// A mapped chunk with at least `room` bytes left, and where its records end.
    fn take_chunk(&mut self, room: usize) -> Option<(*mut u8, usize)> {
        if !settings::log_wanted() {
            return None;
        }
        if self.file.is_none() && !self.open() {
            return None;
        }
        if let Some(&(base, at)) = self.spare.last()
            && at + room <= CHUNK_LEN
        {
            self.spare.pop();
            return Some((std::ptr::with_exposed_provenance_mut(base), at));
        }
        let max = settings::log_max() / CHUNK_LEN as u64;
        let all = self.count_block();
        // The first block of records is always had, so that short runs after a long one are seen.
        if settings::level() == settings::Level::Trace && self.blocks >= 2 && all >= max.max(2) {
            settings::fall_to_order();
            set(counter::FELL);
        }
        // A quarter more is kept for the chains of level `order`.
        if self.blocks >= 4 && all >= (max + max / 4).max(4) {
            set(counter::STOPPED);
            settings::log_failed();
            return None;
        }
        let file = self.file.as_ref()?;
        let Ok(base) = mapping::map(file, self.blocks * CHUNK_LEN as u64) else {
            set(counter::STOPPED);
            settings::log_failed();
            platform::write_stderr(
                b"lockwise: the log cannot grow any more; recording stops here\n",
            );
            return None;
        };
        self.blocks += 1;
        // SAFETY: the block is mapped and ours, and longer than the magic.
        unsafe { base.copy_from_nonoverlapping(CHUNK_MAGIC.as_ptr(), CHUNK_MAGIC.len()) };
        Some((base, CHUNK_HEADER))
    }

    /// Counts a block that is about to be taken, and returns how many there are: in all logs of the
    /// directory, where that is counted, else in this one.
    fn count_block(&self) -> u64 {
        use std::io::Write;

        let Some(mut total) = self.total.as_ref() else {
            return self.blocks;
        };
        // What cannot be counted is not counted: the limit of one log still holds.
        let _ = total.write_all(&[1]);
        total
            .metadata()
            .map_or(self.blocks, |total| total.len().max(self.blocks))
    }

    /// Creates the file. Uses no allocator: the path is built in place.
    fn open(&mut self) -> bool {
        if self.dir.len == 0 {
            self.dir = Path::of_logs().unwrap_or(Path::EMPTY);
        }
        let opened = self.dir.log(self.nonce).and_then(|(path, nonce)| {
            let file = path.create()?;
            let header = mapping::map(&file, 0).ok()?;
            Some((file, header, nonce))
        });
        let Some((file, header, nonce)) = opened else {
            settings::log_failed();
            platform::write_stderr(
                b"lockwise: no log can be written in the directory that LOCKWISE_LOG names; going on without\n",
            );
            return false;
        };
        let start = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos())
            });
        let mut bytes = [0_u8; HEADER_LEN];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(8, &VERSION.to_le_bytes());
        put(10, &(HEADER_LEN as u16).to_le_bytes());
        put(12, &(CHUNK_LEN as u32).to_le_bytes());
        put(16, &std::process::id().to_le_bytes());
        put(20, &(settings::level() as u32).to_le_bytes());
        put(24, &start.to_le_bytes());
        put(32, &nonce.to_le_bytes());
        put(40, &self.nonce.to_le_bytes());
        // SAFETY: the header block is mapped, ours, and longer than the header.
        unsafe { header.copy_from_nonoverlapping(bytes.as_ptr(), HEADER_LEN) };
        let mut buffer = [0; 256];
        let program = platform::program_name(&mut buffer);
        // A byte that is no text takes three as text.
        let mut text = [0_u8; 2 + 3 * 256];
        let len = copy_text(program, &mut text[2..]).len();
        text[0] = (len & 0x7f) as u8 | 0x80;
        text[1] = (len >> 7) as u8;
        // SAFETY: 128 + 770 bytes lie inside the block.
        let place = unsafe { header.add(HEADER_LEN) };
        // SAFETY: the block is mapped and ours, and so long as the text.
        unsafe { place.copy_from_nonoverlapping(text.as_ptr(), 2 + len) };
        // The magic last: a log without it was cut off while it was opened.
        // SAFETY: as above.
        unsafe { header.copy_from_nonoverlapping(MAGIC.as_ptr(), MAGIC.len()) };
        HEADER.store(header, Relaxed);
        self.file = Some(file);
        self.blocks = 1;
        self.nonce = nonce;
        self.total = self.dir.total().and_then(|path| {
            let path = path.c_str()?;
            platform::open_to_append(path)
        });
        let _ = self.count_block();
        true
    }
}

/// Opens the log now, if it is not open.
#[cfg(any(feature = "checks", lockwise_overlay))]
pub(crate) fn open() {
    OPEN.with(|open| {
        if open.file.is_none() {
            open.open();
        }
    });
}

/// Gives up the log of this process and removes its file: for programs that are no part of what is
/// watched, though they inherit `LOCKWISE_LOG` from it.
pub fn discard() {
    settings::log_failed();
    OPEN.with(|open| {
        if open.file.take().is_some()
            && let Some(path) = open.dir.log_of(open.nonce)
            && let Some(path) = path.c_str()
        {
            platform::remove_file(path);
        }
    });
}

/// Whether the process that started this one has a log beside that of this one. It may use the program's allocator.
pub(crate) fn parent_writes_one() -> bool {
    let parent = platform::parent();
    Path::of_logs().is_some_and(|dir| dir.names().any(|name| path::is_log_of(&name, parent)))
}

/// Adds one to a counter in the header.
fn count(at: usize) {
    add(at, 1);
}

/// Sets a flag in the header.
fn set(at: usize) {
    with_counter(at, |counter| counter.store(1, Relaxed));
}

fn add(at: usize, number: u64) {
    with_counter(at, |counter| {
        counter.fetch_add(number, Relaxed);
    });
}

fn with_counter(at: usize, work: impl FnOnce(&AtomicU64)) {
    let header = HEADER.load(Relaxed);
    if header.is_null() {
        return;
    }
    // SAFETY: the counters lie inside the header block.
    let place = unsafe { header.add(at) };
    // SAFETY: the block stays mapped for as long as `HEADER` names it; blocks start at page
    // boundaries and counters stand at multiples of eight; other processes only read.
    work(unsafe { AtomicU64::from_ptr(place.cast()) });
}

/// Counts something that is not in the log.
pub(crate) fn count_lost() {
    count(counter::LOST);
}

/// Says that nothing is recorded from now on.
pub(crate) fn count_stopped() {
    set(counter::STOPPED);
}

/// Counts chains that the running program forgot.
pub(crate) fn count_forgotten(number: u64) {
    add(counter::FORGOTTEN, number);
}

/// Counts a thread that was blocked so long, in nanoseconds, outside of anything watched, and in watched
/// waits.
pub(crate) fn count_blocked(elsewhere: u64, waited: u64) {
    add(counter::BLOCKED_ELSEWHERE, elsewhere);
    add(counter::WAITED, waited);
    count(counter::COUNTED);
}

/// A number for a node of the learned order; never used twice.
pub(crate) fn next_node_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Relaxed)
}

/// The generation that definitions must have been written in to be in this process's log.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// Takes the writer's lock before a fork.
pub(crate) fn before_fork() {
    OPEN.begin_fork();
}

/// Gives it back afterwards, in the parent.
pub(crate) fn after_fork_in_parent() {
    OPEN.end_fork();
}

/// Gives it back afterwards, in the child, which starts a log of its own; none if what is known of the parent's may be
/// half changed.
pub(crate) fn after_fork_in_child() {
    GENERATION.fetch_add(1, Relaxed);
    HEADER.store(std::ptr::null_mut(), Relaxed);
    if !OPEN.end_fork() {
        settings::log_failed();
        return;
    }
    OPEN.with(|open| {
        // The parent's blocks stay mapped here and are not written to any more; its spare chunks
        // are its own. Closing our descriptor of its file does not close it.
        open.file = None;
        open.spare.clear();
        open.blocks = 0;
    });
}
