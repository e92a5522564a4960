//! The event source mapping: takes records from shards in order, and invokes the processor.

use crate::world::{ALBUMS, MESSAGES};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use afterimage::{Catalog, Views};
use afterimage_dynamodb::{BatchReport, Processor, StreamEvent};
use afterimage_schema::Table;
use time::macros::datetime;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::Stream;
use super::lane::Lane;
use super::shard::Shards;
use crate::WorldError;
use crate::canary::Canary;
use crate::check::Violation;
use crate::dynamodb::{Dynamodb, client};
use crate::trace::Trace;
use crate::world::table_name;

/// Processes that invocations run in.
const PROCESS_COUNT: usize = 3;

/// How often the drain looks whether an invocation has ended.
const DRAIN_LOOK: Duration = Duration::from_millis(5);

/// How much later than its deadline a batch ends that does not know of it, at least.
const PAST_DEADLINE: Duration = Duration::from_secs(60);

/// Rounds of invocations within which every schedule is drained: the longest chain is a record, the
/// rows that it moves, and their echoes.
const DRAIN_ROUNDS_MAX: usize = 120;

/// The terms on which an invocation is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Records in a batch, at most.
    pub batch_size: usize,
    /// The time that the invocation has, in milliseconds.
    pub deadline_ms: u64,
}

impl Terms {
    /// Those of a calm mapping.
    pub const CALM: Self = Self { batch_size: 100, deadline_ms: 60_000 };
}

/// The mapping of both streams onto the processor.
#[derive(Clone)]
pub struct Mapping(Arc<Shared>);

struct Shared {
    dynamodb: Dynamodb,
    catalog: Catalog,
    views: Views,
    trace: Trace,
    state: Mutex<State>,
}

struct State {
    stream: Stream,
    shards: Shards,
    bisects: bool,
    processes: Vec<Processor>,
    process_count: usize,
    invocations: Vec<Option<AbortHandle>>,
    /// Records that invocations were given, each as often as it was given.
    delivery_count: usize,
    outcomes: BTreeMap<&'static str, u64>,
    violation: Option<Violation>,
}

impl Mapping {
    /// A mapping that has read nothing yet.
    ///
    /// # Errors
    /// [`WorldError`] if there is no processor for these views.
    pub fn new(
        dynamodb: Dynamodb,
        catalog: Catalog,
        views: Views,
        trace: Trace,
        seed: u64,
        lanes_per_shard: usize,
        bisects: bool,
    ) -> Result<Self, WorldError> {
        let state = State {
            stream: Stream::new(seed, dynamodb.is_planted(Canary::VersionsAsText)),
            shards: Shards::of([ALBUMS, MESSAGES], lanes_per_shard),
            bisects,
            processes: Vec::new(),
            process_count: 0,
            invocations: Vec::new(),
            delivery_count: 0,
            outcomes: BTreeMap::new(),
            violation: None,
        };
        let mapping =
            Self(Arc::new(Shared { dynamodb, catalog, views, trace, state: Mutex::new(state) }));
        for _ in 0..PROCESS_COUNT {
            let process = mapping.start_process(&mapping.0.views)?;
            mapping.state().processes.push(process);
        }
        Ok(mapping)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process with empty memory, whose own file has these views.
    fn start_process(&self, views: &Views) -> Result<Processor, WorldError> {
        let number = {
            let mut state = self.state();
            state.process_count += 1;
            state.process_count
        };
        let client = client(&self.0.dynamodb, &format!("process {number}"));
        let names = self.0.catalog.names().clone();
        let processor = Processor::new(client, views.clone(), names)?;
        // Later than every label of the emulator, which has a clock of its own.
        Ok(processor.with_clock(|| datetime!(2100-01-01 00:00 UTC)))
    }

    /// What was written so far was there before the stream was read: it is never delivered.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn deploy(&self) -> Result<(), WorldError> {
        let mut state = self.state();
        state.stream.read(&self.0.dynamodb)?;
        state.stream.deploy();
        Ok(())
    }

