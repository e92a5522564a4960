//! The command: which schedules are run, and what is said of them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::canary::Canary;
use crate::run::{RunError, run};
use crate::schedule::Schedule;
use crate::search::{Found, Search, search, search_until};
use crate::shrink::shrink;

const EXAMPLES: &str = "\
Examples:
  afterimage-sim --schedules 20000        20,000 schedules from a seed of the clock
  afterimage-sim --seed 7 --schedules 100 the schedules of the seeds 7 to 106
  afterimage-sim --seed 7 --trace         one schedule, and all that happened in it
  afterimage-sim --canary all             every planted bug, and how soon it is found

Exit codes: 0 nothing found (canaries: all found), 1 an invariant does not hold (a canary was
missed), 2 the simulation itself failed.";

/// How the results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Looks for a schedule in which derived items are not exact.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Arguments {
    /// The first seed; drawn from the clock and printed where it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// How many schedules are run, a seed each; for a canary the most that are tried
    #[arg(long)]
    schedules: Option<u64>,
    /// Prints what happens in the schedule of the seed
    #[arg(long, conflicts_with_all = ["schedules", "canary"])]
    trace: bool,
    /// Plants a bug, and sees whether it is found: its name, or `all`
    #[arg(long)]
    canary: Option<String>,
    /// Threads, a schedule at a time each; as many as there are processors where it is not given
    #[arg(long)]
    threads: Option<usize>,
    /// How the results are printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

/// Schedules that are tried for a canary, as in CI.
const CANARY_SCHEDULES: u64 = 2_000;

/// Runs the command.
#[must_use]
pub fn execute(arguments: &Arguments) -> ExitCode {
    let result = match (&arguments.canary, arguments.trace) {
        (Some(name), _) => run_canaries(arguments, name),
        (None, true) => trace(arguments),
        (None, false) => run_schedules(arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: the simulation failed: {}", afterimage::reason(&error));
            ExitCode::from(2)
        }
    }
}

fn first_seed(arguments: &Arguments) -> u64 {
    arguments.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| u64::from(now.subsec_nanos()) * 1_000_000 + now.as_secs() % 1_000_000)
    })
}

fn threads(arguments: &Arguments) -> usize {
    let available = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    arguments.threads.unwrap_or_else(available).max(1)
}

fn trace(arguments: &Arguments) -> Result<ExitCode, RunError> {
    let schedule = Schedule::of_seed(first_seed(arguments));
    let verdict = run(&schedule, None, true)?;
    verdict.trace.iter().for_each(|line| println!("{line}"));
    Ok(match &verdict.violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("{violation}");
            ExitCode::FAILURE
        }
    })
}

fn run_schedules(arguments: &Arguments) -> Result<ExitCode, RunError> {
    let first_seed = first_seed(arguments);
    let count = arguments.schedules.unwrap_or(1);
    let begin = Instant::now();
    let is_json = arguments.output == Output::Json;
    let bar = progress(count, is_json);
    let wanted = Search { first_seed, count, threads: threads(arguments), canary: None };
    let found = search_until(&wanted, &over_at_interrupt(), || bar.inc(1))?;
    bar.finish_and_clear();
    let seconds = begin.elapsed().as_secs_f64();
    let story = found.violation.as_ref().map(|(seed, _)| story(*seed, None)).transpose()?;
    if is_json {
        println!("{}", summary_json(&wanted, &found, seconds, story.as_ref()));
    } else {
        print_summary(&wanted, &found, seconds, story.as_deref());
    }
    Ok(if story.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A flag that Ctrl-C sets: the schedules in hand end, and what was found is printed.
fn over_at_interrupt() -> Arc<AtomicBool> {
    let is_over = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_over);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // Without a runtime Ctrl-C ends the program, as it does by default.
        if runtime.is_ok_and(|runtime| runtime.block_on(tokio::signal::ctrl_c()).is_ok()) {
            flag.store(true, Ordering::Relaxed);
        }
    });
    is_over
}

