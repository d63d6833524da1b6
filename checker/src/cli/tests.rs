use std::ffi::OsString;

use clap::CommandFactory;

use super::{Cli, Command, Watched, parse};
use crate::policy::FailOn;
use crate::report::Format;
use crate::settings::Color;

fn cli(line: &str) -> Result<Cli, clap::Error> {
    parse(line.split_whitespace().map(OsString::from))
}

fn watched(line: &str) -> Watched {
    match cli(line).unwrap().command {
        Command::Run(watched) | Command::Test(watched) | Command::Nextest(watched) => watched,
        other => panic!("{other:?}"),
    }
}

fn cargo(line: &str) -> String {
    let parts: Vec<String> = watched(line)
        .cargo
        .into_iter()
        .map(|part| part.into_string().unwrap())
        .collect();
    parts.join(" ")
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn both_names_work() {
    for line in [
        "cargo-lockwise explain LW0003",
        "cargo-lockwise lockwise explain LW0003",
    ] {
        let Command::Explain { code } = cli(line).unwrap().command else {
            panic!("{line}");
        };
        assert_eq!(code.as_deref(), Some("LW0003"));
    }
}

#[test]
fn cargo_s_flags_are_passed_on_untouched_and_in_order() {
    assert_eq!(
        cargo("cargo-lockwise test -p bank --release transfer -- --nocapture --format pretty"),
        "-p bank --release transfer -- --nocapture --format pretty"
    );
    assert_eq!(cargo("cargo-lockwise test"), "");
    assert_eq!(
        cargo("cargo-lockwise test -- --test-threads=1"),
        "-- --test-threads=1"
    );
}

#[test]
fn our_options_are_found_before_and_among_cargo_s() {
    for line in [
        "x test --format json --fail-on possible -p bank",
        "x test -p bank --format json --fail-on=possible",
        "x test --format=json -p bank --fail-on possible",
    ] {
        let watched = watched(line);
        assert_eq!(watched.reporting.format, Some(Format::Json));
        assert_eq!(watched.reporting.fail_on, Some(FailOn::Possible));
        assert_eq!(watched.cargo, ["-p", "bank"]);
    }
}

#[test]
fn what_follows_two_dashes_is_never_ours() {
    let watched = watched("x run --bin server -- --format json --help");
    assert_eq!(watched.reporting.format, None);
    assert_eq!(watched.cargo.len(), 6);
}

#[test]
fn the_program_s_own_arguments_are_never_ours() {
    let watched = watched("x run --bin server --deps serve --format json");
    assert_eq!(watched.reporting.format, None);
    assert_eq!(watched.reporting.deps, Some(true));
    assert_eq!(
        watched.cargo,
        ["--bin", "server", "serve", "--format", "json"]
    );
}

#[test]
fn quiet_and_colour_count_for_both() {
    let watched = watched("x test -q --color never -p bank");
    assert!(watched.reporting.quiet);
    assert_eq!(watched.reporting.color, Some(Color::Never));
    assert_eq!(watched.cargo, ["-q", "--color", "never", "-p", "bank"]);
}

#[test]
fn a_switch_can_be_turned_off() {
    assert_eq!(watched("x test --deps=false").reporting.deps, Some(false));
    assert_eq!(cargo("x test --deps false"), "false");
}

#[test]
fn an_output_needs_a_format_and_a_file() {
    let watched = watched("x test --output json=a=b.json --output text=r.txt");
    assert_eq!(watched.reporting.output[0].path.to_str(), Some("a=b.json"));
    assert_eq!(watched.reporting.output[1].format, Format::Text);
    for wrong in ["json", "json=", "xml=a"] {
        assert!(cli(&format!("x test --output {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn wrong_usage_is_exit_2_and_help_is_0() {
    for wrong in [
        "x",
        "x frobnicate",
        "x report",
        "x test --format xml",
        "x test --fail-on",
    ] {
        assert_eq!(cli(wrong).unwrap_err().exit_code(), 2, "{wrong}");
    }
    for help in [
        "x --help",
        "x test -p bank --help",
        "x --version",
        "x help report",
    ] {
        assert_eq!(cli(help).unwrap_err().exit_code(), 0, "{help}");
    }
}

#[test]
fn the_help_reads_well() {
    let help = |line: &str| {
        let command = Cli::command().term_width(100);
        let result = command.try_get_matches_from(line.split_whitespace());
        result.unwrap_err().to_string()
    };
    insta::assert_snapshot!("help", help("x --help"));
    insta::assert_snapshot!("help_test", help("x test --help"));
    insta::assert_snapshot!("help_report", help("x report --help"));
}
