use super::labels;
use crate::trace::{Class, ClassId};

fn class(label: &str, type_name: &str, trusted: bool) -> Class {
    Class {
        label: label.to_owned(),
        type_name: Some(type_name.to_owned()),
        trusted,
    }
}

/// The labels of objects, each an instance number and a class.
fn label(objects: &[(u64, u32)], classes: &[Class]) -> String {
    let objects = objects
        .iter()
        .map(|&(number, class)| (number, ClassId(class)));
    labels(objects, classes).join(" ")
}

#[test]
fn instances_of_a_place_are_numbered_and_a_single_name_is_not() {
    let classes = [class("a.rs:1:2", "u8", true), class("audit", "u8", true)];
    assert_eq!(
        label(&[(7, 0), (5, 0), (6, 1)], &classes),
        "a.rs:1:2#2 a.rs:1:2#1 audit"
    );
    assert_eq!(label(&[(5, 1), (6, 1)], &classes), "audit#1 audit#2");
}

#[test]
fn classes_of_one_place_that_differ_in_type_do_not_share_labels() {
    let classes = [
        class("a.rs:1:2", "u8", true),
        class("a.rs:1:2", "u16", true),
    ];
    assert_eq!(label(&[(1, 0), (2, 1)], &classes), "a.rs:1:2#1 a.rs:1:2#2");
}

#[test]
fn locks_made_inside_std_are_always_numbered() {
    let classes = [
        class("Mutex<Key>", "a::Key", false),
        class("Mutex<Key>", "b::Key", false),
        class("Mutex<u8>", "u8", false),
    ];
    assert_eq!(
        label(&[(1, 0), (2, 1), (3, 2)], &classes),
        "Mutex<Key>#1 Mutex<Key>#2 Mutex<u8>#1"
    );
}
