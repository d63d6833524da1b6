//! Where a byte stands, found eight at a time.

/// Where `byte` first stands among the eight of `word`, the lowest first; 8 if nowhere.
///
/// The lowest bit of a difference that is zero is found by a borrow (Mycroft, 1987; Warren, Hacker's
/// Delight, section 6-1); what the borrow spoils lies above.
#[inline]
pub(super) fn place(word: u64, byte: u8) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let other = word ^ (LOW * u64::from(byte));
    let zero = other.wrapping_sub(LOW) & !other & HIGH;
    zero.trailing_zeros() as usize / 8
}

/// Where `byte` first stands in `bytes`.
pub(super) fn first(bytes: &[u8], byte: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, &word) in words.iter().enumerate() {
        let found = place(u64::from_le_bytes(word), byte);
        if found < 8 {
            return Some(at * 8 + found);
        }
    }
    let at = rest.iter().position(|&other| other == byte)?;
    Some(words.len() * 8 + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_found_where_it_first_stands() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Few values and their neighbours, where a borrow would show.
            [b'|', b'|' - 1, b'|' + 1, 0, 0x80 | b'|', 1][(state >> 24) as usize % 6]
        };
        for _ in 0..10_000 {
            let bytes: [u8; 8] = std::array::from_fn(|_| random());
            for byte in [b'|', 0, 1, 0x80 | b'|', b'|' + 1] {
                let slow = bytes.iter().position(|&other| other == byte);
                assert_eq!(place(u64::from_le_bytes(bytes), byte), slow.unwrap_or(8));
            }
        }
    }

    #[test]
    fn the_first_of_several_is_found_at_any_distance() {
        for at in 0..100 {
            let mut bytes = vec![b'x'; 120];
            bytes[at] = b'\n';
            bytes[110] = b'\n';
            assert_eq!(first(&bytes, b'\n'), Some(at));
            assert_eq!(first(&bytes[..at], b'\n'), None);
        }
    }
}
