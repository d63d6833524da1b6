//! The two layouts of an event, and how a file of them is known.

/// Where the parts of an event are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Ltb1,
    RapidBin,
}

/// The first bytes of `LTB1`.
pub(super) const LTB: &[u8] = b"LTB";

/// An event, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) op: u8,
    pub(super) thread: u16,
    pub(super) argument: u64,
    pub(super) location: u32,
}

impl Layout {
    /// How many bytes come before the first event.
    pub(super) fn header(self) -> usize {
        match self {
            Layout::Ltb1 => 32,
            Layout::RapidBin => 18,
        }
    }

    /// Takes an event apart.
    pub(super) fn word(self, bytes: [u8; 8]) -> Word {
        match self {
            Layout::Ltb1 => Word::of_ltb1(bytes),
            Layout::RapidBin => Word::of_rapid_bin(bytes),
        }
    }
}

impl Word {
    #[inline]
    pub(super) fn of_ltb1(bytes: [u8; 8]) -> Word {
        let word = u64::from_le_bytes(bytes);
        Word {
            op: narrow(word & 0xf),
            thread: narrow(word >> 4 & 0xffff),
            argument: word >> 20 & 0xff_ffff,
            location: narrow(word >> 44),
        }
    }

    #[inline]
    pub(super) fn of_rapid_bin(bytes: [u8; 8]) -> Word {
        let word = u64::from_be_bytes(bytes);
        Word {
            op: narrow(word >> 10 & 0xf),
            thread: narrow(word & 0x3ff),
            argument: word >> 14 & 0x3_ffff_ffff,
            location: narrow(word >> 48 & 0x7fff),
        }
    }
}

/// A number that has few bits by the mask that it was cut out with.
#[inline]
fn narrow<T: TryFrom<u64>>(number: u64) -> T {
    T::try_from(number).ok().expect("the mask leaves few bits")
}

/// Whether a file that starts with these bytes is a packed trace. `RapidBin` has no letters to be
/// known by: its header must make sense, and so must the words behind it.
pub fn is_packed(head: &[u8]) -> bool {
    head.starts_with(LTB) && head.get(3).is_some_and(u8::is_ascii_digit) && head.len() > 4
        || is_rapid_bin(head)
}

fn is_rapid_bin(head: &[u8]) -> bool {
    /// Words that are looked at.
    const WORDS: usize = 64;
    let Some((header, words)) = head.split_at_checked(Layout::RapidBin.header()) else {
        return false;
    };
    let number = |range: std::ops::Range<usize>| {
        let bytes = header[range].iter();
        bytes.fold(0_u64, |number, &byte| number << 8 | u64::from(byte))
    };
    let (threads, locks, variables) = (number(0..2), number(2..6), number(6..10));
    let events = number(10..18);
    let sound = |bytes: &[u8]| {
        let word = Layout::RapidBin.word(bytes.try_into().expect("chunks of eight bytes"));
        let of_table = match word.op {
            0 | 1 | 8 => word.argument <= locks,
            2 | 3 => word.argument <= variables,
            4 | 5 => word.argument <= 1024,
            _ => false,
        };
        bytes[0] < 0x80 && u64::from(word.thread) <= threads && of_table
    };
    (1..=1024).contains(&threads)
        && (1..1 << 48).contains(&events)
        && locks < 1 << 31
        && variables < 1 << 31
        && words.len() >= 8
        && words.chunks_exact(8).take(WORDS).all(sound)
}
