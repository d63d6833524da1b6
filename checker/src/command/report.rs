//! `report INPUT…`: judges what was recorded earlier.

use std::io::Write;

use super::{CommandError, Console, Stages, Surroundings, judged};
use crate::build::nearest_root;
use crate::cli;
use crate::exit::{self, Inputs};
use crate::report::{self, Format};

pub(super) fn run(
    options: &cli::Report,
    surroundings: &Surroundings,
    console: &mut dyn Console,
    stages: &Stages,
) -> Result<i32, CommandError> {
    let folder = &surroundings.folder;
    let root = nearest_root(folder);
    let reporting = &options.reporting;
    let settings = judged::settings(reporting, reporting.layer(), &root, surroundings, console)?;
    let files = judged::open(&reporting.output, folder)?;
    let loaded = judged::load(&options.inputs.paths, &root, &settings, console, stages);
    judged::complain(&loaded, settings.color, console);
    let inputs = judged::inputs(&loaded);
    if inputs == Inputs::Missing {
        let _ = writeln!(console.stderr(settings.color), "lockwise: no log found");
    }
    let report = judged::judge(&loaded, &settings, &root, stages);
    // With nothing read there is no story to tell to people; programs get their document always.
    let written = if loaded.read > 0 || settings.format != Format::Text {
        let mut out = console.stdout(settings.color);
        report::write(&report, settings.format, settings.detail, &mut *out)
            .and_then(|()| out.flush())
    } else {
        Ok(())
    };
    judged::write_files(&report, reporting, files, &settings, console)?;
    written.map_err(CommandError::Write)?;
    Ok(exit::code(report.fails(), None, inputs))
}
