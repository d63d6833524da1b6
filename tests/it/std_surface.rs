//! The stand-in for std has all that std has: the programs of `fixtures/std` compile against it, and
//! print what they print without.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use cargo_lockwise::build::foundation::Foundation;
use cargo_lockwise::build::toolchain::{Configuration, Toolchain};

use crate::programs::{finish, root, scratch, stderr, stdout};

/// A compiler, and where it finds the stand-in.
pub(crate) struct Built {
    toolchain: Toolchain,
    libraries: PathBuf,
}

/// With the compiler of this workspace.
static BUILT: LazyLock<Built> =
    LazyLock::new(|| Built::by(Toolchain::find(&Configuration::default(), root()).unwrap()));

impl Built {
    pub(crate) fn by(toolchain: Toolchain) -> Built {
        let foundation = Foundation::of(&toolchain, &scratch().join("foundations"));
        foundation.build(&toolchain, &toolchain.host).unwrap();
        let libraries = foundation.libraries(&toolchain.host);
        Built {
            toolchain,
            libraries,
        }
    }

    /// What the program `name` prints, compiled with `more` arguments.
    fn printed(&self, name: &str, more: &[&OsStr], folder: &Path) -> String {
        let program = folder.join(name);
        let compiled = finish(
            Command::new(&self.toolchain.rustc)
                .args(["--edition=2024", "--crate-type=bin", "-Dwarnings", "-o"])
                .arg(&program)
                .args(more)
                .arg(format!("fixtures/std/{name}.rs"))
                .current_dir(root()),
        );
        assert!(compiled.status.success(), "{}", stderr(&compiled));
        let ran = finish(
            Command::new(&program)
                .env("LOCKWISE_ON_FINDING", "silent")
                .env_remove("LOCKWISE_LOG"),
        );
        assert!(ran.status.success(), "{}", stderr(&ran));
        stdout(&ran)
    }

    /// Compares a program with itself over std.
    pub(crate) fn check(&self, name: &str) {
        let folder = tempfile::tempdir().unwrap();
        let plain = self.printed(name, &[], folder.path());
        let mut stand_in = OsString::from("std=");
        stand_in.push(self.libraries.join("libstd.rlib"));
        let mut search = OsString::from("dependency=");
        search.push(&self.libraries);
        let with = [OsStr::new("-L"), &search, OsStr::new("--extern"), &stand_in];
        let watched = self.printed(name, &with, folder.path());
        assert!(!plain.is_empty());
        for (plain, watched) in plain.lines().zip(watched.lines()) {
            assert_eq!(watched, plain, "{name}");
        }
        assert_eq!(watched.lines().count(), plain.lines().count(), "{name}");
    }

    /// The minor version of the compiler.
    fn minor(&self) -> u32 {
        let release = self
            .toolchain
            .version
            .lines()
            .find_map(|line| line.strip_prefix("release: 1."));
        release.unwrap().split('.').next().unwrap().parse().unwrap()
    }
}

#[test]
fn each_item_of_std_is_there_with_its_traits() {
    BUILT.check("surface");
}

#[test]
fn newer_items_are_there_too() {
    // Older compilers do not have them, whoever they come from.
    if BUILT.minor() >= 94 {
        BUILT.check("newer");
    }
}

#[test]
fn what_comes_of_panics_and_errors_is_the_same() {
    BUILT.check("outcomes");
}
