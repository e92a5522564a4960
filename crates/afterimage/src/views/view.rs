//! The catalogue of view kinds.

use std::sync::Arc;

use afterimage_schema::{Table, TableDefinition};

use crate::count::CountView;
use crate::engine::{Opening, Routed};
use crate::latest::LatestView;
use crate::parked::ParkedRecord;

/// A view of one of the known kinds. A new kind is a folder beside `count` and `latest` with a
/// definition, an opening and a [`Task`](crate::engine::Task), and one more variant here. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Items counted by group.
    Count(Arc<CountView>),
    /// Rows that follow the newest source item of their group.
    Latest(Arc<LatestView>),
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
    pub fn source(&self) -> &Table {
        &self.definition().table
    }

    /// The definition of the table that it reads.
    #[must_use]
    pub fn definition(&self) -> &TableDefinition {
        match self {
            View::Count(view) => &view.definition,
            View::Latest(view) => &view.definition,
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

    /// Opens again what this view parked: the record, or rows that it told of. What it could not do then
    /// it may do now; if a newer record has passed meanwhile, nothing is left to do.
    #[must_use]
    pub fn retry(&self, record: Routed<'_>, parked: &ParkedRecord) -> Opening {
        match self {
            View::Count(view) => view.retry(record),
            View::Latest(view) => view.retry(record, parked),
        }
    }
}
