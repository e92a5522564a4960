//! The second look at a `latest` view.

use std::collections::{BTreeMap, BTreeSet};

use afterimage::engine::{Answer, Read};
use afterimage::latest::{Head, chunk_key, head_key};
use afterimage::limits::SUGGESTED_ROWS_MAX;
use afterimage::verify::{
    Digest, Explanation, HeadSight, LatestAudit, LatestParked, Sight, SourceSight,
};
use afterimage::{AttributeValue, Item, ItemKey, KeyValue};
use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::parked::parked_records;
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

/// Looks again at groups that the first look did not find right.
pub(super) async fn look_again(
    run: &Run<'_>,
    audit: &LatestAudit,
) -> Result<ViewReport, StoreError> {
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
    let mut settled = BTreeMap::new();
    for look in 0..LOOK_COUNT_MAX {
        if candidates.is_empty() {
            break;
        }
        if look > 0 {
            run.pause().await;
        }
        for (group, sight) in sights(run, audit, &candidates).await? {
            let Some(candidate) = candidates.get_mut(&group) else {
                continue;
            };
            if audit.faults(&group, &sight).is_empty() {
                candidates.remove(&group);
                continue;
            }
            candidate.take(sight);
            if candidate.equal_look_count >= LOOK_COUNT {
                settled.extend(candidates.remove_entry(&group));
            }
        }
    }
    let settled_groups: BTreeSet<String> = settled.keys().cloned().collect();
    candidates.append(&mut settled);
    judge(run, audit, &mut report, &candidates, &settled_groups).await?;
    report.drift.sort();
    Ok(report)
}

/// Judges groups by the parked records that are there now, and by a look after that: what was tried again
/// meanwhile is no fault any more.
async fn judge(
    run: &Run<'_>,
    audit: &LatestAudit,
    report: &mut ViewReport,
    candidates: &BTreeMap<String, Candidate>,
    settled: &BTreeSet<String>,
) -> Result<(), StoreError> {
    if candidates.is_empty() {
        return Ok(());
    }
    let view = audit.view();
    let mut parked = LatestParked::default();
    parked_records(run, &view.name, |_| true, |it, record| parked.take(view, it, &record)).await?;
    for (group, sight) in sights(run, audit, candidates).await? {
        let before = candidates.get(&group).and_then(|it| it.sight.as_ref());
        let is_still = settled.contains(&group) && before == Some(&sight);
        let mut is_undecided = false;
        for fault in audit.faults(&group, &sight) {
            match parked.explanation(&group, &fault) {
                Explanation::Explained => report.parked_count += 1,
                Explanation::Unknown => {
                    let item = &fault.drift.item;
                    report.undecided.push(format!("{item}: its parked record holds no image"));
                }
                Explanation::Unexplained if is_still => report.drift.push(fault.drift),
                Explanation::Unexplained => is_undecided = true,
            }
        }
        if is_undecided {
            report.undecided.push(format!("group {group}: changes went on"));
        }
    }
    Ok(())
}

/// Looks at groups, several at once.
async fn sights(
    run: &Run<'_>,
    audit: &LatestAudit,
    candidates: &BTreeMap<String, Candidate>,
) -> Result<Vec<(String, Sight)>, StoreError> {
    let mut looks = Vec::new();
    for (group, candidate) in candidates {
        looks.push(async {
            let sight = sight(run.session, audit, group, &candidate.places).await?;
            Ok::<_, StoreError>((group.clone(), sight))
        });
    }
    futures::stream::iter(looks).buffered(CONCURRENT_GROUPS).try_collect().await
}

impl Candidate {
    fn take(&mut self, sight: Sight) {
        let rows = sight.rows.iter().map(|row| (row.owner.clone(), row.sort.clone()));
        self.places.extend(rows);
        let is_equal = self.sight.as_ref() == Some(&sight);
        self.equal_look_count = if is_equal { self.equal_look_count + 1 } else { 0 };
        self.sight = Some(sight);
    }
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
    let (newest, unfit) = newest(session, audit, group).await?;
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
    Ok(Sight { newest, unfit, head, rows })
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

/// An order key and copied attributes.
type Newest = Option<(String, Digest)>;

/// The newest source item that a head can follow, and the newest of those before it that none can.
async fn newest(
    session: &Session<'_>,
    audit: &LatestAudit,
    group: &str,
) -> Result<(Newest, Newest), StoreError> {
    let view = audit.view();
    let mut before: Option<ItemKey> = None;
    let mut unfit = None;
    loop {
        let last = Read::Last {
            table: view.definition.table.clone(),
            partition: KeyValue::S([view.strip_prefix.as_str(), group].concat()),
            sort_prefix: view.selection.prefix_of(&view.sort_attribute).to_owned(),
            before: before.clone(),
        };
        let answer = session.read(vec![last]).await?.pop();
        let Some((_, Answer::Item(Some(item)))) = answer else {
            return Ok((None, unfit));
        };
        match LatestAudit::source_sight(view, &item) {
            Some(SourceSight { newest, is_fit: false, .. }) => {
                unfit.get_or_insert(newest);
            }
            sight => return Ok((sight.map(|it| it.newest), unfit)),
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
