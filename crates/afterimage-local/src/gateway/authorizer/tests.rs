use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use super::*;

fn authorizer() -> Authorizer {
    Authorizer::new(Keys::generate().expect("keys"))
}

/// The one of most tests.
static OURS: LazyLock<Authorizer> = LazyLock::new(authorizer);

fn claims() -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "exp": now + 60, "iat": now })
}

fn header(authorizer: &Authorizer) -> Header {
    Header { kid: Some(authorizer.keys.id.clone()), ..Header::new(Algorithm::ES256) }
}

#[track_caller]
fn check(change: &Value, expected: bool) {
    let authorizer = &*OURS;
    let mut claims = claims();
    let fields = claims.as_object_mut().expect("an object");
    for (name, value) in change.as_object().expect("an object") {
        match value {
            Value::Null => fields.remove(name),
            value => fields.insert(name.clone(), value.clone()),
        };
    }
    let token = encode(&header(authorizer), &claims, &authorizer.keys.signing).expect("signed");
    let result = authorizer.authorize(Some(&format!("Bearer {token}")));
    assert_eq!(result.is_ok(), expected, "{change}");
}

#[test]
fn claims_are_checked() {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    check(&json!({}), true);
    check(&json!({ "exp": now - 5 }), false);
    check(&json!({ "exp": null }), false);
    check(&json!({ "exp": (now + 60).to_string() }), false);
    check(&json!({ "exp": [now + 60] }), false);
    check(&json!({ "exp": true }), false);
    check(&json!({ "exp": -1 }), false);
    check(&json!({ "exp": 0 }), false);
    check(&json!({ "nbf": "now" }), false);
    check(&json!({ "nbf": now - 5 }), true);
    check(&json!({ "nbf": now + 60 }), false);
    check(&json!({ "iss": "https://elsewhere" }), false);
    check(&json!({ "iss": null }), false);
    check(&json!({ "iss": format!("{ISSUER}/") }), false);
    check(&json!({ "iss": 1 }), false);
    check(&json!({ "iat": null }), true);
    check(&json!({ "iat": now + 60 }), false);
    check(&json!({ "iat": "yesterday" }), false);
    check(&json!({ "aud": "elsewhere" }), false);
    check(&json!({ "aud": ["elsewhere", AUDIENCE] }), true);
    check(&json!({ "aud": [] }), false);
    check(&json!({ "aud": [[AUDIENCE]] }), false);
    check(&json!({ "aud": { "x": AUDIENCE } }), false);
    check(&json!({ "aud": AUDIENCE.to_uppercase() }), false);
    check(&json!({ "aud": null }), false);
    check(&json!({ "aud": null, "client_id": AUDIENCE }), true);
    check(&json!({ "aud": null, "client_id": "elsewhere" }), false);
    check(&json!({ "aud": "elsewhere", "client_id": AUDIENCE }), false);
}

