//! Waits that a text trace tells in one line.
//!
//! Where the line stands the wait began; it ended somewhere before the thread's next event. Read as one, the
//! thread would hold the lock while others take it. So the end is put right before the next event of
//! the thread, or before what joins it.

use std::collections::BTreeMap;

use crate::trace::{Event, Op, ThreadId};

/// Ends of waits that are still to come.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// The thread that has just begun to wait.
    begun: Option<ThreadId>,
    ends: BTreeMap<ThreadId, Event>,
}

impl Late {
    /// Hands on the next event of the trace, and before it the end of a wait that it shows to be over.
    pub(super) fn put(&mut self, event: Event, each: &mut dyn FnMut(Event)) {
        let begun = self.begun.take();
        if matches!(event.op, Op::WaitEnd { .. }) && begun == Some(event.thread) {
            self.ends.insert(event.thread, event);
            return;
        }
        if let Op::WaitBegin { .. } = event.op {
            self.begun = Some(event.thread);
        }
        if !self.ends.is_empty() {
            let joined = match event.op {
                Op::Join { child } => Some(child),
                _ => None,
            };
            for thread in [Some(event.thread), joined].into_iter().flatten() {
                if let Some(end) = self.ends.remove(&thread) {
                    each(end);
                }
            }
        }
        each(event);
    }

    /// Hands on all that is left, at the end of the trace.
    pub(super) fn finish(&mut self, each: &mut dyn FnMut(Event)) {
        for end in std::mem::take(&mut self.ends).into_values() {
            each(end);
        }
    }
}
