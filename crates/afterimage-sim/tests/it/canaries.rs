//! Every planted bug is found, within the schedules that CI runs.

use afterimage_sim::{Canary, Schedule, Search, run, search, shrink};

/// As many as `schedules.rs` runs.
const SCHEDULES: u64 = 2_000;

fn found(canary: Canary) -> Option<(u64, afterimage_sim::Violation)> {
    let wanted = Search { first_seed: 0, count: SCHEDULES, threads: 2, canary: Some(canary) };
    search(&wanted, || ()).expect("the simulation runs").violation
}

#[test]
fn every_canary_is_caught() {
    let mut missed = Vec::new();
    for canary in Canary::ALL {
        match found(canary) {
            Some((seed, violation)) => {
                println!("{:<26} after {:>4} schedules: {violation}", canary.name(), seed + 1);
            }
            None => missed.push(canary.name()),
        }
    }
    assert!(missed.is_empty(), "not caught in {SCHEDULES} schedules: {missed:?}");
}

#[test]
fn a_canary_is_gone_with_its_run() {
    let schedule = Schedule::of_seed(0);
    let (seed, _) = found(Canary::DeleteAndPutApart).expect("it is caught");
    let violation =
        |canary| run(&Schedule::of_seed(seed), canary, false).expect("it runs").violation;
    assert!(violation(Some(Canary::DeleteAndPutApart)).is_some());
    assert_eq!(violation(None), None);
    assert_eq!(run(&schedule, None, false).expect("it runs").violation, None);
}

#[test]
fn what_is_found_is_shrunk_to_a_short_story() {
    let canary = Canary::DeleteAndPutApart;
    let (seed, violation) = found(canary).expect("it is caught");
    let shrunk = shrink(&Schedule::of_seed(seed), Some(canary)).expect("it runs");
    let again = run(&shrunk, Some(canary), true).expect("it runs");
    assert_eq!(again.violation.map(|it| it.invariant), Some(violation.invariant));
    // A message, a row, and the invocations that move it.
    let length = shrunk.before.len() + shrunk.steps.len();
    assert!(length <= 8, "{length} steps: {shrunk:#?}");
    assert!(again.trace.iter().any(|line| line.contains("VIOLATION")));
}
