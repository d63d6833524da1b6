//! What a thread tells the log.

use std::sync::atomic::Ordering::Relaxed;

use super::super::identity::LockId;
use super::super::log::{Op, Part, Record, Writer};
use super::super::settings;
use super::{At, Slot, split};

impl Slot {
    fn writer(&self) -> Writer<'_> {
        Writer {
            thread: self.thread.load(Relaxed),
            flags: self.flags.get(),
            name: self.name_bytes(),
        }
    }

    /// Writes a record without texts into the log, if there is one.
    #[inline]
    pub(in super::super) fn log(&self, op: Op, fill: impl FnOnce(Record) -> Record) {
        if settings::log_wanted() {
            self.define_at_last();
            self.cursor.plain(self.writer(), op, fill);
        }
    }

    /// Has a lock that was just numbered, and that has no trait, defined in the log by its first acquisition, if that
    /// is what this thread tells of next, else before that. Its class is defined there.
    pub(in super::super) fn define_later(&self, lock: LockId) {
        self.define_at_last();
        self.undefined.set(lock.0);
    }

    /// Whether the lock is the one that is to be defined by its first acquisition. It counts as defined from now on.
    #[inline]
    pub(in super::super) fn defines_first(&self, lock: u64) -> bool {
        let first = self.undefined.get() == lock;
        if first {
            self.undefined.set(0);
        }
        first
    }

    /// Defines the lock that was to be defined by its first acquisition, if there is one.
    #[inline]
    fn define_at_last(&self) {
        if self.undefined.get() != 0 {
            self.define_late();
        }
    }

    #[inline(never)]
    fn define_late(&self) {
        let (instance, class) = split(LockId(self.undefined.take()));
        self.cursor.plain(self.writer(), Op::DefLock, |record| {
            record.number(instance).number(class).small(0)
        });
    }

    /// Writes a short record into the log, if there is room for it in this thread's chunk. What is stale was
    /// forgotten.
    #[inline]
    pub(in super::super) fn log_short(&self, op: Op, first: Part, second: Part) -> bool {
        self.cursor.short(op, first, second)
    }

    /// Writes an acquisition into the log as [`Cursor::acquired_next`] does. What is stale was forgotten.
    #[inline]
    pub(in super::super) fn log_acquired_next(&self, lock: u64, at: At, turn: u32) -> bool {
        let below = self.depth().wrapping_sub(1);
        self.cursor.acquired_next(below, (lock, at.word(), turn))
    }

    /// Writes an acquisition into the log as [`Cursor::acquired`] does. What is stale was forgotten.
    pub(in super::super) fn log_acquired(
        &self,
        lock: u64,
        at: At,
        turn: u32,
        parts: impl FnOnce() -> Option<Part>,
    ) -> bool {
        let below = self.depth().wrapping_sub(1);
        self.cursor.acquired(below, (lock, at.word(), turn), parts)
    }

    /// The number of a lock, and how and where it is held, as part of a record, if this thread has met the site
    /// lately.
    #[inline]
    pub(in super::super) fn acquired_part(&self, number: u64, at: At) -> Option<Part> {
        let takes = Part::takes(number);
        let site = self.site_part(at.site_word()).filter(|_| takes)?;
        Some(Part::number(number).small(at.how_logged()).then(site))
    }

    /// Writes the first acquisition of a lock into the log as [`Cursor::acquired_first`] does. What is stale was
    /// forgotten.
    pub(in super::super) fn log_acquired_first(&self, lock: u64, at: At) -> bool {
        let parts = || {
            let (number, class) = split(LockId(lock));
            let what = self.acquired_part(number, at)?;
            Some((what, Part::number(class.into())))
        };
        let below = self.depth().wrapping_sub(1);
        let what = (lock, at.word());
        self.cursor.acquired_first(below, what, parts)
    }

    /// Writes the release of the youngest lock as [`Cursor::youngest_released`] does. What is stale was
    /// forgotten.
    #[inline]
    pub(in super::super) fn log_youngest_released(&self) -> bool {
        self.cursor.youngest_released(self.depth())
    }

    /// The reader of the log is not told that the youngest lock was acquired.
    pub(in super::super) fn lose_track(&self) {
        self.cursor.lose_track();
    }

    /// Writes a record with texts into the log, if there is one.
    pub(in super::super) fn log_texts(&self, op: Op, fill: impl FnOnce(Record) -> Record) {
        if settings::log_wanted() {
            self.define_at_last();
            self.cursor.texts(self.writer(), op, fill);
        }
    }
}
