//! Which known name a mistyped one was meant to be.

/// How many letters may be wrong: two, since swapping neighbours, the commonest slip, counts two.
const SLIPS_MAX: usize = 2;

/// The one of `known` that is closest to `name`, if it is close enough to have been meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (slips(name, candidate), candidate))
        .filter(|&(slips, _)| slips <= SLIPS_MAX)
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be inserted, deleted or replaced to make `b` of `a` (Levenshtein).
fn slips(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // The distances between what was read of `a` and each beginning of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (read, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = read + 1;
        for (at, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
