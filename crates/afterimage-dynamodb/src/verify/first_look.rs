//! The first look: every item once, and only sums, groups and rows are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use afterimage::verify::{CountAudit, LatestAudit};
use afterimage::{Item, View};
use afterimage_schema::Table;

use super::run::Run;
use crate::store::{Page, Scan, StoreError};

/// The audit of a view; boxed, since they differ in size.
pub(super) enum Audit {
    Count(Box<CountAudit>),
    Latest(Box<LatestAudit>),
}

impl Audit {
    fn new(view: &View) -> Self {
        match view {
            View::Count(view) => Audit::Count(Box::new(CountAudit::new(view.clone()))),
            View::Latest(view) => Audit::Latest(Box::new(LatestAudit::new(view.clone()))),
        }
    }

    fn source(&mut self, item: &Item) {
        match self {
            Audit::Count(audit) => audit.source(item),
            Audit::Latest(audit) => audit.source(item),
        }
    }

    fn derived(&mut self, item: &Item) {
        match self {
            Audit::Count(audit) => audit.derived(item),
            Audit::Latest(audit) => audit.derived(item),
        }
    }

    /// What partition keys of the view's derived items begin with.
    fn prefixes(&self) -> Vec<String> {
        match self {
            Audit::Count(audit) => vec![audit.ledger_prefix()],
            Audit::Latest(audit) => vec![audit.head_prefix()],
        }
    }
}

/// Reads the tables, and tells each view's audit of every item.
pub(super) async fn first_look(
    run: &Run<'_>,
    views: &[&View],
    on_items: &(impl Fn(u64) + Sync),
) -> Result<Vec<Audit>, StoreError> {
    let seen: Vec<_> = views.iter().map(|view| Audit::new(view)).collect();
    let prefixes = seen.iter().flat_map(Audit::prefixes).collect();
    let seen = Mutex::new(seen);
    let mut tables: BTreeMap<Table, BTreeSet<String>> = BTreeMap::new();
    for view in views {
        tables.entry(view.source().clone()).or_default().extend(match view {
            View::Count(view) => CountAudit::attributes(view),
            View::Latest(view) => LatestAudit::attributes(view),
        });
    }
    for (table, attributes) in tables {
        let scan = Scan {
            table: table.clone(),
            attributes: attributes.into_iter().collect(),
            prefixes: Vec::new(),
            segment_count: run.options.segment_count,
        };
        let take = async |page: Page| {
            on_items(page.scanned_count);
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            for (audit, _) in seen.iter_mut().zip(views).filter(|(_, it)| *it.source() == table) {
                page.items.iter().for_each(|item| audit.source(item));
            }
            Ok(())
        };
        run.session.scan(&scan, take).await?;
    }
    let scan = Scan {
        table: Table::DERIVED,
        attributes: Vec::new(),
        prefixes,
        segment_count: run.options.segment_count,
    };
    let take = async |page: Page| {
        on_items(page.scanned_count);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        for audit in seen.iter_mut() {
            page.items.iter().for_each(|item| audit.derived(item));
        }
        Ok(())
    };
    run.session.scan(&scan, take).await?;
    Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
}
