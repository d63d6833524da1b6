//! Patterns are searched at the same time where there are several cores; a verdict does not show it.

use super::*;
use crate::limits::Limits;

/// Inversions of many pairs of locks, each among other work; some are behind a gate, some
/// must change the order of critical sections.
fn many_patterns() -> Evidence {
    let mut text = String::new();
    for pair in 0..30 {
        let (left, right) = (2 * pair, 2 * pair + 1);
        let line = |text: &mut String, thread: usize, act: &str| {
            writeln!(text, "T{thread}|{act}|in").unwrap();
        };
        for work in 0..pair {
            line(&mut text, left, &format!("acq(W{})", work % 5));
            line(&mut text, left, &format!("w(V{work})"));
            line(&mut text, left, &format!("rel(W{})", work % 5));
        }
        let gated = pair % 5 == 4;
        for (thread, first, second) in [(left, "A", "B"), (right, "B", "A")] {
            if gated {
                line(&mut text, thread, "acq(G)");
            }
            if pair % 3 == 2 {
                // What the other thread wrote under a lock is read under it.
                line(&mut text, thread, "acq(D)");
                let act = if thread == left { "w" } else { "r" };
                line(&mut text, thread, &format!("{act}(R{pair})"));
                line(&mut text, thread, "rel(D)");
            }
            line(&mut text, thread, &format!("acq({first}{pair})"));
            line(&mut text, thread, &format!("acq({second}{pair})"));
            line(&mut text, thread, &format!("rel({second}{pair})"));
            line(&mut text, thread, &format!("rel({first}{pair})"));
            if gated {
                line(&mut text, thread, "rel(G)");
            }
        }
    }
    std_text::read("many", text.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn a_verdict_is_the_same_on_any_number_of_cores() {
    let evidence = many_patterns();
    let mut shares = BTreeSet::new();
    for proof_steps in [0, 1, 50, 500, 1_000, 2_000, 5_000, 20_000, 200_000] {
        let judged = |cores| {
            let limits = Limits {
                cores,
                proof_steps,
                searches: 3,
                search_words: 5_000,
                search_events: 10,
                ..Limits::default()
            };
            judge(&evidence, &limits)
        };
        let alone = judged(1);
        let is_certain = |finding: &&Finding| finding.certainty == Certainty::Certain;
        shares.insert(alone.findings.iter().filter(is_certain).count());
        for cores in [2, 3, 8] {
            assert_eq!(
                format!("{alone:#?}"),
                format!("{:#?}", judged(cores)),
                "{cores} cores, {proof_steps} steps"
            );
        }
    }
    // The budget ends before, among and after the patterns.
    assert!(shares.contains(&0) && shares.len() > 4, "{shares:?}");
}
