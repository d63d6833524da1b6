//! Locks that objects of other crates keep inside: a method takes one, and what it hands out may hold it.

use lockwise::watch::Mode;

use super::{Known, Waits};
use crate::code::text::last;

/// Whether the type at a path keeps a lock inside.
pub(super) fn is_one(krate: &str, on: &str) -> bool {
    match krate {
        "dashmap" => true,
        "prometheus_client" => last(on) == "Family",
        "tokio" => on.contains("::watch::"),
        _ => false,
    }
}

/// Whether the type at a path lets its owner look at what such a lock protects, and holds it meanwhile.
pub(super) fn is_view(path: &str) -> bool {
    path.starts_with("tokio::") && path.ends_with("::watch::Ref")
}

/// Whether a copy of a value of the type at a path leads to the same lock.
pub(super) fn is_handle(path: &str) -> bool {
    path.starts_with("tokio::") && path.contains("::watch::")
}

/// Whether the lock that a method takes is written by others who have another object for it: the sender of what a
/// `tokio::sync::watch::Receiver` looks at.
pub(crate) fn is_written_elsewhere(path: &str) -> bool {
    path.starts_with("tokio::") && path.contains("::watch::Receiver::")
}

/// What a method of such a type does.
pub(super) fn method(krate: &str, name: &str, method: &str) -> Option<Known> {
    match krate {
        "dashmap" => shards(name, method),
        "prometheus_client" => family(method),
        _ => watched(method),
    }
}

/// `dashmap`: every access takes the lock of one shard. Readers do not wait for a writer that waits.
fn shards(name: &str, method: &str) -> Option<Known> {
    if !matches!(name, "DashMap" | "DashSet") {
        return None;
    }
    let mode = match method {
        "get" | "contains_key" | "contains" | "view" | "iter" | "len" | "is_empty" => {
            Mode::RecursiveShared
        }
        "get_mut" | "insert" | "remove" | "remove_if" | "remove_if_mut" | "entry" | "alter"
        | "alter_all" | "iter_mut" | "retain" | "clear" | "shrink_to_fit" => Mode::Exclusive,
        "try_get" => return Some(Known::Acquire(Mode::RecursiveShared, Waits::Never)),
        "try_get_mut" | "try_entry" => return Some(Known::Acquire(Mode::Exclusive, Waits::Never)),
        _ => return None,
    };
    Some(Known::Acquire(mode, Waits::Thread))
}

/// Of an enum of another crate.
pub(crate) struct WithoutGuards {
    /// The variants in which there is no guard, by number.
    pub numbers: &'static [u64],
    /// How many variants there are.
    pub all: u64,
}

/// The variants that hold no guard of the enum at a path, if it is known: what `try_get` of a map returns has one only
/// where the key is `Present`, not where it is `Absent` or the shard `Locked`.
pub(crate) fn variants_without_guards(path: &str) -> Option<WithoutGuards> {
    let is_try_result = path.starts_with("dashmap::") && last(path) == "TryResult";
    is_try_result.then_some(WithoutGuards {
        numbers: &[1, 2],
        all: 3,
    })
}

/// `prometheus_client::metrics::family::Family`: the first who asks for a metric puts it in, under the write
/// lock; what is handed out reads.
fn family(method: &str) -> Option<Known> {
    let mode = match method {
        "get" => Mode::Shared,
        "get_or_create" | "get_or_create_owned" | "remove" | "clear" => Mode::Exclusive,
        _ => return None,
    };
    Some(Known::Acquire(mode, Waits::Thread))
}

/// `tokio::sync::watch`: who looks at the value reads, who sends another one writes. Both block the thread.
fn watched(method: &str) -> Option<Known> {
    let mode = match method {
        "borrow" | "borrow_and_update" => Mode::Shared,
        // What it hands out once the value is as it should be.
        "wait_for" => return Some(Known::Acquire(Mode::Shared, Waits::Task)),
        "send" | "send_replace" | "send_modify" | "send_if_modified" => Mode::Exclusive,
        _ => return None,
    };
    Some(Known::Acquire(mode, Waits::Thread))
}
