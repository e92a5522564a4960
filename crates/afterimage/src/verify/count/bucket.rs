//! Buckets of a ledger: entries by the hash in their partition keys.

/// How many buckets there are.
pub(super) const BUCKET_COUNT: usize = 1 << 16;

/// The bucket of a partition key of the ledger: by the end of the hash in it.
pub(super) fn bucket_of(partition: &str) -> usize {
    let digits = partition.len().checked_sub(4).and_then(|start| partition.get(start..));
    digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or(0) % BUCKET_COUNT
}
