//! The engine against the embedded DynamoDB, through the real SDK and the emulator's own streams.

mod batches;
mod counts;
mod faults;
mod histories;
mod rows;
mod world;
