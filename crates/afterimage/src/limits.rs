//! The limits of DynamoDB that plans respect, each with its source, and the engine's own below them.

/// Actions in one `TransactWriteItems`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>).
pub const TRANSACTION_ACTIONS_MAX: usize = 100;

/// Bytes of all items in one `TransactWriteItems`: 4 MB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>).
pub const TRANSACTION_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of one item, names and values: 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

/// Bytes of a partition key value
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
pub const PARTITION_KEY_BYTES_MAX: usize = 2048;

/// Bytes of a sort key value
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
pub const SORT_KEY_BYTES_MAX: usize = 1024;

/// Bytes of an attribute's name that an expression can hold
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
pub const ATTRIBUTE_NAME_BYTES_MAX: usize = 255;

/// Levels of nesting in an attribute value
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
pub const NESTING_MAX: usize = 32;

/// Significant digits of a number
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>).
pub const NUMBER_DIGITS_MAX: usize = 38;

/// The exponents of a number's first significant digit: 1E-130 to 9.99…E+125
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>).
pub const NUMBER_EXPONENT_RANGE: std::ops::RangeInclusive<i64> = -130..=125;

/// Bytes of a stream's ARN, of a sequence number or of an event's name, from above: a table's name has
/// 255 at most, a sequence number 40
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Stream.html>).
pub const RECORD_NAME_BYTES_MAX: usize = 1024;

/// Bytes of a rendered group. A group is a sort key, or part of a partition key beside a view name.
pub const GROUP_BYTES_MAX: usize = SORT_KEY_BYTES_MAX;

/// Bytes of a view's name, so that every derived partition key fits its limit.
pub const VIEW_NAME_BYTES_MAX: usize = 64;

/// Owners whose rows one head or chunk registers: with a delete and a put each, and the head and the
/// chunk beside them, they fit one transaction.
pub const CHUNK_OWNERS_MAX: usize = 49;

/// Chunks that a group may have beside its head: each registers an owner at least.
pub const CHUNK_COUNT_MAX: u64 = GROUP_ROWS_MAX as u64;

/// Bytes of the places that a head or chunk registers, beside the copied attributes and its own.
pub const PLACES_BYTES_MAX: usize = ITEM_BYTES_MAX - COPIED_BYTES_MAX - 8 * 1024;

/// Bytes of one owner's place, who may have many rows of a group before its first move; a head or chunk
/// that holds more than these takes no further owner.
pub const PLACE_BYTES_MAX: usize = 64 * 1024;

/// Rows that a group may have where a view does not say.
pub const GROUP_ROWS_DEFAULT: usize = 500;

/// Rows that a view may allow a group. A move is a write per row: more would not end in time.
pub const GROUP_ROWS_MAX: usize = 5_000;

/// Items that an index is asked for when a group's rows are adopted.
pub const SUGGESTED_ROWS_MAX: usize = 2 * GROUP_ROWS_MAX;

/// Bytes of the copied attributes that a head can hold beside the rows that it registers.
pub const COPIED_BYTES_MAX: usize = 200 * 1024;

/// Attributes of a row that can move: the condition that none has changed must fit into an
/// expression of 4 KB and 300 operators
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
pub const ROW_ATTRIBUTES_MAX: usize = 140;

/// Attributes that a view may copy to rows, and declare that rows may gain, together: most of a row's
/// attributes stay the application's.
pub const DECLARED_ATTRIBUTES_MAX: usize = ROW_ATTRIBUTES_MAX / 2;

/// Bytes that a `latest` view may strip from a partition key, so that a group and it fit one again.
pub const STRIPPED_BYTES_MAX: usize = PARTITION_KEY_BYTES_MAX - GROUP_BYTES_MAX;

/// Bytes of compressed payload in one item of a parked record.
pub const PARKED_PART_BYTES_MAX: usize = 350 * 1024;

const _: () = assert!(2 * CHUNK_OWNERS_MAX + 2 <= TRANSACTION_ACTIONS_MAX);
const _: () = assert!(GROUP_BYTES_MAX + VIEW_NAME_BYTES_MAX + 16 <= PARTITION_KEY_BYTES_MAX);
const _: () = assert!(2 * PLACE_BYTES_MAX <= PLACES_BYTES_MAX);
const _: () = assert!(PARKED_PART_BYTES_MAX + 16 * 1024 <= ITEM_BYTES_MAX);
const _: () = assert!(
    COPIED_BYTES_MAX + CHUNK_OWNERS_MAX * (PARTITION_KEY_BYTES_MAX + SORT_KEY_BYTES_MAX + 64)
        <= ITEM_BYTES_MAX
);
