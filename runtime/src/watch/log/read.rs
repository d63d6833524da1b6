//! Reading a log: whatever is intact in it, and what is not.
//!
//! Nothing here trusts the bytes: a log may be cut off, damaged, or not a log at all. A damaged
//! record ends its chunk; all other chunks are still read. Reading borrows from the bytes and keeps
//! definitions only; records are decoded again when they are asked for.

mod decode;

use std::collections::HashMap;
use std::fmt;

use self::decode::{CUT_OFF, Decoder, Item, decode};

use super::super::mode::{Ask, Kind, Mode};
use super::brief::Remembered;
use super::{CHUNK_HEADER, CHUNK_LEN, CHUNK_MAGIC, HEADER_LEN, MAGIC, VERSION, counter};

/// Why nothing could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogError {
    /// There is not one byte.
    Empty,
    /// It does not start as a log does.
    NotALog,
    /// The header is cut off or was never completed.
    HeaderCutOff {
        /// How many bytes there are.
        len: usize,
    },
    /// The header does not make sense.
    HeaderDamaged {
        /// The offset of the field that does not.
        offset: usize,
    },
    /// It was written by a newer version of this format.
    Newer {
        /// The version found.
        version: u16,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Empty => write!(f, "the file is empty"),
            LogError::NotALog => write!(f, "not a lockwise log: it does not start with `LOCKWISE`"),
            LogError::HeaderCutOff { len } => {
                write!(f, "the log is cut off in its header, at byte {len}")
            }
            LogError::HeaderDamaged { offset } => {
                write!(f, "the log's header is damaged at byte {offset}")
            }
            LogError::Newer { version } => write!(
                f,
                "the log has format version {version}, and this program reads up to {VERSION}: \
                 use a newer cargo-lockwise"
            ),
        }
    }
}

impl std::error::Error for LogError {}

/// A place at which a log is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// The offset in the file at which reading stopped.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The process number.
    pub process: u32,
    /// Whether all events were to be recorded, and not only new chains.
    pub trace: bool,
    /// When the log was opened, in nanoseconds since 1970.
    pub start_ns: u64,
    /// Tells apart processes, and copies of the runtime, with one number.
    pub nonce: u64,
    /// The nonce of the log of the process that forked this one, or 0.
    pub parent_nonce: u64,
    /// Records lost because the system gave no memory or no disk.
    pub lost: u64,
    /// Chains that the running program forgot; they are in the log.
    pub forgotten: u64,
    /// Whether the size limit was reached and the level fell from `trace` to `order`.
    pub fell: bool,
    /// Whether recording stopped before the process did.
    pub stopped: bool,
    /// Nanoseconds, at least, in which threads were blocked outside of anything watched.
    pub blocked_elsewhere_ns: u64,
    /// Nanoseconds that the same threads spent in watched waits.
    pub waited_ns: u64,
    /// How many threads that was counted of: not those of a process that was killed, and not on each system.
    pub counted: u64,
    /// The program's file name.
    pub program: String,
}

/// A site, as defined in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the record's fields")]
pub struct SiteDef<'a> {
    pub file: &'a str,
    pub line: u32,
    pub column: u32,
    pub module: &'a str,
    pub expression: &'a str,
}

/// A class, as defined in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the record's fields")]
pub struct ClassDef<'a> {
    pub kind: Kind,
    pub trusted: bool,
    pub born: u32,
    pub name: &'a str,
    pub type_name: &'a str,
}

/// A lock or other watched object, as defined in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockDef {
    /// The number of its class.
    pub class: u32,
    /// The declared rank; for a semaphore, the units that it started with.
    pub rank: Option<u32>,
    /// Whether its guards may be sent to other threads.
    pub sendable: bool,
}

/// An acquisition in its context, as defined in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the record's fields")]
pub struct NodeDef {
    /// The node of the youngest lock held, or 0.
    pub parent: u32,
    pub lock: u64,
    pub class: u32,
    pub mode: Mode,
    pub ask: Ask,
    pub site: u32,
}

/// A stretch of records of one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a record, and of its place"
)]
pub struct Segment<'a> {
    /// The thread's number.
    pub thread: u32,
    /// The how-manieth segment of its thread it is, from 0.
    pub number: u32,
    /// Whether it is the thread on which its process started.
    pub first_thread: bool,
    /// Whether its fork was seen.
    pub forked: bool,
    /// The thread's name, or empty.
    pub name: &'a str,
    /// Where its records start and end in the file.
    start: usize,
    end: usize,
    /// Whether records may be missing between this segment and the one before it.
    pub after_gap: bool,
    /// Whether damage ended it, so that records may be missing behind it.
    pub cut: bool,
    /// Whether there are chains or findings among its records.
    pub tells: bool,
}

/// What a thread waits for, in a record of its part in a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideWants {
    /// A lock, or the like: its number, in which mode, and where.
    Object((u64, Mode, u32)),
    /// The end of the thread with this number; and where.
    End(u32, u32),
}

