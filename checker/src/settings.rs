//! What the user asked for, put together: command line before environment before file.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display};
use std::path::PathBuf;

use clap::ValueEnum;

use crate::baseline::{Baseline, BaselineError};
use crate::code::extra::Extra;
use crate::limits::{Limits, Setting};
use crate::policy::{FailOn, Policy};
use crate::report::{Detail, Format};

mod check;
mod file;
mod values;

pub use check::CheckLayer;
pub use file::{ConfigError, FILE, find, parse, read};

/// When a report is coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How much a watched program records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// New lock orders only: small logs, no proofs
    Order,
    /// Every event: what proofs need
    Trace,
}

impl LogLevel {
    /// The name that the runtime knows.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Order => "order",
            LogLevel::Trace => "trace",
        }
    }
}

/// One source of settings; what it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    /// `fail-on`
    pub fail_on: Option<FailOn>,
    /// `format`
    pub format: Option<Format>,
    /// `show-excluded`
    pub show_excluded: Option<bool>,
    /// `deps`
    pub deps: Option<bool>,
    /// `color`
    pub color: Option<Color>,
    /// `level`
    pub level: Option<LogLevel>,
    /// `baseline`
    pub baseline: Option<PathBuf>,
    /// `[check]`
    pub check: CheckLayer,
    /// `limits`
    pub limits: Vec<Setting>,
}

/// The settings that hold.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is shown, and what fails the build.
    pub policy: Policy,
    /// How the report is written.
    pub format: Format,
    /// How much of it.
    pub detail: Detail,
    /// When it is coloured.
    pub color: Color,
    /// How much a watched program records; `None` leaves the environment as it is.
    pub level: Option<LogLevel>,
    /// What `check` looks at beyond what it knows.
    pub check: Extra,
    /// How far reading and judging go.
    pub limits: Limits,
}

/// The environment that the program was started in.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

/// Why settings do not hold together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The baseline is wrong.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// A variable has a value that it cannot have.
    #[error("environment variable `{name}` is `{value}`, which is none of {allowed}")]
    Variable {
        /// Which.
        name: String,
        /// Its value.
        value: String,
        /// What it can be.
        allowed: String,
    },
    /// A variable sets a limit that there is not, or to what it cannot be.
    #[error("environment variable `{name}`: {why}")]
    Limit {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// `--fail-on new` has nothing to compare with.
    #[error(
        "`--fail-on new` needs a baseline: name one with `--baseline FILE`, or make one with `--write-baseline FILE`"
    )]
    NewWithoutBaseline,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Environment {
        std::env::vars_os().collect()
    }

    /// The variable's value; one that is empty counts as not set.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Environment {
            variables: variables.into_iter().collect(),
        }
    }
}

impl Layer {
    /// What the environment says.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Variable`] if a variable has a value that it cannot have.
    pub fn of_environment(environment: &Environment) -> Result<Layer, SettingsError> {
        let color = match choice(environment, "LOCKWISE_COLOR")? {
            // These two are honoured where the stream is opened; they outrank cargo's.
            None if environment.get("NO_COLOR").is_some()
                || environment.get("CLICOLOR_FORCE").is_some() =>
            {
                Some(Color::Auto)
            }
            // Cargo itself complains if its own variable is wrong.
            None => choice(environment, "CARGO_TERM_COLOR").unwrap_or_default(),
            color => color,
        };
        Ok(Layer {
            fail_on: choice(environment, "LOCKWISE_FAIL_ON")?,
            format: choice(environment, "LOCKWISE_FORMAT")?,
            show_excluded: flag(environment, "LOCKWISE_SHOW_EXCLUDED")?,
            deps: flag(environment, "LOCKWISE_DEPS")?,
            color,
            // The runtime reads LOCKWISE_LEVEL itself and may know more levels than we do.
            level: None,
            baseline: environment.get("LOCKWISE_BASELINE").map(PathBuf::from),
            check: CheckLayer::default(),
            limits: limits_of(environment)?,
        })
    }

    /// Fills what `self` does not say with what `weaker` says.
    #[must_use]
    pub fn or(self, weaker: Layer) -> Layer {
        Layer {
            fail_on: self.fail_on.or(weaker.fail_on),
            format: self.format.or(weaker.format),
            show_excluded: self.show_excluded.or(weaker.show_excluded),
            deps: self.deps.or(weaker.deps),
            color: self.color.or(weaker.color),
            level: self.level.or(weaker.level),
            baseline: self.baseline.or(weaker.baseline),
            check: self.check.or(weaker.check),
            // Of several on one limit the last holds.
            limits: weaker.limits.into_iter().chain(self.limits).collect(),
        }
    }
}

