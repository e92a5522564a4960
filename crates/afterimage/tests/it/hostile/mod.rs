//! Hostile input: records, stored items and `views.toml` as nobody should write them. Whatever comes,
//! nothing panics, nothing goes on without end, and nothing is taken for what it is not.

mod corpus;
mod mutation;
mod records;
mod service;
mod views;