    /// Takes what was written since into the shards.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn read(&self) -> Result<(), WorldError> {
        let mut state = self.state();
        let new = state.stream.read(&self.0.dynamodb)?;
        new.for_each(|place| state.take(place));
        Ok(())
    }

    /// Invokes the processor for one of the lanes that have records and no invocation.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn invoke(&self, pick: usize, terms: Terms) -> Result<(), WorldError> {
        self.read()?;
        let lanes = self.state().shards.ready_lanes();
        let lane = pick.checked_rem(lanes.len()).and_then(|pick| lanes.get(pick).copied());
        if let Some(lane) = lane {
            self.invoke_lane(lane, terms);
        }
        Ok(())
    }

    fn invoke_lane(&self, lane: usize, terms: Terms) {
        let batch = self.state().shards.lanes.get(lane).map(|it| it.batch(terms.batch_size));
        self.start(Some(lane), batch.unwrap_or_default(), terms);
    }

    /// Delivers these records once more, whatever became of them, in this order.
    pub fn redeliver(&self, picks: &[usize], terms: Terms) {
        let batch: Vec<_> = {
            let state = self.state();
            picks.iter().filter_map(|pick| state.stream.pick(*pick)).collect()
        };
        if !batch.is_empty() {
            self.start(None, batch, terms);
        }
    }

    fn start(&self, lane: Option<usize>, batch: Vec<usize>, terms: Terms) {
        let mut state = self.state();
        let number = state.invocations.len();
        let processor = number.checked_rem(state.processes.len());
        let Some(processor) = processor.and_then(|it| state.processes.get(it)).cloned() else {
            return;
        };
        self.0.trace.note(|| {
            let of_lane = lane.map_or_else(|| "redelivery".to_owned(), |it| format!("lane {it}"));
            let records = batch.iter().filter_map(|it| state.stream.records().get(*it));
            let names: Vec<_> = records.map(|it| it.name.as_str()).collect();
            format!("invocation {number} of {of_lane}: {}", names.join("; "))
        });
        let mapping = self.clone();
        let batch_size = batch.len();
        let task = tokio::spawn(async move {
            mapping.run(number, lane, batch, processor, terms).await;
        });
        state.invocations.push(Some(task.abort_handle()));
        state.delivery_count += batch_size;
        if let Some(lane) = lane.and_then(|it| state.shards.lanes.get_mut(it)) {
            lane.invocation = Some(number);
        }
    }

    async fn run(
        self,
        number: usize,
        lane: Option<usize>,
        batch: Vec<usize>,
        processor: Processor,
        terms: Terms,
    ) {
        let event = {
            let state = self.state();
            let records = batch.iter().filter_map(|it| state.stream.records().get(*it));
            StreamEvent { records: records.map(|it| it.raw.clone()).collect() }
        };
        let deadline = Instant::now() + Duration::from_millis(terms.deadline_ms);
        let is_forgotten = self.0.dynamodb.is_planted(Canary::DeadlineForgotten);
        let told = if is_forgotten { deadline + PAST_DEADLINE } else { deadline };
        let report = timeout_at(deadline, processor.process(&event, told)).await;
        let mut state = self.state();
        let acknowledged = match report {
            Err(_) => {
                state
                    .violated("I8", format!("invocation {number} did not end before its deadline"));
                0
            }
            Ok(report) => {
                self.0.trace.note(|| format!("invocation {number} ends: {}", words(&report)));
                for (_, outcome) in report.outcomes() {
                    *state.outcomes.entry(outcome.name()).or_insert(0) += 1;
                }
                let acknowledged = state.acknowledged(number, &batch, &report);
                // The record after the failed one is reported: one more is taken for done.
                let shift = self.0.dynamodb.is_planted(Canary::WrongRecordReported);
                acknowledged + usize::from(shift && acknowledged < batch.len())
            }
        };
        state.end(number, lane, acknowledged, batch.len());
    }

    /// Cuts an invocation: whatever it had in memory is gone, and its process with it.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn cut(&self, pick: usize) -> Result<(), WorldError> {
        let running = self.state().running();
        let Some(number) = pick.checked_rem(running.len()).and_then(|it| running.get(it).copied())
        else {
            return Ok(());
        };
        self.0.trace.note(|| format!("the process of invocation {number} is cut"));
        let views = self.0.views.clone();
        self.state().cut(number);
        self.replace_process(number, &views)
    }

    /// Starts another process in the place of one, whose own file has these views.
    ///
    /// # Errors
    /// [`WorldError`] if there is no processor for these views.
    pub fn replace_process(&self, pick: usize, views: &Views) -> Result<(), WorldError> {
        let process = self.start_process(views)?;
        let mut state = self.state();
        let place = pick.checked_rem(state.processes.len());
        if let Some(slot) = place.and_then(|it| state.processes.get_mut(it)) {
            *slot = process;
        }
        Ok(())
    }

    /// Whether no record is waiting or in flight, of all that was written by then.
    #[must_use]
    pub fn is_drained_at(&self, write_count: u64) -> bool {
        let state = self.state();
        state.stream.is_read_at(write_count)
            && state.running().is_empty()
            && state.shards.lanes.iter().all(Lane::is_done)
    }

    /// The mapping is made anew, at TRIM_HORIZON: everything is delivered again.
    pub fn restart(&self) {
        self.0.trace.note(|| "the mapping starts again at TRIM_HORIZON".to_owned());
        let mut state = self.state();
        state.running().into_iter().for_each(|number| state.cut(number));
        state.shards.lanes.iter_mut().for_each(Lane::rewind);
    }

    /// A shard is split: what follows is in its two children.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn split(&self, pick: usize) -> Result<(), WorldError> {
        self.read()?;
        self.0.trace.note(|| "a shard is split".to_owned());
        self.state().shards.split(pick);
        Ok(())
    }

    /// A table's stream is disabled and enabled again.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn enable_again(&self, table: &Table) -> Result<(), WorldError> {
        self.read()?;
        self.0.trace.note(|| format!("the stream of {table} is disabled and enabled again"));
        let mut state = self.state();
        state.stream.enable_again(table);
        state.shards.begin_again(table);
        Ok(())
    }

    /// A damaged copy of a record appears in the stream.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn damage(&self, pick: usize) -> Result<(), WorldError> {
        self.read()?;
        let mut state = self.state();
        let place = state.stream.pick(pick);
        if let Some(place) = place.and_then(|place| state.stream.damage(place)) {
            self.0.trace.note(|| "a damaged record appears".to_owned());
            state.take(place);
        }
        Ok(())
    }

    /// Invokes until no record is waiting, the engine's own writes included.
    ///
    /// # Errors
    /// [`WorldError`].
    pub async fn drain(&self) -> Result<(), WorldError> {
        for _ in 0..DRAIN_ROUNDS_MAX {
            self.settle().await;
            self.read()?;
            self.0.dynamodb.refresh_index(&table_name(&MESSAGES))?;
            let lanes = self.state().shards.ready_lanes();
            if lanes.is_empty() || self.violation().is_some() || self.0.dynamodb.is_overrun() {
                return Ok(());
            }
            lanes.into_iter().for_each(|lane| self.invoke_lane(lane, Terms::CALM));
        }
        let what = format!("{DRAIN_ROUNDS_MAX} rounds of invocations did not drain the streams");
        self.state().violated("I6", what);
        Ok(())
    }

    /// Waits for the invocations that are under way.
    pub async fn settle(&self) {
        while !self.state().running().is_empty() {
            sleep(DRAIN_LOOK).await;
        }
    }

    /// What went wrong in an invocation itself.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.state().violation.clone()
    }

    /// Records that invocations were given, each as often as it was given.
    #[must_use]
    pub fn delivery_count(&self) -> usize {
        self.state().delivery_count
    }

    /// How often each outcome was reported.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<&'static str, u64> {
        self.state().outcomes.clone()
    }

    /// Looks at the stream.
    pub fn with_stream<T>(&self, look: impl FnOnce(&Stream) -> T) -> T {
        look(&self.state().stream)
    }
}

