//! The commands: what each of them does with what the user asked for.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use annotate_snippets::{Group, Level, Renderer};

use crate::build::{CheckingError, ChildError, SessionError};
use crate::cli::{Cli, Command};
use crate::dot::Graph;
use crate::finding::{Code, Verdict};
use crate::input::Readers;
use crate::limits::Limits;
use crate::report::printable;
use crate::settings::{Color, Environment, SettingsError};
use crate::trace::Evidence;
use crate::{exit, explain};

mod check;
mod clean;
mod graph;
mod judged;
mod report;
mod watched;

/// The stages that a command leads evidence through.
#[derive(Debug, Clone, Copy)]
pub struct Stages {
    /// From files to evidence.
    pub readers: Readers,
    /// From evidence to findings.
    pub judge: fn(&Evidence, &Limits) -> Verdict,
    /// From evidence to the graph that is drawn.
    pub graph: fn(&Evidence) -> Graph,
}

/// The streams of a process. Writers strip colour where `color` says so.
pub trait Console {
    /// Standard input.
    fn stdin(&mut self) -> Box<dyn BufRead + '_>;
    /// Standard output.
    fn stdout(&mut self, color: Color) -> Box<dyn Write + '_>;
    /// Standard error.
    fn stderr(&mut self, color: Color) -> Box<dyn Write + '_>;
    /// Whether somebody watches standard error.
    fn stderr_is_terminal(&self) -> bool;
}

/// Where a command runs.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The current folder.
    pub folder: PathBuf,
    /// The environment.
    pub environment: Environment,
}

/// Why a command could not do its work. All of these are exit code 2.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The baseline cannot be written.
    #[error(transparent)]
    Baseline(#[from] crate::baseline::BaselineError),
    /// The session could not begin.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Cargo could not be run.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The project could not be checked.
    #[error(transparent)]
    Checking(#[from] CheckingError),
    /// A file that was asked for cannot be written.
    #[error("cannot write report `{}`", path.display())]
    Output {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something cannot be removed.
    #[error("cannot remove `{}`", path.display())]
    Remove {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no project.
    #[error("cargo knows no project here")]
    NoProject,
    /// Git does not tell what changed.
    #[error("cannot tell what changed since `{base}`: {why}")]
    Diff {
        /// The commit.
        base: String,
        /// What git says.
        why: String,
    },
    /// The current folder is gone.
    #[error("cannot tell the current folder")]
    Folder(#[source] io::Error),
    /// Standard output or standard error cannot be written.
    #[error("cannot write the report")]
    Write(#[source] io::Error),
    /// There is no such code.
    #[error("there is no code `{0}`; `cargo lockwise explain` lists them")]
    NoCode(String),
}

/// Does what the command line says and returns the exit code.
///
/// # Errors
///
/// [`CommandError`] if that is not possible: exit code 2.
pub fn run(
    cli: &Cli,
    surroundings: &Surroundings,
    console: &mut dyn Console,
    stages: &Stages,
) -> Result<i32, CommandError> {
    let result = match &cli.command {
        Command::Run(options) => watched::run("run", options, surroundings, console, stages),
        Command::Test(options) => watched::run("test", options, surroundings, console, stages),
        Command::Nextest(options) => {
            watched::run("nextest", options, surroundings, console, stages)
        }
        Command::Bench(options) => watched::run("bench", options, surroundings, console, stages),
        Command::Build(options) => watched::run("build", options, surroundings, console, stages),
        Command::Check(options) => check::run(options, surroundings, console, stages),
        Command::Clean(options) => clean::run(options, surroundings, console),
        Command::Report(options) => report::run(options, surroundings, console, stages),
        Command::Graph(options) => graph::run(options, surroundings, console, stages),
        Command::Explain { code } => explain(code.as_deref(), console),
    };
    match result {
        // Whoever read the report has read enough.
        Err(CommandError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        result => result,
    }
}

/// Writes what is known about one code, or the list of all.
fn explain(code: Option<&str>, console: &mut dyn Console) -> Result<i32, CommandError> {
    let mut out = console.stdout(Color::Never);
    match code {
        None => explain::list(&mut *out),
        Some(text) => {
            let code =
                Code::from_text(text).ok_or_else(|| CommandError::NoCode(text.to_owned()))?;
            out.write_all(explain::text(code).as_bytes())
        }
    }
    .and_then(|()| out.flush())
    .map_err(CommandError::Write)?;
    Ok(0)
}

/// Writes an error and its sources, one a line.
///
/// # Errors
///
/// Whatever `out` returns.
pub fn write_error(error: &dyn std::error::Error, out: &mut dyn Write) -> io::Result<()> {
    write_line(&error.to_string(), out)?;
    let mut source = error.source();
    while let Some(cause) = source {
        let message = cause.to_string();
        writeln!(out, "  caused by: {}", printable(&message))?;
        source = cause.source();
    }
    out.flush()
}

/// Writes one line that says what went wrong.
fn write_line(message: &str, out: &mut dyn Write) -> io::Result<()> {
    let title = Level::ERROR.primary_title(printable(message).into_owned());
    let line = Renderer::styled().render(&[Group::with_title(title)]);
    writeln!(out, "{line}")
}

/// The exit code of errors.
pub const ERROR: i32 = exit::USAGE;

#[cfg(test)]
mod tests;
