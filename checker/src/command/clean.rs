//! `clean`: what we made is removed.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{CommandError, Console, Surroundings};
use crate::build::{Project, foundation};
use crate::cli::Clean;
use crate::settings::Color;

pub(super) fn run(
    options: &Clean,
    surroundings: &Surroundings,
    console: &mut dyn Console,
) -> Result<i32, CommandError> {
    let environment = &surroundings.environment;
    let cargo = environment.get("CARGO").unwrap_or(OsStr::new("cargo"));
    let named = [
        ("--manifest-path", &options.manifest_path),
        ("--target-dir", &options.target_dir),
    ];
    let arguments: Vec<OsString> = named
        .into_iter()
        .filter_map(|(flag, value)| Some([OsString::from(flag), value.clone()?.into_os_string()]))
        .flatten()
        .collect();
    let project = Project::find(cargo, &arguments, &surroundings.folder);
    let project = project.ok_or(CommandError::NoProject)?;
    let ours = project.target.join("lockwise");
    remove(&ours, console)?;
    if options.all {
        let cache = foundation::cache(|name| environment.get(name), &ours.join("cache"));
        remove(&cache, console)?;
    }
    Ok(0)
}

/// Removes a folder and says so. One that is not there is clean.
fn remove(folder: &Path, console: &mut dyn Console) -> Result<(), CommandError> {
    match fs::remove_dir_all(folder) {
        Ok(()) => {
            let mut err = console.stderr(Color::Auto);
            let _ = writeln!(err, "removed {}", folder.display());
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(CommandError::Remove {
            path: folder.to_owned(),
            source,
        }),
    }
}