/// One record that is not a definition. Objects, sites and threads by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of the format says what each is")]
pub enum Record<'a> {
    Fork {
        child: u32,
        site: u32,
    },
    Join {
        child: u32,
        site: u32,
    },
    Joining {
        child: u32,
        site: u32,
    },
    End,
    Acquired {
        lock: u64,
        mode: Mode,
        ask: Ask,
        site: u32,
        turn: u32,
    },
    Released {
        lock: u64,
    },
    Request {
        lock: u64,
        mode: Mode,
        ask: Ask,
        site: u32,
    },
    GaveUp {
        lock: u64,
    },
    Changed {
        lock: u64,
        from: Mode,
        to: Mode,
        site: u32,
        turn: u32,
    },
    Waiting {
        condvar: u64,
        lock: u64,
        ask: Ask,
        site: u32,
        turn: u32,
    },
    Woken {
        condvar: u64,
        lock: u64,
        mode: Mode,
        site: u32,
        turn: u32,
    },
    Notified {
        condvar: u64,
        all: bool,
        site: u32,
        turn: u32,
    },
    Arrived {
        barrier: u64,
        parties: u32,
        site: u32,
        turn: u32,
    },
    Passed {
        barrier: u64,
        turn: u32,
    },
    Posted {
        semaphore: u64,
        units: u32,
        site: u32,
        turn: u32,
    },
    Pending {
        semaphore: u64,
        ask: Ask,
        site: u32,
    },
    Obtained {
        semaphore: u64,
        units: u32,
        ask: Ask,
        site: u32,
        turn: u32,
    },
    Seen {
        node: u32,
        stretch: u32,
    },
    Finding {
        code: u8,
        thread: Option<u32>,
        holds: Option<(u64, Mode, u32)>,
        wants: (u64, Mode, u32),
        nobody_runs: bool,
        message: &'a str,
    },
    Side {
        thread: u32,
        holds: Option<(u64, Mode, u32)>,
        wants: SideWants,
    },
    Stack {
        thread: u32,
        held: u64,
        lock: u64,
        site: u32,
        by_files: &'a str,
    },
}

/// A log, read.
#[derive(Debug, Clone)]
pub struct LogFile<'a> {
    /// What the header says.
    pub header: Header,
    /// What is not as it was written.
    pub damage: Vec<Damage>,
    /// Sites by number.
    pub sites: HashMap<u32, SiteDef<'a>>,
    /// Classes by number.
    pub classes: HashMap<u32, ClassDef<'a>>,
    /// Locks and other objects by instance number.
    pub locks: HashMap<u64, LockDef>,
    /// Acquisitions in their contexts, by number.
    pub nodes: HashMap<u32, NodeDef>,
    /// All segments, by thread and number.
    pub segments: Vec<Segment<'a>>,
    bytes: &'a [u8],
}

/// Reads a log from its bytes.
///
/// # Errors
///
/// [`LogError`] if the header cannot be used. Damage behind the header is no error.
pub fn read(bytes: &[u8]) -> Result<LogFile<'_>, LogError> {
    let header = read_header(bytes)?;
    let mut log = LogFile {
        header,
        damage: Vec::new(),
        sites: HashMap::new(),
        classes: HashMap::new(),
        locks: HashMap::new(),
        nodes: HashMap::new(),
        segments: Vec::new(),
        bytes,
    };
    let mut start = CHUNK_LEN;
    while start < bytes.len() {
        let end = bytes.len().min(start + CHUNK_LEN);
        log.read_chunk(start, end);
        if end - start < CHUNK_LEN {
            log.damage.push(Damage {
                offset: end,
                what: "the file is cut off",
            });
        }
        start += CHUNK_LEN;
    }
    if bytes.len() < CHUNK_LEN {
        log.damage.push(Damage {
            offset: bytes.len(),
            what: "the file is cut off",
        });
    }
    log.segments
        .sort_by_key(|segment| (segment.thread, segment.number));
    let mut before = None;
    for segment in &mut log.segments {
        let (expected, cut) = match before {
            Some((thread, number, cut)) if thread == segment.thread => {
                (u32::saturating_add(number, 1), cut)
            }
            _ => (0, false),
        };
        segment.after_gap = cut || segment.number != expected;
        before = Some((segment.thread, segment.number, segment.cut));
    }
    Ok(log)
}

