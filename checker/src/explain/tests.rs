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
fn what_is_not_reported_yet_says_so() {
    for code in Code::ALL {
        let is_missing = code == Code::Futurelock;
        let says_so = text(code).contains("does not report it yet");
        assert_eq!(says_so, is_missing, "{}", code.text());
    }
}

#[test]
fn the_list_names_all() {
    let mut out = Vec::new();
    list(&mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}
