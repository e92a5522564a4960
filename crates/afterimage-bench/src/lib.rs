//! The benchmark. Every figure is a ratio of two things that the same run measured on the same machine,
//! in turn; what was aimed at stands beside it. Nothing here is asserted: `docs/benchmarks.md` tells
//! what was measured, and what is missed.

mod arguments;
pub mod cold_start;
pub mod decode;
pub mod engine;
mod error;
pub mod floor;
pub mod functions;
pub mod machine;
pub mod progress;
pub mod report;
mod run;
pub mod scaling;
pub mod statistics;
pub mod throughput;
pub mod workload;

pub use arguments::{Arguments, Output, Section};
pub use error::BenchError;
pub use run::execute;
