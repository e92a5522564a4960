//! Reading counts for their trial: all of a view at first, then those that are open, with the entries that move.

use std::collections::{BTreeMap, BTreeSet};

use afterimage::engine::{Answer, Read};
use afterimage::keys::ENTRY_SORT;
use afterimage::verify::{CountAudit, CountQuestion, CountSight};
use afterimage::{Item, ItemKey};
use afterimage_schema::Table;

use crate::store::{SNAPSHOT_KEYS_MAX, Session, StoreError};

/// Answers a question of a trial. Counts that could not be read together with entries are left out.
pub(super) async fn sights(
    session: &Session<'_>,
    audit: &CountAudit,
    question: &CountQuestion,
) -> Result<Vec<CountSight>, StoreError> {
    let Some(groups) = &question.groups else {
        let found = session.partition(&audit.view().target.partition).await?;
        let counts = found.iter().filter_map(|item| audit.count_of_item(item)).collect();
        return Ok(vec![CountSight { counts, entries: BTreeMap::new() }]);
    };
    if question.entries.is_empty() {
        let keys = groups.iter().map(|group| Read::Item(audit.view().target.key(group)));
        let found = items(session.read(keys.collect()).await?);
        return Ok(vec![sight(audit, groups.iter(), &BTreeSet::new(), &found)]);
    }
    let groups: Vec<_> = groups.iter().collect();
    let group_count = SNAPSHOT_KEYS_MAX.saturating_sub(question.entries.len()).max(1);
    let mut sights = Vec::new();
    for groups in groups.chunks(group_count) {
        let counts = groups.iter().map(|group| audit.view().target.key(group));
        let keys: Vec<_> = counts.chain(question.entries.iter().map(|it| entry_key(it))).collect();
        if let Some(found) = session.snapshot(&keys).await? {
            sights.push(sight(audit, groups.iter().copied(), &question.entries, &found));
        }
    }
    Ok(sights)
}

fn sight<'a>(
    audit: &CountAudit,
    groups: impl Iterator<Item = &'a String>,
    entries: &BTreeSet<String>,
    found: &BTreeMap<ItemKey, Option<Item>>,
) -> CountSight {
    let item = |key: &ItemKey| found.get(key).and_then(Option::as_ref);
    let counts = groups.map(|group| {
        let count = audit.count_of(item(&audit.view().target.key(group)));
        (group.clone(), count)
    });
    let entries = entries.iter().map(|partition| {
        let entry = item(&entry_key(partition));
        (partition.clone(), entry.cloned())
    });
    CountSight { counts: counts.collect(), entries: entries.collect() }
}

fn entry_key(partition: &str) -> ItemKey {
    ItemKey::strings(Table::DERIVED, partition, ENTRY_SORT)
}

/// The items among the answers to reads.
pub(super) fn items(answers: Vec<(Read, Answer)>) -> BTreeMap<ItemKey, Option<Item>> {
    let item = |(read, answer)| match (read, answer) {
        (Read::Item(key), Answer::Item(item)) => Some((key, item)),
        (Read::Item(_) | Read::Last { .. } | Read::Suggested { .. }, _) => None,
    };
    answers.into_iter().filter_map(item).collect()
}
