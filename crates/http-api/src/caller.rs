//! Who calls.

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use uuid::Uuid;

use crate::ApiError;

/// The signed-in user, as API Gateway's JWT authorizer passes it on
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    user_uuid: String,
    user_name: Option<String>,
}

impl Caller {
    /// The caller of a request: `sub` of the token's claims, a UUID as Cognito writes it.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where there are no claims, or `sub` is no UUID.
    pub fn of(request: &Request) -> Result<Self, ApiError> {
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
            return Err(ApiError::Unauthorized);
        };
        let claims = context
            .authorizer
            .as_ref()
            .and_then(|authorizer| authorizer.jwt.as_ref())
            .map(|jwt| &jwt.claims)
            .ok_or(ApiError::Unauthorized)?;
        let user_uuid = claims
            .get("sub")
            .filter(|subject| is_canonical(subject))
            .ok_or(ApiError::Unauthorized)?;
        let user_name = claims.get("cognito:username").or_else(|| claims.get("username"));
        Ok(Self { user_uuid: user_uuid.clone(), user_name: user_name.cloned() })
    }

    /// The user's UUID, in lower case with hyphens.
    #[must_use]
    pub fn user_uuid(&self) -> &str {
        &self.user_uuid
    }

    /// The user's name, where the token has it: `cognito:username` of an ID token, `username` of an
    /// access token
    /// (<https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html>).
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        self.user_name.as_deref()
    }
}

fn is_canonical(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|uuid| uuid.hyphenated().to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(authorizer: &str, expected: Option<(&str, Option<&str>)>) {
        let event = format!(
            r#"{{"version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": "",
                "headers": {{}}, "isBase64Encoded": false, "requestContext": {{
                "stage": "$default", "timeEpoch": 0, {authorizer}
                "http": {{"method": "GET", "path": "/"}}}}}}"#
        );
        let request = lambda_http::request::from_str(&event).expect("an event");
        let caller = Caller::of(&request).ok();
        let found = caller.as_ref().map(|caller| (caller.user_uuid(), caller.user_name()));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_caller_is_the_subject_of_the_claims() {
        let uuid = "a0a0a0a0-0000-4000-8000-000000000001";
        let claims = |claims: &str| format!(r#""authorizer": {{"jwt": {{"claims": {claims}}}}},"#);
        let named = |name: &str| claims(&format!(r#"{{"sub": "{uuid}", {name}"aud": "web"}}"#));
        check(&named(""), Some((uuid, None)));
        check(&named(r#""username": "ada", "#), Some((uuid, Some("ada"))));
        check(&named(r#""cognito:username": "ada", "#), Some((uuid, Some("ada"))));
        check(&claims(r#"{"aud": "web"}"#), None);
        check(&claims(r#"{"sub": ""}"#), None);
        check(&claims(r#"{"sub": "A0A0A0A0-0000-4000-8000-000000000001"}"#), None);
        check("", None);
    }
}
