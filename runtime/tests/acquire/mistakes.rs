//! What the macros refuse to compile: one mistake a file, and what the compiler says to it.

#[test]
fn each_mistake_is_an_error_at_the_tokens_of_the_user() {
    trybuild::TestCases::new().compile_fail("tests/acquire/mistakes/*.rs");
}

#[test]
#[ignore = "the compiler's own words differ from version to version; these are of Rust 1.95"]
fn so_is_each_mistake_that_needs_types() {
    trybuild::TestCases::new().compile_fail("tests/acquire/mistakes/typed/*.rs");
}
