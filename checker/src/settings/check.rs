//! The table `[check]` of the configuration: what `check` looks at beyond what it knows.
//!
//! ```toml
//! [check]
//! ref-cell = true       # a `RefCell` that is borrowed twice
//! callbacks = true      # unknown functions that run under a lock
//!
//! [[check.lock]]        # a lock type of another crate
//! type = "their_crate::Guarded"
//! guard = "their_crate::Held"
//! exclusive = ["enter", "try_enter"]
//! shared = ["look"]
//! ```

use toml::Spanned;
use toml::de::DeValue;

use super::Names;
use super::values::{Wrong, flag, string, strings, table};
use crate::code::extra::{Extra, LockType};
use crate::nearest::nearest;

/// What one source says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckLayer {
    /// `ref-cell`
    pub ref_cell: Option<bool>,
    /// `callbacks`
    pub callbacks: Option<bool>,
    /// `lock`, all of them
    pub locks: Vec<LockType>,
}

const KEYS: [&str; 3] = ["ref-cell", "callbacks", "lock"];
const LOCK_KEYS: [&str; 6] = [
    "type",
    "guard",
    "exclusive",
    "shared",
    "upgradable",
    "reentrant",
];

impl CheckLayer {
    /// Fills what `self` does not say with what `weaker` says.
    #[must_use]
    pub fn or(mut self, weaker: CheckLayer) -> CheckLayer {
        self.locks.extend(weaker.locks);
        CheckLayer {
            ref_cell: self.ref_cell.or(weaker.ref_cell),
            callbacks: self.callbacks.or(weaker.callbacks),
            locks: self.locks,
        }
    }

    /// What holds.
    pub(super) fn resolve(self) -> Extra {
        Extra {
            ref_cell: self.ref_cell.unwrap_or(false),
            callbacks: self.callbacks.unwrap_or(false),
            locks: self.locks,
        }
    }
}

/// Reads the table. Keys that are not known go into `unknown`.
pub(super) fn read(
    value: &Spanned<DeValue<'_>>,
    unknown: &mut Vec<Wrong>,
) -> Result<CheckLayer, Wrong> {
    let mut layer = CheckLayer::default();
    for (key, value) in table(value, "check")? {
        let name: &str = key.get_ref();
        let at = |message| (value.span(), format!("`check.{name}`: {message}"));
        match name {
            "ref-cell" => layer.ref_cell = Some(flag(value.get_ref()).map_err(at)?),
            "callbacks" => layer.callbacks = Some(flag(value.get_ref()).map_err(at)?),
            "lock" => {
                let all = value.get_ref().as_array().ok_or_else(|| {
                    at("expected tables: write `[[check.lock]]` above each".to_owned())
                })?;
                for one in all {
                    layer.locks.push(lock(one, unknown)?);
                }
            }
            _ => unknown.push((key.span(), advice("check", name, &KEYS))),
        }
    }
    Ok(layer)
}

fn lock(value: &Spanned<DeValue<'_>>, unknown: &mut Vec<Wrong>) -> Result<LockType, Wrong> {
    let mut lock = LockType::default();
    for (key, value) in table(value, "check.lock")? {
        let name: &str = key.get_ref();
        let at = |message| (value.span(), format!("`check.lock.{name}`: {message}"));
        let names = || strings(value.get_ref()).map_err(at);
        match name {
            "type" => string(value.get_ref())
                .map_err(at)?
                .clone_into(&mut lock.path),
            "guard" => lock.guards = names()?,
            "exclusive" => lock.exclusive = names()?,
            "shared" => lock.shared = names()?,
            "upgradable" => lock.upgradable = names()?,
            "reentrant" => lock.reentrant = names()?,
            _ => unknown.push((key.span(), advice("check.lock", name, &LOCK_KEYS))),
        }
    }
    if lock.path.is_empty() {
        return Err((value.span(), "`check.lock`: `type` is missing".to_owned()));
    }
    if lock.has_no_methods() {
        let message = "`check.lock`: no method that takes it; name some as `exclusive`, `shared`, `upgradable` or `reentrant`";
        return Err((value.span(), message.to_owned()));
    }
    Ok(lock)
}

fn advice(table: &str, name: &str, keys: &[&str]) -> String {
    let meant = nearest(&name.replace('_', "-").to_lowercase(), keys.iter().copied());
    match meant {
        Some(meant) => format!("unknown key `{table}.{name}`; did you mean `{meant}`?"),
        None => format!(
            "unknown key `{table}.{name}`; the keys are {}",
            Names(keys.iter().map(|key| (*key).to_owned()).collect())
        ),
    }
}
