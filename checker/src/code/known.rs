//! What the functions of other people's crates do to locks: the tables that a new lock library is
//! added to.
//!
//! A function is known by the crate that its path begins with, the type and the method. What is in
//! no table is an ordinary function: it runs the closures it is given before it returns, hands a
//! guard on if its result can hold one, and else drops it.

use std::borrow::Cow;

use lockwise::watch::Mode;

use super::text::last;

mod implied;

pub(crate) use implied::{Implied, Whose, asks_elements, asks_iterators, implied};
pub(crate) use inside::{is_written_elsewhere, variants_without_guards};

/// Whether and how an acquisition waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Waits {
    /// The thread, until it has the lock.
    Thread,
    /// The thread, until somebody else has made the value; only as long as there is none.
    First,
    /// The task, until it has the lock.
    Task,
    /// Not at all, or not for ever.
    Never,
    /// Not at all: it panics where a lock would wait.
    Panics,
}

impl Waits {
    /// Whether a thread or task can wait there for ever.
    pub(crate) fn is_endless(self) -> bool {
        matches!(self, Waits::Thread | Waits::First | Waits::Task)
    }
}

/// Something other than a lock that a thread can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Resource {
    /// A notification.
    Condvar,
    /// The end of a thread.
    Join,
    /// A message.
    Receive,
    /// Room for a message.
    Send,
    /// Others, who come to the same barrier.
    Barrier,
    /// What a function does that is not known.
    Callback,
}

impl Resource {
    /// Its name in reports.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Resource::Condvar => "condvar",
            Resource::Join => "join",
            Resource::Receive | Resource::Send => "channel",
            Resource::Barrier => "barrier",
            Resource::Callback => "callback",
        }
    }
}

/// What a known function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Takes the lock that its first argument points to.
    Acquire(Mode, Waits),
    /// Takes the locks that the parts of its first argument point to, all at once and in one order.
    AcquireAll(Waits),
    /// Initialises what its first argument points to, once, by a closure.
    Initialise,
    /// Drops its argument.
    Drop,
    /// Forgets its argument: what that holds stays held.
    Forget,
    /// Lets go of a lock that no guard stands for any more.
    Frees,
    /// Takes what is in the place that its first argument points to.
    Take,
    /// What is in the places that its two arguments point to changes places.
    Swap,
    /// Takes an element out of the collection that its first argument points to.
    TakeOne,
    /// Drops what is in the place that its first argument points to.
    Empty,
    /// Drops what is in the place that its first argument points to, and puts its second there.
    PutInstead,
    /// Drops some of what is in the collection that its first argument points to.
    Thin,
    /// Runs a closure or future elsewhere.
    Spawn,
    /// Runs a closure while the guard in its first argument is given up.
    Unlocked,
    /// Turns the guard into one of this mode.
    Convert(Mode),
    /// Waits, giving up the guard in its second argument meanwhile.
    Wait,
    /// The same, and no longer than it is told to.
    WaitFor,
    /// Wakes who waits.
    Notify,
    /// Waits for something else.
    Blocks(Resource),
    /// Sends a message.
    Sends,
    /// The result is the first argument, as far as locks are concerned.
    Same,
    /// The result points to what the smart pointer points to.
    Deref,
    /// The result points to what a lazy value holds.
    Force,
    /// The result is the same pointer once more.
    Clone,
    /// The result is or points to an element.
    Element,
    /// The result is the next element of the iterator.
    Next,
    /// Whatever somebody else implements: nothing of it is known here.
    Elsewhere,
    /// Whether an option or result is there (`true`) or is not.
    Asks(bool),
}

/// What the names of guards begin with, before `Guard`. The compiler names a type by the shortest path
/// that leads to it, which can begin with any crate that hands it on: the crate tells little.
const GUARDS: [&str; 13] = [
    "Mutex",
    "RwLock",
    "MappedMutex",
    "MappedRwLock",
    "ReentrantMutex",
    "MappedReentrantMutex",
    "ReentrantLock",
    "Owned",
    "FairMutex",
    "MappedFairMutex",
    "ArcMutex",
    "ArcRwLock",
    "ShardedLock",
];

/// Crates whose locks are awaited.
const ASYNC_CRATES: [&str; 7] = [
    "tokio",
    "async_lock",
    "async_mutex",
    "async_rwlock",
    "async_std",
    "futures",
    "futures_util",
];

/// Types of std that other crates hand on.
const OF_STD: [&str; 12] = [
    "Arc",
    "Rc",
    "Weak",
    "Box",
    "Pin",
    "Option",
    "Result",
    "Vec",
    "HashMap",
    "BTreeMap",
    "VecDeque",
    "PoisonError",
];

