//! The second look at a `latest` view.

use std::collections::{BTreeMap, BTreeSet};

use afterimage::engine::{Answer, Read};
use afterimage::latest::{Head, chunk_key, head_key};
use afterimage::limits::{COPIED_BYTES_MAX, SUGGESTED_ROWS_MAX};
use afterimage::verify::{HeadSight, LatestAudit, Sight};
use afterimage::{AttributeValue, Catalog, Item, ItemKey, KeyValue, decode};
use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::run::{CANDIDATE_COUNT_MAX, LOOK_COUNT, LOOK_COUNT_MAX, Run, ViewReport};
use crate::store::{Session, StoreError};

/// Groups that are looked at at once.
const CONCURRENT_GROUPS: usize = 8;

/// An owner and the sort key of a row.
type Place = (String, String);

/// A group that seems to be wrong.
#[derive(Default)]
struct Candidate {
    /// Where its rows were seen.
    places: BTreeSet<Place>,
    sight: Option<Sight>,
    equal_look_count: u32,
}

/// Tells the audit of the records that its view parked, where it matters, and looks again.
pub(super) async fn note_parked(
    catalog: &Catalog,
    mut audit: LatestAudit,
    parked_ids: &[String],
    run: &Run<'_>,
) -> Result<ViewReport, StoreError> {
    let ids = if audit.suspects().next().is_some() { parked_ids } else { &[] };
    for id in ids {
        for partition in afterimage::parked::Stored::partitions_of(id) {
            let pieces = run.session.partition(&partition).await?;
            for stored in afterimage::parked::Stored::from_pieces(pieces) {
                let Ok(parked) = &stored.record else { continue };
                if let Ok(record) = decode(catalog, None, &parked.raw_json).record {
                    audit.parked(parked, &record);
                }
            }
        }
    }
    look_again(run, &audit).await
}

/// Looks again at groups that the first look did not find right.
async fn look_again(run: &Run<'_>, audit: &LatestAudit) -> Result<ViewReport, StoreError> {
    let mut report = ViewReport {
        view: audit.view().name.to_string(),
        source_item_count: audit.source_item_count,
        group_count: audit.group_count() as u64,
        retained_count: audit.retained_count(),
        ..ViewReport::default()
    };
    let mut candidates: BTreeMap<String, Candidate> = BTreeMap::new();
    for (group, sight) in audit.suspects() {
        if candidates.len() >= CANDIDATE_COUNT_MAX {
            report.further_count += 1;
            continue;
        }
        let places = sight.rows.iter().map(|row| (row.owner.clone(), row.sort.clone())).collect();
        candidates.insert(group.to_owned(), Candidate { places, ..Candidate::default() });
    }
    for look in 0..LOOK_COUNT_MAX {
        if candidates.is_empty() {
            break;
        }
        if look > 0 {
            run.pause().await;
        }
        let mut looks = Vec::new();
        for (group, candidate) in &candidates {
            looks.push(async {
                let sight = sight(run.session, audit, group, &candidate.places).await?;
                Ok::<_, StoreError>((group.clone(), sight))
            });
        }
        let sights: Vec<(String, Sight)> =
            futures::stream::iter(looks).buffered(CONCURRENT_GROUPS).try_collect().await?;
        for (group, sight) in sights {
            let faults = audit.faults(&group, &sight);
            let (parked, faults): (Vec<_>, Vec<_>) =
                faults.into_iter().partition(|fault| audit.is_parked(&group, fault));
            if faults.is_empty() {
                report.parked_count += parked.len() as u64;
                candidates.remove(&group);
                continue;
            }
            let Some(candidate) = candidates.get_mut(&group) else {
                continue;
            };
            let rows = sight.rows.iter().map(|row| (row.owner.clone(), row.sort.clone()));
            candidate.places.extend(rows);
            let is_equal = candidate.sight.as_ref() == Some(&sight);
            candidate.equal_look_count = if is_equal { candidate.equal_look_count + 1 } else { 0 };
            candidate.sight = Some(sight);
            if candidate.equal_look_count >= LOOK_COUNT {
                report.parked_count += parked.len() as u64;
                report.drift.extend(faults.into_iter().map(|fault| fault.drift));
                candidates.remove(&group);
            }
        }
    }
    report.undecided.extend(candidates.into_keys().map(|group| format!("group {group}")));
    report.drift.sort();
    Ok(report)
}

