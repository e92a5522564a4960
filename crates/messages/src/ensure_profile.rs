//! A profile for whoever signs in locally.

use http_api::{StoreError, to_item};
use uuid::Uuid;

use crate::profile::{self, Created};
use crate::{Handle, InvalidHandle, Messages, Profile, key};

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum EnsureProfileError {
    /// The handle cannot be one.
    #[error(transparent)]
    Handle(#[from] InvalidHandle),
    /// The store failed.
    #[error("the profile could not be read or written")]
    Store(#[from] StoreError),
}

/// The profile of the user with this handle; a new one, with a new uuid and the handle as the name that
/// is shown, where nobody has it. Of several calls at once one creates it, and all return it.
///
/// # Errors
/// [`EnsureProfileError`].
pub async fn ensure_profile(
    messages: &Messages,
    handle: &str,
) -> Result<Profile, EnsureProfileError> {
    let handle = Handle::new(handle)?;
    if let Some(profile) = profile::of_handle(messages, &handle).await? {
        return Ok(profile);
    }
    let profile = Profile {
        user_uuid: Uuid::new_v4().to_string(),
        user_handle: handle.to_string(),
        user_display_name: handle.to_string(),
    };
    match profile::create(messages, &profile).await? {
        Created::New => Ok(profile),
        // Another call was faster, or an answer was lost: what stands there counts.
        Created::Known | Created::HandleTaken => match profile::of_handle(messages, &handle).await?
        {
            Some(standing) => Ok(standing),
            None => {
                let key = to_item(&key::profile(&profile.user_uuid))?;
                Err(messages.origin().malformed(&key, "user_handle").into())
            }
        },
    }
}
