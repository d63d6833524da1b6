//! Reading a log: whatever is intact in it, and what is not.
//!
//! Nothing here trusts the bytes: a log may be cut off, damaged, or not a log at all. A damaged
//! record ends its chunk; all other chunks are still read. Reading borrows from the bytes and keeps
//! definitions only; records are decoded again when they are asked for.

use std::collections::HashMap;
use std::fmt;

use super::super::mode::Ask;
use super::super::mode::{Kind, Mode};
use super::{
    CHUNK_HEADER, CHUNK_LEN, CHUNK_MAGIC, HEADER_LEN, MAGIC, Op, SENDABLE, VERSION, counter,
};

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
        holds: Option<(u64, Mode, u32)>,
        wants: (u64, Mode, u32),
        message: &'a str,
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
            match decode(&self.bytes[..end], at) {
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
                        Item::Lock(number, lock) => {
                            self.locks.entry(number).or_insert(lock);
                        }
                        Item::Node(number, node) => {
                            self.nodes.entry(number).or_insert(node);
                        }
                        Item::Record(_) if segment.is_none() => {
                            self.damage.push(Damage {
                                offset: at,
                                what: "a record of no thread",
                            });
                            break;
                        }
                        Item::Record(_) => {}
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
        std::iter::from_fn(move || {
            while at < bytes.len() {
                let (item, next) = decode(bytes, at).ok()?;
                at = next;
                if let Item::Record(record) = item {
                    return Some(record);
                }
            }
            None
        })
    }
}