#[test]
fn an_issued_token_is_accepted_and_its_claims_are_strings() {
    let authorizer = authorizer();
    let now = OffsetDateTime::now_utc();
    let token = authorizer.issue("u1", "ada", now).expect("issued");
    for header in [format!("Bearer {token}"), format!("bearer {token}"), token.clone()] {
        let claims = authorizer.authorize(Some(&header)).expect("accepted");
        assert_eq!(claims["sub"], "u1");
        assert_eq!(claims["iat"], now.unix_timestamp().to_string());
    }
    assert_eq!(claim_text(&json!(["a", 1])), "[a 1]");
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token of our key's name, made without the library that checks it.
fn by_hand(algorithm: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let header = json!({ "alg": algorithm, "kid": OURS.keys.id });
    let message = format!("{}.{}", part(&header), part(&claims()));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

#[test]
fn forged_tokens_are_refused() {
    let (ours, theirs) = (&*OURS, authorizer());
    let refused = |token: &str| {
        assert_eq!(ours.authorize(Some(&format!("Bearer {token}"))), Err(Refused), "{token}");
    };
    // Signed by another key, under its own name and under ours.
    refused(&encode(&header(&theirs), &claims(), &theirs.keys.signing).expect("signed"));
    refused(&encode(&header(ours), &claims(), &theirs.keys.signing).expect("signed"));
    // Without a key's name.
    refused(
        &encode(&Header::new(Algorithm::ES256), &claims(), &ours.keys.signing).expect("signed"),
    );
    // Another algorithm, keyed with what everybody may know.
    let public_key = ours.keys.checking.try_get_as_bytes().expect("bytes");
    let secret = hmac::Key::new(hmac::HMAC_SHA256, public_key);
    refused(&by_hand("HS256", |message| hmac::sign(&secret, message).as_ref().to_vec()));
    // The right key under another algorithm's name; under its own, the same token is accepted.
    let signed = |message: &[u8]| {
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            ours.keys.signing.as_bytes(),
            &SystemRandom::new(),
        );
        let signature = pair.expect("a pair").sign(&SystemRandom::new(), message);
        signature.expect("signed").as_ref().to_vec()
    };
    assert!(ours.authorize(Some(&by_hand("ES256", signed))).is_ok());
    for algorithm in ["ES384", "RS256", "PS256", "EdDSA", "es256"] {
        refused(&by_hand(algorithm, signed));
    }
    // No signature at all.
    for algorithm in ["none", "None", "NONE", "", "ES256"] {
        let none = json!({ "alg": algorithm, "kid": ours.keys.id });
        refused(&format!("{}.{}.", part(&none), part(&claims())));
        refused(&format!("{}.{}", part(&none), part(&claims())));
    }
    // A key of one's own, brought along.
    let theirs_named = json!({ "alg": "ES256", "kid": ours.keys.id, "jwk": { "kty": "EC" } });
    let token = encode(&header(ours), &claims(), &theirs.keys.signing).expect("signed");
    let (_, rest) = token.split_once('.').expect("a header");
    refused(&format!("{}.{rest}", part(&theirs_named)));
    // Changed after signing.
    let token = ours.issue("u1", "ada", OffsetDateTime::now_utc()).expect("issued");
    let mut parts: Vec<&str> = token.split('.').collect();
    let other =
        part(&json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "u2", "exp": 9_999_999_999_i64 }));
    parts[1] = &other;
    refused(&parts.join("."));
    refused("nonsense");
    assert_eq!(ours.authorize(None), Err(Refused));
    assert_eq!(ours.authorize(Some(&format!("Basic {token}"))), Err(Refused));
}

/// A valid token, made once.
static VALID: LazyLock<String> = LazyLock::new(|| {
    let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "exp": 9_999_999_999_i64 });
    encode(&header(&OURS), &claims, &OURS.keys.signing).expect("signed")
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_token_that_was_altered_is_refused(
        at in any::<prop::sample::Index>(),
        removed in 0..4_usize,
        inserted in prop::collection::vec(prop::sample::select(b"AQgw-_.=+/ \0\xc3".to_vec()), 0..4),
    ) {
        let mut bytes = VALID.clone().into_bytes();
        let at = at.index(bytes.len());
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, inserted);
        let altered = String::from_utf8_lossy(&bytes).into_owned();
        let accepted = OURS.authorize(Some(&format!("Bearer {altered}"))).is_ok();
        // White space around a token is none of it.
        prop_assert_eq!(accepted, altered.trim() == *VALID, "{}", altered);
    }

    #[test]
    fn garbage_is_refused(header in ".{0,80}", parts in "[A-Za-z0-9_.-]{0,400}") {
        prop_assert_eq!(OURS.authorize(Some(&header)), Err(Refused));
        prop_assert_eq!(OURS.authorize(Some(&format!("Bearer {parts}"))), Err(Refused));
    }
}
