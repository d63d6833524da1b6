//! Deadlocks from the code alone: `cargo lockwise check` on the cases of `fixtures/code`.
//!
//! Each case says at its top what must be found in it, and nothing else may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use crate::programs::{checker, finish, root, scratch};

/// A finding: code, certainty, and the locks of its sides.
type Found = (String, String, BTreeSet<String>);

/// What the case in this file must show under an edition.
fn expected(text: &str, edition: &str) -> BTreeSet<Found> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! expect: "));
    let found = lines.filter(|line| *line != "nothing").filter_map(|line| {
        let (line, only) = line.split_once(" in edition ").unwrap_or((line, edition));
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap().to_owned();
        let (code, certainty, locks) = (word(), word(), word());
        let locks = locks.split(", ").map(str::to_owned).collect();
        (only == edition).then_some((code, certainty, locks))
    });
    found.collect()
}

/// The lock orders that the case in this file must have.
fn orders(text: &str) -> BTreeSet<(String, String)> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! order: "));
    let orders = lines.map(|line| line.split_once(" -> ").unwrap());
    orders.map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

/// The lines of the calls that the case in this file must tell, in order.
fn calls(text: &str) -> Vec<usize> {
    let mut calls: Vec<(&str, usize)> = (1..)
        .zip(text.lines())
        .filter_map(|(number, line)| Some((line.split_once("// call ")?.1, number)))
        .collect();
    calls.sort_unstable();
    calls.into_iter().map(|(_, line)| line).collect()
}

/// The lines of the calls that are told of the case of this name.
fn told(document: &Value, name: &str) -> Vec<usize> {
    let findings = document["findings"].as_array().unwrap().iter();
    let sites = findings
        .flat_map(|finding| finding["cycle"].as_array().unwrap())
        .flat_map(|side| side["path"].as_array().into_iter().flatten());
    sites
        .filter_map(|site| site.as_str().unwrap().split_once(&format!("/{name}.rs:")))
        .map(|(_, place)| place.split(':').next().unwrap().parse().unwrap())
        .collect()
}

/// The cases: name and text.
fn cases() -> BTreeMap<String, String> {
    cases_in("fixtures/code")
}

fn cases_in(folder: &str) -> BTreeMap<String, String> {
    let folder = root().join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let sources = files.filter(|file| file.extension().is_some_and(|ending| ending == "rs"));
    sources
        .map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(file).unwrap())
        })
        .collect()
}

/// Projects of one name would share what is kept in the common target folder.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A project with these programs, one file each.
pub(crate) fn project(edition: &str, programs: &BTreeMap<String, String>) -> TempDir {
    let folder = TempDir::new_in(scratch()).unwrap();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // A program that uses our own crate is watched in another way where it is run.
    let uses_own = programs
        .values()
        .any(|text| text.contains("use lockwise::"));
    let path = root().join("runtime");
    let own = if uses_own {
        format!("lockwise = {{ path = \"{}\" }}\n", path.display())
    } else {
        String::new()
    };
    let manifest = format!(
        "[package]\nname = \"cases{number}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\n\
         [dependencies]\nasync-lock = \"3\"\ndashmap = \"6\"\nlazy_static = \"1\"\n\
         {own}once_cell = \"1\"\nparking_lot = \"0.12\"\nscopeguard = \"1\"\nspin = \"0.9\"\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt\", \"sync\", \"time\"] }}\n\n\
         [workspace]\n"
    );
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    let bins = folder.path().join("src/bin");
    fs::create_dir_all(&bins).unwrap();
    for (name, text) in programs {
        fs::write(bins.join(format!("{name}.rs")), text).unwrap();
    }
    folder
}

/// `cargo lockwise check` there.
pub(crate) fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = checker();
    command.current_dir(folder);
    // Shared, so that what the cases depend on is compiled once.
    command.env("CARGO_TARGET_DIR", target());
    finish(command.arg("check").args(arguments))
}

fn target() -> PathBuf {
    scratch().join("code-target")
}