fn read_header(bytes: &[u8]) -> Result<Header, LogError> {
    if bytes.is_empty() {
        return Err(LogError::Empty);
    }
    let magic = &bytes[..bytes.len().min(MAGIC.len())];
    if magic != &MAGIC[..magic.len()] {
        return Err(LogError::NotALog);
    }
    if bytes.len() < 10 {
        return Err(LogError::HeaderCutOff { len: bytes.len() });
    }
    let version = u16::from_le_bytes([bytes[8], bytes[9]]);
    if version > VERSION {
        return Err(LogError::Newer { version });
    }
    if version == 0 {
        return Err(LogError::HeaderDamaged { offset: 8 });
    }
    let (Some(fields), true) = (bytes.get(..HEADER_LEN), bytes.len() > HEADER_LEN) else {
        return Err(LogError::HeaderCutOff { len: bytes.len() });
    };
    let word = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&fields[at..at + 8]);
        u64::from_le_bytes(word)
    };
    let half = |at: usize| (word(at) & 0xffff_ffff) as u32;
    if half(12) as usize != CHUNK_LEN {
        return Err(LogError::HeaderDamaged { offset: 12 });
    }
    let level = half(20);
    if level > 2 {
        return Err(LogError::HeaderDamaged { offset: 20 });
    }
    let program = Decoder {
        bytes: &bytes[..bytes.len().min(CHUNK_LEN)],
        at: HEADER_LEN,
    }
    .text_bytes()
    .ok_or(LogError::HeaderCutOff { len: bytes.len() })?;
    Ok(Header {
        process: half(16),
        trace: level == 2,
        start_ns: word(24),
        nonce: word(32),
        parent_nonce: word(40),
        lost: word(counter::LOST),
        forgotten: word(counter::FORGOTTEN),
        fell: word(counter::FELL) != 0,
        stopped: word(counter::STOPPED) != 0,
        blocked_elsewhere_ns: word(counter::BLOCKED_ELSEWHERE),
        waited_ns: word(counter::WAITED),
        counted: word(counter::COUNTED),
        // Early logs hold the name as the system gives it.
        program: String::from_utf8_lossy(program).into_owned(),
    })
}

impl<'a> LogFile<'a> {
    fn read_chunk(&mut self, start: usize, end: usize) {
        let chunk = &self.bytes[start..end];
        let magic = &chunk[..chunk.len().min(CHUNK_MAGIC.len())];
        if magic.iter().all(|&byte| byte == 0) {
            // Taken from the disk and never begun, or begun and not yet marked.
            return;
        }
        if magic != &CHUNK_MAGIC[..magic.len()] {
            self.damage.push(Damage {
                offset: start,
                what: "a block does not start as one does",
            });
            // Whose it was shows in the missing segment number.
            return;
        }
        let mut segment: Option<Segment<'a>> = None;
        let mut remembered = Remembered::default();
        let mut at = start + CHUNK_HEADER;
        while at < end {
            let tag = self.bytes[at];
            if tag == 0 {
                // Behind the last record all is zero, unless the process died in the middle of one.
                if self.bytes[at..end].iter().any(|&byte| byte != 0) {
                    let what = "a record without its tag: it was being written, or it is damaged";
                    self.damage.push(Damage { offset: at, what });
                    if let Some(segment) = &mut segment {
                        segment.cut = true;
                    }
                }
                break;
            }
            match decode(&self.bytes[..end], at, &mut remembered) {
                Ok((item, next)) => {
                    match item {
                        Item::Segment(begun) => {
                            self.finish(
                                segment.replace(Segment {
                                    start: next,
                                    end: next,
                                    ..begun
                                }),
                                at,
                            );
                        }
                        Item::Site(number, site) => {
                            self.sites.entry(number).or_insert(site);
                        }
                        Item::Class(number, class) => {
                            self.classes.entry(number).or_insert(class);
                        }
                        Item::Node(number, node) => {
                            self.nodes.entry(number).or_insert(node);
                        }
                        Item::Record(_) | Item::First(..) if segment.is_none() => {
                            self.damage.push(Damage {
                                offset: at,
                                what: "a record of no thread",
                            });
                            break;
                        }
                        Item::Record(
                            Record::Seen { .. }
                            | Record::Finding { .. }
                            | Record::Side { .. }
                            | Record::Stack { .. },
                        ) => {
                            if let Some(segment) = &mut segment {
                                segment.tells = true;
                            }
                        }
                        Item::Record(_) => {}
                        Item::Lock(number, lock) | Item::First(number, lock, _) => {
                            self.locks.entry(number).or_insert(lock);
                        }
                    }
                    at = next;
                }
                Err(what) => {
                    // At the very end of a file that is cut off this is told once, for the file.
                    if end - start == CHUNK_LEN || what != CUT_OFF {
                        self.damage.push(Damage { offset: at, what });
                    }
                    if let Some(segment) = &mut segment {
                        segment.cut = true;
                    }
                    break;
                }
            }
        }
        self.finish(segment, at.min(end));
    }

    fn finish(&mut self, segment: Option<Segment<'a>>, end: usize) {
        if let Some(segment) = segment {
            self.segments.push(Segment { end, ..segment });
        }
    }

    /// Whether the file ends before its last block does, so that any thread may miss its end.
    pub fn is_cut_off(&self) -> bool {
        !self.bytes.len().is_multiple_of(CHUNK_LEN)
    }

    /// The records of a segment, in order.
    pub fn records(&self, segment: &Segment<'a>) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let bytes = &self.bytes[..segment.end];
        let mut at = segment.start;
        let mut remembered = Remembered::default();
        std::iter::from_fn(move || {
            while at < bytes.len() {
                let (item, next) = decode(bytes, at, &mut remembered).ok()?;
                at = next;
                if let Item::Record(record) | Item::First(_, _, record) = item {
                    return Some(record);
                }
            }
            None
        })
    }
}
