use super::short;

#[test]
fn modules_are_left_out() {
    for (long, expected) in [
        ("u64", "u64"),
        ("alloc::vec::Vec<u64>", "Vec<u64>"),
        (
            "std::collections::HashMap<alloc::string::String, [bank::Account; 4]>",
            "HashMap<String, [Account; 4]>",
        ),
        (
            "dyn core::fmt::Debug + core::marker::Send",
            "dyn Debug + Send",
        ),
        ("<bank::A as bank::Trait>::Out", "<A as Trait>::Out"),
        ("bank::main::{{closure}}", "{{closure}}"),
        ("::", "::"),
        ("größe::Maß", "Maß"),
        ("", ""),
    ] {
        assert_eq!(short(long), expected);
    }
}

#[test]
fn what_is_long_is_cut() {
    let inner = "a::VeryLongNameOfAType, ".repeat(3);
    assert_eq!(short(&format!("x::Map<{inner}u8>")), "Map<…>");
    let tuple = short(&format!("({inner}u8)"));
    assert_eq!(tuple, "(VeryLongNameOfAType, VeryLongNameOfATy…");
}
