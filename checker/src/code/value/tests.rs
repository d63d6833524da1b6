//! Tests.

use super::*;
use crate::code::names::Names;

fn path(root: Root, steps: &[Step]) -> Path {
    Path {
        root,
        steps: steps.to_vec(),
    }
}

#[test]
fn a_path_of_the_callee_goes_on_where_the_argument_is() {
    let names = Names::default();
    let field = Step::Field(names.of("S"), 1);
    let inner = path(Root::Parameter(1), &[Step::Deref, field]);
    // `f(&self.x)`: what the reference points to takes the place of the dereference.
    let outer = path(Root::Parameter(2), &[Step::Deref]);
    let found = place_in_caller(&inner, &[Value::To(outer.clone())]);
    assert_eq!(found, Some(path(Root::Parameter(2), &[Step::Deref, field])));
    // `f(pointer)`: the dereference stays.
    let found = place_in_caller(&inner, &[Value::At(path(Root::Local(7), &[]))]);
    assert_eq!(found, Some(path(Root::Local(7), &[Step::Deref, field])));
    assert_eq!(place_in_caller(&inner, &[]), None);
    assert_eq!(
        place_in_caller(&path(Root::Local(1), &[]), &[Value::To(outer)]),
        None
    );
}

#[test]
fn captures_are_reached_with_and_without_a_reference() {
    let names = Names::default();
    let captured = Value::To(path(Root::Local(3), &[]));
    let closure = Value::Parts(None, [captured].into());
    let field = Step::Field(names.of("{closure}"), 0);
    for steps in [
        &[field, Step::Deref][..],
        &[Step::Deref, field, Step::Deref],
    ] {
        let found = place_in_caller(
            &path(Root::Parameter(1), steps),
            std::slice::from_ref(&closure),
        );
        assert_eq!(found, Some(path(Root::Local(3), &[])));
    }
}

#[test]
fn an_element_is_no_certain_place() {
    let names = Names::default();
    let field = Step::Field(names.of("S"), 0);
    assert!(path(Root::Parameter(1), &[Step::Deref, field]).names_one());
    assert!(!path(Root::Parameter(1), &[Step::Deref, Step::Index]).names_one());
    // What a lock protects may point elsewhere by the second time.
    assert!(!path(Root::Parameter(1), &[field, Step::Data, field, Step::Deref]).names_one());
}

#[test]
fn two_fields_of_one_object_are_two_places() {
    let names = Names::default();
    let (left, right) = (Step::Field(names.of("S"), 0), Step::Field(names.of("S"), 1));
    let at = |steps: &[Step]| path(Root::Parameter(1), steps);
    assert!(at(&[left]).differs_for_sure(&at(&[right])));
    // Both may point to one.
    assert!(!at(&[left, Step::Deref]).differs_for_sure(&at(&[right, Step::Deref])));
    assert!(!at(&[left]).differs_for_sure(&at(&[left])));
    assert!(!at(&[left]).differs_for_sure(&path(Root::Parameter(2), &[right])));
}

#[test]
fn recursion_makes_no_endless_path() {
    let mut at = Path::at(Root::Parameter(1));
    while let Some(next) = at.then(Step::Deref) {
        at = next;
    }
    assert_eq!(at.steps.len(), STEPS_MAX);
}
