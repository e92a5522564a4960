//! DynamoDB in the process: the emulator behind the real SDK, without sockets, and the faults that
//! AWS has and the emulator lacks.

mod batch_get;
mod cancelled;
mod client;
mod connector;
mod dispatch;
mod error;
mod fault;
mod held;
mod items;
mod stale_index;
mod tamper;

pub use client::client;
pub use error::DynamodbError;
pub use fault::{Fault, FaultRates};
pub use held::TransactionTime;
pub use items::{ItemError, item_of_request, text};

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use afterimage::Item;
use dynoxide::Database;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::storage_backend::ManualClock;
use dynoxide::types::AttributeValue as EmulatorValue;
use serde_json::{Value, json};

use crate::canary::Canary;
use crate::trace::Trace;
use crate::world_error::WorldError;
use held::Held;
use stale_index::StaleIndex;

/// The moment at which every simulation begins, in seconds since the Unix epoch.
const FIRST_SECOND: u64 = 1_767_225_600;

/// Calls that one schedule may take: many times what any does that ends. Those beyond are not answered.
const CALLS_MAX: u64 = 8_000;

/// Whoever looks at the tables after each write that was carried out.
pub trait Watcher: Send + Sync {
    /// A client's write was carried out: this request.
    fn written(&self, request: &str);
}

/// The emulator, the faults that its clients meet, and what they did.
#[derive(Clone)]
pub struct Dynamodb(Arc<Shared>);

struct Shared {
    database: Database,
    clock: Arc<ManualClock>,
    trace: Trace,
    state: Mutex<State>,
}

struct State {
    random: fastrand::Rng,
    rates: FaultRates,
    script: VecDeque<Fault>,
    stale_index: Option<StaleIndex>,
    canary: Option<Canary>,
    held: Held,
    /// The key attributes of each table, by its real name.
    key_attributes: BTreeMap<String, Vec<String>>,
    call_count: u64,
    write_count: u64,
    watcher: Option<Arc<dyn Watcher>>,
}

/// Whether an operation writes items.
fn is_write(operation: &str) -> bool {
    matches!(operation, "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem")
}

impl Dynamodb {
    /// An empty one; its faults are drawn from `seed`.
    ///
    /// # Errors
    /// [`DynamodbError`] where the emulator does not open.
    pub fn open(seed: u64, rates: FaultRates, trace: Trace) -> Result<Self, DynamodbError> {
        let clock = Arc::new(ManualClock::new(FIRST_SECOND));
        let database = Database::memory_with_clock(clock.clone()).map_err(|error| {
            DynamodbError { operation: "opening".to_owned(), reason: error.to_string() }
        })?;
        let state = State {
            random: fastrand::Rng::with_seed(seed),
            rates,
            script: VecDeque::new(),
            stale_index: None,
            canary: None,
            held: Held::default(),
            key_attributes: BTreeMap::new(),
            call_count: 0,
            write_count: 0,
            watcher: None,
        };
        Ok(Self(Arc::new(Shared { database, clock, trace, state: Mutex::new(state) })))
    }

    /// Carries out an operation at once, without faults: the application's side of the world.
    ///
    /// # Errors
    /// [`DynamodbError`] with what the emulator said.
    pub fn call(&self, operation: &str, request: &Value) -> Result<Value, DynamodbError> {
        let refused = |reason| DynamodbError { operation: operation.to_owned(), reason };
        let body = dispatch::dispatch(&self.0.database, operation, &request.to_string())
            .map_err(|refusal| refused(refusal.body))?;
        if is_write(operation) {
            self.state().write_count += 1;
        }
        if operation == "CreateTable" {
            let names = request["KeySchema"].as_array().into_iter().flatten();
            let names = names.filter_map(|it| it["AttributeName"].as_str().map(str::to_owned));
            if let Some(table) = request["TableName"].as_str() {
                self.state().key_attributes.insert(table.to_owned(), names.collect());
            }
        }
        serde_json::from_str(&body).map_err(|error| refused(error.to_string()))
    }

