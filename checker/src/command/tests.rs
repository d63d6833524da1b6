use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;

use tempfile::TempDir;

use super::{CommandError, Console, Stages, Surroundings, run};
use crate::cli;
use crate::dot::Graph;
use crate::finding::{Basis, Certainty, Code, Finding, Level, Source, Stats, Verdict};
use crate::input::Readers;
use crate::settings::{Color, Environment};
use crate::trace::{Evidence, Run};

/// Stages in which the words of a text trace are the findings: `T|certain|`, `T|possible|`.
pub(super) const STAGES: Stages = Stages {
    readers: Readers {
        is_log: |head| head.starts_with(b"LOG!"),
        log: |_, bytes, _, _| Ok(seen(&String::from_utf8_lossy(bytes))),
        is_packed: |_| false,
        packed: |_, _, _, _| Ok(Evidence::default()),
        std_text: |_, text, _, _| {
            let mut whole = String::new();
            text.read_to_string(&mut whole)?;
            Ok(seen(&whole))
        },
    },
    judge: |evidence, _| judge(evidence),
    graph: Graph::of,
};

fn seen(text: &str) -> Evidence {
    let run = Run {
        label: text.to_owned(),
        ..Run::default()
    };
    Evidence {
        runs: vec![run],
        ..Evidence::default()
    }
}

fn judge(evidence: &Evidence) -> Verdict {
    let text: String = evidence.runs.iter().map(|run| run.label.as_str()).collect();
    let mut findings = Vec::new();
    for (word, certainty, level) in [
        ("certain", Certainty::Certain, Level::Error),
        ("possible", Certainty::Possible, Level::Warning),
        ("excluded", Certainty::Excluded, Level::Note),
    ] {
        if text.contains(word) {
            findings.push(Finding {
                code: Code::LockOrderCycle,
                name: Code::LockOrderCycle.name(),
                certainty,
                basis: (word == "possible").then_some(Basis::SameInstances),
                level,
                fingerprint: word.to_owned(),
                message: format!("a {word} cycle"),
                evidence: vec![Source::Run],
                cycle: Vec::new(),
                witness: Vec::new(),
                witness_after: None,
                excluded_by: Vec::new(),
                reasons: Vec::new(),
                advice: Vec::new(),
                in_dependencies: false,
            });
        }
    }
    Verdict {
        findings,
        stats: Stats {
            locks: 2,
            runs: evidence.runs.len() as u64,
            ..Stats::default()
        },
        limits: evidence.limits.clone(),
        orders: Vec::new(),
    }
}

/// A console that remembers, colour stripped.
#[derive(Default)]
pub(super) struct Captured {
    pub(super) stdin: &'static [u8],
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
    pub(super) closed: bool,
}

/// A stream whose reader has gone.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

/// A stream into memory.
struct Memory<'a>(&'a mut Vec<u8>);

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Console for Captured {
    fn stdin(&mut self) -> Box<dyn BufRead + '_> {
        Box::new(self.stdin)
    }

    fn stdout(&mut self, _: Color) -> Box<dyn Write + '_> {
        if self.closed {
            return Box::new(Closed);
        }
        Box::new(Memory(&mut self.out))
    }

    fn stderr(&mut self, _: Color) -> Box<dyn Write + '_> {
        if self.closed {
            return Box::new(Closed);
        }
        Box::new(Memory(&mut self.err))
    }

    fn stderr_is_terminal(&self) -> bool {
        false
    }
}

impl Captured {
    pub(super) fn out(&self) -> String {
        plain(&self.out)
    }

    pub(super) fn err(&self) -> String {
        plain(&self.err)
    }
}

fn plain(bytes: &[u8]) -> String {
    String::from_utf8(anstream::adapter::strip_bytes(bytes).into_vec()).unwrap()
}

/// Runs a command line in `folder`.
pub(super) fn command(
    line: &[&str],
    folder: &Path,
    variables: &[(&str, &str)],
    console: &mut Captured,
) -> Result<i32, CommandError> {
    let arguments = std::iter::once("cargo-lockwise").chain(line.iter().copied());
    let cli = cli::parse(arguments.map(OsString::from)).unwrap();
    let environment: Environment = variables
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)))
        .collect();
    let surroundings = Surroundings {
        folder: folder.to_owned(),
        environment,
    };
    run(&cli, &surroundings, console, &STAGES)
}

/// A folder with one trace for each kind of finding.
fn traces() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["certain", "possible", "excluded", "nothing"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        let path = folder.path().join(name).join("t.std");
        fs::write(path, format!("T|{name}|\n")).unwrap();
    }
    fs::create_dir(folder.path().join("none")).unwrap();
    fs::write(folder.path().join("bad.std"), [0xff; 10]).unwrap();
    folder
}

