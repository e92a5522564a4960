//! What can be asked of the benchmark.

use clap::{Parser, ValueEnum};

use crate::workload::Kind;

const EXAMPLES: &str = "\
Examples:
  cargo bench -p afterimage-bench                                all of it, in about 20 minutes
  cargo bench -p afterimage-bench -- --quick                     less of each
  cargo bench -p afterimage-bench -- --only decode               one section
  cargo bench -p afterimage-bench -- --only throughput --workload new-albums
  cargo bench -p afterimage-bench -- --save                      and write docs/benchmarks.*
  cargo bench -p afterimage-bench -- --quick --output json

Needs the Rust toolchain, and python3 with pip for the baseline's packages. Run it on a machine that
does nothing else.";

/// How the results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For machines.
    Json,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Section {
    /// From the spawn of the process to its first write
    ColdStart,
    /// Records a second and write units, beside Python and the floor
    Throughput,
    /// Decoding and planning, beside the JSON parser
    Decode,
    /// Time and memory from a thousand records to a million
    Scaling,
}

/// Measures the stream processor against a Python function, the least that can be sent, and the JSON
/// parser, all in the same run.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo bench -p afterimage-bench --", about, after_help = EXAMPLES)]
pub struct Arguments {
    /// Fewer runs, fewer records, and not the longest lines
    #[arg(long)]
    pub quick: bool,
    /// Only this section; may be given several times
    #[arg(long, value_enum, value_name = "SECTION", conflicts_with = "save")]
    pub only: Vec<Section>,
    /// Only this workload of the throughput; may be given several times
    #[arg(long, value_enum, value_name = "WORKLOAD", conflicts_with = "save")]
    pub workload: Vec<Kind>,
    /// How the results are printed
    #[arg(long, value_enum, default_value = "table")]
    pub output: Output,
    /// Writes docs/benchmarks.json, docs/benchmarks.svg and the tables of docs/benchmarks.md
    #[arg(long)]
    pub save: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Arguments {
    /// Whether the section is to be run.
    #[must_use]
    pub fn wants(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }

    /// The workloads whose throughput is to be measured.
    pub fn workloads(&self) -> impl Iterator<Item = Kind> {
        let is_wanted = |kind: &Kind| self.workload.is_empty() || self.workload.contains(kind);
        Kind::ALL.into_iter().filter(is_wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_chosen_and_cargos_own_flag_is_taken() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        let all = parse("bench --bench").expect("arguments");
        assert!(all.wants(Section::Decode) && all.wants(Section::Scaling));
        let one = parse("bench --only decode --bench").expect("arguments");
        assert!(one.wants(Section::Decode) && !one.wants(Section::Scaling));
        assert_eq!(all.workloads().count(), Kind::ALL.len());
        let one = parse("bench --workload new-albums").expect("arguments");
        assert_eq!(one.workloads().collect::<Vec<_>>(), [Kind::NewAlbums]);
        assert!(parse("bench --only decode --save").is_err(), "a part is not saved as the whole");
    }
}
