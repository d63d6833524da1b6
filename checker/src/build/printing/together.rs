//! One call of the compiler that compiles a crate as cargo asks and prints its functions on the way.
//!
//! It has more options than cargo's own call, so it could say other things:
//! - with `RUSTC_BOOTSTRAP` a stable compiler takes features of the language that it else refuses: none
//!   is allowed (`-Zallow-features=`);
//! - paths in messages are not shortened: a message with a path in it is not handed on, but asked for
//!   again without that option;
//! - functions are lowered further, and lints that else only a build shows could speak: they are
//!   turned off;
//! - to write down what a library offers to others the compiler would look for all that a build of it
//!   makes, through functions of crates that were only checked: for a library that is taken for the one
//!   kind that offers nothing ready-made (`compiler_builtins`), it does not. Nothing else depends on that
//!   before a build;
//! - whatever else makes it fail: it has said nothing yet then, and cargo's own call is made.
//!
//! What it makes is announced to cargo when it has ended well: a compiler that fails later takes it back.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{ChildStderr, Command, ExitStatus, Stdio};

use serde::Deserialize;

use super::{HOW, Page, print, printed_from};
use crate::build::wrapper::value;
use crate::code::mir::Reader;

/// Says which compiler it is, where it can do both in one call.
pub const VARIABLE: &str = "LOCKWISE_PRINTS_TOGETHER";

/// What a compiler takes without being told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Only what is stable.
    Stable,
    /// Everything.
    Nightly,
}

impl Channel {
    /// The channel of the compiler that says this of its version.
    pub fn of(version: &str) -> Channel {
        let first = version.lines().next().unwrap_or_default();
        if first.contains("-nightly") || first.contains("-dev") {
            Channel::Nightly
        } else {
            Channel::Stable
        }
    }

    /// What [`VARIABLE`] says of it.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Stable => "stable",
            Channel::Nightly => "nightly",
        }
    }

    fn here() -> Option<Channel> {
        let word = std::env::var(VARIABLE).ok()?;
        [Channel::Stable, Channel::Nightly]
            .into_iter()
            .find(|channel| channel.word() == word)
    }

    /// Makes `command` print a crate, apart from what it emits.
    fn prepare(self, command: &mut Command, is_library: bool) {
        command.args(HOW).arg("-Zno-codegen");
        for lint in LATE_LINTS {
            command.args(["-A", lint]);
        }
        if is_library {
            command
                .arg("-Zcrate-attr=feature(compiler_builtins)")
                .arg("-Zcrate-attr=compiler_builtins")
                .args(["-A", "internal_features"]);
        }
        if self == Channel::Stable {
            let allowed = if is_library { "compiler_builtins" } else { "" };
            command
                .arg(format!("-Zallow-features={allowed}"))
                .env("RUSTC_BOOTSTRAP", "1");
        }
    }
}

/// Lints that a mere check does not come to.
const LATE_LINTS: [&str; 2] = ["arithmetic_overflow", "unconditional_panic"];

/// Compiles and prints a library, or returns what the compiler said against it: whether it can.
///
/// # Errors
///
/// If the compiler cannot be started, or what it prints not be read.
pub(crate) fn print_to(
    command: &mut Command,
    channel: Channel,
    folder: &Path,
    out: &mut Reader,
) -> io::Result<Option<String>> {
    channel.prepare(command, true);
    command
        .arg("--emit=metadata,mir=-")
        .arg("--out-dir")
        .arg(folder);
    print(command, out)
}

/// What became of a call.
pub(super) enum Outcome {
    /// Cargo has been told all.
    Done(ExitStatus),
    /// It failed, for this reason, and cargo was told nothing.
    Refused(String),
}

/// A call in place of cargo's.
pub(super) struct Call<'a> {
    compiler: &'a OsStr,
    asked: &'a [OsString],
    arguments: Vec<OsString>,
    channel: Channel,
}

