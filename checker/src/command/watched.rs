//! `run`, `test` and `nextest`: cargo under watch, then a report.
//!
//! Two verdicts come out, the program's and ours, and neither hides the other. The program's streams
//! are its own: the text report goes to standard error, a JSON document to the last line of standard
//! output. A report that nobody reads changes no exit code here.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};

use super::{CommandError, Console, Stages, Surroundings, judged};
use crate::build::{
    self, ChildError, LeftOut, OnDeadlock, Project, Session, Watching, WatchingError, is_locked,
    nearest_root, unseen,
};
use crate::cli::Watched;
use crate::exit::{self, Inputs};
use crate::input::Loaded;
use crate::report::{self, Detail, Format, Program, Report};
use crate::settings::{Color, Layer, Settings};

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
    let call = Call {
        cargo,
        arguments: &arguments,
        session: &session,
        surroundings,
        color: settings.color,
        detail: settings.detail,
    };
    let Ran { exit, limits } = match call.run(project.as_ref(), console) {
        Ok(ran) => ran,
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
    report.verdict.limits.extend(limits);
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

/// What came of calling cargo.
struct Ran {
    exit: i32,
    /// What was not watched.
    limits: Vec<String>,
}

/// One call of cargo.
struct Call<'a> {
    cargo: &'a OsStr,
    arguments: &'a [OsString],
    session: &'a Session,
    surroundings: &'a Surroundings,
    color: Color,
    detail: Detail,
}

impl Call<'_> {
    /// Runs cargo so that everything is watched that can be.
    fn run(&self, project: Option<&Project>, console: &mut dyn Console) -> Result<Ran, ChildError> {
        let Some(project) = project.filter(|_| builds(self.arguments)) else {
            return self.plain(Vec::new());
        };
        let folder = &self.surroundings.folder;
        if is_locked(&project.resolved(self.cargo, self.arguments, folder), OWN) {
            // Its locks are watched as they are; a second watcher under them would see double, and
            // two watchers would know half of what a thread holds each.
            let limit = "the program uses the `lockwise` crate (it stands in Cargo.lock), so only \
                         the locks of that crate are watched: those of std, parking_lot and others \
                         are not";
            return self.plain(vec![limit.to_owned()]);
        }
        let watching = match self.prepare(project, console) {
            Ok(watching) => watching,
            Err(error) => {
                let limit = format!("nothing is watched: {}", judged::chain(&error));
                self.say(&limit, console);
                return self.plain(vec![limit]);
            }
        };
        let (command, rest) = self.arguments.split_at(commands(self.arguments));
        let mut arguments = command.to_vec();
        arguments.extend(watching.arguments(rest));
        let _ = watching.take_failure();
        let exit = self.start(&arguments, &build::OVERRIDING)?;
        if exit != 0
            && let Some(why) = watching.take_failure()
        {
            let limit = format!("nothing is watched: the build failed under watch ({why})");
            self.say(&format!("{limit}; building without"), console);
            return self.plain(vec![limit]);
        }
        // Cargo may have made or changed it just now.
        let lock = project.lock();
        let left_out = watching.left_out(&lock);
        let limits = left_out
            .iter()
            .map(|LeftOut { what, why }| format!("the locks of {what} are not watched: {why}"))
            .chain(unseen(&lock))
            .collect();
        Ok(Ran { exit, limits })
    }

    fn prepare(
        &self,
        project: &Project,
        console: &mut dyn Console,
    ) -> Result<Watching, WatchingError> {
        let environment = &self.surroundings.environment;
        Watching::prepare(
            project,
            self.arguments,
            |name| environment.get(name),
            &self.surroundings.folder,
            &mut || self.say("building the watcher for this compiler, once", console),
        )
    }

    /// Runs cargo as the user would.
    fn plain(&self, limits: Vec<String>) -> Result<Ran, ChildError> {
        let exit = self.start(self.arguments, &[])?;
        Ok(Ran { exit, limits })
    }

    fn start(&self, arguments: &[OsString], removed: &[&str]) -> Result<i32, ChildError> {
        let environment = &self.surroundings.environment;
        let chosen = [build::ON_DEADLOCK, "LOCKWISE_ON_FINDING"]
            .iter()
            .any(|name| environment.get(name).is_some_and(|value| !value.is_empty()));
        let variables = self.session.variables(if chosen {
            OnDeadlock::AsChosen
        } else {
            OnDeadlock::End
        });
        let folder = &self.surroundings.folder;
        build::run(self.cargo, arguments, &variables, removed, folder)
    }

    /// A line for whoever watches.
    fn say(&self, line: &str, console: &mut dyn Console) {
        if self.detail == Detail::Full {
            let mut err = console.stderr(self.color);
            let _ = writeln!(err, "lockwise: {}", report::printable(line));
        }
    }
}

/// The package whose locks watch themselves.
const OWN: &str = "lockwise";

/// Whether cargo is asked to build something.
fn builds(arguments: &[OsString]) -> bool {
    /// What nextest does without building.
    const BUILDS_NOTHING: [&str; 3] = ["replay", "show-config", "self"];
    /// Nextest runs what was built before. It refuses whatever says how to build then.
    const BUILT_BEFORE: [&str; 2] = ["--archive-file", "--binaries-metadata"];
    let is_built_before = |argument: &OsString| {
        let flag = argument.to_str().map(|text| text.split('=').next());
        flag.flatten()
            .is_some_and(|flag| BUILT_BEFORE.contains(&flag))
    };
    let [first, second, rest @ ..] = arguments else {
        return true;
    };
    first != "nextest"
        || second == "archive"
        || !BUILDS_NOTHING.iter().any(|name| second == name)
            && !rest
                .iter()
                .take_while(|argument| *argument != "--")
                .any(is_built_before)
}

/// How many arguments name the command: two with nextest.
fn commands(arguments: &[OsString]) -> usize {
    if arguments.first().is_some_and(|first| first == "nextest") {
        2.min(arguments.len())
    } else {
        1
    }
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
    let command: Vec<&OsStr> = arguments.iter().take(2).map(OsString::as_os_str).collect();
    let runs = command.first().is_none_or(|command| *command != "build")
        && command != ["nextest", "archive"]
        && arguments
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
