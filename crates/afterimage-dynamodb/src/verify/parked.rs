//! The records that a view has parked, read when differences are judged.

use std::sync::{Mutex, PoisonError};

use afterimage::decode;
use afterimage::keys::parked_prefix;
use afterimage::parked::{ParkedRecord, Stored, Summary};
use afterimage::record::Record;
use afterimage_schema::Table;

use super::run::Run;
use crate::store::{Page, Scan, StoreError};

/// Gives `take` each record that a view has parked and that is wanted by its summary. One that cannot be read or
/// decoded any more explains nothing, and is left out.
///
/// # Errors
/// [`StoreError`] if the parked records cannot be read.
pub(super) async fn parked_records(
    run: &Run<'_>,
    view_name: &str,
    is_wanted: impl Fn(&Summary) -> bool,
    mut take: impl FnMut(&ParkedRecord, Record),
) -> Result<(), StoreError> {
    let scan = Scan {
        table: Table::DERIVED,
        attributes: Summary::ATTRIBUTES.map(str::to_owned).to_vec(),
        prefixes: vec![parked_prefix(view_name)],
        segment_count: run.options.segment_count,
    };
    let ids = Mutex::new(Vec::new());
    let note = async |page: Page| {
        let summaries = page.items.iter().filter_map(Summary::from_item);
        let wanted = summaries.filter(|it| is_wanted(it)).map(|it| it.id);
        ids.lock().unwrap_or_else(PoisonError::into_inner).extend(wanted);
        Ok(())
    };
    run.session.scan(&scan, note).await?;
    for id in ids.into_inner().unwrap_or_else(PoisonError::into_inner) {
        for partition in Stored::partitions_of(&id) {
            let pieces = run.session.partition(&partition).await?;
            let stored = Stored::from_pieces(pieces).into_iter().find(|it| it.id() == id);
            let Some(Ok(parked)) = stored.map(|it| it.record) else { continue };
            if let Ok(record) = decode(run.catalog, None, &parked.raw_json).record {
                take(&parked, record);
            }
        }
    }
    Ok(())
}
