//! Whether this version can maintain what is registered.

use std::collections::BTreeMap;

use super::{Definition, DefinitionError, Fingerprint, Registration};
use crate::views::{DocumentError, Views};

/// The definition of a generation, if this version can maintain it.
pub(super) fn usable<'a>(
    registration: &Registration,
    definitions: &'a BTreeMap<Fingerprint, Result<Definition, DefinitionError>>,
) -> Result<&'a Definition, DefinitionError> {
    if let Some(unsupported) = registration.unsupported() {
        return Err(unsupported);
    }
    let definition = definitions.get(&registration.fingerprint);
    let definition = definition.ok_or(DefinitionError::Missing)?.as_ref().map_err(Clone::clone)?;
    if definition.view_name() != registration.name || definition.table_name() != registration.table
    {
        return Err(DefinitionError::Changed);
    }
    let read = Views::from_documents([(definition.document(), &registration.settings)]);
    read.map_err(|error: DocumentError| DefinitionError::View(error.to_string()))?;
    Ok(definition)
}
