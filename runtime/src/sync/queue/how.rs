//! Where and how somebody asks: [`How`].

use crate::sync::deadline::Deadline;
use crate::watch::Site;

/// Where and how somebody asks.
#[derive(Debug, Clone, Copy)]
pub(in crate::sync) struct How {
    pub(in crate::sync) at: Site,
    /// The wait has a deadline.
    pub(in crate::sync) timed: bool,
    /// A thread waits, and no task.
    pub(in crate::sync) by_thread: bool,
}

impl How {
    /// A thread, which waits until `deadline`.
    #[inline]
    pub(in crate::sync) fn until(deadline: Deadline, at: Site) -> How {
        let timed = deadline.is_timed();
        let by_thread = true;
        How {
            at,
            timed,
            by_thread,
        }
    }

    /// A task, which keeps no thread waiting, or somebody who does not wait.
    #[inline]
    pub(in crate::sync) fn of_task(at: Site, timed: bool) -> How {
        let by_thread = false;
        How {
            at,
            timed,
            by_thread,
        }
    }
}
