//! What was measured, and what is made of it.

pub mod document;
pub mod plot;
pub mod table;
mod target;

use serde::Serialize;

use crate::cold_start::ColdStart;
use crate::decode::Decoding;
use crate::machine::Machine;
use crate::scaling::Scaling;
use crate::throughput::Throughput;

pub use target::{Bound, Target};

/// All figures of a run; a section that was not run is absent, or empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The machine, and the day.
    pub machine: Machine,
    /// Whether less was run than usual.
    pub is_quick: bool,
    /// Cold start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cold_start: Option<ColdStart>,
    /// Throughput, by workload.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub throughput: Vec<Throughput>,
    /// Decoding, by workload.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decoding: Vec<Decoding>,
    /// Scaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
}

impl Report {
    /// Nothing measured yet.
    #[must_use]
    pub fn empty(machine: Machine, is_quick: bool) -> Self {
        Self {
            machine,
            is_quick,
            cold_start: None,
            throughput: Vec::new(),
            decoding: Vec::new(),
            scaling: None,
        }
    }

    /// Everything that was aimed at, section by section.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let cold_start = self.cold_start.iter().flat_map(|it| &it.targets);
        let throughput = self.throughput.iter().flat_map(|it| &it.targets);
        let decoding = self.decoding.iter().flat_map(|it| &it.targets);
        let scaling = self.scaling.iter().flat_map(|it| &it.targets);
        cold_start.chain(throughput).chain(decoding).chain(scaling)
    }
}
