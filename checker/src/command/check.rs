//! `check`: reads the code through `cargo check`, and judges it. Nothing is run.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{CommandError, Console, Stages, Surroundings, judged, write_error};
use crate::build::{self, Checked, Checking, CheckingError, Listener, Project};
use crate::cli::Check;
use crate::code::analysis::{self, Asked};
use crate::code::changed::{self, Changes};
use crate::code::joined::{self, Seen};
use crate::code::kept::Question;
use crate::exit::{self, Inputs, UNREADABLE};
use crate::finding::Verdict;
use crate::report::{self, Format, Report, Sources, printable};
use crate::settings::{Color, Settings};

pub(super) fn run(
    options: &Check,
    surroundings: &Surroundings,
    console: &mut dyn Console,
    stages: &Stages,
) -> Result<i32, CommandError> {
    let folder = &surroundings.folder;
    let environment = &surroundings.environment;
    let cargo = environment.get("CARGO").unwrap_or(OsStr::new("cargo"));
    let Some(project) = Project::find(cargo, &options.cargo, folder) else {
        // Cargo says best why.
        let mut arguments = vec![OsString::from("check")];
        arguments.extend(options.cargo.iter().cloned());
        let exit = build::run(cargo, &arguments, &[], &[], folder)?;
        return if exit == 0 {
            Err(CommandError::NoProject)
        } else {
            Ok(exit)
        };
    };
    let reporting = &options.reporting;
    let layer = options.layer();
    let settings = judged::settings(reporting, layer, &project.root, surroundings, console)?;
    let files = judged::open(&reporting.output, folder)?;
    let loaded = (!options.with.is_empty())
        .then(|| judged::load(&options.with, &project.root, &settings, console, stages));
    let asked = Asked {
        seen: loaded.as_ref().map(|loaded| Seen::of(&loaded.evidence)),
        changes: match &options.diff {
            Some(base) => Some(changes(base, &project.root)?),
            None => None,
        },
        extra: settings.check.clone(),
    };
    let printing = match build::prove(&project, |name| environment.get(name), folder) {
        Err(error @ (CheckingError::NotPrinted { .. } | CheckingError::NotUnderstood { .. })) => {
            let _ = write_error(&error, &mut *console.stderr(settings.color));
            let verdict = Verdict {
                limits: vec![judged::chain(&error)],
                ..Verdict::default()
            };
            let sources = Sources::at(&project.root);
            let report = Report::new(verdict, settings.policy.clone(), sources);
            // People have been told.
            if settings.format == Format::Json {
                let nothing = Checked::default();
                write(&report, &nothing, &settings, false, console).map_err(CommandError::Write)?;
            }
            judged::write_files(&report, reporting, files, &settings, console)?;
            return Ok(UNREADABLE);
        }
        proved => proved?,
    };
    let messages = wants_messages(&options.cargo);
    let asked_of_cargo = Checking {
        project: &project,
        printing,
        cargo,
        arguments: &options.cargo,
        from: folder,
        is_colored: match settings.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => io::stderr().is_terminal(),
        },
    };
    let checked = call(
        asked_of_cargo,
        surroundings,
        settings.color,
        messages,
        console,
    )?;
    let mut verdict = judge(&project, &checked, &asked);
    // Nothing was found, and nothing was looked for.
    let is_unseen = checked.targets.is_empty() && checked.not_printed > 0;
    let mut inputs = Inputs::Read;
    if let Some(loaded) = &loaded {
        judged::complain(loaded, settings.color, console);
        inputs = judged::inputs(loaded);
        let run = (stages.judge)(&loaded.evidence, &settings.limits);
        joined::merge(&mut verdict.findings, run.findings);
        verdict.limits.extend(run.limits);
        let errors = loaded.errors.iter().map(|error| judged::chain(error));
        verdict.limits.extend(errors);
        if matches!(inputs, Inputs::Missing) {
            let none = "no log was found where `--with` looks: only the code was judged";
            verdict.limits.push(none.to_owned());
        }
        verdict.settle();
    }
    if checked.exit != 0 {
        verdict.limits.push(
            "the project does not compile: what could not be compiled was not looked at".to_owned(),
        );
    }
    let sources = Sources::at(&project.root);
    let report = Report::new(verdict, settings.policy.clone(), sources);
    let written = write(&report, &checked, &settings, messages, console);
    judged::write_files(&report, reporting, files, &settings, console)?;
    written.map_err(CommandError::Write)?;
    if is_unseen {
        inputs = Inputs::Unreadable;
    }
    let cargos = (checked.exit != 0).then_some(checked.exit);
    Ok(exit::code(report.fails(), cargos, inputs))
}

