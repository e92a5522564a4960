//! Parked records: what they are in the `derived` table.
//!
//! | attribute | value |
//! |---|---|
//! | `pk` | `parked#<view>#<stream label>#<sequence number>`, or `parked#<view>#<SHA-256 of the JSON>` |
//! | `sk` | `0000`, `0001` … for the pieces of the payload; `<part>#0000` … where a part of a record is parked |
//! | `view`, `reason`, `parked_at` | which view, why, and when, in the first piece |
//! | `part` | what of the record is parked, where it is not all of it |
//! | `piece_count`, `payload` | how many pieces there are, and this one: raw JSON, deflated |
//!
//! Rows that cannot follow are parked by their cause instead: see [`ParkedRows`].

mod id;
mod rows;
mod stored;
mod stream_place;

use std::io::{Read as _, Write as _};

use afterimage_schema::TableDefinition;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use sha2::{Digest as _, Sha256};

use crate::attribute_value::{AttributeValue, Item};
use crate::key::{ItemKey, hexadecimal};
use crate::keys::{DerivedKey, parked_prefix};
use crate::limits::{PARKED_PART_BYTES_MAX, PARTITION_KEY_BYTES_MAX};
use crate::number::Number;
use crate::write::{Action, Changes, Clause, Transaction, Write};

pub use id::PARTITION_PREFIX;
pub use rows::{ParkedRows, RowCause, without_images};
pub use stored::{Stored, Summary};
pub use stream_place::StreamPlace;

/// The view's name under which records are parked that no view could be found for.
pub const NO_VIEW: &str = "-";

/// The attribute that counts how often parked rows were met.
const TIMES: &str = "times";

/// Characters of a reason that are kept: an attribute's name in it may be very long.
const REASON_CHARACTERS_MAX: usize = 1024;

/// A record that can never be applied, with all that is needed to look at it and to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRecord {
    /// The view, or [`NO_VIEW`].
    pub view: String,
    /// Where it stood in its stream, where the record says it.
    pub place: Option<StreamPlace>,
    /// Why it can never be applied.
    pub reason: String,
    /// What of the record is parked, where it is not all of it.
    pub part: Option<String>,
    /// The rows that are parked, if it is rows and not the record.
    pub rows: Option<ParkedRows>,
    /// When it was parked, as RFC 3339 in UTC.
    pub parked_at: String,
    /// The record's JSON, as it was delivered.
    pub raw_json: String,
}

