//! The DynamoDB of one test: the embedded one, or the one whose URL `AFTERIMAGE_TEST_ENDPOINT` holds,
//! with tables that no other test sees. A development dependency only.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, with the line where it stopped, and tells what it leaves out"
)]

mod create_table;
mod unserved;

use std::fmt;

use afterimage_schema::{Table, TableDefinition, TableNames};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_table::DeleteTableError;
use dynamodb_client::{client_at_endpoint, settings_at_endpoint};
use embedded_dynamodb::{Emulator, TIMEOUTS};

pub use unserved::UnservedEndpoint;

/// The environment variable that holds the `http://` URL of another engine, for example
/// `http://127.0.0.1:5000`. Where it is not set, each test has an embedded DynamoDB of its own.
pub const ENDPOINT_VARIABLE: &str = "AFTERIMAGE_TEST_ENDPOINT";

/// The tables of the product, from `schema/`: `albums`, `messages`, `derived`.
///
/// # Panics
/// If a file is not a table definition.
#[must_use]
pub fn product_tables() -> Vec<TableDefinition> {
    let definition = |(table, text): (&str, &str)| {
        let (table, input) = (table.parse().expect("a name"), serde_json::from_str(text));
        TableDefinition::from_create_table_input(&table, &input.expect("JSON")).expect("a table")
    };
    [
        ("albums", include_str!("../../../../schema/albums.json")),
        ("messages", include_str!("../../../../schema/messages.json")),
        ("derived", include_str!("../../../../schema/derived.json")),
    ]
    .map(definition)
    .to_vec()
}

/// The real names of the product's tables when no environment gives any.
///
/// # Panics
/// If a name is invalid.
#[must_use]
pub fn product_names() -> TableNames {
    TableNames::defaults(&product_tables()).expect("names")
}

/// A DynamoDB with tables that no other test sees, empty. Dropping it deletes them.
pub struct TestDynamoDb {
    engine: Engine,
    names: TableNames,
}

enum Engine {
    Embedded(Emulator),
    Shared { endpoint_url: String },
}

impl TestDynamoDb {
    /// One with the tables of the product.
    ///
    /// # Panics
    /// If the DynamoDB does not start or answer, or refuses a table.
    pub async fn start() -> Self {
        // Boxed, so that tests keep their futures small.
        Box::pin(Self::with_tables(&product_tables())).await
    }

    /// One with these tables. They have their default names in the embedded DynamoDB, and names of this
    /// test's own in a shared one.
    ///
    /// # Panics
    /// If the DynamoDB does not start or answer, or refuses a table.
    pub async fn with_tables(tables: &[TableDefinition]) -> Self {
        let Ok(endpoint_url) = std::env::var(ENDPOINT_VARIABLE) else {
            let emulator = Box::pin(Emulator::in_memory()).await.expect("an emulator");
            let names = TableNames::defaults(tables).expect("names");
            emulator.create_tables(tables, &names).await.expect("tables");
            return Self { engine: Engine::Embedded(emulator), names };
        };
        let suffix = format!("{:016x}", fastrand::u64(..));
        let names = TableNames::from_lookup(tables, |variable| {
            let table = tables.iter().find(|it| it.table.environment_variable() == variable)?;
            Some(format!("{}-{suffix}", table.table.default_name()))
        });
        let names = names.expect("names");
        let client = client_at_endpoint(&endpoint_url, TIMEOUTS);
        for table in tables {
            let name = names.name(&table.table).expect("a name");
            create_table::create(&client, &table.create_table_input(name)).await;
        }
        Self { engine: Engine::Shared { endpoint_url }, names }
    }

    /// The real names of its tables.
    #[must_use]
    pub fn names(&self) -> &TableNames {
        &self.names
    }

    /// The real name of one of its tables.
    ///
    /// # Panics
    /// If it has no such table.
    #[must_use]
    pub fn name(&self, table: &Table) -> &str {
        self.names.name(table).expect("a table of this test")
    }

    /// A client for it.
    #[must_use]
    pub fn client(&self) -> Client {
        client_at_endpoint(&self.endpoint_url(), TIMEOUTS)
    }

    /// A client for its streams.
    #[must_use]
    pub fn streams_client(&self) -> aws_sdk_dynamodbstreams::Client {
        let settings = settings_at_endpoint(&self.endpoint_url(), TIMEOUTS);
        aws_sdk_dynamodbstreams::Client::new(&settings)
    }

    /// Whether it is the embedded one.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.engine, Engine::Embedded(_))
    }

    /// Tells, in the output of a test, what the test leaves out because the engine lacks it.
    ///
    /// # Panics
    /// With the embedded engine: nothing is left out there.
    pub fn leave_out(&self, checks: &str, lacking: &str) {
        assert!(!self.is_embedded(), "{checks}: the embedded DynamoDB lacks {lacking}");
        println!("left out: {checks}; the engine lacks {lacking}");
    }

    /// Its URL.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        match &self.engine {
            Engine::Embedded(emulator) => emulator.endpoint_url(),
            Engine::Shared { endpoint_url } => endpoint_url.clone(),
        }
    }
}

impl fmt::Debug for TestDynamoDb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TestDynamoDb").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Drop for TestDynamoDb {
    fn drop(&mut self) {
        let Engine::Shared { endpoint_url } = &self.engine else { return };
        let (endpoint_url, names) = (endpoint_url.clone(), self.names.clone());
        // A runtime of its own: the test's may be ending, and cannot be waited for from here.
        let deletion = std::thread::spawn(move || delete_tables(&endpoint_url, &names));
        if deletion.join().is_err() {
            println!("the tables of a test were not deleted");
        }
    }
}

fn delete_tables(endpoint_url: &str, names: &TableNames) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = client_at_endpoint(endpoint_url, TIMEOUTS);
        for (_, name) in names.iter() {
            if let Err(error) = client.delete_table().table_name(name).send().await {
                // A test may have deleted it itself.
                let is_gone = error
                    .as_service_error()
                    .is_some_and(DeleteTableError::is_resource_not_found_exception);
                assert!(is_gone, "{name} was not deleted: {error:?}");
            }
        }
    });
}
