//! The same seed gives the same trace, byte for byte: within a process, and from one to the next.

use std::process::Command;

use afterimage_sim::{Schedule, run};

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..40 {
        let trace = || run(&Schedule::of_seed(seed), None, true).expect("it runs").trace;
        assert_eq!(trace(), trace(), "seed {seed}");
        let silent = run(&Schedule::of_seed(seed), None, false).expect("it runs");
        let told = run(&Schedule::of_seed(seed), None, true).expect("it runs");
        assert_eq!((silent.call_count, silent.violation), (told.call_count, told.violation));
    }
}

#[test]
fn another_process_prints_the_same_bytes() {
    let print = || {
        let output = Command::new(env!("CARGO_BIN_EXE_afterimage-sim"))
            .args(["--seed", "7", "--trace"])
            .output()
            .expect("the program runs");
        assert!(output.status.success());
        output.stdout
    };
    let first = print();
    assert!(first.len() > 1_000);
    assert_eq!(first, print());
}

#[test]
fn another_seed_gives_another_trace() {
    let trace = |seed| run(&Schedule::of_seed(seed), None, true).expect("it runs").trace;
    assert_ne!(trace(1), trace(2));
}
