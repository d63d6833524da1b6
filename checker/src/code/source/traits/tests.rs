use super::super::uses::{Uses, leaves};
use super::Traits;

fn traits() -> (Traits, Uses) {
    let (mut traits, mut uses) = (Traits::default(), Uses::default());
    for (path, is_open) in [
        ("a::one::Store", true),
        ("a::two::Store", true),
        ("a::two::Hidden", false),
        ("a::inner::Kept", true),
        ("b::Store", true),
        ("app::Plugin", true),
    ] {
        let (module, name) = path.rsplit_once("::").unwrap();
        traits.note(path.to_owned(), is_open);
        uses.note_item(module, name);
        uses.note_crate(path.split("::").next().unwrap());
    }
    for module in ["one", "two", "inner", "three", "four"] {
        uses.note_item("a", module);
    }
    traits.note_module("a::one", true);
    traits.note_module("a::two", false);
    traits.note_module("a::inner", false);
    traits.note_program("app");
    for (module, text, is_open) in [
        ("a", "pub use inner::{Kept as Given};", true),
        ("a::three", "use b::Store;", false),
        ("a::four", "use tower::Store;", false),
    ] {
        let tree: syn::ItemUse = syn::parse_str(text).unwrap();
        for leaf in leaves(&tree.tree) {
            uses.note_use(module, &leaf);
            if is_open {
                traits.note_handed_on(&leaf);
            }
        }
    }
    (traits, uses)
}

#[test]
fn a_name_means_the_trait_of_its_module_or_the_imported_one() {
    let (traits, uses) = traits();
    let meant = |written: &str, module: &str| traits.meant(written, module, &uses);
    assert_eq!(meant("Store", "a::one"), ["a::one::Store"]);
    assert_eq!(meant("two::Store", "a"), ["a::two::Store"]);
    assert_eq!(meant("crate::two::Store", "a::one"), ["a::two::Store"]);
    assert_eq!(meant("Store", "a::three"), ["b::Store"]);
    assert_eq!(meant("b::Store", "a::one"), ["b::Store"]);
    assert_eq!(meant("Given", "a"), ["a::inner::Kept"]);
}

#[test]
fn a_name_that_another_crate_gives_is_no_trait_of_the_program() {
    let (traits, uses) = traits();
    assert!(traits.meant("Store", "a::four", &uses).is_empty());
    assert!(traits.meant("tower::Store", "a::one", &uses).is_empty());
    assert!(traits.meant("Display", "a::one", &uses).is_empty());
}

#[test]
fn where_a_name_could_mean_several_all_are_meant() {
    let (traits, uses) = traits();
    assert_eq!(
        traits.meant("Store", "a", &uses),
        ["a::one::Store", "a::two::Store"]
    );
}

#[test]
fn only_what_can_be_named_from_outside_is_public() {
    let (traits, _) = traits();
    assert!(traits.is_public("a::one::Store"));
    assert!(traits.is_public("b::Store"));
    // Handed on under another name.
    assert!(traits.is_public("a::inner::Kept"));
    assert!(!traits.is_public("a::two::Store"));
    assert!(!traits.is_public("a::two::Hidden"));
    // Nobody can use a program as a library.
    assert!(!traits.is_public("app::Plugin"));
}
