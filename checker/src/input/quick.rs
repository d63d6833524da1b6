//! Tables for readers of long traces, which look up names and numbers hundreds of millions of times.
//!
//! The hash is short. Whoever makes its entries collide has written the trace, and slows down the
//! judging of it and no more.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map with a short hash.
pub(super) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// A set with a short hash.
pub(super) type QuickSet<K> = HashSet<K, BuildHasherDefault<Spread>>;

/// The hash: a multiplication for each eight bytes (Fibonacci hashing; Knuth, volume 3, section 6.4).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        let product = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}
