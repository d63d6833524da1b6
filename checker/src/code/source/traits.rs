//! Traits of the program: which one a name means, and who can implement it.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::super::text::last;
use super::uses::{Leaf, Uses};

/// The traits, and what the modules say of who can name them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Traits {
    /// By full path; whether it says `pub`.
    declared: HashMap<String, bool>,
    /// The last part of a trait's path, and all full paths that end so.
    by_name: HashMap<String, Vec<String>>,
    /// Modules that say `pub`.
    open_modules: HashSet<String>,
    /// Names that are handed on by `pub use`, and the last parts of modules of which all is.
    handed_on: HashSet<String>,
    /// Crates that are programs: nobody else can use what they declare.
    programs: HashSet<String>,
}

impl Traits {
    /// A crate is a program, and no library.
    pub(super) fn note_program(&mut self, krate: &str) {
        self.programs.insert(krate.to_owned());
    }

    /// A module is declared.
    pub(super) fn note_module(&mut self, path: &str, is_open: bool) {
        if is_open {
            self.open_modules.insert(path.to_owned());
        }
    }

    /// A trait is declared.
    pub(super) fn note(&mut self, path: String, is_open: bool) {
        let all = self.by_name.entry(last(&path).to_owned()).or_default();
        if !all.contains(&path) {
            all.push(path.clone());
        }
        self.declared.insert(path, is_open);
    }

    /// Takes in those of another crate.
    pub(super) fn join(&mut self, other: Traits) {
        self.declared.extend(other.declared);
        for (name, paths) in other.by_name {
            super::join_names(self.by_name.entry(name).or_default(), paths);
        }
        self.open_modules.extend(other.open_modules);
        self.handed_on.extend(other.handed_on);
        self.programs.extend(other.programs);
    }

    /// Something is handed on to others.
    pub(super) fn note_handed_on(&mut self, leaf: &Leaf) {
        self.handed_on.extend(leaf.path.last().cloned());
    }

    /// The full paths of the traits that a path can mean, as it is written in a module or printed by the
    /// compiler; none if it is no trait of the program.
    pub(crate) fn meant(&self, written: &str, module: &str, uses: &Uses) -> Vec<String> {
        let path = if self.declared.contains_key(written) {
            written.to_owned()
        } else {
            uses.resolved(written, module)
        };
        if self.declared.contains_key(&path) {
            return vec![path];
        }
        let Some(all) = self.by_name.get(last(&path)) else {
            return Vec::new();
        };
        // What a macro brings in is not seen here: then it is any of that name, of the crate that the path
        // says, or of any if it says none.
        let krate = path.split("::").next().unwrap_or_default();
        let is_of_crate = |other: &&String| other.split("::").next() == Some(krate);
        let found: Vec<String> = all.iter().filter(is_of_crate).cloned().collect();
        if found.is_empty() && !written.contains("::") && path.ends_with(&format!("::{written}")) {
            let is_here = path.strip_prefix(module).is_some();
            return if is_here { all.clone() } else { Vec::new() };
        }
        found
    }

    /// Whether who uses the crate as a library can implement the trait at this full path.
    pub(crate) fn is_public(&self, path: &str) -> bool {
        let krate = path.split("::").next().unwrap_or_default();
        if self.programs.contains(krate) || self.declared.get(path) != Some(&true) {
            return false;
        }
        let mut modules: Vec<&str> = Vec::new();
        let mut rest = path;
        while let Some((module, _)) = rest.rsplit_once("::") {
            if module != krate {
                modules.push(module);
            }
            rest = module;
        }
        let is_handed_on = |name: &str| self.handed_on.contains(last(name));
        is_handed_on(path)
            || modules
                .iter()
                .all(|module| self.open_modules.contains(*module) || is_handed_on(module))
    }
}

#[cfg(test)]
mod tests;
