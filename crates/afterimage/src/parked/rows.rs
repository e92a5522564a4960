//! Rows that cannot follow, and are parked once however many records tell of them.
//!
//! | attribute | value |
//! |---|---|
//! | `pk` | `parked#<view>#cause#<SHA-256 of group, owner and cause>` |
//! | `sk` | `0000` |
//! | `group`, `owner`, `cause` | which rows, and what is in their way; `owner` only if they are of one owner |
//! | `parked_at`, `last_parked_at`, `times` | when they were parked first and last, and how often records told of them |
//! | `payload` | the record that told of them first, without its images: the rows are in the table |
//! | and | `view`, `reason`, `part`, `stream_label`, `sequence_number`, `piece_count` as of any parked record |

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::attribute_value::{AttributeValue, Item};
use crate::group_name::GroupName;
use crate::key::hexadecimal;
use crate::owner_name::OwnerName;

/// What is in the way of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowCause {
    /// The owner's row can never be written at the key that it belongs at.
    Unwritable,
    /// The owner has more rows of the group than a head can register.
    Crowded,
    /// The group has more rows than the view allows.
    Beyond,
    /// The index holds more items of the group than are looked at.
    Unseen,
}

impl RowCause {
    const ALL: [Self; 4] = [Self::Unwritable, Self::Crowded, Self::Beyond, Self::Unseen];

    /// Its name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unwritable => "unwritable",
            Self::Crowded => "crowded",
            Self::Beyond => "beyond",
            Self::Unseen => "unseen",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// Which rows are parked, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParkedRows {
    /// The group.
    pub group: GroupName,
    /// The owner; `None` if the rows are those of the group that no head registers.
    pub owner: Option<OwnerName>,
    /// What is in their way.
    pub cause: RowCause,
}

impl ParkedRows {
    /// What a list of parked records says of them.
    #[must_use]
    pub fn title(&self) -> String {
        match (&self.owner, self.cause) {
            (Some(owner), _) => owner.to_string(),
            (None, RowCause::Unseen) => "rows that the index did not show".to_owned(),
            (None, _) => "rows beyond the limit".to_owned(),
        }
    }

    /// What tells one cause from another: each part with its length, so that no two have the same.
    pub(super) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for text in [self.group.as_str(), self.owner.as_deref().unwrap_or(""), self.cause.name()] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        hexadecimal(&hash.finalize())
    }

    pub(super) fn attributes(&self) -> Item {
        let owner = self.owner.as_deref().map(|owner| ("owner", owner));
        [("group", self.group.as_str()), ("cause", self.cause.name())]
            .into_iter()
            .chain(owner)
            .map(|(name, text)| (name.to_owned(), AttributeValue::string(text)))
            .collect()
    }

    /// The rows that a first piece tells of; `None` if a record is parked and no rows.
    pub(super) fn of_item(item: &Item) -> Option<Self> {
        let text = |name| item.get(name).and_then(AttributeValue::as_string);
        Some(Self {
            group: text("group")?.parse().ok()?,
            owner: match text("owner") {
                Some(owner) => Some(owner.parse().ok()?),
                None => None,
            },
            cause: RowCause::of_name(text("cause")?)?,
        })
    }
}

/// A record without its images: where it stood and what its keys are.
#[must_use]
pub fn without_images(raw_json: &str) -> String {
    let Ok(mut record) = serde_json::from_str::<Value>(raw_json) else {
        return raw_json.to_owned();
    };
    if let Some(Value::Object(dynamodb)) = record.get_mut("dynamodb") {
        dynamodb.retain(|name, _| !matches!(name.as_str(), "NewImage" | "OldImage"));
    }
    record.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_rows() -> impl Strategy<Value = ParkedRows> {
        (".{1,9}", proptest::option::of(".{1,9}"), proptest::sample::select(&RowCause::ALL[..]))
            .prop_map(|(group, owner, cause)| ParkedRows {
                group: group.parse().expect("a group"),
                owner: owner.map(|it| it.parse().expect("an owner")),
                cause,
            })
    }

    proptest! {
        #[test]
        fn rows_survive_their_attributes(rows in any_rows()) {
            prop_assert_eq!(ParkedRows::of_item(&rows.attributes()), Some(rows));
        }

        #[test]
        fn only_the_same_rows_and_cause_have_the_same_hash(one in any_rows(), other in any_rows()) {
            prop_assert_eq!(one.hash() == other.hash(), one == other);
        }
    }

    #[test]
    fn a_record_is_kept_without_its_images() {
        let record = r#"{"eventID":"1","dynamodb":{"Keys":{"pk":{"S":"a"}},"NewImage":{"pk":{"S":"a"}},"OldImage":{}}}"#;
        let kept =
            serde_json::json!({ "eventID": "1", "dynamodb": { "Keys": { "pk": { "S": "a" } } } });
        assert_eq!(without_images(record), kept.to_string());
        assert_eq!(without_images("{"), "{");
    }

    #[test]
    fn parts_that_meet_at_another_place_are_told_apart() {
        let rows = |group: &str, owner: &str| ParkedRows {
            group: group.parse().expect("a group"),
            owner: Some(owner.parse().expect("an owner")),
            cause: RowCause::Unwritable,
        };
        assert_ne!(rows("ab", "c").hash(), rows("a", "bc").hash());
    }
}