/// Types of `dashmap` that hold a shard's lock.
const SHARD_GUARDS: [&str; 9] = [
    "Ref",
    "RefMut",
    "RefMulti",
    "RefMutMulti",
    "Entry",
    "OccupiedEntry",
    "VacantEntry",
    "Iter",
    "IterMut",
];

/// Whether the type whose path this is holds a lock as long as it lives.
pub(crate) fn is_guard(path: &str) -> bool {
    let krate = path.split("::").next().unwrap_or_default();
    let name = last(path);
    if krate == "dashmap" {
        return SHARD_GUARDS.contains(&name) && !path.contains("::set::");
    }
    if inside::is_view(path) {
        return true;
    }
    let is_guard = name.strip_suffix("Guard").is_some_and(|lock| {
        GUARDS.iter().any(|start| lock.starts_with(start)) || lock == "SpinMutex"
    });
    is_guard || name == "MutexLockFuture"
}

/// Whether a guard of this path blocks threads, and not only tasks.
pub(crate) fn blocks_threads(path: &str) -> bool {
    let krate = path.split("::").next().unwrap_or_default();
    !ASYNC_CRATES.contains(&krate) || inside::is_view(path)
}

/// Traits of std that run what they are given, and that other crates hand on.
const TRAITS_OF_STD: [&str; 9] = [
    "Future",
    "IntoFuture",
    "Iterator",
    "DoubleEndedIterator",
    "ExactSizeIterator",
    "IntoIterator",
    "FromIterator",
    "Extend",
    "Drop",
];

/// Whether the function at this path is std's, under whatever name: std runs what it is given before it
/// returns.
pub(crate) fn is_of_std(path: &str) -> bool {
    let krate = path.split("::").next().unwrap_or_default();
    let on = path.rsplit("::").nth(1).unwrap_or_default();
    // Methods of primitive types have no crate.
    matches!(krate, "std" | "core" | "alloc" | "bool" | "str" | "char")
        || OF_STD.contains(&on)
        || TRAITS_OF_STD.contains(&on)
}

/// Methods that put something into what they are called on.
const PUTS_IN: [&str; 12] = [
    "push",
    "push_back",
    "push_front",
    "insert",
    "replace",
    "set",
    "get_or_insert",
    "or_insert",
    "insert_entry",
    "store",
    "extend",
    "swap",
];

/// Whether the method at this path puts its arguments into what it is called on.
pub(crate) fn puts_in(path: &str) -> bool {
    PUTS_IN.contains(&last(path))
}

/// Whether the function at this path keeps what it is given for later: a signal, an event, the end of the
/// process.
pub(crate) fn keeps_handler(path: &str) -> bool {
    let name = last(path);
    let (verb, what) = name.split_once('_').unwrap_or((name, ""));
    match verb {
        "register" | "subscribe" | "atexit" => true,
        "set" | "add" | "on" => {
            matches!(
                what,
                "hook" | "handler" | "callback" | "listener" | "observer" | "exit"
            )
        }
        _ => false,
    }
}

/// Whether a value of the type at this path runs the closure that it keeps when it is dropped.
pub(crate) fn runs_when_dropped(path: &str) -> bool {
    path == "scopeguard::ScopeGuard"
}

/// What becomes of a future that is given to the function at this path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Future {
    /// It is waited for.
    Awaited,
    /// It is waited for, but not for ever.
    Bounded,
    /// That cannot be said.
    Kept,
}

/// What becomes of a future that is given to the function at this path.
pub(crate) fn future(path: &str) -> Future {
    match last(path) {
        "timeout" | "timeout_at" | "now_or_never" => Future::Bounded,
        "into_future" | "maybe_done" | "block_on" => Future::Awaited,
        _ => Future::Kept,
    }
}

/// Whether the function at this path runs the futures that it is given.
pub(crate) fn polls(path: &str) -> bool {
    let name = last(path);
    name.starts_with("poll") || name.starts_with("block_on") || name == "now_or_never"
}

/// What a function of this package's other half does, but for its locks.
fn own(name: &str, method: &str) -> Option<Known> {
    Some(match (name, method) {
        ("acquire", "all") => Known::AcquireAll(Waits::Thread),
        ("acquire", "all_within" | "try_all" | "try_all_within") => Known::AcquireAll(Waits::Never),
        ("thread" | "Builder" | "Scope", "spawn" | "spawn_scoped")
        | ("ThreadPool" | "Worker", "submit" | "map") => Known::Spawn,
        // The result of a job is waited for as the end of a thread is.
        ("JoinHandle" | "ScopedJoinHandle", "join") | ("Future", "wait" | "wait_done") => {
            Known::Blocks(Resource::Join)
        }
        _ => return None,
    })
}

