//! Tests.

use super::*;
use crate::history::blocks_itself;

#[test]
fn locks_are_known_by_crate_type_and_method() {
    let exclusive = Some(Known::Acquire(Mode::Exclusive, Waits::Thread));
    assert_eq!(function("std::sync::Mutex", "lock"), exclusive);
    assert_eq!(
        function("parking_lot::lock_api::Mutex", "lock_arc"),
        exclusive
    );
    assert_eq!(function("dashmap::DashMap", "insert"), exclusive);
    assert_eq!(
        function("tokio::sync::RwLock", "read_owned"),
        Some(Known::Acquire(Mode::Shared, Waits::Task))
    );
    assert_eq!(function("tokio::sync::Mutex", "blocking_lock"), exclusive);
    assert_eq!(
        function("crossbeam_utils::sync::ShardedLock", "write"),
        exclusive
    );
    assert_eq!(
        function("async_rwlock::RwLock", "read"),
        Some(Known::Acquire(Mode::Shared, Waits::Task))
    );
    // The compiler takes the shortest way to a type, through whatever crate hands it on.
    assert_eq!(function("prelude::Mutex", "lock"), exclusive);
    assert_eq!(function("prelude::Arc", "new"), Some(Known::Same));
}

#[test]
fn what_std_lends_to_others_is_known_under_their_names() {
    let deref = of_trait("lazy_static::__Deref", "deref", "std::sync::Arc");
    assert_eq!(deref, Some(Known::Deref));
    let force = of_trait("lazy_static::__Deref", "deref", "std::sync::LazyLock");
    assert_eq!(force, Some(Known::Force));
    // A future in a box is still that future.
    let boxed = of_trait(
        "futures_util::FutureExt",
        "boxed",
        "{async block@a.rs:1:1: 2:2}",
    );
    assert_eq!(boxed, Some(Known::Same));
}

#[test]
fn traits_are_known_by_their_own_crate() {
    let own = |of: &str| own_path(of).into_owned();
    assert_eq!(own("lazy_static::__Deref"), "std::ops::Deref");
    assert_eq!(own("app::_::_serde::Deserialize"), "serde::Deserialize");
    assert_eq!(own("_::_serde::de::Visitor"), "serde::de::Visitor");
    assert_eq!(own("app::serde::Deserialize"), "app::serde::Deserialize");
}

#[test]
fn what_ends_by_itself_waits_for_nobody() {
    for method in ["try_lock", "try_lock_for", "try_lock_until"] {
        assert_eq!(
            function("parking_lot::lock_api::Mutex", method),
            Some(Known::Acquire(Mode::Exclusive, Waits::Never)),
            "{method}"
        );
    }
    assert_ne!(
        function("std::sync::Condvar", "wait_timeout"),
        Some(Known::Wait)
    );
    assert_eq!(
        function("std::sync::Condvar", "wait_while"),
        Some(Known::Wait)
    );
}

#[test]
fn locks_inside_other_objects_are_known() {
    let acquires = |mode| Some(Known::Acquire(mode, Waits::Thread));
    let family = "prometheus_client::metrics::family::Family";
    assert_eq!(function(family, "get_or_create"), acquires(Mode::Exclusive));
    assert_eq!(function(family, "get"), acquires(Mode::Shared));
    assert_eq!(function(family, "new_with_constructor"), None);
    let sender = "tokio::sync::watch::Sender";
    assert_eq!(function(sender, "borrow"), acquires(Mode::Shared));
    assert_eq!(function(sender, "send"), acquires(Mode::Exclusive));
    assert_eq!(function(sender, "subscribe"), None);
    assert_eq!(
        function("tokio::sync::watch::Receiver", "wait_for"),
        Some(Known::Acquire(Mode::Shared, Waits::Task))
    );
    let receiver = of_trait("std::clone::Clone", "clone", "tokio::sync::watch::Receiver");
    assert_eq!(receiver, Some(Known::Clone));
    assert_eq!(
        function("tokio::sync::mpsc::Sender", "send"),
        Some(Known::Blocks(Resource::Send))
    );
    assert!(is_guard("tokio::sync::watch::Ref") && blocks_threads("tokio::sync::watch::Ref"));
    assert!(!is_guard("std::cell::Ref"));
}

#[test]
fn handlers_are_kept_for_later() {
    for path in [
        "signal_hook_registry::register_sigaction",
        "signal_hook::low_level::register",
        "ctrlc::set_handler",
        "bus::Bus::subscribe",
    ] {
        assert!(keeps_handler(path), "{path}");
    }
    for path in ["itertools::Itertools::for_each", "cell::Cell::set", "a::on"] {
        assert!(!keeps_handler(path), "{path}");
    }
}

#[test]
fn guards_are_guards_of_locks() {
    assert!(is_guard("std::sync::MutexGuard"));
    assert!(is_guard("dashmap::mapref::one::RefMut"));
    assert!(is_guard("crossbeam_utils::sync::ShardedLockReadGuard"));
    assert!(!is_guard("crossbeam_epoch::Guard"));
    assert!(is_guard("prelude::MutexGuard"));
    assert!(blocks_threads("parking_lot::lock_api::RwLockReadGuard"));
    assert!(!blocks_threads("tokio::sync::MutexGuard"));
}

#[test]
fn modes_exclude_each_other_as_the_locks_do() {
    use Mode::{Exclusive, Reentrant, Shared, Upgradable};
    assert!(Exclusive.excludes(Shared) && Shared.excludes(Exclusive));
    assert!(Upgradable.excludes(Upgradable) && !Upgradable.excludes(Shared));
    assert!(!Shared.excludes(Shared) && !blocks_itself(Reentrant, Reentrant));
}
