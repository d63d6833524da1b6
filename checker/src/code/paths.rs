//! Paths that mean the same in every crate.
//!
//! The compiler prints what belongs to the crate at hand without the crate's name, and everything
//! else with it, under the shortest path that any crate hands it on by. Here all paths begin with the
//! crate, and those of items that the program declares are the ones under which it declares them.

use std::collections::HashSet;
use std::rc::Rc;

use super::names::{Name, Names};
use super::source::Uses;

/// A crate, and what its paths can begin with.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    /// Its name, as in paths.
    pub name: String,
    /// What stands at its root: modules, types, functions.
    pub own: HashSet<String>,
    /// All other crates that paths can begin with.
    pub others: HashSet<String>,
    /// What names mean in all the crates that are read.
    pub uses: Rc<Uses>,
}

/// Words that stand where a path could.
const WORDS: [&str; 22] = [
    "mut", "const", "dyn", "impl", "for", "as", "fn", "unsafe", "extern", "move", "copy", "where",
    "bool", "char", "str", "u8", "u32", "u64", "usize", "i32", "i64", "f64",
];

/// Braces whose content is a place in the source.
const VERBATIM: [&str; 6] = [
    "{closure@",
    "{async block@",
    "{async closure@",
    "{async closure body@",
    "{coroutine@",
    "{gen block@",
];

impl Crate {
    /// The crate's name.
    pub(crate) fn name(&self, names: &Names) -> Name {
        names.of(&self.name)
    }

    /// A path that stands at the head of an item.
    pub(crate) fn path(&self, text: &str) -> String {
        let first = first_word(text);
        // An item of the crate, however it is called.
        if first.is_empty() || (self.others.contains(first) && !self.own.contains(first)) {
            if text.starts_with("<impl at") {
                return format!("{}::{text}", self.name);
            }
            return self.text(text);
        }
        format!("{}::{text}", self.name)
    }

    /// A type, or the path of something that is called, with all paths in it.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            if VERBATIM.iter().any(|opening| rest.starts_with(opening)) {
                let end = rest.find('}').map_or(rest.len(), |end| end + 1);
                out.push_str(&rest[..end]);
                at += end;
                continue;
            }
            if let Some(inner) = rest.strip_prefix("{async fn body of ") {
                out.push_str("{async fn body of ");
                at = text.len() - inner.len();
                continue;
            }
            let word = first_word(rest);
            if word.is_empty() {
                let next = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..next]);
                at += next;
                continue;
            }
            let begins = !out.ends_with("::") && (at == 0 || bytes[at - 1] != b'\'');
            if !begins {
                out.push_str(word);
                at += word.len();
                continue;
            }
            let path = whole_path(rest);
            if self.is_own(word, &rest[word.len()..]) {
                self.push(&mut out, format!("{}::{path}", self.name));
            } else if path.len() > word.len() {
                self.push(&mut out, path.to_owned());
            } else {
                out.push_str(path);
            }
            at += path.len();
        }
        out
    }

    /// Adds a full path, as the crate says it that declares the item.
    fn push(&self, out: &mut String, path: String) {
        out.push_str(&self.uses.declared_as(&path).unwrap_or(path));
    }

    /// Whether a path that begins with `word` and goes on with `rest` is the crate's own.
    fn is_own(&self, word: &str, rest: &str) -> bool {
        if self.own.contains(word) {
            return true;
        }
        let goes_on = rest.starts_with("::") && !rest.starts_with("::<");
        goes_on
            && !self.others.contains(word)
            && !WORDS.contains(&word)
            && word != "Self"
            && !word.starts_with(|first: char| first.is_ascii_digit())
    }
}

/// The names at the beginning of a text that belong to one path: `a::b` of `a::b::<c>`.
fn whole_path(text: &str) -> &str {
    let mut end = first_word(text).len();
    while let Some(rest) = text[end..].strip_prefix("::") {
        let next = first_word(rest).len();
        if next == 0 {
            break;
        }
        end += 2 + next;
    }
    &text[..end]
}

fn first_word(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests;
