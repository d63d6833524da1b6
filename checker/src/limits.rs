//! How far reading and judging go: every bound on their work or memory, by the name that a user gives it.
//!
//! `--limit NAME=NUMBER` on the command line, `LOCKWISE_LIMITS` in the environment and `[limits]` in the
//! configuration set them; [`help`] lists them. Whatever reaches one says so in the report, with its name.
//! The stages take from here what is theirs, so that each number stands in one place. What bounds no more
//! than a cache or the words of a report, and changes no verdict, is not here.

use std::str::FromStr;

use crate::nearest::nearest;

/// The greatest number that a limit can have: events, locks and threads have numbers of 32 bits.
pub const MAX: u64 = 4_000_000_000;

/// A limit, as it is told to a user.
#[derive(Debug)]
pub struct Limit {
    /// Its name.
    pub name: &'static str,
    /// What it is if nobody says otherwise.
    pub default: u64,
    /// What it bounds.
    pub about: &'static str,
    /// Where it stands.
    place: fn(&mut Limits) -> &mut u64,
}

/// Defines [`Limits`] and [`TABLE`]: field, name, default, meaning.
macro_rules! limits {
    ($($field:ident $name:literal = $default:literal, $about:literal;)*) => {
        /// The limits that hold.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $about] pub $field: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Limits { $($field: $default,)* }
            }
        }

        /// All limits, in the order in which they come to bear.
        pub const TABLE: &[Limit] = &[
            $(Limit {
                name: $name,
                default: $default,
                about: $about,
                place: |limits| &mut limits.$field,
            },)*
        ];
    };
}

limits! {
    kept_events "kept-events" = 500_000,
        "events of a text or packed trace that is kept whole; a longer one is read for its orders, and \
         again for what is suspicious; some 150 bytes each";
    kept_log_events "kept-log-events" = 4_000_000,
        "the same for one of our own logs";
    events "events" = 20_000_000,
        "events of one run in memory; those behind are left out";
    line_bytes "line-bytes" = 1_048_576,
        "bytes of a line of text; a longer line is left out";
    name_bytes "name-bytes" = 134_217_728,
        "bytes of all names and places of a text trace, some four times as many in memory; what follows is \
         left out";
    units "units" = 1_024,
        "units that one operation of a recorded semaphore or channel counts for";
    lock_pairs "lock-pairs" = 20_000_000,
        "pairs of a held and a wanted lock of a long trace, some 20 bytes each";
    chains "chains" = 1_000_000,
        "distinct requests on cycles of a long trace, with what was held, some 100 bytes each";
    waits "waits" = 10_000,
        "waits under locks, and wrong uses of locks, of a long trace";
    window "window" = 400_000,
        "events of a long trace within which the sides of a deadlock must lie to be proved";
    excerpt_events "excerpt-events" = 1_500_000,
        "events of all parts of a long trace in which a proof is looked for";
    excerpts "excerpts" = 8,
        "parts for one and the same cycle, after which only each second, fourth, … place counts";
    excerpt_steps "excerpt-steps" = 2_000,
        "requests looked at for each request that may close a cycle in a long trace";
    excerpt_steps_all "excerpt-steps-all" = 20_000_000,
        "the same over a whole trace";
    asides "asides" = 256,
        "stands of threads before requests on cycles of a long trace, for proofs at any distance: two or \
         three a request";
    aside_proofs "aside-proofs" = 100,
        "such proofs that are checked, in one more reading";
    arcs "arcs" = 1_000_000,
        "arcs of a lock-order graph, some 300 bytes each; beyond, only near pairs of nested locks";
    far_steps "far-steps" = 100_000_000,
        "held locks looked at beyond the nearest, over all requests of a run";
    cycles "cycles" = 1_000,
        "cycles that are judged, in each run and for the classes";
    cycle_steps "cycle-steps" = 20_000_000,
        "edges looked at to find them";
    cycle_counts "cycle-counts" = 200_000,
        "edges looked at to tell whether there are more cycles than those";
    cycle_sides "cycle-sides" = 20_000,
        "sides of all cycles that are judged, the shortest cycles first";
    choice_steps "choice-steps" = 100_000,
        "checks to choose the requests of one cycle";
    choices "choices" = 16,
        "choices of requests of one cycle for which a proof is looked for";
    seek_steps "seek-steps" = 200_000,
        "checks to find cycles of one group of locks beyond the shortest";
    proof_steps "proof-steps" = 200_000_000,
        "events taken in by all proofs of a run";
    proof_writers "proof-writers" = 4,
        "writers that are tried between two readers";
    reversals "reversals" = 64,
        "choices of requests for which a schedule is looked for that turns critical sections round";
    reversal_ways "reversal-ways" = 64,
        "critical sections that are tried both ways in one such schedule";
    reversal_rounds "reversal-rounds" = 200,
        "rounds in which such an order is completed";
    reversal_words "reversal-words" = 32_000_000,
        "memory of such an order, in words of four bytes";
    cores "cores" = 8,
        "patterns for which proofs are looked for at the same time, if there are as many cores; each may \
         take the memory of one search";
    search_events "search-events" = 20_000,
        "events of a run that is searched exhaustively, where nothing cheaper decides";
    search_threads "search-threads" = 400,
        "threads of such a run";
    search_words "search-words" = 4_000_000,
        "memory of the exhaustive search, in words of four bytes";
    search_words_all "search-words-all" = 16_000_000,
        "the same, for all recorded programs together";
    wait_words "wait-words" = 400_000,
        "the same, for all recorded programs together in which nothing was held at a wait: there it can show \
         no more than waits in a circle and lost wake-ups";
    searches "searches" = 16,
        "cycles of a run that are searched for on their own where that gave up";
    witness_entries "witness-entries" = 100_000,
        "entries of a schedule; a longer one is left out of the report";
    held_shown "held-shown" = 32,
        "further locks held that each side of a finding shows";
}

