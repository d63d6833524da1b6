//! Which type is meant by what the source calls it.

use std::borrow::Cow;

use super::Sources;
use crate::code::text::last;

impl Sources {
    /// The full path of the type that is called so where `of` stands: in its module, or the only one of
    /// that name in its crate.
    pub(crate) fn beside(&self, of: &str, name: &str) -> Option<String> {
        let module = of.rsplit_once("::").map_or("", |(module, _)| module);
        let here = format!("{module}::{name}");
        if self.shapes.contains_key(&here) {
            return Some(here);
        }
        let krate = of.split("::").next();
        let mut all = self.by_name.get(name)?.iter();
        let mut same = all.by_ref().filter(|path| path.split("::").next() == krate);
        match (same.next(), same.next()) {
            (Some(one), None) => Some(one.clone()),
            _ => None,
        }
    }

    /// The same for a name with a path before it, or one that is imported: `io::Error` is another crate's, however
    /// many types of the program's own are called so.
    pub(crate) fn named_beside(&self, of: &str, written: &str) -> Option<String> {
        let (module, _) = of.rsplit_once("::")?;
        let full = self.uses.resolved(written, module);
        if self.shapes.contains_key(&full) {
            return Some(full);
        }
        let krate = |path: &str| path.split("::").next().unwrap_or_default().to_owned();
        let is_of_crate = krate(&full) == krate(of);
        is_of_crate
            .then(|| self.beside(of, last(written)))
            .flatten()
    }

    /// The path under which a type was found, which is not always the one under which another crate sees
    /// it.
    pub(crate) fn known_path<'a>(&self, path: &'a str) -> Cow<'a, str> {
        if self.shapes.contains_key(path) {
            return path.into();
        }
        let krate = path.split("::").next().unwrap_or_default();
        let all = self.by_name.get(last(path));
        let mut same = all
            .into_iter()
            .flatten()
            .filter(|known| known.split("::").next() == Some(krate));
        match (same.next(), same.next()) {
            (Some(one), None) => one.clone().into(),
            _ => path.into(),
        }
    }
}
