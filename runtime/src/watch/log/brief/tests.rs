use super::super::super::memory::mix;
use super::*;

/// What the reader makes of what the writer says of an acquisition at the site `at` above `below` others, and
/// whether that was one byte.
fn read(
    writer: &Shown,
    reader: &mut Remembered,
    below: usize,
    (lock, at, turn): (u64, u64, u32),
) -> Option<(Acquisition, bool)> {
    if let Some((tag, _)) = writer.next(below, (lock, at, turn)) {
        return Some((reader.again(number(tag)?, 1)?, true));
    }
    let what = match writer.otherwise(below, (lock, at, turn)) {
        Again::Later(place, since) => reader.again(place, since)?,
        Again::Anew(place) => {
            let what = Acquisition {
                lock,
                mode: Mode::Exclusive,
                ask: Ask::Wait,
                site: at as u32,
                turn,
            };
            reader.acquired(what, Some(place))?;
            what
        }
    };
    Some((what, false))
}

#[test]
fn a_damaged_bit_of_a_brief_tag_is_seen() {
    let tags = (0..PLACES as u8).map(tag).chain([RELEASED, LATER, FIRST]);
    for tag in tags {
        assert!(tag >= 0x80 && number(tag).is_some());
        for bit in 0..7 {
            assert_eq!(number(tag ^ 1 << bit), None, "{tag:#x}, bit {bit}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn the_reader_understands_what_the_writer_says_whatever_threads_do() {
    let mut random = 3_u64;
    let mut draw = |below: u64| {
        random = mix(random, 7);
        random % below
    };
    for locks in [2, 5, 40, 200] {
        let writer = Shown::new();
        let mut reader = Remembered::default();
        let mut turns = vec![0_u32; locks as usize];
        // What is held, and whether the log was told of it.
        let mut held: Vec<u64> = Vec::new();
        let mut brief = 0;
        for _ in 0..20_000 {
            match draw(8) {
                0..=3 if held.len() < 6 => {
                    let (lock, at) = (draw(locks), 8 * draw(3));
                    let turn = &mut turns[lock as usize];
                    *turn += if draw(4) == 0 {
                        draw(300) as u32 + 1
                    } else {
                        1
                    };
                    let said = (lock + 1, at, *turn);
                    let (what, short) =
                        read(&writer, &mut reader, held.len(), said).expect("it is known");
                    held.push(lock + 1);
                    brief += u32::from(short);
                    let told = (what.lock, u64::from(what.site), what.turn);
                    assert_eq!(told, said);
                }
                4 if held.len() > 1 => {
                    // Not the youngest, and by name.
                    let lock = held.remove(draw(held.len() as u64) as usize);
                    writer.lose_track();
                    reader.released(lock);
                }
                5 if held.len() > 1 && draw(4) == 0 => {
                    // By another thread, so that this one's log does not say so.
                    held.remove(draw(held.len() as u64) as usize);
                    writer.lose_track();
                }
                6 if draw(400) == 0 => {
                    writer.clear();
                    reader = Remembered::default();
                }
                _ => {
                    let Some(lock) = held.pop() else { continue };
                    if writer.released(held.len()) {
                        assert_eq!(reader.youngest_released(), Some(lock));
                    } else {
                        reader.released(lock);
                    }
                }
            }
        }
        assert!(brief > 10, "some acquisitions are like the one before");
    }
}

#[test]
fn a_tag_with_the_release_says_what_the_one_without_said() {
    let mut seen = vec![RELEASED, LATER];
    for (alone, with) in TAGS.into_iter().chain([FIRST_OR_PASSED]) {
        assert_eq!(without_release(alone), None, "it tells of no release");
        seen.push(alone);
        if with != 0 {
            assert_eq!(without_release(with), Some(alone));
            seen.push(with);
        }
    }
    assert!(seen.iter().all(|&tag| number(tag).is_some()));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), NUMBERS, "each number means one thing");
}

#[test]
fn what_was_not_recorded_is_not_referred_to() {
    let writer = Shown::new();
    assert_eq!(writer.next(0, (5, 8, 1)), None);
    let Again::Anew(place) = writer.otherwise(0, (5, 8, 1)) else {
        panic!("nothing is known yet");
    };
    writer.forget(place);
    assert!(
        !writer.released(0),
        "the reader does not know that it is held"
    );
    assert_eq!(writer.next(0, (5, 8, 2)), None);
    assert!(matches!(writer.otherwise(0, (5, 8, 2)), Again::Anew(_)));
}

#[test]
fn new_locks_of_one_class_follow_each_other_in_a_byte() {
    const CLASS: u64 = 1 << 40;
    let writer = Shown::new();
    let mut reader = Remembered::default();
    // The word, the site, and whether it follows the one before.
    let locks = [
        (CLASS + 4, 8, false),
        (CLASS + 5, 8, true),
        (CLASS + 6, 16, false),
        (CLASS + 7, 16, true),
        (2 * CLASS + 8, 16, false),
        (2 * CLASS + 10, 16, false),
        (2 * CLASS + 11, 16, true),
    ];
    for (lock, at, follows) in locks {
        assert_eq!(writer.is_next_first(0, (lock, at)), follows, "{lock:#x}");
        let told = if follows {
            reader.next_first().expect("there was one before")
        } else {
            let what = Acquisition {
                lock: lock % CLASS,
                mode: Mode::Exclusive,
                ask: Ask::Wait,
                site: at as u32,
                turn: 1,
            };
            reader.acquired_first(what, (lock / CLASS) as u32);
            (what, (lock / CLASS) as u32)
        };
        let (what, class) = told;
        assert_eq!(u64::from(class) * CLASS + what.lock, lock);
        assert_eq!((u64::from(what.site), what.turn), (at, 1));
        assert!(writer.released(0));
        assert_eq!(reader.youngest_released(), Some(what.lock));
    }
    writer.forget_first();
    assert!(
        !writer.is_next_first(0, (2 * CLASS + 12, 16)),
        "nothing precedes it"
    );
}
