//! The second look at a `count` view.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use afterimage::count::Entry;
use afterimage::engine::{Answer, Read};
use afterimage::keys::ENTRY_SORT;
use afterimage::verify::{CountAudit, Drift, Ledger, Look, Verdict};
use afterimage::{Item, ItemKey};
use afterimage_schema::Table;

use super::run::{CANDIDATE_COUNT_MAX, LOOK_COUNT, LOOK_COUNT_MAX, Run, ViewReport, partition_of};
use crate::store::{Page, Scan, StoreError};

/// Readings of the ledger after which a count that still changes is left undecided.
const READING_COUNT_MAX: u32 = 5;

/// A source item whose ledger entry differs, as it was seen last.
struct Candidate {
    source_key: ItemKey,
    look: Look,
    equal_look_count: u32,
}

/// What the second look found.
#[derive(Default)]
struct Found {
    candidates: BTreeMap<String, Candidate>,
    further_count: u64,
    retained_count: u64,
    parked_count: u64,
    /// Partition keys in the ledger under which no usable entry stands.
    broken: BTreeSet<String>,
}

impl Found {
    fn differs(&mut self, partition: String, source_key: ItemKey, look: Look) {
        let is_full = self.candidates.len() >= CANDIDATE_COUNT_MAX;
        if !is_full || self.candidates.contains_key(&partition) {
            let candidate = Candidate { source_key, look, equal_look_count: 0 };
            self.candidates.insert(partition, candidate);
        } else {
            self.further_count += 1;
        }
    }
}

/// Looks again at what the first look did not find equal.
pub(super) async fn look_again(run: &Run<'_>, audit: CountAudit) -> Result<ViewReport, StoreError> {
    let mut report = ViewReport {
        view: audit.view().name.to_string(),
        source_item_count: audit.source_item_count,
        group_count: audit.group_count() as u64,
        ..ViewReport::default()
    };
    let again = Again { run, audit: &audit };
    let mut found = Found { broken: audit.broken().clone(), ..Found::default() };
    let counts = again.counts(&mut found).await?;
    if audit.is_ledger_suspect() {
        again.source_items(&mut found).await?;
    }
    report.drift.extend(again.broken_entries(&found).await?);
    let entries = again.entries(&mut found.candidates).await?;
    report.undecided.extend(counts.undecided);
    let unsettled = std::mem::take(&mut found.candidates).into_values();
    report.undecided.extend(unsettled.map(|it| format!("ledger entry of {}", it.source_key)));
    let mut drifted = counts.drifted;
    for (candidate, expected, found) in entries {
        let source_key = candidate.source_key.to_string();
        report.drift.push(audit.entry_drift(&source_key, &candidate.look));
        let difference = expected.into_iter().map(|it| (it, 1)).chain(found.map(|it| (it, -1)));
        for (group, difference) in difference {
            // A count that agrees with its ledger is wrong by what the ledger is wrong by.
            let count = i128::from(counts.ledger.count(&group));
            drifted.entry(group).or_insert((count, Some(count))).0 += difference;
        }
    }
    for (group, (expected, found)) in drifted {
        if found != Some(expected) && !report.undecided.contains(&audit.count_name(&group)) {
            report.drift.push(audit.count_drift(&group, expected, found));
        }
    }
    report.drift.sort();
    report.further_count = found.further_count;
    report.retained_count = found.retained_count;
    report.parked_count = found.parked_count;
    Ok(report)
}

/// What became of counts that seemed to differ from their ledger.
struct Counts {
    /// What each count should be and is.
    drifted: BTreeMap<String, (i128, Option<i128>)>,
    undecided: Vec<String>,
    /// The last reading.
    ledger: Ledger,
}

struct Again<'a> {
    run: &'a Run<'a>,
    audit: &'a CountAudit,
}

