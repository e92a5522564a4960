//! The second look at a `count` view.

mod counts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use afterimage::count::Entry;
use afterimage::engine::Read;
use afterimage::keys::ENTRY_SORT;
use afterimage::parked::Summary;
use afterimage::verify::{
    CountAudit, CountDifference, CountTrial, CountVerdict, Drift, LedgerReading, Look, LookLimits,
    ParkedSight, Verdict,
};
use afterimage::version::Version;
use afterimage::{Item, ItemKey};
use afterimage_schema::Table;

use super::parked::parked_records;
use super::run::{CANDIDATE_COUNT_MAX, LOOK_COUNT, LOOK_COUNT_MAX, Run, ViewReport, partition_of};
use crate::store::{Page, Scan, StoreError};
use counts::{items, sights};

/// A source item whose ledger entry differs, as it was seen last.
struct Candidate {
    source_key: ItemKey,
    look: Look,
    equal_look_count: u32,
}

/// A ledger entry that differs, and stood still for long enough.
struct Settled {
    source_key: ItemKey,
    look: Look,
    /// The groups that the item belongs in and is counted in, if any.
    expected: Option<String>,
    found: Option<String>,
}

/// What the second look found.
#[derive(Default)]
struct Found {
    candidates: BTreeMap<String, Candidate>,
    further_count: u64,
    retained_count: u64,
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
    let settled = again.entries(&mut found.candidates).await?;
    let (entries, parked) = again.split_parked(settled, &mut found.candidates).await?;
    let unsettled = std::mem::take(&mut found.candidates).into_values();
    let unsettled = unsettled.map(|it| format!("ledger entry of {}", it.source_key));
    let undecided = counts.undecided.iter().map(|group| audit.count_name(group)).chain(unsettled);
    report.undecided.extend(undecided.map(|it| format!("{it}: changes went on")));
    let entries = entries.into_iter().map(|it| (it, None)).chain(parked);
    let differences = judge_entries(&audit, &mut report, entries);
    report.drift.extend(count_drift(&audit, counts, differences));
    report.drift.sort();
    report.further_count = found.further_count;
    report.retained_count = found.retained_count;
    Ok(report)
}

/// Takes the entries that differ into the report; returns by how much they make the counts wrong.
fn judge_entries(
    audit: &CountAudit,
    report: &mut ViewReport,
    entries: impl Iterator<Item = (Settled, Option<ParkedSight>)>,
) -> BTreeMap<String, i128> {
    let mut differences = BTreeMap::new();
    for (Settled { source_key, look, expected, found }, sight) in entries {
        match sight {
            Some(ParkedSight::AsItStands) => report.parked_count += 1,
            Some(ParkedSight::WithoutImage) => report
                .undecided
                .push(format!("ledger entry of {source_key}: its parked record holds no image")),
            Some(ParkedSight::NotThere | ParkedSight::OtherState) | None => {
                report.drift.push(audit.entry_drift(&source_key.to_string(), &look, sight));
                let added = expected.into_iter().map(|it| (it, 1));
                for (group, difference) in added.chain(found.map(|it| (it, -1))) {
                    *differences.entry(group).or_insert(0) += difference;
                }
            }
        }
    }
    differences
}

/// The counts that have drifted: from their ledger, or with it. One that agrees with its ledger is wrong by what the
/// ledger is wrong by.
fn count_drift(
    audit: &CountAudit,
    counts: CountVerdict,
    differences: BTreeMap<String, i128>,
) -> Vec<Drift> {
    let CountVerdict { mut drifted, undecided, ledger } = counts;
    for (group, difference) in differences {
        let count = i128::from(ledger.count(&group));
        let agreeing = CountDifference { expected: count, found: Some(count) };
        drifted.entry(group).or_insert(agreeing).expected += difference;
    }
    let is_drift = |(group, it): &(&String, &CountDifference)| {
        it.found != Some(it.expected) && !undecided.contains(*group)
    };
    let drifted = drifted.iter().filter(is_drift);
    drifted.map(|(group, difference)| audit.count_drift(group, *difference)).collect()
}

struct Again<'a> {
    run: &'a Run<'a>,
    audit: &'a CountAudit,
}

