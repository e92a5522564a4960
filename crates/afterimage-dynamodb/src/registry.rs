//! The registry on DynamoDB: read at every batch, written when a file is registered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use afterimage::engine::{Answer, Read, Refusal};
use afterimage::keys::{head_prefix, ledger_prefix};
use afterimage::registry::{
    Definition, DefinitionError, Enrolment, Fingerprint, Maintained, MaintainedError, OwnViews,
    Refused, Registry, RegistryError, Standing, enrol, enrol_unseen,
};
use afterimage::{CatalogError, Item, ItemKey, View};
use afterimage_schema::{Table, TableDefinition, TableNameError, TableNames};
use aws_sdk_dynamodb::Client;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::store::{Page, Scan, Session, Store, StoreError};

/// How long a file may take to be registered.
const REGISTER_TIME_MAX: Duration = Duration::from_secs(60);

/// Segments of the scan for what a version without a registry left.
const SEGMENT_COUNT: u32 = 4;

/// What was read of each definition.
pub(crate) type Definitions = BTreeMap<Fingerprint, Result<Definition, DefinitionError>>;

/// Why the registry cannot be used. Whatever it decides on has to wait.
#[derive(Debug, thiserror::Error)]
pub enum RegistryUseError {
    /// It could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is of another version, or damaged.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The registered views do not go together.
    #[error(transparent)]
    Maintained(#[from] MaintainedError),
    /// A table has no name.
    #[error(transparent)]
    Names(#[from] TableNameError),
    /// A table is not defined.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The client does not tell its Region, and streams of other Regions must be told apart.
    #[error("the client has no Region: set AWS_REGION")]
    NoRegion,
    /// Others wrote the registry at the same time, again and again.
    #[error("the registry changed each time that it was about to be written")]
    Contended,
}

/// Why a file was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The registry cannot be used.
    #[error("the registry of views cannot be used")]
    Registry(#[from] RegistryUseError),
    /// The file is refused; nothing was written.
    #[error("the views are not what is registered:\n{}", lines(.0))]
    Refused(Vec<Refused>),
}

fn lines(refused: &[Refused]) -> String {
    refused.iter().map(|it| format!("  {it}")).collect::<Vec<_>>().join("\n")
}

/// What a processor does where there is no registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfAbsent {
    /// It registers its own file.
    Register,
    /// It takes its own file, and writes nothing.
    TakeFile,
}

/// What is maintained, and the tables to do it with.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) maintained: Maintained,
    pub(crate) store: Store,
    definitions: Definitions,
}

/// The registry as one process knows it: what was read last is kept, and used for as long as it stands.
#[derive(Debug, Clone)]
pub(crate) struct RegistryReader {
    derived: Store,
    derived_name: String,
    region: String,
    own: Option<Arc<OwnViews>>,
    unread: Arc<Vec<String>>,
    last: Arc<Mutex<Option<Arc<Current>>>>,
}

impl RegistryReader {
    /// The registry in the table `derived_name`, of the streams of `region`.
    pub(crate) fn new(
        client: Client,
        derived_name: &str,
        region: String,
        own: Option<OwnViews>,
        unread: Vec<String>,
    ) -> Result<Self, CatalogError> {
        Ok(Self {
            derived: derived_store(client, derived_name)?,
            derived_name: derived_name.to_owned(),
            region,
            own: own.map(Arc::new),
            unread: Arc::new(unread),
            last: Arc::default(),
        })
    }

    pub(crate) fn derived_name(&self) -> &str {
        &self.derived_name
    }

    pub(crate) fn client(&self) -> &Client {
        &self.derived.client
    }

