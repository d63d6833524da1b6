//! The exit codes, which are a contract with users and their scripts.

/// Findings fail the build.
pub const FINDINGS: i32 = 1;
/// The command line, the environment or the configuration is wrong, or a file that the user asked
/// for cannot be written.
pub const USAGE: i32 = 2;
/// Something that was to be read cannot be read.
pub const UNREADABLE: i32 = 3;
/// There is no log at all.
pub const NO_LOG: i32 = 4;

/// What the inputs were like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    /// All of them could be read.
    Read,
    /// At least one that counts could not be read.
    Unreadable,
    /// There was none.
    Missing,
}

/// The exit code of a session.
///
/// `program` is what cargo or the program returned, where one was run. What fails most wins:
/// findings hide nothing, since the report says the rest in words.
pub fn code(findings_fail: bool, program: Option<i32>, inputs: Inputs) -> i32 {
    match (findings_fail, program, inputs) {
        (true, _, _) => FINDINGS,
        (false, Some(code), _) if code != 0 => code,
        (false, _, Inputs::Unreadable) => UNREADABLE,
        (false, _, Inputs::Missing) => NO_LOG,
        (false, _, Inputs::Read) => 0,
    }
}

#[cfg(test)]
mod tests;
