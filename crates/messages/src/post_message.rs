//! `POST /api/messages`: posts a message to a group, or starts a conversation with somebody.

use http_api::{ApiError, Caller, Fields, Parameters};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use uuid::Uuid;

use crate::membership::{self, GROUP_ID_BYTES_MAX};
use crate::message_id::Fingerprint;
use crate::posting::{self, Destination, Draft};
use crate::profile::{self, Created};
use crate::{Handle, MessageText, Messages, Profile};

/// 201 with the stored message and its `message_group_uuid`, for
/// `{"message": …, "message_group_uuid": …}` or `{"message": …, "handle": …}`, either with a
/// `message_uuid` of the client's choice: the same request may then be sent again, and is answered with
/// the message that it posted first.
///
/// 403 `not_a_member`, 403 `no_profile` for a caller without a profile whose token names no free handle, 404 `unknown_handle`, 400
/// `own_handle` for a conversation with oneself, 409 `message_uuid_taken`, 409 `message_deleted`.
pub async fn post_message(messages: &Messages, request: Request) -> Response<Body> {
    http_api::answer(post(messages, &request).await)
}

async fn post(messages: &Messages, request: &Request) -> Result<Response<Body>, ApiError> {
    let caller = Caller::of(request)?;
    Parameters::of(request, &[])?;
    let body = PostBody::of(request)?;
    let fingerprint = body.fingerprint(&caller);
    let author = author(messages, &caller).await?;
    let destination = match body.target {
        Target::Group(group_uuid) => {
            membership::require(messages, caller.user_uuid(), &group_uuid).await?;
            Destination::Group { group_uuid }
        }
        Target::Handle(handle) => {
            let other = other_member(messages, &author, &handle).await?;
            Destination::NewGroup { group_uuid: Uuid::new_v4().to_string(), other }
        }
    };
    let message_uuid = body.message_uuid.unwrap_or_else(Uuid::new_v4);
    let draft = Draft { author, text: body.text, message_uuid, fingerprint, destination };
    let stored = posting::post(messages, &draft).await?;
    http_api::json(StatusCode::CREATED, &messages.origin().plain_json(&stored)?)
}

/// The body, valid.
#[derive(Debug)]
struct PostBody {
    text: MessageText,
    target: Target,
    message_uuid: Option<Uuid>,
}

#[derive(Debug)]
enum Target {
    Group(String),
    Handle(Handle),
}

impl PostBody {
    fn of(request: &Request) -> Result<Self, ApiError> {
        let known = ["message", "message_group_uuid", "handle", "message_uuid"];
        let mut fields = Fields::of(request, &known)?;
        let text = MessageText::new(fields.require_text("message")?);
        let text = text.map_err(|error| ApiError::invalid_body(error.to_string()))?;
        let group_uuid = fields.take_text("message_group_uuid")?;
        let target = match (group_uuid, fields.take_text("handle")?) {
            (Some(group_uuid), None) if membership::is_group_id(&group_uuid) => {
                Target::Group(group_uuid)
            }
            (Some(_), None) => {
                return Err(ApiError::invalid_body(format!(
                    "`message_group_uuid` must have 1 to {GROUP_ID_BYTES_MAX} bytes"
                )));
            }
            (None, Some(handle)) => {
                let handle = Handle::new(handle);
                Target::Handle(handle.map_err(|error| ApiError::invalid_body(error.to_string()))?)
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(ApiError::invalid_body(
                    "give `message_group_uuid` to continue a conversation, or `handle` to start one",
                ));
            }
        };
        let message_uuid = fields.take_text("message_uuid")?.map(|text| Uuid::try_parse(&text));
        let message_uuid = message_uuid
            .transpose()
            .map_err(|_| ApiError::invalid_body("`message_uuid` must be a UUID"))?;
        Ok(Self { text, target, message_uuid })
    }

    fn fingerprint(&self, caller: &Caller) -> Fingerprint {
        let (kind, target) = match &self.target {
            Target::Group(group_uuid) => ("group", group_uuid.as_str()),
            Target::Handle(handle) => ("handle", handle.as_str()),
        };
        Fingerprint::of(caller.user_uuid(), kind, target, &self.text)
    }
}

/// The caller's profile. Cognito does not call the trigger that writes it again after a failure, so one
/// that is missing is written here, where the token names the user.
async fn author(messages: &Messages, caller: &Caller) -> Result<Profile, ApiError> {
    if let Some(profile) = profile::of_user(messages, caller.user_uuid()).await? {
        return Ok(profile);
    }
    let handle =
        caller.user_name().and_then(|name| Handle::new(name).ok()).ok_or_else(no_profile)?;
    let profile = Profile {
        user_uuid: caller.user_uuid().to_owned(),
        user_handle: handle.to_string(),
        user_display_name: handle.to_string(),
    };
    match profile::create(messages, &profile).await? {
        Created::New => Ok(profile),
        Created::Known => {
            profile::of_user(messages, caller.user_uuid()).await?.ok_or_else(no_profile)
        }
        Created::HandleTaken => Err(no_profile()),
    }
}

fn no_profile() -> ApiError {
    ApiError::Forbidden {
        code: "no_profile",
        message: "you have no profile, and your token names no free handle to make one; sign up, or sign in locally".to_owned(),
    }
}

async fn other_member(
    messages: &Messages,
    author: &Profile,
    handle: &Handle,
) -> Result<Profile, ApiError> {
    let other = profile::of_handle(messages, handle).await?.ok_or_else(|| ApiError::NotFound {
        code: "unknown_handle",
        message: "nobody has this handle".to_owned(),
    })?;
    if other.user_uuid == author.user_uuid {
        let message = "this handle is your own; a conversation needs somebody else".to_owned();
        return Err(ApiError::Invalid { code: "own_handle", message });
    }
    Ok(other)
}