/// What the function `krate::…::on::method` does. `on` is the type's path without generics.
#[expect(
    clippy::match_same_arms,
    clippy::unnested_or_patterns,
    reason = "a table: one line a library and type"
)]
pub(crate) fn function(on: &str, method: &str) -> Option<Known> {
    let krate = on.split("::").next().unwrap_or_default();
    let name = last(on);
    let krate = if OF_STD.contains(&name) { "std" } else { krate };
    let own = || (krate == "lockwise").then(|| own(name, method)).flatten();
    let kept = || collection(krate, name, method);
    if let Some(known) = lock(krate, on, method).or_else(kept).or_else(own) {
        return Some(known);
    }
    Some(match (krate, name, method) {
        ("std" | "core", "mem", "drop") => Known::Drop,
        ("std" | "core", "mem", "forget") => Known::Forget,
        ("std" | "core", "mem" | "ptr", "swap") => Known::Swap,
        ("std" | "core", "mem", "take" | "replace")
        | ("std" | "core", "Option", "take" | "replace")
        | ("std" | "core", "Cell" | "RefCell", "take" | "replace")
        | ("std" | "core", "ptr", "read")
        | ("std" | "core", "ManuallyDrop", "take") => Known::Take,
        ("std" | "core", "Cell", "set") => Known::PutInstead,
        ("std" | "core", "ManuallyDrop", "drop") | ("std" | "core", "ptr", "drop_in_place") => {
            Known::Empty
        }
        ("std", "thread" | "Builder" | "Scope", "spawn" | "spawn_unchecked" | "spawn_scoped") => {
            Known::Spawn
        }
        ("std", "JoinHandle" | "ScopedJoinHandle", "join")
        | ("tokio", "JoinSet", "join_next" | "join_next_with_id" | "join_all") => {
            Known::Blocks(Resource::Join)
        }
        ("std" | "tokio", "Barrier", "wait") => Known::Blocks(Resource::Barrier),
        ("std", "Receiver", "recv")
        | ("crossbeam" | "crossbeam_channel" | "flume", "Receiver", "recv") => {
            Known::Blocks(Resource::Receive)
        }
        // Where the future is made is where it is awaited, as a rule.
        ("tokio", "Receiver" | "UnboundedReceiver", "blocking_recv" | "recv")
        | ("async_channel", "Receiver", "recv" | "recv_blocking")
        | ("flume", "Receiver", "recv_async") => Known::Blocks(Resource::Receive),
        ("tokio", "Sender", "blocking_send" | "send") if on.contains("::mpsc::") => {
            Known::Blocks(Resource::Send)
        }
        ("std", "SyncSender", "send")
        | ("async_channel", "Sender", "send" | "send_blocking")
        | ("flume", "Sender", "send_async") => Known::Blocks(Resource::Send),
        ("std" | "crossbeam" | "crossbeam_channel" | "flume", "Sender", "send" | "try_send") => {
            Known::Sends
        }
        ("tokio", "UnboundedSender", "send") | ("tokio", "Sender", "try_send" | "send") => {
            Known::Sends
        }
        (
            "tokio" | "rayon" | "rayon_core" | "async_std" | "smol" | "crossbeam_utils"
            | "crossbeam" | "futures_executor" | "threadpool" | "blocking",
            _,
            "spawn" | "spawn_blocking" | "spawn_local" | "spawn_ok" | "spawn_fifo" | "execute"
            | "spawn_on" | "spawn_broadcast" | "unblock",
        ) => Known::Spawn,
        (_, "maybe_done", "maybe_done") => Known::Same,
        ("std" | "core", "Option" | "Result", method) => match method {
            "is_some" | "is_ok" => Known::Asks(true),
            "is_none" | "is_err" => Known::Asks(false),
            "take_if" => Known::TakeOne,
            "insert" => Known::PutInstead,
            "unwrap" | "expect" | "unwrap_or_else" | "unwrap_or_default" | "unwrap_or"
            | "unwrap_unchecked" | "ok" | "ok_or" | "ok_or_else" | "map_err" | "as_ref"
            | "as_mut" | "as_deref" | "as_deref_mut" | "or_else" | "as_pin_mut" | "as_pin_ref" => {
                Known::Same
            }
            "cloned" | "copied" => Known::Clone,
            _ => return None,
        },
        (
            "std" | "core",
            "Pin",
            "new" | "new_unchecked" | "as_mut" | "as_ref" | "get_mut" | "get_ref"
            | "get_unchecked_mut" | "into_inner" | "into_ref",
        )
        | ("std" | "alloc", "Box" | "Arc" | "Rc", "new" | "pin" | "into_pin" | "unwrap_or_clone")
        | ("std", "PoisonError", "into_inner" | "get_ref" | "get_mut")
        | ("std" | "core", "ManuallyDrop", "new" | "into_inner") => Known::Same,
        ("std" | "alloc", "Arc" | "Rc", "as_ref" | "get_mut_unchecked") => Known::Deref,
        ("std" | "alloc", "Arc" | "Rc", "clone" | "downgrade")
        | ("std" | "alloc", "Weak", "clone" | "upgrade") => Known::Clone,
        ("once_cell" | "std" | "core", "Lazy" | "LazyLock" | "LazyCell", "force") => Known::Force,
        (
            "once_cell" | "std",
            "OnceCell" | "OnceLock" | "Once",
            "get_or_init" | "get_or_try_init" | "get_mut_or_init" | "call_once" | "call_once_force",
        ) if on.contains("sync") => Known::Initialise,
        ("once_cell" | "std", "OnceCell" | "OnceLock", "get" | "get_mut" | "wait") => Known::Force,
        ("parking_lot", "Once", "call_once" | "call_once_force") => Known::Initialise,
        _ => return None,
    })
}

