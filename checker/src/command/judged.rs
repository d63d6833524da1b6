//! The way that `report` and the watched commands share: settings, judgement, report.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{CommandError, Console, Stages, Surroundings, write_line};
use crate::baseline::Baseline;
use crate::callers;
use crate::cli::{Output, Reporting};
use crate::exit::Inputs;
use crate::input::{self, Aim, Loaded, Seen};
use crate::report::{self, Detail, Format, Report, Sources, printable};
use crate::settings::{self, Color, ConfigError, Layer, Settings, SettingsError};

/// Puts the settings together and says what in the file is not understood. Sites are relative to
/// `root`, and no configuration above it counts.
pub(super) fn settings(
    reporting: &Reporting,
    command_line: Layer,
    root: &Path,
    surroundings: &Surroundings,
    console: &mut dyn Console,
) -> Result<Settings, CommandError> {
    let (config, warnings) = read(root, surroundings)?;
    let environment = &surroundings.environment;
    let settings = Settings::resolve(command_line, environment, config, reporting.detail())?;
    warn(&warnings, settings.color, console);
    Ok(settings)
}

/// What the configuration file says, after saying what in it is not understood.
pub(super) fn configuration(
    root: &Path,
    surroundings: &Surroundings,
    color: Color,
    console: &mut dyn Console,
) -> Result<Layer, CommandError> {
    let (config, warnings) = read(root, surroundings)?;
    warn(&warnings, color, console);
    Ok(config)
}

fn read(root: &Path, surroundings: &Surroundings) -> Result<(Layer, Vec<String>), SettingsError> {
    let config = settings::find(&surroundings.folder, root);
    let config = config.as_deref().map(settings::read).transpose();
    Ok(config
        .map_err(|error: ConfigError| SettingsError::from(error))?
        .unwrap_or_default())
}

fn warn(warnings: &[String], color: Color, console: &mut dyn Console) {
    let mut err = console.stderr(color);
    for warning in warnings {
        // A closed stderr must not keep the work from being done.
        let _ = writeln!(err, "warning: {}", printable(warning));
    }
}

/// Opens the files that the report goes to, before any long work is done in vain.
pub(super) fn open(
    outputs: &[Output],
    folder: &Path,
) -> Result<Vec<(Format, PathBuf, File)>, CommandError> {
    let open_one = |output: &Output| {
        let path = folder.join(&output.path);
        let file = File::create(&path).map_err(|source| CommandError::Output {
            path: output.path.clone(),
            source,
        })?;
        Ok((output.format, output.path.clone(), file))
    };
    outputs.iter().map(open_one).collect()
}

/// Reads the inputs, with a progress line if somebody watches, and makes all paths relative to
/// `root`.
pub(super) fn load(
    inputs: &[PathBuf],
    root: &Path,
    settings: &Settings,
    console: &mut dyn Console,
    stages: &Stages,
) -> Loaded {
    let shows = console.stderr_is_terminal() && settings.detail == Detail::Full;
    let mut loaded = if inputs.iter().any(|input| input.as_os_str() == "-") {
        let mut stdin = console.stdin();
        let (readers, limits) = (&stages.readers, &settings.limits);
        input::load(
            inputs,
            &mut *stdin,
            readers,
            limits,
            Aim::Verdict,
            &mut |_| {},
        )
    } else {
        let mut err = console.stderr(settings.color);
        let mut progress = |text: &str| {
            if shows {
                let _ = write!(err, "\r\u{1b}[K{text}").and_then(|()| err.flush());
            }
        };
        let mut seen = |seen: Seen| progress(&told(seen));
        let loaded = input::load(
            inputs,
            &mut io::empty(),
            &stages.readers,
            &settings.limits,
            Aim::Verdict,
            &mut seen,
        );
        progress("");
        loaded
    };
    input::relative_to(&mut loaded.evidence, root);
    loaded
}

/// The progress line: which log is read, and a bar where it is long.
fn told(seen: Seen) -> String {
    /// Cells of the bar, each for so many percent.
    const PERCENT: u64 = 5;

    let Seen {
        number,
        percent,
        again,
    } = seen;
    let again = if again { " again" } else { "" };
    let bar = percent.map_or(String::new(), |percent| {
        let cells = |count: u64, cell: &str| cell.repeat(usize::try_from(count).unwrap_or(0));
        let full = percent / PERCENT;
        let (full, empty) = (cells(full, "#"), cells(100 / PERCENT - full, "."));
        format!(" [{full}{empty}] {percent} %")
    });
    format!("reading log {number}{again}{bar}")
}

/// Judges what was read. What could not be read is among the limits.
pub(super) fn judge(loaded: &Loaded, settings: &Settings, root: &Path, stages: &Stages) -> Report {
    let mut verdict = (stages.judge)(&loaded.evidence, &settings.limits);
    callers::tell(&loaded.evidence, &mut verdict.findings, root);
    verdict
        .limits
        .extend(loaded.errors.iter().map(|error| chain(error)));
    let policy = settings.policy.clone();
    let mut report = Report::new(verdict, policy, Sources::at(root));
    report.logs = loaded.read;
    report
}

/// An error and its sources on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Writes the report, and the baseline, into the files that were asked for, and says so of the
/// latter. To be done last: that a disk is full must not hide what was found.
pub(super) fn write_files(
    report: &Report,
    reporting: &Reporting,
    files: Vec<(Format, PathBuf, File)>,
    settings: &Settings,
    console: &mut dyn Console,
) -> Result<(), CommandError> {
    for (format, path, mut file) in files {
        // A file is no terminal: never a colour, and nothing left out to keep it quiet.
        let mut text = anstream::StripStream::new(Vec::new());
        report::write(report, format, Detail::Full, &mut text)
            .and_then(|()| file.write_all(&text.into_inner()))
            .map_err(|source| CommandError::Output { path, source })?;
    }
    if let Some(path) = &reporting.write_baseline {
        let baseline = Baseline::of(&report.verdict);
        baseline.write(path)?;
        if settings.detail == Detail::Full {
            let path = path.display().to_string();
            let number = baseline.len();
            let findings = if number == 1 { "finding" } else { "findings" };
            // A closed stderr is no fault.
            let _ = writeln!(
                console.stderr(settings.color),
                "baseline: wrote {number} accepted {findings} to `{}`",
                printable(&path)
            );
        }
    }
    Ok(())
}

/// Says on standard error what could not be read, one line each.
pub(super) fn complain(loaded: &Loaded, color: Color, console: &mut dyn Console) {
    let mut err = console.stderr(color);
    for error in &loaded.errors {
        let _ = write_line(&chain(error), &mut *err);
    }
}

/// What the inputs were like, all of them counting.
pub(super) fn inputs(loaded: &Loaded) -> Inputs {
    if !loaded.errors.is_empty() {
        Inputs::Unreadable
    } else if loaded.read == 0 {
        Inputs::Missing
    } else {
        Inputs::Read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_line_has_a_bar_only_where_a_log_is_long() {
        let seen = |percent, again| Seen {
            number: 2,
            percent,
            again,
        };
        assert_eq!(told(seen(None, false)), "reading log 2");
        assert_eq!(
            told(seen(Some(42), true)),
            "reading log 2 again [########............] 42 %"
        );
        assert!(told(seen(Some(100), false)).ends_with("[####################] 100 %"));
    }
}
