//! Bugs that are planted inside the engine on purpose, to see that the simulation finds them: those
//! that nothing between the engine and its surroundings can imitate.
//!
//! Without the feature `canary`, which only the simulation asks for, nothing can be planted, and the
//! compiler removes every trace of it.

/// A bug that is planted inside the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InnerCanary {
    /// A record is applied whatever the ledger says of newer ones.
    NoVersionCheck,
    /// A row that already follows is written again when its own echo arrives.
    EchoNotRecognised,
    /// A negative number is rendered without its sign: two groups become one.
    GroupRenderedWrong,
}

#[cfg(feature = "canary")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<InnerCanary>> = const { std::cell::Cell::new(None) };
}

/// Plants a canary on this thread, in place of the one that was there.
#[cfg(feature = "canary")]
pub fn plant(canary: Option<InnerCanary>) {
    PLANTED.set(canary);
}

/// Whether this canary is planted on this thread.
#[cfg(feature = "canary")]
#[must_use]
pub fn is_planted(canary: InnerCanary) -> bool {
    PLANTED.get() == Some(canary)
}

/// Whether this canary is planted: never, without the feature.
#[cfg(not(feature = "canary"))]
#[must_use]
pub const fn is_planted(_canary: InnerCanary) -> bool {
    false
}