/// What the collections of std do with what is in them.
fn collection(krate: &str, name: &str, method: &str) -> Option<Known> {
    let is_one = matches!(
        name,
        "Vec"
            | "VecDeque"
            | "HashMap"
            | "BTreeMap"
            | "LinkedList"
            | "BinaryHeap"
            | "HashSet"
            | "BTreeSet"
            | "slice"
            | "array"
            | "<impl [T]>"
    );
    if !is_one || !matches!(krate, "std" | "core" | "alloc") {
        return None;
    }
    Some(match method {
        "clear" => Known::Empty,
        "retain" | "retain_mut" | "truncate" | "dedup" | "dedup_by" | "dedup_by_key" => Known::Thin,
        "drain" => Known::Take,
        "pop" | "pop_front" | "pop_back" | "pop_first" | "pop_last" | "pop_if" | "remove"
        | "swap_remove" | "remove_entry" | "split_off" | "extract_if" => Known::TakeOne,
        "get" | "get_mut" | "first" | "last" | "front" | "back" | "get_unchecked" | "first_mut"
        | "last_mut" => Known::Element,
        "iter" | "iter_mut" | "values" | "values_mut" | "as_slice" | "as_mut_slice" => Known::Same,
        _ => return None,
    })
}

fn lock(krate: &str, on: &str, method: &str) -> Option<Known> {
    use Mode::{Exclusive, RecursiveShared, Reentrant, Shared, Upgradable};
    let name = last(on);
    let blocking = if ASYNC_CRATES.contains(&krate) {
        Waits::Task
    } else {
        Waits::Thread
    };
    if inside::is_one(krate, on) {
        return inside::method(krate, name, method);
    }
    let waits = if method.starts_with("try_") {
        Waits::Never
    } else if method.starts_with("blocking_") {
        Waits::Thread
    } else {
        blocking
    };
    let what = method
        .trim_start_matches("try_")
        .trim_start_matches("blocking_")
        .trim_end_matches("_for")
        .trim_end_matches("_until")
        .trim_end_matches("_arc")
        .trim_end_matches("_owned");
    let known = match (name, what) {
        ("Mutex" | "FairMutex" | "SpinMutex" | "TicketMutex", "lock") => {
            Known::Acquire(Exclusive, waits)
        }
        ("ReentrantMutex" | "ReentrantLock", "lock") => Known::Acquire(Reentrant, waits),
        // There readers do not wait for a writer that waits.
        ("RwLock", "read") if krate == "spin" => Known::Acquire(RecursiveShared, waits),
        ("RwLock" | "ShardedLock", "read") => Known::Acquire(Shared, waits),
        ("RwLock", "read_recursive" | "read_arc_recursive") => {
            Known::Acquire(RecursiveShared, waits)
        }
        ("RwLock" | "ShardedLock", "write") => Known::Acquire(Exclusive, waits),
        ("RwLock", "upgradable_read" | "upgradeable_read") => Known::Acquire(Upgradable, waits),
        (
            "Condvar",
            "wait" | "wait_while" | "wait_timeout" | "wait_timeout_while" | "wait_timeout_ms"
            | "wait_while_for" | "wait_while_until",
        ) => Known::Wait,
        ("Condvar", "notify_one" | "notify_all") => Known::Notify,
        (guard, "unlocked" | "unlocked_fair" | "bump") if guard.ends_with("Guard") => {
            Known::Unlocked
        }
        (guard, "leak") if guard.ends_with("Guard") => Known::Forget,
        (_, method)
            if method.starts_with("force_unlock")
                || method.starts_with("make_") && method.ends_with("guard_unchecked") =>
        {
            Known::Frees
        }
        (guard, "downgrade" | "downgrade_to_read") if guard.ends_with("Guard") => {
            Known::Convert(Shared)
        }
        (guard, "downgrade_to_upgradable" | "downgrade_upgradable") if guard.ends_with("Guard") => {
            Known::Convert(Upgradable)
        }
        (guard, "upgrade") if guard.ends_with("Guard") => Known::Convert(Exclusive),
        _ => return None,
    };
    // A wait that ends by itself needs nobody to end it.
    let timed = method.contains("timeout")
        || (name == "Condvar" && (method.ends_with("_for") || method.ends_with("_until")));
    Some(if timed && known == Known::Wait {
        Known::WaitFor
    } else {
        known
    })
}

