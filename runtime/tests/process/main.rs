//! What a process leaves in its log: where, under which name, and what a child of a fork adds.
//!
//! Each test runs this binary again as a process of its own, with a [`scene`](scenes) to play.
#![cfg(all(feature = "checks", target_os = "linux"))]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockwise::watch::Mode;
use lockwise::watch::log::{self, Event, LogFile};

/// What the processes do.
mod scenes;
/// The longest of it.
mod script;

/// A directory of its own for the logs of one test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the target directory can be written");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// This binary, about to play a scene and nothing else.
fn scene(program: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    // The test harness takes text only, also as the name by which it is called.
    command.arg0("process");
    command.args(["--exact", "scenes::play", "--nocapture"]);
    command.env("SCENE", name).env("LOCKWISE_LEVEL", "trace");
    command
}

fn this_program() -> PathBuf {
    std::env::current_exe().expect("it is known")
}

/// Plays the scene to its end.
fn play(mut scene: Command) {
    let output = scene.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// The bytes of all logs in a directory, that of a forked child last.
fn logs(dir: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(dir).expect("there are logs");
    let mut logs: Vec<Vec<u8>> = entries
        .map(|entry| fs::read(entry.expect("it can be listed").path()).expect("it can be read"))
        .collect();
    logs.sort_by_key(|bytes| read(bytes).header.parent_nonce != 0);
    logs
}

fn read(bytes: &[u8]) -> LogFile<'_> {
    log::read(bytes).expect("a log")
}

