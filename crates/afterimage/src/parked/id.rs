//! What a person names a parked record by, and how that follows from its keys.

/// What partition keys of parked records begin with.
pub const PARTITION_PREFIX: &str = "parked#";

/// Digits of a part's hash in an id.
const PART_DIGITS: usize = 8;

/// The hash of a part, in the sort key of its pieces.
pub(super) fn part_hash(sort: &str) -> Option<&str> {
    sort.rsplit_once('#').map(|(hash, _)| hash)
}

/// What a person names a parked record by.
pub(super) fn id(partition: &str, part_hash: Option<&str>) -> String {
    let id = partition.strip_prefix(PARTITION_PREFIX).unwrap_or(partition);
    match part_hash {
        None => id.to_owned(),
        Some(hash) => format!("{id}/{}", hash.get(..PART_DIGITS).unwrap_or(hash)),
    }
}
