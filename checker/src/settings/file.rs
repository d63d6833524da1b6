//! The file `.config/lockwise.toml`: the settings that a project shares.
//!
//! Its keys are the names of the command line's options. A key that is not known is a warning with
//! its place and a suggestion, so that an older program reads a newer file; a value that cannot be is an error.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::values::{Wrong, choice, flag, string, table};
use super::{Layer, Names, check};
use crate::limits::Setting;
use crate::nearest::nearest;

/// Where the file lies, seen from the folder that it governs.
pub const FILE: &str = ".config/lockwise.toml";

/// The keys, for suggestions.
pub(super) const KEYS: [&str; 9] = [
    "fail-on",
    "format",
    "show-excluded",
    "deps",
    "color",
    "level",
    "baseline",
    "check",
    "limits",
];

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read configuration `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It says something that it cannot say.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// The nearest configuration file in `from` or a folder above it, up to the workspace's `root` and
/// no further. From outside of the workspace, only the root's own file counts.
pub fn find(from: &Path, root: &Path) -> Option<PathBuf> {
    let from = if from.starts_with(root) { from } else { root };
    from.ancestors()
        .take_while(|folder| folder.starts_with(root))
        .map(|folder| folder.join(FILE))
        .find(|path| path.is_file())
}

/// Reads the file; warnings come back beside what it says.
///
/// # Errors
///
/// [`ConfigError`] if it cannot be read, is not TOML, or has a value that cannot be.
pub fn read(path: &Path) -> Result<(Layer, Vec<String>), ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(path, &text)
}

/// Reads the text of the file at `path`; a baseline it names is relative to the folder it governs.
///
/// # Errors
///
/// [`ConfigError::Content`] if it is not TOML, or has a value that cannot be.
pub fn parse(path: &Path, text: &str) -> Result<(Layer, Vec<String>), ConfigError> {
    let wrong = |span: Range<usize>, message: String| {
        let (line, column) = position(text, span.start);
        ConfigError::Content {
            path: path.to_owned(),
            line,
            column,
            message,
        }
    };
    let table = DeTable::parse(text).map_err(|error| {
        let message = error.message().lines().next().unwrap_or_default();
        wrong(error.span().unwrap_or(0..0), message.to_owned())
    })?;
    let mut layer = Layer::default();
    let mut warnings = Vec::new();
    for (key, value) in table.get_ref() {
        let name: &str = key.get_ref();
        let at = |message| wrong(value.span(), format!("`{name}`: {message}"));
        if name == "check" {
            let mut unknown = Vec::new();
            layer.check =
                check::read(value, &mut unknown).map_err(|(span, text)| wrong(span, text))?;
            for (span, said) in unknown {
                let (line, column) = position(text, span.start);
                warnings.push(format!("{}:{line}:{column}: {said}", path.display()));
            }
            continue;
        }
        if name == "limits" {
            layer.limits = limits(value).map_err(|(span, text)| wrong(span, text))?;
            continue;
        }
        let value = value.get_ref();
        match name {
            "fail-on" => layer.fail_on = Some(choice(value).map_err(at)?),
            "format" => layer.format = Some(choice(value).map_err(at)?),
            "show-excluded" => layer.show_excluded = Some(flag(value).map_err(at)?),
            "deps" => layer.deps = Some(flag(value).map_err(at)?),
            "color" => layer.color = Some(choice(value).map_err(at)?),
            "level" => layer.level = Some(choice(value).map_err(at)?),
            "baseline" => {
                let file = string(value).map_err(at)?;
                let folder = path.parent().and_then(Path::parent);
                layer.baseline = Some(folder.unwrap_or(Path::new("")).join(file));
            }
            _ => {
                let (line, column) = position(text, key.span().start);
                let path = path.display();
                let advice = advice(name);
                warnings.push(format!(
                    "{path}:{line}:{column}: unknown key `{name}`{advice}"
                ));
            }
        }
    }
    warnings.sort();
    Ok((layer, warnings))
}

/// Reads the table `limits`. A name that is not known is an error: a limit that does nothing would
/// deceive.
fn limits(value: &Spanned<DeValue<'_>>) -> Result<Vec<Setting>, Wrong> {
    let table = table(value, "limits")?;
    let one = |name: &str, value: &Spanned<DeValue<'_>>| {
        let number = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            _ => None,
        };
        let wrong = |message| (value.span(), format!("`limits.{name}`: {message}"));
        let number = number.ok_or_else(|| wrong("expected a number from 0".to_owned()))?;
        Setting::new(name, number).map_err(wrong)
    };
    let settings = table.iter().map(|(name, value)| one(name.get_ref(), value));
    settings.collect()
}

/// What to write instead of a key that is not known: the one that was meant or, failing that, any.
fn advice(name: &str) -> String {
    let name = name.replace('_', "-").to_lowercase();
    match nearest(&name, KEYS) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => format!("; the keys are {}", Names(KEYS.map(str::to_owned).into())),
    }
}

/// Line and column, from 1, of a byte of the text.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}
