//! Signals that are meant for the program, not for us.
//!
//! Ctrl-C in a terminal reaches the whole foreground group, the child included: we only have to
//! outlive it. A signal sent to us alone (by a CI runner, by `kill`) is passed on. The two cannot be
//! told apart, and some programs take a second interrupt for "at once"; so an interrupt is passed on
//! only where no terminal is attached, while SIGTERM and SIGHUP always are, which does no harm.

use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

/// While it lives, signals go to the child.
#[derive(Debug)]
pub(super) struct Guard {
    /// The child's process number; 0 before it has one.
    child: Arc<AtomicI32>,
    /// When set, signals do to us again what they do by default.
    ended: Arc<AtomicBool>,
    /// The thread that passes signals on, if it could be started.
    handle: Option<Handle>,
}

impl Guard {
    /// From now on, signals do not end us.
    pub(super) fn new() -> Guard {
        let child = Arc::new(AtomicI32::new(0));
        let ended = Arc::new(AtomicBool::new(false));
        let all = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
        for signal in all {
            // Fails only for signals that cannot be caught, and these can.
            let _ = signal_hook::flag::register_conditional_default(signal, ended.clone());
        }
        let handle = Signals::new(all).ok().map(|mut signals| {
            let handle = signals.handle();
            let child = child.clone();
            std::thread::spawn(move || {
                for signal in signals.forever() {
                    pass_on(signal, child.load(Ordering::SeqCst));
                }
            });
            handle
        });
        Guard {
            child,
            ended,
            handle,
        }
    }

    /// Tells to whom signals go.
    pub(super) fn forward_to(&self, child: u32) {
        let child = i32::try_from(child).unwrap_or(0);
        self.child.store(child, Ordering::SeqCst);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // First, or a late signal might go to a stranger with the same number.
        self.child.store(0, Ordering::SeqCst);
        self.ended.store(true, Ordering::SeqCst);
        if let Some(handle) = &self.handle {
            handle.close();
        }
    }
}

/// Sends the child a signal that it may not have got by itself.
fn pass_on(signal: i32, child: i32) {
    let attached = io::stdin().is_terminal() || io::stderr().is_terminal();
    if matches!(signal, SIGINT | SIGQUIT) && attached {
        return;
    }
    if let (Some(pid), Some(signal)) = (Pid::from_raw(child), Signal::from_named_raw(signal)) {
        // It may have ended by now.
        let _ = kill_process(pid, signal);
    }
}

/// The code that the child returned, or 128 + n after signal n.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1)
}
