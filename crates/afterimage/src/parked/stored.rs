//! Parked records as they stand in the table: found by an id, and removed on condition that they
//! still are as read.

use std::collections::BTreeMap;

use afterimage_schema::Table;

use super::id::{PARTITION_PREFIX, id, part_hash};
use super::stream_place::StreamPlace;
use super::{ParkedError, ParkedRecord, TIMES};
use crate::attribute_value::{AttributeValue, Item};
use crate::key::ItemKey;
use crate::write::{Action, Clause, Transaction, Write};

/// What the sort key of a first piece ends with.
const FIRST_SORT: &str = "0000";

/// Attributes of the first piece that tell one parking from another.
const IDENTITY: [&str; 5] = ["view", "reason", "parked_at", "piece_count", TIMES];

/// What the first piece of a parked record tells, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// What a person names it by.
    pub id: String,
    /// The view, or [`NO_VIEW`](super::NO_VIEW).
    pub view: String,
    /// Why it could not be applied.
    pub reason: String,
    /// When it was parked first.
    pub parked_at: String,
    /// How often it was met; 1 for a record.
    pub times: u64,
    /// What of the record is parked, where it is not all of it.
    pub part: Option<String>,
    /// Where it stood in its stream, where that is known.
    pub place: Option<StreamPlace>,
}

impl Summary {
    /// Attributes that a summary is made of.
    pub const ATTRIBUTES: [&str; 9] = [
        "pk",
        "sk",
        "view",
        "reason",
        "parked_at",
        "part",
        "stream_label",
        "sequence_number",
        TIMES,
    ];

    /// The summary of a first piece; `None` for any other.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        let text = |name| item.get(name).and_then(AttributeValue::as_string).map(str::to_owned);
        let sort = text("sk").filter(|sort| sort.ends_with(FIRST_SORT))?;
        let unknown = || "-".to_owned();
        Some(Self {
            id: id(&text("pk")?, part_hash(&sort)),
            view: text("view").unwrap_or_else(unknown),
            reason: text("reason").unwrap_or_else(unknown),
            parked_at: text("parked_at").unwrap_or_else(unknown),
            part: text("part"),
            times: item.get(TIMES).and_then(AttributeValue::as_whole).unwrap_or(1),
            place: StreamPlace::of(text("stream_label"), text("sequence_number")),
        })
    }

    /// Orders records of one view as their streams do, so that an older one is tried first.
    #[must_use]
    pub fn order(&self) -> (&str, &str, usize, &str, &str) {
        let (label, number) =
            self.place.as_ref().map_or(("", ""), |it| (&it.stream_label, &it.sequence_number));
        (&self.view, label, number.len(), number, &self.id)
    }
}

/// A parked record and the items that hold it.
#[derive(Debug)]
pub struct Stored {
    partition: String,
    part_hash: Option<String>,
    /// Sort keys of its pieces, the first piece first.
    sorts: Vec<String>,
    first: Item,
    /// The record; an error where its pieces do not hold together.
    pub record: Result<ParkedRecord, ParkedError>,
}

impl Stored {
    /// Puts pieces together, in whatever order they are; pieces without a first one are no parked
    /// record yet.
    #[must_use]
    pub fn from_pieces(pieces: Vec<Item>) -> Vec<Stored> {
        let mut records: BTreeMap<(String, Option<String>), BTreeMap<String, Item>> =
            BTreeMap::new();
        for piece in pieces {
            let text = |name| piece.get(name).and_then(AttributeValue::as_string);
            let Some((partition, sort)) = text("pk").zip(text("sk")) else {
                continue;
            };
            let part_hash = part_hash(sort).map(str::to_owned);
            let (place, sort) = ((partition.to_owned(), part_hash), sort.to_owned());
            records.entry(place).or_default().insert(sort, piece);
        }
        records
            .into_iter()
            .filter_map(|((partition, part_hash), pieces)| {
                let (sorts, pieces): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
                sorts.first().filter(|sort| sort.ends_with(FIRST_SORT))?;
                let record = ParkedRecord::from_items(&pieces);
                let first = pieces.into_iter().next()?;
                Some(Stored { partition, part_hash, sorts, first, record })
            })
            .collect()
    }

