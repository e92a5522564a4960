//! The command as people run it, and the repository as they find it.

mod commands;
mod program;
mod replay;
mod tidy;
mod up;
