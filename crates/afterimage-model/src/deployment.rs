//! What does not change while a model is explored: tables, views, the stream's label.

use std::sync::Arc;

use afterimage::count::CountView;
use afterimage::latest::LatestView;
use afterimage::version::{StreamLabel, Version, VersionError};
use afterimage::{Catalog, CatalogError, View, Views, ViewsError};
use afterimage_schema::{TableNameError, TableNames};

const STREAM_LABEL: &str = "2026-01-01T00:00:00";

/// The shipped tables and views.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) catalog: Catalog,
    pub(crate) views: Views,
    pub(crate) count_view: Arc<CountView>,
    pub(crate) latest_view: Arc<LatestView>,
    stream_label: StreamLabel,
}

/// Why there is nothing to explore.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// A table has no usable name.
    #[error(transparent)]
    Names(#[from] TableNameError),
    /// A table cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The views do not hold together.
    #[error(transparent)]
    Views(#[from] ViewsError),
    /// The label of the model's stream is none.
    #[error(transparent)]
    StreamLabel(#[from] VersionError),
    /// A protocol has no view that runs it.
    #[error("views.toml has no view of the kind `{kind}`; the model explores one of each kind")]
    NoView {
        /// The kind.
        kind: &'static str,
    },
}

impl Deployment {
    pub(crate) fn new() -> Result<Self, DeploymentError> {
        let views = Views::compiled_in()?;
        let catalog = views.catalog(TableNames::defaults(&views.all_tables())?)?;
        let count_view = views.iter().find_map(|view| match view {
            View::Count(view) => Some(view.clone()),
            View::Latest(_) => None,
        });
        let latest_view = views.iter().find_map(|view| match view {
            View::Count(_) => None,
            View::Latest(view) => Some(view.clone()),
        });
        Ok(Self {
            count_view: count_view.ok_or(DeploymentError::NoView { kind: "count" })?,
            latest_view: latest_view.ok_or(DeploymentError::NoView { kind: "latest" })?,
            catalog,
            views,
            stream_label: STREAM_LABEL.parse()?,
        })
    }

    /// The version of an item's record number so many. Numbers count per item: versions of
    /// different items are never compared.
    pub(crate) fn version(&self, number: u64) -> Result<Version, VersionError> {
        let sequence_number = number.to_string().parse()?;
        Ok(Version { stream_label: self.stream_label.clone(), sequence_number })
    }
}
