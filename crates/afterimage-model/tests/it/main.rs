//! The model, explored within small bounds, and shown to see what is deliberately wrong.

mod exhaustive;
mod sabotage;
