//! Heads and chunks: which source item is the newest of a group, and where the rows of it stand.
//!
//! The head has `pk` = `head#<view>#<group>` and `sk` = `head`; further chunks of owners have the
//! same `pk` and `sk` = `rows#0001` and so on.
//!
//! | attribute of a head | value |
//! |---|---|
//! | `revision` | raised by every write of the head |
//! | `newest_order` | the newest source item's order key, where the group has one |
//! | `newest_stream_label`, `newest_sequence_number` | its version; absent where it was found in the table, not in a record |
//! | `newest_revision` | the revision at which rows last had to change |
//! | `copy#<attribute>` | its copied attributes |
//! | `chunk_count` | how many chunks there are beside the head |
//! | `is_adopted` | whether the rows that the index suggested at first are registered |
//! | `rows` | the first owners' places |
//!
//! A chunk has `revision` and `rows`. A place is `{partition, sorts, carries}`: the owner, the sort
//! keys of the owner's rows, and the `newest_revision` that they carry.

use std::collections::BTreeSet;

use crate::attribute_value::{AttributeValue, Item};
use crate::key::ItemKey;
use crate::keys::DerivedKey;
use crate::limits::CHUNK_COUNT_MAX;
use crate::owner_name::OwnerName;
use crate::version::{Version, VersionError};
use crate::write::{Action, Clause, Write};

const COPY_PREFIX: &str = "copy#";

/// The newest source item of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// Its order key.
    pub order: String,
    /// The version of the record that told of it; `None` where it was found in the table.
    pub version: Option<Version>,
    /// The attributes that rows carry.
    pub copied: Item,
}

/// Where the rows of one owner stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerPlace {
    /// The owner: the rows' partition key.
    pub owner: OwnerName,
    /// Their sort keys; one, but before a group's first move.
    pub sorts: Vec<String>,
    /// The `newest_revision` that they carry; less than the head's where they lag behind.
    pub carries: u64,
}

impl OwnerPlace {
    /// Bytes that the place takes in a head or chunk, from above.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.owner.len() + self.sorts.iter().map(|sort| sort.len() + 1).sum::<usize>() + 64
    }
}

/// The head of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Raised by every write.
    pub revision: u64,
    /// The newest source item, where there is one.
    pub newest: Option<Newest>,
    /// The revision at which rows last had to change.
    pub newest_revision: u64,
    /// Chunks beside the head.
    pub chunk_count: u64,
    /// Whether the rows that the index suggested at first are registered.
    pub is_adopted: bool,
    /// The first owners.
    pub places: Vec<OwnerPlace>,
}

/// Owners that the head has no room for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Raised by every write.
    pub revision: u64,
    /// The owners.
    pub places: Vec<OwnerPlace>,
}

/// Why an item is no head or chunk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// An attribute is missing, or not of its type.
    #[error("the head of the group has no usable `{attribute}`")]
    Attribute {
        /// The attribute.
        attribute: &'static str,
    },
    /// The version is none.
    #[error("the head of the group has no version")]
    Version(#[from] VersionError),
}

/// The key of a group's head.
#[must_use]
pub fn head_key(view_name: &str, group: &str) -> ItemKey {
    DerivedKey::Head { view: view_name, group }.key()
}

/// The key of a group's chunk; chunks are numbered from 1.
#[must_use]
pub fn chunk_key(view_name: &str, group: &str, number: u64) -> ItemKey {
    DerivedKey::Rows { view: view_name, group, number }.key()
}

impl Head {
    /// Reads a head.
    ///
    /// # Errors
    /// [`HeadError`] for an item that is none.
    pub fn from_item(item: &Item) -> Result<Self, HeadError> {
        Ok(Self {
            revision: whole(item, "revision")?,
            newest: newest(item)?,
            newest_revision: whole(item, "newest_revision")?,
            chunk_count: chunk_count(item)?,
            is_adopted: match item.get("is_adopted") {
                Some(AttributeValue::Bool(it)) => *it,
                _ => {
                    return Err(HeadError::Attribute { attribute: "is_adopted" });
                }
            },
            places: places(item)?,
        })
    }

