//! The index, which lags: each item of it may be as at the beginning or as now.

use std::collections::BTreeMap;

use afterimage::engine::{Answer, Read};
use afterimage::{Item, ItemKey};

use super::World;
use crate::deployment::Deployment;

/// What an index shows at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// What stood when the stream began.
    Earlier,
    /// What stands now.
    Now,
    /// Both: what is new already, and what is gone still.
    All,
    /// Neither what is new nor what is gone.
    Lasting,
}

impl Shown {
    pub(crate) const EVERY: [Shown; 4] = [Shown::Now, Shown::Earlier, Shown::All, Shown::Lasting];
}

impl World {
    /// The answer to a read, an index's included, given what was there at first.
    pub(crate) fn answer_shown(
        &self,
        deployment: &Deployment,
        earlier: &World,
        read: &Read,
        shown: Shown,
    ) -> Answer {
        let Read::Suggested { .. } = read else {
            return self.answer(read);
        };
        let (now, earlier) = (self.indexed(deployment, read), earlier.indexed(deployment, read));
        let items: BTreeMap<&ItemKey, &Item> = match shown {
            Shown::Now => now,
            Shown::Earlier => earlier,
            Shown::All => now.into_iter().chain(earlier).collect(),
            Shown::Lasting => {
                earlier.into_iter().filter(|(key, _)| now.contains_key(key)).collect()
            }
        };
        Answer::Suggested(items.into_values().cloned().collect())
    }

    fn indexed(&self, deployment: &Deployment, read: &Read) -> BTreeMap<&ItemKey, &Item> {
        let Read::Suggested { table, index, partition, limit } = read else {
            return BTreeMap::new();
        };
        let definition = deployment.catalog.definition(table).ok();
        let index = definition.and_then(|it| it.indexes.iter().find(|it| it.name == *index));
        let Some(index) = index else {
            return BTreeMap::new();
        };
        let wanted = partition.to_attribute_value();
        let items = self
            .table(table.clone())
            .filter(|(_, item)| item.get(&index.partition_key) == Some(&wanted));
        items.take(*limit).collect()
    }
}
