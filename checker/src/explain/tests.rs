use super::{list, summary, text};
use crate::finding::Code;

#[test]
fn every_code_is_explained_in_full() {
    for code in Code::ALL {
        let text = text(code);
        let head = format!("# {}: {}", code.text(), code.name());
        assert_eq!(text.lines().next(), Some(head.as_str()));
        for part in [
            "```rust",
            "## Why it",
            "## How to fix it",
            "## What can be false",
        ] {
            assert!(text.contains(part), "{}: {part}", code.text());
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{head}"
        );
        assert!(
            text.ends_with('\n') && summary(code).ends_with('.'),
            "{head}"
        );
    }
}

#[test]
fn the_list_names_all() {
    let mut out = Vec::new();
    list(&mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}
