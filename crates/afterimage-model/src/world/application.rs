//! The application: what it puts, edits and deletes, and what it knows of its own.

use afterimage::{AttributeValue, Item, ItemKey};

use super::application_state::{RowAsLeft, own_attributes, row_partition};
use super::tables::{ALBUMS, MESSAGES};
use super::{RequestFault, World};
use crate::deployment::Deployment;
use crate::scenario::{Change, Genre};

fn message_key(group: &str, at: &str) -> ItemKey {
    ItemKey::strings(MESSAGES, format!("MSG#{group}"), at)
}

fn item(attributes: &[(&str, &str)]) -> Item {
    let pairs = attributes.iter();
    pairs.map(|(name, text)| ((*name).to_owned(), AttributeValue::string(*text))).collect()
}

/// Whether the stream is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// The stream has not begun.
    Before,
    /// The stream tells of every change.
    Streamed,
}

impl World {
    /// One change by the application. A row joins only where its key is free, and what is not there
    /// is neither edited nor deleted, as an application that keeps its rows does it.
    pub(crate) fn apply(
        &mut self,
        deployment: &Deployment,
        era: Era,
        change: &Change,
    ) -> Result<(), RequestFault> {
        let (key, after) = match *change {
            Change::Album { artist, genre } => {
                (ItemKey::strings(ALBUMS, artist, "x"), Some(album(artist, genre)))
            }
            Change::DeleteAlbum { artist } => (ItemKey::strings(ALBUMS, artist, "x"), None),
            Change::Message { group, at, text } => {
                let partition = format!("MSG#{group}");
                let message = item(&[("pk", &partition), ("sk", at), ("message", text)]);
                let key = message_key(group, at);
                self.application.messages.insert(key.clone(), message.clone());
                (key, Some(message))
            }
            Change::DeleteMessage { group, at } => (message_key(group, at), None),
            Change::Join { owner, group, at } => {
                let key = ItemKey::strings(MESSAGES, row_partition(owner), at);
                if self.item(&key).is_some() {
                    return Ok(());
                }
                (key, Some(self.join(owner, group, at)))
            }
            Change::Leave { owner, group } => {
                let Some((key, _)) = self.row(owner, group) else {
                    return Ok(());
                };
                self.application.rows.remove(&(owner.to_owned(), group.to_owned()));
                (key, None)
            }
            Change::Edit { owner, group, attribute, value } => {
                let Some((key, row)) = self.row(owner, group) else {
                    return Ok(());
                };
                (key, Some(self.edit(owner, group, row, attribute, value)))
            }
        };
        match era {
            Era::Streamed => self.set(deployment, &key, after),
            Era::Before => {
                self.set_silently(&key, after);
                Ok(())
            }
        }
    }

    fn join(&mut self, owner: &str, group: &str, at: &str) -> Item {
        let row = item(&[
            ("pk", &row_partition(owner)),
            ("sk", at),
            ("message_group_uuid", group),
            ("message", "joined"),
            ("note", "first"),
        ]);
        let as_left = RowAsLeft { own: own_attributes(&row), put_at: at.to_owned() };
        self.application.rows.insert((owner.to_owned(), group.to_owned()), as_left);
        row
    }

    fn edit(
        &mut self,
        owner: &str,
        group: &str,
        mut row: Item,
        attribute: &str,
        value: Option<&str>,
    ) -> Item {
        match value {
            Some(text) => row.insert(attribute.to_owned(), AttributeValue::string(text)),
            None => row.remove(attribute),
        };
        if let Some(left) = self.application.rows.get_mut(&(owner.to_owned(), group.to_owned())) {
            left.own = own_attributes(&row);
        }
        row
    }

    /// The row of an owner in a group, wherever it stands now.
    fn row(&self, owner: &str, group: &str) -> Option<(ItemKey, Item)> {
        let partition = AttributeValue::string(row_partition(owner));
        let group = AttributeValue::string(group);
        let mut rows = self.table(MESSAGES).filter(|(_, row)| {
            row.get("pk") == Some(&partition) && row.get("message_group_uuid") == Some(&group)
        });
        rows.next().map(|(key, row)| (key.clone(), row.clone()))
    }
}

fn album(artist: &str, genre: Genre) -> Item {
    let mut album = item(&[("Artist", artist), ("Album", "x")]);
    let value = match genre {
        Genre::None => return album,
        Genre::Of(text) => AttributeValue::string(text),
        Genre::Unusable => AttributeValue::L(Vec::new()),
    };
    album.insert("Genre".to_owned(), value);
    album
}
