//! The plainest loops over the same bytes: what a reader could reach at best.

/// Takes each line apart by its bytes, and does nothing with the numbers but add them.
pub(crate) fn text(text: &[u8]) -> u64 {
    let mut sum = 0_u64;
    let mut at = 0;
    let number = |at: &mut usize| {
        let mut number = 0_u64;
        while let Some(digit) = text.get(*at).filter(|byte| byte.is_ascii_digit()) {
            number = number * 10 + u64::from(digit - b'0');
            *at += 1;
        }
        number
    };
    while at < text.len() {
        at += 1;
        sum = sum.wrapping_add(number(&mut at));
        at += 1;
        let op = text[at];
        while text[at] != b'(' {
            at += 1;
        }
        at += 2;
        sum = sum.wrapping_add(number(&mut at) ^ u64::from(op));
        at += 2;
        sum = sum.wrapping_add(number(&mut at));
        at += 1;
    }
    sum
}

/// Keeps a clock and a held stack per thread, and per lock how often it was taken.
pub(crate) fn packed(bytes: &[u8]) -> u64 {
    let mut clocks = [0_u32; 64];
    let mut held: [Vec<u32>; 64] = std::array::from_fn(|_| Vec::new());
    let mut locks = vec![0_u32; 1 << 16];
    for word in bytes[32..].chunks_exact(8) {
        let word = u64::from_le_bytes(word.try_into().expect("chunks of eight bytes"));
        let thread = (word >> 4 & 63) as usize;
        clocks[thread] += 1;
        let lock = (word >> 20 & 0xffff) as u32;
        match word & 15 {
            0 => {
                held[thread].push(lock);
                locks[lock as usize] += 1;
            }
            1 => {
                held[thread].pop();
            }
            _ => {}
        }
    }
    u64::from(clocks[1]) + u64::from(locks[1]) + held[1].len() as u64
}
