//! The application: it puts, edits and deletes, and remembers what it left.

use crate::world::{ALBUMS, MESSAGES};
use std::collections::BTreeMap;

use afterimage::{AttributeValue, Item, ItemKey};
use afterimage_schema::Table;
use serde_json::{Value, json};

use super::{Album, Change, Edit, Ground, Message, Year, table_name};
use crate::WorldError;
use crate::dynamodb::{Dynamodb, item_of_request, text};

/// What rows hold that is not the application's.
const DERIVED_ATTRIBUTES: [&str; 5] = ["pk", "sk", "message", "mood", "message_group_uuid"];

/// The owner and the group of a row.
type Place = (String, String);

/// What the application last left, as the checks need it.
#[derive(Debug, Default)]
pub struct Application {
    /// The application's own attributes of each of its rows, by owner and group.
    pub rows: BTreeMap<Place, Item>,
    /// Every message that ever was, as last put: under `skip` a deletion changes nothing.
    pub messages: BTreeMap<ItemKey, Value>,
    /// Every album that ever was, as last put.
    pub albums: BTreeMap<ItemKey, Value>,
    /// Messages that may be deleted: put since the deployment.
    deletable: Vec<ItemKey>,
    is_deployed: bool,
    join_count: u32,
}

fn album_key(number: u8) -> ItemKey {
    ItemKey::strings(ALBUMS, format!("Ärtist {}", number / 3), format!("x#{}", number % 3))
}

fn album_keys_json(number: u8) -> Value {
    json!({ "Artist": {"S": format!("Ärtist {}", number / 3)}, "Album": {"S": format!("x#{}", number % 3)} })
}

/// Text with characters of one to four bytes.
fn long_text(byte_count: u16) -> String {
    "aé漢🎵".chars().cycle().take(usize::from(byte_count) * 4 / 10).collect()
}

