//! The task of records that can only be parked.

use super::task::{Answer, Committed, Parking, Read, Step, Task};
use crate::outcome::Outcome;

/// Parks records, and does nothing else.
#[derive(Debug)]
pub struct ParkingTask {
    parkings: Vec<Parking>,
    is_parked: bool,
}

impl ParkingTask {
    /// A task that parks these records.
    #[must_use]
    pub fn new(parkings: Vec<Parking>) -> Self {
        Self { parkings, is_parked: false }
    }
}

impl Task for ParkingTask {
    fn next(&mut self) -> Step {
        if self.is_parked { Step::Done } else { Step::Park(self.parkings.clone()) }
    }

    fn answered(&mut self, _answers: Vec<(Read, Answer)>) {}

    fn committed(&mut self, _results: Vec<Committed>) {}

    fn parked(&mut self) {
        self.is_parked = true;
    }

    fn outcomes(&self) -> Vec<(usize, Option<Outcome>)> {
        let outcome = self.is_parked.then_some(Outcome::Parked);
        self.parkings.iter().map(|parking| (parking.index, outcome)).collect()
    }
}
