//! Support for tests. It depends on no crate of the engine, so that a test compares the engine with
//! something else than itself.

pub mod oracle;