    /// The head as an item.
    #[must_use]
    pub fn to_item(&self, key: &ItemKey) -> Item {
        let mut item = keyed(key);
        if let Some(newest) = &self.newest {
            item.insert("newest_order".to_owned(), AttributeValue::string(&newest.order));
            if let Some(version) = &newest.version {
                let label = AttributeValue::string(version.stream_label.as_str());
                let number = AttributeValue::string(version.sequence_number.as_str());
                item.insert("newest_stream_label".to_owned(), label);
                item.insert("newest_sequence_number".to_owned(), number);
            }
            let copied = newest.copied.iter();
            item.extend(
                copied.map(|(name, value)| (format!("{COPY_PREFIX}{name}"), value.clone())),
            );
        }
        item.insert("revision".to_owned(), AttributeValue::whole(self.revision));
        item.insert("newest_revision".to_owned(), AttributeValue::whole(self.newest_revision));
        item.insert("chunk_count".to_owned(), AttributeValue::whole(self.chunk_count));
        item.insert("is_adopted".to_owned(), AttributeValue::Bool(self.is_adopted));
        item.insert("rows".to_owned(), places_value(&self.places));
        item
    }
}

impl Chunk {
    /// Reads a chunk.
    ///
    /// # Errors
    /// [`HeadError`] for an item that is none.
    pub fn from_item(item: &Item) -> Result<Self, HeadError> {
        Ok(Self { revision: whole(item, "revision")?, places: places(item)? })
    }

    /// The chunk as an item.
    #[must_use]
    pub fn to_item(&self, key: &ItemKey) -> Item {
        let mut item = keyed(key);
        item.insert("revision".to_owned(), AttributeValue::whole(self.revision));
        item.insert("rows".to_owned(), places_value(&self.places));
        item
    }
}

/// Puts a head or a chunk, on condition that its revision still is the one that was read.
#[must_use]
pub(super) fn put(key: &ItemKey, item: Item, read_revision: Option<u64>) -> Write {
    Write {
        key: key.clone(),
        action: Action::Put(item),
        conditions: at_revision(read_revision),
        read_byte_count: 0,
    }
}

/// Checks that a head's revision still is the one that was read.
#[must_use]
pub(super) fn check(key: &ItemKey, read_revision: Option<u64>) -> Write {
    Write {
        key: key.clone(),
        action: Action::Check,
        conditions: at_revision(read_revision),
        read_byte_count: 0,
    }
}

fn at_revision(read_revision: Option<u64>) -> Vec<Clause> {
    vec![match read_revision {
        None => Clause::Missing("pk".to_owned()),
        Some(revision) => Clause::Equals("revision".to_owned(), AttributeValue::whole(revision)),
    }]
}

fn keyed(key: &ItemKey) -> Item {
    let sort = key.sort.iter().map(|sort| ("sk".to_owned(), sort.to_attribute_value()));
    [("pk".to_owned(), key.partition.to_attribute_value())].into_iter().chain(sort).collect()
}

fn newest(item: &Item) -> Result<Option<Newest>, HeadError> {
    let optional = |attribute: &'static str| match item.get(attribute) {
        None => Ok(None),
        Some(AttributeValue::S(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(HeadError::Attribute { attribute }),
    };
    let Some(order) = optional("newest_order")? else {
        return Ok(None);
    };
    let label = optional("newest_stream_label")?;
    let version = match label.zip(optional("newest_sequence_number")?) {
        None => None,
        Some((label, number)) => {
            Some(Version { stream_label: label.parse()?, sequence_number: number.parse()? })
        }
    };
    let copied = item.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix(COPY_PREFIX)?.to_owned(), value.clone()))
    });
    Ok(Some(Newest { order: order.to_owned(), version, copied: copied.collect() }))
}

/// A whole number to which 1 can be added.
fn whole(item: &Item, attribute: &'static str) -> Result<u64, HeadError> {
    let number = match item.get(attribute) {
        Some(AttributeValue::N(number)) => number.as_str().parse().ok(),
        _ => None,
    };
    number.filter(|number| *number < u64::MAX).ok_or(HeadError::Attribute { attribute })
}

/// All chunks are read, so there must not be more than a group can have.
fn chunk_count(item: &Item) -> Result<u64, HeadError> {
    let attribute = "chunk_count";
    let count = whole(item, attribute)?;
    if count <= CHUNK_COUNT_MAX { Ok(count) } else { Err(HeadError::Attribute { attribute }) }
}

fn places(item: &Item) -> Result<Vec<OwnerPlace>, HeadError> {
    let broken = || HeadError::Attribute { attribute: "rows" };
    let Some(AttributeValue::L(values)) = item.get("rows") else {
        return Err(broken());
    };
    let place = |value: &AttributeValue| {
        let AttributeValue::M(place) = value else {
            return None;
        };
        let AttributeValue::L(sorts) = place.get("sorts")? else {
            return None;
        };
        Some(OwnerPlace {
            owner: place.get("partition")?.as_string()?.parse().ok()?,
            sorts: sorts
                .iter()
                .map(|it| it.as_string().map(str::to_owned))
                .collect::<Option<_>>()?,
            carries: whole(place, "carries").ok()?,
        })
    };
    let places: Vec<_> =
        values.iter().map(|value| place(value).ok_or_else(broken)).collect::<Result<_, _>>()?;
    let owners = places.iter().map(|place| &place.owner);
    let is_each_once =
        is_distinct(owners) && places.iter().all(|place| is_distinct(place.sorts.iter()));
    if is_each_once { Ok(places) } else { Err(broken()) }
}

