//! `graph INPUT…`: draws the lock-order graph.

use std::io::{self, Write};

use super::{CommandError, Console, Stages, Surroundings, judged};
use crate::build::nearest_root;
use crate::cli::Graph;
use crate::exit;
use crate::input::{self, Aim};
use crate::settings::{self, Color};

pub(super) fn run(
    options: &Graph,
    surroundings: &Surroundings,
    console: &mut dyn Console,
    stages: &Stages,
) -> Result<i32, CommandError> {
    // Of all settings only the limits have to do with a drawing.
    let root = nearest_root(&surroundings.folder);
    let config = judged::configuration(&root, surroundings, Color::Auto, console)?;
    let limit = options.limiting.limit.clone();
    let limits = &settings::limits(limit, &surroundings.environment, config)?;
    let paths = &options.inputs.paths;
    let loaded = {
        let mut stdin = console.stdin();
        let readers = &stages.readers;
        input::load(
            paths,
            &mut *stdin,
            readers,
            limits,
            Aim::Orders,
            &mut |_| {},
        )
    };
    judged::complain(&loaded, Color::Auto, console);
    {
        let mut err = console.stderr(Color::Auto);
        for limit in &loaded.evidence.limits {
            let limit = crate::report::printable(limit);
            let _ = writeln!(err, "note: {limit}");
        }
    }
    let inputs = judged::inputs(&loaded);
    if loaded.read > 0 {
        let mut out = io::BufWriter::new(console.stdout(Color::Never));
        (stages.graph)(&loaded.evidence)
            .write(&mut out)
            .and_then(|()| out.flush())
            .map_err(CommandError::Write)?;
    } else if inputs == exit::Inputs::Missing {
        let _ = writeln!(console.stderr(Color::Auto), "lockwise: no log found");
    }
    Ok(exit::code(false, None, inputs))
}
