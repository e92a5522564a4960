//! What one source item adds to a count.

use std::collections::BTreeMap;

use super::view::CountView;
use crate::attribute_value::{AttributeValue, Item};
use crate::canary::{InnerCanary, is_planted};
use crate::group_name::{GroupName, GroupNameError};
use crate::limits::SORT_KEY_BYTES_MAX;

/// What one source item adds to a view.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contribution {
    /// One, to the count of this group.
    Group(GroupName),
    /// Nothing.
    None,
}

/// Why a source item's group attribute is no group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The attribute is of a type that has no rendered form.
    #[error(
        "the group attribute `{attribute}` is {type_name}; a group is a string, a number or a boolean"
    )]
    Type {
        /// The attribute.
        attribute: String,
        /// Its type.
        type_name: &'static str,
    },
    /// The rendered group, or the derived key that it gives, cannot be a key.
    #[error(
        "the group in `{attribute}` gives a key of {byte_count} bytes; 1 to {SORT_KEY_BYTES_MAX} are possible"
    )]
    Length {
        /// The attribute.
        attribute: String,
        /// Bytes of the key that it gives.
        byte_count: usize,
    },
}

/// The rendered form of a group: two groups are equal if and only if these are. `None` for a type
/// that has none.
#[must_use]
pub fn render_group(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) => Some(text.clone()),
        AttributeValue::N(number) if is_planted(InnerCanary::GroupRenderedWrong) => {
            Some(number.as_str().trim_start_matches('-').to_owned())
        }
        AttributeValue::N(number) => Some(number.as_str().to_owned()),
        AttributeValue::Bool(it) => Some(it.to_string()),
        AttributeValue::B(_)
        | AttributeValue::Null
        | AttributeValue::L(_)
        | AttributeValue::M(_)
        | AttributeValue::Ss(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Bs(_) => None,
    }
}

/// What an item adds to a view: nothing if it is not selected, has no group attribute, or has one of type NULL, which
/// is how SDKs write "none".
///
/// # Errors
/// [`GroupError`] where the group attribute is no group.
pub fn contribution_of_item(view: &CountView, item: &Item) -> Result<Contribution, GroupError> {
    if !view.selection.selects(item) {
        return Ok(Contribution::None);
    }
    let value = match item.get(&view.group_by) {
        None | Some(AttributeValue::Null) => return Ok(Contribution::None),
        Some(value) => value,
    };
    let attribute = || view.group_by.clone();
    let group = render_group(value)
        .ok_or_else(|| GroupError::Type { attribute: attribute(), type_name: value.type_name() })?;
    let group: GroupName = group.parse().map_err(|error: GroupNameError| GroupError::Length {
        attribute: attribute(),
        byte_count: error.byte_count,
    })?;
    let key_byte_count = view.target.sort.render(&group).len();
    if key_byte_count > SORT_KEY_BYTES_MAX {
        return Err(GroupError::Length { attribute: attribute(), byte_count: key_byte_count });
    }
    Ok(Contribution::Group(group))
}

impl CountView {
    /// Counts by group of these source items: what the derived items must say once drained.
    ///
    /// # Errors
    /// [`GroupError`] of an item whose group is none: its newest record is parked, and it must not
    /// be among them.
    pub fn fold<'a>(
        &self,
        items: impl IntoIterator<Item = &'a Item>,
    ) -> Result<BTreeMap<GroupName, u64>, GroupError> {
        let mut counts = BTreeMap::new();
        for item in items {
            if let Contribution::Group(group) = contribution_of_item(self, item)? {
                *counts.entry(group).or_insert(0) += 1;
            }
        }
        Ok(counts)
    }
}
