//! The end-to-end tests: programs and logs in, reports out.
//!
//! They drive the real `cargo-lockwise` and the programs in `fixtures/`, both built by the first
//! test that needs them. `INSTA_UPDATE=always cargo test -p lockwise-tests` writes new snapshots;
//! read each as a user would before it goes in.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its scene fails there"
)]

/// Building and running `cargo-lockwise` and the programs of `fixtures/`.
mod programs;
/// Making and watching projects that know nothing of Lockwise.
mod projects;
/// What reports say differently each time, taken out of them.
mod steady;

/// What is read anew, and what is kept, of the code.
mod again;
/// What cargo says while the code is read.
mod as_cargo;
/// Bad input: one clear message, the right exit code, never a panic.
mod bad_input;
/// What is found in the code, beside what a run showed.
mod beside_runs;
/// Who called what takes the locks.
mod callers;
/// The list of cases of the primitives: that each has its test.
mod cases;
/// What channels keep apart.
mod channels;
/// What is found in the code alone.
mod code;
/// Logs of processes that were killed, aborted or forked.
mod crashes;
/// Deadlocks that happen.
#[cfg(unix)]
mod deadlocks;
/// The JSON document.
mod document;
/// Each exit code, and that a red test hides no finding.
mod exit_codes;
/// Each program of `fixtures/`: verdict, exit code and report.
mod fixtures;
/// Levels of recording, and a log that is full.
mod levels;
/// What std has behind features.
mod nightly;
/// Programs without checks.
mod off;
/// What cargo offers, used by projects that are watched.
#[cfg(unix)]
mod offered;
/// Crates whose locks are watched through a changed copy.
mod overlays;
/// The primitives of `lockwise::sync`, under the checker.
mod primitives;
/// Packages of others, as they were published.
mod published;
/// What a program asked to happen on a finding.
mod reactions;
/// Recorded logs: whole, cut off, damaged.
mod recorded;
/// Many locks made, and many held.
mod scale;
/// Programs in which all threads wait.
#[cfg(target_os = "linux")]
mod standstills;
/// The stand-in for std beside std's own documentation.
mod std_docs;
/// The stand-in for std, item by item.
mod std_surface;
/// Locks that are taken where nobody expects any.
#[cfg(unix)]
mod survived;
/// Projects that know nothing of Lockwise.
mod unchanged;
