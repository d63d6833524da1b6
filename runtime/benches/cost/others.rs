//! Programs that are built only when they are asked for: this one without checks, and the peers.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// This benchmark, built without checks.
pub(crate) fn without_checks() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    build(
        &manifest,
        &["--bench", "cost", "--no-default-features"],
        "without-checks",
    )
}

/// The program that measures other libraries.
pub(crate) fn peers() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/Cargo.toml");
    build(&manifest, &[], "peers")
}

/// Builds a package's program with cargo, in a folder of its own beside the one of this program.
fn build(manifest: &Path, flags: &[&str], folder: &str) -> Option<PathBuf> {
    // target/release/deps/cost-…
    let target = std::env::current_exe()
        .ok()?
        .ancestors()
        .nth(3)?
        .join(folder);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--message-format=json-render-diagnostics",
        ])
        .args(flags)
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .stderr(Stdio::inherit())
        .output()
        .ok()?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let program = messages
        .lines()
        .rev()
        .find_map(|line| line.split_once("\"executable\":\"")?.1.split_once('"'));
    Some(PathBuf::from(program?.0))
}