/// What a method of a trait does, where the trait says it whatever the type. `on` is the path of
/// the type, without references.
pub(crate) fn of_trait(of: &str, method: &str, on: &str) -> Option<Known> {
    let smart = matches!(last(on), "Arc" | "Rc" | "Weak") || on.is_empty();
    Some(match (last(of), method) {
        (_, "deref" | "deref_mut") if matches!(last(on), "LazyLock" | "Lazy" | "LazyCell") => {
            Known::Force
        }
        // Also under another name: `lazy_static` hands it on as `__Deref`.
        (_, "deref" | "deref_mut") => Known::Deref,
        // What `acquire!` says of one lock.
        ("WantExclusive" | "WantRead" | "WantWrite" | "WantUpgradable", _)
            if method.starts_with("__lockwise_") =>
        {
            Known::Same
        }
        // A task, until it has ended.
        ("Future", "poll") if last(on) == "JoinHandle" => Known::Blocks(Resource::Join),
        // The one message of a channel.
        ("Future", "poll") if on.ends_with("oneshot::Receiver") => Known::Blocks(Resource::Receive),
        // Messages, one by one.
        ("Iterator", "next") if is_messages(on) => Known::Blocks(Resource::Receive),
        (of, method) if of.starts_with("Raw") && method.starts_with("unlock") => Known::Frees,
        ("AsRef" | "Borrow" | "BorrowMut" | "AsMut", _) if smart || last(on) == "Box" => {
            Known::Deref
        }
        ("Clone", "clone") if smart || last(on) == "Option" || inside::is_handle(on) => {
            Known::Clone
        }
        ("Try", "branch") | ("IntoFuture", "into_future") | ("IntoIterator", "into_iter") => {
            Known::Same
        }
        ("Index" | "IndexMut", _) => Known::Element,
        ("Iterator", "next") => Known::Next,
        ("FutureExt", "boxed" | "boxed_local" | "fuse")
        | (
            "Iterator" | "DoubleEndedIterator",
            "filter" | "rev" | "skip" | "take" | "step_by" | "inspect" | "peekable" | "fuse"
            | "by_ref" | "take_while" | "skip_while" | "cycle" | "cloned" | "copied",
        ) => Known::Same,
        _ => return None,
    })
}

/// The path of a trait under its own crate's name, where the compiler names it by what a macro of another calls it:
/// `lazy_static` hands `Deref` on, and what is derived for serde has that crate at hand as `_serde`.
pub(crate) fn own_path(of: &str) -> Cow<'_, str> {
    if last(of) == "__Deref" {
        return Cow::Borrowed("std::ops::Deref");
    }
    match of.split_once("_::_serde::") {
        Some((_, rest)) => Cow::Owned(format!("serde::{rest}")),
        None => Cow::Borrowed(of),
    }
}

/// Whether an iterator of this path waits for messages.
fn is_messages(on: &str) -> bool {
    let mut parts = on.rsplit("::");
    matches!(parts.next(), Some("Iter" | "IntoIter"))
        && matches!(
            parts.next(),
            Some("mpsc" | "channel" | "crossbeam_channel" | "flume")
        )
}

mod inside;

#[cfg(test)]
mod tests;
