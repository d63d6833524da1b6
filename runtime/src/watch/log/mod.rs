//! The event log: what one process did with its locks, in one file.
//!
//! This page is the format, for whoever wants to write a reader. All integers are little-endian.
//! *varint* is LEB128: seven bits a byte, lowest first, the high bit set on all but the last.
//! *text* is a varint length and that many bytes of UTF-8.
//!
//! # File
//!
//! The file is named `PROGRAM.PID.NONCE.lwlog` and consists of blocks of [`CHUNK_LEN`] bytes. The
//! first block starts with the header, every other block is a chunk:
//!
//! ```text
//! header   0  8  magic "LOCKWISE"
//!          8  2  version (2): a reader refuses a greater one
//!         10  2  length of the header so far (128)
//!         12  4  block length
//!         16  4  process number
//!         20  4  level at the start: 1 order, 2 trace
//!         24  8  start, nanoseconds since 1970
//!         32  8  nonce: tells apart processes (and copies of this runtime) with one number
//!         40  8  nonce of the log of the process that forked this one, or 0
//!         64  8  counter: records lost because the system gave no memory or no disk, or a handler of a signal
//!              kept the watcher from its own work
//!         72  8  counter: chains that the running program forgot (they are in the log)
//!         80  8  1 once the size limit was reached and the level fell from trace to order
//!         88  8  1 once even the reserve for chains was full: nothing was recorded after that
//!         96  8  nanoseconds that threads were blocked outside of anything watched, at least
//!        104  8  nanoseconds that these threads were in watched waits
//!        112  8  how many threads these two are of
//!        128     program: text
//! chunk    0  4  magic "LWCK"
//!          4 12  zero
//!         16     records, up to the first zero byte where a record should start
//! ```
//!
//! A chunk belongs to one thread at a time: it starts with a [`Op::Thread`] record, and a thread
//! that ends leaves the rest of its chunk to another, which writes its own such record there. The
//! stretch between two such records is a *segment*; a thread's segments are numbered from 0.
//!
//! # Record
//!
//! ```text
//! tag (1 byte, never 0), fields, check (1 byte)
//! ```
//!
//! The check is the sum of all bytes before it, tag included, modulo 256, inverted. The writer fills
//! in fields and check first and the tag last, into memory that the system keeps when the process
//! dies: so each record is complete or not there at all.
//!
//! Fields, in the order written; *lock* is the varint instance number (also of condition variables
//! and other watched objects), *site* and *class* varint numbers that a definition gave earlier *in
//! this file* (maybe in another chunk), *how* one byte `mode + 8 * ask`, *turn* a varint.
//!
//! ```text
//!  1 DefSite    site, line varint, column varint, file text, module text, expression text
//!  2 DefClass   class, kind byte, flags byte (1: trusted), site (born), name text, type text
//!  3 DefLock    lock, class, varint: rank + 1 (0: none), of a semaphore its first units + 1; plus 2^40
//!               if guards of the lock may be sent to other threads
//!  4 Thread     thread varint, segment varint, flags byte (1: first thread, 2: forked by us), name text
//!  5 Fork       child varint, site
//!  6 Join       child varint, site
//!  7 End
//!  8 Acquired   lock, how, site, turn
//!  9 Released   lock
//! 10 Request    lock, how, site                       the lock was not free
//! 11 GaveUp     lock
//! 12 Changed    lock, from mode byte, to mode byte, site, turn
//! 13 Waiting    condvar, lock, ask byte, site, turn of the condvar
//! 14 Woken      condvar, lock, how, site, turn of the lock
//! 15 Notified   condvar, all byte, site, turn
//! 16 Arrived    barrier, parties varint, site, turn
//! 17 Passed     barrier, turn
//! 18 Posted     semaphore, units varint, site, turn
//! 19 Pending    semaphore, ask byte, site
//! 20 Obtained   semaphore, units varint, ask byte, site, turn
//! 21 DefNode    node varint, parent node varint (0: none), lock, class, how, site
//! 22 Seen       node varint, stretch varint
//! 23 Finding    code byte, flags byte, [lock, how, site if flag 1], lock, how, site, [thread varint if
//!               flag 2: whose side this is, if not the writer's], text; flag 4: all threads wait
//! 24 Joining    child varint, site
//! 25 AcquiredAs lock, how, site, place byte, turn     as 8, and remembered in this place, of 32
//! 26 AcquiredFirst lock, how, site, class             as 3 and 8, the turn being 1, without a rank
//! 27 Stack      thread varint, held, lock, site, text where a thread of a finding asked for the lock while it held
//!               another (number 0: none): by files, for each a line with its path, and one with hexadecimal
//!               numbers: the address of its beginning, its length, when it was changed (nanoseconds since 1970),
//!               and how far behind its beginning the frames lie, innermost first
//! 28 Side       thread varint, flags byte, [lock, how, site if flag 1: what it holds], lock, how, site, or if flag
//!               2 child varint, site: one thread's part in the finding that the writer told last
//! ```
//!
//! # Brief records
//!
//! A tag of 128 or more is a record of one byte, whose seven lower bits are a number and a bit that makes
//! the count of all ones even, in place of a check; so a damaged bit is found there too. What they mean
//! depends on earlier records of the same segment:
//!
//! ```text
//!  0..32  the acquisition in this place once more, the turn greater by one
//!  32     the release of the lock acquired last and not yet released, by records of this segment
//!  33     place byte, varint, check: the acquisition in this place once more, the turn greater by that
//!  34     the same as the last of kind 26, 34 or 35, of another lock, whose number is greater by one
//!  35     that, and the release of this lock next
//! 36..64  the acquisition in the place with the number less 36, as by 0..28, and the release of this lock next
//! ```
//!
//! The last two stand where one of an acquisition stood, and replace it when the lock is released.
//!
//! Version 1 had no tags from 25 on, version 2 no brief records from 35 on, version 3 no tag 27, version 4
//! no tag 28 and no flag 4 of 23.
//!
//! A channel is written as a semaphore whose units are its messages. A second one counts its senders
//! that are gone, and who learns that all are takes these units. The parking of a thread is one whose
//! units are the unparkings; `Obtained` with 2^32 - 1 units takes all that were posted until then and
//! not yet obtained, maybe none. `Posted` with none says that what is waited for there is there from now on, whoever
//! looks, and comes after those before it that said so; `Obtained` with none that a thread found it there.
//!
//! There is no clock. Each object counts its own acquisitions (*turn*) inside the critical section,
//! which orders them; fork and join order the rest. The log of a forked child starts with what the
//! forking thread held, as records 8 of turn 0. At level `order` there are no records 8 to 20
//! but a [`Op::DefNode`] for each new (locks held, lock wanted), as a tree whose nodes name their
//! parents, and a [`Op::Seen`] for each node per thread and stretch between fork and join events.
//! `DefNode` names the class of its lock, because at that level no `DefLock` is written.

