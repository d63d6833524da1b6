use super::super::super::memory::mix;
use super::*;

/// Numbers at both sides of each length, and some in between.
fn numbers() -> impl Iterator<Item = u64> {
    let edges = (0..28).flat_map(|shift| [(1_u64 << shift) - 1, 1 << shift]);
    edges.chain((0..500).map(|seed| mix(seed, 1) >> (36 + seed % 28)))
}

/// The bytes of a record, and how many there are.
fn bytes(write: impl FnOnce(*mut u8) -> usize) -> ([u8; PLAIN_MAX], usize) {
    let mut room = [0; PLAIN_MAX];
    let len = write(room.as_mut_ptr());
    (room, len)
}

/// A record in the one way.
fn long(op: Op, fill: impl FnOnce(Record) -> Record) -> ([u8; PLAIN_MAX], usize) {
    // SAFETY: the room is that long, zero, and this test's own.
    bytes(|start| fill(unsafe { Record::begin(start, PLAIN_MAX, op) }).commit())
}

/// A record in the other way.
fn short(op: Op, first: Part, second: Part) -> ([u8; PLAIN_MAX], usize) {
    // SAFETY: the room is that long, zero, and this test's own.
    bytes(|start| unsafe { Part::write(start, op as u8, first, second) })
}

#[test]
fn a_short_record_is_the_same_as_a_long_one() {
    for lock in numbers() {
        let released = long(Op::Released, |record| record.number(lock));
        assert_eq!(
            short(Op::Released, Part::number(lock), Part::EMPTY),
            released
        );
        let (site, turn) = (lock % (1 << 21), mix(lock, 2) % (1 << 28));
        let how = (lock % 24) as u8;
        let first = Part::number(lock).small(how).then(Part::number(site));
        let acquired = long(Op::Acquired, |record| {
            record.number(lock).small(how).number(site).number(turn)
        });
        assert_eq!(short(Op::Acquired, first, Part::number(turn)), acquired);
    }
}

#[test]
fn a_number_comes_back_from_its_part_and_from_a_word() {
    for number in numbers() {
        let part = Part::number(number);
        assert_eq!(u64::from(part.read()), number);
        assert_eq!(Part::unpack(part.pack()), part);
        assert!(Part::takes(number));
    }
    assert!(!Part::takes(1 << 28));
}
