//! What a scenario is.

use crate::bounds::{Bounds, Extent};

/// A small history of the application.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// What was there before the stream began, and is in the index.
    pub before: &'static [Change],
    /// What the application does, in this order, at any time.
    pub script: &'static [Change],
    /// The bounds of the tests.
    pub quick: Bounds,
    /// The bounds of the command.
    pub standard: Bounds,
    /// The bounds of the command with `--deep`.
    pub deep: Bounds,
}

/// A change by the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The album of an artist is put.
    Album {
        /// The artist.
        artist: &'static str,
        /// Its genre.
        genre: Genre,
    },
    /// The album of an artist is deleted.
    DeleteAlbum {
        /// The artist.
        artist: &'static str,
    },
    /// A message is put, for the first time or again.
    Message {
        /// The conversation.
        group: &'static str,
        /// Its order key.
        at: &'static str,
        /// What rows copy.
        text: &'static str,
    },
    /// A message is deleted.
    DeleteMessage {
        /// The conversation.
        group: &'static str,
        /// Its order key.
        at: &'static str,
    },
    /// A row is put, where its key is free.
    Join {
        /// The member.
        owner: &'static str,
        /// The conversation.
        group: &'static str,
        /// Its sort key.
        at: &'static str,
    },
    /// A row is deleted, wherever it stands.
    Leave {
        /// The member.
        owner: &'static str,
        /// The conversation.
        group: &'static str,
    },
    /// An attribute of a row is changed or removed, wherever it stands.
    Edit {
        /// The member.
        owner: &'static str,
        /// The conversation.
        group: &'static str,
        /// The attribute.
        attribute: &'static str,
        /// Its value from now on.
        value: Option<&'static str>,
    },
}

/// What an album has as its genre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Genre {
    /// A text.
    Of(&'static str),
    /// Nothing.
    None,
    /// A list, which is no group: the record is parked.
    Unusable,
}

impl Scenario {
    /// The bounds for an extent.
    #[must_use]
    pub const fn bounds(&self, extent: Extent) -> Bounds {
        match extent {
            Extent::Quick => self.quick,
            Extent::Standard => self.standard,
            Extent::Deep => self.deep,
        }
    }
}
