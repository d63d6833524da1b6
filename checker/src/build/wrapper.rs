//! What this program does when cargo calls it in place of a compiler.
//!
//! A crate that is built for a target is compiled against the stand-in for std, and if there is an
//! overlay for it, from changed sources. Everything else (build scripts, macros, probes) is passed
//! on untouched. The compiler's own output is passed on as it comes, since cargo starts dependents
//! on a message in the middle of it.

mod complaints;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::checking::CHECK;
use super::overlay::{self, Known, Overlay};
use super::plan::{Plan, RUSTC, RUSTDOC};
use super::printing;
use super::signals::exit_code;

/// What stands in for something of std: an error that names none of these is the user's own.
const REPLACED: [&str; 19] = [
    "Mutex",
    "RwLock",
    "Condvar",
    "Once",
    "Lazy",
    "Barrier",
    "Sender",
    "Receiver",
    "channel",
    "JoinHandle",
    "Scope",
    "Builder",
    "sync",
    "thread",
    "spawn",
    "`std`",
    "lockwise",
    "E0514",
    "E0460",
];

/// Note: the stand-in for std was left out. Beside it, what was left out crate by crate.
pub const STD_FAILED: &str = "std";

/// What the program was called as, if not as itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The compiler.
    Rustc,
    /// The documentation compiler.
    Rustdoc,
    /// The compiler, which prints the crate beside.
    Check,
}

impl Role {
    /// The role that belongs to the name of the program.
    pub fn of(program: &OsStr) -> Option<Role> {
        let stem = Path::new(program).file_stem()?;
        if stem == RUSTC {
            Some(Role::Rustc)
        } else if stem == RUSTDOC {
            Some(Role::Rustdoc)
        } else if stem.to_str()?.starts_with(CHECK) {
            Some(Role::Check)
        } else {
            None
        }
    }
}

/// Plays the role, and returns the exit code.
pub fn run(role: Role, arguments: &[OsString]) -> i32 {
    let program = PathBuf::from(&arguments[0]);
    let arguments = &arguments[1..];
    let planned = |play: fn(&Plan, &[OsString]) -> io::Result<ExitStatus>| {
        let plan = Plan::beside(&program).ok_or_else(|| {
            io::Error::other(format!(
                "no plan beside `{}`; run `cargo lockwise clean`",
                program.display()
            ))
        })?;
        play(&plan, arguments)
    };
    let status = match role {
        Role::Rustc => planned(rustc),
        Role::Rustdoc => planned(rustdoc),
        Role::Check => printing::rustc(arguments),
    };
    match status {
        Ok(status) => exit_code(status),
        Err(error) => {
            eprint(&format!("lockwise: cannot run the compiler: {error}"));
            101
        }
    }
}

fn eprint(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// One call of the compiler.
struct Call<'a> {
    plan: &'a Plan,
    /// The compiler, or the wrapper for members of the workspace and then the compiler.
    program: &'a OsStr,
    arguments: &'a [OsString],
}

fn rustc(plan: &Plan, arguments: &[OsString]) -> io::Result<ExitStatus> {
    let Some((program, arguments)) = arguments.split_first() else {
        return Err(io::Error::other("no compiler was named"));
    };
    let call = Call {
        plan,
        program,
        arguments,
    };
    // A probe of a build script has a target too, but no crate.
    let is_crate = std::env::var_os("CARGO_CRATE_NAME").is_some();
    let libraries = value(arguments, "--target")
        .and_then(|target| plan.libraries(target))
        .filter(|_| is_crate);
    let Some(libraries) = libraries else {
        return call.command(arguments).status();
    };
    let mut more = vec![OsString::from("-L"), with("dependency=", libraries)];
    more.push("--extern".into());
    more.push(with("std=", &libraries.join("libstd.rlib")));
    for lint in complaints::lints(arguments) {
        more.push(format!("--force-warn={lint}").into());
    }
    if let Some(changed) = Changed::of(plan, arguments) {
        match changed {
            Ok(changed) => match call.changed(&changed, &more, libraries)? {
                Ok(status) => return Ok(status),
                Err(_) if changed.sites_only => {}
                Err(message) => leave_out(plan, &changed.name, &message),
            },
            Err((name, message)) => leave_out(plan, &name, &message),
        }
    }
    call.watched(&more)
}

/// Notes that a crate is compiled as it is. The first line of the message goes into the report.
fn leave_out(plan: &Plan, name: &str, message: &str) {
    let _ = fs::write(plan.notes.join(name), message);
}

/// A library and its path as the compiler takes them.
fn with(prefix: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(prefix);
    argument.push(path);
    argument
}

