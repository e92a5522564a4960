//! The fold: from ground state to derived state, the oracle of every test.

use std::collections::BTreeMap;

use crate::attribute_value::{AttributeValue, Item};
use crate::count::{CountView, GroupError};
use crate::latest::LatestView;

/// What is wrong with a row of a `latest` view, or with the whole group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFault {
    /// An owner has more than one row of the group.
    Doubled,
    /// The row is not at the newest's key.
    WrongKey,
    /// The row does not carry the newest's copied attributes.
    WrongCopy,
}

/// Counts by derived sort key that a `count` view must show for these source items.
///
/// # Errors
/// [`GroupError`] of an item whose newest record would be parked; leave such items out.
pub fn counts<'a>(
    view: &CountView,
    items: impl IntoIterator<Item = &'a Item>,
) -> Result<BTreeMap<String, u64>, GroupError> {
    let by_group = view.fold(items)?;
    Ok(by_group
        .into_iter()
        .map(|(group, count)| (view.target.sort.render(&group), count))
        .collect())
}

/// What is wrong with the rows of a `latest` view, by owner and group: nothing once drained.
/// `source_items` includes deleted ones as last delivered; `rows` is every row that stands.
#[must_use]
pub fn row_faults<'a>(
    view: &LatestView,
    source_items: impl IntoIterator<Item = &'a Item>,
    rows: impl IntoIterator<Item = &'a Item>,
) -> BTreeMap<(String, String), RowFault> {
    let newest = view.fold(source_items);
    let mut faults = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        let text = |name: &String| row.get(name).and_then(AttributeValue::as_string);
        let owner = text(&view.partition_attribute);
        let group = text(&view.rows.group_attribute);
        let Some((owner, group)) = owner.zip(group) else {
            continue;
        };
        let Some((order, copied)) = newest.get(group) else {
            continue;
        };
        let place = (owner.to_owned(), group.to_owned());
        let targets = LatestView::target_sorts(group, order);
        let is_at_target = targets.iter().any(|it| Some(it.as_str()) == text(&view.sort_attribute));
        let fault = if !seen.insert(place.clone()) {
            RowFault::Doubled
        } else if !is_at_target {
            RowFault::WrongKey
        } else if view.copied(row) != *copied {
            RowFault::WrongCopy
        } else {
            continue;
        };
        faults.insert(place, fault);
    }
    faults
}
