use super::{PART, Read, is_this, names_it};

/// An executable in memory.
struct Bytes(Vec<u8>);

impl Read for Bytes {
    fn read(&self, bytes: &mut [u8], at: u64) -> Option<()> {
        let at = usize::try_from(at).ok()?;
        let part = self.0.get(at..at.checked_add(bytes.len())?)?;
        bytes.copy_from_slice(part);
        Some(())
    }
}

/// An executable with a section of some kind, then one of symbols whose names are these.
fn executable(names: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    let put = |bytes: &mut Vec<u8>, at: usize, word: &[u8]| {
        bytes[at..at + word.len()].copy_from_slice(word);
    };
    let names_at = bytes.len();
    bytes.extend(names);
    let sections = bytes.len();
    put(&mut bytes, 40, &(sections as u64).to_ne_bytes());
    put(&mut bytes, 58, &64_u16.to_ne_bytes());
    put(&mut bytes, 60, &3_u16.to_ne_bytes());
    bytes.resize(sections + 3 * 64, 0);
    // SHT_SYMTAB, whose names are in the third section.
    put(&mut bytes, sections + 64 + 4, &2_u32.to_ne_bytes());
    put(&mut bytes, sections + 64 + 40, &2_u32.to_ne_bytes());
    put(&mut bytes, sections + 128 + 4, &3_u32.to_ne_bytes());
    put(
        &mut bytes,
        sections + 128 + 24,
        &(names_at as u64).to_ne_bytes(),
    );
    put(
        &mut bytes,
        sections + 128 + 32,
        &(names.len() as u64).to_ne_bytes(),
    );
    bytes
}

const OLD: &[u8] = b"\0main\0_ZN4test16test_main_static17h0123456789abcdefE\0end\0";
const NEW: &[u8] = b"\0main\0_RNvCs1a2b_4test16test_main_static\0end\0";

#[test]
fn this_process_is_one() {
    assert!(is_this());
}

#[test]
fn it_is_known_by_either_name() {
    for names in [OLD, NEW] {
        assert_eq!(names_it(&Bytes(executable(names))), Some(true));
    }
}

#[test]
fn it_is_known_wherever_the_name_stands() {
    for before in [
        PART - 60,
        PART - 30,
        PART - 20,
        PART - 6,
        PART,
        3 * PART + 17,
    ] {
        let names = [vec![b'x'; before], OLD.to_vec()].concat();
        assert_eq!(names_it(&Bytes(executable(&names))), Some(true), "{before}");
    }
}

#[test]
fn what_has_no_such_name_is_none() {
    let others: [&[u8]; 4] = [
        b"",
        b"\0main\0",
        // Other functions of that crate, and one of another with a name like it.
        b"\0_ZN4test9black_box17h0123456789abcdefE\0",
        b"\0_ZN5tests16test_main_static17h0123456789abcdefE\0",
    ];
    for names in others {
        assert_eq!(names_it(&Bytes(executable(names))), Some(false));
    }
    let long = vec![b'x'; 2 * PART];
    assert_eq!(names_it(&Bytes(executable(&long))), Some(false));
}

#[test]
fn what_is_no_executable_or_cut_is_none() {
    let whole = executable(OLD);
    for len in 0..whole.len() {
        let cut = Bytes(whole[..len].to_vec());
        assert_ne!(names_it(&cut), Some(true), "{len}");
    }
    let mut other = whole;
    other[4] = 1;
    assert_eq!(names_it(&Bytes(other)), None);
}
