//! Runs a schedule in virtual time, from nothing to drained and compared.

use crate::world::{ALBUMS, MESSAGES};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use afterimage::canary::plant;
use afterimage::{Catalog, Views};
use afterimage_schema::Table;
use serde_json::json;
use testkit::oracle::Oracle;
use tokio::time::sleep;

use crate::WorldError;
use crate::actors::Actors;
use crate::canary::Canary;
use crate::check::{Moment, Violation, check_drained};
use crate::delivery::{Mapping, Terms};
use crate::dynamodb::{Dynamodb, FaultRates};
use crate::schedule::{Action, Schedule};
use crate::trace::Trace;
use crate::world::{Application, Change, Ground, Message, oracle, table_name, views};

/// Calls for each record that an invocation was given, at most, commands aside: some three times what schedules make.
/// A reaction to a record that makes no end of calls is found long before the deadline.
const CALLS_PER_DELIVERY_MAX: usize = 15;

/// Deliveries that a schedule is taken to have at least, so that a few slow ones do not count as many.
const DELIVERIES_MIN: usize = 20;

/// Records of the last replay: all of them, but in the largest worlds.
const REPLAYED_MAX: usize = 120;

/// Records in one batch of the last replay.
const REPLAY_BATCH_SIZE: usize = 60;

/// How a schedule ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What did not hold; `None` where everything did.
    pub violation: Option<Violation>,
    /// Calls that the SDK made.
    pub call_count: u64,
    /// Records that were delivered.
    pub record_count: usize,
    /// Records that invocations were given, each as often as it was given.
    pub delivery_count: usize,
    /// How often each outcome was reported, a view and a record at a time.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// What happened, where it was recorded.
    pub trace: Vec<String>,
}

impl Verdict {
    /// Calls for each record that an invocation was given; few deliveries count as `DELIVERIES_MIN`.
    #[must_use]
    pub fn calls_per_delivery(&self) -> f64 {
        self.call_count as f64 / self.delivery_count.max(DELIVERIES_MIN) as f64
    }
}

