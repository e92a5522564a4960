//! Drives tasks: reads, commits and parks for them until they are done or the time is over.

use std::sync::atomic::{AtomicBool, Ordering};

use afterimage::batch::ViewTask;
use afterimage::engine::{Committed, Parking, Read, Refusal, Step};
use afterimage::parked::{ParkedRecord, ParkedRows, StreamPlace, without_images};
use afterimage::record::Decoded;
use afterimage::write::Transaction;
use futures::stream::{StreamExt as _, TryStreamExt as _};
use tokio::time::Instant;

use crate::pace::Pace;
use crate::store::{Session, StoreError};

/// Tasks under way at once: enough to hide latency, few enough for a small function.
const CONCURRENT_TASKS: usize = 16;

/// Tasks whose next reads go out together.
const TASKS_PER_READ: usize = 16;

/// Items that one task may read together with others: the rows of a small group. What is read of large
/// groups is held for as few tasks as are driven at once.
const SHARED_READS_MAX: usize = 8;

/// Transactions of one task under way at once.
const CONCURRENT_COMMITS: usize = 8;

/// A batch as tasks need it to park a record.
pub(crate) struct Payloads<'a> {
    pub(crate) raw_records: &'a [Box<serde_json::value::RawValue>],
    pub(crate) decoded: &'a [Decoded],
    /// When the batch began, as RFC 3339 in UTC.
    pub(crate) now: &'a str,
    /// The parked record that the batch tries again, if it does.
    pub(crate) retried: Option<&'a RetriedRecord<'a>>,
}

/// A parked record that is tried again.
pub(crate) struct RetriedRecord<'a> {
    pub(crate) record: &'a ParkedRecord,
    /// Whether it is parked under another id now.
    pub(crate) is_moved: AtomicBool,
}

/// A task, and the step that it said last. A step is asked for once, and then answered.
struct Driven {
    task: ViewTask,
    step: Step,
}

impl Driven {
    fn begin(mut task: ViewTask) -> Self {
        let step = task.task.next();
        Self { task, step }
    }

    fn go_on(&mut self) {
        self.step = self.task.task.next();
    }

    /// The items that the task wants, if it wants at most this many and nothing else.
    fn shared_reads(&self, read_count_max: usize) -> Option<&[Read]> {
        let is_item = |read: &Read| matches!(read, Read::Item(_));
        match &self.step {
            Step::Read(reads) if reads.len() <= read_count_max && reads.iter().all(is_item) => {
                Some(reads)
            }
            Step::Read(_) | Step::Commit(_) | Step::Park(_) | Step::Done => None,
        }
    }
}

/// Drives every task as far as it gets. What is left without an outcome has to come again; the
/// errors that stood in the way are returned.
pub(crate) async fn drive_all(
    session: &Session<'_>,
    payloads: &Payloads<'_>,
    tasks: Vec<ViewTask>,
) -> (Vec<ViewTask>, Vec<StoreError>) {
    let mut driven: Vec<_> = tasks.into_iter().map(Driven::begin).collect();
    let (mut ended, mut errors) = (Vec::new(), Vec::new());
    if let Err(error) = read_ahead(session, &mut driven, usize::MAX).await {
        // Those that wanted none of the items go on.
        errors.push(error);
        let (unread, others) =
            driven.into_iter().partition(|it: &Driven| it.shared_reads(usize::MAX).is_some());
        ended.extend(unread);
        driven = others;
    }
    let results: Vec<_> = futures::stream::iter(driven)
        .chunks(TASKS_PER_READ)
        .map(|mut driven| async {
            if driven.len() > 1 {
                // If this fails, each task reads for itself, and fails alone.
                read_ahead(session, &mut driven, SHARED_READS_MAX).await.ok();
            }
            driven
        })
        .buffered(1)
        .flat_map(futures::stream::iter)
        .map(|mut driven| async {
            let result = drive(session, payloads, &mut driven).await;
            (driven, result)
        })
        .buffer_unordered(CONCURRENT_TASKS)
        .collect()
        .await;
    for (driven, result) in results {
        ended.push(driven);
        errors.extend(result.err());
    }
    (ended.into_iter().map(|driven| driven.task).collect(), errors)
}

