//! The contract between a view kind and the engine that reads and writes for it.

mod opening;
mod parking_task;
mod task;

pub use opening::{Opening, Routed, Settled};
pub use parking_task::ParkingTask;
pub use task::{Answer, Committed, Parking, Read, Refusal, Step, Task};
