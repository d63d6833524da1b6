use super::super::super::log::TEXT_MAX;
use super::{pieces, written};

const MAPS: &str = "\
55d0e0000000-55d0e0002000 r--p 00000000 fd:01 1311 /home/me/a b/demo
55d0e0002000-55d0e0009000 r-xp 00001000 fd:01 1311 /home/me/a b/demo
55d0e1000000-55d0e1021000 rw-p 00000000 00:00 0 [heap]
7f1200000000-7f1200028000 r--p 00000000 fd:01 77 /lib/libc.so.6
7f1200028000-7f12001bd000 r-xp 00028000 fd:01 77 /lib/libc.so.6
7f12001bd000-7f12001be000 rw-p 00000000 00:00 0
";

/// All files are as long, and as old, as their paths.
#[expect(
    clippy::unnecessary_wraps,
    reason = "as the function that it stands for"
)]
fn state(path: &str) -> Option<(u64, u64)> {
    Some((path.len() as u64, path.len() as u64))
}

#[test]
fn addresses_are_told_by_their_files_and_counted_from_where_these_begin() {
    let addresses = [
        0x55d0_e000_2345,
        0x55d0_e000_3000,
        0x7f12_0002_8010,
        0x55d0_e000_2001,
    ];
    assert_eq!(
        written(&addresses, &pieces(MAPS), state),
        "/home/me/a b/demo\n55d0e0000000 11 11 2345 3000\n\
         /lib/libc.so.6\n7f1200000000 e e 28010\n\
         /home/me/a b/demo\n55d0e0000000 11 11 2001"
    );
}

#[test]
fn addresses_in_no_file_are_left_out() {
    let nowhere = [0x55d0_e100_0008, 0x7f12_001b_d000, 0x10];
    assert_eq!(written(&nowhere, &pieces(MAPS), state), "");
    assert_eq!(written(&[0x10], &pieces("no maps\n-\n/\n"), state), "");
    let addresses = [0x55d0_e000_2345, 0x7f12_0002_8010];
    let no_program = |path: &str| state(path).filter(|_| path.starts_with("/lib"));
    assert_eq!(
        written(&addresses, &pieces(MAPS), no_program),
        "/lib/libc.so.6\n7f1200000000 e e 28010",
        "the program's file is gone"
    );
}

#[test]
fn what_has_no_room_is_left_out_as_a_whole() {
    let one = "/home/me/a b/demo\n55d0e0000000 11 11 2345".len();
    let addresses = [0x55d0_e000_2345; TEXT_MAX];
    let text = written(&addresses, &pieces(MAPS), state);
    assert_eq!(text.len(), one + (TEXT_MAX - one) / 5 * 5);
    assert!(text.ends_with(" 2345"), "{text}");
    let long = MAPS.replace("/home/me", &format!("/{}", "x".repeat(TEXT_MAX)));
    assert_eq!(written(&addresses, &pieces(&long), state), "");
}

#[cfg(all(target_os = "linux", not(miri)))]
#[test]
fn the_code_of_this_test_lies_in_its_own_file() {
    let here = the_code_of_this_test_lies_in_its_own_file as *const () as usize;
    let text = super::of(&[here]);
    let program = std::env::current_exe().unwrap();
    assert_eq!(text.lines().next(), program.to_str(), "{text}");
    let (length, changed) = super::state(program.to_str().unwrap()).unwrap();
    assert!(
        text.contains(&format!(" {length:x} {changed:x} ")),
        "{text}"
    );
}
