//! A call of the compiler that prints a crate and does nothing else.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::Command;

use super::{HOW, printed_from};
use crate::code::mir::Reader;

/// Options of cargo's call that this one must not have.
const COMPILES: [&str; 5] = [
    "--emit",
    "--json",
    "--error-format",
    "--out-dir",
    "--diagnostic-width",
];

/// Prints the crate that cargo compiles with `arguments`, or returns what the compiler said against it.
pub(super) fn print_crate(
    compiler: &OsStr,
    arguments: &[OsString],
    out: &mut Reader,
) -> io::Result<Option<String>> {
    print_to(
        Command::new(compiler).args(printed_from(arguments, &COMPILES)),
        out,
    )
}

/// Reads what a call of the compiler prints of a crate, or returns what it said against it.
///
/// # Errors
///
/// If the compiler cannot be started, or what it prints not be read.
pub(crate) fn print_to(command: &mut Command, out: &mut Reader) -> io::Result<Option<String>> {
    command
        .args(HOW)
        .args(["-Zunpretty=mir", "--cap-lints=allow"])
        .env("RUSTC_BOOTSTRAP", "1");
    super::print(command, out)
}
