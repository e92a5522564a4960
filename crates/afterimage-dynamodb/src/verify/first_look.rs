//! The first look: every item once, and only sums, groups and rows are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use afterimage::keys::parked_prefix;
use afterimage::parked::Summary;
use afterimage::verify::{CountAudit, LatestAudit};
use afterimage::{Item, View};
use afterimage_schema::Table;

use super::run::{Run, partition_of};
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
            Audit::Count(audit) => {
                vec![audit.ledger_prefix(), audit.view().target.partition.clone()]
            }
            Audit::Latest(audit) => vec![audit.head_prefix(), parked_prefix(&audit.view().name)],
        }
    }
}

/// An audit, and the ids of the records that its view parked, where it asks for them.
type Seen = (Audit, Vec<String>);

/// Reads the tables, and tells each view's audit of every item.
pub(super) async fn first_look(
    run: &Run<'_>,
    views: &[&View],
    on_items: &(impl Fn(u64) + Sync),
) -> Result<Vec<Seen>, StoreError> {
    let seen: Vec<Seen> = views.iter().map(|view| (Audit::new(view), Vec::new())).collect();
    let prefixes = seen.iter().flat_map(|(audit, _)| audit.prefixes()).collect();
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
            for ((audit, _), _) in
                seen.iter_mut().zip(views).filter(|(_, it)| *it.source() == table)
            {
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
        for ((audit, parked), view) in seen.iter_mut().zip(views) {
            for item in &page.items {
                audit.derived(item);
                let is_parked = partition_of(item)
                    .is_some_and(|it| it.starts_with(&parked_prefix(view.name())));
                parked.extend(Summary::from_item(item).filter(|_| is_parked).map(|it| it.id));
            }
        }
        Ok(())
    };
    run.session.scan(&scan, take).await?;
    Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
}