impl<'a> Call<'a> {
    /// `None` where cargo's call is not one that this can stand for.
    pub(super) fn new(compiler: &'a OsStr, asked: &'a [OsString]) -> Option<Call<'a>> {
        let channel = Channel::here()?;
        // Whoever sets it wants features of some crates, and which ones is not ours to say.
        let bootstraps = std::env::var_os("RUSTC_BOOTSTRAP").is_some_and(|value| !value.is_empty());
        if bootstraps || value(asked, "--error-format") != Some("json") {
            return None;
        }
        let mut arguments = asked.to_vec();
        let emit = arguments.iter_mut().find_map(|argument| {
            let kinds = argument.to_str()?.strip_prefix("--emit=")?;
            let is_checked = kinds
                .split(',')
                .all(|kind| matches!(kind, "dep-info" | "metadata"));
            (is_checked && kinds.contains("metadata")).then_some(argument)
        })?;
        emit.push(",mir=-");
        Some(Call {
            compiler,
            asked,
            arguments,
            channel,
        })
    }

    /// Makes the call.
    pub(super) fn run(&self, page: &Page) -> io::Result<Outcome> {
        let mut ended = None;
        page.fill(|out| {
            let mut command = Command::new(self.compiler);
            command.args(&self.arguments);
            self.channel.prepare(&mut command, is_library(self.asked));
            let call = super::run(&mut command, out, listen)?;
            let (status, heard) = (call.status, call.heard);
            let said = (!status.success()).then(|| heard.first_error(status));
            ended = Some((status, heard));
            call.read.map(|()| said)
        });
        let Some((status, heard)) = ended else {
            return Ok(Outcome::Refused("it cannot be started".to_owned()));
        };
        // Somebody ended it.
        if status.code().is_none() {
            return Ok(Outcome::Done(status));
        }
        if !status.success() {
            return Ok(Outcome::Refused(heard.first_error(status)));
        }
        io::stderr().write_all(&heard.announced)?;
        if heard.names_a_path {
            return self.say(page).map(Outcome::Done);
        }
        io::stderr().write_all(&heard.messages)?;
        Ok(Outcome::Done(status))
    }

    /// Has cargo's own call say what it has to say; what it makes is thrown away, since others may have
    /// read the other's already.
    fn say(&self, page: &Page) -> io::Result<ExitStatus> {
        let folder = page
            .file
            .with_extension(format!("said.{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut child = Command::new(self.compiler)
            .args(printed_from(self.asked, &["--emit", "--out-dir"]))
            .arg("--emit=metadata")
            .arg("--out-dir")
            .arg(&folder)
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(stderr) = child.stderr.take() {
            let mut err = io::stderr();
            lines(stderr, |line| {
                if !is_announcement(line) {
                    let _ = err.write_all(line);
                }
            });
        }
        let status = child.wait();
        let _ = fs::remove_dir_all(&folder);
        status
    }
}

/// Whether other crates can be compiled against what is made.
fn is_library(asked: &[OsString]) -> bool {
    let mut is_test = false;
    let mut kinds = Vec::new();
    let mut words = asked.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        is_test |= word == "--test";
        match word.strip_prefix("--crate-type") {
            Some("") => kinds.extend(words.next()),
            Some(kind) => kinds.extend(kind.strip_prefix('=')),
            None => {}
        }
    }
    let mut kinds = kinds.into_iter().flat_map(|kind| kind.split(','));
    !is_test && kinds.any(|kind| matches!(kind, "lib" | "rlib" | "dylib"))
}

/// What the compiler had to say, to be handed on or not.
#[derive(Default)]
struct Heard {
    /// The files that were made. Handed on only at the end: a compiler that fails takes them back.
    announced: Vec<u8>,
    /// All messages.
    messages: Vec<u8>,
    /// Whether a message names a path, which may be shorter in cargo's own call.
    names_a_path: bool,
}

impl Heard {
    fn first_error(&self, status: ExitStatus) -> String {
        let errors = self
            .messages
            .split(|byte| *byte == b'\n')
            .filter_map(|line| {
                let message = serde_json::from_slice::<Said>(line).ok()?;
                (message.level == "error").then_some(message.message)
            });
        let first = errors.into_iter().next();
        format!("error: {}", first.unwrap_or_else(|| status.to_string()))
    }
}

fn listen(stderr: ChildStderr) -> Heard {
    let mut heard = Heard::default();
    lines(stderr, |line| {
        if is_announcement(line) {
            heard.announced.extend_from_slice(line);
        } else {
            heard.names_a_path |= names_a_path(line);
            heard.messages.extend_from_slice(line);
        }
    });
    heard
}

/// Reads lines until there are no more. What cannot be read any more is the end of it.
fn lines(from: impl Read, mut each: impl FnMut(&[u8])) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        each(&line);
        line.clear();
    }
}

/// Whether a line says that a file was made.
fn is_announcement(line: &[u8]) -> bool {
    line.starts_with(br#"{"$message_type":"artifact""#) || line.starts_with(br#"{"artifact":"#)
}

/// A message of the compiler's, as far as it is words.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Said>,
}

#[derive(Deserialize)]
struct Span {
    #[serde(default)]
    label: Option<String>,
}

impl Said {
    fn names_a_path(&self) -> bool {
        let labels = self.spans.iter().filter_map(|span| span.label.as_deref());
        labels
            .chain([self.message.as_str()])
            .any(|words| words.contains("::"))
            || self.children.iter().any(Said::names_a_path)
    }
}

/// Whether a line's words name a path. The program's own text, which stands beside, does not count.
fn names_a_path(line: &[u8]) -> bool {
    line.windows(2).any(|two| two == b"::")
        && serde_json::from_slice::<Said>(line).map_or(true, |message| message.names_a_path())
}

#[cfg(test)]
mod tests;
