//! The command: explores scenarios, and prints a table.

use std::io::Write;

use clap::Parser;

use crate::bounds::Extent;
use crate::deployment::DeploymentError;
use crate::sabotage::Sabotage;
use crate::scenario::{SCENARIOS, Scenario};
use crate::verdict::{Finding, Verdict, check};

const EXAMPLES: &str = "\
Examples:
  cargo run -p afterimage-model --release
  cargo run -p afterimage-model --release -- --scenario row-edited --deep
  cargo run -p afterimage-model -- --quick

Exit codes: 0 every state within the bounds is well, 1 one is not, 2 wrong usage.";

/// Explores the protocols of Afterimage, every state within bounds.
#[derive(Debug, Parser)]
#[command(name = "afterimage-model", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Arguments {
    /// Explore this scenario only; may be given several times.
    #[arg(long = "scenario", value_name = "NAME", value_parser = scenario)]
    scenarios: Vec<&'static Scenario>,
    /// Explore larger bounds: hours, and many gigabytes of memory, for some scenarios.
    #[arg(long, conflicts_with = "quick")]
    deep: bool,
    /// Explore the bounds of the tests: seconds.
    #[arg(long)]
    quick: bool,
}

/// Why the command stopped.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The shipped tables and views cannot be used.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The table cannot be printed.
    #[error("the table cannot be printed")]
    Output(#[from] std::io::Error),
}

fn scenario(name: &str) -> Result<&'static Scenario, String> {
    Scenario::named(name).ok_or_else(|| {
        let names: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        format!("there is no such scenario; there are {}", names.join(", "))
    })
}

/// Explores what the arguments say, and prints a line for each scenario; whether all is well.
///
/// # Errors
/// Where nothing can be explored or printed.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<bool, CommandError> {
    let extent = match (arguments.quick, arguments.deep) {
        (true, _) => Extent::Quick,
        (false, true) => Extent::Deep,
        (false, false) => Extent::Standard,
    };
    let scenarios = match arguments.scenarios.as_slice() {
        [] => SCENARIOS.as_slice(),
        chosen => chosen,
    };
    let mut is_well = true;
    let mut state_count = 0;
    writeln!(
        output,
        "{:<20} {:>10} {:<56} {:>11} {:>8}  verdict",
        "scenario", "processors", "bounds", "states", "seconds"
    )?;
    for scenario in scenarios {
        let verdict = check(scenario, scenario.bounds(extent), Sabotage::None)?;
        state_count += verdict.state_count;
        is_well &= verdict.is_exhausted;
        write_verdict(scenario, extent, &verdict, output)?;
    }
    writeln!(output, "{state_count} states in all")?;
    Ok(is_well)
}

fn write_verdict(
    scenario: &Scenario,
    extent: Extent,
    verdict: &Verdict,
    output: &mut impl Write,
) -> std::io::Result<()> {
    let bounds = scenario.bounds(extent);
    let word = match (verdict.findings.is_empty(), verdict.is_exhausted) {
        (true, true) => "holds, all states visited",
        (true, false) => "CUT SHORT",
        (false, _) => "VIOLATED",
    };
    writeln!(
        output,
        "{:<20} {:>10} {:<56} {:>11} {:>8.1}  {word}",
        scenario.name,
        bounds.processors,
        bounds.to_string(),
        verdict.state_count,
        verdict.took.as_secs_f64(),
    )?;
    verdict.findings.iter().try_for_each(|finding| write_finding(finding, output))
}

fn write_finding(finding: &Finding, output: &mut impl Write) -> std::io::Result<()> {
    writeln!(output, "\n  {}\n  but: {}", finding.property.sentence(), finding.fault)?;
    for (number, turn) in finding.story.iter().enumerate() {
        writeln!(output, "  {:>3}. {turn}", number + 1)?;
    }
    writeln!(output)
}
