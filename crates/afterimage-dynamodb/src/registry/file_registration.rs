//! How a views file is registered: what stands is looked at first, and nothing is written if the file is refused.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use afterimage::View;
use afterimage::keys::{head_prefix, ledger_prefix};
use afterimage::registry::{
    Definition, Maintained, OwnViews, Refused, Registry, Standing, State, enrol,
};
use afterimage_schema::Table;
use aws_sdk_dynamodb::Client;
use futures::FutureExt as _;
use tokio::time::Instant;

use super::{Definitions, RegistryUseError, derived_store};
use crate::budget::Budget;
use crate::store::{Page, Scan, Session, Store};

/// How long a file may take to be registered.
const REGISTER_TIME_MAX: Duration = Duration::from_secs(60);

/// Segments of the scan for what a version without a registry left.
const SEGMENT_COUNT: u32 = 4;

/// Why a file was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The registry cannot be used.
    #[error("the registry of views cannot be used")]
    Registry(#[from] RegistryUseError),
    /// The file is refused; nothing was written.
    #[error("the views cannot be registered:\n{}", lines(.0))]
    Refused(Vec<Refused>),
}

fn lines(refused: &[Refused]) -> String {
    refused.iter().map(|it| format!("  {it}")).collect::<Vec<_>>().join("\n")
}

/// A file that can be registered: what was read and decided, and not yet written.
#[derive(Debug)]
pub struct FileRegistration {
    derived: Store,
    read: Option<Registry>,
    /// The registry that is to be written, if it differs from the one that was read.
    written: Option<Registry>,
    /// Those of the file, all of which are registered then.
    definitions: Vec<Definition>,
    maintained: Maintained,
}

impl FileRegistration {
    /// Looks whether a file can be registered where these tables are. Nothing is written, and no table needs to
    /// exist.
    ///
    /// # Errors
    /// [`RegisterError::Refused`] with every reason.
    pub async fn prepare(client: Client, own: &OwnViews) -> Result<Self, RegisterError> {
        let region = client.config().region().ok_or(RegistryUseError::NoRegion)?.to_string();
        let derived_name = own.names.name(&Table::DERIVED).map_err(RegistryUseError::from)?;
        let derived = derived_store(client, derived_name).map_err(RegistryUseError::from)?;
        let session = derived.session(Budget::until(Instant::now() + REGISTER_TIME_MAX));
        let read = match session.registry().await {
            Err(RegistryUseError::Store(error)) if error.is_missing_table() => None,
            other => other?,
        };
        // A definition of the own file is known by its fingerprint, whether or not its item is there.
        let own_definitions = own.definitions().map_err(RegistryUseError::from)?;
        let known: Definitions =
            own_definitions.iter().map(|it| (it.fingerprint().clone(), Ok(it.clone()))).collect();
        let known = match &read {
            Some(read) => session.definitions(read, known).await,
            None => Ok(known),
        };
        let known = known.map_err(RegistryUseError::from)?;
        let standing = standing(&session, own, read.as_ref()).await?;
        let written = enrol(own, read.as_ref(), &known, &standing, &region);
        let written = written.map_err(RegisterError::Refused)?;
        let maintained = match written.clone().or_else(|| read.clone()) {
            Some(registry) => Maintained::of_registry(registry, &known, Some(own), derived_name)
                .map_err(RegistryUseError::from)?,
            None => Maintained::of_file(own).map_err(RegistryUseError::from)?,
        };
        Ok(Self { derived, read, written, definitions: own_definitions, maintained })
    }

    /// What is maintained once the file is registered: its views, and those that it has lost.
    #[must_use]
    pub fn maintained(&self) -> &Maintained {
        &self.maintained
    }

    /// The views that are registered over data of a version without a registry. It is unknown whether that data was
    /// written under their definitions.
    pub fn unseen(&self) -> impl Iterator<Item = &str> {
        let registered = self.written.iter().flat_map(|it| &it.views);
        let is_new = |name: &str| self.read.as_ref().is_none_or(|it| it.of_view(name).is_none());
        let building = registered.filter(|it| it.state == State::Building);
        building.map(|it| it.name.as_str()).filter(move |name| is_new(name))
    }

    /// Writes the registry, if there is anything to write.
    ///
    /// # Errors
    /// [`RegistryUseError::Contended`] if the registry has changed since.
    pub async fn register(&self) -> Result<(), RegistryUseError> {
        let session = self.derived.session(Budget::until(Instant::now() + REGISTER_TIME_MAX));
        // A definition that was deleted from the registry is put again.
        session.put_definitions(&self.definitions).await?;
        let Some(written) = &self.written else { return Ok(()) };
        // Boxed, so that callers do not carry the types of all the futures within.
        let is_written = session.put_registry(written, self.read.as_ref()).boxed().await?
            || session.registry().boxed().await?.as_ref() == Some(written);
        if is_written { Ok(()) } else { Err(RegistryUseError::Contended) }
    }
}

/// What stands in the tables of views that the registry does not know.
async fn standing(
    session: &Session<'_>,
    own: &OwnViews,
    read: Option<&Registry>,
) -> Result<Standing, RegistryUseError> {
    let is_new = |view: &&View| read.is_none_or(|read| read.of_view(view.name()).is_none());
    let new: Vec<_> = own.views.iter().filter(is_new).collect();
    let mut standing = Standing::default();
    for view in &new {
        let name = own.names.name(view.source())?;
        if session.is_filled(name).await? {
            standing.filled_tables.insert(name.to_owned());
        }
    }
    if new.is_empty() {
        return Ok(standing);
    }
    let prefixes = |view: &View| [ledger_prefix(view.name()), head_prefix(view.name())];
    let target = |view: &View| match view {
        View::Count(view) => Some(view.target.partition.clone()),
        View::Latest(_) => None,
    };
    let scan = Scan {
        table: Table::DERIVED,
        attributes: vec!["pk".to_owned(), "sk".to_owned()],
        prefixes: new
            .iter()
            .flat_map(|view| prefixes(view).into_iter().chain(target(view)))
            .collect(),
        segment_count: SEGMENT_COUNT,
    };
    let found = Mutex::new(standing);
    let take = async |page: Page| {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in page.items.iter().filter_map(|it| it.get("pk")?.as_string()) {
            for view in &new {
                if prefixes(view).iter().any(|it| partition.starts_with(it)) {
                    found.derived_views.insert(view.name().to_owned());
                }
                if target(view).as_deref() == Some(partition) {
                    found.filled_targets.insert(view.name().to_owned());
                }
            }
        }
        Ok(())
    };
    match session.scan(&scan, take).await {
        Err(error) if error.is_missing_table() => {}
        other => other?,
    }
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}