/// Anything that a record can be.
enum Item<'a> {
    Segment(Segment<'a>),
    Site(u32, SiteDef<'a>),
    Class(u32, ClassDef<'a>),
    Lock(u64, LockDef),
    Node(u32, NodeDef),
    Record(Record<'a>),
}

const CUT_OFF: &str = "a record is cut off";
const UNKNOWN: &str = "a record of no known kind";
const WRONG: &str = "a record's check does not match";

/// Decodes the record at `at`; returns it and where the next one starts.
fn decode(bytes: &[u8], at: usize) -> Result<(Item<'_>, usize), &'static str> {
    let tag = bytes[at];
    if !(Op::DefSite as u8..=Op::Joining as u8).contains(&tag) {
        return Err(UNKNOWN);
    }
    let mut decoder = Decoder { bytes, at: at + 1 };
    let item = decoder.item(tag).ok_or(CUT_OFF)?;
    let end = decoder.at;
    let check = *bytes.get(end).ok_or(CUT_OFF)?;
    let sum = bytes[at..end]
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    if check != !sum {
        return Err(WRONG);
    }
    Ok((item, end + 1))
}

struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Decoder<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn long(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn number(&mut self) -> Option<u32> {
        u32::try_from(self.long()?).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.text_bytes()?).ok()
    }

    fn text_bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.long()?).ok()?;
        let end = self.at.checked_add(len)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn mode(&mut self) -> Option<Mode> {
        Mode::from_number(self.byte()?)
    }

    fn how(&mut self) -> Option<(Mode, Ask)> {
        let byte = self.byte()?;
        (byte < 24).then_some(())?;
        Some((Mode::from_number(byte & 7)?, Ask::from_number(byte >> 3)))
    }

    fn ask(&mut self) -> Option<Ask> {
        Some(Ask::from_number(self.byte()?))
    }

    fn item(&mut self, tag: u8) -> Option<Item<'a>> {
        Some(match tag {
            1 => {
                let number = self.number()?;
                let (line, column) = (self.number()?, self.number()?);
                let (file, module, expression) = (self.text()?, self.text()?, self.text()?);
                Item::Site(
                    number,
                    SiteDef {
                        file,
                        line,
                        column,
                        module,
                        expression,
                    },
                )
            }
            2 => {
                let number = self.number()?;
                let kind = Kind::from_number(self.byte()?)?;
                let trusted = self.byte()? & 1 == 1;
                let born = self.number()?;
                let (name, type_name) = (self.text()?, self.text()?);
                Item::Class(
                    number,
                    ClassDef {
                        kind,
                        trusted,
                        born,
                        name,
                        type_name,
                    },
                )
            }
            3 => {
                let (lock, class, rank) = (self.long()?, self.number()?, self.long()?);
                let sendable = rank & SENDABLE != 0;
                let rank = (rank & !SENDABLE)
                    .checked_sub(1)
                    .and_then(|rank| u32::try_from(rank).ok());
                let def = LockDef {
                    class,
                    rank,
                    sendable,
                };
                Item::Lock(lock, def)
            }
            4 => {
                let (thread, number) = (self.number()?, self.number()?);
                let flags = self.byte()?;
                let name = self.text()?;
                Item::Segment(Segment {
                    thread,
                    number,
                    first_thread: flags & 1 != 0,
                    forked: flags & 2 != 0,
                    name,
                    start: 0,
                    end: 0,
                    after_gap: false,
                    cut: false,
                })
            }
            21 => {
                let (number, parent) = (self.number()?, self.number()?);
                let (lock, class) = (self.long()?, self.number()?);
                let (mode, ask) = self.how()?;
                let site = self.number()?;
                // A node names a parent that was defined before it, so there are no circles.
                (parent < number).then_some(())?;
                Item::Node(
                    number,
                    NodeDef {
                        parent,
                        lock,
                        class,
                        mode,
                        ask,
                        site,
                    },
                )
            }
            _ => Item::Record(self.record(tag)?),
        })
    }

    #[expect(clippy::too_many_lines, reason = "one arm per kind of record")]
    fn record(&mut self, tag: u8) -> Option<Record<'a>> {
        Some(match tag {
            5 => Record::Fork {
                child: self.number()?,
                site: self.number()?,
            },
            6 => Record::Join {
                child: self.number()?,
                site: self.number()?,
            },
            7 => Record::End,
            8 => {
                let lock = self.long()?;
                let (mode, ask) = self.how()?;
                Record::Acquired {
                    lock,
                    mode,
                    ask,
                    site: self.number()?,
                    turn: self.number()?,
                }
            }
            9 => Record::Released { lock: self.long()? },
            10 => {
                let lock = self.long()?;
                let (mode, ask) = self.how()?;
                Record::Request {
                    lock,
                    mode,
                    ask,
                    site: self.number()?,
                }
            }
            11 => Record::GaveUp { lock: self.long()? },
            12 => Record::Changed {
                lock: self.long()?,
                from: self.mode()?,
                to: self.mode()?,
                site: self.number()?,
                turn: self.number()?,
            },
            13 => Record::Waiting {
                condvar: self.long()?,
                lock: self.long()?,
                ask: self.ask()?,
                site: self.number()?,
                turn: self.number()?,
            },
            14 => {
                let (condvar, lock) = (self.long()?, self.long()?);
                let (mode, _) = self.how()?;
                Record::Woken {
                    condvar,
                    lock,
                    mode,
                    site: self.number()?,
                    turn: self.number()?,
                }
            }
            15 => Record::Notified {
                condvar: self.long()?,
                all: self.byte()? != 0,
                site: self.number()?,
                turn: self.number()?,
            },
            16 => Record::Arrived {
                barrier: self.long()?,
                parties: self.number()?,
                site: self.number()?,
                turn: self.number()?,
            },
            17 => Record::Passed {
                barrier: self.long()?,
                turn: self.number()?,
            },
            18 => Record::Posted {
                semaphore: self.long()?,
                units: self.number()?,
                site: self.number()?,
                turn: self.number()?,
            },
            19 => Record::Pending {
                semaphore: self.long()?,
                ask: self.ask()?,
                site: self.number()?,
            },
            20 => Record::Obtained {
                semaphore: self.long()?,
                units: self.number()?,
                ask: self.ask()?,
                site: self.number()?,
                turn: self.number()?,
            },
            22 => Record::Seen {
                node: self.number()?,
                stretch: self.number()?,
            },
            23 => {
                let code = self.byte()?;
                let holds = match self.byte()? {
                    0 => None,
                    _ => Some(self.lock_at_site()?),
                };
                let wants = self.lock_at_site()?;
                Record::Finding {
                    code,
                    holds,
                    wants,
                    message: self.text()?,
                }
            }
            24 => Record::Joining {
                child: self.number()?,
                site: self.number()?,
            },
            _ => return None,
        })
    }

    fn lock_at_site(&mut self) -> Option<(u64, Mode, u32)> {
        let lock = self.long()?;
        let (mode, _) = self.how()?;
        Some((lock, mode, self.number()?))
    }
}
