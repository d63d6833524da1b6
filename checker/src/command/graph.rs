//! `graph INPUT…`: draws the lock-order graph.

use std::io::{self, Write};

use super::{CommandError, Console, Stages, judged};
use crate::cli::Inputs;
use crate::exit;
use crate::input;
use crate::settings::Color;

pub(super) fn run(
    inputs: &Inputs,
    console: &mut dyn Console,
    stages: &Stages,
) -> Result<i32, CommandError> {
    let loaded = {
        let mut stdin = console.stdin();
        input::load(&inputs.paths, &mut *stdin, &stages.readers, &mut |_| {})
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
