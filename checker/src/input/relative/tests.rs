use std::path::Path;

use super::relative_to;
use crate::trace::{Class, Evidence, Site};

#[test]
fn only_what_lies_below_the_root_is_cut() {
    let cut = |path: &str| {
        let site = Site {
            file: path.to_owned(),
            line: 1,
            column: 1,
            note: None,
        };
        let class = Class {
            label: format!("{path}:1:1"),
            type_name: None,
            trusted: true,
        };
        let mut evidence = Evidence {
            sites: vec![site],
            classes: vec![class],
            ..Evidence::default()
        };
        relative_to(&mut evidence, Path::new("/home/me/bank"));
        (
            evidence.sites[0].file.clone(),
            evidence.classes[0].label.clone(),
        )
    };
    let pair = |text: &str| (text.to_owned(), format!("{text}:1:1"));
    assert_eq!(cut("/home/me/bank/src/lib.rs"), pair("src/lib.rs"));
    assert_eq!(
        cut("/home/me/bank2/src/lib.rs"),
        pair("/home/me/bank2/src/lib.rs")
    );
    assert_eq!(cut("src/lib.rs"), pair("src/lib.rs"));
}
