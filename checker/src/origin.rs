//! Whose code a place in the source is: the user's, or a dependency's.
//!
//! Sites in the workspace are relative to it; those of dependencies name the folders that cargo and
//! the compiler keep sources in. A path dependency outside the workspace is the user's own.

/// Folders of foreign sources, as they stand inside a path.
const FOREIGN: [&str; 3] = ["/registry/src/", "/git/checkouts/", "/lib/rustlib/src/"];

/// How paths of foreign sources start.
const STARTS: [&str; 3] = ["/rustc/", "/lockwise/", "vendor/"];

/// Whether a site, `path:line:column`, lies in a dependency or in the standard library.
pub fn is_foreign(site: &str) -> bool {
    let site = site.replace('\\', "/");
    FOREIGN.iter().any(|folder| site.contains(folder))
        || STARTS.iter().any(|start| site.starts_with(start))
}

/// A path without what differs between machines: of a package in a registry or a checkout, what
/// follows the folder of its source.
pub fn portable(path: &str) -> &str {
    for folder in &FOREIGN[..2] {
        if let Some((_, rest)) = path.split_once(folder) {
            return rest.split_once('/').map_or(rest, |(_, inside)| inside);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_checkouts_and_the_standard_library_are_foreign() {
        for site in [
            "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/a-1.0.0/src/lib.rs:1:2",
            "/home/u/.cargo/git/checkouts/a-12/34/src/lib.rs:1:2",
            "/rustc/59807616e1fa/library/core/src/ops/function.rs:250:5",
            "vendor/a/src/lib.rs:1:2",
        ] {
            assert!(is_foreign(site), "{site}");
        }
        for site in ["src/lib.rs:1:2", "/home/u/other/src/lib.rs:1:2", "x.c:3"] {
            assert!(!is_foreign(site), "{site}");
        }
    }

    #[test]
    fn a_package_is_named_alike_on_all_machines() {
        let path = "/home/u/.cargo/registry/src/index.crates.io-19/a-1.0.0/src/lib.rs:1:2";
        assert_eq!(portable(path), "a-1.0.0/src/lib.rs:1:2");
        assert_eq!(portable("src/lib.rs:1:2"), "src/lib.rs:1:2");
    }
}
