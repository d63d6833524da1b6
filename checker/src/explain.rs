//! What each code means, from one text file a code.

use std::io::{self, Write};

use crate::finding::Code;

/// The text about `code`: what it means, an example, why it deadlocks, the fix, what can be false.
pub fn text(code: Code) -> &'static str {
    match code {
        Code::Deadlock => include_str!("explain/LW0001.md"),
        Code::SelfDeadlock => include_str!("explain/LW0002.md"),
        Code::LockOrderCycle => include_str!("explain/LW0003.md"),
        Code::RecursiveRead => include_str!("explain/LW0004.md"),
        Code::OrderViolation => include_str!("explain/LW0005.md"),
        Code::WaitWhileHolding => include_str!("explain/LW0006.md"),
        Code::GuardAcrossAwait => include_str!("explain/LW0007.md"),
        Code::LockMisuse => include_str!("explain/LW0008.md"),
        Code::Stall => include_str!("explain/LW0009.md"),
        Code::Futurelock => include_str!("explain/LW0010.md"),
    }
}

/// The first sentence about `code`.
pub fn summary(code: Code) -> &'static str {
    let mut body = text(code).lines().skip(1);
    body.find(|line| !line.is_empty()).unwrap_or("")
}

/// Writes one line for each code.
///
/// # Errors
///
/// Whatever `out` returns.
pub fn list(out: &mut dyn Write) -> io::Result<()> {
    for code in Code::ALL {
        writeln!(
            out,
            "{}  {:18}  {}",
            code.text(),
            code.name(),
            summary(code)
        )?;
    }
    writeln!(
        out,
        "\n`cargo lockwise explain LW0003` tells more about one of them. LW0007 and LW0010 are not reported \
         yet."
    )
}

#[cfg(test)]
mod tests;