/// Answers the next reads of all tasks together, so that many small groups share requests; those of a
/// task that wants more than `read_count_max` are left to it.
async fn read_ahead(
    session: &Session<'_>,
    driven: &mut [Driven],
    read_count_max: usize,
) -> Result<(), StoreError> {
    let wanted = driven.iter().filter_map(|it| it.shared_reads(read_count_max));
    let wanted: Vec<Read> = wanted.flatten().cloned().collect();
    let answers = std::collections::BTreeMap::from_iter(session.read(wanted).await?);
    for it in driven {
        let Some(reads) = it.shared_reads(read_count_max) else {
            continue;
        };
        let own = reads.iter().filter_map(|read| Some((read.clone(), answers.get(read)?.clone())));
        let own = own.collect();
        it.task.task.answered(own);
        it.go_on();
    }
    Ok(())
}

async fn drive(
    session: &Session<'_>,
    payloads: &Payloads<'_>,
    driven: &mut Driven,
) -> Result<(), StoreError> {
    let mut pace = Pace::new(session.budget);
    loop {
        if session.budget.is_spent() {
            return Err(StoreError::TimeOver);
        }
        let task = &mut driven.task;
        match std::mem::replace(&mut driven.step, Step::Done) {
            Step::Done => return Ok(()),
            Step::Read(reads) => {
                let answers = session.read(reads).await?;
                task.task.answered(answers);
            }
            Step::Park(parkings) => {
                park_all(session, payloads, &task.view, &parkings).await?;
                task.task.parked();
            }
            Step::Commit(transactions) => {
                pace.begin().await;
                let began = Instant::now();
                let (results, error) = commit_all(session, &transactions).await;
                task.task.committed(results.clone());
                if let Some(error) = error {
                    return Err(error);
                }
                pace.ended(&results, began.elapsed()).await?;
            }
        }
        driven.go_on();
    }
}

/// Commits transactions, and returns how each ended and the first error. A commit that met an error may
/// have been carried out: it is [`Refusal::Unknown`], and what the others did stands.
async fn commit_all(
    session: &Session<'_>,
    transactions: &[Transaction],
) -> (Vec<Committed>, Option<StoreError>) {
    let mut commits = Vec::new();
    for transaction in transactions {
        commits.push(session.commit(transaction));
    }
    let ends: Vec<_> = futures::stream::iter(commits).buffered(CONCURRENT_COMMITS).collect().await;
    let mut first_error = None;
    let committed = |end: Result<Committed, StoreError>| {
        end.unwrap_or_else(|error| {
            first_error.get_or_insert(error);
            Err(Refusal::Unknown)
        })
    };
    let results = ends.into_iter().map(committed).collect();
    (results, first_error)
}

async fn park_all(
    session: &Session<'_>,
    payloads: &Payloads<'_>,
    view: &str,
    parkings: &[Parking],
) -> Result<(), StoreError> {
    let mut records = Vec::new();
    for record in parkings.iter().filter_map(|it| parked_record(payloads, view, it)) {
        match payloads.retried.filter(|retried| retried.record.view == view) {
            // It is parked already, and stays as it is.
            Some(retried) if retried.record.id() == record.id() => continue,
            Some(retried) => retried.is_moved.store(true, Ordering::Relaxed),
            None => {}
        }
        records.push(record);
    }
    let parks = records.into_iter().map(|record| async move {
        session.park(&record).await?;
        tracing::warn!(
            view = record.view,
            stream_label = record.place.as_ref().map(|it| &it.stream_label),
            sequence_number = record.place.as_ref().map(|it| &it.sequence_number),
            parked_id = record.id(),
            reason = record.short_reason(),
            "record parked"
        );
        Ok::<(), StoreError>(())
    });
    futures::stream::iter(parks).buffered(CONCURRENT_COMMITS).try_collect().await
}

fn parked_record(payloads: &Payloads<'_>, view: &str, parking: &Parking) -> Option<ParkedRecord> {
    let raw = payloads.raw_records.get(parking.index)?;
    let decoded = payloads.decoded.get(parking.index)?;
    let raw_json = match &parking.rows {
        None => raw.get().to_owned(),
        Some(_) => without_images(raw.get()),
    };
    Some(ParkedRecord {
        view: view.to_owned(),
        place: StreamPlace::of(decoded.stream_label.clone(), decoded.sequence_number.clone()),
        reason: parking.reason.clone(),
        part: parking.rows.as_ref().map(ParkedRows::title),
        rows: parking.rows.clone(),
        parked_at: payloads.now.to_owned(),
        raw_json,
    })
}
