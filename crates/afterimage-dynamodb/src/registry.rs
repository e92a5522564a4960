//! The registry on DynamoDB: read at every batch, written when a file is registered.

mod file_registration;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use afterimage::engine::{Answer, Read, Refusal};
use afterimage::registry::{
    Definition, DefinitionError, Fingerprint, Maintained, MaintainedError, OwnViews, Registry,
    RegistryError, enrol_unseen,
};
use afterimage::{CatalogError, Item, ItemKey};
use afterimage_schema::{TableDefinition, TableNameError, TableNames};
use aws_sdk_dynamodb::Client;

use crate::budget::Budget;
use crate::store::{Session, Store, StoreError};

pub use file_registration::{FileRegistration, RegisterError};

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
    /// The client has no Region, so that streams of other Regions could not be recognised.
    #[error("the client has no Region: set AWS_REGION")]
    NoRegion,
    /// Others wrote the registry at the same time, again and again.
    #[error("the registry changed each time that it was about to be written")]
    Contended,
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
                        let registry = enrol_unseen(own, &self.region)?;
                        session.put_definitions(&own.definitions()?).await?;
                        if session.put_registry(&registry, None).await? {
                            tracing::info!(
                                views = registry.views.len(),
                                "registry made: the views of the own file are generation 1"
                            );
                            return self.of_registry(session, registry).await;
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
        // A definition that could not be used may be usable now.
        let is_whole = |it: &&Arc<Current>| it.maintained.unreadable.is_empty();
        let is_same = |it: &&Arc<Current>| it.maintained.registry.as_ref() == Some(&registry);
        if let Some(last) = last.as_ref().filter(is_same).filter(is_whole) {
            return Ok(Arc::clone(last));
        }
        let mut known = self.own_definitions()?;
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

    /// Puts definitions that are not there.
    pub(crate) async fn put_definitions(
        &self,
        definitions: &[Definition],
    ) -> Result<(), StoreError> {
        for definition in definitions {
            self.put_new(&Definition::key(definition.fingerprint()), &definition.to_item()).await?;
        }
        Ok(())
    }

    /// Puts a registry, whose definitions are there, in the place of the one that was read. Returns `false` if
    /// another one stands there, or this one whose response was lost.
    pub(crate) async fn put_registry(
        &self,
        registry: &Registry,
        read: Option<&Registry>,
    ) -> Result<bool, StoreError> {
        let transaction = registry.replacing(read);
        let mut backoff = self.budget.backoff();
        loop {
            match self.commit(&transaction).await? {
                Ok(()) => return Ok(true),
                Err(Refusal::Changed(_)) => return Ok(false),
                Err(Refusal::Invalid(_)) => return Err(StoreError::RegistryRefused),
                Err(Refusal::Contended | Refusal::Throttled | Refusal::Unknown) => {
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
