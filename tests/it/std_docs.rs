//! The types that stand in for std's have what the toolchain's documentation of std lists: the stable methods with
//! the same signatures, and the traits. Both sides are pages that rustdoc made, as that alone knows both.
//!
//! Where the documentation of std is not installed, or its pages are made up otherwise, nothing is compared, and that
//! is said.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{finish, root, stderr, stdout};

/// Types of std, by module and kind, and the module of ours.
const TYPES: [(&str, &str, &[&str]); 3] = [
    (
        "sync",
        "stdsync",
        &[
            "Barrier",
            "Condvar",
            "LazyLock",
            "Mutex",
            "MutexGuard",
            "Once",
            "OnceLock",
            "RwLock",
            "RwLockReadGuard",
            "RwLockWriteGuard",
        ],
    ),
    (
        "sync/mpsc",
        "stdsync/mpsc",
        &[
            "IntoIter",
            "Iter",
            "Receiver",
            "Sender",
            "SyncSender",
            "TryIter",
        ],
    ),
    (
        "thread",
        "thread",
        &[
            "Builder",
            "JoinHandle",
            "Scope",
            "ScopedJoinHandle",
            "Thread",
        ],
    ),
];

/// Traits that ours need not have: a lock has no `Drop`, and the guard that ours keeps has it; `Share` is experimental,
/// which a list of traits does not say; the others are those of handles on Windows, which std's documentation lists
/// everywhere.
const EXCEPT: [&str; 6] = [
    "Drop",
    "Share",
    "AsHandle",
    "AsRawHandle",
    "IntoRawHandle",
    "FromJoinHandleT",
];

/// What a page lists of a type.
#[derive(Debug, Default, PartialEq)]
struct Page {
    /// Its own methods, without those behind features: name and signature.
    methods: BTreeMap<String, String>,
    traits: Vec<String>,
}

/// The text between the first `before` and the next `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// HTML without tags and with characters for names, spaces made one.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if !in_tag => text.push(character),
            _ => {}
        }
    }
    let names = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ];
    for (name, character) in names {
        text = text.replace(name, character);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The trait in the name of a section that shows its implementation.
fn trait_of(section: &str) -> Option<String> {
    let (name, _) = section.strip_prefix("impl-")?.split_once("-for-")?;
    // What is not plain in a name stands as `%` and two digits.
    let mut parts = name.split('%');
    let mut text = String::from(parts.next()?);
    text.extend(parts.filter_map(|part| part.get(2..)));
    Some(text)
}

impl Page {
    fn read(html: &str) -> Page {
        let own = ["id=\"deref-methods", "id=\"trait-implementations\""]
            .iter()
            .filter_map(|mark| html.find(mark))
            .min();
        let (own, _) = html.split_at(own.unwrap_or(html.len()));
        let mut page = Page::default();
        for part in own.split("<section id=\"method.").skip(1) {
            let Some((name, _)) = part.split_once('"') else {
                continue;
            };
            let part = part.split("<section id=").next().unwrap_or(part);
            let header = between(part, "<h4 class=\"code-header\">", "</h4>");
            if let Some(header) = header.filter(|_| !part.contains("stab unstable")) {
                page.methods.insert(name.to_owned(), plain(header));
            }
        }
        let sections = html.split("<section id=\"").skip(1);
        page.traits = sections
            .filter_map(|part| trait_of(part.split_once('"')?.0))
            .collect();
        page
    }

    /// What `self`, std's, has and `other` has not.
    fn missing(&self, other: &Page) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, signature) in &self.methods {
            match other.methods.get(name) {
                None => missing.push(format!("method {name}")),
                Some(found) if found != signature => {
                    missing.push(format!("method {name}: `{found}` instead of `{signature}`"));
                }
                Some(_) => {}
            }
        }
        for name in &self.traits {
            if !other.traits.contains(name) && !EXCEPT.contains(&name.as_str()) {
                missing.push(format!("trait {name}"));
            }
        }
        missing
    }
}