/// Why a schedule could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No runtime could be made.
    #[error("the runtime did not start")]
    Runtime(#[source] std::io::Error),
    /// The world broke.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// Runs a schedule on this thread, with a bug planted on purpose if one is named.
///
/// # Errors
/// [`RunError`] where the simulation itself fails; a violation is a verdict.
pub fn run(
    schedule: &Schedule,
    canary: Option<Canary>,
    is_traced: bool,
) -> Result<Verdict, RunError> {
    // The SDK's back-off and the engine's draw from the thread's own generator.
    fastrand::seed(schedule.seed);
    plant(canary.and_then(Canary::inner));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(RunError::Runtime)?;
    // Commands are no tasks that any thread could take.
    let verdict = tokio::task::LocalSet::new().block_on(&runtime, async {
        let trace = if is_traced { Trace::recording() } else { Trace::default() };
        let world = World::new(schedule, canary, trace.clone())?;
        let violation = world.run(schedule).await;
        world.dynamodb.unwatch();
        let violation = violation?;
        Ok(Verdict {
            violation,
            call_count: world.dynamodb.call_count(),
            delivery_count: world.mapping.delivery_count(),
            record_count: world.mapping.with_stream(|stream| stream.delivered().len()),
            outcomes: world.mapping.outcomes(),
            trace: trace.lines(),
        })
    });
    plant(None);
    verdict
}

struct World {
    dynamodb: Dynamodb,
    catalog: Catalog,
    views: Views,
    oracle: Oracle,
    application: Arc<Mutex<Application>>,
    moment: Arc<Moment>,
    mapping: Mapping,
    actors: Actors,
    /// Whether commands make calls too.
    has_actors: bool,
    trace: Trace,
}

impl World {
    fn new(schedule: &Schedule, canary: Option<Canary>, trace: Trace) -> Result<Self, WorldError> {
        let (catalog, views) = views()?;
        let oracle = oracle()?;
        let dynamodb = Dynamodb::open(schedule.seed, schedule.rates, trace.clone())?;
        dynamodb.plant(canary);
        create_tables(&dynamodb, &views)?;
        let application = Arc::new(Mutex::new(Application::default()));
        let moment = Arc::new(Moment::new(
            dynamodb.clone(),
            Arc::clone(&application),
            views.clone(),
            trace.clone(),
        ));
        dynamodb.watch(moment.clone());
        let mapping = Mapping::new(
            dynamodb.clone(),
            catalog.clone(),
            views.clone(),
            trace.clone(),
            schedule.seed,
            schedule.lanes_per_shard,
            schedule.bisects,
        )?;
        let actors = Actors::new(
            dynamodb.clone(),
            catalog.clone(),
            views.clone(),
            mapping.clone(),
            trace.clone(),
        );
        Ok(Self {
            dynamodb,
            catalog,
            views,
            oracle,
            application,
            moment,
            mapping,
            actors,
            has_actors: schedule.has_actors,
            trace,
        })
    }

    async fn run(&self, schedule: &Schedule) -> Result<Option<Violation>, WorldError> {
        for change in &schedule.before {
            self.change(change)?;
        }
        // An index lags by seconds: what was there long before the deployment is in it.
        self.dynamodb.refresh_index(&table_name(&MESSAGES))?;
        let groups = self.with_application(|application| {
            application.deploy();
            application.groups()
        });
        self.mapping.deploy()?;
        self.trace.note(|| "--- deployed".to_owned());
        for step in &schedule.steps {
            sleep(Duration::from_millis(step.after_ms)).await;
            self.act(&step.action)?;
            if let Some(violation) = self.violation() {
                return Ok(Some(violation));
            }
        }
        self.end(&groups, schedule.has_actors).await
    }

    /// Drains, compares, replays everything, and compares again.
    async fn end(
        &self,
        groups: &BTreeSet<String>,
        has_actors: bool,
    ) -> Result<Option<Violation>, WorldError> {
        // A group from before the deployment is adopted when it is heard of again.
        for group in groups.iter().filter_map(|group| group.strip_prefix('g')?.parse().ok()) {
            let message = Message { group, at: 0, text: 0, has_mood: false, more_bytes: 0 };
            self.change(&Change::PutMessage(message))?;
        }
        self.trace.note(|| "--- draining".to_owned());
        self.dynamodb.set_rates(FaultRates::NONE);
        self.mapping.drain().await?;
        self.actors.settle().await;
        // What they tried again may have moved rows.
        self.mapping.drain().await?;
        if let Some(violation) = self.violation() {
            return Ok(Some(violation));
        }
        if let Some(violation) = self.check_drained()? {
            return Ok(Some(violation));
        }
        if has_actors && let Some(violation) = self.actors.verify_drained().await? {
            return Ok(Some(violation));
        }
        self.trace.note(|| "--- everything once more".to_owned());
        let before = self.tables()?;
        let mut places: Vec<usize> =
            (0..self.mapping.with_stream(|it| it.delivered().len())).collect();
        fastrand::shuffle(&mut places);
        places.truncate(REPLAYED_MAX);
        for picks in places.chunks(REPLAY_BATCH_SIZE) {
            self.mapping.redeliver(picks, Terms::CALM);
        }
        self.mapping.settle().await;
        if let Some(violation) = self.violation() {
            return Ok(Some(violation));
        }
        let is_changed = self.tables()? != before;
        let what = "a replay of every record changed the tables".to_owned();
        Ok(is_changed.then_some(Violation { invariant: "I2", what }))
    }

    fn tables(&self) -> Result<[Vec<afterimage::Item>; 2], WorldError> {
        let read = |table: &Table| {
            Ok::<_, WorldError>(Ground::read(&self.dynamodb, table)?.items().to_vec())
        };
        Ok([read(&MESSAGES)?, read(&Table::DERIVED)?])
    }

    fn check_drained(&self) -> Result<Option<Violation>, WorldError> {
        self.with_application(|application| {
            self.mapping.with_stream(|stream| {
                check_drained(
                    &self.dynamodb,
                    &self.catalog,
                    &self.views,
                    &self.oracle,
                    application,
                    stream,
                )
            })
        })
    }

    fn with_application<T>(&self, act: impl FnOnce(&mut Application) -> T) -> T {
        act(&mut self.application.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether processors make more calls than their records can ask for.
    fn is_busy(&self) -> bool {
        let delivery_count = self.mapping.delivery_count().max(DELIVERIES_MIN);
        let calls_max = (CALLS_PER_DELIVERY_MAX * delivery_count) as u64;
        !self.has_actors && self.dynamodb.call_count() > calls_max
    }

    fn violation(&self) -> Option<Violation> {
        let overrun = || {
            let what = "the calls do not end".to_owned();
            let is_overrun = self.dynamodb.is_overrun() || self.is_busy();
            is_overrun.then_some(Violation { invariant: "I8", what })
        };
        let found = self.moment.violation().or_else(overrun);
        found.or_else(|| self.mapping.violation()).or_else(|| self.actors.violation())
    }

    fn change(&self, change: &Change) -> Result<(), WorldError> {
        self.with_application(|application| application.make(&self.dynamodb, change))
    }

    fn act(&self, action: &Action) -> Result<(), WorldError> {
        match action {
            Action::Change(change) => {
                self.trace.note(|| format!("the application {change}"));
                self.change(change)
            }
            Action::Invoke { pick, terms } => self.mapping.invoke(*pick, *terms),
            Action::Redeliver { picks, terms } => {
                self.mapping.read()?;
                self.mapping.redeliver(picks, *terms);
                Ok(())
            }
            Action::Cut { pick } => {
                self.mapping.cut(*pick)?;
                Ok(())
            }
            Action::Restart => {
                self.mapping.restart();
                Ok(())
            }
            Action::Split { pick } => self.mapping.split(*pick),
            Action::EnableAgain { table } => self.mapping.enable_again(table),
            Action::RefreshIndex => Ok(self.dynamodb.refresh_index(&table_name(&MESSAGES))?),
            Action::Damage { pick } => self.mapping.damage(*pick),
            Action::Verify { pick, patience_ms } => self.actors.verify(*pick, *patience_ms),
            Action::RetryParked => self.actors.retry_parked(),
            Action::OtherFile { pick } => self.actors.register_other(*pick),
        }
    }
}

/// The tables of the views, and an expiry for albums.
fn create_tables(dynamodb: &Dynamodb, views: &Views) -> Result<(), WorldError> {
    for definition in views.all_tables() {
        let input = definition.create_table_input(&table_name(&definition.table));
        dynamodb.call("CreateTable", &input)?;
    }
    let expiry = json!({
        "TableName": table_name(&ALBUMS),
        "TimeToLiveSpecification": { "AttributeName": "expires_at", "Enabled": true },
    });
    dynamodb.call("UpdateTimeToLive", &expiry)?;
    Ok(())
}