    /// A session for the registry alone.
    pub(crate) fn session(&self, budget: Budget) -> Session<'_> {
        self.derived.session(budget)
    }

    /// The catalog of `derived` alone: every record is of an unknown table in it.
    pub(crate) fn empty_catalog(&self) -> &afterimage::Catalog {
        self.derived.catalog()
    }

    /// What is maintained now.
    pub(crate) async fn current(
        &self,
        session: &Session<'_>,
        if_absent: IfAbsent,
    ) -> Result<Arc<Current>, RegistryUseError> {
        let mut backoff = session.budget.backoff();
        loop {
            let Some(registry) = session.registry().await? else {
                match (&self.own, if_absent) {
                    (None, _) => return self.of_nothing(),
                    (Some(own), IfAbsent::TakeFile) => return self.of_file(own),
                    (Some(own), IfAbsent::Register) => {
                        let enrolment = enrol_unseen(own, &self.region)?;
                        if session.enrol(&enrolment, None).await? {
                            tracing::info!(
                                views = enrolment.registry.views.len(),
                                "registry made: the views of the own file are generation 1"
                            );
                        }
                    }
                }
                if !backoff.wait().await {
                    return Err(RegistryUseError::Contended);
                }
                continue;
            };
            return self.of_registry(session, registry).await;
        }
    }

    async fn of_registry(
        &self,
        session: &Session<'_>,
        registry: Registry,
    ) -> Result<Arc<Current>, RegistryUseError> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(last) =
            last.as_ref().filter(|it| it.maintained.registry.as_ref() == Some(&registry))
        {
            return Ok(Arc::clone(last));
        }
        let mut known = self.own_definitions()?;
        // What could not be used then may be usable now.
        let usable = last.iter().flat_map(|it| &it.definitions).filter(|(_, it)| it.is_ok());
        known.extend(usable.map(|(fingerprint, it)| (fingerprint.clone(), it.clone())));
        let definitions = session.definitions(&registry, known).await?;
        let own = self.own.as_deref();
        let maintained = Maintained::of_registry(registry, &definitions, own, &self.derived_name)?;
        let current = self.keep(maintained, definitions);
        note(&current.maintained);
        Ok(current)
    }

    fn own_definitions(&self) -> Result<Definitions, TableNameError> {
        let own = self.own.as_ref().map(|own| own.definitions()).transpose()?.unwrap_or_default();
        Ok(own.into_iter().map(|it| (it.fingerprint().clone(), Ok(it))).collect())
    }

    fn of_file(&self, own: &OwnViews) -> Result<Arc<Current>, RegistryUseError> {
        Ok(self.keep(Maintained::of_file(own)?, Definitions::new()))
    }

    /// Neither a registry nor a file: the tables that the environment names are known, and nothing is read.
    fn of_nothing(&self) -> Result<Arc<Current>, RegistryUseError> {
        let views = afterimage::Views::from_documents([]).map_err(MaintainedError::from)?;
        let names = derived_names(&self.derived_name)?;
        let none = Maintained::of_file(&OwnViews { views, names })?;
        Ok(self.keep(none, Definitions::new()))
    }

    fn keep(&self, maintained: Maintained, definitions: Definitions) -> Arc<Current> {
        let maintained = maintained.with_unread(self.unread.iter().cloned());
        let catalog = Arc::new(maintained.catalog.clone());
        let store = Store::new(self.client().clone(), catalog);
        let current = Arc::new(Current { maintained, store, definitions });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&current));
        current
    }
}

/// Says once, when it is first seen, what is not as the own file says.
fn note(maintained: &Maintained) {
    for it in &maintained.differences {
        tracing::warn!(
            view = it.view(),
            difference = %it,
            fix = it.fix(),
            "the registry differs from the own views file: the registry counts"
        );
    }
    for it in &maintained.unreadable {
        tracing::error!(
            view = it.view,
            table = it.table,
            reason = %it.reason,
            "a registered view cannot be maintained: the records of its table fail"
        );
    }
}

fn derived_names(derived_name: &str) -> Result<TableNames, TableNameError> {
    TableNames::defaults(&[named_derived(derived_name)])
}

fn named_derived(derived_name: &str) -> TableDefinition {
    TableDefinition { name: Some(derived_name.to_owned()), ..TableDefinition::derived() }
}

fn derived_store(client: Client, derived_name: &str) -> Result<Store, CatalogError> {
    let names = derived_names(derived_name)?;
    let definitions = [named_derived(derived_name)];
    let catalog = afterimage::Catalog::new(definitions, &BTreeSet::new(), names)?;
    Ok(Store::new(client, Arc::new(catalog)))
}

