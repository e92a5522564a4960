//! The simulation in CI, and the simulation itself under test.

mod canaries;
mod faults;
mod schedules;
mod traces;