/// `report` on these inputs with these options: exit code, standard output, standard error.
fn report(inputs: &[&str], options: &[&str]) -> (i32, String, String) {
    let folder = traces();
    let inputs: Vec<String> = inputs
        .iter()
        .map(|name| folder.path().join(name).display().to_string())
        .collect();
    let mut line = vec!["report"];
    line.extend(options);
    line.extend(inputs.iter().map(String::as_str));
    let mut console = Captured::default();
    let exit = command(&line, folder.path(), &[], &mut console).unwrap();
    let clean = |text: String| text.replace(&format!("{}/", folder.path().display()), "");
    (exit, clean(console.out()), clean(console.err()))
}

#[test]
fn the_exit_code_says_what_was_found() {
    let exit = |inputs: &[&str], options: &[&str]| report(inputs, options).0;
    assert_eq!(exit(&["nothing"], &[]), 0);
    assert_eq!(exit(&["certain"], &[]), 1);
    assert_eq!(exit(&["possible"], &[]), 0);
    assert_eq!(exit(&["possible"], &["--fail-on", "possible"]), 1);
    assert_eq!(exit(&["certain"], &["--fail-on", "never"]), 0);
    assert_eq!(
        exit(&["excluded"], &["--fail-on", "note", "--show-excluded"]),
        0
    );
    assert_eq!(exit(&["bad.std"], &[]), 3);
    assert_eq!(exit(&["absent"], &[]), 3);
    assert_eq!(exit(&["nothing", "bad.std"], &[]), 3);
    assert_eq!(exit(&["certain", "bad.std"], &[]), 1);
    assert_eq!(exit(&["none"], &[]), 4);
}

#[test]
fn what_cannot_be_read_is_one_line_on_standard_error() {
    let (_, out, err) = report(&["bad.std", "absent"], &[]);
    assert_eq!(out, "");
    assert_eq!(
        err,
        "error: cannot read `bad.std`: neither a lockwise log nor STD text nor a packed trace\n\
         error: cannot read `absent`: No such file or directory (os error 2)\n"
    );
    let (_, out, err) = report(&["none"], &[]);
    assert_eq!(
        (out.as_str(), err.as_str()),
        ("", "lockwise: no log found\n")
    );
}

#[test]
fn a_document_is_printed_at_every_exit_but_2() {
    for inputs in [["nothing"], ["certain"], ["bad.std"], ["absent"], ["none"]] {
        let (exit, out, _) = report(&inputs, &["--format=json"]);
        assert_eq!(out.lines().count(), 1, "{inputs:?}");
        assert!(out.starts_with("{\"version\":1,"), "{out}");
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        if exit == 3 {
            let limit = document["limits"][0].as_str().unwrap();
            assert!(limit.starts_with("cannot read `"), "{limit}");
        }
    }
}

#[test]
fn reports_go_to_files_too_and_without_colour() {
    let folder = traces();
    let mut console = Captured::default();
    let input = folder.path().join("certain").display().to_string();
    let outputs = ["--output", "json=a.json", "--output", "text=b.txt"];
    let line = [&["report", input.as_str()], outputs.as_slice()].concat();
    assert_eq!(command(&line, folder.path(), &[], &mut console).unwrap(), 1);
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("a.json").starts_with("{\"version\":1,"));
    assert!(read("b.txt").starts_with("error[LW0003]: a certain cycle\n"));
    assert_eq!(read("b.txt"), console.out());

    let line = ["report", &input, "--output", "json=no/such/folder/a.json"];
    let error = command(&line, folder.path(), &[], &mut Captured::default()).unwrap_err();
    assert!(matches!(error, CommandError::Output { .. }));
}

#[test]
fn a_closed_pipe_is_no_fault() {
    let folder = traces();
    let input = folder.path().join("certain").display().to_string();
    for line in [
        vec!["report", &input],
        vec!["report", "--format=json", &input],
        vec!["graph", &input],
        vec!["explain"],
        vec!["explain", "LW0001"],
    ] {
        let mut console = Captured {
            closed: true,
            ..Captured::default()
        };
        let exit = command(&line, folder.path(), &[], &mut console).unwrap();
        assert_eq!(exit, 0, "{line:?}");
    }
}

