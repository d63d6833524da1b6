//! Building and running `cargo-lockwise` and the programs of `fixtures/`.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use cargo_lockwise::input::log::{self, LogReadError};
use cargo_lockwise::limits::Limits;
use cargo_lockwise::trace::Evidence;
use serde_json::Value;

/// Nothing here takes as long, unless it hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// Executables by name.
static BUILT: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
    // One after the other: built together, their dependencies would share features.
    let mut built = build("cargo-lockwise");
    built.extend(build("lockwise-fixtures"));
    built
});

/// The top of this repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A folder in the target folder that outlives a test run.
pub(crate) fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The checker, run by its own name in the top folder.
pub(crate) fn checker() -> Command {
    let mut command = Command::new(&BUILT["cargo-lockwise"]);
    command.current_dir(root());
    calm(&mut command);
    command
}

/// A program of `fixtures/`, run in the top folder.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(&BUILT[name]);
    command.current_dir(root());
    calm(&mut command);
    command
}

/// A program of `fixtures/`, recording at `level` into `logs`.
pub(crate) fn recorded(name: &str, level: &str, logs: &Path) -> Command {
    let mut command = program(name);
    command.env("LOCKWISE_LOG", logs);
    command.env("LOCKWISE_LEVEL", level);
    command
}

/// What the checker reads in a log.
pub(crate) fn evidence(log: &Path) -> Result<Evidence, LogReadError> {
    log::read(log, &Limits::default())
}

/// The JSON report on `input`, and the exit code.
pub(crate) fn judged(input: &Path) -> (Value, i32) {
    let output = finish(checker().args(["report", "--format", "json"]).arg(input));
    let code = output.status.code().expect("the checker is not killed");
    let text = String::from_utf8(output.stdout).unwrap();
    (serde_json::from_str(&text).unwrap(), code)
}

/// The codes of the findings of a JSON report.
pub(crate) fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// The only file in `folder`.
pub(crate) fn only_file(folder: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap();
    let file = files.next().expect("a log was made").unwrap().path();
    assert!(files.next().is_none(), "one log only");
    file
}

/// Runs `command` to its end.
///
/// # Panics
///
/// If it hangs; it is killed then.
pub(crate) fn finish(command: &mut Command) -> Output {
    let told = format!("{command:?}");
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {told}: {error}"));
    let process = child.id().to_string();
    let (ended, has_ended) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output()));
    if let Ok(output) = has_ended.recv_timeout(LIMIT) {
        output.unwrap()
    } else {
        let _ = Command::new("kill").args(["-9", &process]).status();
        panic!("hangs: {told}");
    }
}

/// Runs one of the fixtures' programs in one of its ways, which a deadlock ends.
pub(crate) fn ended_by_deadlock(name: &str, way: &str) -> Output {
    finish(program(name).arg(way).env("LOCKWISE_ON_DEADLOCK", "abort"))
}

/// Whether the process was ended by `abort`.
pub(crate) fn aborted(output: &Output) -> bool {
    use std::os::unix::process::ExitStatusExt;
    output.status.signal() == Some(6)
}

/// Standard error as text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Standard output as text.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The cargo that runs these tests.
pub(crate) fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Takes out of the environment what would change a report or a build.
pub(crate) fn calm(command: &mut Command) {
    let ours = env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("LOCKWISE_") || name.starts_with("CARGO_PKG_") || name == "RUST_BACKTRACE"
    });
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").env("CARGO", cargo());
}

/// Builds the binaries of a package as the tests were built, into the same folder.
fn build(package: &str) -> BTreeMap<String, PathBuf> {
    build_with(
        package,
        &["build", "--profile", "test", "--bins", "-p", package],
    )
}

fn build_with(package: &str, how: &[&str]) -> BTreeMap<String, PathBuf> {
    let mut command = Command::new(cargo());
    command
        .args(how)
        .args(["--message-format", "json-render-diagnostics", "--quiet"])
        .args(["--target-dir".as_ref(), target().as_os_str()])
        .current_dir(root());
    calm(&mut command);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{package} cannot be built");
    let messages = stdout(&output);
    let executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, message["executable"].as_str()?.into()))
    });
    executables.collect()
}

/// A test binary of a package, built as the tests were, into the same folder.
pub(crate) fn test_binary(package: &str, test: &str) -> PathBuf {
    let mut built = build_with(
        package,
        &["test", "--no-run", "--test", test, "-p", package],
    );
    built.remove(test).expect("it was built")
}

/// The target folder that these tests were built into.
pub(crate) fn target() -> &'static Path {
    scratch().parent().unwrap()
}
