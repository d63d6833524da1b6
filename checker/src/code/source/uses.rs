//! What names mean: which items there are, and what modules import and hand on.
//!
//! The compiler names an item by the shortest path that any crate hands it on under, so that one item has
//! several names in one program. Here a path is followed through the `use` declarations of the program to
//! where the item is declared, or to the crate of others that it comes from.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// The items and `use` declarations of the crates that are read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Uses {
    /// The crates.
    crates: HashSet<String>,
    /// Items by full path.
    declared: HashSet<String>,
    /// What a module calls something else, by module and name: the path as written.
    names: HashMap<(String, String), String>,
    /// Modules of which all is brought in, by the module that does so: the paths as written.
    globs: HashMap<String, Vec<String>>,
}

/// One name that a `use` declaration brings in.
pub(super) struct Leaf {
    /// The path as written, without a glob's star.
    pub path: Vec<String>,
    /// What it is called from now on; nothing for a glob.
    pub given: Option<String>,
}

/// So many `use` declarations a path is followed through.
const STEPS_MAX: u32 = 16;

/// All names that a `use` declaration brings in.
pub(super) fn leaves(tree: &syn::UseTree) -> Vec<Leaf> {
    let mut found = Vec::new();
    gather(tree, &mut Vec::new(), &mut found);
    found
}

fn gather(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut Vec<Leaf>) {
    let mut leaf = |name: Option<String>, given: Option<String>| {
        // `use a::{self}` is `use a`.
        let name = name.filter(|name| name != "self");
        let path: Vec<String> = before.iter().cloned().chain(name).collect();
        let given = match given.as_deref() {
            Some("self") => path.last().cloned(),
            _ => given,
        };
        found.push(Leaf { path, given });
    };
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            gather(&path.tree, before, found);
            before.pop();
        }
        syn::UseTree::Name(name) => {
            let name = name.ident.to_string();
            leaf(Some(name.clone()), Some(name));
        }
        syn::UseTree::Rename(renamed) => {
            leaf(
                Some(renamed.ident.to_string()),
                Some(renamed.rename.to_string()),
            );
        }
        syn::UseTree::Glob(_) => leaf(None, None),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                gather(tree, before, found);
            }
        }
    }
}

impl Uses {
    /// A crate is read.
    pub(super) fn note_crate(&mut self, name: &str) {
        self.crates.insert(name.to_owned());
    }

    /// An item is declared in a module.
    pub(super) fn note_item(&mut self, module: &str, name: &str) {
        self.declared.insert(format!("{module}::{name}"));
    }

    /// A module brings something in.
    pub(super) fn note_use(&mut self, module: &str, leaf: &Leaf) {
        let path = leaf.path.join("::");
        match &leaf.given {
            Some(given) => {
                let name = (module.to_owned(), given.clone());
                self.names.entry(name).or_insert(path);
            }
            None => self.globs.entry(module.to_owned()).or_default().push(path),
        }
    }

    /// Takes in those of another crate.
    pub(super) fn join(&mut self, other: Uses) {
        self.crates.extend(other.crates);
        self.declared.extend(other.declared);
        for (name, path) in other.names {
            self.names.entry(name).or_insert(path);
        }
        for (module, paths) in other.globs {
            super::join_names(self.globs.entry(module).or_default(), paths);
        }
    }

    /// The path under which what is written so in a module is declared, if it is the program's; else the
    /// path that it comes in by.
    pub(crate) fn resolved(&self, written: &str, module: &str) -> String {
        self.follow(self.absolute(written, module), 0)
    }

    /// The same for a full path.
    pub(crate) fn declared_as(&self, path: &str) -> Option<String> {
        let krate = path.split("::").next()?;
        if !self.crates.contains(krate) || self.declared.contains(path) {
            return None;
        }
        let found = self.follow(path.to_owned(), 0);
        (found != path).then_some(found)
    }

    fn has(&self, module: &str, name: &str) -> bool {
        self.declared.contains(&format!("{module}::{name}"))
            || self
                .names
                .contains_key(&(module.to_owned(), name.to_owned()))
    }

    /// What is written so in a module, from the crate on.
    fn absolute(&self, written: &str, module: &str) -> String {
        let krate = module.split("::").next().unwrap_or_default();
        let written = written.trim_start_matches("::");
        let mut base = module;
        let mut rest = written;
        loop {
            let (first, more) = rest.split_once("::").unwrap_or((rest, ""));
            match first {
                "crate" => base = krate,
                "super" => base = base.rsplit_once("::").map_or(base, |(parent, _)| parent),
                "self" => {}
                _ => break,
            }
            rest = more;
        }
        let first = rest.split("::").next().unwrap_or_default();
        if rest.is_empty() {
            base.to_owned()
        } else if rest != written || self.has(base, first) || !self.is_crate(first, written) {
            format!("{base}::{rest}")
        } else {
            written.to_owned()
        }
    }

    /// Whether the first name of a path is a crate: one that is read, or another whose item is named.
    fn is_crate(&self, first: &str, written: &str) -> bool {
        self.crates.contains(first) || written.contains("::")
    }

    /// Goes along `use` declarations to where an item is declared.
    fn follow(&self, path: String, steps: u32) -> String {
        if steps > STEPS_MAX || self.declared.contains(&path) {
            return path;
        }
        let parts: Vec<&str> = path.split("::").collect();
        for at in 1..parts.len() {
            let (module, name) = (parts[..at].join("::"), parts[at]);
            if self.declared.contains(&format!("{module}::{name}")) {
                continue;
            }
            let whole = |found: String| {
                let mut whole = found;
                for part in &parts[at + 1..] {
                    whole.push_str("::");
                    whole.push_str(part);
                }
                whole
            };
            let named = self.names.get(&(module.clone(), name.to_owned()));
            if let Some(written) = named {
                // A module that hands on a crate of its own name.
                let own = (written == name).then(|| written.clone());
                let next = whole(own.unwrap_or_else(|| self.absolute(written, &module)));
                return if next == path {
                    path
                } else {
                    self.follow(next, steps + 1)
                };
            }
            for written in self.globs.get(&module).into_iter().flatten() {
                let from = self.follow(self.absolute(written, &module), steps + 1);
                let is_known = self.declared.contains(&from) || self.crates.contains(&from);
                if from != module && is_known && self.reaches(&from, name, steps) {
                    return self.follow(whole(format!("{from}::{name}")), steps + 1);
                }
            }
            return path;
        }
        path
    }

    /// Whether a module has a name, its own or one that it hands on.
    fn reaches(&self, module: &str, name: &str, steps: u32) -> bool {
        if self.has(module, name) {
            return true;
        }
        if steps > STEPS_MAX {
            return false;
        }
        let globs = self.globs.get(module).into_iter().flatten();
        globs.into_iter().any(|written| {
            let from = self.follow(self.absolute(written, module), steps + 1);
            from != module && self.reaches(&from, name, steps + 2)
        })
    }
}

#[cfg(test)]
mod tests;