impl Settings {
    /// Puts the layers together.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if a variable or the baseline is wrong.
    pub fn resolve(
        command_line: Layer,
        environment: &Environment,
        config: Layer,
        detail: Detail,
    ) -> Result<Settings, SettingsError> {
        let level = match (command_line.level, environment.get("LOCKWISE_LEVEL")) {
            (Some(level), _) => Some(level),
            (None, Some(_)) => None,
            (None, None) => Some(config.level.unwrap_or(LogLevel::Trace)),
        };
        let layer = command_line
            .or(Layer::of_environment(environment)?)
            .or(config);
        let baseline = layer.baseline.as_deref().map(Baseline::read).transpose()?;
        let fail_on = match (layer.fail_on, &baseline) {
            (Some(FailOn::New), None) => return Err(SettingsError::NewWithoutBaseline),
            (Some(fail_on), _) => fail_on,
            (None, Some(_)) => FailOn::New,
            (None, None) => FailOn::Certain,
        };
        Ok(Settings {
            policy: Policy {
                fail_on,
                show_excluded: layer.show_excluded.unwrap_or(false),
                deps: layer.deps.unwrap_or(false),
                baseline,
            },
            format: layer.format.unwrap_or(Format::Text),
            detail,
            color: layer.color.unwrap_or_default(),
            level,
            check: layer.check.resolve(),
            limits: Limits::with(&layer.limits),
        })
    }
}

/// The limits alone, from all layers.
///
/// # Errors
///
/// [`SettingsError`] if `LOCKWISE_LIMITS` is wrong.
pub fn limits(
    command_line: Vec<Setting>,
    environment: &Environment,
    config: Layer,
) -> Result<Limits, SettingsError> {
    let mut all = config.limits;
    all.extend(limits_of(environment)?);
    all.extend(command_line);
    Ok(Limits::with(&all))
}

/// The limits that `LOCKWISE_LIMITS` sets, with commas between them.
fn limits_of(environment: &Environment) -> Result<Vec<Setting>, SettingsError> {
    const NAME: &str = "LOCKWISE_LIMITS";
    let Some(value) = environment.get(NAME) else {
        return Ok(Vec::new());
    };
    let value = value.to_string_lossy();
    let settings = value.split(',').filter(|text| !text.trim().is_empty());
    let settings = settings.map(|text| {
        text.parse().map_err(|why| SettingsError::Limit {
            name: NAME.to_owned(),
            why,
        })
    });
    settings.collect()
}

/// A variable whose value is one of an enum's names.
fn choice<T: ValueEnum>(environment: &Environment, name: &str) -> Result<Option<T>, SettingsError> {
    let Some(value) = environment.get(name) else {
        return Ok(None);
    };
    value
        .to_str()
        .and_then(|text| T::from_str(text, true).ok())
        .map(Some)
        .ok_or_else(|| wrong(name, value, &names::<T>()))
}

/// A variable that is on or off.
fn flag(environment: &Environment, name: &str) -> Result<Option<bool>, SettingsError> {
    match environment.get(name) {
        None => Ok(None),
        Some(value) => match value.to_str().map(str::to_ascii_lowercase).as_deref() {
            Some("1" | "true" | "yes" | "on") => Ok(Some(true)),
            Some("0" | "false" | "no" | "off") => Ok(Some(false)),
            _ => Err(wrong(
                name,
                value,
                &Names(vec!["true".into(), "false".into()]),
            )),
        },
    }
}

fn wrong(name: &str, value: &OsStr, allowed: &Names) -> SettingsError {
    SettingsError::Variable {
        name: name.to_owned(),
        value: value.to_string_lossy().into_owned(),
        allowed: allowed.to_string(),
    }
}

/// The names that a setting can have, for messages.
struct Names(Vec<String>);

/// The names of an enum's values.
fn names<T: ValueEnum>() -> Names {
    let values = T::value_variants().iter();
    Names(
        values
            .filter_map(T::to_possible_value)
            .map(|value| value.get_name().to_owned())
            .collect(),
    )
}

impl Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}`")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
