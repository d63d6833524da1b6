//! How cargo is called so that it checks a project and prints what the analysis reads.
//!
//! `cargo check` with a wrapper for the crates of the workspace, and a target folder of our own, so that
//! the user's is not touched. What cargo says on the way is handed on; its messages also tell which
//! crates there are, and under which names.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde::Deserialize;
use serde_json::Value;

use super::child::{self, ChildError};
use super::plan;
use super::printing;
use super::printing::{FAILED, FOLDER_VARIABLE, Heading, PRINTED, WRAPPER_VARIABLE};
use super::project::Project;
use super::toolchain::{Configuration, Toolchain, ToolchainError};
use crate::code::analysis::Printed;
use crate::code::probe;

/// What the wrapper is called.
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

/// Makes sure that what the compiler prints is understood: a trial crate with known findings, once for
/// each compiler and version of ours.
///
/// # Errors
///
/// [`CheckingError`] if it is not understood, or the compiler does not print at all.
pub fn prove<'e>(
    project: &Project,
    variable: impl Fn(&str) -> Option<&'e OsStr>,
    from: &Path,
) -> Result<(), CheckingError> {
    let toolchain = Toolchain::find(&Configuration::read(variable, from), from)?;
    let folder = project.target.join("lockwise").join("check").join("probe");
    let install = |source| CheckingError::Install {
        path: folder.clone(),
        source,
    };
    fs::create_dir_all(&folder).map_err(install)?;
    let compiler = toolchain
        .version
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let mark = folder.join("understood");
    let known = format!(
        "{}\n{}\n{}",
        env!("CARGO_PKG_VERSION"),
        toolchain.version,
        probe::SOURCE
    );
    if fs::read_to_string(&mark).is_ok_and(|old| old == known) {
        return Ok(());
    }
    let name = Path::new("lockwise_probe.rs");
    fs::write(folder.join(name), probe::SOURCE).map_err(install)?;
    let mut text = Vec::new();
    let mut command = Command::new(&toolchain.rustc);
    command
        .args([
            "--crate-name",
            "lockwise_probe",
            "--edition",
            "2021",
            "--crate-type",
            "lib",
        ])
        .arg(folder.join(name))
        .current_dir(from);
    let said = printing::print_to(&mut command, &mut text).map_err(install)?;
    if let Some(said) = said {
        let why = said.lines().find(|line| line.starts_with("error"));
        let why = why
            .or_else(|| said.lines().next())
            .unwrap_or("no reason given")
            .to_owned();
        return Err(CheckingError::NotPrinted { compiler, why });
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let file = folder.join(name);
    probe::verify(from, &file, text).map_err(|why| CheckingError::NotUnderstood {
        compiler: compiler.clone(),
        why,
    })?;
    fs::write(&mark, known).map_err(install)
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

/// Checks `project` with cargo and these arguments, called from folder `from`.
///
/// # Errors
///
/// [`CheckingError`] if cargo cannot be started, or the wrapper not be put in place.
pub fn check<'e>(
    project: &Project,
    cargo: &OsStr,
    arguments: &[OsString],
    variable: impl Fn(&str) -> Option<&'e OsStr>,
    from: &Path,
    colored: bool,
    listener: &mut Listener<'_>,
) -> Result<Checked, CheckingError> {
    let target = project.target.join("lockwise").join("check");
    let (programs, printed) = (target.join("bin"), target.join("printed"));
    let install = |source| CheckingError::Install {
        path: target.clone(),
        source,
    };
    plan::install_program(&programs, CHECK).map_err(install)?;
    fs::create_dir_all(&printed).map_err(install)?;
    let mut variables = vec![
        (
            "RUSTC_WORKSPACE_WRAPPER",
            programs.join(plan::with_extension(CHECK)).into_os_string(),
        ),
        (FOLDER_VARIABLE, printed.clone().into_os_string()),
        ("CARGO_TARGET_DIR", target.clone().into_os_string()),
    ];
    if let Some(wrapper) = variable("RUSTC_WORKSPACE_WRAPPER") {
        variables.push((WRAPPER_VARIABLE, wrapper.to_owned()));
    }
    // Programs get what they asked for, people the text in their colours.
    let format = match (&listener, colored) {
        (Listener::Text(_), true) => "json-diagnostic-rendered-ansi",
        _ => "json",
    };
    let mut all: Vec<OsString> = vec!["check".into(), format!("--message-format={format}").into()];
    // What compiles is looked at, whatever else does not.
    if !arguments.iter().any(|argument| argument == "--keep-going") {
        all.push("--keep-going".into());
    }
    all.extend(without(arguments, &["--target-dir", "--message-format"]));
    let mut checked = Checked::default();
    let mut files: Vec<PathBuf> = Vec::new();
    checked.exit = child::run_listening(cargo, &all, &variables, from, &mut |line| {
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
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
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
    let (heading, text) = text.split_once('\n').unwrap_or((&text, ""));
    let heading: Heading = serde_json::from_str(heading)
        .map_err(|error| Some(format!("cannot read `{}`: {error}", file.display())))?;
    Ok(Printed {
        name: heading.name,
        root: heading.root,
        text: text.to_owned(),
    })
}

/// The arguments without these options and their values, as far as they are cargo's.
fn without(arguments: &[OsString], names: &[&str]) -> Vec<OsString> {
    let mut kept = Vec::with_capacity(arguments.len());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_str().unwrap_or_default();
        let name = text.split_once('=').map_or(text, |(name, _)| name);
        if names.contains(&name) {
            if name == text {
                rest.next();
            }
        } else {
            kept.push(argument.clone());
        }
    }
    kept
}
