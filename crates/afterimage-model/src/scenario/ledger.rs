//! Scenarios of the ledger.

use super::Change::{Album, DeleteAlbum};
use super::{Genre, Scenario};
use crate::bounds::Bounds;

const ROCK: Genre = Genre::Of("Rock");
const JAZZ: Genre = Genre::Of("Jazz");

const QUICK: Bounds = Bounds { lost: 1, ..Bounds::FEW };
const STANDARD: Bounds = Bounds { duplicates: 1, lost: 1, contended: 1, ..Bounds::FEW };
const DEEP: Bounds = Bounds { duplicates: 2, lost: 2, reads_apart: true, ..STANDARD };

pub(super) static ONE_ALBUM: Scenario = Scenario {
    name: "one-album",
    about: "inserted, another genre, deleted, inserted again",
    before: &[],
    script: &[
        Album { artist: "a", genre: ROCK },
        Album { artist: "a", genre: JAZZ },
        DeleteAlbum { artist: "a" },
        Album { artist: "a", genre: ROCK },
    ],
    quick: Bounds { crashes: 0, ..QUICK },
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static ONE_GENRE: Scenario = Scenario {
    name: "one-genre",
    about: "two albums of one genre, one of them leaves it",
    before: &[],
    script: &[
        Album { artist: "a", genre: ROCK },
        Album { artist: "b", genre: ROCK },
        Album { artist: "a", genre: Genre::None },
    ],
    quick: QUICK,
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static LATE_INSERT: Scenario = Scenario {
    name: "late-insert",
    about: "a tombstone, and an insert that may come after it",
    before: &[],
    script: &[Album { artist: "a", genre: ROCK }, DeleteAlbum { artist: "a" }],
    quick: Bounds { duplicates: 1, contended: 1, ..QUICK },
    standard: Bounds { duplicates: 2, crashes: 2, lost: 2, ..STANDARD },
    deep: Bounds { duplicates: 3, crashes: 2, lost: 2, contended: 2, ..DEEP },
};

pub(super) static GENRES_CROSSED: Scenario = Scenario {
    name: "genres-crossed",
    about: "two albums change places between two genres",
    before: &[],
    script: &[
        Album { artist: "a", genre: ROCK },
        Album { artist: "b", genre: JAZZ },
        Album { artist: "a", genre: JAZZ },
        Album { artist: "b", genre: ROCK },
    ],
    quick: Bounds { crashes: 0, ..QUICK },
    standard: Bounds { lost: 1, ..Bounds::FEW },
    deep: STANDARD,
};

pub(super) static PARKED: Scenario = Scenario {
    name: "parked",
    about: "a genre, then one that is none and is parked, then a good one",
    before: &[],
    script: &[
        Album { artist: "a", genre: ROCK },
        Album { artist: "a", genre: Genre::Unusable },
        Album { artist: "a", genre: JAZZ },
    ],
    quick: Bounds { crashes: 0, ..QUICK },
    standard: STANDARD,
    deep: DEEP,
};
