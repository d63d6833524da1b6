//! What each watched program stands on: the watcher's core and the stand-in for std, built once by
//! the project's own compiler and kept.
//!
//! A finished folder in the cache is never changed: it is made under another name and then renamed,
//! so that two sessions may do that at once. Its name is a hash of all that goes into it.

use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use lockwise::sources;

use super::toolchain::Toolchain;

/// The core and the stand-in for std, for one compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foundation {
    /// Where it is.
    pub folder: PathBuf,
    /// The name of all that went into it.
    pub key: String,
}

/// Why there is no foundation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoundationError {
    /// Its folder cannot be made.
    #[error("cannot make `{}`", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The compiler cannot be started.
    #[error("cannot start `{}`", rustc.display())]
    Start {
        /// The compiler.
        rustc: OsString,
        /// Why.
        source: io::Error,
    },
    /// The compiler refuses.
    #[error("`{}` cannot compile `{what}` for {target}: {message}", rustc.display())]
    Compile {
        /// The compiler.
        rustc: OsString,
        /// Which crate.
        what: &'static str,
        /// For which target.
        target: String,
        /// The first error.
        message: String,
    },
}

impl Foundation {
    /// The foundation for this compiler in folder `cache`; nothing is built yet.
    pub fn of(toolchain: &Toolchain, cache: &Path) -> Foundation {
        let mut hasher = DefaultHasher::new();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        toolchain.version.hash(&mut hasher);
        sources::FILES.hash(&mut hasher);
        (FLAGS, NIGHTLY).hash(&mut hasher);
        let key = format!("{:016x}", hasher.finish());
        Foundation {
            folder: cache.join(&key),
            key,
        }
    }

    /// The folder with the libraries for `target`.
    pub fn libraries(&self, target: &str) -> PathBuf {
        self.folder.join("lib").join(target)
    }

    /// Whether it has been built for `target`.
    pub fn is_built(&self, target: &str) -> bool {
        self.libraries(target).is_dir()
    }

    /// Builds it for `target`, unless that was done.
    ///
    /// # Errors
    ///
    /// [`FoundationError`] if the compiler refuses, or the cache cannot be written.
    pub fn build(&self, toolchain: &Toolchain, target: &str) -> Result<(), FoundationError> {
        if self.is_built(target) {
            return Ok(());
        }
        let unique = format!("{}.{}", self.key, std::process::id());
        let work = self.folder.with_file_name(unique);
        let _ = fs::remove_dir_all(&work);
        let done = self.build_in(&work, toolchain, target);
        let _ = fs::remove_dir_all(&work);
        done
    }

    fn build_in(
        &self,
        work: &Path,
        toolchain: &Toolchain,
        target: &str,
    ) -> Result<(), FoundationError> {
        let folder_error = |path: &Path| {
            let path = path.to_owned();
            move |source| FoundationError::Folder { path, source }
        };
        for (path, text) in sources::FILES {
            let path = work.join(path);
            let parent = path.parent().expect("it was joined");
            fs::create_dir_all(parent).map_err(folder_error(parent))?;
            fs::write(&path, text).map_err(folder_error(&path))?;
        }
        let out = work.join("lib");
        fs::create_dir_all(&out).map_err(folder_error(&out))?;
        // What std has behind features today may be gone, or called otherwise, in another nightly.
        let with_features = toolchain.allows_features()
            && self
                .compile_both(&[OsStr::new(NIGHTLY)], work, toolchain, target)
                .is_ok();
        if !with_features {
            self.compile_both(&[], work, toolchain, target)?;
        }
        let place = self.libraries(target);
        let parent = place.parent().expect("it was joined");
        fs::create_dir_all(parent).map_err(folder_error(parent))?;
        match fs::rename(&out, &place) {
            // Another session was faster.
            Err(_) if place.is_dir() => Ok(()),
            renamed => renamed.map_err(folder_error(&place)),
        }
    }

    /// Compiles both crates in folder `work`.
    fn compile_both(
        &self,
        more: &[&OsStr],
        work: &Path,
        toolchain: &Toolchain,
        target: &str,
    ) -> Result<(), FoundationError> {
        let root = "overlays/core/lib.rs";
        self.compile("lockwise_core", root, more, work, toolchain, target)?;
        let mut core = OsString::from("lockwise_core=");
        core.push(work.join("lib").join("liblockwise_core.rlib"));
        let mut more = more.to_vec();
        more.extend([OsStr::new("--extern"), &core]);
        let root = "overlays/std/lib.rs";
        self.compile("std", root, &more, work, toolchain, target)
    }

    /// Compiles one crate in folder `work`.
    fn compile(
        &self,
        name: &'static str,
        root: &str,
        more: &[&OsStr],
        work: &Path,
        toolchain: &Toolchain,
        target: &str,
    ) -> Result<(), FoundationError> {
        let output = Command::new(&toolchain.rustc)
            .args(["--crate-name", name])
            .args(FLAGS)
            .args(["--target", target])
            .arg("--out-dir")
            .arg(work.join("lib"))
            .arg(format!("-Cmetadata={}", self.key))
            .arg(format!("--remap-path-prefix={}=/lockwise", work.display()))
            .args(more)
            .arg(work.join(root))
            .current_dir(&toolchain.folder)
            // What the user asks of his crates is not asked of ours.
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null())
            .output()
            .map_err(|source| FoundationError::Start {
                rustc: toolchain.rustc.clone(),
                source,
            })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().find(|line| line.starts_with("error"));
        Err(FoundationError::Compile {
            rustc: toolchain.rustc.clone(),
            what: name,
            target: target.to_owned(),
            message: first.unwrap_or("it says nothing").to_owned(),
        })
    }
}

/// How both crates are compiled: fast, and so that any profile can link them.
const FLAGS: [&str; 12] = [
    "--edition=2024",
    "--crate-type=rlib",
    "--emit=link",
    "--cfg=lockwise_overlay",
    "--cap-lints=allow",
    "-Copt-level=3",
    "-Cdebuginfo=0",
    "-Cdebug-assertions=off",
    "-Coverflow-checks=off",
    "-Cembed-bitcode=yes",
    "-Cpanic=unwind",
    "-Cstrip=none",
];

/// Asks for what std has behind features.
const NIGHTLY: &str = "--cfg=lockwise_nightly";

/// Where foundations are kept: the user's cache, else `fallback`.
pub fn cache<'e>(variable: impl Fn(&str) -> Option<&'e OsStr>, fallback: &Path) -> PathBuf {
    let set = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    set("LOCKWISE_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("lockwise")))
        .or_else(|| Some(set("LOCALAPPDATA")?.join("lockwise").join("cache")))
        .or_else(|| Some(set("HOME")?.join(".cache").join("lockwise")))
        .unwrap_or_else(|| fallback.to_owned())
}
