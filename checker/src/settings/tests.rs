use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Color, Environment, FILE, Layer, LogLevel, Settings, find, parse};
use crate::limits::Limits;
use crate::policy::FailOn;
use crate::report::{Detail, Format};

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)))
        .collect()
}

fn resolve(line: Layer, variables: &[(&str, &str)], file: &str) -> Result<Settings, String> {
    let path = Path::new("/bank").join(FILE);
    let (config, _) = parse(&path, file).map_err(|error| error.to_string())?;
    Settings::resolve(line, &environment(variables), config, Detail::Full)
        .map_err(|error| error.to_string())
}

#[test]
fn the_command_line_outranks_the_environment_and_that_the_file() {
    let line = Layer {
        fail_on: Some(FailOn::Never),
        ..Layer::default()
    };
    let variables = [("LOCKWISE_FAIL_ON", "note"), ("LOCKWISE_FORMAT", "json")];
    let file = "fail-on = 'possible'\nformat = 'text'\ndeps = true\nshow-excluded = true\n";
    let settings = resolve(line, &variables, file).unwrap();
    assert_eq!(settings.policy.fail_on, FailOn::Never);
    assert_eq!(settings.format, Format::Json);
    assert!(settings.policy.deps && settings.policy.show_excluded);

    let settings = resolve(Layer::default(), &variables, file).unwrap();
    assert_eq!(settings.policy.fail_on, FailOn::Note);
    let settings = resolve(Layer::default(), &[("LOCKWISE_DEPS", "0")], file).unwrap();
    assert!(!settings.policy.deps);
}

#[test]
fn without_any_word_the_defaults_hold() {
    let settings = resolve(Layer::default(), &[("LOCKWISE_FAIL_ON", "")], "").unwrap();
    assert_eq!(settings.policy.fail_on, FailOn::Certain);
    assert_eq!(settings.format, Format::Text);
    assert_eq!(settings.color, Color::Auto);
    assert_eq!(settings.level, Some(LogLevel::Trace));
}

#[test]
fn a_level_in_the_environment_is_left_to_the_runtime() {
    let level = |line, variables: &[(&str, &str)], file| {
        let line = Layer {
            level: line,
            ..Layer::default()
        };
        resolve(line, variables, file).unwrap().level
    };
    let variables = [("LOCKWISE_LEVEL", "off")];
    assert_eq!(level(None, &variables, "level = 'order'"), None);
    assert_eq!(level(None, &[], "level = 'order'"), Some(LogLevel::Order));
    assert_eq!(
        level(Some(LogLevel::Trace), &variables, ""),
        Some(LogLevel::Trace)
    );
}

#[test]
fn colour_follows_the_usual_variables() {
    let color = |variables: &[(&str, &str)], file| {
        resolve(Layer::default(), variables, file).unwrap().color
    };
    assert_eq!(color(&[("CARGO_TERM_COLOR", "always")], ""), Color::Always);
    assert_eq!(color(&[("CARGO_TERM_COLOR", "nonsense")], ""), Color::Auto);
    let both = [("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")];
    assert_eq!(color(&both, "color = 'always'"), Color::Auto);
    let ours = [("LOCKWISE_COLOR", "never"), ("CLICOLOR_FORCE", "1")];
    assert_eq!(color(&ours, ""), Color::Never);
    assert_eq!(color(&[], "color = 'never'"), Color::Never);
}

#[test]
fn a_wrong_variable_is_named_with_what_it_can_be() {
    let error = resolve(Layer::default(), &[("LOCKWISE_FAIL_ON", "always")], "").unwrap_err();
    assert_eq!(
        error,
        "environment variable `LOCKWISE_FAIL_ON` is `always`, which is none of `actual`, \
         `certain`, `possible`, `note`, `new`, `never`"
    );
    assert!(resolve(Layer::default(), &[("LOCKWISE_DEPS", "perhaps")], "").is_err());
}

#[test]
fn a_wrong_file_is_named_with_line_and_column() {
    let error = |file: &str| resolve(Layer::default(), &[], file).unwrap_err();
    let prefix = "/bank/.config/lockwise.toml";
    assert_eq!(
        error("deps = true\nfail-on = 'maybe'\n"),
        format!(
            "{prefix}:2:11: `fail-on`: `maybe` is none of `actual`, `certain`, `possible`, \
             `note`, `new`, `never`"
        )
    );
    assert_eq!(
        error("deps = 'yes'"),
        format!("{prefix}:1:8: `deps`: expected true or false, found string")
    );
    assert_eq!(
        error("format = 1"),
        format!("{prefix}:1:10: `format`: expected a string, found integer")
    );
    assert!(error("deps = true\ndeps = = 1\n").starts_with(&format!("{prefix}:2:")));
}

#[test]
fn an_unknown_key_is_a_warning_with_its_line() {
    let path = Path::new("lockwise.toml");
    let (layer, warnings) = parse(path, "deps = true\n\n[profile.ci]\nx = 1\n").unwrap();
    assert_eq!(layer.deps, Some(true));
    assert_eq!(
        warnings,
        [
            "lockwise.toml:3:2: unknown key `profile`; the keys are `fail-on`, `format`, \
             `show-excluded`, `deps`, `color`, `level`, `baseline`, `check`, `limits`"
        ]
    );
}

