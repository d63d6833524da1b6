use super::{nearest, slips};

#[test]
fn a_slip_or_two_are_understood_and_more_are_not() {
    let known = ["fail-on", "format", "deps"];
    assert_eq!(nearest("fial-on", known), Some("fail-on"));
    assert_eq!(nearest("fail_on", known), Some("fail-on"));
    assert_eq!(nearest("formt", known), Some("format"));
    assert_eq!(nearest("failing", known), None);
    assert_eq!(nearest("", known), None);
}

#[test]
fn the_closest_wins() {
    assert_eq!(nearest("deps", ["dep", "deps", "depss"]), Some("deps"));
}

#[test]
fn slips_are_counted_in_letters() {
    assert_eq!(slips("kitten", "sitting"), 3);
    assert_eq!(slips("", "abc"), 3);
    assert_eq!(slips("ä", "a"), 1);
    assert_eq!(slips("same", "same"), 0);
}
