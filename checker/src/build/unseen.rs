//! Packages that block threads or tasks in ways of their own, which nobody watches.
//!
//! A report that finds nothing means only what was watched; this names the rest. A package that is
//! missing here is one that nobody has thought of.

use super::project::is_locked;

/// Packages, and what of them is not seen.
const UNSEEN: [(&str, &str); 12] = [
    ("async-channel", "channels"),
    ("async-lock", "async locks"),
    ("async-std", "async locks and channels"),
    ("crossbeam-channel", "channels"),
    ("crossbeam-utils", "parkers and wait groups"),
    ("flume", "channels"),
    ("futures-channel", "channels"),
    ("futures-util", "async locks"),
    ("kanal", "channels"),
    ("loom", "locks"),
    ("tokio", "async locks and channels"),
    ("usync", "locks"),
];

/// What is not seen of the packages in `lock`, the text of a `Cargo.lock`: a line for the report.
pub fn unseen(lock: &str) -> Option<String> {
    let found: Vec<String> = UNSEEN
        .iter()
        .filter(|(package, _)| is_locked(lock, package))
        .map(|(package, what)| format!("{what} of {package}"))
        .collect();
    (!found.is_empty()).then(|| format!("not watched, where they are used: {}", found.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_of_the_project_are_named() {
        assert_eq!(unseen("[[package]]\nname = \"serde\"\n"), None);
        let lock = "name = \"tokio\"\nversion = \"1.0.0\"\nname = \"usync\"\n";
        assert_eq!(
            unseen(lock).unwrap(),
            "not watched, where they are used: async locks and channels of tokio, locks of usync"
        );
    }
}
