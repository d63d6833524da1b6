use super::*;

fn some() -> Printed {
    let heading = Heading {
        name: "bank".to_owned(),
        root: PathBuf::from("src/lib.rs"),
        conditions: Some(vec!["test".to_owned()]),
    };
    let mut read = Reader::default();
    for line in [
        "fn pay(_1: &Account) -> () {",
        "    bb0: {",
        "        return;                          // scope 0 at src/lib.rs:7:6: 7:6",
        "    }",
        "}",
    ] {
        read.line(line);
    }
    Printed::new(&heading, Declared::default(), read)
}

fn written() -> Vec<u8> {
    let mut bytes = Vec::new();
    some().write(&mut bytes).unwrap();
    bytes
}

#[test]
fn what_is_written_is_read_again() {
    let read = Printed::parse(&written()).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", some()));
    assert_eq!((read.is_test, read.code.bodies.len()), (true, 1));
}

#[test]
fn what_is_cut_off_or_changed_anywhere_is_no_crate() {
    let whole = written();
    for end in 0..whole.len() {
        assert!(Printed::parse(&whole[..end]).is_err(), "{end}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(Printed::parse(&changed).is_err(), "{at}");
    }
}

#[test]
fn another_version_is_said_to_be_one() {
    let other = b"lockwise crate 0.0.0-7 0000000000000000\nwhatever";
    assert!(matches!(Printed::parse(other), Err(PrintedError::Version)));
    assert!(matches!(Printed::parse(b""), Err(PrintedError::Version)));
}
