//! The head as it should be: which source item is the newest.

use super::{Draft, Early, Planner};
use crate::attribute_value::{Item, item_byte_count};
use crate::latest::head::{Head, Newest};
use crate::limits::COPIED_BYTES_MAX;

impl Planner<'_> {
    /// The newest source item that the table itself holds, where the head is new.
    fn newest_in_table(&self) -> Option<Newest> {
        let view = &self.state.view;
        let item = self.state.knowledge.last.as_ref()?.as_ref()?;
        let group = view.group_of_source_item(item)?;
        let order = item.get(&view.sort_attribute)?.as_string()?;
        (group == self.state.group.as_str()).then(|| Newest {
            order: order.to_owned(),
            version: None,
            copied: view.copied(item),
        })
    }

    pub(super) fn draft(&self, read: Option<Head>) -> Result<Draft, Early> {
        let mut head = match &read {
            Some(head) => head.clone(),
            None => Head { newest: self.newest_in_table(), newest_revision: 1, ..Head::default() },
        };
        let mut draft_is_changed = read.is_none();
        let takes_source = self.is_source_newer(head.newest.as_ref());
        if let Some(source) = self.state.source.as_ref().filter(|_| takes_source) {
            let newest = Newest {
                order: source.order.clone(),
                version: Some(source.version.clone()),
                copied: self.copied_now(head.newest.as_ref())?,
            };
            let is_moved = head.newest.as_ref().is_none_or(|before| {
                before.order != newest.order || before.copied != newest.copied
            });
            if is_moved {
                head.newest_revision = head.revision + 1;
            }
            head.newest = Some(newest);
            draft_is_changed = true;
        }
        Ok(Draft { read, head, takes_source, is_changed: draft_is_changed })
    }

    fn is_source_newer(&self, newest: Option<&Newest>) -> bool {
        let Some(source) = &self.state.source else {
            return false;
        };
        let Some(newest) = newest else { return true };
        match source.order.cmp(&newest.order) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => {
                newest.version.as_ref().is_none_or(|version| source.version > *version)
            }
        }
    }

    /// The source record's copied attributes; but where the newest was found in the table, whose
    /// state may be later than the record, those that the table holds now.
    fn copied_now(&self, newest: Option<&Newest>) -> Result<Item, Early> {
        let Some(source) = &self.state.source else {
            return Ok(Item::new());
        };
        let is_found = newest.is_some_and(|it| it.version.is_none() && it.order == source.order);
        if !is_found {
            return Ok(source.copied.clone());
        }
        self.need_items(std::iter::once(source.key.clone()))?;
        let item = self.item(&source.key).and_then(Option::as_ref);
        let copied = item.map(|item| self.state.view.copied(item));
        let fits = |copied: &Item| item_byte_count(copied) <= COPIED_BYTES_MAX;
        Ok(copied.filter(fits).unwrap_or_else(|| source.copied.clone()))
    }
}
