//! Tests.

use super::*;

#[test]
fn only_comments_count() {
    let text = r##"
let a = "// lockwise: allow(LW0002) reason = \"no\"";
let b = r#"
// lockwise: allow(LW0002) reason = "no"
"#;
/* // lockwise: allow(LW0002) reason = "no"
/* inside */ // lockwise: allow(LW0002) reason = "no"
*/ let c = '"'; let d: &'static str = "ä\\"; // lockwise: allow(LW0002) reason = "yes"
let e = '\''; let f = b'"'; let g = 'ä'; // lockwise: allow(LW0003) reason = "yes"
"##;
    let found = find("src/a.rs", text);
    let lines: Vec<_> = found
        .iter()
        .map(|found| (found.code.clone().unwrap().text(), found.line))
        .collect();
    assert_eq!(lines, [("LW0002", 8), ("LW0003", 9)]);
}

#[test]
fn a_comment_speaks_of_its_line_or_of_the_next_code() {
    let text = "\
let a = x.lock(); // lockwise: allow(LW0002) reason = \"one\"
// lockwise: expect(LW0003, lw0004) reason = \"two\"

// another comment
#[attribute]
let b = y.lock();
";
    let found = find("src/a.rs", text);
    let lines: Vec<_> = found
        .iter()
        .map(|found| {
            let code = found.code.clone().unwrap().text();
            (code, found.line, found.written, found.is_expected)
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("LW0002", 1, 1, false),
            ("LW0003", 6, 2, true),
            ("LW0004", 6, 2, true)
        ]
    );
    assert_eq!(found[0].reason.as_deref(), Some("one"));
}

#[test]
fn a_reason_must_say_something() {
    for text in [
        "",
        " reason",
        " reason =",
        " reason = \"\"",
        " reason = \"  \"",
        " because",
    ] {
        let line = format!("// lockwise: allow(LW0002){text}");
        assert_eq!(find("a.rs", &line)[0].reason, None, "{text}");
    }
}

#[test]
fn other_comments_mean_nothing() {
    for text in [
        "// lockwise is used here",
        "// lockwise: see the page on locks",
        "lockwise: allow(LW0002)",
    ] {
        assert_eq!(find("a.rs", text), []);
    }
}

#[test]
fn what_means_to_silence_and_does_not_is_said() {
    for (text, words) in [
        ("allow(LW9999) reason = \"r\"", "LW9999"),
        ("allow() reason = \"r\"", ""),
        ("alow(LW0002) reason = \"r\"", "alow(LW0002) reason = \"r\""),
        ("allow LW0002", "allow LW0002"),
        ("allow(LW0002", "allow(LW0002"),
    ] {
        let found = find("a.rs", &format!("// lockwise: {text}"));
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].code, Err(words.to_owned()), "{text}");
        let said = apply(&mut Vec::new(), &found);
        assert_eq!(said.len(), 1);
        let said = &said[0].1;
        assert!(said.contains("a.rs:1 silences nothing"), "{said}");
    }
}
