use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

/// What is compiled where the watcher has no dependencies, or with checks off.
const LEFT_OUT: [&str; 4] = [
    "src/stdsync/entry/refusal.rs",
    "src/stdsync/off.rs",
    "src/thread/off.rs",
    "src/watch/stack/unwound.rs",
];

fn collect(folder: &Path, root: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, into);
        } else {
            let relative = path.strip_prefix(root).unwrap();
            into.insert(relative.to_str().unwrap().replace('\\', "/"));
        }
    }
}

#[test]
fn whole_folders_travel() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut there = BTreeSet::new();
    for folder in ["src/watch", "src/stdsync", "src/thread", "overlays"] {
        collect(&root.join(folder), root, &mut there);
    }
    for path in LEFT_OUT {
        assert!(there.remove(path), "{path}");
    }
    let listed: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
    let missing: Vec<_> = there.difference(&listed).collect();
    assert!(missing.is_empty(), "not listed: {missing:?}");
    assert!(FILES.is_sorted_by_key(|(path, _)| path));
}

#[test]
fn each_overlay_has_its_description() {
    for overlay in OVERLAYS {
        let path = format!("overlays/{overlay}/overlay.toml");
        assert!(text(&path).is_some(), "{path}");
    }
}
