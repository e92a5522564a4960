//! Every schedule ends exact.

use afterimage_sim::{Search, search};

/// Schedules in CI: the seeds from 0.
const SCHEDULES: u64 = 1_500;

#[test]
fn every_schedule_ends_exact() {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted = Search { first_seed: 0, count: SCHEDULES, threads, canary: None };
    let found = search(&wanted, || ()).expect("the simulation runs");
    let violation = found.violation.map(|(seed, it)| format!("seed {seed} violates {it}"));
    assert_eq!(violation, None, "see it: cargo run -p afterimage-sim -- --seed <seed>");
    assert_eq!(found.schedule_count, SCHEDULES);
    // A simulation in which nothing of a kind happens proves nothing about that kind.
    let outcomes = ["applied", "coalesced", "duplicate", "failed", "parked", "skipped", "stale"];
    let missing: Vec<_> = outcomes.iter().filter(|it| !found.outcomes.contains_key(**it)).collect();
    assert!(missing.is_empty(), "no record was {missing:?}");
}
