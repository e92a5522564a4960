//! Drives tasks: reads, commits and parks for them until they are done or the time is over.

use afterimage::parked::ParkedRecord;
use afterimage::record::Decoded;
use afterimage::view::{Committed, Parking, Read, Step, Task};
use afterimage::write::Transaction;
use futures::stream::{StreamExt as _, TryStreamExt as _};

use crate::budget::Backoff;
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

/// A task, and the view that it works for.
pub(crate) struct ViewTask {
    pub(crate) view: String,
    pub(crate) task: Box<dyn Task>,
}

/// A batch as tasks need it to park a record.
pub(crate) struct Batch<'a> {
    pub(crate) raw_records: &'a [Box<serde_json::value::RawValue>],
    pub(crate) decoded: &'a [Decoded],
    /// When the batch began, as RFC 3339 in UTC.
    pub(crate) now: &'a str,
    /// The parked record that the batch tries again, where it does: what is still parked of it is
    /// the same as before, and is not kept twice.
    pub(crate) retried: Option<&'a ParkedRecord>,
}

/// Drives every task as far as it gets. What is left without an outcome has to come again; the
/// errors that stood in the way are returned.
pub(crate) async fn drive_all(
    session: &Session<'_>,
    batch: &Batch<'_>,
    mut tasks: Vec<ViewTask>,
) -> (Vec<ViewTask>, Vec<StoreError>) {
    let mut errors = Vec::new();
    if let Err(error) = read_ahead(session, &mut tasks, usize::MAX).await {
        errors.push(error);
        return (tasks, errors);
    }
    let ended: Vec<_> = futures::stream::iter(tasks)
        .chunks(TASKS_PER_READ)
        .map(|mut tasks| async {
            if tasks.len() > 1 {
                // Where this fails, each task reads for itself, and fails alone.
                read_ahead(session, &mut tasks, SHARED_READS_MAX).await.ok();
            }
            tasks
        })
        .buffered(1)
        .flat_map(futures::stream::iter)
        .map(|mut task| async {
            let result = drive(session, batch, &mut task).await;
            (task, result)
        })
        .buffer_unordered(CONCURRENT_TASKS)
        .collect()
        .await;
    let mut tasks = Vec::new();
    for (task, result) in ended {
        tasks.push(task);
        errors.extend(result.err());
    }
    (tasks, errors)
}

/// Answers the next reads of all tasks together, so that many small groups share requests; those of a
/// task that wants more than `read_count_max` are left to it.
async fn read_ahead(
    session: &Session<'_>,
    tasks: &mut [ViewTask],
    read_count_max: usize,
) -> Result<(), StoreError> {
    let is_item = |read: &Read| matches!(read, Read::Item(_));
    let mut wanted: Vec<(&mut ViewTask, Vec<Read>)> = Vec::new();
    for task in tasks {
        match task.task.next() {
            Step::Read(reads) if reads.len() <= read_count_max && reads.iter().all(is_item) => {
                wanted.push((task, reads));
            }
            Step::Read(_) | Step::Commit(_) | Step::Park(_) | Step::Done => {}
        }
    }
    let all = wanted.iter().flat_map(|(_, reads)| reads.iter().cloned()).collect();
    let answers = std::collections::BTreeMap::from_iter(session.read(all).await?);
    for (task, reads) in wanted {
        let own = reads.into_iter().filter_map(|read| {
            let answer = answers.get(&read)?.clone();
            Some((read, answer))
        });
        task.task.answered(own.collect());
    }
    Ok(())
}

async fn drive(
    session: &Session<'_>,
    batch: &Batch<'_>,
    task: &mut ViewTask,
) -> Result<(), StoreError> {
    let mut backoff = Backoff::default();
    loop {
        if session.budget.is_spent() {
            return Err(StoreError::TimeOver);
        }
        match task.task.next() {
            Step::Done => return Ok(()),
            Step::Read(reads) => {
                let answers = session.read(reads).await?;
                task.task.answered(answers);
            }
            Step::Park(parkings) => {
                park_all(session, batch, &task.view, &parkings).await?;
                task.task.parked();
            }
            Step::Commit(transactions) => {
                let results = commit_all(session, &transactions).await?;
                let is_set_back = results.iter().any(Result::is_err);
                if results.iter().any(Result::is_ok) {
                    backoff = Backoff::default();
                }
                task.task.committed(results);
                if is_set_back && !backoff.wait(&session.budget).await {
                    return Err(StoreError::TimeOver);
                }
            }
        }
    }
}

async fn commit_all(
    session: &Session<'_>,
    transactions: &[Transaction],
) -> Result<Vec<Committed>, StoreError> {
    let mut commits = Vec::new();
    for transaction in transactions {
        commits.push(session.commit(transaction));
    }
    futures::stream::iter(commits).buffered(CONCURRENT_COMMITS).try_collect().await
}

async fn park_all(
    session: &Session<'_>,
    batch: &Batch<'_>,
    view: &str,
    parkings: &[Parking],
) -> Result<(), StoreError> {
    let mut records = Vec::new();
    for parking in parkings {
        records.extend(parked_record(batch, view, parking));
    }
    let parks = records.into_iter().map(|record| async move {
        session.park(&record).await?;
        tracing::warn!(
            view = record.view,
            stream_label = record.place.as_ref().map(|(label, _)| label),
            sequence_number = record.place.as_ref().map(|(_, number)| number),
            parked_id = record.id(),
            reason = record.short_reason(),
            "record parked"
        );
        Ok::<(), StoreError>(())
    });
    futures::stream::iter(parks).buffered(CONCURRENT_COMMITS).try_collect().await
}

fn parked_record(batch: &Batch<'_>, view: &str, parking: &Parking) -> Option<ParkedRecord> {
    let raw = batch.raw_records.get(parking.index)?;
    let decoded = batch.decoded.get(parking.index)?;
    let retried = batch.retried.filter(|retried| retried.view == view);
    Some(ParkedRecord {
        view: view.to_owned(),
        place: decoded.stream_label.clone().zip(decoded.sequence_number.clone()),
        reason: parking.reason.clone(),
        part: retried.map_or_else(|| parking.part.clone(), |retried| retried.part.clone()),
        parked_at: batch.now.to_owned(),
        raw_json: raw.get().to_owned(),
    })
}
