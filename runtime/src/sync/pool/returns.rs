//! Memory of jobs that are done, on its way back to those who submit jobs: [`Returns`].
//!
//! An allocator gives a thread most quickly what that very thread has given back; what another one frees costs both a
//! lock, for which they wait for each other. So a worker keeps what is left of jobs, and hands it back by the batch;
//! who submits a job drops one of those before it asks for memory, and gets that. No code of the program runs by
//! that: of a job that is done and that nobody waits for there is nothing left but memory.

use parking_lot::Mutex;

use crate::sync::promise::Spent;

/// So many are handed back together.
const BATCH: usize = 16;
/// With so many nobody seems to want them.
const MOST: usize = 4 * BATCH;

/// What was handed back, and nobody has taken yet.
#[derive(Default)]
pub(super) struct Returns(Mutex<Vec<Spent>>);

/// What one worker has not handed back yet.
pub(super) struct Batch<'a> {
    to: &'a Returns,
    row: Vec<Spent>,
}

impl Returns {
    /// Drops one, if there is one and nobody else is about to.
    #[inline]
    pub(super) fn drop_one(&self) {
        let spent = self.0.try_lock().and_then(|mut row| row.pop());
        drop(spent);
    }

    /// What one worker is to hand back.
    pub(super) fn batch(&self) -> Batch<'_> {
        Batch {
            to: self,
            row: Vec::new(),
        }
    }
}

impl Batch<'_> {
    /// Adds one.
    #[inline]
    pub(super) fn add(&mut self, spent: Option<Spent>) {
        if let Some(spent) = spent {
            self.row.push(spent);
            if self.row.len() >= BATCH {
                self.hand_back();
            }
        }
    }

    #[inline(never)]
    fn hand_back(&mut self) {
        if let Some(mut row) = self.to.0.try_lock()
            && row.len() < MOST
        {
            row.append(&mut self.row);
        }
        self.row.clear();
    }
}

#[cfg(test)]
mod tests;
