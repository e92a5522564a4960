//! What the last verification of a view found, kept beside what it looked at.
//!
//! | attribute | value |
//! |---|---|
//! | `pk` | `verify#<view>` |
//! | `sk` | `result` |
//! | `finished_at` | when, as RFC 3339 in UTC |
//! | `drift_count`, `retained_count`, `parked_count`, `undecided_count` | how many of each |
//! | `source_item_count` | how many source items were read |

use crate::attribute_value::{AttributeValue, Item};
use crate::key::ItemKey;
use crate::keys::{DerivedKey, VERIFIED_SORT};

/// What the last verification of a view found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyResult {
    /// When it ended, as RFC 3339 in UTC.
    pub finished_at: String,
    /// Derived items that are not what the fold says.
    pub drift_count: u64,
    /// What `remove = "skip"` rightly keeps.
    pub retained_count: u64,
    /// Differences that parked records explain.
    pub parked_count: u64,
    /// What changed too fast to be decided.
    pub undecided_count: u64,
    /// Source items that were read.
    pub source_item_count: u64,
}

/// An item is no result of a verification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the result of the last verification has no usable `{attribute}`")]
pub struct ResultError {
    /// The attribute that is missing, or not of its type.
    pub attribute: &'static str,
}

impl VerifyResult {
    /// The key of a view's result.
    #[must_use]
    pub fn key(view_name: &str) -> ItemKey {
        DerivedKey::Verified { view: view_name }.key()
    }

    /// The result as an item.
    #[must_use]
    pub fn to_item(&self, view_name: &str) -> Item {
        let key = Self::key(view_name);
        let counts = [
            ("drift_count", self.drift_count),
            ("retained_count", self.retained_count),
            ("parked_count", self.parked_count),
            ("undecided_count", self.undecided_count),
            ("source_item_count", self.source_item_count),
        ];
        let counts = counts.map(|(name, count)| (name, AttributeValue::whole(count)));
        let texts = [
            ("pk", key.partition.to_attribute_value()),
            ("sk", AttributeValue::string(VERIFIED_SORT)),
            ("finished_at", AttributeValue::string(&self.finished_at)),
        ];
        texts.into_iter().chain(counts).map(|(name, it)| (name.to_owned(), it)).collect()
    }

    /// Reads a result.
    ///
    /// # Errors
    /// [`ResultError`] for an item that is none.
    pub fn from_item(item: &Item) -> Result<Self, ResultError> {
        let count = |attribute| match item.get(attribute) {
            Some(AttributeValue::N(number)) => {
                number.as_str().parse().map_err(|_| ResultError { attribute })
            }
            _ => Err(ResultError { attribute }),
        };
        let finished_at = item.get("finished_at").and_then(AttributeValue::as_string);
        Ok(Self {
            finished_at: finished_at.ok_or(ResultError { attribute: "finished_at" })?.to_owned(),
            drift_count: count("drift_count")?,
            retained_count: count("retained_count")?,
            parked_count: count("parked_count")?,
            undecided_count: count("undecided_count")?,
            source_item_count: count("source_item_count")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn results_survive_their_item(finished_at in ".{1,20}", counts: [u64; 5]) {
            let [drift_count, retained_count, parked_count, undecided_count, source_item_count] = counts;
            let result = VerifyResult {
                finished_at, drift_count, retained_count, parked_count, undecided_count, source_item_count,
            };
            prop_assert_eq!(VerifyResult::from_item(&result.to_item("view")), Ok(result));
        }
    }

    #[test]
    fn an_item_that_is_no_result_is_refused() {
        let error = VerifyResult::from_item(&Item::new()).expect_err("no result");
        assert_eq!(error, ResultError { attribute: "finished_at" });
    }
}
