//! That each case of the list in `fixtures/primitives.txt` has a test of its name.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::primitives::tests;
use crate::programs::{finish, root, stdout};

/// The last parts of the names of the tests that a binary lists.
fn listed(binary: &mut Command) -> BTreeSet<String> {
    let listed = stdout(&finish(binary.arg("--list")));
    let names = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    names
        .map(|name| name.rsplit("::").next().unwrap_or(name).to_owned())
        .collect()
}

/// Adds the names of the tests in the sources of a folder.
fn add_written(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_written(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = fs::read_to_string(path).unwrap();
            let written = source.split("#[test]\nfn ").skip(1);
            names.extend(written.filter_map(|test| Some(test.split_once("()")?.0.to_owned())));
        }
    }
}

#[test]
fn each_case_of_the_list_has_a_test_of_its_name() {
    let list = fs::read_to_string(root().join("fixtures/primitives.txt")).unwrap();
    let cases: Vec<&str> = list
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(": ")?.0))
        .collect();
    assert_eq!(cases.len(), 211);
    let mut names = listed(&mut tests(&[]));
    names.append(&mut listed(&mut Command::new(env::current_exe().unwrap())));
    // The other tests of the runtime are not built again for this.
    add_written(&root().join("runtime/tests"), &mut names);
    let missing: Vec<_> = cases
        .iter()
        .filter(|case| !names.contains(**case))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