fn is_distinct<T: Ord>(mut texts: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    texts.all(|text| seen.insert(text))
}

fn places_value(places: &[OwnerPlace]) -> AttributeValue {
    let place = |place: &OwnerPlace| {
        let sorts = place.sorts.iter().map(AttributeValue::string).collect();
        AttributeValue::M(Item::from([
            ("partition".to_owned(), AttributeValue::string(&place.owner)),
            ("sorts".to_owned(), AttributeValue::L(sorts)),
            ("carries".to_owned(), AttributeValue::whole(place.carries)),
        ]))
    };
    AttributeValue::L(places.iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::attribute_value::tests::any_value;
    use crate::version::tests::version;

    fn any_newest() -> impl Strategy<Value = Newest> {
        let any_version =
            any::<u64>().prop_map(|number| version("2026-01-01T00:00:00.5", &number.to_string()));
        (".{1,9}", option::of(any_version), btree_map("[a-z]{1,4}", any_value(), 0..3))
            .prop_map(|(order, version, copied)| Newest { order, version, copied })
    }

    fn any_place() -> impl Strategy<Value = OwnerPlace> {
        (".{1,9}", btree_set(".{1,9}", 0..3), 0..u64::MAX).prop_map(|(owner, sorts, carries)| {
            let owner = owner.parse().expect("an owner");
            OwnerPlace { owner, sorts: sorts.into_iter().collect(), carries }
        })
    }

    fn any_places() -> impl Strategy<Value = Vec<OwnerPlace>> {
        vec(any_place(), 0..4).prop_filter("an owner stands once", |places| {
            is_distinct(places.iter().map(|place| &place.owner))
        })
    }

    proptest! {
        #[test]
        fn heads_survive_their_item(
            revision in 0..u64::MAX,
            newest in option::of(any_newest()),
            is_adopted: bool,
            places in any_places(),
        ) {
            let head = Head {
                revision, newest, newest_revision: revision / 2, chunk_count: 3, is_adopted, places,
            };
            prop_assert_eq!(Head::from_item(&head.to_item(&head_key("view", "group"))), Ok(head));
        }

        #[test]
        fn chunks_survive_their_item(revision in 0..u64::MAX, places in any_places()) {
            let byte_count: usize = places.iter().map(OwnerPlace::byte_count).sum();
            prop_assert!(places_value(&places).byte_count() <= byte_count + 3);
            let chunk = Chunk { revision, places };
            prop_assert_eq!(Chunk::from_item(&chunk.to_item(&chunk_key("view", "group", 1))), Ok(chunk));
        }
    }

    #[test]
    fn an_item_that_is_no_head_is_refused() {
        let mut item = Head::default().to_item(&head_key("view", "group"));
        item.remove("rows");
        assert_eq!(Head::from_item(&item), Err(HeadError::Attribute { attribute: "rows" }));
        item.insert("revision".to_owned(), AttributeValue::string("1"));
        assert_eq!(Head::from_item(&item), Err(HeadError::Attribute { attribute: "revision" }));
    }

    #[test]
    fn a_head_that_cannot_be_worked_with_is_refused() {
        let place = |owner: &str, sorts: &[&str]| OwnerPlace {
            owner: owner.parse().expect("an owner"),
            sorts: sorts.iter().map(|sort| (*sort).to_owned()).collect(),
            carries: 0,
        };
        let sound = Head { places: vec![place("ada", &["t1", "t2"])], ..Head::default() };
        let check = |head: Head, attribute| {
            let item = head.to_item(&head_key("view", "group"));
            assert_eq!(Head::from_item(&item), Err(HeadError::Attribute { attribute }));
        };
        check(Head { revision: u64::MAX, ..sound.clone() }, "revision");
        check(Head { chunk_count: CHUNK_COUNT_MAX + 1, ..sound.clone() }, "chunk_count");
        check(
            Head { places: vec![place("ada", &["t"]), place("ada", &["u"])], ..sound.clone() },
            "rows",
        );
        check(Head { places: vec![place("ada", &["t", "t"])], ..sound }, "rows");
    }
}
