//! The identity in the stream records of items that expired.

use serde_json::Value;

/// How the body of a response with such a record reads. Within the text of an item the quotes would be escaped, and no
/// attribute has a type of this name.
const MARK: &[u8] = br#""userIdentity":{"type":"#;

/// Whether the emulator's response has such a record: most have none, and need not be read.
pub(super) fn is_in(response: &[u8]) -> bool {
    response.windows(MARK.len()).any(|it| it == MARK)
}

/// Corrects the names in it: the API has `PrincipalId` and `Type`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Identity.html>), and Lambda's events, which the
/// emulator follows, have `principalId` and `type`.
pub(super) fn correct(response: &mut Value) {
    let records = response.get_mut("Records").and_then(Value::as_array_mut);
    for record in records.into_iter().flatten() {
        let identity = record.get_mut("userIdentity").and_then(Value::as_object_mut);
        let Some(identity) = identity else { continue };
        for (lambda, api) in [("principalId", "PrincipalId"), ("type", "Type")] {
            if let Some(value) = identity.remove(lambda) {
                identity.insert(api.to_owned(), value);
            }
        }
    }
}