mod brief;
mod encode;
mod mapping;
mod read;
mod writer;

pub(super) use encode::{Part, Record};
pub use read::{
    ClassDef, Damage, Header, LockDef, LogError, LogFile, NodeDef, Record as Event, Segment,
    SideWants, SiteDef, read,
};
pub use writer::discard;
#[cfg(any(feature = "checks", lockwise_overlay))]
pub(super) use writer::open;
pub(super) use writer::{
    Cursor, Writer, after_fork_in_child, after_fork_in_parent, before_fork, count_blocked,
    count_forgotten, count_lost, count_stopped, generation, next_node_number, parent_writes_one,
};

/// What the file starts with.
pub const MAGIC: &[u8; 8] = b"LOCKWISE";
/// The version of the format that this build writes, and the greatest that it reads.
pub const VERSION: u16 = 5;
/// The length of a block, in bytes. A multiple of every page size in use.
pub const CHUNK_LEN: usize = 64 * 1024;
/// What each chunk starts with.
/// The name of a file that bounds all logs of a directory together, if it is there when they are
/// opened: each adds a byte to it for each of its blocks, and falls to level `order` when it is as
/// long as one log may have blocks.
pub const TOTAL: &str = "total";
pub(crate) const CHUNK_MAGIC: &[u8; 4] = b"LWCK";
/// Where the records of a chunk start.
pub(crate) const CHUNK_HEADER: usize = 16;
/// Where the program's name stands in the header.
pub(crate) const HEADER_LEN: usize = 128;
/// The greatest text that is written, in bytes; longer ones are cut.
pub(crate) const TEXT_MAX: usize = 1024;

/// All units of a semaphore that were posted and not yet obtained: whoever reads the log counts them.
pub const ALL_UNITS: u32 = u32::MAX;

/// The bit beside a lock's rank that says that its guards may be sent to other threads.
pub(crate) const SENDABLE: u64 = 1 << 40;

/// The offsets of the counters in the header.
pub(crate) mod counter {
    /// Records lost.
    pub(crate) const LOST: usize = 64;
    /// Chains forgotten by the running program.
    pub(crate) const FORGOTTEN: usize = 72;
    /// Whether the level fell.
    pub(crate) const FELL: usize = 80;
    /// Whether recording stopped.
    pub(crate) const STOPPED: usize = 88;
    /// Nanoseconds in which threads were blocked elsewhere.
    pub(crate) const BLOCKED_ELSEWHERE: usize = 96;
    /// Nanoseconds that the same threads spent in watched waits.
    pub(crate) const WAITED: usize = 104;
    /// How many threads that was counted of.
    pub(crate) const COUNTED: usize = 112;
}

/// The tags of records. The numbers never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "the table in the module's documentation says what each is"
)]
pub enum Op {
    DefSite = 1,
    DefClass = 2,
    DefLock = 3,
    Thread = 4,
    Fork = 5,
    Join = 6,
    End = 7,
    Acquired = 8,
    Released = 9,
    Request = 10,
    GaveUp = 11,
    Changed = 12,
    Waiting = 13,
    Woken = 14,
    Notified = 15,
    Arrived = 16,
    Passed = 17,
    Posted = 18,
    Pending = 19,
    Obtained = 20,
    DefNode = 21,
    Seen = 22,
    Finding = 23,
    Joining = 24,
    AcquiredAs = 25,
    AcquiredFirst = 26,
    Stack = 27,
    Side = 28,
}
