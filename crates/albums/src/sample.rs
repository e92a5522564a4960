//! The sample albums.

use crate::Album;
use crate::import::{self, ImportError};

/// `schema/sample/albums.json`, compiled in: about a hundred albums.
///
/// # Errors
/// [`ImportError`] where the file is wrong, which a test excludes.
pub fn sample() -> Result<Vec<Album>, ImportError> {
    import::json(include_bytes!("../../../schema/sample/albums.json"))
}
