use std::ffi::OsString;

use clap::{Args, CommandFactory};

use super::{Cli, Command, Watched, parse};
use crate::policy::FailOn;
use crate::report::Format;
use crate::settings::Color;

fn cli(line: &str) -> Result<Cli, clap::Error> {
    parse(line.split_whitespace().map(OsString::from))
}

fn watched(line: &str) -> Watched {
    match cli(line).unwrap().command {
        Command::Run(watched)
        | Command::Test(watched)
        | Command::Nextest(watched)
        | Command::Bench(watched)
        | Command::Build(watched) => watched,
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
fn a_mistyped_option_of_ours_is_refused_with_a_suggestion() {
    for (line, meant) in [
        ("x test --fial-on possible", "--fail-on"),
        ("x run --formt=json -p bank", "--format"),
        ("x nextest run --keep-logs", "--keep-log"),
        ("x test --dep", "--deps"),
    ] {
        let error = cli(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        let text = error.to_string();
        assert!(text.contains(&format!("did you mean `{meant}`?")), "{text}");
    }
    insta::assert_snapshot!(cli("x test --fial-on possible").unwrap_err().to_string(), @r"
    error: neither lockwise nor cargo has an option `--fial-on`; did you mean `--fail-on`?

    What is for the program or its tests stands after `--`.

    Usage: cargo lockwise test [OPTIONS] [CARGO'S FLAGS] [-- TEST BINARY'S FLAGS]

    For more information, try '--help'.
    ");
}

#[test]
fn what_cargo_has_or_nobody_knows_goes_to_cargo() {
    for arguments in [
        "--config a=b --doc --color=never --explain --lib --list",
        "--fail-fast --list-type full --max-fail 3",
        "--frobnicate --fail-fastest -fial-on",
        "-p bank -- --fial-on possible",
        "filter -- --formt",
    ] {
        assert_eq!(cargo(&format!("x test {arguments}")), arguments);
    }
    assert_eq!(cargo("x run serve --formt json"), "serve --formt json");
}

#[test]
fn no_flag_of_cargo_is_an_option_of_ours() {
    let known = Watched::augment_args(Cli::command());
    let both: Vec<&str> = known
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .filter(|long| super::cargo_flags::has(&format!("--{long}")))
        .collect();
    assert_eq!(both, Vec::<&str>::new());
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

#[test]
fn limits_may_be_set_on_each_command_that_reads_logs() {
    let of = |line: &str| match cli(line).unwrap().command {
        Command::Report(options) => options.reporting.limiting.limit,
        Command::Check(options) => options.reporting.limiting.limit,
        Command::Graph(options) => options.limiting.limit,
        Command::Test(options) | Command::Run(options) => options.reporting.limiting.limit,
        other => panic!("{other:?}"),
    };
    for line in [
        "cargo-lockwise report --limit window=5 --limit=chains=6 a.std",
        "cargo-lockwise graph a.std --limit window=5 --limit chains=6",
        "cargo-lockwise test -p bank --limit window=5 --limit chains=6",
        "cargo-lockwise run --limit window=5 --limit chains=6 -- --limit x=1",
        "cargo-lockwise check --limit window=5 --limit chains=6 --with logs",
    ] {
        let told: Vec<(&str, u64)> = of(line).iter().map(|l| (l.name, l.number)).collect();
        assert_eq!(told, [("window", 5), ("chains", 6)], "{line}");
    }
    let error = cli("cargo-lockwise report --limit windows=5 a.std").unwrap_err();
    assert!(
        error.to_string().contains("did you mean `window`?"),
        "{error}"
    );
}