#[test]
fn a_drawing_has_to_do_with_no_setting_but_the_limits() {
    let folder = traces();
    fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    fs::create_dir(folder.path().join(".config")).unwrap();
    let config = folder.path().join(crate::settings::FILE);
    fs::write(&config, "fail-on = 'new'\nbaseline = 'none-there.json'\n").unwrap();
    let input = folder.path().join("certain").display().to_string();
    let exit = |variables: &[(&str, &str)]| {
        let mut console = Captured::default();
        command(&["graph", &input], folder.path(), variables, &mut console)
    };
    assert_eq!(exit(&[("LOCKWISE_FAIL_ON", "nobody")]).unwrap(), 0);
    let error = exit(&[("LOCKWISE_LIMITS", "no-such=1")]).unwrap_err();
    assert!(error.to_string().contains("no-such"), "{error}");
}

#[test]
fn settings_come_from_environment_and_file_too() {
    let folder = traces();
    fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    fs::create_dir(folder.path().join(".config")).unwrap();
    let config = folder.path().join(crate::settings::FILE);
    fs::write(&config, "fail-on = 'possible'\nfail-om = 'x'\n").unwrap();
    let input = folder.path().join("possible").display().to_string();
    let exit = |variables: &[(&str, &str)], console: &mut Captured| {
        command(&["report", &input], folder.path(), variables, console)
    };
    let mut console = Captured::default();
    assert_eq!(exit(&[], &mut console).unwrap(), 1);
    assert!(
        console
            .err()
            .ends_with("lockwise.toml:2:1: unknown key `fail-om`; did you mean `fail-on`?\n")
    );
    let never = [("LOCKWISE_FAIL_ON", "never")];
    assert_eq!(exit(&never, &mut Captured::default()).unwrap(), 0);
    fs::write(&config, "fail-on = \n").unwrap();
    let error = exit(&[], &mut Captured::default()).unwrap_err().to_string();
    assert!(error.contains("lockwise.toml:1:"), "{error}");
}

#[test]
fn accepted_findings_do_not_fail_again() {
    let folder = traces();
    let input = |name: &str| folder.path().join(name).display().to_string();
    let (certain, possible) = (input("certain"), input("possible"));
    let exit = |line: &[&str]| command(line, folder.path(), &[], &mut Captured::default()).unwrap();
    let baseline = folder.path().join("baseline.json").display().to_string();
    assert_eq!(
        exit(&["report", &certain, "--write-baseline", &baseline]),
        1
    );
    assert_eq!(exit(&["report", &certain, "--baseline", &baseline]), 0);
    assert_eq!(exit(&["report", &possible, "--baseline", &baseline]), 1);
    let line = ["report", &certain, "--fail-on", "new"];
    let error = command(&line, folder.path(), &[], &mut Captured::default()).unwrap_err();
    assert!(matches!(error, CommandError::Settings(_)));
}

#[test]
fn a_baseline_is_told_when_written_and_when_used() {
    let folder = traces();
    let run = |name: &str, options: &[&str]| {
        let input = folder.path().join(name).display().to_string();
        let line = [&["report", &input], options].concat();
        let mut console = Captured::default();
        command(&line, folder.path(), &[], &mut console).unwrap();
        (console.out(), console.err())
    };
    let file = folder.path().join("b.json").display().to_string();
    let (_, err) = run("certain", &["--write-baseline", &file]);
    assert_eq!(
        err,
        format!("baseline: wrote 1 accepted finding to `{file}`\n")
    );
    assert_eq!(run("certain", &["-q", "--write-baseline", &file]).1, "");

    let (out, err) = run("certain", &["--baseline", &file]);
    assert_eq!(err, "");
    assert!(out.contains("= note: accepted: the baseline lists it\n"));
    assert!(out.contains("\nbaseline: accepts 1 finding of this report\nlockwise: 1 error "));
    let (out, _) = run("possible", &["--baseline", &file]);
    assert!(!out.contains("= note: accepted"));
    assert!(out.contains(
        "\nbaseline: accepts 0 findings of this report; 1 entry of 1 matched nothing in this \
         run: LW0003 certain\n"
    ));
    let (out, _) = run("certain", &["--baseline", &file, "--fail-on", "certain"]);
    assert!(out.contains(
        "\nbaseline: lists 1 finding of this report, which counts all the same (--fail-on certain)\n"
    ));
}

#[test]
fn codes_are_explained_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let mut console = Captured::default();
    command(&["explain", "lw0003"], folder.path(), &[], &mut console).unwrap();
    assert!(console.out().starts_with("# LW0003: lock-order-cycle\n"));
    let error = command(&["explain", "LW9999"], folder.path(), &[], &mut console).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no code `LW9999`; `cargo lockwise explain` lists them"
    );
}

#[test]
fn a_trace_can_come_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut console = Captured {
        stdin: b"T|certain|\n",
        ..Captured::default()
    };
    let exit = command(&["report", "-"], folder.path(), &[], &mut console).unwrap();
    assert_eq!(exit, 1);
}