/// The document at the end of what was written.
pub(crate) fn document(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(text.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {text}\n{errors}"))
}

/// A finding, as cases name it.
fn found_in(finding: &Value) -> Found {
    let sides = finding["cycle"].as_array().unwrap();
    let locks = sides
        .iter()
        .flat_map(|side| [&side["holds"]["lock"], &side["wants"]["lock"]]);
    let locks = locks
        .filter_map(|lock| lock.as_str())
        .map(str::to_owned)
        .collect();
    let text = |key: &str| finding[key].as_str().unwrap().to_owned();
    (text("code"), text("certainty"), locks)
}

/// The findings of each program.
fn found(document: &Value) -> BTreeMap<String, BTreeSet<Found>> {
    let mut all: BTreeMap<String, BTreeSet<Found>> = BTreeMap::new();
    for finding in document["findings"].as_array().unwrap() {
        let site = finding["cycle"][0]["wants"]["site"].as_str().unwrap();
        let file = site.split(':').next().unwrap();
        let name = Path::new(file).file_stem().unwrap().to_str().unwrap();
        all.entry(name.to_owned())
            .or_default()
            .insert(found_in(finding));
    }
    all
}

#[test]
fn every_case_shows_what_it_says_and_nothing_else() {
    let cases = cases();
    let folder = project("2021", &cases);
    let output = check(folder.path(), &["--format", "json"]);
    let document = document(&output);
    let mut found = found(&document);
    for (name, text) in &cases {
        let found = found.remove(name).unwrap_or_default();
        assert_eq!(found, expected(text, "2021"), "{name}");
        let calls = calls(text);
        if !calls.is_empty() {
            assert_eq!(told(&document, name), calls, "{name}");
        }
    }
    let known: BTreeSet<(String, String)> = document["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| {
            let lock = |side: &str| order[side]["lock"].as_str().unwrap().to_owned();
            (lock("holds"), lock("wants"))
        })
        .collect();
    for (name, text) in &cases {
        for order in orders(text) {
            assert!(known.contains(&order), "{name}: {order:?}");
        }
    }
    // Some of them are certain.
    assert_eq!(output.status.code(), Some(1));
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn crates_know_each_others_items_under_whatever_name_they_are_handed_on() {
    let folder = TempDir::new_in(scratch()).unwrap();
    copy(&root().join("fixtures/code/workspace"), folder.path());
    // The target folder is the workspace's own: others have crates of these names too.
    let mut command = checker();
    command.current_dir(folder.path());
    let output = finish(command.args(["check", "--workspace", "--format", "json"]));
    let document = document(&output);
    let mut found: BTreeMap<String, BTreeSet<Found>> = BTreeMap::new();
    for finding in document["findings"].as_array().unwrap() {
        // Where the crates meet; the locks are taken in one and the same.
        let sides = finding["cycle"].as_array().unwrap();
        let places = sides.iter().flat_map(|side| {
            let path = side["path"].as_array().into_iter().flatten();
            path.chain([&side["holds"]["site"], &side["wants"]["site"]])
        });
        let mut places: Vec<&str> = places.filter_map(|place| place.as_str()).collect();
        places.retain(|place| place.starts_with("app/src/"));
        let file = places[0].split(':').next().unwrap();
        let name = Path::new(file).file_stem().unwrap().to_str().unwrap();
        found
            .entry(name.to_owned())
            .or_default()
            .insert(found_in(finding));
    }
    let cases = cases_in("fixtures/code/workspace/app/src");
    for (name, text) in cases.iter().filter(|(name, _)| *name != "main") {
        let found = found.remove(name).unwrap_or_default();
        assert_eq!(found, expected(text, "2021"), "{name}: {document}");
    }
    assert_eq!(found, BTreeMap::new());
}

/// A project with the cases of what is looked at only when asked for.
fn asked() -> (TempDir, BTreeMap<String, String>) {
    let cases = cases_in("fixtures/code/asked");
    let folder = project("2021", &cases);
    let theirs = root().join("fixtures/code/asked/their_locks");
    let manifest = folder.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap().replace(
        "[dependencies]",
        &format!(
            "[dependencies]\ntheir_locks = {{ path = '{}' }}",
            theirs.display()
        ),
    );
    fs::write(manifest, text).unwrap();
    (folder, cases)
}

#[test]
fn cells_callbacks_and_unknown_locks_are_looked_at_when_asked_for() {
    let (folder, cases) = asked();
    let config = "[check]\nref-cell = true\ncallbacks = true\n\n\
         [[check.lock]]\ntype = \"their_locks::Gate\"\nguard = \"their_locks::Pass\"\n\
         exclusive = [\"enter\", \"peek\"]\n\n\
         [[check.lock]]\ntype = \"their_locks::Room\"\nexclusive = \"inside\"\n";
    fs::create_dir_all(folder.path().join(".config")).unwrap();
    fs::write(folder.path().join(".config/lockwise.toml"), config).unwrap();
    let mut found = found(&document(&check(folder.path(), &["--format", "json"])));
    for (name, text) in &cases {
        let found = found.remove(name).unwrap_or_default();
        assert_eq!(found, expected(text, "2021"), "{name}");
    }
}

#[test]
fn cells_callbacks_and_unknown_locks_are_left_alone_else() {
    let (folder, _) = asked();
    let plain = document(&check(folder.path(), &["--format", "json"]));
    assert_eq!(found(&plain), BTreeMap::new());
    let flags = ["--format", "json", "--ref-cell", "--callbacks"];
    let found = found(&document(&check(folder.path(), &flags)));
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["callback_under_lock", "cell_borrowed_again"]);
}

