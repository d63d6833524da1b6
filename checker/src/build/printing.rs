//! What is called in place of the compiler for `cargo lockwise check`: the crate is compiled as cargo asks,
//! its functions are printed, and what is read of them is kept in a file.
//!
//! Cargo calls this program for each crate of the workspace. Printing takes options that are not stable,
//! so the call that prints, and only that, sets `RUSTC_BOOTSTRAP`. There are two ways:
//! - `together`: one call compiles and prints, which costs little more than cargo's own;
//! - `apart`: cargo's own call, and beside it another that prints.
//!
//! The first is taken unless something speaks against it. Either way cargo sees the output and the exit
//! code that its own call would have had, whatever becomes of the printing.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, ExitStatus, Stdio};

use super::wrapper::{value, without};
use crate::code::conditions;
use crate::code::mir::Reader;
use crate::code::printed::{self, Heading, Printed};

pub mod apart;
pub mod together;

use together::Outcome;

/// The folder that printed crates go into.
pub const FOLDER_VARIABLE: &str = "LOCKWISE_PRINTED";
/// The user's own wrapper for crates of the workspace.
pub const WRAPPER_VARIABLE: &str = "LOCKWISE_WORKSPACE_WRAPPER";

/// The ending of a printed crate.
pub const PRINTED: &str = "crate";
/// The ending of what the compiler said where it could not print a crate.
pub const FAILED: &str = "failed";
/// The ending of the mark of a crate that one call can't both compile and print.
const APART: &str = "apart";

/// How large the stack is, in bytes, on which sources are read: what is nested deeply in them is so on it. It is not
/// there before it is used.
const SOURCES_STACK: usize = 256 << 20;

/// How functions are printed, whichever call does it.
const HOW: [&str; 3] = [
    "-Zmir-include-spans=on",
    "-Ztrim-diagnostic-paths=no",
    "-Zmir-opt-level=0",
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
    let wrapper = std::env::var_os(WRAPPER_VARIABLE).filter(|wrapper| !wrapper.is_empty());
    let as_asked = || match &wrapper {
        Some(wrapper) => Command::new(wrapper).arg(compiler).args(arguments).status(),
        None => Command::new(compiler).args(arguments).status(),
    };
    let Some(page) = Page::of(arguments) else {
        return as_asked();
    };
    let together = (wrapper.is_none() && !page.is_apart())
        .then(|| together::Call::new(compiler, arguments))
        .flatten();
    let Some(call) = together else {
        let status = std::thread::scope(|scope| {
            let fill = || page.fill(|out| apart::print_crate(compiler, arguments, out));
            let printing = scope.spawn(fill);
            let status = as_asked();
            // That it failed stands in a file beside.
            let _ = printing.join();
            status
        })?;
        if status.success() {
            page.forget_if_failed();
        }
        return Ok(status);
    };
    let why = match call.run(&page)? {
        Outcome::Done(status) => return Ok(status),
        Outcome::Refused(why) => why,
    };
    let status = as_asked()?;
    if status.success() {
        page.mark_apart(&why);
        page.fill(|out| apart::print_crate(compiler, arguments, out));
        page.forget_if_failed();
    }
    Ok(status)
}

/// Where a crate is printed.
struct Page {
    heading: Heading,
    file: PathBuf,
}

impl Page {
    /// `None` for what is not looked at: build scripts, macros, and calls that only ask.
    fn of(arguments: &[OsString]) -> Option<Page> {
        let folder = std::env::var_os(FOLDER_VARIABLE)?;
        // A probe has no crate.
        std::env::var_os("CARGO_CRATE_NAME")?;
        let name = value(arguments, "--crate-name")?;
        let is_macro = value(arguments, "--crate-type") == Some("proc-macro");
        if is_macro || name.starts_with("build_script_") {
            return None;
        }
        let unique = value(arguments, "extra-filename").unwrap_or_default();
        let heading = Heading {
            name: name.to_owned(),
            root: root(arguments).unwrap_or_default(),
            conditions: Some(conditions(arguments)),
        };
        let file = PathBuf::from(folder).join(format!("{name}{unique}.{PRINTED}"));
        Some(Page { heading, file })
    }

    /// Whether it is known that one call does not do for this crate.
    fn is_apart(&self) -> bool {
        self.file.with_extension(APART).exists()
    }

    fn mark_apart(&self, why: &str) {
        // Without the mark the next time takes longer, no more.
        let _ = fs::write(self.file.with_extension(APART), why);
    }

    /// Takes away the text of the crate as it was before, where it compiles and could not be printed: nobody
    /// may take it for this one's. Where it does not compile, cargo does not name it either.
    fn forget_if_failed(&self) {
        if self.file.with_extension(FAILED).exists() {
            let _ = fs::remove_file(&self.file);
        }
    }