impl Call<'_> {
    /// The compiler, behind the user's wrapper if there is one.
    fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a OsString>) -> Command {
        let mut command = match &self.plan.wrapper {
            Some(wrapper) => {
                let mut command = Command::new(wrapper);
                command.arg(self.program);
                command
            }
            None => Command::new(self.program),
        };
        command.args(arguments);
        command
    }

    /// Compiles a crate, and notes an error that may be the stand-in's fault.
    fn watched(&self, more: &[OsString]) -> io::Result<ExitStatus> {
        let mut child = self
            .command(self.arguments.iter().chain(more))
            .stderr(Stdio::piped())
            .spawn()?;
        let said = child.stderr.take().expect("it was asked for");
        let mut suspicious = None;
        let mut errors = 0;
        let mut line = Vec::new();
        let mut said = BufReader::new(said);
        while said.read_until(b'\n', &mut line)? > 0 {
            if complaints::is_about_ours(&line) {
                line.clear();
                continue;
            }
            // Whoever does not read is no reason to stop the compiler.
            let _ = io::stderr().write_all(&line);
            if let Some(text) = error_in(&line) {
                errors += 1;
                if suspicious.is_none() && REPLACED.iter().any(|name| text.contains(name)) {
                    suspicious = Some(text.lines().next().unwrap_or_default().to_owned());
                }
            }
            line.clear();
        }
        let status = child.wait()?;
        if !status.success() && (suspicious.is_some() || errors == 0) {
            let name = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
            let why = suspicious.unwrap_or_else(|| "the compiler gave up".to_owned());
            leave_out(self.plan, STD_FAILED, &format!("{name}: {why}"));
        }
        Ok(status)
    }

    /// Compiles a crate from changed sources. The inner error says why that did not work; nothing
    /// has been written then.
    fn changed(
        &self,
        changed: &Changed,
        more: &[OsString],
        libraries: &Path,
    ) -> io::Result<Result<ExitStatus, String>> {
        let mut arguments = self.arguments.to_vec();
        arguments[changed.root_at] = changed.root.clone().into_os_string();
        arguments.extend_from_slice(more);
        arguments.push("--extern".into());
        arguments.push(with(
            "lockwise_core=",
            &libraries.join("liblockwise_core.rlib"),
        ));
        let mut remap = with("--remap-path-prefix=", &changed.copy);
        remap.push("=");
        remap.push(&changed.original);
        arguments.push(remap);
        if value(self.arguments, "--cap-lints").is_none() {
            arguments.push("--cap-lints=warn".into());
        }
        let output = self.command(&arguments).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said.lines().find_map(|line| error_in(line.as_bytes()));
            return Ok(Err(first.unwrap_or_default()));
        }
        changed.restore_names(self.arguments);
        let _ = io::stdout().write_all(&output.stdout);
        let _ = io::stderr().write_all(&output.stderr);
        Ok(Ok(output.status))
    }
}

/// A crate whose sources are changed.
struct Changed {
    /// Package and version.
    name: String,
    /// Which argument names the crate's root.
    root_at: usize,
    /// The root of the copy.
    root: PathBuf,
    /// The package's folder, as cargo names it.
    original: PathBuf,
    /// The folder of the copy.
    copy: PathBuf,
    /// Whether the crate is watched also if it is left as it is.
    sites_only: bool,
}

impl Changed {
    /// The crate that is compiled, if there is an overlay for it. The error has a name and a reason.
    fn of(plan: &Plan, arguments: &[OsString]) -> Option<Result<Changed, (String, String)>> {
        let variable = |name: &str| std::env::var(name).ok();
        let package = variable("CARGO_PKG_NAME")?;
        let version = variable("CARGO_PKG_VERSION")?;
        let is_this = variable("CARGO_CRATE_NAME")? == package.replace('-', "_");
        if !is_this {
            return None;
        }
        let name = format!("{package}-{version}");
        let overlay = match overlay::find(&package, &version) {
            Known::Nothing => return None,
            Known::OtherVersions => {
                let message = "this version is not known".to_owned();
                return Some(Err((name, message)));
            }
            Known::Overlay(overlay) => overlay,
        };
        if !has_features(&overlay, arguments) {
            return None;
        }
        let root_at = arguments
            .iter()
            .position(|argument| Path::new(argument).ends_with("src/lib.rs"))?;
        let root = Path::new(&arguments[root_at]);
        let original = root.parent()?.parent()?.to_owned();
        let unique = value(arguments, "extra-filename").unwrap_or_default();
        let copy = plan.sources.join(format!("{name}{unique}"));
        let from = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
        let _ = fs::remove_dir_all(&copy);
        Some(match overlay.apply(&version, &from, &copy) {
            Ok(()) => Ok(Changed {
                name,
                root_at,
                root: copy.join("src").join("lib.rs"),
                original,
                copy,
                sites_only: overlay.sites_only,
            }),
            Err(_) if overlay.sites_only => return None,
            Err(error) => Err((name, error.to_string())),
        })
    }

