//! Hostile input: records, stored items and `views.toml` as nobody should write them. Whatever comes,
//! nothing panics, nothing goes on without end, and nothing is taken for what it is not.

mod corpus;
mod mutation;
mod records;
mod service;
mod views;

use proptest::prelude::ProptestConfig;

/// So many cases, or more where `PROPTEST_CASES` asks for more. Cases found go into the corpus, by hand.
fn at_least(cases: u32) -> ProptestConfig {
    let asked_for = ProptestConfig::default();
    ProptestConfig { cases: cases.max(asked_for.cases), failure_persistence: None, ..asked_for }
}