/// The attributes of a row that are the application's alone.
#[must_use]
pub fn own_attributes(row: &Item) -> Item {
    let own = row.iter().filter(|(name, _)| !DERIVED_ATTRIBUTES.contains(&name.as_str()));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Application {
    /// From now on the stream is read; what was put before may not be deleted unseen.
    pub fn deploy(&mut self) {
        self.is_deployed = true;
    }

    /// The groups that have messages or rows.
    #[must_use]
    pub fn groups(&self) -> std::collections::BTreeSet<String> {
        let of_messages = self
            .messages
            .keys()
            .filter_map(|key| key.partition.as_string()?.strip_prefix("MSG#").map(str::to_owned));
        of_messages.chain(self.rows.keys().map(|(_, group)| group.clone())).collect()
    }

    /// Makes one change.
    ///
    /// # Errors
    /// [`WorldError`] where the emulator refuses what DynamoDB takes.
    pub fn make(&mut self, dynamodb: &Dynamodb, change: &Change) -> Result<(), WorldError> {
        match change {
            Change::PutAlbum(album) => self.put_album(dynamodb, album),
            Change::SetGenre { number, genre } => self.set_genre(dynamodb, *number, *genre),
            Change::DeleteAlbum { number } => delete(dynamodb, &ALBUMS, &album_keys_json(*number)),
            Change::ExpireAlbum { number } => self.expire_album(dynamodb, *number),
            Change::PutMessage(message) => self.put_message(dynamodb, message),
            Change::DeleteMessage { pick } => self.delete_message(dynamodb, *pick),
            Change::Join { owner, group, at } => self.join(dynamodb, *owner, *group, *at),
            Change::Leave { pick } => self.leave(dynamodb, *pick),
            Change::EditRow { pick, edit } => self.edit_row(dynamodb, *pick, *edit),
        }
    }

    fn put_album(&mut self, dynamodb: &Dynamodb, album: &Album) -> Result<(), WorldError> {
        let mut item = album_keys_json(album.number);
        let mut set = |name: &str, value: Value| item[name] = value;
        if let Some(genre) = album.genre {
            set("Genre", json!({ "S": genre }));
        }
        match &album.year {
            Year::Absent => {}
            Year::Number(number) => set("Year", json!({ "N": number })),
            Year::Boolean(it) => set("Year", json!({ "BOOL": it })),
            Year::Text(text) => set("Year", json!({ "S": text })),
            Year::Null => set("Year", json!({ "NULL": true })),
            Year::List => set("Year", json!({ "L": [{ "N": "1980" }] })),
        }
        set("Label", json!({ "S": if album.is_selected { "in" } else { "out" } }));
        if album.note_bytes > 0 {
            set("notes", json!({ "S": long_text(album.note_bytes) }));
        }
        self.put(dynamodb, &ALBUMS, &item)
    }

    fn put(&mut self, dynamodb: &Dynamodb, table: &Table, item: &Value) -> Result<(), WorldError> {
        dynamodb.call("PutItem", &json!({ "TableName": table_name(table), "Item": item }))?;
        let named = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        match table {
            it if *it == ALBUMS => {
                let key = ItemKey::strings(table.clone(), named("Artist"), named("Album"));
                self.albums.insert(key, item.clone());
            }
            it if *it == MESSAGES => {
                let key = ItemKey::strings(table.clone(), named("pk"), named("sk"));
                if self.is_deployed && !self.deletable.contains(&key) {
                    self.deletable.push(key.clone());
                }
                self.messages.insert(key, item.clone());
            }
            _ => {}
        }
        Ok(())
    }

    fn set_genre(
        &mut self,
        dynamodb: &Dynamodb,
        number: u8,
        genre: Option<&str>,
    ) -> Result<(), WorldError> {
        let albums = Ground::read(dynamodb, &ALBUMS)?;
        let key = album_key(number);
        let is_there = albums.items().iter().any(|item| {
            text(item, "Artist") == key.partition.as_string()
                && text(item, "Album") == key.sort.as_ref().and_then(|it| it.as_string())
        });
        let Some(album) = self.albums.get_mut(&key).filter(|_| is_there) else { return Ok(()) };
        let mut request = json!({
            "TableName": table_name(&ALBUMS),
            "Key": album_keys_json(number),
            "UpdateExpression": "REMOVE Genre",
        });
        let mut changed = album.clone();
        changed.as_object_mut().map(|album| album.remove("Genre"));
        if let Some(genre) = genre {
            request["UpdateExpression"] = json!("SET Genre = :genre");
            request["ExpressionAttributeValues"] = json!({ ":genre": { "S": genre } });
            changed["Genre"] = json!({ "S": genre });
        }
        dynamodb.call("UpdateItem", &request)?;
        *album = changed;
        Ok(())
    }

    /// The album gets a time to live that is over, and is swept: its removal is the service's.
    fn expire_album(&mut self, dynamodb: &Dynamodb, number: u8) -> Result<(), WorldError> {
        if !self.albums.contains_key(&album_key(number)) {
            return Ok(());
        }
        let soon = dynamodb.now_seconds() + 1;
        let item = json!({ "expires_at": { "N": soon.to_string() }, "Label": { "S": "out" } });
        let mut whole = album_keys_json(number);
        for (name, value) in item.as_object().into_iter().flatten() {
            whole[name] = value.clone();
        }
        self.put(dynamodb, &ALBUMS, &whole)?;
        dynamodb.expire(10)?;
        Ok(())
    }

    fn put_message(&mut self, dynamodb: &Dynamodb, message: &Message) -> Result<(), WorldError> {
        let text = format!("{} {}", message.text, long_text(message.more_bytes));
        let mut item = json!({
            "pk": { "S": format!("MSG#g{}", message.group) },
            "sk": { "S": sort_key(message.at) },
            "message": { "S": text },
        });
        if message.has_mood {
            item["mood"] = json!({ "N": message.text.to_string() });
        }
        self.put(dynamodb, &MESSAGES, &item)
    }

    fn delete_message(&mut self, dynamodb: &Dynamodb, pick: u16) -> Result<(), WorldError> {
        let Some(index) = usize::from(pick).checked_rem(self.deletable.len()) else {
            return Ok(());
        };
        let Some(key) = self.deletable.get(index) else { return Ok(()) };
        let sort = key.sort.as_ref().and_then(|it| it.as_string()).unwrap_or_default();
        let partition = key.partition.as_string().unwrap_or_default();
        delete(dynamodb, &MESSAGES, &json!({ "pk": {"S": partition}, "sk": {"S": sort} }))
    }

    fn join(
        &mut self,
        dynamodb: &Dynamodb,
        owner: u8,
        group: u8,
        at: u8,
    ) -> Result<(), WorldError> {
        let place = (format!("o{owner}"), format!("g{group}"));
        if self.rows.contains_key(&place) {
            return Ok(());
        }
        self.join_count += 1;
        let row = json!({
            "pk": { "S": format!("GRP#{}", place.0) },
            "sk": { "S": sort_key(at) },
            "message_group_uuid": { "S": place.1 },
            "message": { "S": "joined" },
            "note": { "S": "new" },
            // Whoever deletes a row and puts it again at the same key has to change an attribute that
            // was there: what was only added would look like an undeclared addition.
            "joined": { "N": self.join_count.to_string() },
        });
        let request = json!({
            "TableName": table_name(&MESSAGES),
            "Item": row,
            "ConditionExpression": "attribute_not_exists(pk)",
        });
        // Another row of the same owner may stand there: then the member does not join.
        if dynamodb.call("PutItem", &request).is_ok() {
            self.rows.insert(place, own_attributes(&item_of_request(&row)?));
        }
        Ok(())
    }

    fn leave(&mut self, dynamodb: &Dynamodb, pick: u16) -> Result<(), WorldError> {
        let Some((place, row)) = self.standing_row(dynamodb, pick)? else { return Ok(()) };
        delete(dynamodb, &MESSAGES, &keys_of(&row))?;
        self.rows.remove(&place);
        Ok(())
    }

    fn edit_row(&mut self, dynamodb: &Dynamodb, pick: u16, edit: Edit) -> Result<(), WorldError> {
        let Some((place, row)) = self.standing_row(dynamodb, pick)? else { return Ok(()) };
        let (expression, name, value) = match edit {
            // An undeclared attribute may be changed, but not added alone.
            Edit::Note(it) if row.contains_key("note") => ("SET #name = :value", "note", it),
            Edit::Note(it) | Edit::Pin(it) => ("SET #name = :value", "pinned", it),
            Edit::RemoveNote => ("REMOVE #name", "note", 0),
            Edit::Unpin => ("REMOVE #name", "pinned", 0),
            Edit::Message(it) => ("SET #name = :value", "message", it),
        };
        let mut request = json!({
            "TableName": table_name(&MESSAGES),
            "Key": keys_of(&row),
            "UpdateExpression": expression,
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": { "#name": name },
        });
        let mut row = row;
        if expression.starts_with("SET") {
            let text = format!("edited {value}");
            request["ExpressionAttributeValues"] = json!({ ":value": { "S": text } });
            row.insert(name.to_owned(), AttributeValue::string(text));
        } else {
            row.remove(name);
        }
        dynamodb.call("UpdateItem", &request)?;
        self.rows.insert(place, own_attributes(&row));
        Ok(())
    }

    /// One of the application's rows, where it stands now; `None` where it is nowhere, which the
    /// checks say.
    fn standing_row(
        &self,
        dynamodb: &Dynamodb,
        pick: u16,
    ) -> Result<Option<(Place, Item)>, WorldError> {
        let Some(index) = usize::from(pick).checked_rem(self.rows.len()) else {
            return Ok(None);
        };
        let Some(place) = self.rows.keys().nth(index).cloned() else { return Ok(None) };
        let messages = Ground::read(dynamodb, &MESSAGES)?;
        let partition = format!("GRP#{}", place.0);
        let row = messages.items().iter().find(|item| {
            text(item, "pk") == Some(partition.as_str())
                && text(item, "message_group_uuid") == Some(place.1.as_str())
        });
        Ok(row.map(|row| (place, row.clone())))
    }
}

fn sort_key(at: u8) -> String {
    format!("t{at:02}")
}

fn keys_of(row: &Item) -> Value {
    let key = |name| json!({ "S": text(row, name).unwrap_or_default() });
    json!({ "pk": key("pk"), "sk": key("sk") })
}

fn delete(dynamodb: &Dynamodb, table: &Table, key: &Value) -> Result<(), WorldError> {
    dynamodb.call("DeleteItem", &json!({ "TableName": table_name(table), "Key": key }))?;
    Ok(())
}
