//! The application in the simulation: what it puts, edits and deletes, and what it knows of its rows.

use std::collections::BTreeMap;

use afterimage::{AttributeValue, Item, ItemKey};
use afterimage_schema::Table;

use crate::store::Store;

/// The tables of the shipped views.
pub const ALBUMS: Table = Table::literal("albums");
pub const MESSAGES: Table = Table::literal("messages");

/// What the application last left in each of its rows, by owner and group, places aside.
#[derive(Default)]
pub struct Application {
    pub rows: BTreeMap<(String, String), Item>,
    /// Every message that ever was, as last put: under `skip` a deletion changes nothing.
    pub messages: BTreeMap<ItemKey, Item>,
}

fn item(attributes: &[(&str, &str)]) -> Item {
    let attribute =
        |(name, text): &(&str, &str)| ((*name).to_owned(), AttributeValue::string(*text));
    attributes.iter().map(attribute).collect()
}

/// The attributes of a row that are the application's alone.
pub fn own_attributes(row: &Item) -> Item {
    let derived = ["pk", "sk", "message", "message_group_uuid"];
    row.iter().filter(|(name, _)| !derived.contains(&name.as_str())).map(clone_pair).collect()
}

fn clone_pair((name, value): (&String, &AttributeValue)) -> (String, AttributeValue) {
    (name.clone(), value.clone())
}

impl Application {
    /// One change at random.
    pub fn act(&mut self, store: &mut Store, random: &mut fastrand::Rng) {
        match random.u8(0..12) {
            0..3 => self.change_album(store, random),
            3..6 => self.put_message(store, random),
            6 => self.delete_message(store, random),
            7..9 => self.join(store, random),
            9 => self.leave(store, random),
            _ => self.edit_row(store, random),
        }
    }

    fn change_album(&mut self, store: &mut Store, random: &mut fastrand::Rng) {
        let artist = format!("a{}", random.u8(0..4));
        let mut album = item(&[("Artist", &artist), ("Album", "x")]);
        if random.u8(0..4) == 0 {
            store.set(&ItemKey::strings(ALBUMS, artist, "x"), None);
            return;
        }
        if random.u8(0..5) > 0 {
            let genre = ["Rock", "Jazz", "AC/DC"][random.usize(0..3)];
            album.insert("Genre".to_owned(), AttributeValue::string(genre));
        }
        store.put(album, &ALBUMS);
    }

    fn put_message(&mut self, store: &mut Store, random: &mut fastrand::Rng) {
        let partition = format!("MSG#g{}", random.u8(0..3));
        let sort = format!("t{:02}", random.u8(0..20));
        let text = random.u16(..).to_string();
        let message = item(&[("pk", &partition), ("sk", &sort), ("message", &text)]);
        let key = ItemKey::strings(MESSAGES, partition, sort);
        self.messages.insert(key, message.clone());
        store.put(message, &MESSAGES);
    }

    /// Deletes a message whose record was delivered as a put before: it is in the stream already.
    fn delete_message(&mut self, store: &mut Store, random: &mut fastrand::Rng) {
        let Some(index) = random.usize(..).checked_rem(self.messages.len()) else { return };
        let key = self.messages.keys().nth(index).cloned();
        key.into_iter().for_each(|key| store.set(&key, None));
    }

    fn join(&mut self, store: &mut Store, random: &mut fastrand::Rng) {
        let owner = format!("o{}", random.u8(0..3));
        let group = format!("g{}", random.u8(0..3));
        if self.rows.contains_key(&(owner.clone(), group.clone())) {
            return;
        }
        // Put on condition that the key is free, as an application that keeps its rows does.
        let sort = format!("t{:02}", random.u8(0..25));
        let partition = format!("GRP#{owner}");
        if store.items.contains_key(&ItemKey::strings(MESSAGES, &partition, &sort)) {
            return;
        }
        let row = item(&[
            ("pk", &partition),
            ("sk", &sort),
            ("message_group_uuid", &group),
            ("message", "joined"),
            ("note", &random.u16(..).to_string()),
        ]);
        self.rows.insert((owner, group), own_attributes(&row));
        store.put(row, &MESSAGES);
    }

    fn leave(&mut self, store: &mut Store, random: &mut fastrand::Rng) {
        if let Some((place, key, _)) = self.any_row(store, random) {
            self.rows.remove(&place);
            store.set(&key, None);
        }
    }

    /// Changes, removes or adds an attribute where the row stands now.
    fn edit_row(&mut self, store: &mut Store, random: &mut fastrand::Rng) {
        let Some((place, key, mut row)) = self.any_row(store, random) else { return };
        let value = AttributeValue::string(random.u16(..).to_string());
        match random.u8(0..4) {
            // An undeclared attribute may be changed and removed, but not added alone.
            0 if row.contains_key("note") => row.insert("note".to_owned(), value),
            0 | 1 => row.insert("pinned".to_owned(), value),
            2 => row.remove("note"),
            // What rows copy is not the application's to change: it is restored.
            _ => row.insert("message".to_owned(), value),
        };
        self.rows.insert(place, own_attributes(&row));
        store.set(&key, Some(row));
    }

    fn any_row(
        &self,
        store: &Store,
        random: &mut fastrand::Rng,
    ) -> Option<((String, String), ItemKey, Item)> {
        let index = random.usize(..).checked_rem(self.rows.len())?;
        let place = self.rows.keys().nth(index)?.clone();
        let partition = AttributeValue::string(format!("GRP#{}", place.0));
        let group = AttributeValue::string(&place.1);
        let mut rows = store.table(MESSAGES).filter(|(_, row)| {
            row.get("pk") == Some(&partition) && row.get("message_group_uuid") == Some(&group)
        });
        rows.next().map(|(key, row)| (place, key.clone(), row.clone()))
    }
}
