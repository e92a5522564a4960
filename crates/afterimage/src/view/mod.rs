//! Views: definitions that turn source items into derived items, and what an engine asks of a kind.

mod config;
mod parking_task;
mod selection;
mod task;

use afterimage_schema::Table;

pub use config::{ViewError, ViewsError};
pub use parking_task::ParkingTask;
pub use selection::{Selection, Test};
pub use task::{Answer, Committed, Parking, Read, Refusal, Step, Task};

use crate::count::CountView;
use crate::latest::LatestView;
use crate::outcome::Outcome;
use crate::record::{Catalog, Record};

/// A view of one of the known kinds. A new kind is a folder beside `count` and `latest` with a
/// definition, a routing and a [`Task`], and one more variant here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Items counted by group.
    Count(CountView),
    /// Rows that follow the newest source item of their group.
    Latest(LatestView),
}

/// A record on its way through a batch: `index` is its place in the event.
#[derive(Debug, Clone, Copy)]
pub struct Routed<'a> {
    /// The record's place in the event.
    pub index: usize,
    /// The record.
    pub record: &'a Record,
}

/// What a view makes of a batch: outcomes that are already decided, and the work that is left.
pub struct Opening {
    /// Decided without reading anything: records skipped, or superseded within the batch. The
    /// second index, where there is one, is the record whose fate a superseded one shares.
    pub settled: Vec<Settled>,
    /// The work that is left.
    pub tasks: Vec<Box<dyn Task>>,
}

/// An outcome that is decided when a batch is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The record has this outcome.
    Outcome {
        /// The record.
        index: usize,
        /// Its outcome.
        outcome: Outcome,
    },
    /// The record is superseded by a newer one of the batch, and shares its fate.
    Coalesced {
        /// The record.
        index: usize,
        /// The newer record.
        by: usize,
    },
}

impl View {
    /// The view's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            View::Count(view) => &view.name,
            View::Latest(view) => &view.name,
        }
    }

    /// The table that it reads.
    #[must_use]
    pub fn source(&self) -> Table {
        match self {
            View::Count(view) => view.source,
            View::Latest(view) => view.source,
        }
    }

    /// Splits the records of its source table into settled outcomes and tasks.
    #[must_use]
    pub fn open(&self, records: &[Routed<'_>]) -> Opening {
        match self {
            View::Count(view) => view.open(records),
            View::Latest(view) => view.open(records),
        }
    }

    /// Opens a record again that this view parked, all of it or a `part`. What it could not do then
    /// it may do now; where a newer record has passed meanwhile, nothing is left to do.
    #[must_use]
    pub fn retry(&self, record: Routed<'_>, part: Option<&str>) -> Opening {
        match self {
            View::Count(view) => view.retry(record),
            View::Latest(view) => view.retry(record, part),
        }
    }
}

/// The views of a deployment, checked against its tables and against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Views(Vec<View>);

impl Views {
    /// Reads and checks `views.toml`.
    ///
    /// # Errors
    /// [`ViewsError`], which names the view, the key and the fix.
    pub fn parse(text: &str, catalog: &Catalog) -> Result<Self, ViewsError> {
        config::parse(text, catalog).map(Self)
    }

    /// The views that were compiled in.
    ///
    /// # Errors
    /// [`ViewsError`] where the compiled-in file does not hold together.
    pub fn compiled_in(catalog: &Catalog) -> Result<Self, ViewsError> {
        Self::parse(include_str!("../../../../views.toml"), catalog)
    }

    /// Every view, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &View> {
        self.0.iter()
    }

    /// The view of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&View> {
        self.0.iter().find(|view| view.name() == name)
    }

    /// The views that read a table.
    pub fn reading(&self, table: Table) -> impl Iterator<Item = &View> {
        self.0.iter().filter(move |view| view.source() == table)
    }
}
