//! How cargo is called so that it checks a project and prints what the analysis reads.
//!
//! `cargo check` with a wrapper for the crates of the workspace, and a target folder of our own, so that
//! the user's is not touched. What cargo says on the way is handed on; its messages also tell which
//! crates there are, and under which names.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use serde::Deserialize;
use serde_json::Value;

use super::child::{self, ChildError};
use super::plan;
use super::printing::together::{self, Channel};
use super::printing::{self, FAILED, FOLDER_VARIABLE, PRINTED, WRAPPER_VARIABLE};
use super::project::Project;
use super::toolchain::{Configuration, Toolchain, ToolchainError};
use super::wrapper::without;
use crate::code::mir::Reader;
use crate::code::printed::{FORMAT, Printed};
use crate::code::probe;

/// What the wrapper is called, before the version of what it writes.
pub const CHECK: &str = "lockwise-check";

/// What came of calling cargo.
#[derive(Debug, Default)]
pub struct Checked {
    /// The exit code.
    pub exit: i32,
    /// Where the crates were printed.
    pub files: Vec<PathBuf>,
    /// The names of all crates.
    pub others: HashSet<String>,
    /// Cargo's own words for each crate that was looked at: package, manifest and target.
    pub targets: Vec<Value>,
    /// How many crates the compiler compiled and did not print.
    pub not_printed: usize,
}

/// Why a project could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckingError {
    /// Cargo could not be run.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The compiler is not known.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// The compiler does not print a crate.
    #[error("{compiler} does not print the code: {why}")]
    NotPrinted {
        /// Which compiler.
        compiler: String,
        /// What it says.
        why: String,
    },
    /// What the compiler prints is not understood.
    #[error("the output of {compiler} is not understood: {why}")]
    NotUnderstood {
        /// Which compiler.
        compiler: String,
        /// What is missing.
        why: String,
    },
    /// The wrapper cannot be put in place.
    #[error("cannot prepare `{}`", path.display())]
    Install {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// How crates are printed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printing {
    /// By the call that compiles them.
    Together(Channel),
    /// By a call of its own.
    Apart,
}

impl Printing {
    fn word(self) -> &'static str {
        match self {
            Printing::Together(channel) => channel.word(),
            Printing::Apart => "apart",
        }
    }
}

/// Makes sure that what the compiler prints is understood: a trial crate with known findings, once for
/// each compiler and version of ours. Returns the way of printing by which it was.
///
/// # Errors
///
/// [`CheckingError`] if it is not understood, or the compiler does not print at all.
pub fn prove<'e>(
    project: &Project,
    variable: impl Fn(&str) -> Option<&'e OsStr>,
    from: &Path,
) -> Result<Printing, CheckingError> {
    let toolchain = Toolchain::find(&Configuration::read(variable, from), from)?;
    let folder = project.target.join("lockwise").join("check").join("probe");
    let install = |source| CheckingError::Install {
        path: folder.clone(),
        source,
    };
    fs::create_dir_all(&folder).map_err(install)?;
    let ways = [
        Printing::Together(Channel::of(&toolchain.version)),
        Printing::Apart,
    ];
    let mark = folder.join("understood");
    let known = |way: Printing| {
        format!(
            "{}\n{}\n{}\n{}",
            way.word(),
            FORMAT,
            toolchain.version,
            probe::SOURCE
        )
    };
    if let Ok(old) = fs::read_to_string(&mark)
        && let Some(way) = ways.into_iter().find(|way| known(*way) == old)
    {
        return Ok(way);
    }
    let file = |name: &str| folder.join(name).with_extension("rs");
    fs::write(file(probe::NAME), probe::SOURCE).map_err(install)?;
    fs::write(file(probe::USED.0), probe::USED.1).map_err(install)?;
    let understood = |way| {
        let outcome = try_out(way, &toolchain, &folder, from).map_err(install)?;
        outcome?;
        fs::write(&mark, known(way)).map_err(install)?;
        Ok(way)
    };
    // Whatever speaks against the one way, the other may do.
    let [together, apart] = ways;
    understood(together).or_else(|_| understood(apart))
}

