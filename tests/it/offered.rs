//! What cargo offers, used by one workspace that is watched: macros, dependencies from git, `cdylib`, a
//! wrapper and flags of the user's own, profiles that optimise links, coverage, features, benchmarks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::programs::{calm, cargo, codes, finish, scratch, stderr, stdout};
use crate::projects::{command, document, limits, lockwise};

/// The workspace, by path. `WRAPPED` and `GIT` are put in.
const FILES: [(&str, &str); 14] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"app\", \"bare\", \"made\", \"dynamic\"]\nresolver = \"2\"\n\
         [profile.release]\nlto = \"fat\"\npanic = \"abort\"\n\
         [profile.thin]\ninherits = \"dev\"\nlto = \"thin\"\n",
    ),
    (
        ".cargo/config.toml",
        "[build]\nrustflags = [\"--cfg\", \"asked\"]\nrustc-wrapper = \"WRAPPED\"\n\
         [env]\nFROM_CONFIG = \"yes\"\n",
    ),
    (".gitignore", "/target\n"),
    (
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\
         [features]\nextra = []\n\
         [lints.rust]\nunexpected_cfgs = \"allow\"\n\
         [dependencies]\nbare = { path = \"../bare\" }\nmade = { path = \"../made\" }\n\
         dynamic = { path = \"../dynamic\" }\nfrom_git = { git = \"GIT\" }\n",
    ),
    (
        "app/build.rs",
        "// The probe is passed the target, as those of many build scripts are.\n\
         fn main() {\n\
         let wrapper = std::env::var_os(\"RUSTC_WRAPPER\").expect(\"the user has one\");\n\
         let probe = std::process::Command::new(wrapper)\n\
         .arg(std::env::var_os(\"RUSTC\").unwrap())\n\
         .args([\"--target\", &std::env::var(\"TARGET\").unwrap(), \"--print\", \"cfg\"])\n\
         .output().unwrap();\n\
         assert!(probe.status.success() && !probe.stdout.is_empty());\n\
         println!(\"cargo::rustc-env=BUILT={}\", std::mem::size_of::<std::sync::Mutex<u8>>());\n\
         println!(\"cargo::rerun-if-changed=build.rs\");\n\
         }\n",
    ),
    (
        "app/src/lib.rs",
        "//! ```\n\
         //! static M: std::sync::Mutex<u8> = std::sync::Mutex::new(3);\n\
         //! assert_eq!(*M.lock().unwrap(), app::three());\n\
         //! ```\n\
         use std::sync::{Arc, Mutex};\n\
         pub fn three() -> u8 { bare::two() + dynamic::one() }\n\
         pub fn built() -> &'static str { env!(\"BUILT\") }\n\
         pub const ASKED: bool = cfg!(asked);\n\
         /// Takes two locks in opposite orders, one after the other.\n\
         pub fn invert() {\n\
         let a = Arc::new(Mutex::new(made::size_of_mutex!()));\n\
         let b = Arc::new(from_git::made());\n\
         let (c, d) = (Arc::clone(&a), Arc::clone(&b));\n\
         let first = std::thread::spawn(move || {\n\
         let _a = c.lock().unwrap();\n\
         let _b = d.lock().unwrap();\n\
         });\n\
         while !first.is_finished() { std::thread::yield_now() }\n\
         let second = std::thread::spawn(move || {\n\
         let _b = b.lock().unwrap();\n\
         let _a = a.lock().unwrap();\n\
         });\n\
         second.join().unwrap();\n\
         first.join().unwrap();\n\
         }\n\
         #[cfg(test)] mod tests {\n\
         #[test] fn inversion() { super::invert() }\n\
         #[cfg(feature = \"extra\")] #[test] fn extra() { assert_eq!(super::three(), 3) }\n\
         #[test] fn plain() {\n\
         let built: usize = env!(\"BUILT\").parse().unwrap();\n\
         assert!(built <= 16 && made::size_of_mutex!() <= 16);\n\
         assert_eq!(option_env!(\"FROM_CONFIG\"), Some(\"yes\"));\n\
         assert!(super::ASKED);\n\
         }\n\
         }\n",
    ),
    (
        "app/src/main.rs",
        "fn main() {\n\
         app::invert();\n\
         println!(\"{} {}\", app::three(), app::built());\n\
         std::process::exit(7);\n\
         }\n",
    ),
    (
        "app/examples/shown.rs",
        "fn main() { assert_eq!(app::three(), 3); }\n",
    ),
    (
        "bare/Cargo.toml",
        "[package]\nname = \"bare\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
    ),
    (
        "bare/src/lib.rs",
        "#![no_std]\n#![deny(unused_crate_dependencies)]\npub fn two() -> u8 { 2 }\n",
    ),
    (
        "made/Cargo.toml",
        "[package]\nname = \"made\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n",
    ),
    (
        "made/src/lib.rs",
        "use proc_macro::TokenStream;\n\
         static LOCK: std::sync::Mutex<usize> = std::sync::Mutex::new(0);\n\
         #[proc_macro] pub fn size_of_mutex(_: TokenStream) -> TokenStream {\n\
         *LOCK.lock().unwrap() += 1;\n\
         format!(\"{}_usize\", std::mem::size_of::<std::sync::Mutex<u8>>()).parse().unwrap()\n\
         }\n",
    ),
    (
        "dynamic/Cargo.toml",
        "[package]\nname = \"dynamic\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\
         [lib]\ncrate-type = [\"cdylib\", \"rlib\", \"staticlib\"]\n",
    ),
    (
        "dynamic/src/lib.rs",
        "#[no_mangle] pub extern \"C\" fn one() -> u8 {\n\
         static ONE: std::sync::Mutex<u8> = std::sync::Mutex::new(1);\n\
         *ONE.lock().unwrap()\n\
         }\n",
    ),
];

