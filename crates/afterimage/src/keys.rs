//! Every key in the `derived` table that is the engine's own.
//!
//! | key | holds | can be computed again |
//! |---|---|---|
//! | `registry` / `views` | which views are maintained, and by which definition | no |
//! | `registry` / `definition#<fingerprint>` | a definition, as JSON | no |
//! | `ledger#<view>#<SHA-256 of the source key>` / `entry` | what a source item contributes | from the source items |
//! | `head#<view>#<group>` / `head`, `rows#<number>` | the newest of a group, and where its rows are | from the source items |
//! | `parked#<view>#<place>` / `<part>#<piece>` | a record that cannot be applied | no |
//! | `verify#<view>` / `result` | what the last verification found | by another verification |
//!
//! Derived items stand under the keys that a view's `target` gives them. [`RESERVED_PREFIXES`] keeps the two
//! apart.

use afterimage_schema::Table;

use crate::key::ItemKey;

/// What partition keys of the engine's own items begin with; no view's target may begin so. Of `@`, `view#`,
/// `backfill#` and `values#` there is no item yet: they are kept for further generations of a view.
pub const RESERVED_PREFIXES: [&str; 9] =
    ["@", "registry", "view#", "ledger#", "head#", "parked#", "verify#", "backfill#", "values#"];

/// The sort key of every ledger entry.
pub const ENTRY_SORT: &str = "entry";

/// The sort key of what the last verification of a view found.
pub const VERIFIED_SORT: &str = "result";

/// An item of the engine's own, by what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DerivedKey<'a> {
    /// Which views are maintained.
    Registry,
    /// A definition.
    Definition {
        /// Its fingerprint, in hexadecimal.
        fingerprint: &'a str,
    },
    /// What a source item contributes to a view.
    Entry {
        /// The view.
        view: &'a str,
        /// The source item's key.
        source: &'a ItemKey,
    },
    /// The head of a group.
    Head {
        /// The view.
        view: &'a str,
        /// The group.
        group: &'a str,
    },
    /// A chunk of a group's rows.
    Rows {
        /// The view.
        view: &'a str,
        /// The group.
        group: &'a str,
        /// The chunk's number, from 1.
        number: u64,
    },
    /// A piece of a parked record.
    Parked {
        /// The record's partition key.
        partition: &'a str,
        /// The hash of the part of the record that is parked, if it is not all of it.
        part: Option<&'a str>,
        /// The piece's number, from 0.
        piece: usize,
    },
    /// What the last verification of a view found.
    Verified {
        /// The view.
        view: &'a str,
    },
}

impl DerivedKey<'_> {
    /// The item's key.
    #[must_use]
    pub fn key(&self) -> ItemKey {
        let (partition, sort) = match self {
            DerivedKey::Registry => ("registry".to_owned(), "views".to_owned()),
            DerivedKey::Definition { fingerprint } => {
                ("registry".to_owned(), format!("definition#{fingerprint}"))
            }
            DerivedKey::Entry { view, source } => {
                (format!("{}{}", ledger_prefix(view), source.sha256_hex()), ENTRY_SORT.to_owned())
            }
            DerivedKey::Head { view, group } => {
                (format!("{}{group}", head_prefix(view)), "head".to_owned())
            }
            DerivedKey::Rows { view, group, number } => {
                (format!("{}{group}", head_prefix(view)), format!("rows#{number:04}"))
            }
            DerivedKey::Parked { partition, part: None, piece } => {
                ((*partition).to_owned(), format!("{piece:04}"))
            }
            DerivedKey::Parked { partition, part: Some(part), piece } => {
                ((*partition).to_owned(), format!("{part}#{piece:04}"))
            }
            DerivedKey::Verified { view } => (format!("verify#{view}"), VERIFIED_SORT.to_owned()),
        };
        ItemKey::strings(Table::DERIVED, partition, sort)
    }
}

/// What partition keys of a view's ledger begin with.
#[must_use]
pub fn ledger_prefix(view: &str) -> String {
    format!("ledger#{view}#")
}

/// What partition keys of a view's heads begin with.
#[must_use]
pub fn head_prefix(view: &str) -> String {
    format!("head#{view}#")
}

/// What partition keys of the records that a view parked begin with.
#[must_use]
pub fn parked_prefix(view: &str) -> String {
    format!("parked#{view}#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_reserved_and_stays_as_it_is() {
        let source = ItemKey::strings(Table::literal("orders"), "ada", "7");
        let hash = source.sha256_hex();
        let parked = parked_prefix("v") + "2026-01-01T00:00:00#7";
        for (key, expected) in [
            (DerivedKey::Registry, "registry / views".to_owned()),
            (
                DerivedKey::Definition { fingerprint: "00ff" },
                "registry / definition#00ff".to_owned(),
            ),
            (DerivedKey::Entry { view: "v", source: &source }, format!("ledger#v#{hash} / entry")),
            (DerivedKey::Head { view: "v", group: "g" }, "head#v#g / head".to_owned()),
            (
                DerivedKey::Rows { view: "v", group: "g", number: 1 },
                "head#v#g / rows#0001".to_owned(),
            ),
            (
                DerivedKey::Parked { partition: &parked, part: None, piece: 0 },
                format!("{parked} / 0000"),
            ),
            (
                DerivedKey::Parked { partition: &parked, part: Some("ab"), piece: 12 },
                format!("{parked} / ab#0012"),
            ),
            (DerivedKey::Verified { view: "v" }, "verify#v / result".to_owned()),
        ] {
            let key = key.key();
            assert_eq!(key.to_string(), expected);
            let partition = key.partition.as_string().expect("a string");
            assert!(RESERVED_PREFIXES.iter().any(|prefix| partition.starts_with(prefix)));
        }
    }
}
