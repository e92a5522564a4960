use std::path::Path;

use afterimage_local::{Stack, Storage};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, decode_header, encode};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{bearer, check, get_as, options, stack};
use crate::http::{get, send};

/// A stack whose key is known, with a header and claims that it accepts.
struct Insider {
    stack: Stack,
    key: EncodingKey,
    header: Header,
    claims: Value,
    now: i64,
}

impl Insider {
    async fn in_directory(path: &Path) -> Self {
        let storage = Storage::DataDir(path.to_owned());
        let stack = Box::pin(Stack::start(options(storage))).await.expect("started");
        let bearer = bearer(&stack.http_url(), "ada-demo").await;
        let token = bearer.strip_prefix("Bearer ").expect("a bearer");
        let header = decode_header(token).expect("a header");
        let claims = token.split('.').nth(1).expect("claims");
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64");
        let claims: Value = serde_json::from_slice(&claims).expect("JSON");
        let now = claims["iat"].as_i64().expect("a time");
        let der = std::fs::read(path.join("keys/token.pk8")).expect("a key");
        let key = EncodingKey::from_ec_der(&der);
        Self { stack, key, header, claims, now }
    }

    /// A token with some claims changed, and those that are `null` left out.
    fn token(&self, change: &Value) -> String {
        let mut claims = self.claims.clone();
        let fields = claims.as_object_mut().expect("an object");
        fields.extend(change.as_object().expect("an object").clone());
        fields.retain(|_, value| !value.is_null());
        encode(&self.header, &claims, &self.key).expect("signed")
    }

    async fn check(&self, token: &str, expected: bool, what: &str) {
        let bearer = format!("Bearer {token}");
        let answer = get_as(&self.stack.http_url(), &bearer, "/api/message_groups").await;
        if expected {
            assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        } else {
            check(&answer, 401, "Unauthorized", what);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_checked_claim_by_claim() {
    let directory = tempfile::tempdir().expect("a directory");
    let insider = Insider::in_directory(directory.path()).await;
    let now = insider.now;
    for (change, expected) in [
        (json!({}), true),
        (json!({ "nbf": now }), true),
        (json!({ "aud": ["elsewhere", insider.claims["aud"]] }), true),
        (json!({ "exp": now - 1 }), false),
        (json!({ "exp": null }), false),
        (json!({ "nbf": now + 600 }), false),
        (json!({ "iat": now + 600 }), false),
        (json!({ "aud": "elsewhere" }), false),
        (json!({ "aud": null }), false),
        (json!({ "iss": "https://elsewhere" }), false),
        (json!({ "iss": null }), false),
    ] {
        insider.check(&insider.token(&change), expected, &change.to_string()).await;
    }
    // A subject that no user has is the function's to refuse.
    for subject in ["", "ada-demo", "A0A0A0A0-0000-4000-8000-000000000001", "GRP#x"] {
        let bearer = format!("Bearer {}", insider.token(&json!({ "sub": subject })));
        let answer = get_as(&insider.stack.http_url(), &bearer, "/api/message_groups").await;
        check(&answer, 401, "unauthorized", subject);
    }
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_signed_by_our_key_in_our_way() {
    let directory = tempfile::tempdir().expect("a directory");
    let insider = Insider::in_directory(directory.path()).await;
    let signed =
        |header: &Header, key: &EncodingKey| encode(header, &insider.claims, key).expect("signed");
    let with_kid =
        |kid: Option<&str>| Header { kid: kid.map(str::to_owned), ..insider.header.clone() };
    insider.check(&signed(&insider.header, &insider.key), true, "our own").await;
    insider.check(&signed(&with_kid(None), &insider.key), false, "no kid").await;
    insider.check(&signed(&with_kid(Some("other")), &insider.key), false, "unknown kid").await;
    insider.check(&signed(&with_kid(Some("")), &insider.key), false, "empty kid").await;
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, insider.key.as_bytes(), &random);
    let pair = pair.expect("a pair");
    let secret = hmac::Key::new(hmac::HMAC_SHA256, pair.public_key().as_ref());
    let by_hand = |algorithm: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        let header = json!({ "alg": algorithm, "kid": insider.header.kid });
        let message = format!("{}.{}", part(&header), part(&insider.claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
        format!("{message}.{signature}")
    };
    let ours = |it: &[u8]| pair.sign(&random, it).expect("signed").as_ref().to_vec();
    insider.check(&by_hand("ES256", &ours), true, "our own, by hand").await;
    insider.check(&by_hand("ES384", &ours), false, "ES384").await;
    insider.check(&by_hand("RS256", &ours), false, "RS256").await;
    let with_public_key = |it: &[u8]| hmac::sign(&secret, it).as_ref().to_vec();
    insider.check(&by_hand("HS256", &with_public_key), false, "HS256, the public key").await;
    let none = json!({ "alg": "none", "kid": insider.header.kid });
    let unsigned = format!("{}.{}.", part(&none), part(&insider.claims));
    insider.check(&unsigned, false, "alg none").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_token_looks_the_same() {
    let (stack, elsewhere) = (stack().await, stack().await);
    let url = stack.http_url();
    let ours = bearer(&url, "ada-demo").await;
    let theirs = bearer(&elsewhere.http_url(), "lin-demo").await;
    let token = ours.strip_prefix("Bearer ").expect("a bearer");
    let parts: Vec<&str> = token.split('.').collect();
    let their_parts: Vec<&str> = theirs["Bearer ".len()..].split('.').collect();
    for refused in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {token},{token}"),
        format!("Bearer {token}."),
        format!("Bearer {}.{}.", parts[0], parts[1]),
        format!("Bearer {}.{}", parts[0], parts[1]),
        format!("Bearer {}.{}.{}", parts[0], parts[1], their_parts[2]),
        format!("Bearer {}.{}.{}", parts[0], their_parts[1], parts[2]),
        theirs.clone(),
        "Bearer ..".to_owned(),
        "Bearer \u{e9}".to_owned(),
    ] {
        for path in ["/api/message_groups", "/api/messages/x"] {
            let answer = get_as(&url, &refused, path).await;
            check(&answer, 401, "Unauthorized", &refused);
            assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
        }
        let post = send(&url, "POST /api/messages", &[("Authorization", &refused)], b"{}").await;
        check(&post, 401, "Unauthorized", &refused);
    }
    let twice = [("Authorization", ours.as_str()), ("Authorization", theirs.as_str())];
    check(&send(&url, "GET /api/message_groups", &twice, b"").await, 401, "Unauthorized", "two");
    for parameter in ["token", "access_token", "Authorization", "authorization"] {
        let path = format!("/api/message_groups?{parameter}={token}");
        check(&get(&url, &path).await, 401, "Unauthorized", parameter);
    }
    assert_eq!(get_as(&url, &ours, "/api/message_groups").await.status, 200);
}
