//! The compiler's second call: the same crate, printed for `cargo lockwise check`.
//!
//! Cargo calls this program in place of the compiler for each crate of the workspace. The compiler runs
//! as it would, and beside it once more, with the option that prints the functions. That option is no
//! stable one, so the second call, and only that, sets `RUSTC_BOOTSTRAP`. Whatever becomes of it, the
//! first call's output and exit code are what cargo sees.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde::{Deserialize, Serialize};

use super::wrapper::value;
use crate::code::mir::Thin;

/// The folder that printed crates go into.
pub const FOLDER_VARIABLE: &str = "LOCKWISE_PRINTED";
/// The user's own wrapper for crates of the workspace.
pub const WRAPPER_VARIABLE: &str = "LOCKWISE_WORKSPACE_WRAPPER";

/// The ending of a printed crate.
pub const PRINTED: &str = "mir";
/// The ending of what the compiler said where it could not print a crate.
pub const FAILED: &str = "failed";

/// What of a crate stands before its text, on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The crate's name.
    pub name: String,
    /// Its root file, as cargo names it.
    pub root: PathBuf,
}

/// Options that print the functions of a crate.
const PRINTS: [&str; 5] = [
    "-Zunpretty=mir",
    "-Zmir-include-spans=on",
    "-Ztrim-diagnostic-paths=no",
    "-Zmir-opt-level=0",
    "--cap-lints=allow",
];

/// Options of the first call that the second must not have; those that end in a space take the next
/// argument.
const FIRST_ONLY: [&str; 5] = [
    "--emit",
    "--json",
    "--error-format",
    "--out-dir",
    "--diagnostic-width",
];

/// Plays the compiler, with the compiler and its arguments.
///
/// # Errors
///
/// If the compiler cannot be run.
pub fn rustc(arguments: &[OsString]) -> io::Result<ExitStatus> {
    let Some((compiler, arguments)) = arguments.split_first() else {
        return Err(io::Error::other("no compiler was named"));
    };
    let printing = file(arguments).map(|file| {
        let (compiler, arguments) = (compiler.clone(), arguments.to_vec());
        std::thread::spawn(move || print(&compiler, &arguments, &file))
    });
    let wrapper = std::env::var_os(WRAPPER_VARIABLE).filter(|wrapper| !wrapper.is_empty());
    let status = match wrapper {
        Some(wrapper) => Command::new(wrapper).arg(compiler).args(arguments).status(),
        None => Command::new(compiler).args(arguments).status(),
    };
    if let Some(printing) = printing {
        // That it failed stands in a file beside.
        let _ = printing.join();
    }
    status
}

/// Where the crate is to be printed; `None` for what is not looked at: build scripts, macros, and
/// calls that only ask.
fn file(arguments: &[OsString]) -> Option<PathBuf> {
    let folder = std::env::var_os(FOLDER_VARIABLE)?;
    // A probe has no crate.
    std::env::var_os("CARGO_CRATE_NAME")?;
    let name = value(arguments, "--crate-name")?;
    let is_macro = value(arguments, "--crate-type") == Some("proc-macro");
    if is_macro || name.starts_with("build_script_") {
        return None;
    }
    let unique = value(arguments, "extra-filename").unwrap_or_default();
    Some(PathBuf::from(folder).join(format!("{name}{unique}.{PRINTED}")))
}

/// Prints a crate into `file`, which is there only if all went well.
fn print(compiler: &OsStr, arguments: &[OsString], file: &Path) -> io::Result<()> {
    let fresh = file.with_extension(format!("{PRINTED}.{}", std::process::id()));
    let failed = file.with_extension(FAILED);
    let _ = fs::remove_file(&failed);
    let said = write(compiler, arguments, &fresh);
    match said {
        Ok(None) => fs::rename(&fresh, file),
        Ok(Some(message)) => {
            let _ = fs::remove_file(&fresh);
            fs::write(&failed, message)
        }
        Err(error) => {
            let _ = fs::remove_file(&fresh);
            fs::write(&failed, error.to_string())
        }
    }
}

/// Writes the text, or returns what the compiler said against it.
fn write(compiler: &OsStr, arguments: &[OsString], file: &Path) -> io::Result<Option<String>> {
    let mut out = BufWriter::new(File::create(file)?);
    let heading = Heading {
        name: value(arguments, "--crate-name")
            .unwrap_or_default()
            .to_owned(),
        root: root(arguments).unwrap_or_default(),
    };
    writeln!(out, "{}", serde_json::to_string(&heading)?)?;
    let said = print_to(Command::new(compiler).args(second(arguments)), &mut out)?;
    out.flush()?;
    Ok(said)
}

/// Writes what a call of the compiler prints of a crate, or returns what it said against it.
///
/// # Errors
///
/// If the compiler cannot be started, or `out` not be written.
pub fn print_to(command: &mut Command, out: &mut dyn Write) -> io::Result<Option<String>> {
    let mut child = command
        .args(PRINTS)
        .env("RUSTC_BOOTSTRAP", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("the compiler's output is not piped"));
    };
    let said = std::thread::spawn(move || io::read_to_string(stderr).unwrap_or_default());
    let mut text = BufReader::new(stdout);
    let mut thin = Thin::default();
    let mut line = Vec::new();
    while text.read_until(b'\n', &mut line)? > 0 {
        let shown = std::str::from_utf8(&line)
            .map_or_else(|_| String::from_utf8_lossy(&line), Cow::Borrowed);
        if thin.keeps(shown.trim_end_matches(['\n', '\r'])) {
            out.write_all(&line)?;
        }
        line.clear();
    }
    let status = child.wait()?;
    let said = said.join().unwrap_or_default();
    Ok((!status.success()).then_some(said))
}

/// The root file: the one argument that is no option and ends in `.rs`.
fn root(arguments: &[OsString]) -> Option<PathBuf> {
    arguments
        .iter()
        .map(Path::new)
        .find(|argument| argument.extension().is_some_and(|ending| ending == "rs"))
        .map(Path::to_owned)
}

/// The arguments of the second call.
fn second(arguments: &[OsString]) -> Vec<OsString> {
    let mut kept = Vec::with_capacity(arguments.len());
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        let text = argument.to_str().unwrap_or_default();
        if FIRST_ONLY.contains(&text) {
            rest.next();
            continue;
        }
        if FIRST_ONLY.iter().any(|name| {
            text.strip_prefix(name)
                .is_some_and(|value| value.starts_with('='))
        }) {
            continue;
        }
        let next = rest.peek().and_then(|next| next.to_str());
        if text == "-C" && next.is_some_and(|next| next.starts_with("incremental=")) {
            rest.next();
            continue;
        }
        if text.starts_with("-Cincremental=") {
            continue;
        }
        kept.push(argument.clone());
    }
    kept
}