    /// What a person names it by.
    #[must_use]
    pub fn id(&self) -> String {
        id(&self.partition, self.part_hash.as_deref())
    }

    /// Partition keys under which a record with this id can stand.
    #[must_use]
    pub fn partitions_of(id: &str) -> Vec<String> {
        let part = id.rsplit_once('/').map(|(id, _)| id);
        [Some(id), part].into_iter().flatten().map(|id| format!("{PARTITION_PREFIX}{id}")).collect()
    }

    /// What the first piece tells.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        Summary::from_item(&self.first)
    }

    /// Deletes every piece, on condition that the first one is the one that was read.
    #[must_use]
    pub fn removal(&self) -> Transaction {
        let identity = IDENTITY.into_iter().map(|name| match self.first.get(name) {
            Some(value) => Clause::Equals(name.to_owned(), value.clone()),
            None => Clause::Missing(name.to_owned()),
        });
        let there = self.first.get("pk").cloned();
        let there = there.map(|partition| Clause::Equals("pk".to_owned(), partition));
        let mut conditions: Vec<_> = identity.chain(there).collect();
        let writes = self.sorts.iter().map(|sort| Write {
            key: ItemKey::strings(Table::DERIVED, self.partition.clone(), sort.clone()),
            action: Action::Delete,
            conditions: std::mem::take(&mut conditions),
            read_byte_count: 0,
        });
        Transaction { writes: writes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(part: Option<&str>) -> Vec<Item> {
        let record = ParkedRecord {
            view: "order-counts".to_owned(),
            place: StreamPlace::of(Some("2026-01-01T00:00:00".to_owned()), Some("7".to_owned())),
            reason: "the group is a list".to_owned(),
            part: part.map(str::to_owned),
            rows: None,
            parked_at: "2026-01-31T12:00:00Z".to_owned(),
            raw_json: "{}".to_owned(),
        };
        let items = record.to_items().expect("compresses");
        items.into_iter().map(|(_, item)| item).collect()
    }

    #[test]
    fn a_record_and_its_parts_are_told_apart_by_their_ids() {
        let all = [pieces(None), pieces(Some("WATCH#ada")), pieces(Some("WATCH#lin"))].concat();
        let stored = Stored::from_pieces(all);
        let ids: Vec<String> = stored.iter().map(Stored::id).collect();
        let whole = "order-counts#2026-01-01T00:00:00#7";
        assert_eq!(ids.iter().filter(|id| *id == whole).count(), 1);
        assert_eq!(ids.iter().filter(|id| id.starts_with(&format!("{whole}/"))).count(), 2);
        for id in ids {
            assert!(Stored::partitions_of(&id).contains(&format!("parked#{whole}")), "{id}");
        }
    }

    #[test]
    fn a_record_is_removed_whole_and_only_as_it_was_read() {
        let mut items = pieces(None);
        let mut second = items.first().cloned().expect("a piece");
        second.insert("sk".to_owned(), AttributeValue::string("0001"));
        items.insert(0, second);
        let stored = Stored::from_pieces(items);
        let removal = stored.first().expect("a record").removal();
        let keys: Vec<_> = removal.writes.iter().map(|write| write.key.to_string()).collect();
        let partition = "parked#order-counts#2026-01-01T00:00:00#7";
        assert_eq!(keys, [format!("{partition} / 0000"), format!("{partition} / 0001")]);
        let conditions: Vec<_> = removal.writes.iter().map(|it| it.conditions.len()).collect();
        assert_eq!(conditions, [6, 0]);
    }

    #[test]
    fn pieces_without_the_first_are_no_record_yet() {
        let mut items = pieces(None);
        for item in &mut items {
            item.insert("sk".to_owned(), AttributeValue::string("0001"));
        }
        assert!(Stored::from_pieces(items).is_empty());
    }
}
