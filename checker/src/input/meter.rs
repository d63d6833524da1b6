//! How far the reading of long files is.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Read};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The how-manieth input is read, from 1.
    pub number: usize,
    /// How much of it, in percent, where it is long.
    pub percent: Option<u64>,
    /// Whether it is read once more.
    pub again: bool,
}

/// Shorter files are read before anybody could look at a percentage, in bytes.
const LONG: u64 = 32 << 20;

/// Tells how far it is.
pub(super) struct Meter<'a> {
    tell: RefCell<&'a mut dyn FnMut(Seen)>,
    number: Cell<usize>,
}

impl fmt::Debug for Meter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number.get();
        f.debug_struct("Meter")
            .field("number", &number)
            .finish_non_exhaustive()
    }
}

impl<'a> Meter<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(Seen)) -> Self {
        Meter {
            tell: RefCell::new(tell),
            number: Cell::new(0),
        }
    }

    /// The next input begins.
    pub(super) fn next(&self) {
        self.number.set(self.number.get() + 1);
        self.tell(None, false);
    }

    /// Which input is read, from 1.
    pub(super) fn number(&self) -> usize {
        self.number.get()
    }

    /// An input is read once more.
    pub(super) fn again(&self, number: usize) {
        self.number.set(number);
        self.tell(None, true);
    }

    /// `file`, of so many bytes, as a reader that tells how far it is.
    pub(super) fn of<R>(&self, file: R, length: u64, again: bool) -> Metered<'_, 'a, R> {
        Metered {
            file,
            length,
            done: 0,
            percent: 0,
            again,
            meter: self,
        }
    }

    fn tell(&self, percent: Option<u64>, again: bool) {
        let seen = Seen {
            number: self.number.get(),
            percent,
            again,
        };
        (self.tell.borrow_mut())(seen);
    }
}

/// A reader that tells how far it is.
#[derive(Debug)]
pub(super) struct Metered<'m, 'a, R> {
    file: R,
    length: u64,
    done: u64,
    percent: u64,
    again: bool,
    meter: &'m Meter<'a>,
}

impl<R: Read> Read for Metered<'_, '_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        self.done += count as u64;
        let percent = self.done.saturating_mul(100) / self.length.max(1);
        if self.length >= LONG && percent > self.percent {
            self.percent = percent;
            self.meter.tell(Some(percent.min(100)), self.again);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told while so many bytes are read that a file of this length has.
    fn told(length: u64, again: bool) -> Vec<Seen> {
        let mut told = Vec::new();
        let mut tell = |seen| told.push(seen);
        let meter = Meter::new(&mut tell);
        meter.next();
        let mut reader = meter.of(io::repeat(0).take(length), length, again);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        told
    }

    #[test]
    fn a_long_file_tells_each_percent_once_and_in_order() {
        let told = told(LONG, true);
        let percents: Vec<u64> = told.iter().filter_map(|seen| seen.percent).collect();
        assert_eq!(percents, (1..=100).collect::<Vec<_>>());
        assert!(told[1..].iter().all(|seen| seen.again && seen.number == 1));
    }

    #[test]
    fn a_short_file_tells_that_it_is_read_and_no_more() {
        let begun = Seen {
            number: 1,
            percent: None,
            again: false,
        };
        assert_eq!(told(1_000, false), [begun]);
    }
}