    /// Puts the original's name for that of the copy into the list of what the crate is made of,
    /// from which cargo sees when it has changed.
    fn restore_names(&self, arguments: &[OsString]) {
        let Some(folder) = value(arguments, "--out-dir") else {
            return;
        };
        let name = value(arguments, "--crate-name").unwrap_or_default();
        let unique = value(arguments, "extra-filename").unwrap_or_default();
        let file = Path::new(folder).join(format!("{name}{unique}.d"));
        let Ok(text) = fs::read_to_string(&file) else {
            return;
        };
        let copy = self.copy.to_string_lossy();
        let (inside, before) = (format!("{copy}/"), self.before());
        let lines: Vec<String> = text
            .lines()
            // What was added has no original.
            .filter(|line| !(line.ends_with(':') && line.contains("lockwise")))
            .map(|line| {
                line.split(' ')
                    .filter(|part| {
                        !part.starts_with(&*copy)
                            || self.has_original(Path::new(part.trim_end_matches(':')))
                    })
                    .map(|part| part.replace(&inside, &before))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        let _ = fs::write(&file, lines.join("\n") + "\n");
    }

    /// What stands before the names of the original's files: nothing where the compiler runs in its folder.
    fn before(&self) -> String {
        let folder = self.original.to_string_lossy();
        if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        }
    }

    fn has_original(&self, copied: &Path) -> bool {
        copied
            .strip_prefix(&self.copy)
            .is_ok_and(|relative| self.original.join(relative).is_file())
    }
}

/// Whether the features are on without which an overlay makes no sense.
fn has_features(overlay: &Overlay, arguments: &[OsString]) -> bool {
    overlay.features.iter().all(|feature| {
        let wanted = format!("feature=\"{feature}\"");
        arguments.iter().any(|argument| *argument == *wanted)
    })
}

/// The value of an option, which may stand after it or after `=`; also of one of `-C`'s.
pub(super) fn value<'a>(arguments: &'a [OsString], name: &str) -> Option<&'a str> {
    let mut arguments = arguments.iter().map(|argument| argument.to_str());
    while let Some(argument) = arguments.next() {
        let Some(argument) = argument else { continue };
        if argument == name {
            return arguments.next().flatten();
        }
        let argument = argument.strip_prefix("-C").unwrap_or(argument);
        if let Some(value) = argument
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
        {
            return Some(value);
        }
    }
    None
}

/// The arguments without the options that are left out, and without their values: `--name value` or
/// `--name=value`. What follows after `--` is no option.
pub(super) fn without(
    arguments: &[OsString],
    is_left_out: impl Fn(&str, &OsStr) -> bool,
) -> Vec<OsString> {
    let mut kept = Vec::with_capacity(arguments.len());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            kept.push(argument.clone());
            break;
        }
        let text = argument.to_str().unwrap_or_default();
        if let Some((option, value)) = text.split_once('=') {
            if !is_left_out(option, OsStr::new(value)) {
                kept.push(argument.clone());
            }
            continue;
        }
        let next = rest.as_slice().first();
        if is_left_out(text, next.map_or(OsStr::new(""), OsString::as_os_str)) {
            let _value = rest.next();
        } else {
            kept.push(argument.clone());
        }
    }
    kept.extend(rest.cloned());
    kept
}

/// The text of an error of the compiler, which is a line of JSON under cargo.
fn error_in(line: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Diagnostic {
        level: String,
        message: String,
        rendered: Option<String>,
    }
    let text = std::str::from_utf8(line).ok()?;
    if text.starts_with("error") {
        return Some(text.to_owned());
    }
    if !text.contains("\"error") {
        return None;
    }
    let diagnostic: Diagnostic = serde_json::from_str(text).ok()?;
    if !diagnostic.level.starts_with("error") {
        return None;
    }
    let rendered = diagnostic.rendered.unwrap_or_default();
    Some(format!("{}\n{rendered}", diagnostic.message))
}

fn rustdoc(plan: &Plan, arguments: &[OsString]) -> io::Result<ExitStatus> {
    let mut command = Command::new(&plan.rustdoc);
    command.args(arguments);
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let libraries = value(arguments, "--target")
        .and_then(|target| plan.libraries(target))
        .filter(|_| is_test);
    if let Some(libraries) = libraries {
        command
            .arg("-L")
            .arg(with("dependency=", libraries))
            .arg("--extern")
            .arg(with("std=", &libraries.join("libstd.rlib")));
    }
    command.status()
}

#[cfg(test)]
mod tests;