impl Session<'_> {
    /// The registry, read consistently; `None` if there is none.
    pub(crate) async fn registry(&self) -> Result<Option<Registry>, RegistryUseError> {
        let item = self.items_of(vec![Registry::key()]).await?.remove(&Registry::key()).flatten();
        Ok(item.as_ref().map(Registry::from_item).transpose()?)
    }

    /// The definitions that a registry names: those that are `known`, and the others as they are read.
    pub(crate) async fn definitions(
        &self,
        registry: &Registry,
        mut known: Definitions,
    ) -> Result<Definitions, StoreError> {
        let named = || registry.views.iter().map(|it| &it.fingerprint);
        let unknown: BTreeSet<_> = named().filter(|it| !known.contains_key(*it)).collect();
        let items = self.items_of(unknown.iter().map(|it| Definition::key(it)).collect()).await?;
        for fingerprint in unknown {
            let item = items.get(&Definition::key(fingerprint)).and_then(Option::as_ref);
            known.insert(fingerprint.clone(), Definition::from_item(fingerprint, item));
        }
        Ok(known)
    }

    async fn items_of(
        &self,
        keys: Vec<ItemKey>,
    ) -> Result<BTreeMap<ItemKey, Option<Item>>, StoreError> {
        let answers = self.read(keys.into_iter().map(Read::Item).collect()).await?;
        let items = answers.into_iter().filter_map(|it| match it {
            (Read::Item(key), Answer::Item(item)) => Some((key, item)),
            _ => None,
        });
        Ok(items.collect())
    }

    /// Puts the definitions, and then the registry in the place of the one that was read; `false` if another
    /// one stands there.
    pub(crate) async fn enrol(
        &self,
        enrolment: &Enrolment,
        read: Option<&Registry>,
    ) -> Result<bool, StoreError> {
        for definition in &enrolment.definitions {
            self.put_new(&Definition::key(definition.fingerprint()), &definition.to_item()).await?;
        }
        let transaction = enrolment.registry.replacing(read);
        let mut backoff = self.budget.backoff();
        loop {
            match self.commit(&transaction).await? {
                Ok(()) => return Ok(true),
                Err(Refusal::Changed(_)) => return Ok(false),
                Err(Refusal::Contended | Refusal::Unknown | Refusal::Invalid(_)) => {
                    if !backoff.wait().await {
                        return Err(StoreError::TimeOver);
                    }
                }
            }
        }
    }

    async fn is_filled(&self, table_name: &str) -> Result<bool, StoreError> {
        match self.first_item(table_name).await {
            Err(error) if error.is_missing_table() => Ok(false),
            other => other,
        }
    }
}

/// A file that can be registered: what was read and decided, and not yet written.
#[derive(Debug)]
pub struct Registration {
    derived: Store,
    read: Option<Registry>,
    enrolment: Option<Enrolment>,
    maintained: Maintained,
}

impl Registration {
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
        let known = match &read {
            Some(read) => session.definitions(read, Definitions::new()).await,
            None => Ok(Definitions::new()),
        };
        let mut known = known.map_err(RegistryUseError::from)?;
        let standing = standing(&session, own, read.as_ref()).await?;
        let enrolment = enrol(own, read.as_ref(), &known, &standing, &region);
        let enrolment = enrolment.map_err(RegisterError::Refused)?;
        for definition in enrolment.iter().flat_map(|it| &it.definitions) {
            known.insert(definition.fingerprint().clone(), Ok(definition.clone()));
        }
        let registry = enrolment.as_ref().map(|it| it.registry.clone()).or_else(|| read.clone());
        let maintained = match registry {
            Some(registry) => Maintained::of_registry(registry, &known, Some(own), derived_name)
                .map_err(RegistryUseError::from)?,
            None => Maintained::of_file(own).map_err(RegistryUseError::from)?,
        };
        Ok(Self { derived, read, enrolment, maintained })
    }

    /// What is maintained once the file is registered: its views, and those that it has lost.
    #[must_use]
    pub fn maintained(&self) -> &Maintained {
        &self.maintained
    }

    /// Writes the registry, if there is anything to write.
    ///
    /// # Errors
    /// [`RegistryUseError::Contended`] if the registry has changed since.
    pub async fn register(&self) -> Result<(), RegistryUseError> {
        let session = self.derived.session(Budget::until(Instant::now() + REGISTER_TIME_MAX));
        match &self.enrolment {
            Some(enrolment) if !session.enrol(enrolment, self.read.as_ref()).await? => {
                Err(RegistryUseError::Contended)
            }
            Some(_) | None => Ok(()),
        }
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
    if read.is_some() || standing.filled_tables.is_empty() {
        return Ok(standing);
    }
    let prefixes = |view: &View| [ledger_prefix(view.name()), head_prefix(view.name())];
    let scan = Scan {
        table: Table::DERIVED,
        attributes: vec!["pk".to_owned(), "sk".to_owned()],
        prefixes: new.iter().flat_map(|view| prefixes(view)).collect(),
        segment_count: SEGMENT_COUNT,
    };
    let found = Mutex::new(BTreeSet::new());
    let take = async |page: Page| {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in page.items.iter().filter_map(|it| it.get("pk")?.as_string()) {
            let view =
                new.iter().find(|view| prefixes(view).iter().any(|it| partition.starts_with(it)));
            found.extend(view.map(|view| view.name().to_owned()));
        }
        Ok(())
    };
    match session.scan(&scan, take).await {
        Err(error) if error.is_missing_table() => {}
        other => other?,
    }
    standing.derived_views = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(standing)
}
