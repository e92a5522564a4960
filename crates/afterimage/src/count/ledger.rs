//! The ledger: one entry per view and source item.
//!
//! | attribute | value |
//! |---|---|
//! | `pk` | `ledger#<view>#<SHA-256 of the source key>` |
//! | `sk` | `entry` |
//! | `source_key` | the source item's key attributes, readable |
//! | `stream_label`, `sequence_number` | the version of the newest applied record |
//! | `standing` | `counted`, `uncounted`, `removed` or `parked` |
//! | `group` | the group that the item is counted in, where it is |

use afterimage_schema::TableDefinition;

use crate::attribute_value::{AttributeValue, Item};
use crate::group_name::GroupName;
use crate::key::ItemKey;
use crate::keys::{DerivedKey, ENTRY_SORT};
use crate::version::{Version, VersionError};
use crate::write::{Action, Clause, Write};

/// How a source item stands in a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is counted in this group.
    Counted {
        /// The group.
        group: GroupName,
    },
    /// It exists and adds nothing.
    Uncounted,
    /// It was deleted: a tombstone, so that an older record cannot bring it back.
    Removed,
    /// Its newest record is parked, and adds nothing.
    Parked,
}

impl Standing {
    /// The group that it is counted in.
    #[must_use]
    pub fn group(&self) -> Option<&GroupName> {
        match self {
            Standing::Counted { group } => Some(group),
            Standing::Uncounted | Standing::Removed | Standing::Parked => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Standing::Counted { .. } => "counted",
            Standing::Uncounted => "uncounted",
            Standing::Removed => "removed",
            Standing::Parked => "parked",
        }
    }
}

/// An entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version of the newest applied record.
    pub version: Version,
    /// How the source item stands since.
    pub standing: Standing,
}

/// Why an item is no ledger entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// An attribute is missing, or not of its type.
    #[error("the ledger entry has no usable `{attribute}`")]
    Attribute {
        /// The attribute.
        attribute: &'static str,
    },
    /// The version is none.
    #[error("the ledger entry has no version")]
    Version(#[from] VersionError),
}

/// The key of the entry of a source item.
pub(super) fn key(view_name: &str, source_key: &ItemKey) -> ItemKey {
    DerivedKey::Entry { view: view_name, source: source_key }.key()
}

impl Entry {
    /// Reads an entry.
    ///
    /// # Errors
    /// [`LedgerError`] for an item that is none.
    pub fn from_item(item: &Item) -> Result<Self, LedgerError> {
        let text = |attribute| {
            item.get(attribute)
                .and_then(AttributeValue::as_string)
                .ok_or(LedgerError::Attribute { attribute })
        };
        let version = Version {
            stream_label: text("stream_label")?.parse()?,
            sequence_number: text("sequence_number")?.parse()?,
        };
        let standing = match text("standing")? {
            "counted" => Standing::Counted {
                group: text("group")?
                    .parse()
                    .map_err(|_| LedgerError::Attribute { attribute: "group" })?,
            },
            "uncounted" => Standing::Uncounted,
            "removed" => Standing::Removed,
            "parked" => Standing::Parked,
            _ => {
                return Err(LedgerError::Attribute { attribute: "standing" });
            }
        };
        Ok(Self { version, standing })
    }

    /// The entry's attributes, keys aside.
    fn attributes(&self) -> Item {
        let mut attributes: Item = [
            ("stream_label", self.version.stream_label.as_str()),
            ("sequence_number", self.version.sequence_number.as_str()),
            ("standing", self.standing.name()),
        ]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), AttributeValue::string(text)))
        .collect();
        if let Some(group) = self.standing.group() {
            attributes.insert("group".to_owned(), AttributeValue::string(group.as_str()));
        }
        attributes
    }

    /// Puts the entry, on condition that what stands there is still what was read: its version and
    /// its contribution.
    #[must_use]
    pub fn write(
        &self,
        view_name: &str,
        definition: &TableDefinition,
        source_key: &ItemKey,
        read: Option<&Entry>,
    ) -> Write {
        let key = key(view_name, source_key);
        let mut item = self.attributes();
        item.insert("pk".to_owned(), key.partition.to_attribute_value());
        item.insert("sk".to_owned(), AttributeValue::string(ENTRY_SORT));
        item.insert("source_key".to_owned(), AttributeValue::M(source_key.to_item(definition)));
        let conditions = match read {
            None => vec![Clause::Missing("pk".to_owned())],
            Some(read) => {
                let attributes = read.attributes();
                let no_group = (!attributes.contains_key("group"))
                    .then(|| Clause::Missing("group".to_owned()));
                let equals = |(name, value)| Clause::Equals(name, value);
                attributes.into_iter().map(equals).chain(no_group).collect()
            }
        };
        Write { key, action: Action::Put(item), conditions, read_byte_count: 0 }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::tests::orders;
    use crate::version::tests::version;

    fn any_entry() -> impl Strategy<Value = Entry> {
        let standing = prop_oneof![
            ".{1,9}".prop_map(|group| Standing::Counted { group: group.parse().expect("a name") }),
            Just(Standing::Uncounted),
            Just(Standing::Removed),
            Just(Standing::Parked),
        ];
        (any::<u64>(), standing).prop_map(|(number, standing)| Entry {
            version: version("2026-01-01T00:00:00.5", &number.to_string()),
            standing,
        })
    }

    proptest! {
        #[test]
        fn entries_survive_their_item(entry in any_entry(), read in proptest::option::of(any_entry())) {
            let key = ItemKey::strings(orders().table, "ada", "7");
            let write = entry.write("order-counts", &orders(), &key, read.as_ref());
            let Action::Put(item) = &write.action else { panic!("an entry is put whole") };
            prop_assert_eq!(Entry::from_item(item), Ok(entry));
        }
    }

    #[test]
    fn an_item_that_is_no_entry_is_refused() {
        let error = Entry::from_item(&Item::new()).expect_err("no entry");
        assert_eq!(error, LedgerError::Attribute { attribute: "stream_label" });
    }
}