impl Again<'_> {
    /// Reads suspect counts between two readings of the ledger, again and again until no entry of
    /// theirs changed in between. The first time, entries in suspect buckets are looked at as well.
    async fn counts(&self, found: &mut Found) -> Result<Counts, StoreError> {
        let mut groups = self.audit.suspect_groups();
        let mut ledger = self.audit.ledger.clone();
        let mut drifted = BTreeMap::new();
        for reading in 0..READING_COUNT_MAX {
            let is_first = reading == 0 && self.audit.is_ledger_suspect();
            if groups.is_empty() && !is_first {
                break;
            }
            if reading > 0 {
                self.run.pause().await;
            }
            let counts = self.read_counts(&groups).await?;
            let later = self.read_ledger(is_first.then_some(&mut *found)).await?;
            groups.retain(|group| {
                if !ledger.is_still(&later, group) {
                    return true;
                }
                let expected = i128::from(later.count(group));
                let count = self.audit.count_of(counts.get(group));
                if count != Some(expected) {
                    drifted.insert(group.clone(), (expected, count));
                }
                false
            });
            ledger = later;
        }
        let undecided = groups.iter().map(|group| self.audit.count_name(group)).collect();
        Ok(Counts { drifted, undecided, ledger })
    }

    async fn read_counts(
        &self,
        groups: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Item>, StoreError> {
        let key = |group: &String| self.audit.view().target.key(group);
        let reads = groups.iter().map(|group| Read::Item(key(group))).collect();
        let mut items = items(self.run.session.read(reads).await?);
        let with_item = groups.iter().filter_map(|group| {
            let item = items.remove(&key(group)).flatten()?;
            Some((group.clone(), item))
        });
        Ok(with_item.collect())
    }

    /// Reads the ledger, and where `found` is given, looks at the entries in suspect buckets.
    async fn read_ledger(&self, found: Option<&mut Found>) -> Result<Ledger, StoreError> {
        let ledger = Mutex::new(Ledger::default());
        let looks_closer = found.is_some();
        let found = Mutex::new(found);
        let take = async |page: Page| {
            let mut suspects = Vec::new();
            let mut broken = Vec::new();
            for item in &page.items {
                let Some((partition, entry)) = partition_of(item).zip(Entry::from_item(item).ok())
                else {
                    continue;
                };
                ledger.lock().unwrap_or_else(PoisonError::into_inner).add(partition, &entry);
                let is_counted = entry.standing.group().is_some();
                if !looks_closer || !is_counted || !self.audit.is_suspect(partition) {
                    continue;
                }
                let source_key = self.audit.source_key(item);
                match source_key.filter(|it| self.audit.entry_partition(it) == partition) {
                    Some(source_key) => suspects.push((partition.to_owned(), source_key)),
                    None => broken.push(partition.to_owned()),
                }
            }
            let looks = self.look(suspects).await?;
            if let Some(found) = &mut *found.lock().unwrap_or_else(PoisonError::into_inner) {
                found.broken.extend(broken);
                for (partition, source_key, look) in looks {
                    match self.audit.judge(&look) {
                        Verdict::Agrees | Verdict::Parked => {}
                        Verdict::Retained => found.retained_count += 1,
                        Verdict::Differs { .. } => found.differs(partition, source_key, look),
                    }
                }
            }
            Ok(())
        };
        let scan = Scan {
            table: Table::DERIVED,
            attributes: Vec::new(),
            prefixes: vec![self.audit.ledger_prefix()],
            segment_count: self.run.options.segment_count,
        };
        self.run.session.scan(&scan, take).await?;
        Ok(ledger.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the source items in suspect buckets.
    async fn source_items(&self, found: &mut Found) -> Result<(), StoreError> {
        let view = self.audit.view();
        let found = Mutex::new(found);
        let take = async |page: Page| {
            let key = |item: &Item| ItemKey::of_item(&view.definition, item);
            let suspects = page.items.iter().filter_map(key).filter_map(|source_key| {
                let partition = self.audit.entry_partition(&source_key);
                self.audit.is_suspect(&partition).then_some((partition, source_key))
            });
            let looks = self.look(suspects.collect()).await?;
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            for (partition, source_key, look) in looks {
                match self.audit.judge(&look) {
                    // What is retained has no source item, and was counted with the ledger.
                    Verdict::Agrees | Verdict::Retained => {}
                    Verdict::Parked => found.parked_count += 1,
                    Verdict::Differs { .. } => found.differs(partition, source_key, look),
                }
            }
            Ok(())
        };
        let scan = Scan {
            table: view.definition.table.clone(),
            attributes: CountAudit::attributes(view).into_iter().collect(),
            prefixes: Vec::new(),
            segment_count: self.run.options.segment_count,
        };
        self.run.session.scan(&scan, take).await
    }

    /// Reads source items and their entries, consistently.
    async fn look(
        &self,
        keys: Vec<(String, ItemKey)>,
    ) -> Result<Vec<(String, ItemKey, Look)>, StoreError> {
        let entry_key = |source_key: &ItemKey| self.audit.view().ledger_key(source_key);
        let reads = keys.iter().flat_map(|(_, source_key)| {
            [Read::Item(source_key.clone()), Read::Item(entry_key(source_key))]
        });
        let mut items = items(self.run.session.read(reads.collect()).await?);
        let look = |(partition, source_key): (String, ItemKey)| {
            let entry = items.remove(&entry_key(&source_key)).flatten();
            let source = items.remove(&source_key).flatten();
            (partition, source_key, Look { source, entry })
        };
        Ok(keys.into_iter().map(look).collect())
    }

    /// Looks at differing entries until each agrees, or has stood still long enough. What is left in
    /// `candidates` cannot be decided.
    async fn entries(
        &self,
        candidates: &mut BTreeMap<String, Candidate>,
    ) -> Result<Vec<(Candidate, Option<String>, Option<String>)>, StoreError> {
        let mut settled = Vec::new();
        for _ in 0..LOOK_COUNT_MAX {
            if candidates.is_empty() {
                break;
            }
            self.run.pause().await;
            let keys =
                candidates.iter().map(|(partition, it)| (partition.clone(), it.source_key.clone()));
            for (partition, _, look) in self.look(keys.collect()).await? {
                let verdict = self.audit.judge(&look);
                let Verdict::Differs { expected, found } = verdict else {
                    candidates.remove(&partition);
                    continue;
                };
                let Some(candidate) = candidates.get_mut(&partition) else {
                    continue;
                };
                let is_equal = candidate.look == look;
                candidate.look = look;
                candidate.equal_look_count =
                    if is_equal { candidate.equal_look_count + 1 } else { 0 };
                if candidate.equal_look_count >= LOOK_COUNT {
                    let candidate = candidates.remove(&partition);
                    settled.extend(candidate.map(|it| (it, expected, found)));
                }
            }
        }
        Ok(settled)
    }

    /// Entries that cannot be read, and are no candidate for another reason.
    async fn broken_entries(&self, found: &Found) -> Result<Vec<Drift>, StoreError> {
        let partitions: Vec<_> =
            found.broken.iter().filter(|it| !found.candidates.contains_key(*it)).collect();
        let key =
            |partition: &String| ItemKey::strings(Table::DERIVED, partition.as_str(), ENTRY_SORT);
        let reads = partitions.iter().map(|partition| Read::Item(key(partition))).collect();
        let items = items(self.run.session.read(reads).await?);
        let drift = partitions.into_iter().filter_map(|partition| {
            let item = items.get(&key(partition))?.as_ref()?;
            let source_key = self.audit.source_key(item);
            let is_own = source_key.is_some_and(|it| self.audit.entry_partition(&it) == *partition);
            let found = match Entry::from_item(item) {
                Err(error) => error.to_string(),
                Ok(_) if is_own => return None,
                Ok(_) => "another source key".to_owned(),
            };
            let expected = "an entry with its source key".to_owned();
            Some(Drift { item: partition.clone(), expected, found })
        });
        Ok(drift.collect())
    }
}

fn items(answers: Vec<(Read, Answer)>) -> BTreeMap<ItemKey, Option<Item>> {
    let item = |(read, answer)| match (read, answer) {
        (Read::Item(key), Answer::Item(item)) => Some((key, item)),
        (Read::Item(_) | Read::Last { .. } | Read::Suggested { .. }, _) => None,
    };
    answers.into_iter().filter_map(item).collect()
}