/// Whether the trial crate, printed this way, is understood.
fn try_out(
    way: Printing,
    toolchain: &Toolchain,
    folder: &Path,
    from: &Path,
) -> io::Result<Result<(), CheckingError>> {
    let library = |name: &str| {
        let mut command = Command::new(&toolchain.rustc);
        command
            .args(["--crate-name", name, "--crate-type", "lib"])
            .args(["--edition", "2021"])
            .arg(folder.join(name).with_extension("rs"))
            .current_dir(from);
        command
    };
    // It is only checked, as whatever a project depends on. If that fails, so does the other.
    library(probe::USED.0)
        .args(["--emit=metadata", "--out-dir"])
        .arg(folder)
        .stdin(Stdio::null())
        .output()?;
    let mut command = library(probe::NAME);
    command
        .arg("-L")
        .arg(folder)
        .args(["--extern", probe::USED.0]);
    let mut reader = Reader::default();
    let said = match way {
        Printing::Together(channel) => {
            together::print_to(&mut command, channel, folder, &mut reader)?
        }
        Printing::Apart => printing::apart::print_to(&mut command, &mut reader)?,
    };
    let compiler = toolchain.version.lines().next();
    let compiler = compiler.unwrap_or_default().to_owned();
    if let Some(said) = said {
        let why = said.lines().find(|line| line.starts_with("error"));
        let why = why
            .or_else(|| said.lines().next())
            .unwrap_or("no reason given")
            .to_owned();
        return Ok(Err(CheckingError::NotPrinted { compiler, why }));
    }
    let file = folder.join(probe::NAME).with_extension("rs");
    let understood = probe::verify(from, &file, reader);
    Ok(understood.map_err(|why| CheckingError::NotUnderstood { compiler, why }))
}

/// A message of cargo's, as far as we read it.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default, rename = "message")]
    diagnostic: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    #[serde(default)]
    rendered: Option<String>,
}

/// How cargo's messages are handed on.
pub enum Listener<'a> {
    /// To people, as text.
    Text(&'a mut dyn FnMut(&str)),
    /// To programs, line by line as they are.
    Lines(&'a mut dyn FnMut(&str)),
}

impl std::fmt::Debug for Listener<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Listener::Text(_) => "Text",
            Listener::Lines(_) => "Lines",
        })
    }
}

/// What is checked, and how.
#[derive(Debug, Clone, Copy)]
pub struct Checking<'a> {
    /// The project.
    pub project: &'a Project,
    /// How its crates are printed.
    pub printing: Printing,
    /// Cargo.
    pub cargo: &'a OsStr,
    /// Cargo's own arguments.
    pub arguments: &'a [OsString],
    /// The folder that cargo is called from.
    pub from: &'a Path,
    /// Whether messages for people are in colours.
    pub is_colored: bool,
}

