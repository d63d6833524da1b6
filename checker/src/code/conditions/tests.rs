//! Tests.

use super::*;

/// What is said of the item in this text.
fn allowed(set: Option<&[&str]>, condition: &str) -> bool {
    let item: syn::ItemStruct = syn::parse_str(&format!("{condition} struct S;")).unwrap();
    let set: Option<Vec<String>> = set.map(|set| set.iter().map(ToString::to_string).collect());
    Conditions::of(set.as_deref()).allow(&item.attrs)
}

#[test]
fn what_is_set_is_compiled_and_its_opposite_is_not() {
    let set: Option<&[&str]> = Some(&["feature=\"std\"", "loom"]);
    for (condition, is_compiled) in [
        ("", true),
        ("#[cfg(loom)]", true),
        ("#[cfg(not(loom))]", false),
        ("#[cfg(test)]", false),
        ("#[cfg(not(test))]", true),
        ("#[cfg(feature = \"std\")]", true),
        ("#[cfg(feature = \"other\")]", false),
        ("#[cfg(any(test, feature = \"std\"))]", true),
        ("#[cfg(not(any(test, feature = \"std\")))]", false),
        ("#[cfg(all(loom, feature = \"std\"))] #[cfg(test)]", false),
    ] {
        assert_eq!(allowed(set, condition), is_compiled, "{condition}");
    }
}

#[test]
fn what_is_not_known_leaves_things_where_they_are() {
    let other_target: Option<&[&str]> = Some(&[]);
    for condition in [
        "#[cfg(unix)]",
        "#[cfg(not(unix))]",
        "#[cfg(target_os = \"linux\")]",
        "#[cfg(not(target_os = \"linux\"))]",
        "#[cfg(any(test, windows))]",
        "#[cfg(panic = \"abort\")]",
    ] {
        assert!(allowed(other_target, condition), "{condition}");
        assert!(allowed(None, condition), "{condition}");
    }
    assert!(allowed(None, "#[cfg(test)]") && allowed(None, "#[cfg(not(test))]"));
    // One that is false decides, whatever the others are.
    assert!(!allowed(other_target, "#[cfg(all(test, windows))]"));
}

#[test]
fn the_target_is_known_where_it_is_this_machine() {
    let set = of_this_machine();
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    let here = format!("#[cfg(target_os = \"{}\")]", consts::OS);
    assert!(allowed(Some(&set), &here));
    assert!(!allowed(
        Some(&set),
        "#[cfg(target_os = \"none of these\")]"
    ));
    assert_eq!(allowed(Some(&set), "#[cfg(unix)]"), cfg!(unix));
    assert_eq!(allowed(Some(&set), "#[cfg(windows)]"), cfg!(windows));
    assert_eq!(
        allowed(Some(&set), "#[cfg(target_pointer_width = \"64\")]"),
        cfg!(target_pointer_width = "64")
    );
    assert_eq!(
        allowed(Some(&set), "#[cfg(not(target_has_atomic = \"64\"))]"),
        cfg!(not(target_has_atomic = "64"))
    );
}