/// What the records of a log say of locks that are acquired and released, by their names.
fn told(log: &LogFile<'_>) -> Vec<String> {
    let name = |lock| log.classes[&log.locks[&lock].class].name;
    let records = log.segments.iter().flat_map(|segment| log.records(segment));
    let told = records.filter_map(|record| match record {
        Event::Acquired {
            lock,
            mode: Mode::Shared,
            ..
        } => Some(format!("{} read", name(lock))),
        Event::Acquired { lock, .. } => Some(format!("{} taken", name(lock))),
        Event::Released { lock } => Some(format!("{} released", name(lock))),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_child_of_a_fork_writes_where_its_parent_does_whatever_directory_it_is_in() {
    let folder = Folder::new("relative");
    let mut scene = scene(&this_program(), "moves away and forks");
    scene.current_dir(&folder.0).env("LOCKWISE_LOG", "logs");
    play(scene);
    let logs = logs(&folder.0.join("logs"));
    assert_eq!(logs.len(), 2);
    assert_eq!(
        read(&logs[1]).header.parent_nonce,
        read(&logs[0]).header.nonce
    );
}

#[test]
fn opening_a_log_of_a_long_path_allocates_nothing_from_the_program() {
    let folder = Folder::new("long");
    let dir = folder.0.join("d".repeat(200)).join("e".repeat(200));
    let mut scene = scene(&this_program(), "counts what the watcher allocates");
    scene.env("LOCKWISE_LOG", &dir);
    play(scene);
    assert_eq!(logs(&dir).len(), 2);
}

#[test]
fn a_log_tells_each_acquisition_and_release_whatever_the_order() {
    let folder = Folder::new("any-order");
    let mut scene = scene(&this_program(), "takes and gives back in any order");
    scene.env("LOCKWISE_LOG", &folder.0);
    play(scene);
    let logs = logs(&folder.0);
    let log = read(&logs[0]);
    assert_eq!(log.damage, []);
    let mut names = script::Names::default();
    let records = log.segments.iter().flat_map(|segment| log.records(segment));
    let told = records.filter_map(|record| match record {
        Event::Acquired { lock, .. } => Some((names.of(lock), true)),
        Event::Released { lock } => Some((names.of(lock), false)),
        _ => None,
    });
    let told: Vec<(usize, bool)> = told.collect();
    let expected = script::expected();
    let differs = told.iter().zip(&expected).position(|(a, b)| a != b);
    assert_eq!((differs, told.len()), (None, expected.len()));
}

/// What a process leaves, and says, that aborts after a thread of it that nobody joined has panicked.
fn after_a_panic(folder: &Folder) -> String {
    let mut scene = scene(&this_program(), "leaves a thread that panics to itself");
    scene.env("LOCKWISE_LOG", &folder.0);
    let output = scene.output().expect("it starts");
    assert_eq!(output.status.code(), None, "it aborts");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn log_flushed_on_panic() {
    let folder = Folder::new("after-a-panic");
    after_a_panic(&folder);
    let logs = logs(&folder.0);
    let log = read(&logs[0]);
    assert_eq!(log.damage, []);
    let expected = [
        "before taken",
        "before released",
        "outer taken",
        "inner taken",
        "inner released",
        "outer released",
    ];
    assert_eq!(told(&log), expected);
    let names: Vec<&str> = log.segments.iter().map(|segment| segment.name).collect();
    assert!(names.contains(&"unlucky"), "{names:?}");
}

#[test]
fn excepthook() {
    let said = after_a_panic(&Folder::new("said-by-a-panic"));
    let told = said.matches("after its last lock").count();
    assert_eq!(told, 1, "{said}");
    assert!(said.contains("thread 'unlucky'"), "{said}");
}

#[test]
fn initializer_fails() {
    let scene = scene(&this_program(), "has a pool that no worker can be had for").output();
    let output = scene.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // The message is said once, by the name of the worker.
    assert_eq!(said.matches("there is no licence").count(), 1, "{said}");
    assert!(said.contains("thread 'maker-0'"), "{said}");
}

#[test]
fn condvar_wait_removes_hold() {
    let mut scene = scene(&this_program(), "waits for a condition under another lock");
    // So that waits for conditions are described; nobody waits as long.
    scene.env("LOCKWISE_STALL", "10000");
    play(scene);
}

#[test]
fn a_program_whose_name_is_no_text_has_a_log_that_can_be_read() {
    let folder = Folder::new("no-text");
    let program = folder.0.join(OsStr::from_bytes(b"caf\xe9 \xf0\x9f\xa6"));
    fs::hard_link(this_program(), &program).expect("another name");
    let mut scene = scene(&program, "takes a lock on threads with odd names");
    scene.env("LOCKWISE_LOG", folder.0.join("logs"));
    play(scene);
    let logs = logs(&folder.0.join("logs"));
    let log = read(&logs[0]);
    assert_eq!(log.header.program, "caf\u{fffd} \u{fffd}");
    assert_eq!(log.damage, []);
    let names: Vec<&str> = log.segments.iter().map(|segment| segment.name).collect();
    assert!(names.contains(&"caf\u{fffd} au lait"), "{names:?}");
}

#[test]
fn what_is_held_over_a_fork_is_held_in_the_log_of_the_child() {
    let folder = Folder::new("held-over");
    let mut scene = scene(&this_program(), "forks while it holds two locks");
    scene.env("LOCKWISE_LOG", &folder.0);
    play(scene);
    let logs = logs(&folder.0);
    let (parent, child) = (read(&logs[0]), read(&logs[1]));
    assert_eq!(
        told(&parent),
        [
            "outer taken",
            "table read",
            "before taken",
            "before released",
            "table released",
            "outer released",
        ]
    );
    assert_eq!(
        told(&child),
        [
            "outer taken",
            "table read",
            "inner taken",
            "inner released",
            "table released",
            "outer released",
            "outer taken",
            "outer released",
        ]
    );
    assert_eq!(child.damage, []);
}

#[test]
fn a_task_of_a_child_is_woken_at_its_time() {
    let folder = Folder::new("times");
    let mut scene = scene(&this_program(), "is woken at times in a child");
    scene.env("LOCKWISE_LOG", &folder.0);
    play(scene);
}