/// Why a parked record could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ParkedError {
    /// The payload cannot be compressed or expanded.
    #[error("the payload of the parked record cannot be expanded")]
    Payload(#[source] std::io::Error),
    /// An attribute is missing, or not of its type.
    #[error("the parked record has no usable `{attribute}`")]
    Attribute {
        /// The attribute.
        attribute: &'static str,
    },
    /// A piece is missing.
    #[error("the parked record has {found} of its {wanted} pieces")]
    Piece {
        /// How many were found.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
}

impl ParkedRecord {
    /// The partition key of the record's pieces.
    #[must_use]
    pub fn partition_key(&self) -> String {
        let prefix = parked_prefix(&self.view);
        if let Some(rows) = &self.rows {
            return format!("{prefix}cause#{}", rows.hash());
        }
        let by_place = self
            .place
            .as_ref()
            .map(|it| format!("{prefix}{}#{}", it.stream_label, it.sequence_number))
            .filter(|key| key.len() <= PARTITION_KEY_BYTES_MAX);
        by_place.unwrap_or_else(|| {
            let hash = hexadecimal(&Sha256::digest(self.raw_json.as_bytes()));
            format!("{prefix}{hash}")
        })
    }

    /// What a person names it by, as [`Stored::id`].
    #[must_use]
    pub fn id(&self) -> String {
        id::id(&self.partition_key(), self.part_hash().as_deref())
    }

    /// The pieces, each to be put once, the first one last: whoever sees it sees the record whole.
    ///
    /// # Errors
    /// [`ParkedError::Payload`] where the payload cannot be compressed.
    pub fn to_items(&self) -> Result<Vec<(ItemKey, Item)>, ParkedError> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(self.raw_json.as_bytes()).map_err(ParkedError::Payload)?;
        let payload = encoder.finish().map_err(ParkedError::Payload)?;
        let pieces: Vec<_> = payload.chunks(PARKED_PART_BYTES_MAX).collect();
        let (partition, part) = (self.partition_key(), self.part_hash());
        let mut items: Vec<_> = pieces
            .iter()
            .enumerate()
            .map(|(number, piece)| {
                let part = part.as_deref();
                let key = DerivedKey::Parked { partition: &partition, part, piece: number }.key();
                let item = self.piece(&key, number, pieces.len(), piece);
                (key, item)
            })
            .collect();
        items.reverse();
        Ok(items)
    }

    /// The reason, cut where it is longer than anybody reads.
    #[must_use]
    pub fn short_reason(&self) -> String {
        self.reason.chars().take(REASON_CHARACTERS_MAX).collect()
    }

    /// Two transactions of which one can be committed: the first if these rows are not parked yet, the second if they
    /// are; it counts once more. `None` if it is a record that is parked.
    ///
    /// # Errors
    /// [`ParkedError::Payload`] if the payload cannot be compressed.
    pub fn rows_writes(&self) -> Result<Option<[Transaction; 2]>, ParkedError> {
        if self.rows.is_none() {
            return Ok(None);
        }
        let write = |key: &ItemKey, action, condition| Transaction {
            writes: vec![Write {
                key: key.clone(),
                action,
                conditions: vec![condition],
                read_byte_count: 0,
            }],
        };
        let writes = self.to_items()?.into_iter().next().map(|(key, item)| {
            let first = Action::Put(item);
            let again = Action::Update(Changes {
                set: [("last_parked_at".to_owned(), AttributeValue::string(&self.parked_at))]
                    .into(),
                add: [(TIMES.to_owned(), 1)].into(),
                ..Changes::default()
            });
            let there = Clause::Equals("pk".to_owned(), key.partition.to_attribute_value());
            [write(&key, first, Clause::Missing("pk".to_owned())), write(&key, again, there)]
        });
        Ok(writes)
    }

    fn part_hash(&self) -> Option<String> {
        self.part
            .as_ref()
            .filter(|_| self.rows.is_none())
            .map(|part| hexadecimal(&Sha256::digest(part.as_bytes())))
    }

    fn piece(&self, key: &ItemKey, number: usize, count: usize, payload: &[u8]) -> Item {
        let mut item = key.to_item(&TableDefinition::derived());
        item.insert("payload".to_owned(), AttributeValue::B(payload.to_vec()));
        if number > 0 {
            return item;
        }
        let reason = self.short_reason();
        let texts = [
            ("view", Some(&self.view)),
            ("reason", Some(&reason)),
            ("parked_at", Some(&self.parked_at)),
            ("part", self.part.as_ref()),
            ("stream_label", self.place.as_ref().map(|it| &it.stream_label)),
            ("sequence_number", self.place.as_ref().map(|it| &it.sequence_number)),
        ];
        for (name, text) in texts {
            item.extend(text.map(|text| (name.to_owned(), AttributeValue::string(text))));
        }
        item.insert("piece_count".to_owned(), AttributeValue::whole(count as u64));
        if let Some(rows) = &self.rows {
            item.extend(rows.attributes());
            item.insert("last_parked_at".to_owned(), AttributeValue::string(&self.parked_at));
            item.insert(TIMES.to_owned(), AttributeValue::whole(1));
        }
        item
    }

    /// Reads a parked record from its pieces, in the order of their sort keys.
    ///
    /// # Errors
    /// [`ParkedError`] where a piece is missing or is none.
    pub fn from_items(pieces: &[Item]) -> Result<Self, ParkedError> {
        let first = pieces.first().ok_or(ParkedError::Piece { found: 0, wanted: 1 })?;
        let optional = |attribute: &'static str| {
            first.get(attribute).and_then(AttributeValue::as_string).map(str::to_owned)
        };
        let text = |attribute| optional(attribute).ok_or(ParkedError::Attribute { attribute });
        let wanted = match first.get("piece_count") {
            Some(AttributeValue::N(number)) => piece_count(number)?,
            _ => {
                return Err(ParkedError::Attribute { attribute: "piece_count" });
            }
        };
        if pieces.len() != wanted {
            return Err(ParkedError::Piece { found: pieces.len(), wanted });
        }
        let mut payload = Vec::new();
        for piece in pieces {
            match piece.get("payload") {
                Some(AttributeValue::B(bytes)) => payload.extend_from_slice(bytes),
                _ => {
                    return Err(ParkedError::Attribute { attribute: "payload" });
                }
            }
        }
        let mut raw_json = String::new();
        DeflateDecoder::new(payload.as_slice())
            .read_to_string(&mut raw_json)
            .map_err(ParkedError::Payload)?;
        Ok(Self {
            view: text("view")?,
            place: StreamPlace::of(optional("stream_label"), optional("sequence_number")),
            reason: text("reason")?,
            part: optional("part"),
            rows: ParkedRows::of_item(first),
            parked_at: text("parked_at")?,
            raw_json,
        })
    }
}

