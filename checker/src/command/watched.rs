//! `run`, `test` and `nextest`: cargo under watch, then a report.
//!
//! Two verdicts come out, the program's and ours, and neither hides the other. The program's streams
//! are its own: the text report goes to standard error, a JSON document to the last line of standard
//! output. A report that nobody reads changes no exit code here.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};

use super::{CommandError, Console, Stages, Surroundings, judged};
use crate::build::{self, Project, Session, nearest_root};
use crate::cli::Watched;
use crate::exit::{self, Inputs};
use crate::input::Loaded;
use crate::report::{self, Detail, Format, Program, Report};
use crate::settings::{Layer, Settings};

pub(super) fn run(
    command: &'static str,
    options: &Watched,
    surroundings: &Surroundings,
    console: &mut dyn Console,
    stages: &Stages,
) -> Result<i32, CommandError> {
    let folder = &surroundings.folder;
    let cargo = surroundings.environment.get("CARGO");
    let cargo = cargo.unwrap_or(OsStr::new("cargo"));
    let project = Project::find(cargo, &options.cargo, folder);
    let root = match &project {
        Some(project) => project.root.clone(),
        None => nearest_root(folder),
    };
    let reporting = &options.reporting;
    let layer = Layer {
        level: options.level,
        ..reporting.layer()
    };
    let settings = judged::settings(reporting, layer, &root, surroundings, console)?;
    let files = judged::open(&reporting.output, folder)?;
    let chosen = options.log_dir.as_ref().map(|dir| folder.join(dir));
    let session = Session::begin(
        project.as_ref(),
        chosen.as_deref(),
        options.keep_log,
        settings.level,
    )?;

    let arguments = arguments(command, &options.cargo);
    let exit = match build::run(cargo, &arguments, &session.variables(), folder) {
        Ok(exit) => exit,
        Err(error) => {
            let _ = session.end();
            return Err(error.into());
        }
    };
    let logs = [session.logs().to_owned()];
    let loaded = judged::load(&logs, &root, &settings, console, stages);
    let inputs = inputs(&loaded, &arguments);
    let mut report = judged::judge(&loaded, &settings, &root, stages);
    report.program = Some(Program { command, exit });
    let written = write(&report, inputs, &session, &settings, console);
    let _ = session.end();
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(CommandError::Write(error));
        }
        _ => {}
    }
    judged::write_files(&report, reporting, files, &settings, console)?;
    Ok(exit::code(report.fails(), Some(exit), inputs))
}

/// What cargo is called with: nextest's `run` may be left out.
fn arguments(command: &str, rest: &[OsString]) -> Vec<OsString> {
    /// The subcommands of nextest, which the user may name.
    const SUBCOMMANDS: [&str; 9] = [
        "run",
        "r",
        "list",
        "archive",
        "bench",
        "debug",
        "replay",
        "show-config",
        "self",
    ];
    let mut arguments = vec![OsString::from(command)];
    let is_named = |first: &OsString| SUBCOMMANDS.iter().any(|name| first == name);
    if command == "nextest" && !rest.first().is_some_and(is_named) {
        arguments.push("run".into());
    }
    arguments.extend(rest.iter().cloned());
    arguments
}

/// What the logs were like. A log that cannot be read is in the report; it counts only if no other
/// was there. No log is no fault where nothing was to be run.
fn inputs(loaded: &Loaded, arguments: &[OsString]) -> Inputs {
    const NOTHING_RUNS: [&str; 5] = ["--no-run", "--list", "--version", "-V", "list"];
    let runs = arguments
        .iter()
        .all(|argument| NOTHING_RUNS.iter().all(|name| argument != name));
    match judged::inputs(loaded) {
        Inputs::Unreadable if loaded.read > 0 => Inputs::Read,
        Inputs::Missing if !runs => Inputs::Read,
        inputs => inputs,
    }
}

/// Writes the report, which ends with both verdicts. That nobody reads standard error must not keep
/// the document from standard output.
fn write(
    report: &Report,
    inputs: Inputs,
    session: &Session,
    settings: &Settings,
    console: &mut dyn Console,
) -> io::Result<()> {
    // Where nothing was to be run there is nothing to say either.
    let nothing_ran = report.logs == 0 && inputs == Inputs::Read;
    let said = if nothing_ran {
        Ok(())
    } else {
        say(
            report,
            session,
            settings,
            &mut *console.stderr(settings.color),
        )
    };
    if settings.format == Format::Json {
        let mut out = console.stdout(settings.color);
        // The program may have left its last line open.
        writeln!(out)?;
        report::write(report, Format::Json, settings.detail, &mut *out)?;
        out.flush()?;
    }
    said
}

/// Writes what stands on standard error.
fn say(
    report: &Report,
    session: &Session,
    settings: &Settings,
    err: &mut dyn Write,
) -> io::Result<()> {
    if session.keeps() {
        writeln!(err, "\nlogs kept in {}", session.logs().display())?;
    }
    if settings.detail == Detail::Full {
        writeln!(err)?;
    }
    match settings.format {
        Format::Text => report::write(report, Format::Text, settings.detail, err)?,
        Format::Json => report::write_verdicts(report, settings.detail, err)?,
    }
    err.flush()
}

#[cfg(test)]
mod tests;
