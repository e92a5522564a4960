//! Who a user is to others.

use http_api::{Outcome, StoreError};
use serde::{Deserialize, Serialize};

use crate::{Handle, Messages, item, key};

/// The profile of a user: what its item holds, and what messages and rows hold of the user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
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

/// What the item of a handle holds: whose it is.
#[derive(Deserialize, Serialize)]
struct HandleOwner {
    user_uuid: String,
}

/// The profile of a user.
pub(crate) async fn of_user(
    messages: &Messages,
    user_uuid: &str,
) -> Result<Option<Profile>, StoreError> {
    let found = item::get(messages, key::profile(user_uuid)).await?;
    found.map(|item| messages.origin().read(&item)).transpose()
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
    let owner: HandleOwner = messages.origin().read(&found)?;
    let profile = of_user(messages, &owner.user_uuid).await?;
    profile.map(Some).ok_or_else(|| messages.origin().malformed(&found, "user_uuid"))
}

/// Writes a profile and its handle in one transaction, where neither is there.
pub(crate) async fn create(messages: &Messages, profile: &Profile) -> Result<Created, StoreError> {
    let owner = HandleOwner { user_uuid: profile.user_uuid.clone() };
    let by_user = item::item(key::profile(&profile.user_uuid), profile)?;
    let by_handle = item::item(key::handle(&profile.user_handle), &owner)?;
    let Outcome::Refused(taken) = item::put_all(messages, vec![by_user, by_handle]).await? else {
        return Ok(Created::New);
    };
    if let (None, Some(handle)) = (taken.at(0), taken.at(1)) {
        let standing: HandleOwner = messages.origin().read(handle)?;
        if standing.user_uuid != owner.user_uuid {
            return Ok(Created::HandleTaken);
        }
    }
    Ok(Created::Known)
}
