//! What the compiler says to programs that it must refuse.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the compiler says to these files, a line each, in a package of their own.
pub(crate) fn said(package: &str, files: &[PathBuf]) -> String {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let package = scratch.join(package);
    let _ = fs::remove_dir_all(package.join("src"));
    fs::create_dir_all(package.join("src/bin")).expect("our own folder");
    let manifest = format!(
        "[package]\nname = \"refused\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies.lockwise]\npath = {:?}\ndefault-features = false\nfeatures = [{}]\n",
        runtime.display().to_string(),
        if cfg!(feature = "checks") {
            "\"checks\""
        } else {
            ""
        },
    );
    fs::write(package.join("Cargo.toml"), manifest).expect("our own folder");
    // The same versions as here, so that nothing has to be fetched.
    let lock = runtime.with_file_name("Cargo.lock");
    let _ = fs::copy(lock, package.join("Cargo.lock"));
    for file in files {
        let place = package
            .join("src/bin")
            .join(file.file_name().expect("it is a file"));
        fs::copy(file, place).expect("our own folder");
    }
    let output = Command::new(env!("CARGO"))
        .args(["check", "--bins", "--keep-going", "--message-format=short"])
        .arg("--target-dir")
        .arg(scratch.join("refused"))
        .current_dir(&package)
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs this test");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
