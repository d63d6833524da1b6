//! `cargo lockwise`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::exit;

use anstream::{AutoStream, ColorChoice};
use cargo_lockwise::build::wrapper::{self, Role};
use cargo_lockwise::cli;
use cargo_lockwise::command::{self, CommandError, Console, Surroundings};
use cargo_lockwise::settings::{Color, Environment};
use cargo_lockwise::wiring::STAGES;

fn main() {
    // We are no part of what is watched, though in a build we inherit what the program will.
    lockwise::watch::log::discard();
    let program = std::env::args_os().next().unwrap_or_default();
    if let Some(role) = Role::of(&program) {
        let arguments: Vec<_> = std::env::args_os().collect();
        exit(wrapper::run(role, &arguments));
    }
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help into a closed pipe is no fault.
            let _ = error.print();
            exit(error.exit_code());
        }
    };
    match run(&cli) {
        Ok(code) => exit(code),
        Err(error) => {
            let _ = command::write_error(&error, &mut anstream::stderr());
            exit(command::ERROR);
        }
    }
}

fn run(cli: &cli::Cli) -> Result<i32, CommandError> {
    let surroundings = Surroundings {
        folder: std::env::current_dir().map_err(CommandError::Folder)?,
        environment: Environment::of_process(),
    };
    command::run(cli, &surroundings, &mut Process, &STAGES)
}

/// The streams of this process.
struct Process;

impl Console for Process {
    fn stdin(&mut self) -> Box<dyn BufRead + '_> {
        Box::new(io::stdin().lock())
    }

    fn stdout(&mut self, color: Color) -> Box<dyn Write + '_> {
        let stream = io::stdout();
        let choice = choice(color, AutoStream::choice(&stream));
        Box::new(AutoStream::new(stream, choice))
    }

    fn stderr(&mut self, color: Color) -> Box<dyn Write + '_> {
        let stream = io::stderr();
        let choice = choice(color, AutoStream::choice(&stream));
        Box::new(AutoStream::new(stream, choice))
    }

    fn stderr_is_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }
}

/// What the user chose, or what the stream and the environment suggest.
fn choice(color: Color, automatic: ColorChoice) -> ColorChoice {
    match color {
        Color::Auto => automatic,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}
