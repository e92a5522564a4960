//! The trigger that Cognito calls when a user has confirmed the sign-up.

use aws_lambda_events::cognito::{
    CognitoEventUserPoolsPostConfirmation, CognitoEventUserPoolsPostConfirmationTriggerSource,
};
use http_api::StoreError;
use uuid::Uuid;

use crate::profile::{self, Created};
use crate::{Handle, InvalidHandle, Messages, Profile};

/// The event of the trigger
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html>).
pub type PostConfirmationEvent = CognitoEventUserPoolsPostConfirmation;

/// Why no profile was written. Cognito shows the sentence to the user.
#[derive(Debug, thiserror::Error)]
pub enum PostConfirmationError {
    /// The event names no user.
    #[error("the event has no user: `sub` must be a UUID and `userName` be there")]
    NoUser,
    /// The user's name cannot be a handle.
    #[error(transparent)]
    Handle(#[from] InvalidHandle),
    /// Another user has the handle.
    #[error("the handle is taken by another user; sign up with another user name")]
    HandleTaken,
    /// The store failed; the trigger may be repeated.
    #[error("the profile could not be written; try again")]
    Store(#[from] StoreError),
}

/// Writes the profile of a new user: the user name is the handle, the attribute `name` the name that is
/// shown, or else the handle. Answers with the event, as Cognito wants it. A repeated trigger changes
/// nothing, and neither does a confirmed new password. What prevents it is logged here, once.
///
/// # Errors
/// [`PostConfirmationError`].
pub async fn post_confirmation(
    messages: &Messages,
    event: PostConfirmationEvent,
) -> Result<PostConfirmationEvent, PostConfirmationError> {
    let source = event.cognito_event_user_pools_header.trigger_source.as_ref();
    if source == Some(&CognitoEventUserPoolsPostConfirmationTriggerSource::ConfirmForgotPassword) {
        return Ok(event);
    }
    match write_profile(messages, &event).await {
        Ok(()) => Ok(event),
        Err(error) => {
            tell(&error);
            Err(error)
        }
    }
}

async fn write_profile(
    messages: &Messages,
    event: &PostConfirmationEvent,
) -> Result<(), PostConfirmationError> {
    match profile::create(messages, &profile_of(event)?).await? {
        Created::New | Created::Known => Ok(()),
        Created::HandleTaken => Err(PostConfirmationError::HandleTaken),
    }
}

/// A refusal is the user's to mend, a failure the operator's.
fn tell(error: &PostConfirmationError) {
    match error {
        PostConfirmationError::Store(source) => {
            tracing::error!(cause = http_api::causes(source), "profile not written");
        }
        PostConfirmationError::NoUser
        | PostConfirmationError::Handle(_)
        | PostConfirmationError::HandleTaken => {
            tracing::warn!(cause = error.to_string(), "sign-up refused");
        }
    }
}

fn profile_of(event: &PostConfirmationEvent) -> Result<Profile, PostConfirmationError> {
    let attributes = &event.request.user_attributes;
    let user_uuid = attributes
        .get("sub")
        .and_then(|subject| Uuid::try_parse(subject).ok())
        .ok_or(PostConfirmationError::NoUser)?;
    let user_name = event.cognito_event_user_pools_header.user_name.as_deref();
    let handle = Handle::new(user_name.ok_or(PostConfirmationError::NoUser)?)?;
    let name = attributes.get("name").map_or(handle.as_str(), String::as_str);
    Ok(Profile {
        user_uuid: user_uuid.to_string(),
        user_handle: handle.to_string(),
        user_display_name: name.to_owned(),
    })
}
