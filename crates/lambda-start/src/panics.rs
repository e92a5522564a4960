//! The line that a panic leaves.

use std::panic::{self, PanicHookInfo};

/// Where panics are told.
pub(crate) const TARGET: &str = module_path!();

/// Makes a panic one line of the log, in place of text on standard error, which has no request's id and
/// may hold anything. The hook runs where the panic is, so that the line has the invocation's span.
pub(crate) fn tell() {
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(|it| format!("{}:{}", it.file(), it.line()));
        tracing::error!(location, error = reason(panic), "panicked");
    }));
}

/// What a panic says where that is a literal of `panic!` or `assert!`. One that was put together when it panicked may hold
/// an item: `expect` and `unwrap` of a `Result` show the error by its `Debug`.
fn reason(panic: &PanicHookInfo<'_>) -> Option<&'static str> {
    panic.payload().downcast_ref::<&'static str>().copied()
}