/// The documentation of std that came with the compiler, and the program that makes such pages.
fn documentation() -> Option<(PathBuf, PathBuf)> {
    let printed = finish(
        Command::new("rustc")
            .args(["--print", "sysroot"])
            .current_dir(root()),
    );
    let sysroot = PathBuf::from(stdout(&printed).trim());
    let pages = sysroot.join("share/doc/rust/html/std");
    let rustdoc = sysroot.join("bin/rustdoc");
    (pages.is_dir() && rustdoc.is_file()).then_some((pages, rustdoc))
}

fn page(folder: &Path, module: &str, name: &str) -> Page {
    let path = folder.join(module).join(format!("struct.{name}.html"));
    let html =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Page::read(&html)
}

#[test]
fn what_is_stable_in_the_documentation_of_std_is_there() {
    let Some((std, rustdoc)) = documentation() else {
        eprintln!("not compared: the toolchain came without the documentation of std");
        return;
    };
    if !page(&std, "sync", "Mutex").methods.contains_key("lock") {
        eprintln!(
            "not compared: the pages of this toolchain are not made up as those that were known"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = finish(
        Command::new(rustdoc)
            .args([
                "--edition=2024",
                "--crate-name=ours",
                "--cfg=lockwise_overlay",
                "--cap-lints=allow",
            ])
            .arg("--output")
            .arg(folder.path())
            .arg("overlays/core/lib.rs")
            .current_dir(root().join("runtime")),
    );
    assert!(made.status.success(), "{}", stderr(&made));
    let ours = folder.path().join("ours");
    let mut methods = 0;
    for (module, our_module, names) in TYPES {
        for name in names {
            let stable = page(&std, module, name);
            methods += stable.methods.len();
            let missing = stable.missing(&page(&ours, our_module, name));
            assert_eq!(missing, [""; 0], "{module}::{name}");
        }
    }
    assert!(methods > 60, "{methods} methods were compared");
}

/// A page as rustdoc makes it, cut to what is read.
const STD: &str = r##"
<section id="method.lock" class="method"><h4 class="code-header">pub fn <a href="#">lock</a>(&amp;self)
  -&gt; <a>LockResult</a>&lt;Guard&lt;&#39;_, T&gt;&gt;</h4></section>
<section id="method.set" class="method"><h4 class="code-header">pub fn set(&amp;self)</h4></section>
<span class="item-info"><div class="stab unstable">nightly-only</div></span>
<section id="method.get_mut" class="method"><h4 class="code-header">pub fn get_mut(&amp;mut self)</h4></section>
<h2 id="trait-implementations"></h2>
<section id="impl-Debug-for-Mutex%3CT%3E" class="impl"></section>
<section id="impl-From%3CT%3E-for-Mutex%3CT%3E" class="impl"></section>
<section id="method.fmt" class="method"><h4 class="code-header">fn fmt(&amp;self)</h4></section>
"##;

#[test]
fn a_page_lists_methods_and_traits() {
    let page = Page::read(STD);
    let methods: Vec<(&str, &str)> = page
        .methods
        .iter()
        .map(|(name, signature)| (name.as_str(), signature.as_str()))
        .collect();
    let expected = [
        ("get_mut", "pub fn get_mut(&mut self)"),
        ("lock", "pub fn lock(&self) -> LockResult<Guard<'_, T>>"),
    ];
    assert_eq!(methods, expected);
    assert_eq!(page.traits, ["Debug", "FromT"]);
    assert_eq!(page.missing(&page), [""; 0]);
}

#[test]
fn what_is_missing_or_different_is_seen() {
    let page = Page::read(STD);
    let other = STD
        .replace("method.lock", "method.locks")
        .replace("get_mut(&amp;mut self)", "get_mut(&amp;self)")
        .replace("impl-Debug", "impl-Display");
    let missing = page.missing(&Page::read(&other));
    let expected = [
        "method get_mut: `pub fn get_mut(&self)` instead of `pub fn get_mut(&mut self)`",
        "method lock",
        "trait Debug",
    ];
    assert_eq!(missing, expected);
}
