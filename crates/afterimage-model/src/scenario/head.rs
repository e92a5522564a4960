//! Scenarios of the head.

use super::Change::{DeleteMessage, Edit, Join, Leave, Message};
use super::Scenario;
use crate::bounds::Bounds;

const ALONE: Bounds = Bounds { batch: 1, ..Bounds::FEW };
const QUICK: Bounds = Bounds::FEW;
const STANDARD: Bounds = Bounds { lost: 1, ..Bounds::FEW };
const SMALL: Bounds = Bounds { duplicates: 1, contended: 1, reads_apart: true, ..STANDARD };
const DEEP: Bounds = Bounds { duplicates: 1, ..STANDARD };

pub(super) static MESSAGE_AND_ROW: Scenario = Scenario {
    name: "message-and-row",
    about: "a member joins, a message follows",
    before: &[],
    script: &[
        Join { owner: "o1", group: "g1", at: "t1" },
        Message { group: "g1", at: "t2", text: "one" },
    ],
    quick: Bounds { lost: 1, ..QUICK },
    standard: Bounds { contended: 1, duplicates: 1, ..STANDARD },
    deep: SMALL,
};

pub(super) static OUT_OF_ORDER: Scenario = Scenario {
    name: "out-of-order",
    about: "two messages in any order, and a row",
    before: &[],
    script: &[
        Join { owner: "o1", group: "g1", at: "t1" },
        Message { group: "g1", at: "t2", text: "one" },
        Message { group: "g1", at: "t3", text: "two" },
    ],
    quick: ALONE,
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static EDITED_NEWEST: Scenario = Scenario {
    name: "edited-newest",
    about: "the newest message is edited while the row moves to it",
    before: &[Join { owner: "o1", group: "g1", at: "t1" }],
    script: &[
        Message { group: "g1", at: "t2", text: "one" },
        Message { group: "g1", at: "t2", text: "two" },
        Message { group: "g1", at: "t2", text: "three" },
    ],
    quick: ALONE,
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static JOINS_AHEAD: Scenario = Scenario {
    name: "joins-ahead",
    about: "a member joins with a row newer than every message, and one with a row at the newest",
    before: &[],
    script: &[
        Message { group: "g1", at: "t2", text: "one" },
        Join { owner: "o1", group: "g1", at: "t9" },
        Join { owner: "o2", group: "g1", at: "t2" },
    ],
    quick: ALONE,
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static LEAVES: Scenario = Scenario {
    name: "leaves",
    about: "of two members one leaves while both rows move",
    before: &[
        Join { owner: "o1", group: "g1", at: "t1" },
        Join { owner: "o2", group: "g1", at: "t1" },
    ],
    script: &[Message { group: "g1", at: "t2", text: "one" }, Leave { owner: "o1", group: "g1" }],
    quick: QUICK,
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static LEAVES_AND_RETURNS: Scenario = Scenario {
    name: "leaves-and-returns",
    about: "a row is deleted while it moves, and put again at its old key",
    before: &[Join { owner: "o1", group: "g1", at: "t1" }],
    script: &[
        Message { group: "g1", at: "t2", text: "one" },
        Leave { owner: "o1", group: "g1" },
        Join { owner: "o1", group: "g1", at: "t1" },
    ],
    quick: QUICK,
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static RETURNS_IN_PLACE: Scenario = Scenario {
    name: "returns-in-place",
    about: "a row is deleted and put again where it stood, just as the next message moves it",
    before: &[Join { owner: "o1", group: "g1", at: "t2" }],
    script: &[
        Message { group: "g1", at: "t2", text: "joined" },
        Leave { owner: "o1", group: "g1" },
        Message { group: "g1", at: "t3", text: "two" },
        Join { owner: "o1", group: "g1", at: "t2" },
    ],
    quick: Bounds { crashes: 0, ..ALONE },
    standard: ALONE,
    deep: QUICK,
};

pub(super) static EQUAL_TIMES: Scenario = Scenario {
    name: "equal-times",
    about: "two conversations of one member have newest messages of the same time",
    before: &[
        Join { owner: "o1", group: "g1", at: "t1" },
        Join { owner: "o1", group: "g2", at: "t2" },
    ],
    script: &[
        Message { group: "g1", at: "t5", text: "one" },
        Message { group: "g2", at: "t5", text: "two" },
    ],
    quick: QUICK,
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static ROW_EDITED: Scenario = Scenario {
    name: "row-edited",
    about: "the application changes an attribute of a row while it moves, and adds a declared one",
    before: &[Join { owner: "o1", group: "g1", at: "t1" }],
    script: &[
        Message { group: "g1", at: "t2", text: "one" },
        Edit { owner: "o1", group: "g1", attribute: "note", value: Some("second") },
        Edit { owner: "o1", group: "g1", attribute: "pinned", value: Some("yes") },
    ],
    quick: Bounds { crashes: 0, ..QUICK },
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static ATTRIBUTE_REMOVED: Scenario = Scenario {
    name: "attribute-removed",
    about: "the application removes an attribute of a row while it moves, and copies are restored",
    before: &[Join { owner: "o1", group: "g1", at: "t1" }],
    script: &[
        Message { group: "g1", at: "t2", text: "one" },
        Edit { owner: "o1", group: "g1", attribute: "note", value: None },
        Edit { owner: "o1", group: "g1", attribute: "message", value: Some("forged") },
    ],
    quick: Bounds { crashes: 0, ..ALONE },
    standard: QUICK,
    deep: STANDARD,
};

pub(super) static STALE_INDEX: Scenario = Scenario {
    name: "stale-index",
    about: "the index shows a row that left, and misses one that came",
    before: &[Join { owner: "o1", group: "g1", at: "t1" }],
    script: &[
        Leave { owner: "o1", group: "g1" },
        Join { owner: "o1", group: "g1", at: "t4" },
        Message { group: "g1", at: "t2", text: "one" },
    ],
    quick: QUICK,
    standard: STANDARD,
    deep: DEEP,
};

pub(super) static OLDER_THAN_STREAM: Scenario = Scenario {
    name: "older-than-stream",
    about: "messages and a row were there before; the newest is edited",
    before: &[
        Message { group: "g1", at: "t2", text: "one" },
        Message { group: "g1", at: "t3", text: "two" },
        Join { owner: "o1", group: "g1", at: "t1" },
    ],
    script: &[
        Message { group: "g1", at: "t3", text: "three" },
        Message { group: "g1", at: "t2", text: "four" },
        Join { owner: "o2", group: "g1", at: "t1" },
    ],
    quick: Bounds { crashes: 0, ..ALONE },
    standard: QUICK,
    deep: STANDARD,
};

pub(super) static DELETED_NEWEST: Scenario = Scenario {
    name: "deleted-newest",
    about: "the newest message is deleted, which changes nothing",
    before: &[Join { owner: "o1", group: "g1", at: "t1" }],
    script: &[
        Message { group: "g1", at: "t2", text: "one" },
        Message { group: "g1", at: "t3", text: "two" },
        DeleteMessage { group: "g1", at: "t3" },
    ],
    quick: ALONE,
    standard: STANDARD,
    deep: DEEP,
};
