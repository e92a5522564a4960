//! What a replay consumed.

use std::fmt;

use afterimage_dynamodb::BatchReport;
use serde_json::{Value, json};

/// The units of all batches.
#[derive(Debug, Default)]
pub struct Consumed {
    record_count: u32,
    read_units: f64,
    write_units: f64,
}

impl Consumed {
    /// Adds a batch.
    pub fn add(&mut self, report: &BatchReport) {
        let records = u32::try_from(report.records.len()).unwrap_or(u32::MAX);
        self.record_count = self.record_count.saturating_add(records);
        self.read_units += report.consumption.read_units;
        self.write_units += report.consumption.write_units;
    }

    /// As JSON; without records, `write_units_per_record` is null.
    pub fn document(&self) -> Value {
        json!({
            "read_units": self.read_units,
            "write_units": self.write_units,
            "write_units_per_record": self.write_units_per_record(),
        })
    }

    fn write_units_per_record(&self) -> Option<f64> {
        (self.record_count > 0).then(|| self.write_units / f64::from(self.record_count))
    }
}

impl fmt::Display for Consumed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} write units", self.write_units)?;
        if let Some(units) = self.write_units_per_record() {
            write!(formatter, " ({units:.2} per record)")?;
        }
        write!(formatter, ", {} read units", self.read_units)
    }
}