#[test]
fn the_edition_decides_how_long_a_temporary_lives() {
    let mut cases = cases();
    cases.retain(|name, _| name == "iflet_scrutinee_else" || name == "while_let_scrutinee");
    let folder = project("2024", &cases);
    let found = found(&document(&check(folder.path(), &["--format", "json"])));
    for (name, text) in &cases {
        let found = found.get(name).cloned().unwrap_or_default();
        assert_eq!(found, expected(text, "2024"), "{name}");
    }
}

/// A program with one double lock.
fn double_lock() -> BTreeMap<String, String> {
    let mut cases = cases();
    cases.retain(|name, _| name == "double_through_call");
    cases
}

#[test]
fn the_report_shows_both_ends_and_the_call_between() {
    let folder = project("2021", &double_lock());
    let output = check(folder.path(), &[]);
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @r"
    error[LW0002]: `S::outer` takes `S.a` again while it holds it
       |
       = in `S::outer`: holds `S.a`, wants `S.a` again
    note: in `S::outer`
      --> src/bin/double_through_call.rs:11:38
       |
     8 |         let g = self.a.lock().unwrap(); // @first
       |                        ------ takes `S.a`
     9 |         *g + self.inner() // @call
       |                   ------- calls what leads there
    10 |     }
    11 |     fn inner(&self) -> u32 { *self.a.lock().unwrap() } // @second
       |                                      ^^^^^^ wants `S.a` again, and waits for itself
       = note: `S.a`: of class `double_through_call::S.a`
    certain: it happens whenever this way through the code is taken
       |
       = note: both are reached through the same path of fields, and no way between lets go
    help: drop the guard before, or hand it on to what needs it
       |
       = `cargo lockwise explain LW0002` tells more; fingerprint 99bbd8ddbe0df25c

    lockwise: 1 error in 3 functions, locks of 1 class, 1 lock order; 1 fails the build (--fail-on certain)
    ");
}

#[test]
fn a_lock_under_another_name_is_said_to_be_the_same() {
    let mut cases = cases();
    cases.retain(|name, _| name == "shared_under_two_names");
    let folder = project("2021", &cases);
    let document = document(&check(folder.path(), &["--format", "json"]));
    let findings = document["findings"].as_array().unwrap().iter();
    let said: Vec<&str> = findings
        .flat_map(|finding| finding["reasons"].as_array().unwrap())
        .filter_map(|reason| reason.as_str())
        .filter(|reason| reason.contains("another name"))
        .collect();
    assert_eq!(
        said,
        [
            "`Sync.head` is another name of `Chain.head`: the same lock is put into both",
            "`Sync.set` is another name of `Chain.set`: the same lock is put into both",
        ]
    );
}

#[test]
fn editors_get_messages_as_cargo_prints_them() {
    let folder = project("2021", &double_lock());
    let output = check(folder.path(), &["--message-format=json"]);
    let lines: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line["reason"] == "compiler-artifact")
    );
    let ours: Vec<&Value> = lines
        .iter()
        .filter(|line| line["message"]["code"]["code"] == "LW0002")
        .collect();
    let [ours] = ours[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(ours["reason"], "compiler-message");
    assert_eq!(ours["target"]["name"], "double_through_call");
    assert_eq!(ours["message"]["level"], "error");
    let span = &ours["message"]["spans"][0];
    assert_eq!(span["file_name"], "src/bin/double_through_call.rs");
    assert_eq!(span["is_primary"], true);
    let text = span["text"][0]["text"].as_str().unwrap();
    let column = |key: &str| usize::try_from(span[key].as_u64().unwrap()).unwrap() - 1;
    assert_eq!(
        &text[column("column_start")..column("column_end")],
        "lock()"
    );
    let source = fs::read_to_string(folder.path().join("src/bin/double_through_call.rs")).unwrap();
    let byte = |key: &str| usize::try_from(span[key].as_u64().unwrap()).unwrap();
    assert_eq!(&source[byte("byte_start")..byte("byte_end")], "lock()");
}