/// The verdict on what was printed: the last one, where nothing has changed.
fn judge(project: &Project, checked: &Checked, asked: &Asked) -> Verdict {
    let question = Question {
        root: &project.root,
        printed: &checked.files,
        others: &checked.others,
        extra: &asked.extra,
    };
    let file = project
        .target
        .join("lockwise")
        .join("check")
        .join("verdict.json");
    let is_plain = asked.changes.is_none() && asked.seen.is_none();
    if is_plain && let Some(verdict) = question.answer(&file) {
        return verdict;
    }
    let mut limits = Vec::new();
    let printed = build::read_printed(&checked.files, &mut limits);
    let mut judged = analysis::judge(&project.root, printed, &checked.others, asked);
    judged.verdict.limits.append(&mut limits);
    if is_plain {
        question.keep(&file, &judged.verdict, &judged.read);
    }
    judged.verdict
}

/// Calls cargo; its messages go to people or, line by line, to a program.
fn call(
    asked: Checking<'_>,
    surroundings: &Surroundings,
    color: Color,
    messages: bool,
    console: &mut dyn Console,
) -> Result<Checked, CheckingError> {
    // That nobody reads is no reason to stop.
    let mut to_people = |text: &str| {
        let _ = console.stderr(color).write_all(text.as_bytes());
    };
    let mut to_program = |line: &str| {
        let _ = writeln!(io::stdout(), "{line}");
    };
    let mut listener = if messages {
        Listener::Lines(&mut to_program)
    } else {
        Listener::Text(&mut to_people)
    };
    let environment = &surroundings.environment;
    build::check(asked, |name| environment.get(name), &mut listener)
}

fn write(
    report: &Report,
    checked: &Checked,
    settings: &Settings,
    messages: bool,
    console: &mut dyn Console,
) -> io::Result<()> {
    if checked.targets.is_empty() && settings.format == Format::Text {
        let mut err = console.stderr(settings.color);
        for limit in &report.verdict.limits {
            let _ = writeln!(err, "note: {}", printable(limit));
        }
        let _ = writeln!(err, "lockwise: no crate of this project was looked at");
        return Ok(());
    }
    let mut out = console.stdout(settings.color);
    if messages {
        report::write_messages(report, &checked.targets, &mut *out)?;
    } else {
        report::write(report, settings.format, settings.detail, &mut *out)?;
    }
    out.flush()
}

/// Whether cargo's flags ask for its messages as JSON.
fn wants_messages(arguments: &[OsString]) -> bool {
    let mut arguments = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(argument) = arguments.next() {
        let value = match argument.strip_prefix("--message-format") {
            Some("") => arguments.next(),
            Some(value) => value.strip_prefix('='),
            None => None,
        };
        if value.is_some_and(|value| value.starts_with("json")) {
            return true;
        }
    }
    false
}

/// The lines that changed since a commit, as git tells them; files that git does not know yet are new.
fn changes(base: &str, root: &Path) -> Result<Changes, CommandError> {
    let said = |why: String| CommandError::Diff {
        base: base.to_owned(),
        why,
    };
    // Git would take it for an option of its own.
    if base.starts_with('-') {
        return Err(said("no commit is called so".to_owned()));
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            // Names stay as they are, whatever letters they have.
            .args(["-c", "core.quotePath=false"])
            .args(arguments)
            .args(["--", "*.rs"])
            .current_dir(root)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| said(error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        Err(said(text.lines().next().unwrap_or_default().to_owned()))
    };
    let diff = git(&[
        "diff",
        "--unified=0",
        "--no-color",
        "--no-ext-diff",
        "--relative",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        base,
    ])?;
    let new = git(&["ls-files", "--others", "--exclude-standard", "-z"])?;
    let mut changes = changed::read(&diff);
    changed::add_new(&mut changes, new.split_terminator('\0'));
    Ok(changes)
}
