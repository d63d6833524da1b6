//! With a nightly compiler what std has behind features is watched too. Nothing is tested where none is
//! installed, or one that has other features.

use std::process::Command;

use cargo_lockwise::build::toolchain::{Configuration, Toolchain};

use crate::programs::{codes, finish, root, stderr, stdout};
use crate::projects::{command, document, limits, project};
use crate::std_surface::Built;

/// Two threads that take two locks in opposite orders, one by a guard of a part, the other by an accessor.
const INVERSION: &str = "
#![feature(lock_value_accessors, mapped_lock_guards, once_cell_try)]
#![deny(warnings)]
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread;

static MADE: OnceLock<u8> = OnceLock::new();

#[test]
fn opposite_orders() {
    assert_eq!(MADE.get_or_try_init(|| Ok::<u8, ()>(1)), Ok(&1));
    let a = Arc::new(Mutex::new((1_u8, 2_u8)));
    let b = Arc::new(Mutex::new(3_u16));
    let (c, d) = (Arc::clone(&a), Arc::clone(&b));
    let first = thread::spawn(move || {
        let part = MutexGuard::map(c.lock().unwrap(), |pair| &mut pair.0);
        assert_eq!(d.replace(4).unwrap(), 3);
        drop(part);
    });
    while !first.is_finished() {
        thread::yield_now();
    }
    let second = thread::spawn(move || {
        let _b = b.lock().unwrap();
        a.set((5, 6)).unwrap();
    });
    second.join().unwrap();
    first.join().unwrap();
}
";

/// The compiler, if there is one of which it is known what it has behind features.
fn nightly() -> Option<Toolchain> {
    let which = Command::new("rustup")
        .args(["which", "--toolchain", "nightly", "rustc"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let configuration = Configuration {
        rustc: Some(stdout(&which).trim().into()),
        ..Configuration::default()
    };
    let toolchain = Toolchain::find(&configuration, root()).ok()?;
    toolchain
        .version
        .contains("release: 1.97")
        .then_some(toolchain)
}

#[test]
fn what_is_behind_features_does_what_std_does() {
    if let Some(nightly) = nightly() {
        Built::by(nightly).check("nightly");
    }
}

#[test]
fn locks_that_are_used_through_features_are_watched_and_warnings_are_the_users_own() {
    if nightly().is_none() {
        return;
    }
    let project = project(&[("src/lib.rs", ""), ("tests/inverted.rs", INVERSION)]);
    let mut command = command(project.path(), &["test", "--format", "json"]);
    let output = finish(command.env("RUSTUP_TOOLCHAIN", "nightly"));
    assert!(!stderr(&output).contains("never used"), "{output:?}");
    assert!(!stderr(&output).contains("not used"), "{output:?}");
    let report = document(&output);
    assert_eq!(limits(&report), [""; 0]);
    assert_eq!(codes(&report), ["LW0003"], "{report}");
    let cycle = report["findings"][0]["cycle"].as_array().unwrap();
    let mut wanted: Vec<&str> = cycle
        .iter()
        .map(|side| side["wants"]["site"].as_str().unwrap())
        .collect();
    wanted.sort_unstable();
    assert_eq!(
        wanted,
        ["tests/inverted.rs:17:22", "tests/inverted.rs:25:11"],
        "{report}"
    );
}