fn progress(count: u64, is_hidden: bool) -> ProgressBar {
    if is_hidden {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(count);
    let style = "{bar:40} {pos}/{len} schedules, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

/// What happens in the shrunk schedule of a seed.
fn story(seed: u64, canary: Option<Canary>) -> Result<Vec<String>, RunError> {
    let shrunk = shrink(&Schedule::of_seed(seed), canary)?;
    let mut lines = vec![format!(
        "shrunk to {} steps ({} before the deployment), faults in {} of 1,000 calls, delays up to {} ms",
        shrunk.steps.len(),
        shrunk.before.len(),
        shrunk.rates.per_mille,
        shrunk.rates.delay_ms_max
    )];
    let verdict = run(&shrunk, canary, true)?;
    lines.extend(verdict.trace);
    lines.extend(verdict.violation.map(|violation| format!("VIOLATION  {violation}")));
    Ok(lines)
}

fn print_summary(wanted: &Search, found: &Found, seconds: f64, story: Option<&[String]>) {
    println!(
        "{} schedules from seed {}: {} calls of the SDK, {} records, {seconds:.1} s",
        found.schedule_count, wanted.first_seed, found.call_count, found.record_count
    );
    println!("calls for each delivery: at most {:.1} in a schedule", found.calls_per_delivery_max);
    let outcomes: Vec<_> =
        found.outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
    println!("outcomes: {}", outcomes.join(", "));
    match (&found.violation, story) {
        (Some((seed, violation)), Some(story)) => {
            println!("seed {seed} violates {violation}\n");
            story.iter().for_each(|line| println!("{line}"));
            println!("\nsee it again: afterimage-sim --seed {seed}");
        }
        _ => println!("every invariant held"),
    }
}

fn summary_json(
    wanted: &Search,
    found: &Found,
    seconds: f64,
    story: Option<&Vec<String>>,
) -> Value {
    let violation = found.violation.as_ref().map(|(seed, violation)| {
        json!({
            "seed": seed,
            "invariant": violation.invariant,
            "what": violation.what,
            "story": story,
        })
    });
    json!({
        "first_seed": wanted.first_seed,
        "schedules": found.schedule_count,
        "calls": found.call_count,
        "records": found.record_count,
        "calls_per_delivery_max": found.calls_per_delivery_max,
        "outcomes": found.outcomes,
        "seconds": seconds,
        "violation": violation,
    })
}

fn run_canaries(arguments: &Arguments, name: &str) -> Result<ExitCode, RunError> {
    let canaries: Vec<_> =
        Canary::ALL.into_iter().filter(|canary| name == "all" || canary.name() == name).collect();
    if canaries.is_empty() {
        let names: Vec<_> = Canary::ALL.iter().map(|canary| canary.name()).collect();
        eprintln!("error: no canary is called `{name}`; there are all, {}", names.join(", "));
        return Ok(ExitCode::from(2));
    }
    let is_one = canaries.len() == 1;
    let mut rows = Vec::new();
    for canary in canaries {
        let wanted = Search {
            first_seed: arguments.seed.unwrap_or(0),
            count: arguments.schedules.unwrap_or(CANARY_SCHEDULES),
            threads: threads(arguments),
            canary: Some(canary),
        };
        let found = search(&wanted, || ())?;
        if arguments.output == Output::Text {
            println!("{}", canary_row(canary, &wanted, &found));
        }
        if let Some((seed, _)) = found.violation.as_ref().filter(|_| is_one) {
            story(*seed, Some(canary))?.iter().for_each(|line| println!("{line}"));
        }
        rows.push((canary, wanted, found));
    }
    if arguments.output == Output::Json {
        let rows = rows.iter().map(|(canary, wanted, found)| {
            let caught = found.violation.as_ref().map(|(seed, violation)| {
                json!({ "seed": seed, "after": seed - wanted.first_seed + 1, "invariant": violation.invariant })
            });
            json!({ "canary": canary.name(), "caught": caught })
        });
        println!("{}", Value::from(rows.collect::<Vec<_>>()));
    }
    let is_any_missed = rows.iter().any(|(_, _, found)| found.violation.is_none());
    Ok(if is_any_missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn canary_row(canary: Canary, wanted: &Search, found: &Found) -> String {
    match &found.violation {
        Some((seed, violation)) => {
            let after = seed - wanted.first_seed + 1;
            let what: String = violation.what.chars().take(90).collect();
            format!(
                "{:<26} caught after {after:>4} schedules  {}: {what}",
                canary.name(),
                violation.invariant
            )
        }
        None => format!("{:<26} MISSED in {} schedules", canary.name(), found.schedule_count),
    }
}
