//! The sample conversations, and putting them.

use std::collections::BTreeSet;

use http_api::{Item, Outcome, StoreError};
use serde::Deserialize;
use uuid::Uuid;

use crate::item;
use crate::message_id::{Fingerprint, PostedId};
use crate::posting::{message_item, row_item};
use crate::profile::{self, Created};
use crate::{CreatedAt, Handle, InvalidCreatedAt, InvalidHandle, MessageText, Messages, Profile};

/// The most items in one transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
const TRANSACTION_ITEMS_MAX: usize = 100;

/// Why a file has no sample.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// Not JSON of the right shape.
    #[error("this is no file of profiles and conversations")]
    Json(#[from] serde_json::Error),
    /// A handle that cannot be one.
    #[error(transparent)]
    Handle(#[from] InvalidHandle),
    /// A handle without a profile.
    #[error("the handle `{0}` has no profile in the file")]
    NoProfile(String),
    /// A uuid that is none.
    #[error("`{0}` is no UUID with hyphens and in lower case")]
    Uuid(String),
    /// A time that is none.
    #[error("`{text}` cannot be a time")]
    Time {
        /// What stands there.
        text: String,
        /// What it must be.
        #[source]
        source: InvalidCreatedAt,
    },
    /// A text that cannot be posted.
    #[error("the message {message_uuid} cannot be posted")]
    Text {
        /// The message.
        message_uuid: String,
        /// What it must be.
        #[source]
        source: crate::InvalidMessageText,
    },
    /// A conversation of fewer than two members, or without messages, or too long for one transaction.
    #[error(
        "the conversation {0} must have two members and a message at least, and {TRANSACTION_ITEMS_MAX} items at most: two per message, one per member"
    )]
    Size(String),
    /// An entry of a conversation that does not go with another one.
    #[error("the conversation {group_uuid}, {entry}: {problem}")]
    Entry {
        /// The conversation.
        group_uuid: String,
        /// Where in the conversation, such as `messages[2]`.
        entry: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Why a sample was not put, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file is wrong.
    #[error("the sample is not valid")]
    Sample(#[from] SampleError),
    /// A handle is another user's.
    #[error("the handle `{0}` is another user's; take it away, or give the sample another one")]
    HandleTaken(String),
    /// A key of a conversation is taken by something else.
    #[error("a key of the conversation {0} is taken by another item; give it other times or uuids")]
    KeyTaken(String),
    /// The store failed.
    #[error("the store failed while the sample was put; put it again")]
    Store(#[from] StoreError),
}

/// What was put; what was there already is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seeded {
    /// Profiles.
    pub profiles: usize,
    /// Conversations.
    pub conversations: usize,
    /// Messages in them.
    pub messages: usize,
}

/// Profiles and conversations, all of them valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    profiles: Vec<Profile>,
    conversations: Vec<Conversation>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Conversation {
    group_uuid: String,
    members: Vec<Profile>,
    messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    uuid: Uuid,
    author: Profile,
    at: CreatedAt,
    text: MessageText,
}

/// `schema/sample/messages.json`, compiled in: two conversations of three people who do not exist.
///
/// # Errors
/// [`SampleError`] where the file is wrong, which a test excludes.
pub fn sample() -> Result<Sample, SampleError> {
    Sample::parse(include_bytes!("../../../schema/sample/messages.json"))
}

/// Puts [`sample`].
///
/// # Errors
/// As [`seed`].
pub async fn seed_sample(messages: &Messages) -> Result<Seeded, SeedError> {
    seed(messages, &sample()?).await
}

/// Puts a sample: each profile, and each conversation, in a transaction of its own, with the rows of its
/// members at its newest message. What is there already stays as it is, so that doing it twice changes
/// nothing.
///
/// # Errors
/// [`SeedError`]; what was put before stays, and putting the sample again is safe.
pub async fn seed(messages: &Messages, sample: &Sample) -> Result<Seeded, SeedError> {
    let mut seeded = Seeded::default();
    for profile in &sample.profiles {
        match profile::create(messages, profile).await? {
            Created::New => seeded.profiles += 1,
            Created::Known => {}
            Created::HandleTaken => {
                return Err(SeedError::HandleTaken(profile.user_handle.clone()));
            }
        }
    }
    for conversation in &sample.conversations {
        match item::put_all(messages, conversation.items()?).await? {
            Outcome::Written => {
                seeded.conversations += 1;
                seeded.messages += conversation.messages.len();
            }
            // The first item is that of a uuid: where it is taken, the conversation is there.
            Outcome::Refused(taken) if taken.at(0).is_some() => {}
            Outcome::Refused(_) => {
                return Err(SeedError::KeyTaken(conversation.group_uuid.clone()));
            }
        }
    }
    Ok(seeded)
}

impl Conversation {
    /// Checks that members, times and uuids are there once, and that only members write.
    fn check(&self, message_uuids: &mut BTreeSet<Uuid>) -> Result<(), SampleError> {
        let mut members = BTreeSet::new();
        for (index, member) in self.members.iter().enumerate() {
            if !members.insert(member.user_uuid.as_str()) {
                return Err(self.wrong(format!("members[{index}]"), "this member is there twice"));
            }
        }
        let mut times = BTreeSet::new();
        for (index, message) in self.messages.iter().enumerate() {
            let problem = if !members.contains(message.author.user_uuid.as_str()) {
                "its author is no member"
            } else if !times.insert(message.at) {
                "another message of the conversation has its `created_at`"
            } else if !message_uuids.insert(message.uuid) {
                "another message of the file has its `message_uuid`"
            } else {
                continue;
            };
            return Err(self.wrong(format!("messages[{index}]"), problem));
        }
        Ok(())
    }

    fn wrong(&self, entry: String, problem: &'static str) -> SampleError {
        SampleError::Entry { group_uuid: self.group_uuid.clone(), entry, problem }
    }

    /// The items of its messages' uuids, its messages, and a row per member.
    fn items(&self) -> Result<Vec<Item>, StoreError> {
        let posted = |message: &Message| {
            let user_uuid = &message.author.user_uuid;
            let fingerprint = Fingerprint::of(user_uuid, "group", &self.group_uuid, &message.text);
            let posted = PostedId {
                group_uuid: self.group_uuid.clone(),
                message_sk: message.at.to_string(),
                fingerprint,
            };
            posted.item(&message.uuid)
        };
        let stored = |it: &Message| {
            message_item(&self.group_uuid, &it.at.to_string(), &it.uuid, &it.author, &it.text)
        };
        let newest = self.messages.iter().max_by_key(|message| message.at);
        let rows = newest.into_iter().flat_map(|newest| {
            let sk = newest.at.to_string();
            self.members.iter().filter_map(move |owner| {
                let other = self.members.iter().find(|it| it.user_uuid != owner.user_uuid)?;
                Some(row_item(&owner.user_uuid, other, &self.group_uuid, &sk, &newest.text))
            })
        });
        let messages = self.messages.iter();
        messages.clone().map(posted).chain(messages.map(stored)).chain(rows).collect()
    }
}

/// The shape of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleFile {
    profiles: Vec<ProfileEntry>,
    conversations: Vec<ConversationEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileEntry {
    user_uuid: String,
    user_handle: String,
    user_display_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConversationEntry {
    message_group_uuid: String,
    members: Vec<String>,
    messages: Vec<MessageEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageEntry {
    message_uuid: String,
    user_handle: String,
    created_at: String,
    message: String,
}

impl Sample {
    /// Reads `{"profiles": […], "conversations": […]}`; `schema/sample/messages.json` shows the shape.
    ///
    /// # Errors
    /// [`SampleError`].
    pub fn parse(file: &[u8]) -> Result<Self, SampleError> {
        let file: SampleFile = serde_json::from_slice(file)?;
        let profiles: Vec<Profile> =
            file.profiles.into_iter().map(ProfileEntry::profile).collect::<Result<_, _>>()?;
        let conversations = file.conversations.into_iter();
        let conversations = conversations.map(|it| it.conversation(&profiles));
        let conversations: Vec<Conversation> = conversations.collect::<Result<_, _>>()?;
        let (mut group_uuids, mut message_uuids) = (BTreeSet::new(), BTreeSet::new());
        for conversation in &conversations {
            if !group_uuids.insert(conversation.group_uuid.as_str()) {
                let problem = "another conversation of the file has this uuid";
                return Err(conversation.wrong("message_group_uuid".to_owned(), problem));
            }
            conversation.check(&mut message_uuids)?;
        }
        Ok(Self { profiles, conversations })
    }
}

impl ProfileEntry {
    fn profile(self) -> Result<Profile, SampleError> {
        Ok(Profile {
            user_uuid: uuid(&self.user_uuid)?.to_string(),
            user_handle: Handle::new(self.user_handle)?.to_string(),
            user_display_name: self.user_display_name,
        })
    }
}

impl ConversationEntry {
    fn conversation(self, profiles: &[Profile]) -> Result<Conversation, SampleError> {
        let items = self.messages.len() * 2 + self.members.len();
        let sized = self.members.len() >= 2 && !self.messages.is_empty();
        if !sized || items > TRANSACTION_ITEMS_MAX {
            return Err(SampleError::Size(self.message_group_uuid));
        }
        let members = self.members.iter().map(|handle| profile_of(handle, profiles));
        Ok(Conversation {
            group_uuid: uuid(&self.message_group_uuid)?.to_string(),
            members: members.collect::<Result<_, _>>()?,
            messages: self
                .messages
                .into_iter()
                .map(|it| it.message(profiles))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl MessageEntry {
    fn message(self, profiles: &[Profile]) -> Result<Message, SampleError> {
        let at = self.created_at.parse();
        let text = MessageText::new(self.message);
        Ok(Message {
            uuid: uuid(&self.message_uuid)?,
            author: profile_of(&self.user_handle, profiles)?,
            at: at.map_err(|source| SampleError::Time { text: self.created_at, source })?,
            text: text
                .map_err(|source| SampleError::Text { message_uuid: self.message_uuid, source })?,
        })
    }
}

fn profile_of(handle: &str, profiles: &[Profile]) -> Result<Profile, SampleError> {
    let found = profiles.iter().find(|profile| profile.user_handle == handle);
    found.cloned().ok_or_else(|| SampleError::NoProfile(handle.to_owned()))
}

fn uuid(text: &str) -> Result<Uuid, SampleError> {
    Uuid::try_parse(text)
        .ok()
        .filter(|uuid| uuid.hyphenated().to_string() == text)
        .ok_or_else(|| SampleError::Uuid(text.to_owned()))
}