    /// Every item of a table.
    ///
    /// # Errors
    /// [`DynamodbError`].
    pub fn scan(&self, table_name: &str) -> Result<Vec<Value>, DynamodbError> {
        let mut items = Vec::new();
        let mut request = json!({ "TableName": table_name });
        loop {
            let mut page = self.call("Scan", &request)?;
            if let Some(Value::Array(found)) = page.get_mut("Items").map(Value::take) {
                items.extend(found);
            }
            match page.get_mut("LastEvaluatedKey").map(Value::take) {
                Some(key) => request["ExclusiveStartKey"] = key,
                None => return Ok(items),
            }
        }
    }

    /// Every item of a table, as the core has them.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn items(&self, table_name: &str) -> Result<Vec<Item>, WorldError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let request = ScanRequest {
                table_name: table_name.to_owned(),
                exclusive_start_key: start,
                ..ScanRequest::default()
            };
            let page = self.0.database.scan(request).map_err(|error| DynamodbError {
                operation: "Scan".to_owned(),
                reason: error.to_string(),
            })?;
            for item in page.items.into_iter().flatten() {
                items.push(items::item_of_emulator(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// The item of a table with the keys `pk` and `sk`, if there is one.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn item(&self, table_name: &str, pk: &str, sk: &str) -> Result<Option<Item>, WorldError> {
        let text = |text: &str| EmulatorValue::S(text.to_owned());
        let request = GetItemRequest {
            table_name: table_name.to_owned(),
            key: [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))].into(),
            ..GetItemRequest::default()
        };
        let found = self.0.database.get_item(request).map_err(|error| DynamodbError {
            operation: "GetItem".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(found.item.map(items::item_of_emulator).transpose()?)
    }

    /// Time passes for the items' expiry, and those that expired are deleted.
    ///
    /// # Errors
    /// [`DynamodbError`].
    pub fn expire(&self, seconds: u64) -> Result<(), DynamodbError> {
        self.0.clock.tick(Duration::from_secs(seconds));
        self.state().write_count += 1;
        let swept = self.0.database.sweep_ttl();
        swept.map(|_| ()).map_err(|error| DynamodbError {
            operation: "expiry".to_owned(),
            reason: error.to_string(),
        })
    }

    /// The emulator's seconds since the Unix epoch.
    #[must_use]
    pub fn now_seconds(&self) -> u64 {
        use dynoxide::storage_backend::Clock as _;
        self.0.clock.now_unix_secs()
    }

    /// From now on index queries see what the table held when they were last refreshed: now, but
    /// for a few items that lag further behind.
    ///
    /// # Errors
    /// [`DynamodbError`].
    pub fn refresh_index(&self, table_name: &str) -> Result<(), DynamodbError> {
        let items = self.scan(table_name)?;
        let mut state = self.state();
        let State { random, stale_index, .. } = &mut *state;
        match stale_index {
            Some(index) => index.refresh(items, random),
            None => *stale_index = Some(StaleIndex::new(items)),
        }
        Ok(())
    }

    /// Faults as these rates have them from now on; [`FaultRates::NONE`] for a calm sea.
    pub fn set_rates(&self, rates: FaultRates) {
        self.state().rates = rates;
    }

    /// The next calls that can meet them do meet these faults, one each, whatever the rates.
    pub fn script(&self, faults: &[Fault]) {
        self.state().script.extend(faults);
    }

    /// Plants a bug in what passes between clients and tables.
    pub fn plant(&self, canary: Option<Canary>) {
        self.state().canary = canary;
    }

    /// Whether this bug is planted.
    #[must_use]
    pub fn is_planted(&self, canary: Canary) -> bool {
        self.state().canary == Some(canary)
    }

    /// Who looks at the tables after each write.
    pub fn watch(&self, watcher: Arc<dyn Watcher>) {
        self.state().watcher = Some(watcher);
    }

    /// Nobody looks any more; who looked may hold this emulator, and would keep it for ever.
    pub fn unwatch(&self) {
        self.state().watcher = None;
    }

    /// Calls of the SDK so far.
    #[must_use]
    pub fn call_count(&self) -> u64 {
        self.state().call_count
    }

    /// Writes that were carried out so far, the application's and the clients'.
    #[must_use]
    pub fn write_count(&self) -> u64 {
        self.state().write_count
    }

    /// Whether there were more calls than any schedule takes that ends.
    #[must_use]
    pub fn is_overrun(&self) -> bool {
        self.call_count() > CALLS_MAX
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere ends the schedule anyway.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
