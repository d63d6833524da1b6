//! The pairs of a held and a wanted lock that were seen, each once.
//!
//! Pairs of small numbers stand in a table of bits that doubles with the greatest number, others in a
//! set behind a small cache of those seen last: in a program the same few pairs come again and again.

use rustc_hash::FxHashSet;

use super::scc::Bits;

/// Numbers below this have their pairs in bits: two megabytes at most, so that it fits into a cache.
const NEAR_BITS: u32 = 12;

/// A row has 64 bits at least, so that each is of whole words.
const WORD_BITS: u32 = 6;

/// The pairs seen last, by a part of their hash; 64 kilobytes.
const CACHE_BITS: u32 = 13;

/// A set of pairs.
#[derive(Debug)]
pub(super) struct Pairs {
    /// Row after row, a bit for each pair of numbers below two to the power of `near_bits`.
    near: Vec<u64>,
    near_bits: u32,
    /// Pairs with a greater number, the first in the upper half.
    far: FxHashSet<u64>,
    cache: Vec<u64>,
    far_max: usize,
    /// Pairs seen that are not kept; one that is met again counts again.
    pub(super) left_out: u64,
}

impl Pairs {
    /// No pairs, with room for `far_max` of those with a great number.
    pub(super) fn new(far_max: usize) -> Self {
        Pairs {
            near: vec![0; 64],
            near_bits: WORD_BITS,
            far: FxHashSet::default(),
            cache: Vec::new(),
            far_max,
            left_out: 0,
        }
    }

    /// Notes that `want` was asked for while `held` was held.
    #[inline]
    pub(super) fn note(&mut self, held: u32, want: u32) {
        if (held | want) >> self.near_bits == 0 {
            let bit = held << self.near_bits | want;
            // Nearly all are known: a mere look waits for no earlier store to the same word.
            if self.near[bit as usize / 64] >> (bit % 64) & 1 == 0 {
                self.set_near(bit);
            }
        } else {
            self.note_far(held, want);
        }
    }

    #[cold]
    fn set_near(&mut self, bit: u32) {
        self.near[bit as usize / 64] |= 1 << (bit % 64);
    }

    #[inline(never)]
    fn note_far(&mut self, held: u32, want: u32) {
        if (held | want) >> NEAR_BITS == 0 {
            while (held | want) >> self.near_bits != 0 {
                self.double();
            }
            return self.note(held, want);
        }
        let pair = u64::from(held) << 32 | u64::from(want);
        if self.cache.is_empty() {
            self.cache = vec![u64::MAX; 1 << CACHE_BITS];
        }
        // Fibonacci hashing: Knuth, volume 3, section 6.4.
        let hash = pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CACHE_BITS);
        let known = &mut self.cache[usize::try_from(hash).expect("thirteen bits")];
        if *known == pair {
            return;
        }
        if self.far.len() < self.far_max || self.far.contains(&pair) {
            self.far.insert(pair);
            *known = pair;
        } else {
            self.left_out += 1;
        }
    }

    /// Makes the table of bits twice as wide and as high.
    fn double(&mut self) {
        let old = std::mem::take(&mut self.near);
        let old_bits = self.near_bits;
        self.near_bits += 1;
        self.near = vec![0; 1 << (2 * self.near_bits - WORD_BITS)];
        for pair in ones(&old) {
            let (held, want) = (pair >> old_bits, pair & ((1 << old_bits) - 1));
            let bit = held << self.near_bits | want;
            self.near[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// The pairs as a graph of these numbers, if all are small enough.
    pub(super) fn as_bits(&self) -> Option<Bits<'_>> {
        let width = 1 << (self.near_bits - WORD_BITS);
        self.far.is_empty().then(|| Bits::new(&self.near, width))
    }

    /// All pairs.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + Clone + '_ {
        let narrow = |number: usize| u32::try_from(number).expect("it has few bits");
        let bits = self.near_bits;
        let near = ones(&self.near)
            .map(move |pair| (narrow(pair >> bits), narrow(pair & ((1 << bits) - 1))));
        let half = |number: u64| u32::try_from(number).expect("half of a word");
        let far = self.far.iter();
        near.chain(far.map(move |pair| (half(pair >> 32), half(pair & 0xffff_ffff))))
    }
}

/// The positions of the bits that are set.
fn ones(words: &[u64]) -> impl Iterator<Item = usize> + Clone + '_ {
    words.iter().enumerate().flat_map(|(at, &word)| {
        let mut left = word;
        std::iter::from_fn(move || {
            (left != 0).then(|| {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                at * 64 + bit
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_pair_is_there_once_whatever_its_numbers() {
        let mut pairs = Pairs::new(usize::MAX);
        let mut told = BTreeSet::new();
        let numbers = [
            0,
            1,
            7,
            8,
            63,
            64,
            100,
            4095,
            4096,
            5000,
            70_000,
            u32::MAX - 1,
        ];
        for held in numbers {
            for want in numbers {
                pairs.note(held, want);
                pairs.note(held, want);
                told.insert((held, want));
            }
        }
        let found: Vec<(u32, u32)> = pairs.iter().collect();
        assert_eq!(found.len(), told.len());
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), told);
    }

    #[test]
    fn pairs_beyond_the_limit_are_counted_and_those_within_it_kept() {
        let mut pairs = Pairs::new(1);
        for want in [5000, 5001, 5000] {
            pairs.note(9, want);
        }
        assert_eq!(pairs.iter().collect::<Vec<_>>(), [(9, 5000)]);
        assert_eq!(pairs.left_out, 1);
    }
}