/// Looks at one group by consistent reads: its head, the newest source item, and rows wherever the
/// head, an earlier look or the index says that one may be.
async fn sight(
    session: &Session<'_>,
    audit: &LatestAudit,
    group: &str,
    places: &BTreeSet<Place>,
) -> Result<Sight, StoreError> {
    let view = audit.view();
    let head = head(session, &view.name, group).await?;
    let newest = newest(session, audit, group).await?;
    let suggested = Read::Suggested {
        table: view.definition.table.clone(),
        index: view.rows.index.clone(),
        partition: KeyValue::string(group),
        limit: SUGGESTED_ROWS_MAX,
    };
    let mut places = places.clone();
    places.extend(head.iter().flat_map(|head| head.places.iter().cloned()));
    for (_, answer) in session.read(vec![suggested]).await? {
        if let Answer::Suggested(items) = answer {
            let text = |item: &Item, name: &String| {
                item.get(name).and_then(AttributeValue::as_string).map(str::to_owned)
            };
            places.extend(items.iter().filter_map(|item| {
                text(item, &view.partition_attribute).zip(text(item, &view.sort_attribute))
            }));
        }
    }
    let keys = places.iter().map(|(owner, sort)| view.row_key(owner, sort));
    let rows = items(session, keys.collect()).await?;
    let rows = rows.iter().filter_map(|item| LatestAudit::row_sight(view, item));
    let rows = rows.filter(|(of, _)| of == group).map(|(_, row)| row).collect();
    Ok(Sight { newest, head, rows })
}

async fn head(
    session: &Session<'_>,
    view_name: &str,
    group: &str,
) -> Result<Option<HeadSight>, StoreError> {
    let Some(item) = items(session, vec![head_key(view_name, group)]).await?.pop() else {
        return Ok(None);
    };
    let mut sight = HeadSight::default();
    sight.take("head", &item);
    let chunk_count = Head::from_item(&item).map_or(0, |head| head.chunk_count);
    let keys = (1..=chunk_count).map(|number| chunk_key(view_name, group, number)).collect();
    let chunks = items(session, keys).await?;
    sight.is_broken |= chunks.len() as u64 != chunk_count;
    chunks.iter().for_each(|chunk| sight.take("rows", chunk));
    Ok(Some(sight))
}

/// The newest source item that can be one: others are parked.
async fn newest(
    session: &Session<'_>,
    audit: &LatestAudit,
    group: &str,
) -> Result<Option<(String, afterimage::verify::Digest)>, StoreError> {
    let view = audit.view();
    let mut before: Option<ItemKey> = None;
    loop {
        let last = Read::Last {
            table: view.definition.table.clone(),
            partition: KeyValue::S([view.strip_prefix.as_str(), group].concat()),
            sort_prefix: view.selection.prefix_of(&view.sort_attribute).to_owned(),
            before: before.clone(),
        };
        let answer = session.read(vec![last]).await?.pop();
        let Some((_, Answer::Item(Some(item)))) = answer else {
            return Ok(None);
        };
        let is_too_large =
            afterimage::attribute_value::item_byte_count(&view.copied(&item)) > COPIED_BYTES_MAX;
        if !is_too_large {
            return Ok(LatestAudit::source_sight(view, &item).map(|(_, newest)| newest));
        }
        before = ItemKey::of_item(&view.definition, &item);
    }
}

/// The items with these keys that are there.
async fn items(session: &Session<'_>, keys: Vec<ItemKey>) -> Result<Vec<Item>, StoreError> {
    let answers = session.read(keys.into_iter().map(Read::Item).collect()).await?;
    let item = |(_, answer)| match answer {
        Answer::Item(item) => item,
        Answer::Suggested(_) => None,
    };
    Ok(answers.into_iter().filter_map(item).collect())
}
