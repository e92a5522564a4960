//! Who may call: what API Gateway's JWT authorizer checks, and the local issuer of tokens
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::event::Claims;
use super::keys::Keys;

/// Who issues the tokens; it does not change with the port, so that a token outlives a restart.
const ISSUER: &str = "https://afterimage.local/users";
/// Whom they are for.
const AUDIENCE: &str = "afterimage-local";
/// How long a token is valid.
const VALIDITY: Duration = Duration::hours(12);

/// Issues and checks tokens.
#[derive(Debug)]
pub(crate) struct Authorizer {
    keys: Keys,
}

/// The token, or its absence, was refused. Why is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused;

impl Authorizer {
    pub(crate) fn new(keys: Keys) -> Self {
        Self { keys }
    }

    /// A token for a user, with the claims that Cognito's ID tokens have.
    ///
    /// # Errors
    /// Where signing fails.
    pub(super) fn issue(
        &self,
        user_uuid: &str,
        handle: &str,
        now: OffsetDateTime,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_uuid,
            "cognito:username": handle,
            "token_use": "id",
            "auth_time": now.unix_timestamp(),
            "iat": now.unix_timestamp(),
            "exp": (now + VALIDITY).unix_timestamp(),
        });
        let header = Header { kid: Some(self.keys.id.clone()), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims, &self.keys.signing)
    }

    /// The claims of the token in an `Authorization` header, as strings.
    ///
    /// # Errors
    /// [`Refused`] unless the token is signed by our key with ES256, from our issuer, for our
    /// audience (`aud`, or `client_id` where there is none), valid now, and not issued in the
    /// future.
    pub(super) fn authorize(&self, header: Option<&str>) -> Result<Claims, Refused> {
        let header = header.ok_or(Refused)?.trim();
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            Some(_) => return Err(Refused),
            None => header,
        };
        let key_id = decode_header(token).map_err(|_| Refused)?.kid;
        if key_id.as_ref() != Some(&self.keys.id) {
            return Err(Refused);
        }
        let mut validation = Validation::new(Algorithm::ES256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        // Checked below: jsonwebtoken knows nothing of `client_id`.
        validation.validate_aud = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        let token = decode::<Map<String, Value>>(token, &self.keys.checking, &validation);
        let claims = token.map_err(|_| Refused)?.claims;
        let is_for_us = match claims.get("aud").or_else(|| claims.get("client_id")) {
            Some(Value::String(audience)) => audience == AUDIENCE,
            Some(Value::Array(audiences)) => audiences.iter().any(|it| it == AUDIENCE),
            Some(_) | None => false,
        };
        let now_secs = OffsetDateTime::now_utc().unix_timestamp() as f64;
        let is_issued = claims
            .get("iat")
            .is_none_or(|issued_at| issued_at.as_f64().is_some_and(|secs| secs <= now_secs));
        if !is_for_us || !is_issued {
            return Err(Refused);
        }
        Ok(claims.into_iter().map(|(name, value)| (name, claim_text(&value))).collect())
    }
}

/// Claims reach a function as strings; lists as `[a b]`.
fn claim_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(claim_text).collect();
            format!("[{}]", values.join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
