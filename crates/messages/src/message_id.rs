//! What makes posting a message again harmless: an item per `message_uuid`, put with the message.

use http_api::{Item, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{MessageText, item, key};

/// What a request asked for, as a hash: the same request has the same, any other another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a text that the caller sends to a group or a handle.
    pub(crate) fn of(caller_uuid: &str, kind: &str, target: &str, text: &MessageText) -> Self {
        let mut hash = Sha256::new();
        for part in [caller_uuid, kind, target, text.as_str()] {
            // Lengths keep the parts apart: "ab" + "c" is not "a" + "bc".
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A message that was posted with a `message_uuid`.
///
/// Its group's attribute is not called `message_group_uuid`: that would bring the item into the index
/// of the group rows.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct PostedId {
    pub(crate) group_uuid: String,
    pub(crate) message_sk: String,
    #[serde(rename = "request_sha256")]
    pub(crate) fingerprint: Fingerprint,
}

impl PostedId {
    pub(crate) fn item(&self, message_uuid: &Uuid) -> Result<Item, StoreError> {
        item::item(key::message_id(&message_uuid.to_string()), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_api::Origin;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn items_read_back(group_uuid in ".{0,9}", message_sk in ".{0,9}", target in ".{0,9}", text in "[a-z]{1,9}") {
            let text = MessageText::new(text).expect("a text");
            let fingerprint = Fingerprint::of("a", "group", &target, &text);
            let posted = PostedId { group_uuid, message_sk, fingerprint };
            let item = posted.item(&Uuid::nil()).expect("an item");
            let origin = Origin { table: "t", key: ["pk", "sk"] };
            prop_assert_eq!(origin.read::<PostedId>(&item).expect("an id"), posted);
        }
    }

    #[test]
    fn another_request_has_another_fingerprint() {
        let of = |caller, kind, target, text: &str| {
            Fingerprint::of(caller, kind, target, &MessageText::new(text).expect("a text"))
        };
        let first = of("a", "group", "b", "c");
        assert_eq!(first, of("a", "group", "b", "c"));
        for other in [
            of("x", "group", "b", "c"),
            of("a", "handle", "b", "c"),
            of("a", "group", "x", "c"),
            of("a", "group", "b", "x"),
            of("a", "group", "bc", "c"),
            of("ag", "roup", "b", "c"),
        ] {
            assert_ne!(first, other);
        }
    }
}