impl State {
    /// Puts a record into its lane.
    fn take(&mut self, place: usize) {
        if let Some(record) = self.stream.records().get(place) {
            self.shards.put(place, &record.table, record.key_hash);
        }
    }

    fn running(&self) -> Vec<usize> {
        let running = self.invocations.iter().enumerate();
        running.filter(|(_, it)| it.is_some()).map(|(number, _)| number).collect()
    }

    fn cut(&mut self, number: usize) {
        if let Some(handle) = self.invocations.get_mut(number).and_then(Option::take) {
            handle.abort();
        }
        let lanes = self.shards.lanes.iter_mut().filter(|lane| lane.invocation == Some(number));
        lanes.for_each(|lane| lane.invocation = None);
    }

    fn end(&mut self, number: usize, lane: Option<usize>, acknowledged: usize, size: usize) {
        let bisects = self.bisects;
        if let Some(slot) = self.invocations.get_mut(number) {
            *slot = None;
        }
        let lane = lane.and_then(|it| self.shards.lanes.get_mut(it));
        if let Some(lane) = lane.filter(|lane| lane.invocation == Some(number)) {
            lane.invocation = None;
            lane.acknowledge(acknowledged, size, bisects);
        }
    }

    /// How many records from the batch's beginning the response acknowledges: those before the first
    /// that it reports as failed.
    fn acknowledged(&mut self, number: usize, batch: &[usize], report: &BatchReport) -> usize {
        let numbers: Vec<String> = batch
            .iter()
            .filter_map(|it| self.stream.records().get(*it))
            .map(|it| it.sequence_number.clone())
            .collect();
        let mut acknowledged = numbers.len();
        for failure in report.response().batch_item_failures {
            let identifier = failure.item_identifier.unwrap_or_default();
            match numbers.iter().position(|it| *it == identifier) {
                Some(place) => acknowledged = acknowledged.min(place),
                None => {
                    self.violated(
                        "I4",
                        format!(
                            "invocation {number} reports {identifier:?}, which is not in its batch"
                        ),
                    );
                    return 0;
                }
            }
        }
        acknowledged
    }

    fn violated(&mut self, invariant: &'static str, what: String) {
        self.violation.get_or_insert(Violation { invariant, what });
    }
}

/// The outcomes of a batch, one word a record and view.
fn words(report: &BatchReport) -> String {
    let word = |record: &afterimage_dynamodb::RecordReport| {
        let outcomes = record.outcomes.iter().map(|(_, outcome)| outcome.name());
        outcomes.collect::<Vec<_>>().join("+")
    };
    report.records.iter().map(word).collect::<Vec<_>>().join(" ")
}