#[test]
fn an_unknown_key_that_looks_like_one_is_a_warning_with_a_suggestion() {
    let warnings = |text: &str| parse(Path::new("l.toml"), text).unwrap().1;
    assert_eq!(
        warnings("deps = true\n  fial-on = 'possible'\n"),
        ["l.toml:2:3: unknown key `fial-on`; did you mean `fail-on`?"]
    );
    assert_eq!(
        warnings("show_excluded = true\nFormat = 'json'\n"),
        [
            "l.toml:1:1: unknown key `show_excluded`; did you mean `show-excluded`?",
            "l.toml:2:1: unknown key `Format`; did you mean `format`?",
        ]
    );
}

#[test]
fn every_key_that_is_suggested_is_known() {
    for key in super::file::KEYS {
        // A value that no key can have: what is not known would only warn.
        assert!(parse(Path::new("l.toml"), &format!("{key} = 1")).is_err());
    }
}

#[test]
fn new_needs_a_baseline_and_a_baseline_means_new() {
    let error = resolve(Layer::default(), &[], "fail-on = 'new'").unwrap_err();
    assert!(error.contains("--write-baseline"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baseline.json");
    fs::write(&file, "{\"version\":1,\"accepted\":[]}").unwrap();
    let line = Layer {
        baseline: Some(file),
        ..Layer::default()
    };
    let settings = resolve(line, &[], "").unwrap();
    assert_eq!(settings.policy.fail_on, FailOn::New);

    let (layer, _) = parse(&Path::new("/bank").join(FILE), "baseline = 'b.json'").unwrap();
    assert_eq!(layer.baseline, Some(PathBuf::from("/bank/b.json")));
}

#[test]
fn the_nearest_file_counts_and_none_above_the_workspace() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let member = top.join("work/member");
    for place in [top.to_owned(), member.clone()] {
        fs::create_dir_all(place.join(".config")).unwrap();
        fs::write(place.join(FILE), "").unwrap();
    }
    let work = top.join("work");
    assert_eq!(find(&member.join("src"), &work), Some(member.join(FILE)));
    assert_eq!(find(&work, &work), None);
    assert_eq!(find(&work, top), Some(top.join(FILE)));
    assert_eq!(find(Path::new("/"), top), Some(top.join(FILE)));
}

#[test]
fn the_table_for_check_describes_locks_of_others() {
    let file = "\
[check]
ref-cell = true

[[check.lock]]
type = 'their::Guarded'
guard = ['their::Held', 'their::Seen']
exclusive = 'enter'
shared = ['look', 'try_look']
";
    let settings = resolve(Layer::default(), &[], file).unwrap();
    assert!(settings.check.ref_cell && !settings.check.callbacks);
    let [lock] = &settings.check.locks[..] else {
        panic!("{:?}", settings.check);
    };
    assert_eq!(lock.path, "their::Guarded");
    assert_eq!(lock.guards, ["their::Held", "their::Seen"]);
    assert_eq!(lock.exclusive, ["enter"]);
    assert_eq!(lock.shared, ["look", "try_look"]);
}

#[test]
fn what_cannot_be_in_the_table_for_check_is_told_with_its_place() {
    let wrong = |file: &str| {
        let path = Path::new("/bank").join(FILE);
        match parse(&path, file) {
            Ok((_, warnings)) => warnings.join("; "),
            Err(error) => error.to_string(),
        }
    };
    let all = [
        "[check]\nref-cel = true",
        "[check]\nref-cell = 1",
        "check = true",
        "[[check.lock]]\nexclusive = 'enter'",
        "[[check.lock]]\ntype = 'a::B'\nguard = 'a::C'",
        "[check.lock]\ntype = 'a::B'\nexclusive = 'enter'",
        "[[check.lock]]\ntype = 'a::B'\nexclusive = 'enter'\nsharde = 'look'",
    ];
    insta::assert_snapshot!(all.map(wrong).join("\n"));
}

#[test]
fn limits_are_set_one_by_one_each_by_the_nearest_word() {
    let line = Layer {
        limits: vec!["window=1".parse().unwrap()],
        ..Layer::default()
    };
    let variables = [("LOCKWISE_LIMITS", "window=2, chains=20")];
    let file = "[limits]\nwindow = 3\nchains = 30\ncycles = 300";
    let limits = resolve(line, &variables, file).unwrap().limits;
    let expected = Limits {
        window: 1,
        chains: 20,
        cycles: 300,
        ..Limits::default()
    };
    assert_eq!(limits, expected);
}

#[test]
fn a_limit_that_would_do_nothing_is_an_error() {
    let file = |file| resolve(Layer::default(), &[], file).unwrap_err();
    assert_eq!(
        file("limits = { windows = 5 }"),
        "/bank/.config/lockwise.toml:1:22: `limits.windows`: there is no limit `windows`; did you mean \
         `window`?"
    );
    assert!(file("[limits]\nwindow = -5").contains("`limits.window`: expected a number from 0"));
    assert!(file("limits = 5").contains("expected a table"));
    let variables = [("LOCKWISE_LIMITS", "window=5,windows=5")];
    let error = resolve(Layer::default(), &variables, "").unwrap_err();
    assert!(error.starts_with("environment variable `LOCKWISE_LIMITS`: there is no limit"));
}