    /// Lets `print` hand the text to a reader, or return what the compiler said against it. The text is put
    /// in place only if all went well, else another file says why not.
    fn fill(&self, print: impl FnOnce(&mut Reader) -> io::Result<Option<String>>) {
        let fresh = self
            .file
            .with_extension(format!("{PRINTED}.{}", std::process::id()));
        let failed = self.file.with_extension(FAILED);
        let _ = fs::remove_file(&failed);
        let said = self.write(&fresh, print).and_then(|said| match said {
            None => fs::rename(&fresh, &self.file).map(|()| None),
            said => Ok(said),
        });
        if let Some(said) = said.unwrap_or_else(|error| Some(error.to_string())) {
            let _ = fs::remove_file(&fresh);
            let _ = fs::write(&failed, said);
        }
    }

    fn write(
        &self,
        file: &Path,
        print: impl FnOnce(&mut Reader) -> io::Result<Option<String>>,
    ) -> io::Result<Option<String>> {
        // The sources are read while the compiler works; cargo calls it where paths begin.
        let heading = self.heading.clone();
        let declared = std::thread::Builder::new()
            .stack_size(SOURCES_STACK)
            .spawn(move || printed::declared(Path::new(""), &heading))?;
        let mut reader = Reader::default();
        let said = print(&mut reader)?;
        if said.is_none() {
            let Ok(declared) = declared.join() else {
                return Ok(Some("its sources could not be read".to_owned()));
            };
            let printed = Printed::new(&self.heading, declared, reader);
            let mut out = BufWriter::new(File::create(file)?);
            printed.write(&mut out)?;
            out.flush()?;
        }
        Ok(said)
    }
}

/// Reads what a call of the compiler prints of a crate, or returns what it said against it.
fn print(command: &mut Command, out: &mut Reader) -> io::Result<Option<String>> {
    let call = run(command.stdin(Stdio::null()), out, |stderr| {
        io::read_to_string(stderr).unwrap_or_default()
    })?;
    call.read?;
    Ok((!call.status.success()).then_some(call.heard))
}

/// A call of the compiler that has ended.
struct Ended<T> {
    status: ExitStatus,
    /// What was made of its messages.
    heard: T,
    /// Whether all that it printed could be read.
    read: io::Result<()>,
}

/// Makes a call of the compiler, and reads what it prints of a crate. Its messages go to `listen`, on
/// another thread.
fn run<T: Default + Send + 'static>(
    command: &mut Command,
    out: &mut Reader,
    listen: impl FnOnce(ChildStderr) -> T + Send + 'static,
) -> io::Result<Ended<T>> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("the compiler's output is not piped"));
    };
    let listening = std::thread::spawn(move || listen(stderr));
    let read = read(stdout, out);
    let status = child.wait()?;
    Ok(Ended {
        status,
        heard: listening.join().unwrap_or_default(),
        read,
    })
}

/// Reads what the compiler prints.
fn read(from: impl Read, to: &mut Reader) -> io::Result<()> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        let shown =
            str::from_utf8(&line).map_or_else(|_| String::from_utf8_lossy(&line), Cow::Borrowed);
        to.line(shown.trim_end_matches(['\n', '\r']));
        line.clear();
    }
    Ok(())
}

/// What is set for `#[cfg(…)]` by these arguments, and for the machine that is compiled for where that is this one.
fn conditions(arguments: &[OsString]) -> Vec<String> {
    let mut set = Vec::new();
    let mut given = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(argument) = given.next() {
        match argument.strip_prefix("--cfg") {
            Some("") => set.extend(given.next().map(str::to_owned)),
            Some(value) => set.extend(value.strip_prefix('=').map(str::to_owned)),
            None if argument == "--test" => set.push("test".to_owned()),
            None => {}
        }
    }
    let asserts = match value(arguments, "debug-assertions") {
        Some(value) => matches!(value, "y" | "yes" | "on" | "true"),
        None => value(arguments, "opt-level").is_none_or(|level| level == "0"),
    };
    if asserts {
        set.push("debug_assertions".to_owned());
    }
    if value(arguments, "--target").is_none() {
        set.extend(conditions::of_this_machine());
    }
    set
}

/// The root file: the one argument that is no option and ends in `.rs`.
fn root(arguments: &[OsString]) -> Option<PathBuf> {
    arguments
        .iter()
        .map(Path::new)
        .find(|argument| argument.extension().is_some_and(|ending| ending == "rs"))
        .map(Path::to_owned)
}

/// The compiler's arguments without these options and their values, and without what was compiled before.
fn printed_from(arguments: &[OsString], options: &[&str]) -> Vec<OsString> {
    without(arguments, |option, value| {
        let is_incremental = option == "-Cincremental"
            || option == "-C" && value.to_string_lossy().starts_with("incremental=");
        is_incremental || options.contains(&option)
    })
}
