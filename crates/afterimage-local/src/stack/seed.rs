//! The samples of a first start.

use super::StartError;
use super::data_dir::DataDir;
use crate::applications::Applications;
use crate::durable_file;

/// Writes the samples at the first start of a data dir, and at every start without one. A start that
/// was told not to seed counts as the first too. The marker is written last: a start that was killed
/// is gone on with, since every sample may be put again.
pub(super) async fn seed_once(
    data_dir: Option<&DataDir>,
    wanted: bool,
    applications: &Applications,
) -> Result<(), StartError> {
    let marker = data_dir.map(DataDir::seeded);
    if marker.as_ref().is_some_and(|marker| marker.exists()) {
        return Ok(());
    }
    if wanted {
        applications.seed().await.map_err(StartError::Seed)?;
    }
    if let (Some(marker), Some(data_dir)) = (marker, data_dir) {
        durable_file::write(&marker, b"").map_err(|source| StartError::DataDirUnusable {
            path: data_dir.path().to_owned(),
            source,
        })?;
    }
    Ok(())
}
