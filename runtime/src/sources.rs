//! The sources from which overlays are built, by path in this package.
//!
//! A program under watch is built with stand-ins for std and some crates, by its own compiler, on
//! whatever machine: so these sources travel inside the checker, which has them from here. For each
//! folder in `overlays/` that changes a crate there is a line in [`OVERLAYS`].

/// The overlays that stand in for a crate by changing its sources, by folder.
pub const OVERLAYS: [&str; 11] = [
    "dashmap_4",
    "dashmap_5_0",
    "dashmap",
    "lock_api",
    "lock_api_0_5",
    "once_cell",
    "parking_lot",
    "parking_lot_0_13",
    "spin",
    "tokio",
    "tracing_subscriber",
];

macro_rules! files {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../", $path)))),*]
    };
}

/// All files, sorted by path.
pub const FILES: &[(&str, &str)] = files![
    "overlays/core/lib.rs"
    "overlays/dashmap/lockwise.rs"
    "overlays/dashmap/overlay.toml"
    "overlays/dashmap_4/lockwise.rs"
    "overlays/dashmap_4/overlay.toml"
    "overlays/dashmap_5_0/lockwise.rs"
    "overlays/dashmap_5_0/overlay.toml"
    "overlays/lock_api/lockwise.rs"
    "overlays/lock_api/made.rs"
    "overlays/lock_api/overlay.toml"
    "overlays/lock_api/tag.rs"
    "overlays/lock_api_0_5/condvar.rs"
    "overlays/lock_api_0_5/lockwise.rs"
    "overlays/lock_api_0_5/mutex.rs"
    "overlays/lock_api_0_5/overlay.toml"
    "overlays/lock_api_0_5/rwlock.rs"
    "overlays/lock_api_0_5/watched.rs"
    "overlays/once_cell/lockwise.rs"
    "overlays/once_cell/overlay.toml"
    "overlays/parking_lot/lockwise.rs"
    "overlays/parking_lot/overlay.toml"
    "overlays/parking_lot_0_13/lockwise.rs"
    "overlays/parking_lot_0_13/overlay.toml"
    "overlays/spin/lockwise.rs"
    "overlays/spin/overlay.toml"
    "overlays/spinning/word.rs"
    "overlays/std/lib.rs"
    "overlays/tokio/overlay.toml"
    "overlays/tracing_subscriber/overlay.toml"
    "src/raw/mutex.rs"
    "src/raw/rwlock.rs"
    "src/raw/watched.rs"
    "src/stdsync/barrier.rs"
    "src/stdsync/condvar.rs"
    "src/stdsync/entry.rs"
    "src/stdsync/entry/hang.rs"
    "src/stdsync/held.rs"
    "src/stdsync/identify.rs"
    "src/stdsync/lazy_lock.rs"
    "src/stdsync/mod.rs"
    "src/stdsync/mpsc.rs"
    "src/stdsync/mutex.rs"
    "src/stdsync/named.rs"
    "src/stdsync/nightly.rs"
    "src/stdsync/nightly/cells.rs"
    "src/stdsync/nightly/channels.rs"
    "src/stdsync/nightly/mapped.rs"
    "src/stdsync/nightly/values.rs"
    "src/stdsync/once.rs"
    "src/stdsync/once_lock.rs"
    "src/stdsync/rwlock.rs"
    "src/tag/carried.rs"
    "src/tag/enabled.rs"
    "src/thread/builder.rs"
    "src/thread/handle.rs"
    "src/thread/mod.rs"
    "src/thread/nightly.rs"
    "src/thread/parking.rs"
    "src/thread/scope.rs"
    "src/thread/sleeping.rs"
    "src/thread/unix.rs"
    "src/thread/windows.rs"
    "src/watch/account.rs"
    "src/watch/atomic.rs"
    "src/watch/finding.rs"
    "src/watch/hooks.rs"
    "src/watch/hooks/ascending.rs"
    "src/watch/hooks/asked.rs"
    "src/watch/hooks/blocking.rs"
    "src/watch/hooks/duties.rs"
    "src/watch/hooks/foreign.rs"
    "src/watch/hooks/holds.rs"
    "src/watch/hooks/judging.rs"
    "src/watch/hooks/leaf.rs"
    "src/watch/hooks/live.rs"
    "src/watch/hooks/noting.rs"
    "src/watch/hooks/patience.rs"
    "src/watch/hooks/stall.rs"
    "src/watch/hooks/standstill.rs"
    "src/watch/hooks/threads.rs"
    "src/watch/hooks/waits.rs"
    "src/watch/identity.rs"
    "src/watch/log/brief.rs"
    "src/watch/log/brief/tests.rs"
    "src/watch/log/encode.rs"
    "src/watch/log/encode/tests.rs"
    "src/watch/log/mapping.rs"
    "src/watch/log/mapping/mapped.rs"
    "src/watch/log/mapping/unsupported.rs"
    "src/watch/log/mod.rs"
    "src/watch/log/read.rs"
    "src/watch/log/read/decode.rs"
    "src/watch/log/writer.rs"
    "src/watch/log/writer/path.rs"
    "src/watch/memory.rs"
    "src/watch/memory/pages.rs"
    "src/watch/mod.rs"
    "src/watch/mode.rs"
    "src/watch/order.rs"
    "src/watch/order/children.rs"
    "src/watch/order/held_at.rs"
    "src/watch/order/leaves.rs"
    "src/watch/order/links.rs"
    "src/watch/order/locks.rs"
    "src/watch/order/search.rs"
    "src/watch/order/threads.rs"
    "src/watch/order/threads/tests.rs"
    "src/watch/own_lock.rs"
    "src/watch/platform.rs"
    "src/watch/platform/asleep.rs"
    "src/watch/platform/asleep/tests.rs"
    "src/watch/platform/awake.rs"
    "src/watch/platform/clocks.rs"
    "src/watch/platform/no_clocks.rs"
    "src/watch/platform/no_signal.rs"
    "src/watch/platform/other.rs"
    "src/watch/platform/short_name.rs"
    "src/watch/platform/short_name/tests.rs"
    "src/watch/platform/signal.rs"
    "src/watch/platform/test_runner.rs"
    "src/watch/platform/test_runner/tests.rs"
    "src/watch/platform/unix.rs"
    "src/watch/process.rs"
    "src/watch/process/start.rs"
    "src/watch/reaction.rs"
    "src/watch/registry.rs"
    "src/watch/settings.rs"
    "src/watch/site.rs"
    "src/watch/slot.rs"
    "src/watch/slot/entry.rs"
    "src/watch/slot/held.rs"
    "src/watch/slot/table.rs"
    "src/watch/slot/table/tests.rs"
    "src/watch/slot/telling.rs"
    "src/watch/stack.rs"
    "src/watch/stack/files.rs"
    "src/watch/stack/files/tests.rs"
    "src/watch/stack/unwinder.rs"
    "src/watch/stack/without.rs"
    "src/watch/wait_for.rs"
    "src/watch/wait_for/search.rs"
    "src/watch/wait_for/spent.rs"
    "src/watch/wait_for/spent/tests.rs"
    "src/watch/wait_for/waiting.rs"
];

/// The text of a file.
pub fn text(path: &str) -> Option<&'static str> {
    let at = FILES.binary_search_by_key(&path, |(path, _)| path).ok()?;
    Some(FILES[at].1)
}

#[cfg(test)]
mod tests;
