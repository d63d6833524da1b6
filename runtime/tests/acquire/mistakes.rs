//! What the macros refuse to compile: one mistake a file, and what the compiler says to it.

use std::fs;
use std::path::{Path, PathBuf};

use super::compiled;

#[test]
fn each_mistake_is_an_error_at_the_tokens_of_the_user() {
    trybuild::TestCases::new().compile_fail("tests/acquire/mistakes/*.rs");
}

#[test]
#[ignore = "the compiler's own words differ with its version, and with whether its sources are installed"]
fn so_is_each_mistake_that_needs_types() {
    trybuild::TestCases::new().compile_fail("tests/acquire/mistakes/typed/*.rs");
}

#[test]
fn each_mistake_that_needs_types_is_an_error_at_the_same_place_in_our_words() {
    let said = compiled::said("mistakes", &typed());
    for file in typed() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let expected = fs::read_to_string(file.with_extension("stderr")).unwrap();
        let mut lines = expected.lines();
        let headline = lines.next().unwrap().split_once(": ").unwrap().1;
        let place = lines.next().unwrap().split_once(".rs:").unwrap().1;
        let start = format!("{name}.rs:{place}: error");
        let found = said
            .lines()
            .find(|line| line.contains(&start))
            .unwrap_or_else(|| panic!("no `{start}` in:\n{said}"));
        // The other headlines are the compiler's.
        if headline.contains("is not a lock") {
            assert!(found.contains(headline), "{found}\n{headline}");
        }
    }
}

/// The files with one mistake each.
fn typed() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acquire/mistakes/typed");
    let files = fs::read_dir(folder).expect("the folder is part of the package");
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "rs"));
    files.sort();
    assert!(!files.is_empty());
    files
}
