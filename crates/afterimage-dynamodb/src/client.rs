//! The client of a function: its time-outs, the processor over it, and the first read.

use std::collections::HashMap;
use std::time::Duration;

use afterimage::registry::OwnViews;
use afterimage_schema::{Table, TableNames, table_name_of_function, table_names_of_environment};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use dynamodb_client::{Timeouts, client_from_environment};

use crate::processor::{Processor, ProcessorError};
use crate::store::{StoreError, service_error};
use crate::views_file::ViewsFile;

/// How long a request of the engine may take. A transaction of 100 items takes well under a second; an attempt
/// of 3 seconds is lost. An operation has the time of its three attempts and the SDK's waits between them, and
/// leaves the rest of a function's 60 seconds to others. The batch's own deadline ends it earlier.
pub const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(3),
    operation: Duration::from_secs(12),
};

impl Processor {
    /// The processor of a Lambda function, as the process environment describes it: `AFTERIMAGE_VIEWS`
    /// if it is set (`registry`: no own file), the tables' names, and the AWS SDK's own variables.
    ///
    /// # Errors
    /// [`ProcessorError`] if the views do not hold together, or a name is missing or invalid.
    pub async fn of_function() -> Result<Self, ProcessorError> {
        let own = match ViewsFile::of_function() {
            None => None,
            Some(file) => {
                let views = file.read()?;
                let names = TableNames::of_function(&views.all_tables())?;
                Some(OwnViews { views, names })
            }
        };
        let derived_name = table_name_of_function(&Table::DERIVED)?;
        // A variable that no views file declares names a table of the deployment all the same.
        let mut unread = table_names_of_environment();
        unread.retain(|name| *name != derived_name);
        Self::of(client_from_environment(TIMEOUTS).await, &derived_name, own, unread)
    }

    /// The first read, which opens the connection before a batch waits for it: of an item that is not
    /// there, in the table that every batch reads.
    ///
    /// # Errors
    /// [`StoreError`] where DynamoDB refused, or did not answer.
    pub async fn first_read(&self) -> Result<(), StoreError> {
        let nothing = AttributeValue::S("warm-up".to_owned());
        let keys = KeysAndAttributes::builder()
            .keys(HashMap::from([("pk".to_owned(), nothing.clone()), ("sk".to_owned(), nothing)]))
            .build()?;
        let table_name = self.registry.derived_name();
        let client = self.registry.client();
        let read = client.batch_get_item().request_items(table_name, keys).send();
        read.await.map_err(|error| service_error("first BatchGetItem", error))?;
        Ok(())
    }
}
