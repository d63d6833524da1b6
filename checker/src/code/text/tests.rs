//! Tests.

use super::*;

#[test]
fn an_arrow_closes_no_bracket() {
    let text = "<dyn std::ops::Fn(u32) -> u32 as std::ops::Fn<(u32,)>>::call";
    assert_eq!(closing(text, 0), Some(text.len() - "::call".len() - 1));
    assert_eq!(
        split_commas("fn(u32) -> u8, Box<dyn Fn(A, B) -> C>, (D, E)"),
        ["fn(u32) -> u8", "Box<dyn Fn(A, B) -> C>", "(D, E)"]
    );
}

#[test]
fn quotes_hide_brackets_and_commas() {
    assert_eq!(
        split_commas(r#"const "a, (b", const '(', move _1"#),
        [r#"const "a, (b""#, "const '('", "move _1"]
    );
    assert_eq!(
        split_commas(r"const '\'', move _2"),
        [r"const '\''", "move _2"]
    );
    // A lifetime is no quote.
    assert_eq!(split_commas("A<'a, B>, C"), ["A<'a, B>", "C"]);
}

#[test]
fn paths_lose_their_generics_and_keep_their_impls() {
    assert_eq!(without_generics("a::B::<T>::c::<U, fn() -> V>"), "a::B::c");
    assert_eq!(
        without_generics("m::<impl at src/a.rs:1:1: 1:9>::f"),
        "m::<impl at src/a.rs:1:1: 1:9>::f"
    );
}

#[test]
fn exclusive_references_are_told_from_shared_ones() {
    for of in ["&mut T", "&'a mut T", "&'_ mut [T]"] {
        assert!(is_exclusive_reference(of), "{of}");
    }
    for of in ["&T", "&'a T", "& &mut T", "T", "*mut T", "&'a Box<&mut T>"] {
        assert!(!is_exclusive_reference(of), "{of}");
    }
}

#[test]
fn references_are_counted() {
    assert_eq!(behind_references("&'a mut &T"), ("T", 2));
    assert_eq!(behind_references("*const A<&B>"), ("A<&B>", 1));
    assert_eq!(
        head("std::sync::Arc<M<T>, A>"),
        ("std::sync::Arc", vec!["M<T>", "A"])
    );
}

#[test]
fn text_that_never_closes_is_survived() {
    for text in ["", "(", "<a", "\"", "'", "a::<b", ")", "const \"a"] {
        let _ = (
            closing(text, 0),
            split_commas(text),
            without_generics(text),
            head(text),
        );
    }
}
