//! The command: what is measured in which order, and where the results go.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

use std::process::ExitCode;

use crate::functions::{Program, Programs};
use crate::machine::Machine;
use crate::progress::Progress;
use crate::report::{Report, document, table};
use crate::{Arguments, BenchError, Output, Section, cold_start, decode, scaling, throughput};

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// How often everything is repeated.
struct Repetitions {
    cold_start: usize,
    throughput: usize,
    decode: usize,
}

impl Repetitions {
    fn of(is_quick: bool) -> Self {
        if is_quick {
            Self { cold_start: 10, throughput: 3, decode: 50 }
        } else {
            Self { cold_start: 20, throughput: 5, decode: 300 }
        }
    }
}

/// Runs the command until it is done, or Ctrl-C ends it and the processes that it started.
#[must_use]
pub fn execute(arguments: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime did not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        tokio::select! {
            result = Box::pin(run(arguments)) => Some(result),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    match result {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("error: {}", afterimage::reason(&error));
            ExitCode::FAILURE
        }
        None => ExitCode::from(INTERRUPTED),
    }
}

async fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let report = measure(arguments).await?;
    match arguments.output {
        Output::Table => println!("{}", table::text(&report)),
        Output::Json => println!("{}", serde_json::to_string_pretty(&report)?),
    }
    if arguments.save {
        document::save(&report)?;
        eprintln!("written: docs/benchmarks.json, docs/benchmarks.svg, docs/benchmarks.md");
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Report, BenchError> {
    let progress = Progress::new();
    let repetitions = Repetitions::of(arguments.quick);
    let mut report = Report::empty(Machine::here(), arguments.quick);
    if arguments.wants(Section::Decode) {
        report.decoding = decode::measure(repetitions.decode, &progress).await?;
    }
    if arguments.only == [Section::Decode] {
        return Ok(report);
    }
    progress.tell("building: cargo build --release --locked --package stream-processor");
    let afterimage = Program::rust().await?;
    progress.tell("installing the baseline's packages, where they are not");
    let programs = Programs { afterimage, python: Program::python().await? };
    if arguments.wants(Section::ColdStart) {
        let runs = repetitions.cold_start;
        report.cold_start = Some(cold_start::measure(&programs, runs, &progress).await?);
    }
    if arguments.wants(Section::Throughput) {
        for kind in arguments.workloads() {
            let runs = repetitions.throughput;
            let measured =
                throughput::measure(&programs, kind, runs, arguments.quick, &progress).await?;
            report.throughput.push(measured);
        }
    }
    if arguments.wants(Section::Scaling) {
        report.scaling = Some(scaling::measure(&programs, arguments.quick, &progress).await?);
    }
    Ok(report)
}
