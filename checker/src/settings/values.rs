//! The values that a configuration file can have.

use std::ops::Range;

use clap::ValueEnum;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::names;

/// What is wrong, and where.
pub(super) type Wrong = (Range<usize>, String);

/// The value of `name`, which must be a table.
pub(super) fn table<'a, 'b>(
    value: &'a Spanned<DeValue<'b>>,
    name: &str,
) -> Result<&'a DeTable<'b>, Wrong> {
    let found = value.get_ref();
    found.as_table().ok_or_else(|| {
        let message = format!("`{name}`: expected a table, found {}", found.type_str());
        (value.span(), message)
    })
}

/// One string, or several.
pub(super) fn strings(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value.as_array() {
        Some(all) => all
            .iter()
            .map(|one| string(one.get_ref()).map(str::to_owned))
            .collect(),
        None => string(value).map(|one| vec![one.to_owned()]),
    }
}

/// A string.
pub(super) fn string<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("expected a string, found {}", value.type_str()))
}

/// The word of an option.
pub(super) fn choice<T: ValueEnum>(value: &DeValue<'_>) -> Result<T, String> {
    let text = string(value)?;
    T::from_str(text, false).map_err(|_| format!("`{text}` is none of {}", names::<T>()))
}

/// True or false.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| format!("expected true or false, found {}", value.type_str()))
}
