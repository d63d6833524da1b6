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

#[test]
fn the_type_of_a_function_value_says_how_it_is_called() {
    let of = |text: &str| function_type(text);
    assert_eq!(
        of("std::boxed::Box<dyn for<'a> std::ops::Fn(&'a str) -> u32 + std::marker::Send>")
            .as_deref(),
        Some("Fn(&str) -> u32")
    );
    assert_eq!(
        of("&std::vec::Vec<std::sync::Arc<dyn std::ops::FnMut(a::B<u8>, &mut u32)>>").as_deref(),
        Some("FnMut(a::B<u8>, &mut u32)")
    );
    assert_eq!(
        of("std::vec::Vec<fn(u32) -> u8>").as_deref(),
        Some("fn(u32) -> u8")
    );
    assert_eq!(of("std::boxed::Box<dyn a::Observer>"), None);
    assert_eq!(of("std::boxed::Box<{closure@src/a.rs:1:2: 1:4}>"), None);
}

#[test]
fn an_argument_of_a_generic_function_is_no_part_of_its_path() {
    assert_eq!(
        without_generics("std::boxed::Box::<impl std::ops::Fn() + 'static>::new"),
        "std::boxed::Box::new"
    );
    assert_eq!(without_generics("a::run::<impl std::ops::Fn()>"), "a::run");
    assert_eq!(
        without_generics("core::slice::<impl [T]>::len"),
        "core::slice::<impl [T]>::len"
    );
}