#[test]
fn a_project_that_does_not_compile_is_read_as_far_as_it_does() {
    let mut programs = double_lock();
    programs.insert(
        "broken".to_owned(),
        "fn main() { let x: u32 = \"\"; }".to_owned(),
    );
    let folder = project("2021", &programs);
    let output = check(folder.path(), &["--format", "json", "--fail-on", "never"]);
    let document = document(&output);
    assert_eq!(document["findings"].as_array().unwrap().len(), 1);
    let limits = document["limits"].to_string();
    assert!(limits.contains("the project does not compile"), "{limits}");
    assert_eq!(output.status.code(), Some(101));
    assert!(String::from_utf8_lossy(&output.stderr).contains("mismatched types"));
}

#[test]
fn only_what_a_change_has_to_do_with_is_reported() {
    let mut programs = double_lock();
    let mut cases = cases();
    programs.insert(
        "other".to_owned(),
        cases.remove("default_method_locks").unwrap(),
    );
    // What is expected is there, though no change has to do with it.
    let expected = programs["double_through_call"].replace(
        "        *g + self.inner()",
        "        // lockwise: expect(LW0002) reason = \"a test\"\n        *g + self.inner()",
    );
    programs.insert("expected".to_owned(), expected);
    let folder = project("2021", &programs);
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(folder.path()).args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
        ]);
        assert!(command.args(arguments).output().unwrap().status.success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "before"]);
    let count = |arguments: &[&str]| {
        let document = document(&check(folder.path(), arguments));
        let limits = document["limits"].to_string();
        assert!(!limits.contains("which was not found"), "{limits}");
        document["findings"].as_array().unwrap().len()
    };
    assert_eq!(count(&["--format", "json"]), 2);
    assert_eq!(count(&["--format", "json", "--diff", "HEAD"]), 0);
    // The callee changes, not the function in which both locks meet.
    let file = folder.path().join("src/bin/double_through_call.rs");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("*self.a.lock().unwrap() }", "1 + *self.a.lock().unwrap() }"),
    )
    .unwrap();
    assert_eq!(count(&["--format", "json", "--diff", "HEAD"]), 1);
    // A file of which git does not know yet is new.
    let new = folder.path().join("src/bin/new.rs");
    fs::write(new, double_lock().into_values().next().unwrap()).unwrap();
    assert_eq!(count(&["--format", "json", "--diff", "HEAD"]), 2);
    let output = check(folder.path(), &["--diff", "no-such-commit"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-commit"));
}

#[test]
fn the_second_run_says_the_same_until_something_changes() {
    let folder = project("2021", &double_lock());
    let first = check(folder.path(), &["--format", "json"]);
    let second = check(folder.path(), &["--format", "json"]);
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(first.status.code(), second.status.code());
    let file = folder.path().join("src/bin/double_through_call.rs");
    let text = fs::read_to_string(&file).unwrap();
    let silent = text.replace("*g + self.inner()", "*g");
    fs::write(&file, silent).unwrap();
    let third = document(&check(folder.path(), &["--format", "json"]));
    assert_eq!(third["findings"].as_array().unwrap().len(), 0);
    fs::write(&file, text).unwrap();
    let fourth = check(folder.path(), &["--format", "json"]);
    assert_eq!(first.stdout, fourth.stdout);
}

#[test]
fn comments_silence_only_with_a_reason() {
    let source = |comment: &str| {
        let program = format!(
            "use std::sync::Mutex;\nstatic A: Mutex<u32> = Mutex::new(0);\nfn main() {{\n    \
             let a = A.lock().unwrap();\n    {comment}\n    let b = A.lock().unwrap();\n    \
             println!(\"{{}}\", *a + *b);\n}}\n"
        );
        BTreeMap::from([("commented".to_owned(), program)])
    };
    let check = |comment: &str| {
        let folder = project("2021", &source(comment));
        let document = document(&check(folder.path(), &["--format", "json"]));
        let limits = document["limits"].to_string();
        (document["findings"].as_array().unwrap().len(), limits)
    };
    let (count, limits) = check("// lockwise: allow(LW0002) reason = \"a test\"");
    assert_eq!(count, 0);
    assert!(
        limits.contains("src/bin/commented.rs:5: a test"),
        "{limits}"
    );
    let (count, limits) = check("// lockwise: allow(LW0002)");
    assert_eq!(count, 1);
    assert!(limits.contains("gives no reason"), "{limits}");
    let (count, limits) = check("// lockwise: expect(LW0003) reason = \"a test\"");
    assert_eq!(count, 1);
    assert!(
        limits.contains("expects LW0003, which was not found"),
        "{limits}"
    );
    let (count, limits) = check("// lockwise: allow(LW0022) reason = \"a test\"");
    assert_eq!(count, 1);
    assert!(limits.contains("names no finding"), "{limits}");
}
