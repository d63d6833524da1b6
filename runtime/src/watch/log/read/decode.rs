//! Decoding one record.

use super::super::super::mode::{Ask, Kind, Mode};
use super::super::brief::{self, Acquisition, FIRST, LATER, RELEASED, Remembered};
use super::super::{Op, SENDABLE};
use super::{ClassDef, LockDef, NodeDef, Record, Segment, SideWants, SiteDef};

/// Anything that a record can be.
pub(super) enum Item<'a> {
    Segment(Segment<'a>),
    Site(u32, SiteDef<'a>),
    Class(u32, ClassDef<'a>),
    Lock(u64, LockDef),
    Node(u32, NodeDef),
    Record(Record<'a>),
    /// A record that defines its lock.
    First(u64, LockDef, Record<'a>),
}

pub(super) const CUT_OFF: &str = "a record is cut off";
pub(super) const UNKNOWN: &str = "a record of no known kind";
pub(super) const WRONG: &str = "a record's check does not match";

pub(super) const BEFORE: &str = "a record that refers to one that is not there";

/// Decodes the record at `at`; returns it and where the next one starts. What it refers to is `remembered`. A byte
/// that tells of two things is a record twice, and the next one starts where the first of both does.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    at: usize,
    remembered: &mut Remembered,
) -> Result<(Item<'a>, usize), &'static str> {
    let tag = bytes[at];
    if tag >= 0x80 && tag != LATER {
        return if remembered.has_to_release() {
            Ok((brief_record(RELEASED, remembered)?, at + 1))
        } else if let Some(acquired) = brief::without_release(tag) {
            let first = brief_record(acquired, remembered)?;
            remembered.will_release();
            Ok((first, at))
        } else {
            Ok((brief_record(tag, remembered)?, at + 1))
        };
    }
    if tag != LATER && !(Op::DefSite as u8..=Op::Side as u8).contains(&tag) {
        return Err(UNKNOWN);
    }
    let mut decoder = Decoder { bytes, at: at + 1 };
    let read = decoder.read(tag).ok_or(CUT_OFF)?;
    let end = decoder.at;
    let check = *bytes.get(end).ok_or(CUT_OFF)?;
    let sum = bytes[at..end]
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    if check != !sum {
        return Err(WRONG);
    }
    let item = match read {
        Read::Item(item) => {
            match item {
                Item::Segment(_) => *remembered = Remembered::default(),
                Item::Record(Record::Released { lock }) => remembered.released(lock),
                _ => {}
            }
            item
        }
        Read::Acquired(what, place) => {
            remembered.acquired(what, place).ok_or(UNKNOWN)?;
            Item::Record(what.into())
        }
        Read::First(what, class) => {
            remembered.acquired_first(what, class);
            first(what, class)
        }
        Read::Again(place, since) => {
            let what = remembered.again(place, since).ok_or(BEFORE)?;
            Item::Record(what.into())
        }
    };
    Ok((item, end + 1))
}

fn brief_record(tag: u8, remembered: &mut Remembered) -> Result<Item<'static>, &'static str> {
    if tag == RELEASED {
        let lock = remembered.youngest_released().ok_or(BEFORE)?;
        return Ok(Item::Record(Record::Released { lock }));
    }
    if tag == FIRST {
        let (what, class) = remembered.next_first().ok_or(BEFORE)?;
        return Ok(first(what, class));
    }
    let number = brief::number(tag).ok_or(WRONG)?;
    if usize::from(number) >= brief::PLACES {
        return Err(UNKNOWN);
    }
    let what = remembered.again(number, 1).ok_or(BEFORE)?;
    Ok(Item::Record(what.into()))
}

/// The first acquisition of a lock of this class.
fn first(what: Acquisition, class: u32) -> Item<'static> {
    let def = LockDef {
        class,
        rank: None,
        sendable: false,
    };
    Item::First(what.lock, def, what.into())
}

impl From<Acquisition> for Record<'_> {
    fn from(what: Acquisition) -> Self {
        let Acquisition {
            lock,
            mode,
            ask,
            site,
            turn,
        } = what;
        Record::Acquired {
            lock,
            mode,
            ask,
            site,
            turn,
        }
    }
}

/// What the bytes of a record say, before what was remembered is looked at.
enum Read<'a> {
    Item(Item<'a>),
    /// An acquisition, and where it is to be remembered.
    Acquired(Acquisition, Option<u8>),
    /// The first acquisition of a lock, and its class.
    First(Acquisition, u32),
    /// The acquisition in a place, with a turn so much greater.
    Again(u8, u32),
}

/// A place in a record.
pub(super) struct Decoder<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
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

    pub(super) fn text_bytes(&mut self) -> Option<&'a [u8]> {
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

    fn read(&mut self, tag: u8) -> Option<Read<'a>> {
        Some(match tag {
            LATER => Read::Again(self.byte()?, self.number()?),
            8 => Read::Acquired(self.acquisition(Self::number)?, None),
            25 => {
                let mut place = 0;
                let what = self.acquisition(|decoder| {
                    place = decoder.byte()?;
                    decoder.number()
                })?;
                Read::Acquired(what, Some(place))
            }
            26 => {
                let what = self.acquisition(|_| Some(1))?;
                Read::First(what, self.number()?)
            }
            _ => Read::Item(self.item(tag)?),
        })
    }

    /// An acquisition, whose turn is read by `turn`.
    fn acquisition(&mut self, turn: impl FnOnce(&mut Self) -> Option<u32>) -> Option<Acquisition> {
        let lock = self.long()?;
        let (mode, ask) = self.how()?;
        Some(Acquisition {
            lock,
            mode,
            ask,
            site: self.number()?,
            turn: turn(self)?,
        })
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
                    tells: false,
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
                let flags = self.byte()?;
                let holds = match flags & 1 {
                    0 => None,
                    _ => Some(self.lock_at_site()?),
                };
                let wants = self.lock_at_site()?;
                let thread = match flags & 2 {
                    0 => None,
                    _ => Some(self.number()?),
                };
                Record::Finding {
                    code,
                    thread,
                    holds,
                    wants,
                    nobody_runs: flags & 4 != 0,
                    message: self.text()?,
                }
            }
            28 => {
                let thread = self.number()?;
                let flags = self.byte()?;
                let holds = match flags & 1 {
                    0 => None,
                    _ => Some(self.lock_at_site()?),
                };
                let wants = match flags & 2 {
                    0 => SideWants::Object(self.lock_at_site()?),
                    _ => SideWants::End(self.number()?, self.number()?),
                };
                Record::Side {
                    thread,
                    holds,
                    wants,
                }
            }
            27 => Record::Stack {
                thread: self.number()?,
                held: self.long()?,
                lock: self.long()?,
                site: self.number()?,
                by_files: self.text()?,
            },
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