impl Again<'_> {
    /// Reads counts between two readings of the ledger, again and again until each is decided. The first time,
    /// entries in suspect buckets are looked at as well.
    async fn counts(&self, found: &mut Found) -> Result<CountVerdict, StoreError> {
        let limits = LookLimits { equal_look_count: LOOK_COUNT, look_count_max: LOOK_COUNT_MAX };
        let mut trial = CountTrial::new(self.audit.ledger.clone(), limits);
        let mut is_first = true;
        while let Some(question) = trial.question() {
            if !is_first {
                self.run.pause().await;
            }
            let sights = sights(self.run.session, self.audit, &question).await?;
            let found = (is_first && self.audit.is_ledger_suspect()).then_some(&mut *found);
            let reading = self.read_ledger(trial.reading(), found).await?;
            trial.take(&sights, reading);
            is_first = false;
        }
        Ok(trial.verdict())
    }

    /// Reads the ledger, and where `found` is given, looks at the entries in suspect buckets.
    async fn read_ledger(
        &self,
        reading: LedgerReading,
        found: Option<&mut Found>,
    ) -> Result<LedgerReading, StoreError> {
        let ledger = Mutex::new(reading);
        let looks_closer = found.is_some();
        let found = Mutex::new(found);
        let take = async |page: Page| {
            let mut suspects = Vec::new();
            let mut broken = Vec::new();
            for item in &page.items {
                let Some(partition) = partition_of(item) else {
                    continue;
                };
                ledger.lock().unwrap_or_else(PoisonError::into_inner).add(partition, item);
                let Ok(entry) = Entry::from_item(item) else {
                    continue;
                };
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
                        Verdict::Agrees => {}
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
    ) -> Result<Vec<Settled>, StoreError> {
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
                    settled.extend(candidate.map(|Candidate { source_key, look, .. }| Settled {
                        source_key,
                        look,
                        expected,
                        found,
                    }));
                }
            }
        }
        Ok(settled)
    }

    /// Sets those apart whose entries stand as parked, with what their parked records say of them now. The entries
    /// are read once more after that: one that changed meanwhile, as by `parked retry`, is a candidate again.
    async fn split_parked(
        &self,
        settled: Vec<Settled>,
        candidates: &mut BTreeMap<String, Candidate>,
    ) -> Result<(Vec<Settled>, Vec<(Settled, Option<ParkedSight>)>), StoreError> {
        let (parked, others): (Vec<_>, Vec<_>) =
            settled.into_iter().partition(|it| CountAudit::parked_version(&it.look).is_some());
        if parked.is_empty() {
            return Ok((others, Vec::new()));
        }
        let versions: BTreeSet<_> =
            parked.iter().filter_map(|it| CountAudit::parked_version(&it.look)).collect();
        let is_wanted = |summary: &Summary| {
            version_of(summary).is_some_and(|version| versions.contains(&version))
        };
        let mut records = BTreeMap::new();
        let name = &self.audit.view().name;
        parked_records(self.run, name, is_wanted, |_, record| {
            records.insert((record.key.clone(), record.version.clone()), record);
        })
        .await?;
        let key =
            |it: &Settled| (self.audit.entry_partition(&it.source_key), it.source_key.clone());
        let looks = self.look(parked.iter().map(key).collect()).await?;
        let mut judged = Vec::new();
        for (settled, (partition, source_key, look)) in parked.into_iter().zip(looks) {
            if settled.look == look {
                let version = CountAudit::parked_version(&look);
                let record = version.and_then(|version| records.get(&(source_key, version)));
                let sight = self.audit.parked_sight(&look, record);
                judged.push((settled, Some(sight)));
            } else if matches!(self.audit.judge(&look), Verdict::Differs { .. }) {
                let candidate = Candidate { source_key, look, equal_look_count: 0 };
                candidates.insert(partition, candidate);
            }
        }
        Ok((others, judged))
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

/// The version of a parked record, if its place in the stream is known.
fn version_of(summary: &Summary) -> Option<Version> {
    let place = summary.place.as_ref()?;
    Some(Version {
        stream_label: place.stream_label.parse().ok()?,
        sequence_number: place.sequence_number.parse().ok()?,
    })
}
