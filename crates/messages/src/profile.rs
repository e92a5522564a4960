//! Who a user is to others.

use http_api::{Item, Outcome, StoreError, text_attribute};

use crate::item::{self, with_texts};
use crate::{Handle, Messages, key};

/// The profile of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The user's UUID: `sub` of the tokens.
    pub user_uuid: String,
    /// The handle, which no other user has.
    pub user_handle: String,
    /// The name that is shown.
    pub user_display_name: String,
}

/// What became of a profile that was to be written.
#[derive(Debug)]
pub(crate) enum Created {
    /// It is written, and its handle with it.
    New,
    /// The user has a profile already; it stays as it is.
    Known,
    /// The handle is another user's.
    HandleTaken,
}

impl Profile {
    fn of(item: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            user_uuid: text_attribute(item, "user_uuid")?.to_owned(),
            user_handle: text_attribute(item, "user_handle")?.to_owned(),
            user_display_name: text_attribute(item, "user_display_name")?.to_owned(),
        })
    }

    /// The attributes that name this user in messages and rows.
    pub(crate) fn attributes(&self) -> [(&'static str, &str); 3] {
        [
            ("user_uuid", &self.user_uuid),
            ("user_handle", &self.user_handle),
            ("user_display_name", &self.user_display_name),
        ]
    }
}

/// The profile of a user.
pub(crate) async fn of_user(
    messages: &Messages,
    user_uuid: &str,
) -> Result<Option<Profile>, StoreError> {
    let found = item::get(messages, key::profile(user_uuid)).await?;
    found.as_ref().map(Profile::of).transpose()
}

/// The profile of the user who has this handle. A handle without a profile is an error, as both are
/// written in one transaction.
pub(crate) async fn of_handle(
    messages: &Messages,
    handle: &Handle,
) -> Result<Option<Profile>, StoreError> {
    let Some(found) = item::get(messages, key::handle(handle.as_str())).await? else {
        return Ok(None);
    };
    let profile = of_user(messages, text_attribute(&found, "user_uuid")?).await?;
    profile.map(Some).ok_or_else(|| StoreError::Malformed { attribute: "user_uuid".to_owned() })
}

/// Writes a profile and its handle in one transaction, where neither is there.
pub(crate) async fn create(messages: &Messages, profile: &Profile) -> Result<Created, StoreError> {
    let by_user = with_texts(key::profile(&profile.user_uuid), &profile.attributes());
    let by_handle =
        with_texts(key::handle(&profile.user_handle), &[("user_uuid", &profile.user_uuid)]);
    match item::put_all(messages, &[by_user, by_handle]).await? {
        Outcome::Written => Ok(Created::New),
        Outcome::Refused(taken) => match (taken.at(0), taken.at(1)) {
            (None, Some(handle)) if text_attribute(handle, "user_uuid")? != profile.user_uuid => {
                Ok(Created::HandleTaken)
            }
            (Some(_), _) | (None, Some(_) | None) => Ok(Created::Known),
        },
    }
}
