//! Running scenarios, and playing failures again.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, FailurePersistence, Runner};

use super::backend::execution;

/// How many schedules of each kind.
fn schedules() -> usize {
    let asked = std::env::var("MODEL_SCHEDULES").ok();
    asked.and_then(|number| number.parse().ok()).unwrap_or(300)
}

/// How many times PCT changes its mind in one schedule, and one more: bugs of fewer ordered steps are found
/// with a probability that can be told.
const DEPTH: usize = 3;

fn config(persistence: FailurePersistence) -> Config {
    let mut config = Config::new();
    config.failure_persistence = persistence;
    config.silence_warnings = true;
    config.stack_size = 1 << 18;
    config
}

/// Runs a scenario under random schedules and under those of PCT. A failure prints its schedule.
pub(crate) fn model(scenario: impl Fn() + Send + Sync + Clone + 'static) {
    let count = schedules();
    for seed in seeds() {
        let random = RandomScheduler::new_from_seed(seed, count);
        run(random, FailurePersistence::Print, scenario.clone());
        let pct = PctScheduler::new_from_seed(seed, DEPTH, count);
        run(pct, FailurePersistence::Print, scenario.clone());
    }
}

/// The same schedules each time, unless others are asked for.
fn seeds() -> [u64; 1] {
    let asked = std::env::var("MODEL_SEED").ok();
    [asked.and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed)]
}

fn run(
    scheduler: impl shuttle::scheduler::Scheduler + 'static,
    persistence: FailurePersistence,
    scenario: impl Fn() + Send + Sync + 'static,
) -> usize {
    Runner::new(scheduler, config(persistence)).run(move || execution(&scenario))
}

/// Asserts that schedules find the bug of a scenario, and that the one that did finds it again.
pub(crate) fn is_caught(
    name: &str,
    expected: &str,
    scenario: impl Fn() + Send + Sync + Clone + 'static,
) {
    const ENOUGH: usize = 5_000;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("schedules-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("our own folder");
    let file = FailurePersistence::File(Some(folder.clone()));
    let (first, twin) = (scenario.clone(), file.clone());
    let by_chance = failure(|| run(RandomScheduler::new_from_seed(1, ENOUGH), file, first));
    assert!(by_chance.contains(expected), "{by_chance}");
    let again = scenario.clone();
    let by_priorities = failure(|| run(PctScheduler::new_from_seed(1, DEPTH, ENOUGH), twin, again));
    assert!(by_priorities.contains(expected), "{by_priorities}");
    let mut played = 0;
    for found in fs::read_dir(&folder).expect("our own folder") {
        let path = found.expect("it can be listed").path();
        let scenario = scenario.clone();
        let replayed = failure(|| {
            shuttle::replay_from_file(move || execution(&scenario), path);
            0
        });
        assert!(replayed.contains(expected), "{replayed}");
        played += 1;
    }
    assert_eq!(played, 2);
}

/// What a run panics with.
fn failure(run: impl FnOnce() -> usize) -> String {
    let failed = catch_unwind(AssertUnwindSafe(run));
    let panic = failed.expect_err("no schedule shows it");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}