fn piece_count(number: &Number) -> Result<usize, ParkedError> {
    number.as_str().parse().map_err(|_| ParkedError::Attribute { attribute: "piece_count" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parked(raw_json: &str, place: Option<(&str, &str)>, part: Option<&str>) -> ParkedRecord {
        ParkedRecord {
            view: "order-counts".to_owned(),
            place: place.map(|(label, number)| StreamPlace {
                stream_label: label.to_owned(),
                sequence_number: number.to_owned(),
            }),
            reason: "the group is a list".to_owned(),
            part: part.map(str::to_owned),
            rows: None,
            parked_at: "2026-01-31T12:00:00Z".to_owned(),
            raw_json: raw_json.to_owned(),
        }
    }

    fn parked_rows(raw_json: &str) -> ParkedRecord {
        let rows = ParkedRows {
            group: "g1".parse().expect("a group"),
            owner: Some("WATCH#ada".parse().expect("an owner")),
            cause: RowCause::Unwritable,
        };
        let part = rows.title();
        let whole = parked(raw_json, Some(("2026-01-01T00:00:00", "7")), Some(&part));
        ParkedRecord { rows: Some(rows), ..whole }
    }

    #[test]
    fn rows_are_parked_by_their_cause_and_not_by_the_record() {
        let (first, other) = (parked_rows("{}"), parked_rows(r#"{"eventID":"8"}"#));
        assert_eq!(check_round_trip(&first), 1);
        assert_eq!(first.id(), other.id());
        assert!(first.partition_key().starts_with("parked#order-counts#cause#"));
        let [put, again] = first.rows_writes().expect("compresses").expect("rows");
        let keys = [&put, &again].map(|it| it.writes.first().expect("a write").key.to_string());
        assert_eq!(keys, [first.partition_key() + " / 0000", first.partition_key() + " / 0000"]);
        assert!(parked("{}", None, None).rows_writes().expect("compresses").is_none());
    }

    #[track_caller]
    fn check_round_trip(record: &ParkedRecord) -> usize {
        let mut items = record.to_items().expect("compresses");
        items.reverse();
        let pieces: Vec<_> = items.iter().map(|(_, item)| item.clone()).collect();
        assert_eq!(&ParkedRecord::from_items(&pieces).expect("reads back"), record);
        pieces.len()
    }

    #[test]
    fn a_large_payload_is_split_over_items() {
        // Hexadecimal of hashes halves at best, so 2 MB of it need several items.
        let large: String = (0_u32..32_768)
            .map(|number| hexadecimal(&Sha256::digest(number.to_be_bytes())))
            .collect();
        assert!(check_round_trip(&parked(&large, None, None)) > 2);
    }

    #[test]
    fn a_missing_piece_is_noticed() {
        assert!(matches!(
            ParkedRecord::from_items(&[]),
            Err(ParkedError::Piece { found: 0, wanted: 1 })
        ));
    }

    #[test]
    fn keys_tell_records_and_views_apart() {
        let by_place = parked("{}", Some(("2026-01-01T00:00:00", "7")), None);
        assert_eq!(by_place.partition_key(), "parked#order-counts#2026-01-01T00:00:00#7");
        let by_hash = parked("{}", None, None);
        assert_eq!(by_hash.partition_key().len(), "parked#order-counts#".len() + 64);
    }

    proptest! {
        #[test]
        fn parked_records_survive_their_items(raw_json in ".{0,200}", part in proptest::option::of(".{0,9}")) {
            check_round_trip(&parked(&raw_json, Some(("2026-01-01T00:00:00", "7")), part.as_deref()));
        }
    }
}