/// One limit that somebody set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Which; a name of [`TABLE`].
    pub name: &'static str,
    /// To what.
    pub number: u64,
}

impl Setting {
    /// A limit by its name.
    ///
    /// # Errors
    ///
    /// A sentence, if there is no such limit or it cannot be so great.
    pub fn new(name: &str, number: u64) -> Result<Setting, String> {
        let names = || TABLE.iter().map(|limit| limit.name);
        let Some(limit) = TABLE.iter().find(|limit| limit.name == name) else {
            let meant = nearest(&name.replace('_', "-").to_lowercase(), names());
            return Err(match meant {
                Some(meant) => format!("there is no limit `{name}`; did you mean `{meant}`?"),
                None => format!(
                    "there is no limit `{name}`; the limits are {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            });
        };
        if number > MAX {
            return Err(format!("the limit `{name}` can be {MAX} at most"));
        }
        Ok(Setting {
            name: limit.name,
            number,
        })
    }
}

impl FromStr for Setting {
    type Err = String;

    /// `window=1000000`; digits may be grouped, as in `1_000_000`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, number) = text.split_once('=').ok_or("expected NAME=NUMBER")?;
        let digits = number.trim().replace('_', "");
        let number = digits
            .parse()
            .map_err(|_| format!("`{}` is no number", number.trim()))?;
        Setting::new(name.trim(), number)
    }
}

impl Limits {
    /// The defaults, but for what these say; of several on one limit the last holds.
    pub fn with(settings: &[Setting]) -> Limits {
        let mut limits = Limits::default();
        for setting in settings {
            if let Some(limit) = TABLE.iter().find(|limit| limit.name == setting.name) {
                *(limit.place)(&mut limits) = setting.number;
            }
        }
        limits
    }
}

/// A limit as a number of things in memory.
pub fn count(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The list of limits, for the help of the command.
pub fn help() -> String {
    /// Characters of a line.
    const WIDTH: usize = 98;

    let names = TABLE.iter().map(|limit| limit.name.len());
    let width = names.max().unwrap_or(0);
    let mut text = "Limits, for `--limit NAME=NUMBER`, with what they are otherwise:".to_owned();
    for limit in TABLE {
        let start = format!("  {:width$}  {:>11} ", limit.name, grouped(limit.default));
        let mut line = start.clone();
        for word in limit.about.split(' ') {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                text = text + "\n" + &line;
                line = " ".repeat(start.len());
            }
            line = line + " " + word;
        }
        text = text + "\n" + &line;
    }
    text
}

/// `1_000_000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<&str> = groups
        .filter_map(|group| str::from_utf8(group).ok())
        .collect();
    groups.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_set_by_its_name_and_the_last_word_on_it_holds() {
        let settings =
            ["window=5", "chains=1_000", " window = 7 "].map(|text| text.parse().unwrap());
        let limits = Limits::with(&settings);
        let expected = Limits {
            window: 7,
            chains: 1_000,
            ..Limits::default()
        };
        assert_eq!(limits, expected);
    }

    #[test]
    fn each_name_of_the_table_stands_for_a_limit_of_its_own() {
        for limit in TABLE {
            let setting = Setting::new(limit.name, limit.default + 1).unwrap();
            let mut limits = Limits::with(&[setting]);
            assert_ne!(limits, Limits::default());
            *(limit.place)(&mut limits) -= 1;
            assert_eq!(limits, Limits::default());
        }
    }

    #[test]
    fn what_is_no_limit_is_told_with_what_was_meant() {
        let error = |text: &str| text.parse::<Setting>().unwrap_err();
        assert_eq!(
            error("windows=5"),
            "there is no limit `windows`; did you mean `window`?"
        );
        assert_eq!(error("window"), "expected NAME=NUMBER");
        assert_eq!(error("window=many"), "`many` is no number");
        assert_eq!(error("window=-1"), "`-1` is no number");
        assert_eq!(
            error("window=5000000000"),
            "the limit `window` can be 4000000000 at most"
        );
        assert!(
            error("zzzzzzzz=1")
                .starts_with("there is no limit `zzzzzzzz`; the limits are kept-events, ")
        );
    }

    #[test]
    fn the_help_names_each_limit_with_its_default() {
        let help = help();
        for limit in TABLE {
            let line = help
                .lines()
                .find(|line| line.trim_start().starts_with(&format!("{} ", limit.name)));
            assert!(line.unwrap().contains(&grouped(limit.default)));
        }
        assert!(help.contains("20_000_000"));
    }
}