/// Checks a project with cargo.
///
/// # Errors
///
/// [`CheckingError`] if cargo cannot be started, or the wrapper not be put in place.
pub fn check<'e>(
    asked: Checking<'_>,
    variable: impl Fn(&str) -> Option<&'e OsStr>,
    listener: &mut Listener<'_>,
) -> Result<Checked, CheckingError> {
    let Checking {
        project, arguments, ..
    } = asked;
    let target = project.target.join("lockwise").join("check");
    let (programs, printed) = (target.join("bin"), target.join("printed"));
    let install = |source| CheckingError::Install {
        path: target.clone(),
        source,
    };
    // Cargo takes a wrapper of another name for another compiler: after a change of what is written all crates are
    // read anew.
    let program = format!("{CHECK}-{FORMAT}");
    plan::install_program(&programs, &program).map_err(install)?;
    fs::create_dir_all(&printed).map_err(install)?;
    let mut variables = vec![
        (
            "RUSTC_WORKSPACE_WRAPPER",
            programs
                .join(plan::with_extension(&program))
                .into_os_string(),
        ),
        (FOLDER_VARIABLE, printed.clone().into_os_string()),
        ("CARGO_TARGET_DIR", target.clone().into_os_string()),
    ];
    if let Printing::Together(channel) = asked.printing {
        variables.push((together::VARIABLE, channel.word().into()));
    }
    if let Some(wrapper) = variable("RUSTC_WORKSPACE_WRAPPER") {
        variables.push((WRAPPER_VARIABLE, wrapper.to_owned()));
    }
    // Programs get what they asked for, people the text in their colours.
    let format = match (&listener, asked.is_colored) {
        (Listener::Text(_), true) => "json-diagnostic-rendered-ansi",
        _ => "json",
    };
    let mut all: Vec<OsString> = vec!["check".into(), format!("--message-format={format}").into()];
    // What compiles is looked at, whatever else does not.
    if !arguments.iter().any(|argument| argument == "--keep-going") {
        all.push("--keep-going".into());
    }
    all.extend(without(arguments, |option, _| {
        matches!(option, "--target-dir" | "--message-format")
    }));
    let mut checked = Checked::default();
    let mut files: Vec<PathBuf> = Vec::new();
    checked.exit = child::run_listening(asked.cargo, &all, &variables, asked.from, &mut |line| {
        let Ok(message) = serde_json::from_str::<Message>(line) else {
            return;
        };
        if let Some(target) = &message.target
            && message.reason == "compiler-artifact"
        {
            checked.others.insert(target.name.replace('-', "_"));
            let before = files.len();
            let made = message.filenames.iter();
            files.extend(made.filter_map(|file| printed_file(&printed, file)));
            if files[before..].iter().any(|file| file.is_file()) {
                checked.targets.extend(serde_json::from_str::<Value>(line));
            }
        }
        match listener {
            Listener::Lines(hand_on) => hand_on(line),
            Listener::Text(hand_on) => {
                if let Some(text) = message
                    .diagnostic
                    .and_then(|diagnostic| diagnostic.rendered)
                {
                    hand_on(&text);
                }
            }
        }
    })?;
    for name in ["std", "core", "alloc", "proc_macro", "test"] {
        checked.others.insert(name.to_owned());
    }
    files.sort();
    files.dedup();
    checked.not_printed = files
        .iter()
        .filter(|file| !file.is_file() && file.with_extension(FAILED).is_file())
        .count();
    checked.files = files;
    Ok(checked)
}

/// Where the crate was printed whose `lib….rmeta` this is.
fn printed_file(folder: &Path, artifact: &Path) -> Option<PathBuf> {
    if artifact.extension()? != "rmeta" {
        return None;
    }
    let name = artifact.file_stem()?.to_str()?.strip_prefix("lib")?;
    Some(folder.join(format!("{name}.{PRINTED}")))
}

/// Reads the printed crates. What cannot be read is said in `limits`.
pub fn read_printed(files: &[PathBuf], limits: &mut Vec<String>) -> Vec<Printed> {
    let mut printed = Vec::new();
    for file in files {
        match read(file) {
            Ok(one) => printed.push(one),
            Err(limit) => limits.extend(limit),
        }
    }
    printed
}

/// Reads a printed crate. The error is what to say of it; nothing of crates that are not looked at.
fn read(file: &Path) -> Result<Printed, Option<String>> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let said = fs::read_to_string(file.with_extension(FAILED)).ok();
            return Err(said.map(|said| {
                let name = file.file_stem().unwrap_or_default().to_string_lossy();
                let first = said.lines().find(|line| line.starts_with("error"));
                let first = first.or_else(|| said.lines().next()).unwrap_or_default();
                format!("{name} was not looked at: the compiler did not print it ({first})")
            }));
        }
        Err(error) => return Err(Some(format!("cannot read `{}`: {error}", file.display()))),
    };
    Printed::parse(&bytes).map_err(|error| {
        let file = file.display();
        Some(format!(
            "cannot use `{file}`: {error}; after `cargo lockwise clean` it is made anew"
        ))
    })
}