/// The package that the workspace has from git.
const FROM_GIT: [(&str, &str); 2] = [
    (
        "Cargo.toml",
        "[package]\nname = \"from_git\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
    ),
    (
        "src/lib.rs",
        "#[track_caller] pub fn made() -> std::sync::Mutex<u8> { std::sync::Mutex::new(2) }\n",
    ),
];

fn write(folder: &Path, files: &[(&str, &str)], put_in: impl Fn(&str) -> String) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, put_in(text)).unwrap();
    }
}

/// What git says to these arguments, in this folder.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=demo", "-c", "user.email=demo@localhost"])
        .args(arguments)
        .current_dir(folder);
    calm(&mut command);
    let output = finish(&mut command);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

fn commit(folder: &Path) {
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "all"]);
}

/// A wrapper that writes the crates that it is called for into the file `list`.
fn wrapper(folder: &Path, list: &str) -> PathBuf {
    let path = folder.join(format!("{list}.sh"));
    let list = folder.join(list);
    let script = format!(
        "#!/bin/sh\necho \"$CARGO_CRATE_NAME\" >> '{}'\nexec \"$@\"\n",
        list.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The crates that the wrapper was called for.
fn wrapped(folder: &Path, list: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.join(list)).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The workspace, under git, its wrapper keeping a list of what it was called for.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir_in(scratch()).unwrap();
    let (from_git, top) = (folder.path().join("from_git"), folder.path().join("top"));
    write(&from_git, &FROM_GIT, str::to_owned);
    commit(&from_git);
    let wrapper = wrapper(folder.path(), "wrapped");
    let url = format!("file://{}", from_git.display());
    write(&top, &FILES, |text| {
        text.replace("GIT", &url)
            .replace("WRAPPED", &wrapper.to_string_lossy())
    });
    let mut lock = Command::new(cargo());
    lock.arg("generate-lockfile").current_dir(&top);
    calm(&mut lock);
    let locked = finish(&mut lock);
    assert!(locked.status.success(), "{}", stderr(&locked));
    commit(&top);
    folder
}

/// That nothing but the inversion is found, and that git sees nothing new in the workspace.
fn expect_the_inversion(top: &Path, output: &Output) {
    let report = document(output);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!(codes(&report), ["LW0003"], "{report}");
    assert_eq!(report["findings"][0]["certainty"], "certain");
    assert_eq!(limits(&report), [""; 0]);
    assert_eq!(git(top, &["status", "--porcelain"]), "");
}

#[test]
fn a_workspace_with_all_that_cargo_offers_is_watched_and_left_as_it_was() {
    let folder = workspace();
    let top = folder.path().join("top");

    let arguments = ["test", "--workspace", "--locked", "--format", "json"];
    let output = lockwise(&top, &arguments);
    expect_the_inversion(&top, &output);
    let out = stdout(&output);
    // Of the library, the program, the other members' and the documentation.
    assert!(out.matches("test result: ok.").count() > 4, "{out}");
    for test in [
        "tests::inversion",
        "tests::plain",
        "app/src/lib.rs - (line 1)",
    ] {
        assert!(
            out.contains(&format!("test {test} ... ok")),
            "{test}: {out}"
        );
    }
    let crates = wrapped(folder.path(), "wrapped");
    for name in ["app", "bare", "build_script_build", "from_git", "made"] {
        assert!(crates.iter().any(|one| one == name), "{name}: {crates:?}");
    }

    // One member, a feature, a filter; and nothing but a build.
    let arguments = ["test", "-p", "app", "--features", "extra", "--lib"];
    let output = lockwise(&top, &[&arguments[..], &["--", "extra", "plain"]].concat());
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(
        out.contains("2 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out"),
        "{out}"
    );
    assert!(err.contains("lockwise: nothing found"), "{err}");
    let output = lockwise(&top, &["build", "--workspace"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    // What benchmarks do, once: with links that are optimised.
    let arguments = ["bench", "-p", "app", "--format", "json", "--", "--test"];
    let output = lockwise(&top, &arguments);
    expect_the_inversion(&top, &output);

    // Links that are optimised, and no unwinding.
    for profile in ["release", "thin"] {
        let arguments = ["run", "--profile", profile, "--format", "json"];
        let output = lockwise(&top, &arguments);
        expect_the_inversion(&top, &output);
        let out = stdout(&output);
        let mut words = out.split_whitespace();
        assert_eq!(words.next(), Some("3"), "{out}");
        let built: usize = words.next().unwrap().parse().unwrap();
        assert!(built <= 16, "the build script was watched");
    }

    // Coverage, by flags that win over those of the configuration; a wrapper for members beside the other.
    let counts = folder.path().join("counts");
    let mut command = command(&top, &["run", "--example", "shown", "--format", "json"]);
    command
        .env("RUSTFLAGS", "-Cinstrument-coverage")
        .env("RUSTC_WORKSPACE_WRAPPER", wrapper(folder.path(), "members"))
        .env("LLVM_PROFILE_FILE", counts.join("%p.profraw"));
    let output = finish(&mut command);
    let report = document(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(limits(&report), [""; 0]);
    assert_eq!(fs::read_dir(&counts).unwrap().count(), 1);
    let members = wrapped(folder.path(), "members");
    assert!(members.iter().any(|name| name == "app"), "{members:?}");
    assert!(
        !members.iter().any(|name| name == "from_git"),
        "{members:?}"
    );
    assert_eq!(git(&top, &["status", "--porcelain"]), "");
}
